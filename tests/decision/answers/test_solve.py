"""Solve: known roots are found, jumps are called jumps, and one value at a time agrees with all at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from answered import world
from breakeven.decision.answers.solve import (
    Bounds,
    bounds_of,
    cost_with,
    crossings_of_futures,
    gap_between,
    solutions,
)
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source
from costing import AS_OF

SOURCE = Source("typed in", "tests", AS_OF, Grade.GUESS)


def fact(name: str, unit: str, low: float, typical: float, high: float) -> Assumption:
    return Assumption(name, unit, low, typical, high, SOURCE)


@given(st.lists(st.floats(0.6, 9.4), min_size=1, max_size=3, unique=True))
def test_every_root_of_a_polynomial_is_found_in_order(roots: list[float]) -> None:
    roots = sorted(roots)
    assume(all(b - a > 0.3 for a, b in pairwise(roots)))
    found = solutions(lambda x: np.prod([x - root for root in roots], axis=0), Bounds(0.5, 9.5))
    assert [each.value for each in found] == pytest.approx(roots, rel=1e-6)
    assert all(each.kind == "crossing" for each in found)
    assert [each.falls for each in found] == [(len(roots) - index) % 2 == 0 for index in range(len(roots))]


def test_no_sign_change_is_no_solution() -> None:
    assert solutions(lambda x: x + 1.0, Bounds(0.1, 1000.0)) == ()


def test_a_step_is_a_jump_and_not_a_root() -> None:
    (found,) = solutions(lambda x: np.where(x < 3.0, 5.0, -2.0), Bounds(1.0, 10.0))
    assert found.kind == "jump" and found.falls
    assert found.value == pytest.approx(3.0, rel=1e-6)


def test_a_root_on_a_point_of_the_grid_is_counted_once() -> None:
    found = solutions(lambda x: x - 5.0, Bounds(0.0, 10.0), points_count=11)
    assert [each.value for each in found] == pytest.approx([5.0])


def test_values_that_cannot_be_costed_are_passed_over() -> None:
    (found,) = solutions(lambda x: np.where(x < 2.0, np.nan, x - 4.0), Bounds(1.0, 8.0))
    assert found.value == pytest.approx(4.0)


@given(st.lists(st.floats(1.2, 8.8), min_size=1, max_size=20), st.booleans())
def test_the_crossing_of_each_future_is_its_own_root(roots: list[float], falls: bool) -> None:
    grid = np.linspace(1.0, 9.0, 30)
    sign = -1.0 if falls else 1.0
    gaps = sign * (grid[:, None] - np.array(roots)[None, :])
    assert crossings_of_futures(grid, gaps, falls=falls) == pytest.approx(roots)
    assert np.isnan(crossings_of_futures(grid, gaps, falls=not falls)).all()


@pytest.mark.parametrize(
    ("name", "unit"),
    [("gpu_rent_usd_per_gpu_hour", "usd/hour"), ("engineer_usd_per_year", "usd/year"), ("idle_timeout_s", "second")],
)
def test_all_values_at_once_are_the_values_one_by_one(name: str, unit: str) -> None:
    here = world(2_000)
    moved = fact(name, unit, 1.0, 2.0, 3.0)
    values = np.array([0.5, 1.0, 2.0, 4.0, 300.0])
    for option in ("rented_one_year", "managed_huggingface_scale_to_zero", "hybrid", "owned_gpus"):
        together = cost_with(here.situation, here.options[option], {name: (moved, values)}).total.value
        alone = [
            float(cost_with(here.situation, here.options[option], {name: (moved, np.array([v]))}).total.value.flat[0])
            for v in values
        ]
        assert np.broadcast_to(together, values.shape) == pytest.approx(alone, rel=1e-12)


def test_a_latency_target_is_sized_value_by_value() -> None:
    """Each target chooses its own number of GPUs: a looser one costs no more."""
    here = world(20_000)
    target = here.situation.catalog.assumptions["tpot_target_ms"]
    gap = gap_between(
        here.situation,
        here.options["rented_one_year"],
        here.options["frontier_api"],
        here.options["frontier_api"],
        target,
    )
    found = gap(np.array([target.low, target.typical, target.high, target.high * 4]))
    assert np.all(np.diff(found) <= 1e-6)


def test_a_share_stays_a_share() -> None:
    assert bounds_of(fact("success_fraction", "fraction", 0.5, 0.8, 0.9)).high == 1.0
    assert bounds_of(fact("batch_share_fraction", "fraction", 0.0, 0.1, 0.2)) == Bounds(0.0, 1.0)
    wide = bounds_of(fact("gpu_rent_usd_per_gpu_hour", "usd/hour", 1.5, 2.0, 3.0))
    assert wide == Bounds(1.5 / 20, 60.0)
