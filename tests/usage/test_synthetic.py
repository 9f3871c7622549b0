"""The planted truth of the synthetic log comes out of the importer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from breakeven.usage.synthetic import CALLS_COUNT, SAMPLING_RATE, TASKS, planted_tokens, write_synthetic_log

from .logs import imported_paths

COUNT = 4000


def test_the_same_seed_writes_the_same_log(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_synthetic_log(tmp_path / name, seed=seed, calls_count=500)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_the_importer_finds_what_was_planted(tmp_path: Path) -> None:
    write_synthetic_log(tmp_path / "log.jsonl", calls_count=COUNT)
    found = imported_paths(tmp_path / "log.jsonl")
    assert (found.report.rows_in, found.report.calls, found.report.rejects_count) == (COUNT + 3, COUNT, 3)
    assert {call["source"] for call in found.calls} == {"synthetic"}
    assert {call["weight"] for call in found.calls} == {1 / SAMPLING_RATE}
    shares = Counter(call["task"] for call in found.calls)
    for task in TASKS:
        assert shares[task.name] / COUNT == pytest.approx(task.share_fraction, abs=0.03)
        mine = [call["input_tokens"] + call["output_tokens"] for call in found.calls if call["task"] == task.name]
        assert sum(mine) / len(mine) == pytest.approx(planted_tokens(task), rel=0.25)
    errors = sum(call["status"] == "error" for call in found.calls)
    assert 0 < errors < 0.02 * COUNT


def test_a_month_of_it_is_about_two_billion_tokens() -> None:
    per_call = sum(task.share_fraction * planted_tokens(task) for task in TASKS)
    tokens_per_month = per_call * CALLS_COUNT / SAMPLING_RATE / 28 / 24 * 730
    assert 1e9 < tokens_per_month < 8e9
