"""Policy files: what is written is what is read, and whatever is damaged, newer or hostile is refused in words."""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.routing.policies_at_hand import MODELS, PROMPTS, document, scorer, task_map

import breakeven.routing
from breakeven.errors import OutputError, PolicyError
from breakeven.routing.answers import Answer
from breakeven.routing.array_file import array_bytes, arrays_of
from breakeven.routing.policies import policy_of
from breakeven.routing.policy import Kind
from breakeven.routing.policy_document import (
    KINDS,
    CascadePlan,
    GroupChoice,
    Guarantee,
    PolicyDocument,
    PricedModel,
    TaskFloor,
)
from breakeven.routing.policy_file import load, save
from breakeven.routing.record import from_plain
from breakeven.routing.request import RouteRequest
from breakeven.routing.scorer_arrays import ScorerParts, parts_of, scorer_of
from breakeven.routing.trial import Trial
from breakeven.routing.written import content_hash

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_is_loaded(kind: Kind, tmp_path: Path) -> None:
    plain = document(kind)
    saved = save(plain, tmp_path)
    found = load(tmp_path)
    assert found.hash == saved.hash
    assert replace(found.document, scorer=None) == replace(plain, scorer=None)
    assert found.models == MODELS
    assert found.kind == kind
    assert (tmp_path / "arrays.npz").exists() is (kind == "threshold")
    assert found.holds_training_rows is (kind == "threshold")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_policy_gives_the_same_bytes(kind: Kind, tmp_path: Path) -> None:
    save(document(kind), tmp_path / "one")
    save(document(kind), tmp_path / "two")
    for each in (tmp_path / "one").iterdir():
        assert each.read_bytes() == (tmp_path / "two" / each.name).read_bytes()


@SAME_FOLDER
@given(
    st.sampled_from(KINDS),
    st.one_of(st.sampled_from(PROMPTS), st.text(max_size=80)),
    st.sampled_from(["faq", "proof", "x"]),
)
def test_offline_and_online_decide_alike(tmp_path: Path, kind: Kind, prompt: str, task: str) -> None:
    folder = tmp_path / kind
    if not folder.exists():
        save(document(kind), folder)
    request = RouteRequest(prompt, {"task": task})
    assert load(folder).decide(request) == policy_of(document(kind)).decide(request)


NUMBERS = st.floats(0, 1e6).map(lambda each: each + 0.0)
FRACTIONS = st.floats(0, 1)
NAMES = st.text(min_size=1, max_size=6)


def _guarantees(model: str) -> list[Guarantee]:
    plain = Guarantee(0.95, model, 0.95, "betting", 900, True)
    return [plain, replace(plain, by_task=(TaskFloor("a", 0.99, 100, False, 400), TaskFloor("b", 0.9, 80, True)))]


@st.composite
def documents(draw: st.DrawFn) -> PolicyDocument:
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    name = st.sampled_from(names)
    by_model = st.dictionaries(name, FRACTIONS)
    paths = draw(st.lists(st.lists(st.text(max_size=4), max_size=2).map(tuple), max_size=4, unique=True))
    groups = [
        GroupChoice(
            path, draw(name), draw(by_model), draw(by_model), draw(st.integers(0, 9)), draw(st.text(max_size=9))
        )
        for path in paths
    ]
    order = tuple(draw(st.permutations(names)))
    return PolicyDocument(
        kind=draw(st.sampled_from(["single", "task_map", "cascade", "allocation"])),
        models=tuple(PricedModel(each, draw(st.one_of(st.none(), NUMBERS)), None, draw(NUMBERS)) for each in names),
        default_model=draw(name),
        levels=("application", "task"),
        groups=tuple(sorted(groups, key=lambda each: each.path)),
        value_usd_per_success=draw(st.one_of(st.none(), NUMBERS)),
        failure_usd_per_request=draw(st.dictionaries(st.text(max_size=4), NUMBERS, max_size=2)),
        cascade=CascadePlan(
            order,
            draw(st.dictionaries(st.text(max_size=4), st.just(order[:1]), max_size=2)),
            confidence_min_fraction=draw(st.one_of(st.none(), FRACTIONS)),
            confidence_min_fraction_by_task=draw(st.dictionaries(st.text(max_size=4), FRACTIONS, max_size=2)),
        ),
        value_usd_per_success_by_task=draw(st.dictionaries(st.text(max_size=4), NUMBERS, max_size=2)),
        capacity_usd_per_request_by_task=draw(st.dictionaries(st.text(max_size=4), by_model, max_size=2)),
        guarantee=draw(st.one_of(st.none(), st.sampled_from(_guarantees(names[0])))),
        evidence={"rows": draw(st.integers(-5, 5)), "note": draw(st.text(max_size=9)), "list": [1.5, None, True]},
    )


