"""The outcome store: idempotent, exact after any crash, and joined to Calls by `breakeven outcomes`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.telemetry.told import attempt, plan

from breakeven.cli.main import group
from breakeven.gateway.control.outcome_request import GivenOutcome
from breakeven.gateway.control.outcome_store import OutcomeStore
from breakeven.gateway.metering.call_line import call_lines
from breakeven.outcomes import outcome as offline
from breakeven.outcomes.labels import read_labels, with_labels
from breakeven.outcomes.reading import read_outcomes


def given_outcome(request_id: str = "r", success: float = 1.0, **more: object) -> GivenOutcome:
    return GivenOutcome(request_id, success, **more)  # type: ignore[arg-type]


def test_saying_it_again_changes_nothing(tmp_path: Path) -> None:
    store = OutcomeStore(tmp_path / "o.jsonl")
    assert store.give(given_outcome()) == "stored"
    assert store.give(given_outcome()) == "repeated"
    assert store.give(given_outcome(success=0.0)) == "conflict"
    assert store.give(given_outcome(success=0.0, replaces=True)) == "replaced"
    assert store.give(given_outcome(success=0.0)) == "repeated"
    assert store.give(given_outcome(success=1.0, source="gold")) == "stored", "another source may differ"
    store.close()
    lines = [json.loads(each) for each in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [(each["success"], each["source"]) for each in lines] == [
        (1.0, "feedback"),
        (0.0, "feedback"),
        (1.0, "gold"),
    ]


def test_a_new_start_knows_what_was_said_and_mends_a_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "o.jsonl"
    store = OutcomeStore(path)
    store.give(given_outcome("a"))
    store.close()
    with path.open("ab") as file:
        file.write(b'{"request_id": "b", "succ')
    again = OutcomeStore(path)
    assert again.give(given_outcome("a")) == "repeated"
    assert again.give(given_outcome("b")) == "stored"
    again.close()
    assert [json.loads(each)["request_id"] for each in path.read_text().splitlines()] == ["a", "b"]


def test_a_full_disk_keeps_nothing_of_an_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "o.jsonl"
    store = OutcomeStore(path)
    store.give(given_outcome("a"))
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        write(descriptor, bytes(data[:7]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        store.give(given_outcome("b"))
    monkeypatch.setattr(os, "write", write)
    assert store.give(given_outcome("b")) == "stored"
    store.close()
    assert [json.loads(each)["request_id"] for each in path.read_text().splitlines()] == ["a", "b"]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([0.0, 0.5, 1.0]), st.booleans(), st.booleans()), max_size=15
    )
)
def test_the_file_says_what_a_plain_model_says(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, float, bool, bool]]
) -> None:
    """The last line of a request is its value, over any restarts."""
    path = tmp_path_factory.mktemp("outcomes") / "o.jsonl"
    model: dict[str, float] = {}
    store = OutcomeStore(path)
    for request_id, success, replaces, is_restarted in told:
        if is_restarted:
            store.close()
            store = OutcomeStore(path)
        result = store.give(given_outcome(request_id, success, replaces=replaces))
        if request_id not in model or (replaces and model[request_id] != success):
            assert result in ("stored", "replaced")
            model[request_id] = success
        else:
            assert result == ("repeated" if model[request_id] == success else "conflict")
    store.close()
    last = {(each := json.loads(line))["request_id"]: each["success"] for line in path.read_text().splitlines()}
    assert last == model


def test_outcomes_join_the_calls_of_the_gateway(tmp_path: Path) -> None:
    """An outcome of a request that fell back is said of the model that answered."""
    calls = tmp_path / "calls.jsonl"
    lines = []
    for i in range(12):
        told = plan()
        told.request_id = f"{i:032x}"
        tried = [attempt("big", "a", "status", cost_usd=None), attempt("small", "b", number=2, kind="fallback")]
        for each in tried:
            each.started_unix_s = 1_790_000_000.0 + 60 * i
        lines += call_lines(told, tried if i % 2 else tried[1:])
    calls.write_bytes(b"".join(lines))
    store = OutcomeStore(tmp_path / "outcomes.jsonl")
    for i in range(12):
        store.give(given_outcome(f"{i:032x}", float(i >= 3)), key_id="team-a")
    store.give(given_outcome("unknown-request", 1.0))
    store.close()
    runner = CliRunner()
    done = runner.invoke(group, ["import", str(calls), "--store", str(tmp_path / "store"), "--json"])
    assert done.exit_code == 0, done.output
    done = runner.invoke(
        group,
        ["outcomes", "--store", str(tmp_path / "store"), "--feedback", str(tmp_path / "outcomes.jsonl"), "--json"],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    rates = {each["model"]: (each["tries_count"], each["successes_count"]) for each in document["rates"]}
    assert rates == {"big": (6, 0.0), "small": (12, 9.0)}
    assert {each["model"]: each["sources"] for each in document["rates"]}["small"] == {"feedback": 12}
    assert document["notes"][-1] == "outcomes.jsonl: 1 row names a request that the outcomes do not have."


def test_people_count_over_judges_and_a_correction_contradicts_nothing(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("request_id,model,success\na,m,\nb,m,\nc,m,\nd,m,\n")
    read = read_outcomes(answers)
    store = OutcomeStore(tmp_path / "outcomes.jsonl")
    store.give(given_outcome("a", 0.0))
    store.give(given_outcome("a", 0.7, source="judge"))  # later, and trusted less
    store.give(given_outcome("b", 0.4, source="judge"))  # nobody else spoke
    store.give(given_outcome("c", 0.0))
    store.give(given_outcome("c", 1.0, replaces=True))
    store.give(given_outcome("d", 0.0, source="agreement"))
    store.give(given_outcome("d", 1.0, source="validator"))  # later, and trusted more
    store.close()
    labels = read_labels(tmp_path / "outcomes.jsonl", read)
    assert labels.success.ravel().tolist() == [0.0, 0.4, 1.0, 1.0]
    assert [offline.SOURCES[code] for code in labels.source_codes.ravel()] == [
        "feedback",
        "judge",
        "feedback",
        "validator",
    ]
    assert labels.notes == ()
    joined = with_labels(read, labels.success, labels.source_codes)
    assert set(joined.table.source.split("+")) == {"feedback", "judge", "validator"}


def test_a_column_of_strange_sources_is_feedback(tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text("request_id,model,success\na,m,\nb,m,\n")
    read = read_outcomes(tmp_path / "answers.csv")
    told = tmp_path / "told.csv"
    told.write_text("request_id,success,source\na,1,our app\nb,1,\n")
    labels = read_labels(told, read)
    assert [offline.SOURCES[code] for code in labels.source_codes.ravel()] == ["feedback", "feedback"]
    gold = read_labels(told, read, "gold")
    assert [offline.SOURCES[code] for code in gold.source_codes.ravel()] == ["gold", "gold"]
