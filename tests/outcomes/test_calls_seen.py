"""Calls seen: outcomes out of Calls, retries among them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.errors import OutcomeError
from breakeven.outcomes.calls_seen import CallChoice, table_from_calls
from breakeven.outcomes.item_success import fit_item_success
from breakeven.outcomes.outcome import SOURCES
from breakeven.outcomes.retries_seen import ASKED_AGAIN, with_retries
from breakeven.usage.call import Call
from breakeven.usage.store.schema import call_schema

START = datetime(2026, 11, 2, 10, tzinfo=UTC)


def _call(name: str, minutes: float, **more: Any) -> Call:
    told: dict[str, Any] = {"provider": "openai", "request_model": "gpt-4o-mini", "input_tokens": 1000}
    told |= {"output_tokens": 500, "session_id": "s", "prompt_hash": name[0], "task": "faq"} | more
    return Call(name, "test", START + timedelta(minutes=minutes), **told)


def _table(*calls: Call) -> ibis.Table:
    schema = call_schema()
    rows = [{name: value for name, value in asdict(each).items() if name in schema.names} for each in calls]
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema))


END = _call("zz", 600, session_id="other")


def _again(*calls: Call) -> dict[str, bool | None]:
    rows = with_retries(_table(*calls, END), 10).select("record_id", ASKED_AGAIN).to_pyarrow().to_pylist()
    return {row["record_id"]: row[ASKED_AGAIN] for row in rows}


def test_the_same_prompt_soon_in_the_same_session_is_a_retry() -> None:
    found = _again(_call("a1", 0), _call("a2", 4), _call("a3", 30), _call("b1", 5))
    assert found == {"a1": True, "a2": False, "a3": False, "b1": False, "zz": None}


def test_another_session_or_an_unknown_one_is_no_retry() -> None:
    found = _again(_call("a1", 0), _call("a2", 4, session_id="t"), _call("c1", 0, session_id=None))
    assert found["a1"] is False
    assert found["c1"] is None


def test_a_user_stands_in_for_a_session() -> None:
    found = _again(_call("a1", 0, session_id=None, unit_hash="u"), _call("a2", 1, session_id=None, unit_hash="u"))
    assert found["a1"] is True


def test_a_call_that_names_what_it_repeats_says_so_without_a_prompt() -> None:
    found = _again(_call("a1", 0, prompt_hash=None), _call("x", 300, prompt_hash=None, retry_of="a1"))
    assert found["a1"] is True
    assert found["x"] is None


def test_a_call_beside_another_is_neither_a_retry_nor_judged() -> None:
    found = _again(
        _call("a1", 0, parent_id="span-of-the-client"),
        _call("a1-2", 0.01, parent_id="a1"),
        _call("b1", 0),
        _call("b1-2", 0.01, parent_id="b1"),
        _call("b2", 5),
    )
    assert found == {"a1": False, "a1-2": None, "b1": True, "b1-2": None, "b2": False, "zz": None}


def test_outcomes_come_with_source_group_and_the_price_of_the_day() -> None:
    calls = _table(
        _call("a1", 0, outcome=1.0, outcome_source="person", propensity=0.25, duration_s=2.0),
        _call("b1", 1, outcome=0.0, outcome_source="model", request_model="no-such-model-anywhere", cost_usd=0.5),
        _call("c1", 2, status="error"),
        _call("d1", 3),
    )
    read = table_from_calls(calls, load_catalog(date(2026, 11, 2)))
    table = read.table
    assert table.request_ids == ("a1", "b1", "c1")
    assert table.models == ("gpt-4o-mini", "no-such-model-anywhere")
    assert table.groups["task"] == ("faq", "faq", "faq")
    np.testing.assert_array_equal(table.success, [[1, np.nan], [np.nan, 0], [0, np.nan]])
    np.testing.assert_allclose(table.cost_usd[0, 0], (1000 * 0.15 + 500 * 0.6) / 1e6)
    assert table.cost_usd[1, 1] == 0.5
    assert table.propensity_fraction is not None
    assert table.propensity_fraction[0, 0] == 0.25
    assert [SOURCES[code] for code in read.source_codes[[0, 1, 2], [0, 1, 0]]] == ["feedback", "judge", "log"]
    assert "not chosen by lot" in read.notes[0]


def test_silence_is_consent_only_when_asked_for() -> None:
    calls = _table(_call("a1", 0), _call("a2", 4), END)
    with pytest.raises(OutcomeError, match="no call has an outcome"):
        table_from_calls(calls, load_catalog(date(2026, 11, 2)))
    read = table_from_calls(calls, load_catalog(date(2026, 11, 2)), choice=CallChoice(retry_minutes_count=10))
    assert read.table.success.ravel().tolist() == [0.0, 1.0]
    assert read.table.source == "retry"


def test_too_many_calls_are_sampled() -> None:
    calls = _table(*(_call(f"{i:04}", i, outcome=1.0) for i in range(400)))
    read = table_from_calls(calls, load_catalog(date(2026, 11, 2)), choice=CallChoice(calls_max_count=100))
    assert 60 < read.table.requests_count < 140
    assert "chosen by lot" in read.notes[0]


def test_calls_that_repeat_one_another_are_tries_of_one_request() -> None:
    """The first try stands for the request, of each model; what others say of a later call keeps it apart."""
    calls = _table(
        _call("a1", 0, outcome=0.0, session_id="1"),
        _call("a2", 1, outcome=0.0, session_id="2", retry_of="a1"),
        _call("a3", 2, outcome=1.0, session_id="3", retry_of="a2"),
        _call("a4", 3, outcome=1.0, session_id="4", retry_of="a1", request_model="gpt-4o"),
        _call("b1", 4, outcome=1.0),
        _call("c2", 5, outcome=1.0, retry_of="not in the log"),
    )
    catalog = load_catalog(date(2026, 11, 2))
    read = table_from_calls(calls, catalog)
    assert read.table.request_ids == ("a1", "a4", "b1", "c2")
    assert read.table.models == ("gpt-4o", "gpt-4o-mini")
    np.testing.assert_array_equal(read.table.success, [[np.nan, 0], [1, np.nan], [np.nan, 1], [np.nan, 1]])
    assert read.every_try.at(0, 1) == [(1, 0.0), (2, 0.0), (3, 1.0)]
    assert len(read.every_try.rows) == 3
    assert read.rows_count == 6
    assert read.notes[-1].startswith("2 calls repeat an earlier one to the same model")
    labelled = table_from_calls(calls, catalog, choice=CallChoice(judged_ids=frozenset({"a3"})))
    assert labelled.table.request_ids == ("a1", "a3", "a4", "b1", "c2")
    assert labelled.every_try.at(0, 1) == [(1, 0.0), (2, 0.0)]


def test_how_alike_tries_are_is_read_from_chains_of_calls() -> None:
    """Planted: correlation 0.5 (Beta(0.6, 0.4)), asked again until it succeeds, three tries at most."""
    rng = np.random.default_rng(3)
    calls = []
    for request, chance in enumerate(rng.beta(0.6, 0.4, 400)):
        for attempt in range(3):
            won = float(rng.random() < chance)
            repeats = {"retry_of": f"{request:04}-{attempt - 1}"} if attempt else {}
            calls.append(_call(f"{request:04}-{attempt}", 5 * request + attempt, outcome=won, **repeats))
            if won:
                break
    read = table_from_calls(_table(*calls), load_catalog(date(2026, 11, 2)))
    assert read.table.requests_count == 400
    assert read.table.success.mean() == pytest.approx(0.6, abs=0.06)
    tries, won_count = read.every_try.counts(0, read.table.success[:, 0])
    found = fit_item_success(tries, won_count).correlation
    assert found is not None
    assert found.low_fraction < 0.5 < found.high_fraction
    assert found.high_fraction - found.low_fraction < 0.3
