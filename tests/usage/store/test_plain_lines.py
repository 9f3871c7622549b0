"""What the line kernel says of a line is what a JSON parser says of it, and what the statement makes of it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.usage import plan as plan_module
from breakeven.usage.plan import Plan
from breakeven.usage.reading import log_file, read_ahead
from breakeven.usage.store import CallStore, assembly_line, intake, plain_lines
from breakeven.usage.store.engine import Engine
from breakeven.usage.store.plain_lines import PlainLines, Wanted, is_readable
from breakeven.usage.store.statement import statement

from ..logs import NOW, imported, jsonl, row
from ..test_plan import ODD_USAGES, planned

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WANTED = Wanted(
    texts={"record_id": [("id",)], "task": [("task",), ("tags", "task")], "model": [("model",)]},
    numbers={"input_tokens": [("usage", "in")], "cost_usd": [("cost",)]},
    counts=frozenset({"input_tokens"}),
    times={"start_time": [("at",)]},
    unwanted=[("usage", "cached")],
    labels=frozenset({"task"}),
    id="record_id",
)
LINES = PlainLines(WANTED)


def read(*lines: str) -> tuple[list[bool], dict[str, list[Any]]]:
    """Which lines are taken, and the columns of these."""
    found = LINES.read(pa.chunked_array([pa.array([line + "\n" for line in lines])]))
    return found.taken.tolist(), {name: column.to_pylist() for name, column in found.columns.items()}


def taken(line: str) -> bool:
    """Whether the kernel takes a line, also when others are around it."""
    (alone,), _ = read(line)
    (before, among, after), _ = read('{"id": "a"}', line, '{"id": "b"}')
    assert (before, among, after) == (True, alone, True)
    return alone


def test_a_plain_line() -> None:
    told = {
        "tags": {"task": "t", "x": [1, {"y": [None, "\\n\u00e9"]}], "z": {}},
        "id": "call-1",
        "at": "2026-11-02T10:00:00.25+02:00",
        "usage": {"in": 12, "more": {"in": 99}, "cached": None},
        "cost": 0.125,
        "model": 7,
    }
    are_taken, columns = read(json.dumps(told), json.dumps({"id": "2"}))
    assert are_taken == [True, True]
    assert columns == {
        "t_record_id": ["call-1", "2"],
        "t_task": ["t", None],
        "t_model": ["7", None],
        "n_input_tokens": [12.0, None],
        "n_cost_usd": [0.125, None],
        "n_start_time": [None, None],
        "i_start_time": [(datetime(2026, 11, 2, 8, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) + 250_000, None],
        "z_start_time": [True, None],
    }


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        '{"id": "a"',
        '{"id": "a"} x',
        '{"id": "a"}{}',
        '{"id": "a",}',
        '{"id" "a"}',
        '{"id": "a" "x": 1}',
        '{"id": "a", "x": [1,]}',
        '{"id": "a", "x": [1}]}',
        '{"id": "a", "x": {"y": 1]}',
        '{"id": "a", "x": {]}',
        '{"id": "a", "x": [}}',
        '{"id": "a", "x": 01}',
        '{"id": "a", "x": 1.}',
        '{"id": "a", "x": .5}',
        '{"id": "a", "x": +1}',
        '{"id": "a", "x": 1e}',
        '{"id": "a", "x": 1e999}',
        '{"id": "a", "x": NaN}',
        '{"id": "a", "x": nul}',
        '{"id": "a", "x": True}',
        '{"id": "a", "x": "\\x"}',
        '{"id": "a", "x": "\\u12g4"}',
        '{"id": "a", "x": "\\ud800"}',
        '{"id": "a", "x": "tab\there"}',
        "{'id': 'a'}",
        '{"x": 1}',
        '{"id": ""}',
        '{"id": null}',
        '{"id": " a"}',
        '{"id": "a "}',
        '{"id": "a\\u0020"}',
        '{"id": "a", "id": "b"}',
        '{"i\\u0064": "b"}',
        '{"id": "a", "usage": {"in": 1}, "usage": {"in": 2}}',
        '{"id": "a", "usage": 3}',
        '{"id": "a", "usage": [3]}',
        '{"id": "a", "usage": {"cached": 0}}',
        '{"id": "a", "usage": {"in": "3"}}',
        '{"id": "a", "usage": {"in": -3}}',
        '{"id": "a", "usage": {"in": 3.5}}',
        '{"id": "a", "usage": {"in": 100000001}}',
        '{"id": "a", "usage": {"in": true}}',
        '{"id": "a", "usage": {"in": {}}}',
        '{"id": "a", "cost": -0}',
        '{"id": "a", "x": [-0.0]}',
        '{"id": "a", "cost": -0.0}',
        '{"id": "a", "task": {"x": 1}}',
        '{"id": "a", "task": ["x"]}',
        '{"id": "a", "task": 1.0}',
        '{"id": "a", "at": "yesterday"}',
        '{"id": "a", "at": "2026-02-29T10:00:00Z"}',
        '{"id": "a", "at": "2026-11-02T24:00:00Z"}',
        '{"id": "a", "at": "2026-11-02T10:00:00.Z"}',
        '{"id": "a", "at": "2026-11-02T10:00:00.1234567Z"}',
        '{"id": "a", "at": "2026-11-02T10:00:00+15:00"}',
        '{"id": "a", "at": "2026-11-02T10:00:00 UTC"}',
        '{"id": "a", "at": "1999-11-02T10:00:00Z"}',
        '{"id": "a", "at": "2026-11-02"}',
        '{"id": "a", "at": 12345678901234567890}',
        '{"id": "a", "x": ' + "[" * 70 + "]" * 70 + "}",
    ],
)
def test_what_is_not_plain_is_left_to_the_statement(line: str) -> None:
    assert not taken(line)


@pytest.mark.parametrize(
    "line",
    [
        '  {  "id"  :  "a"  }  ',
        '{"id":"a"}\r',
        '\t{"id":"a","x":[],"y":{},"z":[[],{}]}',
        '{"id": "a", "x": "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uFFFF"}',
        '{"id": "a", "x": [0, 1e5, 1E-7, 0.5, 123456789012345678901234567890]}',
        '{"id": "a", "x": "\u00e9\U0001f600"}',
        '{"id": "a", "usage": null, "task": null, "at": null}',
        '{"id": "a", "usage": {"in": 12.0}}',
        '{"id": 12, "task": true, "at": 1793613600.5}',
        '{"id": "a", "task": "", "at": ""}'.replace(', "at": ""', ""),
    ],
)
def test_what_is_plain_is_taken(line: str) -> None:
    assert json.loads(line)
    assert taken(line)


numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=100, deadline=None)
@given(numbers | st.decimals(-1000, 1000, places=12).map(str))
def test_numbers_are_read_to_the_last_bit(number: Any) -> None:
    text = number if isinstance(number, str) else json.dumps(number)
    (is_taken,), columns = read(f'{{"id": "a", "cost": {text}}}')
    if is_taken:
        (found,) = columns["n_cost_usd"]
        assert found.hex() == float(text).hex()
    else:
        assert float(text) == 0 or "e" in text or len(text) > 40


@settings(max_examples=100, deadline=None)
@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001
    st.sampled_from(["", "Z", "+00:00", "-08:00", "+05:30", "+14:00"]),
    st.sampled_from(["T", " "]),
    st.integers(0, 6),
)
def test_times_are_read_to_the_microsecond(time: datetime, zone: str, between: str, digits: int) -> None:
    time = time.replace(microsecond=time.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits))
    written = time.strftime(f"%Y-%m-%d{between}%H:%M:%S") + (f".{time.microsecond:06d}"[: digits + 1] if digits else "")
    (is_taken,), columns = read(json.dumps({"id": "a", "at": written + zone}))
    told = datetime.fromisoformat(time.isoformat() + (zone or "+00:00"))
    assert is_taken
    assert columns["i_start_time"] == [(told - EPOCH) // timedelta(microseconds=1)]
    assert columns["z_start_time"] == [bool(zone)]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["id", "task", "model", "usage", "in", "cost", "at", "tags", "x", "cached"])
objects = st.dictionaries(names, anything | st.dictionaries(names, anything, max_size=3), max_size=6)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(objects, st.booleans(), st.integers(0, 400), st.sampled_from(' {}[]",:0e.-\\tn')),
        min_size=1,
        max_size=6,
    )
)
def test_any_line_is_either_left_or_read_as_json_is(changes: list[tuple[dict[str, Any], bool, int, str]]) -> None:
    lines = []
    for value, is_broken, place, letter in changes:
        line = json.dumps({"id": "a", **value})
        lines.append(line[: place % len(line)] + letter + line[place % len(line) + 1 :] if is_broken else line)
    are_taken, columns = read(*lines)
    told = [json.loads(line) for line, is_taken in zip(lines, are_taken, strict=True) if is_taken]
    for at, each in enumerate(told):
        assert columns["t_record_id"][at] == _text(each["id"])
        tags = each.get("tags") or {}
        assert columns["t_task"][at] == (_text(each.get("task")) or _text(tags.get("task")))
        assert columns["t_model"][at] == _text(each.get("model"))
        usage = each.get("usage") or {}
        assert usage.get("cached") is None
        assert columns["n_input_tokens"][at] == usage.get("in")
        assert columns["n_cost_usd"][at] == each.get("cost")


def _text(value: object) -> str | None:
    """A value as the kernel gives it."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None or value == "" else str(value)


