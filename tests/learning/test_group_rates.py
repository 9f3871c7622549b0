"""Group rates: closed forms, planted strengths, nearest known parents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.learning.group_rates import DEFAULT_STRENGTH_COUNT, fit_group_rates, paths_of

from .planted import table_of


def _planted(groups: int, tries: int, strength: float, seed: int) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    rng = np.random.default_rng(seed)
    truth = rng.beta(0.6 * strength, 0.4 * strength, groups)
    of_row = np.repeat(np.arange(groups), tries)
    success = (rng.random(len(of_row)) < truth[of_row]).astype(float)[:, None]
    return truth, success, tuple(f"g{i:03d}" for i in of_row)


def test_two_levels_by_hand() -> None:
    success = np.array([[1.0], [1.0], [1.0], [0.0], [0.0], [0.0]])
    table = table_of(success, application=("a", "a", "a", "a", "b", "b"), task=("t",) * 6)
    rates = fit_group_rates(table)
    overall = 3.5 / 7
    application_a = (3 + 20 * overall) / 24
    application_b = 20 * overall / 22
    assert rates.levels == ("application", "task")
    assert rates.rates([()])[0, 0] == pytest.approx(overall)
    assert rates.rates([("a", "t")])[0, 0] == pytest.approx((3 + 20 * application_a) / 24)
    assert rates.rates([("b", "t")])[0, 0] == pytest.approx(20 * application_b / 22)
    assert rates.rates([("a", "new")])[0, 0] == pytest.approx(application_a)
    assert rates.rates([("new", "t")])[0, 0] == pytest.approx(overall)
    assert rates.known([("a", "t"), ("a", "new"), ("new", "t")]).tolist() == [True, False, False]


@pytest.mark.parametrize("strength", [4.0, 40.0])
def test_finds_how_alike_groups_are(strength: float) -> None:
    found = []
    for seed in range(12):
        _, success, groups = _planted(60, 40, strength, seed)
        found.append(fit_group_rates(table_of(success, task=groups)).strengths_count[0, 0])
    assert strength / 1.5 < np.exp(np.mean(np.log(found))) < strength * 1.5


def test_shrunk_rates_lie_nearer_the_truth_than_raw_ones_and_than_the_mean() -> None:
    shrunk, raw, mean = 0.0, 0.0, 0.0
    for seed in range(20):
        truth, success, groups = _planted(50, 8, 8.0, seed)
        table = table_of(success, task=groups)
        rates = fit_group_rates(table)
        found = rates.rates([(f"g{i:03d}",) for i in range(50)])[:, 0]
        shrunk += float(np.square(found - truth).sum())
        raw += float(np.square(success.reshape(50, 8).mean(axis=1) - truth).sum())
        mean += float(np.square(success.mean() - truth).sum())
    assert shrunk < 0.8 * raw
    assert shrunk < 0.8 * mean


def test_groups_that_do_not_differ_get_the_mean() -> None:
    _, success, groups = _planted(40, 30, 1e9, 3)
    rates = fit_group_rates(table_of(success, task=groups))
    assert rates.strengths_count[0, 0] > 200
    assert np.ptp(rates.rates([(f"g{i:03d}",) for i in range(40)])) < 0.06


def test_few_groups_take_the_default_strength_and_untried_models_half() -> None:
    success = np.array([[1.0, np.nan], [0.0, np.nan]])
    rates = fit_group_rates(table_of(success, task=("a", "b")))
    assert (rates.strengths_count == DEFAULT_STRENGTH_COUNT).all()
    assert (rates.rates([("a",), ("b",)])[:, 1] == 0.5).all()


def test_no_groups_at_all_is_the_overall_rate() -> None:
    table = table_of(np.array([[1.0], [0.0], [1.0]]))
    assert paths_of(table) == ((), (), ())
    assert fit_group_rates(table).rates(paths_of(table)).ravel().tolist() == [2.5 / 4] * 3


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 1)), min_size=1, max_size=60))
def test_rates_lie_strictly_between_none_and_all(drawn: list[tuple[str, float]]) -> None:
    table = table_of(np.array([[y] for _, y in drawn]), task=tuple(t for t, _ in drawn))
    rates = fit_group_rates(table).node_rates
    assert ((rates > 0) & (rates < 1)).all()
