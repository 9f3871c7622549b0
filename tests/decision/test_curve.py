"""CostCurve: each constructor against its own formula, and what it refuses."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.decision.curve import CostCurve, Tail
from breakeven.errors import BreakevenError, CurveError

seeded = settings(derandomize=True, deadline=None, max_examples=200)


def self_hosted(end_mtok: float = 130_000) -> CostCurve:
    return CostCurve.staircase(
        "self",
        fixed_usd=5_000,
        usd_per_replica=1_204.5,
        replica_capacity_mtok=8_000,
        min_replicas_count=2,
        end_mtok=end_mtok,
    )


def test_linear_knows_its_tail():
    curve = CostCurve.linear("api", fixed_usd=10, usd_per_mtok=0.2)
    assert curve.at([0, 5, 10]).tolist() == [10, 11, 12]
    assert curve.asymptotic_slope_usd_per_mtok == 0.2
    assert curve.tail == Tail(0.2, 10, 10, 0)


def test_marginal_tiers_bend_and_whole_volume_tiers_jump():
    starts, prices = [0, 100, 300], [1.0, 0.5, 0.25]
    marginal = CostCurve.tiered("m", starts, prices, fixed_usd=7)
    whole = CostCurve.tiered("w", starts, prices, fixed_usd=7, billing="whole_volume")
    assert marginal.at([100, 300, 500]).tolist() == [107, 207, 257]
    assert whole.at([100, 100.5, 300, 500]).tolist() == [107, 7 + 50.25, 157, 132]
    assert marginal.tail == Tail(0.25, 132, 132, 300)


def test_a_step_edge_has_the_cost_of_the_lower_step():
    curve = self_hosted()
    assert curve.at([0, 16_000]).tolist() == [7_409.0, 7_409.0]
    assert curve.at(np.nextafter(16_000, inf)) == 5_000 + 3 * 1_204.5
    assert curve.at(130_000) == 5_000 + 17 * 1_204.5


def test_staircase_ending_on_an_edge_has_no_empty_step():
    curve = CostCurve.staircase("s", usd_per_replica=1, replica_capacity_mtok=10, end_mtok=30)
    assert curve.starts_mtok.tolist() == [0, 10, 20]


def test_staircase_shorter_than_its_minimum_is_one_step():
    curve = CostCurve.staircase("s", usd_per_replica=3, replica_capacity_mtok=10, min_replicas_count=5, end_mtok=20)
    assert curve.starts_mtok.tolist() == [0] and curve.at(20) == 15


@seeded
@given(
    capacity=st.integers(1, 50),
    fewest=st.integers(0, 6),
    usd=st.integers(0, 9),
    end=st.integers(20, 300),
    far=st.floats(1, 1e4),
)
def test_the_tail_of_a_staircase_holds_beyond_its_end(capacity: int, fewest: int, usd: int, end: int, far: float):
    curve = CostCurve.staircase(
        "s",
        fixed_usd=4,
        usd_per_mtok=0.5,
        usd_per_replica=usd,
        replica_capacity_mtok=capacity,
        min_replicas_count=fewest,
        end_mtok=end,
    )
    tail = curve.tail
    assert tail is not None and tail.from_mtok <= end
    volume = tail.from_mtok + far
    cost = 4 + 0.5 * volume + usd * max(fewest, np.ceil(volume / capacity))
    rounding = 1e-9 * (1 + cost)
    assert tail.floor_usd + tail.slope_usd_per_mtok * volume <= cost + rounding
    assert cost <= tail.ceiling_usd + tail.slope_usd_per_mtok * volume + rounding


def test_total_adds_steps_of_different_length():
    replicas = CostCurve.staircase("r", usd_per_replica=100, replica_capacity_mtok=7, end_mtok=200)
    engineers = CostCurve.staircase("e", usd_per_replica=900, replica_capacity_mtok=50, end_mtok=150)
    line = CostCurve.linear("l", fixed_usd=3, usd_per_mtok=2)
    both = CostCurve.total("both", [replicas, engineers, line])
    volumes = np.arange(1, 151)
    expected = 100 * np.ceil(volumes / 7) + 900 * np.ceil(volumes / 50) + 3 + 2 * volumes
    assert both.at(volumes) == pytest.approx(expected, rel=1e-12)
    assert both.end_mtok == 150
    assert both.asymptotic_slope_usd_per_mtok == pytest.approx(100 / 7 + 900 / 50 + 2)


def test_total_knows_no_tail_when_a_part_has_none():
    unknown = CostCurve.from_function("f", lambda v: v, [], 0, 10)
    assert CostCurve.total("t", [unknown, CostCurve.linear("l", usd_per_mtok=1)]).tail is None


def staircase_cost(volumes: np.ndarray) -> np.ndarray:
    return 5_000 + 0.01 * volumes + 1_204.5 * np.maximum(2, np.ceil(volumes / 8_000))


def test_from_function_finds_the_exact_pieces():
    steps = 8_000 * np.arange(1, 20)
    curve = CostCurve.from_function("self", staircase_cost, steps, 0, 130_000)
    volumes = np.concatenate([np.linspace(1, 130_000, 5_001), steps[:16]])
    assert curve.at(volumes) == pytest.approx(staircase_cost(volumes), rel=1e-12)


@given(st.floats(10_000, 400_000), st.floats(10_000, 400_000), st.floats(900, 90_000))
def test_a_known_curve_to_another_end_spares_its_pieces_and_changes_no_bit(end: float, other_end: float, step: float):
    asked_mtok: list[np.ndarray] = []

    def cost(volumes: np.ndarray) -> np.ndarray:
        asked_mtok.append(volumes)
        return 5_000 + 0.01 * volumes + 1_204.5 * np.ceil(volumes / step)

    def curve(to: float, known: CostCurve | None = None) -> CostCurve:
        return CostCurve.from_function("self", cost, step * np.arange(1, np.ceil(to / step)), 0, to, known=known)

    known, plain = curve(other_end), curve(end)
    asked_mtok.clear()
    found = curve(end, known)
    for name in ("starts_mtok", "intercepts_usd", "slopes_usd_per_mtok"):
        assert np.array_equal(getattr(found, name), getattr(plain, name)), name
    assert found.end_mtok == end
    new_count = np.ceil(end / step) - np.floor(min(end, other_end) / step)
    assert asked_mtok[0].size <= 3 * (new_count + 1)


def test_from_function_takes_steps_in_any_order_and_twice():
    curve = CostCurve.from_function("f", lambda v: np.ceil(v / 10), [20, 10, 20 * (1 + 1e-15), 99], 0, 30)
    assert curve.starts_mtok.tolist() == [0, 10, 20]


@pytest.mark.parametrize("missing", range(1, 16))
def test_from_function_refuses_a_missing_step_with_numbers(missing: int):
    steps = [8_000.0 * k for k in range(2, 17) if k != missing + 1]
    with pytest.raises(CurveError, match=r"is not straight between .* Mtok: at .* it costs .* USD where the line"):
        CostCurve.from_function("self", staircase_cost, steps, 0, 130_000)


@pytest.mark.parametrize(
    "cost",
    [
        lambda v: v**2,
        lambda v: np.ceil(v),
        lambda v: np.ceil(v / 20),
        lambda v: np.where(v > 50, np.nan, v),
        lambda v: np.sqrt(v),
        lambda v: np.maximum(v, 60),
    ],
    ids=["bent", "100 steps", "5 steps", "nan", "root", "kink"],
)
def test_from_function_refuses_what_is_no_line(cost):
    with pytest.raises(CurveError, match="not straight between 0 and 100 Mtok"):
        CostCurve.from_function("f", cost, [], 0, 100)


def test_from_function_refuses_a_wrong_shape():
    with pytest.raises(CurveError, match=r"returned shape \(\) for 3 volumes"):
        CostCurve.from_function("f", lambda v: np.float64(1.0), [], 0, 100)


@pytest.mark.parametrize("volume", [-1.0, 130_000.1, float("nan")])
def test_at_refuses_volumes_it_does_not_know(volume: float):
    with pytest.raises(CurveError, match="knows 0 to 130,000"):
        self_hosted().at([1.0, volume])


@pytest.mark.parametrize(
    ("starts", "intercepts", "slopes", "end", "said"),
    [
        ([0, 1], [0], [0, 1], 2, "as many starts as intercepts"),
        ([], [], [], 2, "at least one"),
        ([0, 0], [0, 1], [0, 1], 2, "strictly increasing"),
        ([-1], [0], [0], 2, "from 0 up"),
        ([5], [0], [0], 5, "below the end"),
        ([5], [0], [0], float("nan"), "below the end"),
        ([0], [inf], [0], 2, "not a finite number"),
    ],
)
def test_malformed_curves_are_refused(starts, intercepts, slopes, end, said):
    with pytest.raises(CurveError, match=said):
        CostCurve("c", np.array(starts), np.array(intercepts), np.array(slopes), end)


def test_impossible_constructors_are_refused():
    with pytest.raises(CurveError, match="one price per band"):
        CostCurve.tiered("t", [0, 10], [1.0])
    with pytest.raises(CurveError, match="one price per band"):
        CostCurve.tiered("t", [], [])
    with pytest.raises(CurveError, match="a finite end"):
        CostCurve.staircase("s", usd_per_replica=1, replica_capacity_mtok=1, end_mtok=inf)
    with pytest.raises(CurveError, match="a capacity above 0"):
        CostCurve.staircase("s", usd_per_replica=1, replica_capacity_mtok=0, end_mtok=9)
    with pytest.raises(CurveError, match="at most 5,000,000 are kept"):
        CostCurve.staircase("s", usd_per_replica=1, replica_capacity_mtok=1e-3, end_mtok=1e9)
    with pytest.raises(CurveError, match="at least one"):
        CostCurve.total("t", [])
    with pytest.raises(CurveError, match="no range"):
        CostCurve.from_function("f", lambda v: v, [], 10, 10)
    assert issubclass(CurveError, ValueError) and issubclass(CurveError, BreakevenError)


def test_a_curve_cannot_be_changed():
    starts = np.array([0.0])
    curve = CostCurve("c", starts, np.array([1.0]), np.array([0.0]))
    starts[0] = 5
    assert curve.start_mtok == 0
    with pytest.raises(ValueError, match="read-only"):
        curve.intercepts_usd[0] = 2
