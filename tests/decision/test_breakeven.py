"""Break-even: pairwise reports, the closed form against the envelope, the window, and infinity as a value."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.decision.breakeven import (
    first_last_breakeven,
    never_fraction,
    pairwise,
    quantiles,
    window_bounds,
)
from breakeven.decision.curve import CostCurve, Tail
from breakeven.errors import CurveError

seeded = settings(derandomize=True, deadline=None, max_examples=200)

EXAMPLE = {
    "api_usd_per_mtok": 0.20,
    "fixed_usd_per_month": 5_000,
    "usd_per_replica_month": 1_204.5,
    "replica_capacity_mtok_per_month": 8_000,
    "min_replicas_count": 2,
}


def api(usd_per_mtok: float = 0.20) -> CostCurve:
    return CostCurve.linear("API", usd_per_mtok=usd_per_mtok)


def self_hosted(end_mtok: float) -> CostCurve:
    return CostCurve.staircase(
        "self",
        fixed_usd=5_000,
        usd_per_replica=1_204.5,
        replica_capacity_mtok=8_000,
        min_replicas_count=2,
        end_mtok=end_mtok,
    )


def test_worked_example_1():
    report = pairwise(api(), self_hosted(130_000))
    volumes = [crossing.mtok_per_month for crossing in report.crossings]
    assert volumes == [103_292.5, 104_000, 109_315, 112_000, 115_337.5, 120_000, 121_360]
    assert (report.first_mtok, report.last_mtok) == (103_292.5, 121_360)
    assert (report.b_always_above_mtok, report.b_always_basis) == (121_360, "proved")
    assert not report.b_never and report.b_never_basis is None


def test_worked_example_1_in_closed_form_and_its_window():
    found = first_last_breakeven(**EXAMPLE)
    assert (float(found.first_mtok), float(found.last_mtok)) == (103_292.5, 121_360)
    window = window_bounds(**EXAMPLE)
    assert float(window.lower_mtok) == pytest.approx(101_137.80025, abs=5e-6)
    assert float(window.upper_mtok) == pytest.approx(125_501.89633, abs=5e-6)


def test_always_above_is_claimed_to_the_end_only_while_steps_may_still_cross():
    report = pairwise(api(), self_hosted(122_000))
    assert report.b_always_above_mtok == 121_360
    assert (report.b_always_basis, report.beyond) == ("to_end", "b_eventually")
    assert report.beyond_from_mtok == pytest.approx(125_501.89633, abs=5e-6)


def test_ending_inside_the_window_says_eventually_and_not_always():
    report = pairwise(api(), self_hosted(121_000))
    assert report.b_always_above_mtok is None and report.b_always_basis is None
    assert report.cheaper_at_end == "API" and report.beyond == "b_eventually"


def test_never_for_large_volumes_when_a_full_replica_saves_nothing():
    report = pairwise(api(0.15), self_hosted(130_000))  # 1,204.5 / 8,000 = 0.1506 USD/Mtok
    assert report.b_never and report.b_never_basis == "proved"
    assert report.first_mtok is None and report.crossings == ()


def test_never_in_the_range_is_not_never():
    report = pairwise(api(), self_hosted(50_000))
    assert report.b_never and report.b_never_basis == "to_end" and report.beyond == "b_eventually"


def test_without_a_tail_nothing_is_claimed_beyond_the_end():
    unknown = CostCurve.from_function("f", lambda v: 10 + 0.1 * v, [], 0, 1_000)
    report = pairwise(api(), unknown)
    assert report.b_always_basis == "to_end" and (report.beyond, report.beyond_from_mtok) == ("unknown", inf)


def test_a_slope_alone_proves_some_day_but_no_volume():
    sloped = CostCurve.from_function("f", lambda v: 10 + 0.1 * v, [], 0, 1_000, tail=Tail(0.1))
    report = pairwise(api(), sloped)
    assert (report.beyond, report.beyond_from_mtok) == ("b_eventually", inf)
    assert report.b_always_basis == "to_end"


def test_b_cheaper_throughout_has_no_break_even_and_is_always_cheaper():
    report = pairwise(api(), CostCurve.linear("b", usd_per_mtok=0.1), high_mtok=100)
    assert report.first_mtok is None and report.last_mtok is None
    assert (report.b_always_above_mtok, report.b_always_basis, report.b_never) == (0, "proved", False)


def test_equal_curves_are_a_tie_that_the_first_one_wins_for_ever():
    report = pairwise(api(), CostCurve.linear("b", usd_per_mtok=0.2), high_mtok=100)
    assert report.b_never and report.b_never_basis == "proved"


def test_parallel_tails_decide_by_their_offset():
    cheap, dear = (CostCurve.linear(name, fixed_usd=usd, usd_per_mtok=1) for name, usd in (("c", 1), ("d", 2)))
    assert pairwise(dear, cheap, high_mtok=9).b_always_basis == "proved"
    stairs = CostCurve.staircase("s", usd_per_replica=8, replica_capacity_mtok=8, end_mtok=80)
    line = CostCurve.linear("l", fixed_usd=4, usd_per_mtok=1)
    assert pairwise(line, stairs).beyond == "unknown"  # they cross again and again, for ever


def test_a_range_without_end_must_be_given_one():
    with pytest.raises(CurveError, match="finite range"):
        pairwise(api(), CostCurve.linear("b", usd_per_mtok=0.1))


quarter = st.integers(0, 400).map(lambda quarters: quarters / 4)


@seeded
@given(
    api_usd=st.integers(1, 80).map(lambda eighths: eighths / 8),
    variable_usd=st.sampled_from([0.0, 0.0, 0.125, 1.0]),
    fixed_usd=quarter,
    replica_usd=quarter,
    capacity=st.integers(1, 40),
    fewest=st.integers(0, 5),
)
def test_the_closed_form_agrees_with_the_envelope(api_usd, variable_usd, fixed_usd, replica_usd, capacity, fewest):
    """Sums of binary fractions, so that ties at edges are exact and both must resolve them alike."""
    found = first_last_breakeven(
        api_usd_per_mtok=api_usd,
        fixed_usd_per_month=fixed_usd,
        usd_per_replica_month=replica_usd,
        replica_capacity_mtok_per_month=capacity,
        min_replicas_count=fewest,
        variable_usd_per_mtok=variable_usd,
    )
    first, last = float(found.first_mtok), float(found.last_mtok)
    end = last * 1.25 + 5 * capacity if first < inf else 400.0 * capacity
    if end / capacity > 20_000:
        return
    hosted = CostCurve.staircase(
        "self",
        fixed_usd=fixed_usd,
        usd_per_mtok=variable_usd,
        usd_per_replica=replica_usd,
        replica_capacity_mtok=capacity,
        min_replicas_count=fewest,
        end_mtok=end,
    )
    report = pairwise(CostCurve.linear("API", usd_per_mtok=api_usd), hosted)
    if first == inf:
        assert report.b_never and report.b_never_basis == "proved"
    elif report.first_mtok is None:
        assert first == last == 0 and report.b_always_above_mtok == 0
    else:
        assert (report.first_mtok, report.b_always_above_mtok) == pytest.approx((first, last), rel=1e-9)


def random_draws(count: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    capacity = rng.uniform(500, 20_000, count)
    replica = rng.uniform(300, 3_000, count)
    full_ratio = rng.uniform(0.05, 1.2, count)  # cost of a full replica over its API price
    return {
        "api_usd_per_mtok": replica / (capacity * full_ratio),
        "fixed_usd_per_month": rng.uniform(0, 30_000, count),
        "usd_per_replica_month": replica,
        "replica_capacity_mtok_per_month": capacity,
        "min_replicas_count": rng.integers(0, 5, count).astype(float),
    }


def test_the_closed_form_agrees_with_the_envelope_on_2000_random_cases():
    draws = random_draws(2_000, seed=5)
    found, window = first_last_breakeven(**draws), window_bounds(**draws)
    several = 0
    for i in range(2_000):
        price, fixed, replica, capacity, fewest = (float(column[i]) for column in draws.values())
        first, last = float(found.first_mtok[i]), float(found.last_mtok[i])
        end = 300 * capacity if first == inf else min(1.05 * last + 2 * capacity, 3_000 * capacity)
        hosted = CostCurve.staircase(
            "self",
            fixed_usd=fixed,
            usd_per_replica=replica,
            replica_capacity_mtok=capacity,
            min_replicas_count=int(fewest),
            end_mtok=end,
        )
        report = pairwise(CostCurve.linear("API", usd_per_mtok=price), hosted)
        several += len(report.crossings) > 1
        if first == inf:
            assert report.b_never and report.b_never_basis == "proved"
        elif last < end:
            assert (report.first_mtok, report.last_mtok) == pytest.approx((first, last), rel=1e-12)
            volumes = np.array([crossing.mtok_per_month for crossing in report.crossings])
            assert (volumes >= window.lower_mtok[i] * (1 - 1e-12)).all()
            assert (volumes <= window.upper_mtok[i] * (1 + 1e-12)).all()
    assert several > 1_000


def test_a_million_draws_keep_their_order_and_their_window():
    draws = random_draws(1_000_000, seed=6)
    found, window = first_last_breakeven(**draws), window_bounds(**draws)
    assert not np.isnan(found.first_mtok).any() and not np.isnan(found.last_mtok).any()
    assert (found.first_mtok <= found.last_mtok).all()
    assert (np.isinf(found.first_mtok) == np.isinf(window.upper_mtok)).all()
    assert (found.first_mtok >= window.lower_mtok * (1 - 1e-9)).all()
    assert (found.last_mtok <= window.upper_mtok * (1 + 1e-9)).all()
    assert found.never_fraction == pytest.approx(0.2 / 1.15, abs=0.002)  # full_ratio above 1


def test_a_minimum_of_replicas_delays_the_window_too():
    few = {**EXAMPLE, "fixed_usd_per_month": 0.0, "min_replicas_count": 40}
    window, found = window_bounds(**few), first_last_breakeven(**few)
    assert float(found.first_mtok) == float(found.last_mtok) == pytest.approx(40 * 1_204.5 / 0.2)
    assert float(window.lower_mtok) == float(window.upper_mtok) == float(found.first_mtok)


def test_an_impossible_draw_is_refused_by_name():
    with pytest.raises(CurveError, match=r"a fixed cost of -1\.0 is impossible"):
        first_last_breakeven(**{**EXAMPLE, "fixed_usd_per_month": [3.0, -1.0]})
    with pytest.raises(CurveError, match="a capacity of 0"):
        window_bounds(**{**EXAMPLE, "replica_capacity_mtok_per_month": 0})
    with pytest.raises(CurveError, match="a replica cost of nan"):
        first_last_breakeven(**{**EXAMPLE, "usd_per_replica_month": nan})
    with pytest.raises(CurveError, match="an API price"):
        first_last_breakeven(**{**EXAMPLE, "api_usd_per_mtok": nan})


def test_quantiles_are_order_statistics_and_never_is_a_value():
    volumes = [*range(1, 92), *[inf] * 9]
    assert quantiles(volumes, [0.01, 0.07, 0.5, 0.91, 0.92, 1.0]) == [1, 7, 50, 91, inf, inf]
    assert never_fraction(volumes) == 0.09
    assert quantiles([inf, inf], [0.1, 0.9]) == [inf, inf]


def test_quantiles_refuse_what_has_no_order():
    with pytest.raises(CurveError, match="1 of them not a number"):
        quantiles([1.0, nan], [0.5])
    with pytest.raises(CurveError, match="0 break-even volumes"):
        never_fraction([])
    with pytest.raises(CurveError, match=r"in \(0, 1\]"):
        quantiles([1.0], [0.0])


@seeded
@given(st.lists(st.one_of(st.floats(0, 1e9), st.just(inf)), min_size=1), st.floats(0.001, 1))
def test_a_quantile_is_the_smallest_draw_not_exceeded_often_enough(volumes: list[float], probability: float):
    (found,) = quantiles(volumes, [probability])
    below = sum(volume <= found for volume in volumes)
    assert found in volumes and below >= probability * len(volumes) * (1 - 1e-9)
    assert sum(volume < found for volume in volumes) < probability * len(volumes)
