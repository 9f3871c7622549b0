"""Which names are looked for, and when."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import UsageError
from breakeven.usage import plan as plan_module
from breakeven.usage.importers import importers
from breakeven.usage.plan import ImportSettings, Plan, plan_for
from breakeven.usage.reading import first_look
from breakeven.usage.reading.first_look import head_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import open_log

from .logs import CSV_HEADER, imported, imported_paths, jsonl, row, write


def planned(path: Path, **told: object) -> Plan:
    log = open_log(path, path.name)
    head = head_of(log)
    assert isinstance(head, Head)
    return plan_for(log, head, ImportSettings(**told))  # type: ignore[arg-type]


def test_a_small_json_log_is_searched_for_every_name(tmp_path: Path) -> None:
    plan = planned(write(tmp_path, jsonl(row())))
    assert dict(plan.fields)["cache_read_tokens"][0] == "cache_read_tokens"
    assert len(plan.wanted) > 80


def test_a_json_log_that_was_seen_whole_is_searched_for_what_it_has(tmp_path: Path) -> None:
    def wanted(content: str | bytes, *, is_alone: bool = True) -> tuple[str, ...]:
        log = open_log(path := write(tmp_path, content), path.name)
        head = head_of(log)
        assert isinstance(head, Head)
        return plan_for(log, head, ImportSettings(), is_alone=is_alone).wanted

    told = jsonl(row(), row(1, usage={"cached_tokens": 3}, **{"gen_ai.usage.cache_read.input_tokens": 5}))
    assert wanted(told) == (
        "gen_ai.usage.cache_read.input_tokens",
        "input_tokens",
        "output_tokens",
        "provider",
        "id",
        "model",
        "timestamp",
    )
    among_others = wanted(told, is_alone=False)
    assert len(among_others) > 80
    not_seen_whole = (
        told + "no JSON\n",  # a row that the first look cannot read may have any name
        told + "[1]\n",
        gzip.compress(told.encode()),
        told.encode("utf-16"),
        jsonl(*(row(n) for n in range(2_001))),
        jsonl(row(task="x" * 300_000), row(1)),
    )
    assert all(wanted(each) == among_others for each in not_seen_whole)


SPELLINGS = sorted({path for paths in importers()["breakeven"].fields.values() for path in paths})
values = st.sampled_from(
    [3, 0, "7", 3, 0, 1, "", None, "x", 2.5, True, "2026-11-02T10:00:00Z", [1, 2], {"a": 1}, "$1,234"]
)


def placed(told: dict[str, Any], path: str, value: object, *, is_flat: bool) -> None:
    """Put a value under a dotted name, as one key or as keys in keys."""
    *outer, last = [path] if is_flat else path.split(".")
    for key in outer:
        told = told[key] if isinstance(told.get(key), dict) else told.setdefault(f"{key} too", {})
    told[last] = value


@st.composite
def rows_of_any_names(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        told: dict[str, Any] = {"usage": {}, "gen_ai": {"usage": {}, "request": {}}, "metadata": {}} | row(number)
        for path in draw(st.lists(st.sampled_from(SPELLINGS), max_size=6, unique=True)):
            placed(told, path, draw(values), is_flat=draw(st.booleans()))
        found.append(told)
    return found


@settings(max_examples=20)
@given(rows_of_any_names())
def test_names_that_are_nowhere_in_a_log_need_not_be_looked_for(rows: list[dict[str, Any]]) -> None:
    """The same calls, rejects and digest, whether the statement knows all names or those of the log alone."""
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name), jsonl(*rows))
        few = imported_paths(path)
        with mock.patch.object(first_look, "_is_all", return_value=False):
            every = imported_paths(path)
    assert few.calls == every.calls
    assert few.rejects == every.rejects
    assert few.report.files == every.report.files
    assert few.report.dropped_values == every.report.dropped_values
    assert few.digest == every.digest


def test_a_table_is_searched_for_its_columns_only(tmp_path: Path) -> None:
    plan = planned(write(tmp_path, CSV_HEADER + "1,2,3,4\n", "log.csv"))
    assert plan.wanted == ("input_tokens", "output_tokens", "model", "timestamp")


def test_a_large_json_log_is_searched_for_what_samples_show_and_cached_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "SAMPLED_BYTES", 10)
    nested = {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    plan = planned(write(tmp_path, jsonl(row(0, input_tokens=None, output_tokens=None, **nested))))
    assert set(dict(plan.fields)) == {
        "record_id",
        "start_time",
        "provider",
        "request_model",
        "prompt_tokens",
        "output_tokens",
        "cache_read_tokens",
        "exclusive_cache_read_tokens",
        "exclusive_cache_write_tokens",
        "exclusive_cache_write_1h_tokens",
        "reasoning_tokens",
    }
    assert all(path.startswith("usage.") for path in dict(plan.fields)["cache_read_tokens"])


def test_sampling_finds_the_same_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(number, usage={"x": 1}, **{"gen_ai.system": "openai"}) for number in range(500)]
    rows += [row(number, cached_tokens=9, status="error", task="late") for number in range(500, 520)]
    whole = imported(tmp_path, jsonl(*rows))
    monkeypatch.setattr(plan_module, "SAMPLED_BYTES", 10)
    sampled = imported(tmp_path, jsonl(*rows))
    assert sampled.digest == whole.digest
    assert sum(call["cache_read_tokens"] for call in sampled.calls) == 180


ODD_USAGES: tuple[dict[str, Any], ...] = (
    {"prompt_tokens_details": {"cached_tokens": 40}},
    {"prompt_tokens_details": {"cached_tokens": "$1,0"}},
    {"prompt_tokens_details": {"cached_tokens": ""}},
    {"prompt_tokens_details": None},
    {"prompt_tokens": "100", "completion_tokens": 1e3},
    {"cache_read_input_tokens": 30, "cache_creation_input_tokens": 20},
    {"cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_1h_input_tokens": 7}},
    {"cache_read_input_tokens": 101},
    {"cache_read_input_tokens": "many"},
    {"completion_tokens_details": {"reasoning_tokens": 3}},
    {"completion_tokens_details": {"reasoning_tokens": -3}},
    {"output_tokens_details": {"reasoning_tokens": 3_000}},
    {"prompt_tokens": -1},
    {"completion_tokens": None},
)


def test_rows_with_names_that_were_not_seen_are_judged_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {"prompt_tokens": 100, "completion_tokens": 10}
    told = [row(n, input_tokens=None, output_tokens=None, usage=usual, latency_ms=n) for n in range(2_000)]
    told += [{**told[0], "id": f"odd-{n}", "usage": {**usual, **odd}} for n, odd in enumerate(ODD_USAGES)]
    log = jsonl(*told, "no JSON", "[1]", {**told[0], "id": " spaced "}, {**told[0], "id": "late", "timestamp": "never"})
    whole = imported(tmp_path, log)
    monkeypatch.setattr(plan_module, "SAMPLED_BYTES", 10)
    monkeypatch.setattr(plan_module, "sampled_head", lambda _: Head("jsonl", frozenset()))
    plan = planned(write(tmp_path, log))
    assert "usage.cache_read_input_tokens" in plan.unseen
    assert "reasoning_tokens" in dict(plan.fields) and "reasoning_tokens" not in dict(plan.narrowed().fields)
    quick = imported(tmp_path, log)
    assert quick.report.files == whole.report.files
    assert quick.reasons == whole.reasons
    assert quick.digest == whole.digest
    by_id = {call["record_id"]: call for call in whole.calls}
    assert {call["record_id"]: call for call in quick.calls} == by_id
    assert sum(call["cache_read_tokens"] for call in quick.calls) > 0


def test_the_key_of_settings_tells_readings_apart() -> None:
    keys = {
        ImportSettings().key("a"),
        ImportSettings().key("b"),
        ImportSettings(mapping={"task": "x"}).key("a"),
        ImportSettings(tokens_rule="exclusive").key("a"),
        ImportSettings(salt="s").key("a"),
    }
    assert len(keys) == 5


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        planned(write(tmp_path, "timestamp,prompt_tokens\n1,2\n", "log.csv"), format="breakeven")
    assert "'timestamp', 'prompt_tokens'" in str(error.value)
    assert "output_tokens" in str(error.value)
    assert "--map" in str(error.value)
