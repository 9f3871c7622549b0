"""Made-up companies: what is planted is what the log and the answers hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from breakeven.usage.synthetic_company import Company, Kind, Work, answers_of, requests_of, write_company_log

COMPANY = Company(
    "Test & Sons",
    "desk",
    "openai",
    "gpt-5",
    (
        Work("easy", 0.7, 1_000, 100, 0.5, 0.0, (Kind(1.0, ("Where is {n}?",), {"big": 0.95, "small": 0.9}),)),
        Work("hard", 0.3, 4_000, 900, 0.0, 0.5, (Kind(1.0, ("Why, {n}?",), {"big": 0.8, "small": 0.4}),)),
    ),
    datetime(2026, 8, 10, tzinfo=UTC),
    28,
    4_000,
    0.5,
    0.1,
)


def test_the_log_holds_what_was_planted(tmp_path: Path) -> None:
    write_company_log(tmp_path / "log.jsonl", COMPANY, seed=3)
    rows = [json.loads(each) for each in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 4_000
    assert {each["source"] for each in rows} == {"synthetic"}
    assert {each["sampling_rate"] for each in rows} == {0.5}
    assert sum(each["task"] == "easy" for each in rows) / 4_000 == pytest.approx(0.7, abs=0.03)
    hard = [each for each in rows if each["task"] == "hard"]
    assert np.mean([each["input_tokens"] for each in hard]) == pytest.approx(4_000, rel=0.08)
    assert all(each["cache_read_tokens"] == 0 for each in hard)
    times = [each["timestamp"] for each in rows]
    assert times == sorted(times)
    assert COMPANY.start.isoformat() <= times[0] and times[-1] < COMPANY.end.isoformat()
    halves = [sum(each["timestamp"] < "2026-08-24" for each in rows), 4_000]
    assert 0.4 < halves[0] / 4_000 < 0.5  # it grows by a tenth a week


def test_success_is_the_planted_one_and_models_fail_together() -> None:
    rng = np.random.default_rng(5)
    asked = requests_of(COMPANY, 20_000, rng)
    does = answers_of(COMPANY, asked, ("big", "small"), rng)
    for at, work in enumerate(COMPANY.works):
        mine = does[asked.work == at]
        for column, model in enumerate(("big", "small")):
            assert mine[:, column].mean() == pytest.approx(work.success_fraction(model), abs=0.02)
    hard = does[asked.work == 1]
    assert np.corrcoef(hard.T)[0, 1] > 0.15


def test_only_some_tasks_and_the_same_seed() -> None:
    first, again = (requests_of(COMPANY, 50, np.random.default_rng(1), only=("hard",)) for _ in range(2))
    assert set(first.work.tolist()) == {1}
    assert first.texts == again.texts
    assert all("{n}" not in each for each in first.texts)