@settings(SAME_FOLDER, max_examples=50)
@given(documents())
def test_any_document_survives(tmp_path: Path, plain: PolicyDocument) -> None:
    save(plain, tmp_path)
    assert load(tmp_path).document == plain
    has_floors = bool(plain.value_usd_per_success_by_task) or (plain.guarantee is not None and plain.guarantee.by_task)
    written = json.loads((tmp_path / "policy.json").read_text(encoding="utf-8"))
    assert plain.cascade is not None
    by_task = plain.cascade.confidence_min_fraction_by_task or "" in plain.cascade.order_by_task
    oldest = 3 if plain.capacity_usd_per_request_by_task or by_task else 2 if has_floors else 1
    assert written["format_version"] == oldest


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value_usd_per_success_by_task": {"faq": -1.0}}, "value_usd_per_success_by_task: saw -1.0"),
        (
            {"capacity_usd_per_request_by_task": {"faq": {"big": -1.0}}},
            "capacity_usd_per_request_by_task.faq: saw -1.0",
        ),
        (
            {"capacity_usd_per_request_by_task": {"faq": {"odd": 1.0}}},
            "capacity_usd_per_request_by_task.faq: the model",
        ),
        ({"by_task": (TaskFloor("", 0.9, 1, True),)}, "wanted a task and a ratio above 0"),
        ({"by_task": (TaskFloor("a", 0.0, 1, True),)}, "wanted a task and a ratio above 0"),
        ({"by_task": (TaskFloor("a", 0.9, 1, True),) * 2}, "two floors are of one task"),
    ],
)
def test_floors_by_task_that_make_no_sense_are_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    plain = task_map()
    if "by_task" in change:
        change = {"guarantee": replace(_guarantees(plain.default_model)[0], **change)}
    with pytest.raises(PolicyError, match=re.escape(said)):
        save(replace(plain, **change), tmp_path)


def test_a_decision_is_made_by_plain_words(tmp_path: Path) -> None:
    save(task_map(), tmp_path)
    assert breakeven.routing.load(tmp_path).route("Where is my parcel?", task="faq").model == "small"


