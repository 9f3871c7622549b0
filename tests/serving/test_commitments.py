"""Commitments: the worked example, every count tried by hand, and the rule against the programme."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ServingError
from breakeven.serving.commitments import (
    CommitmentMix,
    GpuPrices,
    Reservation,
    mix_by_percentile,
    mix_by_programme,
)

EXAMPLE = [1, 1, 2, 2, 2, 3, 5, 5]
YEAR = Reservation("one year", 0.6, 12.0)


@pytest.mark.parametrize("way", [mix_by_percentile, mix_by_programme])
def test_the_worked_example(way: object) -> None:
    mix: CommitmentMix = way(EXAMPLE, GpuPrices(1.0, (YEAR,)))  # type: ignore[operator]
    assert mix.cost_usd == pytest.approx(16.6)
    assert mix.reserved_counts == (2,)
    assert (mix.on_demand_hours, mix.reserved_idle_hours, mix.on_demand_cost_usd) == (7.0, 2.0, 21.0)
    assert mix.saved_usd == pytest.approx(4.4)


money = st.floats(0.05, 10).map(lambda each: round(each, 2))


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=24),
    money,
    st.lists(st.tuples(money, st.sampled_from([1.0, 12.0, 36.0])), max_size=3),
    st.one_of(st.none(), money),
    st.floats(0, 1).map(lambda each: round(each, 2)),
    st.sampled_from([6.0, 12.0, 18.0, 36.0]),
)
@settings(deadline=None, max_examples=150)
def test_the_rule_and_the_programme_agree(
    demand: list[int],
    on_demand: float,
    terms: list[tuple[float, float]],
    spot: float | None,
    share: float,
    horizon: float,
) -> None:
    reservations = tuple(Reservation(f"term {index}", *each) for index, each in enumerate(terms))
    prices = GpuPrices(on_demand, reservations, spot, share, horizon)
    rule, programme = mix_by_percentile(demand, prices), mix_by_programme(demand, prices)
    assert rule.cost_usd == pytest.approx(programme.cost_usd, rel=1e-9, abs=1e-9)
    assert rule.cost_usd <= rule.on_demand_cost_usd + 1e-9
    assert rule.cost_usd == pytest.approx(by_hand(demand, prices), rel=1e-9, abs=1e-9)


def by_hand(demand: list[int], prices: GpuPrices) -> float:
    """Every number of GPUs, of the cheapest reservation."""
    hour = min((prices.effective_usd_per_gpu_hour(each) for each in prices.reservations), default=np.inf)
    best = np.inf
    for reserved in range(max(demand) + 1):
        if reserved and hour == np.inf:
            break
        cost = reserved * hour * len(demand) if reserved else 0.0
        for each in demand:
            left = max(each - reserved, 0)
            spot = 0
            usd = prices.spot_usd_per_gpu_hour
            if usd is not None and usd <= prices.on_demand_usd_per_gpu_hour:
                spot = min(left, int(each * prices.spot_most_fraction + 1e-9))
            cost += (left - spot) * prices.on_demand_usd_per_gpu_hour + spot * (prices.spot_usd_per_gpu_hour or 0.0)
        best = min(best, cost)
    return best


def test_a_long_term_is_dear_when_the_need_is_short() -> None:
    steady = [4] * 100
    three_years = Reservation("three years", 0.45, 36.0)
    for horizon, counts in ((36.0, (0, 4)), (12.0, (4, 0))):
        prices = GpuPrices(1.0, (YEAR, three_years), horizon_months=horizon)
        assert mix_by_percentile(steady, prices).reserved_counts == counts


def test_spot_takes_its_share_and_no_more() -> None:
    mix = mix_by_percentile([10, 3], GpuPrices(1.0, (), 0.3, 0.5))
    assert (mix.spot_hours, mix.on_demand_hours) == (6.0, 7.0)
    assert mix.cost_usd == pytest.approx(6 * 0.3 + 7)
    dear = mix_by_percentile([10, 3], GpuPrices(1.0, (), 1.3, 0.5))
    assert dear.spot_hours == 0.0


@pytest.mark.parametrize(
    ("demand", "prices", "said"),
    [
        ([], GpuPrices(1.0), "no hours"),
        ([1.5], GpuPrices(1.0), "whole GPUs"),
        ([-1], GpuPrices(1.0), "whole GPUs"),
        ([1], GpuPrices(-1.0), "on demand: -1"),
        ([1], GpuPrices(1.0, spot_most_fraction=1.5), "1.5"),
    ],
)
def test_bad_input(demand: list[float], prices: GpuPrices, said: str) -> None:
    with pytest.raises(ServingError, match=said):
        mix_by_percentile(demand, prices)