def test_many_labels_become_plain_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_lines, "WORDS_MAX_COUNT", 8)
    lines = PlainLines(WANTED)
    told = [f"t{number % 20}" for number in range(100)]
    texts = pa.chunked_array([pa.array([json.dumps({"id": "a", "task": task}) + "\n" for task in told])])
    for _ in range(2):
        assert lines.read(texts).columns["t_task"].to_pylist() == told


def test_rows_in_several_pieces_and_at_the_very_end_of_the_data() -> None:
    told = [{"id": f"call-{n}", "task": "abc"[n % 3], "usage": {"in": n}} for n in range(1000)]
    lines = [json.dumps(each) + "\n" for each in told]
    pieces = [pa.array(lines[:1]), pa.array(lines[1:700]).slice(0, 600), pa.array(lines[601:])]
    found = LINES.read(pa.chunked_array(pieces))
    assert found.taken.all()
    assert found.columns["t_record_id"].to_pylist() == [each["id"] for each in told]
    assert found.columns["t_task"].to_pylist() == [each["task"] for each in told]
    assert found.columns["n_input_tokens"].to_pylist() == [float(n) for n in range(1000)]


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", ""])
def test_odd_names_are_not_looked_for(name: str) -> None:
    assert not is_readable(Wanted({"task": [(name,)]}, {}, frozenset(), {}, [], frozenset(), None))


