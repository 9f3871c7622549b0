"""Envelope: worked example 1 to the digit, ties, edges, and properties on random curves."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.decision.curve import CostCurve
from breakeven.decision.envelope import Envelope, lower_envelope
from breakeven.errors import CurveError

seeded = settings(derandomize=True, deadline=None, max_examples=200)


def api(usd_per_mtok: float = 0.20, name: str = "API") -> CostCurve:
    return CostCurve.linear(name, usd_per_mtok=usd_per_mtok)


def self_hosted(end_mtok: float = 130_000) -> CostCurve:
    return CostCurve.staircase(
        "self",
        fixed_usd=5_000,
        usd_per_replica=1_204.5,
        replica_capacity_mtok=8_000,
        min_replicas_count=2,
        end_mtok=end_mtok,
    )


def stretches_of(envelope: Envelope) -> list[tuple[float, str]]:
    return [(stretch.to_mtok, stretch.option) for stretch in envelope.stretches]


def test_worked_example_1_to_the_digit():
    envelope = lower_envelope([api(), self_hosted()], 0, 130_000)
    assert stretches_of(envelope) == [
        (103_292.5, "API"),
        (104_000, "self"),
        (109_315, "API"),
        (112_000, "self"),
        (115_337.5, "API"),
        (120_000, "self"),
        (121_360, "API"),
        (130_000, "self"),
    ]
    assert [crossing.kind for crossing in envelope.crossings] == ["crossing", "step"] * 3 + ["crossing"]
    assert envelope.crossings[1].usd_per_month == 20_658.5


def test_the_order_of_the_curves_does_not_matter_without_ties():
    one = lower_envelope([api(), self_hosted()], 0, 130_000)
    other = lower_envelope([self_hosted(), api()], 0, 130_000)
    assert one.stretches == other.stretches and one.crossings == other.crossings


def test_the_edge_of_a_step_belongs_to_the_stretch_that_ends_there():
    envelope = lower_envelope([api(), self_hosted()], 0, 130_000)
    volumes = [104_000, np.nextafter(104_000, inf), 103_292.5, np.nextafter(103_292.5, inf)]
    assert envelope.cheapest_at(volumes).tolist() == [1, 0, 0, 1]


def test_over_a_stretch_of_equal_cost_the_earlier_curve_wins():
    for first, second in [("a", "b"), ("b", "a")]:
        assert stretches_of(lower_envelope([api(0.2, first), api(0.2, second)], 0, 10)) == [(10, first)]


def test_equal_costs_built_differently_are_a_tie_and_not_rounding_noise():
    price = 0.1 + 0.2
    starts = [0.0, *(np.arange(1, 200) * 0.7).tolist()]
    noisy = CostCurve.tiered("noisy", starts, [price * (1 + 1e-15 * (i % 3)) for i in range(200)])
    probed = CostCurve.from_function("probed", lambda v: v * 0.3, np.arange(1, 90) * 1.1, 0, 300)
    for curves in ([noisy, api(0.3, "line"), probed], [probed, noisy, api(0.3, "line")]):
        assert stretches_of(lower_envelope(curves, 0, 300)) == [(300, curves[0].name)]


def test_equal_lines_do_not_take_turns_when_a_third_curve_crosses():
    flat = CostCurve.linear("flat", fixed_usd=10, usd_per_mtok=0)
    probed = CostCurve.from_function("probed", lambda v: v * 0.3, [], 0, 300)
    curves = [CostCurve.linear("high", fixed_usd=1e6, usd_per_mtok=0), api(0.3, "line"), probed, flat]
    found = stretches_of(lower_envelope(curves, 0, 300))
    assert [option for _, option in found] == ["line", "flat"] and found[0][0] == pytest.approx(100 / 3)


def test_touching_at_a_kink_is_no_break_even():
    bent = CostCurve.tiered("bent", [0, 10], [2.0, 0.0])  # reaches 20 at 10 Mtok and stays
    above = CostCurve.tiered("above", [0, 10], [3.0, 0.1], fixed_usd=-10)  # 20 at 10 Mtok, then above
    assert stretches_of(lower_envelope([bent, above], 0, 50)) == [(10, "above"), (50, "bent")]
    touching = CostCurve.tiered("touching", [0, 10], [1.0, 0.1], fixed_usd=10)
    assert stretches_of(lower_envelope([touching, bent], 0, 50)) == [(50, "bent")]


def test_three_lines_through_one_point_skip_the_middle_one():
    lines = [CostCurve.linear(f"{slope}", fixed_usd=10 * (4 - slope), usd_per_mtok=slope) for slope in (4, 2, 1)]
    assert stretches_of(lower_envelope(lines, 0, 50)) == [(10, "4"), (50, "1")]


def test_several_crossings_inside_one_interval_are_all_found():
    lines = [CostCurve.linear(f"{k}", fixed_usd=k * k, usd_per_mtok=10 - k) for k in range(8)]
    envelope = lower_envelope(lines, 0, 100)
    assert [crossing.mtok_per_month for crossing in envelope.crossings] == [2 * k + 1 for k in range(7)]


def test_a_whole_volume_discount_is_a_step_down():
    whole = CostCurve.tiered("whole", [0, 100], [1.0, 0.5], billing="whole_volume")
    envelope = lower_envelope([whole, api(0.8)], 0, 300)
    assert stretches_of(envelope) == [(100, "API"), (300, "whole")]
    assert envelope.crossings[0].kind == "step" and envelope.crossings[0].usd_per_month == 80


def test_cheapest_fractions_add_up_and_name_every_option():
    never = CostCurve.linear("never", fixed_usd=1e6, usd_per_mtok=1)
    fractions = lower_envelope([api(), self_hosted(), never], 0, 130_000).cheapest_fraction()
    assert sum(fractions.values()) == pytest.approx(1) and fractions["never"] == 0 and fractions["self"] > 0


def test_what_is_not_covered_or_not_named_apart_is_refused():
    with pytest.raises(CurveError, match="all 2 curves cover 0 to 130,000"):
        lower_envelope([api(), self_hosted()], 0, 200_000)
    with pytest.raises(CurveError, match="finite range"):
        lower_envelope([api()], 0, inf)
    with pytest.raises(CurveError, match="two curves are called 'API'"):
        lower_envelope([api(), api()], 0, 1)
    with pytest.raises(CurveError, match="no range"):
        lower_envelope([api()], 10, 10)
    with pytest.raises(CurveError, match=r"outside \(5, 10\]"):
        lower_envelope([api()], 5, 10).cheapest_at([5])


def test_five_curves_of_five_thousand_steps():
    capacities = [10 + k / 7 for k in range(5)]
    curves = [
        CostCurve.staircase(
            f"{k}", fixed_usd=900 * k, usd_per_replica=100 - k, replica_capacity_mtok=capacity, end_mtok=50_000
        )
        for k, capacity in enumerate(capacities)
    ]
    envelope = lower_envelope(curves, 0, 50_000)
    volumes = np.arange(0.5, 50_000, 3.0)
    costs = np.stack([900 * k + (100 - k) * np.ceil(volumes / c) for k, c in enumerate(capacities)])
    assert (costs[envelope.cheapest_at(volumes), np.arange(volumes.size)] == costs.min(axis=0)).all()
    assert len(envelope.crossings) > 100


@st.composite
def curves_of_small_integers(draw: st.DrawFn) -> list[CostCurve]:
    """Curves of small whole numbers, so that ties, touching kinks and shared edges are common and exact."""
    curves = []
    for index in range(draw(st.integers(1, 5))):
        starts = sorted(draw(st.sets(st.integers(1, 39), max_size=6)))
        pieces = len(starts) + 1
        intercepts = draw(st.lists(st.integers(-40, 40), min_size=pieces, max_size=pieces))
        slopes = draw(st.lists(st.integers(-4, 4), min_size=pieces, max_size=pieces))
        columns = (np.array(each, dtype=float) for each in ([0, *starts], intercepts, slopes))
        curves.append(CostCurve(f"{index}", *columns, end_mtok=40))
    return curves


def cost_by_hand(curve: CostCurve, volume: float) -> float:
    holding = [i for i, start in enumerate(curve.starts_mtok.tolist()) if start < volume]
    return float(curve.intercepts_usd[holding[-1]] + curve.slopes_usd_per_mtok[holding[-1]] * volume)


@seeded
@given(curves=curves_of_small_integers())
def test_the_envelope_is_the_lowest_cost_everywhere(curves: list[CostCurve]):
    envelope = lower_envelope(curves, 0, 40)
    borders = [crossing.mtok_per_month for crossing in envelope.crossings]
    volumes = sorted({*range(1, 41), *(k + 0.37 for k in range(40)), *borders, *(b + 1e-6 for b in borders)})
    for volume, winner in zip(volumes, envelope.cheapest_at(volumes).tolist(), strict=True):
        costs = [cost_by_hand(curve, volume) for curve in curves]
        assert costs[winner] <= min(costs) + 1e-9 * (1 + abs(min(costs)))


@seeded
@given(curves=curves_of_small_integers())
def test_stretches_are_seamless_and_each_border_really_changes_the_winner(curves: list[CostCurve]):
    envelope = lower_envelope(curves, 0, 40)
    stretches = envelope.stretches
    assert stretches[0].from_mtok == 0 and stretches[-1].to_mtok == 40
    for before, after, border in zip(stretches, stretches[1:], envelope.crossings, strict=False):
        assert before.to_mtok == after.from_mtok == border.mtok_per_month
        assert (before.option, after.option) == (border.from_option, border.to_option)
        assert before.option != after.option
    assert len(envelope.crossings) == len(stretches) - 1


@seeded
@given(curves=curves_of_small_integers())
def test_inside_a_stretch_an_equal_cost_all_through_belongs_to_the_earlier_curve(curves: list[CostCurve]):
    for stretch in lower_envelope(curves, 0, 40).stretches:
        holder = next(i for i, curve in enumerate(curves) if curve.name == stretch.option)
        # two volumes of the piece in the middle of the stretch
        middle = (stretch.from_mtok + stretch.to_mtok) / 2
        pieces = [stretch.from_mtok, stretch.to_mtok, *(s for c in curves for s in c.starts_mtok.tolist())]
        left, right = max(p for p in pieces if p < middle), min(p for p in pieces if p >= middle)
        one, two = left + (right - left) / 3, left + 2 * (right - left) / 3
        for curve in curves[:holder]:
            assert not all(
                cost_by_hand(curve, v) == pytest.approx(cost_by_hand(curves[holder], v), rel=1e-13, abs=1e-13)
                for v in (one, two)
            )


@seeded
@given(curves=curves_of_small_integers(), factor=st.sampled_from([0.5, 3.0, 1024.0]))
def test_money_in_another_unit_moves_no_break_even(curves: list[CostCurve], factor: float):
    scaled = [
        CostCurve(c.name, c.starts_mtok, c.intercepts_usd * factor, c.slopes_usd_per_mtok * factor, c.end_mtok)
        for c in curves
    ]
    one, other = lower_envelope(curves, 0, 40), lower_envelope(scaled, 0, 40)
    assert [s.option for s in one.stretches] == [s.option for s in other.stretches]
    assert [c.mtok_per_month for c in one.crossings] == pytest.approx([c.mtok_per_month for c in other.crossings])