def test_nothing_that_goes_wrong_inside_gets_out(tmp_path: Path) -> None:
    loaded = save(task_map(), tmp_path)
    found = loaded.decide(RouteRequest("x", {"task": ["no", "text"]}))  # type: ignore[dict-item]
    assert (found.model, found.reason) == ("big", "default: TypeError in the policy")
    assert loaded.accepts(Answer("")).ok  # only a cascade looks at answers
    cascade = save(document("cascade"), tmp_path)
    assert not cascade.accepts(Answer("", "chat")).ok
    assert cascade.accepts(Answer(None, "chat")).why == "TypeError in the check"  # type: ignore[arg-type]


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the JSON of a saved policy, and make its hash fit."""
    path = folder / "policy.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    change(plain)
    plain["hash"] = content_hash(plain)
    path.write_text(json.dumps(plain), encoding="utf-8")
    return folder


def put(*keys: str | int, value: object) -> Callable[[dict[str, Any]], object]:
    def change(plain: Any) -> None:
        for key in keys[:-1]:
            plain = plain[key]
        plain[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("format", value="other"), "is no policy: its format is 'other'"),
        (
            put("format_version", value=4),
            r"written by a newer breakeven \(format 4; this one reads 3\): upgrade, or learn",
        ),
        (put("format_version", value="1"), "wanted a whole number"),
        (put("format_version", value=0), "wanted a whole number"),
        (put("kind", value="magic"), "kind: saw 'magic', wanted one of 'single'"),
        (put("default_model", value="bog"), "the model 'bog' does not occur in the policy; did you mean 'big'"),
        (put("default_model", value=None), "default_model: saw None, wanted a text"),
        (put("models", value=[]), "wanted one name or more"),
        (put("models", 1, "name", value="small"), "each once"),
        (put("models", 0, "usd_per_request", value=-1), "saw -1.0, wanted 0 or more"),
        (
            put("models", 0, "usd_per_request", value="dear"),
            r"models\[0\].usd_per_request: saw 'dear', wanted a number",
        ),
        (put("models", 0, "usd_per_request", value=True), "saw True, wanted a number"),
        (put("models", 0, "usd_per_request", value=10**400), "wanted a finite number"),
        (put("groups", 0, "model", value="gpt"), r"groups\[0\]: the model 'gpt' does not occur"),
        (put("groups", 0, "success_fractions", "gpt", value=1), "the model 'gpt' does not occur"),
        (put("groups", 0, "success_fractions", "big", value=1.5), "a fraction from 0 to 1"),
        (put("groups", 0, "path", value=["a", "b"]), "longer than the levels"),
        (put("groups", 0, "path", value=["faq"]), "two have the same path"),
        (put("groups", 0, "path", value="faq"), "path: saw 'faq', wanted a list"),
        (put("groups", 0, "tries_count", value=-3), "never negative"),
        (put("groups", 0, "tries_count", value=2.5), "wanted a whole number"),
        (put("groups", value={}), "groups: saw {}, wanted a list"),
        (put("groups", 0, value=3), r"groups\[0\]: saw 3, wanted a mapping"),
        (
            put("groups", 0, "usd_per_requests", value={}),
            "unknown key 'usd_per_requests'; did you mean 'usd_per_request'",
        ),
        (put("levels", value=["task", "task"]), "wanted each once"),
        (put("value_usd_per_success", value=-0.1), "wanted 0 or more"),
        (put("failure_usd_per_request", value={"x": -1}), "wanted 0 or more"),
        (put("capacity_usd_per_request", value={"x": 1}), "the model 'x' does not occur"),
        (put("failure_usd_per_request", value=[]), "wanted a mapping"),
        (put("surprise", value=1), "unknown key 'surprise'"),
        (lambda plain: plain.pop("models"), "the key 'models' is missing"),
        (put("scorer", value={}), "has a scorer but no arrays_sha256"),
        (put("cascade", value={"order": []}), "wanted one model or more"),
        (put("cascade", value={"order": ["gpt"]}), "the model 'gpt' does not occur"),
        (put("cascade", value={"order": ["big"], "agreement_model": "x"}), "the model 'x' does not occur"),
        (put("cascade", value={"order": ["big"], "confidence_min_fraction": 2}), "a fraction from 0 to 1"),
        (
            put("cascade", value={"order": ["big"], "confidence_min_fraction_by_task": {"faq": -1}}),
            r"cascade.confidence_min_fraction_by_task.faq: saw -1",
        ),
        (put("kind", value="threshold"), "needs a scorer"),
    ],
)
def test_a_contradiction_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    save(task_map(), tmp_path)
    with pytest.raises(PolicyError, match=message):
        load(changed(tmp_path, change))


@pytest.mark.parametrize(
    "declaration", [{"regex": "(a+"}, {"regex": r"(a)\1"}, {"label": ["x"]}, {"json_schema": 3}, {"labels": []}]
)
def test_a_check_that_cannot_work_is_refused_at_load(tmp_path: Path, declaration: dict[str, Any]) -> None:
    save(document("cascade"), tmp_path)
    with pytest.raises(PolicyError):
        load(changed(tmp_path, put("cascade", "checks_by_task", value={"faq": declaration})))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no valid JSON"),
        (b"[]", "holds a list"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"format": "x", "format": "y"}', "a key stands twice"),
        (b"\xff\xfe", "no valid JSON"),
        (b"[" * 200_000, "no valid JSON"),
        (b"9" * 10_000, "no valid JSON"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "policy.json").write_bytes(content)
    with pytest.raises(PolicyError, match=message):
        load(tmp_path)


def test_a_missing_folder_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="as `breakeven learn --out` writes it"):
        load(tmp_path / "nowhere")


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="not finite"):
        save(replace(task_map(), value_usd_per_success=math.inf), tmp_path / "new")
    with pytest.raises(PolicyError, match="cannot hold a set"):
        save(replace(task_map(), evidence={"rows": {1}}), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_name_of_no_valid_unicode_survives(tmp_path: Path) -> None:
    plain = replace(task_map(), groups=(GroupChoice(("\ud800",), "small"),))
    save(plain, tmp_path)
    assert load(tmp_path).document == plain


def test_a_policy_replaces_one_with_arrays(tmp_path: Path) -> None:
    save(document("threshold"), tmp_path)
    save(task_map(), tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["policy.json"]
    assert load(tmp_path).kind == "task_map"


@pytest.fixture(scope="module")
def threshold_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("threshold")
    save(document("threshold"), folder)
    return {each.name: each.read_bytes() for each in folder.iterdir()}


@SAME_FOLDER
@given(st.data(), st.sampled_from(["policy.json", "arrays.npz"]))
def test_a_flipped_bit_is_found(
    tmp_path: Path, threshold_files: dict[str, bytes], data: st.DataObject, name: str
) -> None:
    for each, content in threshold_files.items():
        (tmp_path / each).write_bytes(content)
    content = bytearray(threshold_files[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    (tmp_path / name).write_bytes(content)
    try:
        found = load(tmp_path)
    except PolicyError:
        return
    # a flip that leaves the JSON's meaning alone (a blank for a tab) is no damage
    assert json.loads(bytes(content)) == json.loads(threshold_files[name])
    assert found.kind == "threshold"


@SAME_FOLDER
@given(st.data(), st.sampled_from(["policy.json", "arrays.npz"]))
def test_a_file_cut_short_is_found(
    tmp_path: Path, threshold_files: dict[str, bytes], data: st.DataObject, name: str
) -> None:
    for each, content in threshold_files.items():
        (tmp_path / each).write_bytes(content)
    whole = threshold_files[name]
    kept = data.draw(st.integers(0, len(whole) - 2))  # the last byte of the JSON is a line's end
    (tmp_path / name).write_bytes(whole[:kept])
    with pytest.raises(PolicyError):
        load(tmp_path)


def test_missing_or_foreign_arrays_are_refused(tmp_path: Path) -> None:
    save(document("threshold"), tmp_path)
    (tmp_path / "arrays.npz").unlink()
    with pytest.raises(PolicyError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "arrays.npz").write_bytes(array_bytes({"terms.idf": np.ones(3)}))
    with pytest.raises(PolicyError, match=r"not the one that policy\.json was written with"):
        load(tmp_path)


@given(st.binary(max_size=400))
def test_any_bytes_are_no_arrays(content: bytes) -> None:
    with pytest.raises(PolicyError):
        arrays_of(b"PK\x03\x04" + content, "arrays.npz")


@settings(deadline=None)
@given(st.data())
def test_a_damaged_array_file_never_does_more_than_refuse(data: st.DataObject) -> None:
    """Even with a hash that fits: parts of the bytes are changed, and numpy is asked all the same."""
    content = bytearray(array_bytes(parts_of(scorer()).arrays))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        arrays = arrays_of(bytes(content), "arrays.npz")
        scorer_of(ScorerParts(parts_of(scorer()).settings, arrays), MODELS)
    except PolicyError:
        pass


def member(name: str, content: bytes, kind: int = zipfile.ZIP_STORED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", kind) as file:
        file.writestr(name, content)
    return whole.getvalue()


def header(kind: str, shape: str, by_column: bool = False) -> bytes:
    return raw_header(f"{{'descr': '{kind}', 'fortran_order': {by_column}, 'shape': {shape}}}")


def raw_header(text: str) -> bytes:
    padded = text.encode() + b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (member("a.npy", b"\0" * 50_000_000, zipfile.ZIP_DEFLATED), "is compressed"),
        (
            member("a.npy", header("<f8", "(999999999999,)")),
            "its size is another",
        ),
        (member("a.npy", header("<f8", "(-1,)")), "its size is another"),
        (
            member("a.npy", header("|O", "(1,)") + b"\0" * 8),
            "of type object",
        ),
        (member("a.npy", header(">f8", "(1,)") + b"\0" * 8), "of type"),
        (member("a.npy", header("<f8", "(1, 1)", True) + b"\0" * 8), "of type"),
        (member("a.npy", raw_header("__import__('os').system('false')")), "damaged"),
        (member("a.npy", b"nothing"), "damaged"),
    ],
)
def test_hostile_arrays_are_refused_before_memory_is_taken(content: bytes, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        arrays_of(content, "arrays.npz")


def test_too_many_arrays_are_refused() -> None:
    with pytest.raises(PolicyError, match="at most 64"):
        arrays_of(array_bytes({f"a{at}": np.zeros(1) for at in range(65)}), "arrays.npz")


def test_two_arrays_of_one_name_are_refused() -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("a.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.npy", b"")
    with pytest.raises(PolicyError, match="two arrays of one name"):
        arrays_of(whole.getvalue(), "arrays.npz")


def test_another_format_of_numpy_is_refused() -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.zeros(2), version=(2, 0))
    with pytest.raises(PolicyError, match="in another format of numpy"):
        arrays_of(member("a.npy", content.getvalue()), "arrays.npz")


def test_arrays_that_say_they_are_huge_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.routing.array_file._MAX_BYTES", 1000)
    with pytest.raises(PolicyError, match="more than 1 GiB"):
        arrays_of(array_bytes({"a": np.zeros(200)}), "arrays.npz")


def test_arrays_come_back_read_only() -> None:
    found = arrays_of(array_bytes({"a": np.arange(6.0).reshape(2, 3), "b": np.zeros(0, np.int32)}), "x")
    assert found["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["b"].shape == (0,)
    assert not found["a"].flags.writeable


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "policy.json").open("wb") as file:
        file.truncate(65 * 2**20)  # sparse: takes no disk
    with pytest.raises(PolicyError, match="at most 67,108,864"):
        load(tmp_path)


def with_array(name: str, change: Callable[[Any], Any]) -> ScorerParts:
    parts = parts_of(scorer())
    return ScorerParts(parts.settings, {**parts.arrays, name: change(parts.arrays[name].copy())})


def at_first(value: float) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array.flat[0] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("linear.intercepts", at_first(np.nan), "no number"),
        ("linear.term_weights", at_first(np.inf), "no number"),
        ("linear.intercepts", lambda array: array[:1], "wanted 2 models"),
        ("linear.intercepts", lambda array: array.astype(np.float32), "wanted float64"),
        ("linear.surface_weights", lambda array: array[1:], "wanted 27 surface"),
        ("linear.surface_scale", at_first(0.0), "above 0"),
        ("terms.columns", lambda array: array[::-1].copy(), "ascending"),
        ("terms.columns", lambda array: array + np.uint32(4096), "below 2"),
        ("terms.idf", lambda array: -array, "0 or more"),
        ("neighbours.offsets", lambda array: array[::-1].copy(), "ascending"),
        ("neighbours.offsets", lambda array: array + 1, "number of postings"),
        ("neighbours.rows", at_first(99), "from 0 to 5"),
        ("neighbours.outcomes", at_first(7.0), "from 0 to 1"),
        ("forest.feature", at_first(31), "from 0 to 30"),
        ("forest.left", at_first(-1), "from 0 to 20"),
        ("forest.left", at_first(20), "of nodes with two below"),
        ("forest.roots", at_first(99), "from 0 to 20"),
        ("forest.value", at_first(1.5), "from 0 to 1"),
        ("calibration.x", lambda array: array[:, ::-1].copy(), "ascending"),
        ("calibration.y", at_first(2.0), "from 0 to 1"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(name: str, change: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        scorer_of(with_array(name, change), MODELS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features_version": 99}, "learn again with this version"),
        ({"bits_count": 60}, "wanted 1 to 22"),
        ({"depth_count": 9999}, "wanted 0 to 64"),
        ({"prior_ratio": -1.0}, "never negative"),
        ({"parts": ("terms", "magic")}, "unknown part 'magic'"),
        ({"parts": ("linear",)}, "'terms' is missing"),
        ({"parts": ("terms", "linear", "forest", "calibration")}, "gives weight to 'neighbours'"),
        ({"blend": {}}, "one weight above 0"),
        ({"blend": {"linear": 1.0, "forest": -1.0}}, "none below"),
    ],
)
def test_settings_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    parts = parts_of(scorer())
    with pytest.raises(PolicyError, match=message):
        scorer_of(ScorerParts(replace(parts.settings, **change), parts.arrays), MODELS)


def test_missing_and_needless_arrays_are_named() -> None:
    parts = parts_of(scorer())
    without = {name: array for name, array in parts.arrays.items() if name != "forest.left"}
    with pytest.raises(PolicyError, match=r"lacks the array forest\.left"):
        scorer_of(ScorerParts(parts.settings, without), MODELS)
    with pytest.raises(PolicyError, match="nothing uses, more"):
        scorer_of(ScorerParts(parts.settings, {**parts.arrays, "more": np.zeros(1)}), MODELS)


def test_a_scorer_of_other_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="the scorer knows the models"):
        save(replace(document("threshold"), scorer=replace(scorer(), models=("a", "b"))), tmp_path)


def test_the_hash_is_of_the_canonical_json(tmp_path: Path) -> None:
    save(task_map(), tmp_path)
    plain = json.loads((tmp_path / "policy.json").read_text(encoding="utf-8"))
    said = plain.pop("hash")
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    assert said == hashlib.sha256(text.encode()).hexdigest()


def test_the_page_shows_a_policy_and_every_kind(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "routing-policy.md").read_text(encoding="utf-8")
    shown, floors, trial = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (tmp_path / "policy.json").write_text(shown, encoding="utf-8")
    assert from_plain(Trial, json.loads(f"{{{trial}}}")["trial"], "the page").parts
    plain = load(tmp_path)
    assert plain.route(task="faq").model == "small"  # the hash on the page fits
    more = json.loads(f"{{{floors}}}")
    guarantee = from_plain(Guarantee, more["guarantee"], "the page")
    with_floors = replace(plain.document, value_usd_per_success_by_task=more["value_usd_per_success_by_task"])
    assert save(replace(with_floors, guarantee=guarantee), tmp_path).document.format_version == 2
    assert all(f"| `{kind}` |" in page for kind in KINDS)


def test_a_policy_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match=r"the policy cannot be written .Not a directory.; name another"):
        save(task_map(), tmp_path / "file" / "policy")