def test_a_name_that_is_a_value_and_an_object_is_not_looked_for() -> None:
    wanted = Wanted({"task": [("a",)]}, {"cost_usd": [("a", "b")]}, frozenset(), {}, [], frozenset(), None)
    assert not is_readable(wanted)


@pytest.fixture
def huge(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every log is large enough for the kernel; gives how many rows it took of each chunk."""
    monkeypatch.setattr(plan_module, "SAMPLED_BYTES", 10)
    monkeypatch.setattr(plan_module, "COMPILED_BYTES", 10)
    counts: list[int] = []
    original = assembly_line.AssemblyLine._plain_calls

    def counting(self: Any, rows: pa.Table, plain: Any) -> Any:
        found = original(self, rows, plain)
        counts.append(found[0].num_rows)
        return found

    monkeypatch.setattr(assembly_line.AssemblyLine, "_plain_calls", counting)
    return counts


def some_rows(count: int, seed: int) -> list[str]:
    """Lines as a log has them, one in four with something odd."""
    dice = Random(seed)
    odd: list[dict[str, Any]] = [
        {"timestamp": "2026-11-02 10:00:00"},
        {"timestamp": 1_793_613_600.5},
        {"timestamp": "never"},
        {"timestamp": "2026-11-25T00:00:00Z"},
        {"timestamp": "2026-11-02T10:00:00.5+05:30"},
        {"id": " spaced "},
        {"id": None},
        {"id": "ann@example.com"},
        {"id": "sk-abcdefghijklmnopqrst"},
        {"id": "10.20.30.40"},
        {"model": "m\u00e9"},
        {"task": "ann@example.com"},
        {"task": ""},
        {"task": 5},
        {"status": "error"},
        {"status": 500, "output_tokens": None},
        {"latency_ms": -1},
        {"latency_ms": "12.5"},
        {"latency_ms": 0.12345678901234567},
        {"latency_ms": 1e-7},
        {"cost": 4.5e-05},
        {"cost": 0.00012345678901234567},
        {"cost": "free"},
        {"input_tokens": 12.0},
        {"input_tokens": "12"},
        {"input_tokens": -1},
        {"cached_tokens": 10**6},
        {"cached_tokens": 7},
        {"user": None},
        {"stream": True, "weight": 2.5, "end_time": "2026-11-02T23:00:00+00:00"},
        {"stream": "maybe", "end_time": "2026-11-01"},
        {"x": [1, {"y": "\ud83d\ude00"}]},
        *({"input_tokens": None, "output_tokens": None, "usage": each} for each in ODD_USAGES),
    ]
    lines = []
    for number in range(count):
        usual = {
            "user": f"u{number % 7}",
            "session_id": f"s{number % 9}",
            "task": "ab"[number % 2],
            "status": 200,
            "latency_ms": 10 + number / 8,
        }
        fields = {
            **usual,
            "cost": number / 1000,
            "cached_tokens": number % 5,
            **(dice.choice(odd) if not number % 4 else {}),
        }
        lines.append(json.dumps(row(number, **fields)))
    lines += ["no JSON", "[1]", lines[0], lines[1].replace('"gpt-5"', '"gpt-5", "model": "x"')]
    return lines


@pytest.mark.parametrize("settings_given", [{}, {"salt": "s", "sampled_fraction": 0.5}, {"tokens_rule": "exclusive"}])
def test_a_huge_log_gives_the_calls_of_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings_given: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    log = jsonl(*some_rows(1200, seed=len(settings_given)))
    whole = imported(tmp_path, log, **settings_given)
    counts = request.getfixturevalue("huge")
    quick = imported(tmp_path, log, **settings_given)
    assert 900 <= sum(counts) < 1200
    assert quick.report.files == whole.report.files
    assert quick.report.dropped_values == whole.report.dropped_values
    assert sorted(map(str, quick.rejects)) == sorted(map(str, whole.rejects))
    assert quick.calls == whole.calls
    assert quick.digest == whole.digest


@pytest.mark.usefixtures("huge")
def test_the_hash_of_a_huge_log_is_that_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(jsonl(*some_rows(300, seed=1)) + '{"no": "line end"', encoding="utf-8")
    with CallStore.temporary() as store:
        store.ingest(path, now=NOW)
        (known,) = store.imported()
        assert known.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert store.ingest(path, now=NOW).files[0].status == "already imported"


def test_a_huge_log_in_many_blocks_with_ids_that_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    lines = some_rows(900, seed=5)
    log = jsonl(*lines, *lines[400:500], *some_rows(300, seed=6))
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(read_ahead, "AHEAD_BYTES", 20_000)
    monkeypatch.setattr(intake, "CHUNK_BYTES", 50_000)
    whole = imported(tmp_path, log)
    counts = request.getfixturevalue("huge")
    quick = imported(tmp_path, log)
    assert len(counts) > 3
    assert sum(each.duplicates for each in whole.report.files) >= 300
    assert quick.report.files == whole.report.files
    assert quick.calls == whole.calls
    assert quick.digest == whole.digest


def test_rows_without_ids_have_the_same_ids_as_in_a_small_log(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    log = jsonl(*(row(number, id=None) for number in range(50)))
    whole = imported(tmp_path, log)
    counts = request.getfixturevalue("huge")
    assert imported(tmp_path, log).calls == whole.calls
    assert sum(counts) == 50


def test_a_huge_log_of_which_the_kernel_takes_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    log = jsonl(*(row(number, output_tokens=str(number)) for number in range(50)))
    whole = imported(tmp_path, log)
    counts = request.getfixturevalue("huge")
    assert imported(tmp_path, log).calls == whole.calls
    assert counts == [0]


def test_the_kernel_is_given_up_where_it_takes_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_lines, "_TRIED_ROWS", 10)
    lines = PlainLines(WANTED)
    few = pa.chunked_array([pa.array(['{"id": "a"}\n', *['{"id": 1.5}\n'] * 8])])
    assert lines.is_worth_it
    lines.read(few)
    assert lines.is_worth_it
    lines.read(few)
    assert not lines.is_worth_it


def plan_of(folder: Path, *rows: dict[str, Any]) -> Plan:
    path = folder / "log.jsonl"
    path.write_text(jsonl(*rows))
    return planned(path)


def test_only_huge_logs_without_texts_are_read_by_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert statement(plan_of(tmp_path, row()), NOW).plain is None
    monkeypatch.setattr(plan_module, "SAMPLED_BYTES", 10)
    assert statement(plan_of(tmp_path, row()), NOW).plain is None
    monkeypatch.setattr(plan_module, "COMPILED_BYTES", 10)
    assert statement(plan_of(tmp_path, row()), NOW).plain is not None
    assert statement(plan_of(tmp_path, row(messages=[])), NOW).plain is None


STATUSES = [
    200,
    "ok",
    "Success",
    "TIMEOUT",
    "cancelled",
    "cache_hit",
    404,
    "404.0",
    "2e2",
    "99",
    "1000",
    200.5,
    "",
    None,
]


@pytest.mark.parametrize("words_max_count", [3, 5000])
def test_what_hangs_on_one_text_alone_is_as_in_a_small_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words_max_count: int, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(plain_lines, "WORDS_MAX_COUNT", words_max_count)
    tasks = ["a", None, "b", ""]
    rows = [row(n, status=STATUSES[n % len(STATUSES)], task=tasks[n % 4]) for n in range(200)]
    log = jsonl(*rows)
    whole = imported(tmp_path, log)
    counts = request.getfixturevalue("huge")
    quick = imported(tmp_path, log)
    assert sum(counts) == 200 - len([each for each in rows if each.get("status") == 200.5])
    assert quick.calls == whole.calls
    assert len({(call["status"], call["http_status"], call["task_source"]) for call in quick.calls}) >= 8


TWO_TIMES = [
    "2026-11-02T10:00:00Z",
    "2026-11-02 11:00:00",
    "2026-11-02T10:00:00+05:30",
    1_793_613_600,
    1_793_613_600.25,
    1_793_613_600_123,
    "1793613600",
    "",
    "never",
    None,
]


def test_of_two_times_in_a_row_the_first_name_wins_whatever_its_type(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pairs = [(one, other) for one in TWO_TIMES for other in TWO_TIMES]
    rows = [
        row(number, timestamp=one, created=other, end_time=other, completed_at=one)
        for number, (one, other) in enumerate(pairs)
    ]
    log = jsonl(*rows)
    whole = imported(tmp_path, log)
    counts = request.getfixturevalue("huge")
    quick = imported(tmp_path, log)
    assert sum(counts) >= 30
    assert quick.calls == whole.calls
    assert len({call["start_time"] for call in quick.calls}) >= 5


def test_the_engine_has_its_threads_again_after_a_huge_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("huge")
    asked = "SELECT current_setting('threads')"
    while_read: list[int] = []
    original = Engine.run_over

    def asking(self: Engine, chunk: pa.Table, sql: str) -> pa.Table:
        while_read.append(self.value(asked))
        return original(self, chunk, sql)

    monkeypatch.setattr(Engine, "run_over", asking)
    monkeypatch.setattr(assembly_line.os, "cpu_count", lambda: 3)
    (tmp_path / "log.jsonl").write_text(jsonl(*some_rows(50, seed=1)), encoding="utf-8")
    with CallStore.temporary() as store:
        before = store._engine.value(asked)
        store.ingest(tmp_path / "log.jsonl", now=NOW)
        assert set(while_read) == {1}
        assert store._engine.value(asked) == before
