"""Every try: later tries are kept aside for what they tell of retries; a planted correlation is found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breakeven.outcomes.every_try import EveryTry, tried_again
from breakeven.outcomes.item_success import ItemSuccess, fit_item_success
from breakeven.outcomes.judged import REPEATED_MIN_COUNT, Sources, read_and_judge
from breakeven.outcomes.reading import read_outcomes
from breakeven.outcomes.writing import write_outcomes

HEAD = "request_id,model,success,cost_usd,attempt\n"


def log_of_retries(
    folder: Path, requests: int, success: float, correlation: float, cap: int = 3, seed: int = 1
) -> Path:
    """Requests that are asked again until they succeed or the cap is reached; their rates come from one Beta."""
    rng = np.random.default_rng(1)
    rates = rng.beta(success * (1 / correlation - 1), (1 - success) * (1 / correlation - 1), requests)
    rows = []
    for at, rate in enumerate(rates):
        for attempt in range(1, cap + 1):
            won = int(rng.random() < rate)
            rows.append(f"{at},a,{won},0.01,{attempt}")
            if won:
                break
    path = folder / "retries.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("correlation", [0.1, 0.35, 0.6])
def test_a_planted_correlation_is_found_though_tries_stop_at_the_first_success(
    tmp_path: Path, correlation: float
) -> None:
    found = read_and_judge([log_of_retries(tmp_path, 3000, 0.7, correlation)], Sources())
    item = found.repeated["a"]
    assert item.correlation is not None
    assert item.correlation.low_fraction <= correlation <= item.correlation.high_fraction
    assert item.correlation.high_fraction - item.correlation.low_fraction < 0.09
    assert item.success_fraction == pytest.approx(0.7, abs=0.02)
    assert np.nanmean(found.outcomes.table.success) == pytest.approx(0.7, abs=0.03)  # first tries only
    assert (found.outcomes.tries_count == 1).all()


@pytest.mark.parametrize(("success", "correlation"), [(0.6, 0.15), (0.6, 0.6), (0.85, 0.35)])
def test_the_interval_covers_as_often_as_it_says(success: float, correlation: float) -> None:
    """90 %; over 120 logs of 150 requests the standard error is 0.027."""
    rng = np.random.default_rng(11)
    precision = 1 / correlation - 1
    inside = []
    for _ in range(120):
        rates = rng.beta(success * precision, (1 - success) * precision, 150)
        won = rng.random((150, 3)) < rates[:, None]
        tries = np.where(won.any(axis=1), won.argmax(axis=1) + 1, 3)
        known = fit_item_success(tries, won.any(axis=1).astype(float)).correlation
        assert known is not None
        inside.append(known.low_fraction <= correlation <= known.high_fraction)
    assert np.mean(inside) > 0.90 - 3 * 0.027


def test_few_repeated_requests_are_said_and_not_fitted(tmp_path: Path) -> None:
    rows = "".join(f"{i},a,1,0.01,1\n" for i in range(50)) + "".join(f"{i},a,0,0.01,2\n" for i in range(4))
    path = tmp_path / "few.csv"
    path.write_text(HEAD + rows)
    found = read_and_judge([path], Sources())
    assert not found.repeated
    assert f"a was asked more than once for 4 requests; how alike its tries are is told from {REPEATED_MIN_COUNT}" in (
        " ".join(found.notes)
    )


def test_a_written_file_tells_the_same_of_tries(tmp_path: Path) -> None:
    before = read_and_judge([log_of_retries(tmp_path, 300, 0.6, 0.4)], Sources())
    for name in ("again.csv", "again.jsonl"):
        write_outcomes(tmp_path / name, before.outcomes, before.others)
        after = read_and_judge([tmp_path / name], Sources())
        assert after.repeated == before.repeated
        assert np.array_equal(after.outcomes.table.success, before.outcomes.table.success)
        assert after.outcomes.table.cost_usd == pytest.approx(before.outcomes.table.cost_usd)


def test_a_label_of_somebody_more_trusted_ends_the_tries(tmp_path: Path) -> None:
    path = log_of_retries(tmp_path, 200, 0.6, 0.4)
    tries = read_outcomes(path).every_try
    labelled = sorted({int(each) for each in tries.rows})[:5]
    ids = read_outcomes(path).table.request_ids
    gold = tmp_path / "gold.csv"
    gold.write_text("request_id,model,success\n" + "".join(f"{ids[row]},a,1\n" for row in labelled))
    found = read_and_judge([path], Sources(gold=gold)).outcomes.every_try
    assert set(found.rows.tolist()) == set(tries.rows.tolist()) - set(labelled)


def test_tries_of_rows_and_columns() -> None:
    every = tried_again(np.array([0, 0, 3, 3, 3, 4]), np.array([1, 2, 1, 1, 2, 1]), np.array([0, 1, 0, 1, 1, 1.0]), 2)
    assert every.at(0, 0) == [(1, 0.0), (2, 1.0)]
    assert every.at(1, 1) == [(1, 0.5), (2, 1.0)]  # two cells of one attempt are one try
    assert every.at(2, 0) == []
    part = every.part(np.array([1]), np.array([1]))
    assert part.at(0, 0) == [(1, 0.5), (2, 1.0)]
    assert len(part.rows) == 2
    tries, won = every.counts(0, np.array([1.0, np.nan, 1.0]))
    assert (tries.tolist(), won.tolist()) == ([2, 0, 1], [1.0, 0.0, 1.0])


def test_without_attempts_nothing_is_tried_again() -> None:
    assert len(tried_again(np.array([0, 0]), np.array([0, 0]), np.array([1.0, 0.0]), 1).rows) == 0
    assert EveryTry.none().at(0, 0) == []
    assert ItemSuccess(1.2, 0.8, 0).correlation is None
