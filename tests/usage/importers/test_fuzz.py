"""Every format, changed in every way we can think of: no crash, no row lost, nothing impossible in the store.

`BREAKEVEN_FUZZ_EXAMPLES=500 pytest -n 0 tests/usage/importers/test_fuzz.py` looks longer.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import UsageError
from breakeven.usage.call import Call, broken_invariant
from breakeven.usage.importers import importers
from breakeven.usage.ingest_report import IngestReport
from breakeven.usage.store import CallStore

from ..logs import NOW
from .hostile import CHANGES, changed

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES_COUNT = int(os.environ.get("BREAKEVEN_FUZZ_EXAMPLES", "4"))
NAMES = sorted(name for name in importers() if (FIXTURES / name).is_dir())
_FIELDS = {each.name for each in dataclasses.fields(Call)}
_NAMES_OF_THINGS = frozenset(
    {"record_id", "provider", "request_model", "response_model", "model_key", "service_tier", "source_file"}
)
"""Ids of requests and names of models are kept as they are; nothing else may hold a person or a key."""


def fixture(name: str) -> list[Path]:
    return sorted(each for each in (FIXTURES / name).iterdir() if each.name != "SOURCE.md")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=EXAMPLES_COUNT)
@given(st.integers(0, 2**32), st.integers(0, 7), st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3))
def test_a_changed_log_neither_crashes_nor_loses_rows(name: str, seed: int, victim: int, changes: list) -> None:  # type: ignore[type-arg]
    dice, files = Random(seed), fixture(name)
    victim %= len(files)
    with tempfile.TemporaryDirectory() as folder, CallStore.temporary() as store:
        for number, each in enumerate(files):
            data = each.read_bytes()
            data = changed(data, dice, changes) if number == victim else data
            (Path(folder) / each.name).write_bytes(data)
        try:
            report = store.ingest(Path(folder), now=NOW)
        except UsageError as error:
            assert str(error)
            return
        check(store, report)


def check(store: CallStore, report: IngestReport) -> None:
    """Every row is a call that is there, a repeat, or a line of the reject file; every call is possible."""
    tables = (store.calls(), store.bills(), store.left_out())
    rows = [row for table in tables for row in table.to_pyarrow().to_pylist()]
    assert len(rows) == report.calls
    assert len({(each["source"], each["record_id"]) for each in rows}) == len(rows)
    lines = report.reject_path.read_text().splitlines() if report.reject_path else []
    assert len(lines) == report.rejects_count
    assert all(json.loads(line)["reason"] for line in lines)
    assert report.rows_in == len(rows) + report.duplicates + len(lines)
    for each in report.files:
        assert min(each.rows_in, each.calls, each.duplicates, each.rejects_count) >= 0, each
    for row in rows:
        call = Call(**{key: value for key, value in row.items() if key in _FIELDS})
        assert broken_invariant(call) is None, (broken_invariant(call), call)
        assert call.end_time is None or call.end_time <= NOW.replace(day=NOW.day + 2)
        assert call.start_time.year >= 2000
        text = repr({key: value for key, value in row.items() if key not in _NAMES_OF_THINGS})
        assert "ann@example.com" not in text and "sk-ABCDEFGHIJKLMNOPQRSTUVWX" not in text


def test_every_importer_has_a_fixture_to_change() -> None:
    assert set(importers()) == set(NAMES)
