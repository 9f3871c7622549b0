"""Break-even over the futures: the closed form where it holds, every step walked one by one where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from breakeven.decision.breakeven import first_last_breakeven
from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.risk.breakeven_odds import EDGE_RATIO, breakeven_odds, first_last, step_mtok_of
from breakeven.errors import BreakevenError, CurveError
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options, select_options
from breakeven.options.option import Evaluation, Option, OptionCost
from costing import NEEDS, demand, pinned, situation

Floats = NDArray[np.float64]
LOW, HIGH = 10.0, 100_000.0
DRAWS_LOG2 = 6
HERE = situation(demand(2_100), pinned(NEEDS["provisioned"][0]))


def available() -> dict[str, Option]:
    found = {}
    for name, option in discover_options().items():
        try:
            option.cost(HERE, Evaluation(DrawSet(draws_log2=1).of))
        except BreakevenError:
            continue
        found[name] = option
    return found


OPTIONS = available()
STAIRS = tuple(
    name for name, each in OPTIONS.items() if each.cost(HERE, Evaluation(DrawSet(draws_log2=1).of)).staircase
)


def test_the_closed_form_where_it_holds() -> None:
    """3,000 random staircases against random prices per token: the same first and last, and the same nevers."""
    rng = np.random.default_rng(7)
    count = 3000
    price, fixed = rng.uniform(0.05, 1.0, count), rng.uniform(0, 20_000, count)
    capacity = np.exp(rng.uniform(np.log(50), np.log(20_000), count))
    replica = rng.uniform(0.2, 1.1, count) * price * capacity
    fewest, variable = rng.integers(0, 4, count).astype(float), rng.uniform(0, 0.05, count)

    def gap(volumes: Floats) -> Floats:
        replicas = np.maximum(np.ceil(volumes / capacity), np.maximum(fewest, 1.0))
        return fixed + variable * volumes + replica * replicas - price * volumes

    expected = first_last_breakeven(
        api_usd_per_mtok=price,
        variable_usd_per_mtok=variable,
        fixed_usd_per_month=fixed,
        usd_per_replica_month=replica,
        replica_capacity_mtok_per_month=capacity,
        min_replicas_count=fewest,
    )
    high = 1e8
    found = first_last(gap, capacity, count, 1e-3, high)
    inside = ~((expected.last_mtok > 0.9 * high) & np.isfinite(expected.last_mtok))
    assert inside.sum() > 0.95 * count
    assert 0.1 < found.never_fraction < 0.9
    assert np.array_equal(np.isinf(found.first_mtok[inside]), np.isinf(expected.first_mtok[inside]))
    finite = inside & np.isfinite(expected.first_mtok)
    assert found.first_mtok[finite] == pytest.approx(expected.first_mtok[finite], rel=1e-7)
    assert found.last_mtok[finite] == pytest.approx(expected.last_mtok[finite], rel=1e-7)
    assert (found.last_mtok[finite] > found.first_mtok[finite] * 1.001).mean() > 0.3  # several crossings are common


def equal(cost: OptionCost, base: OptionCost, shape: tuple[int, ...]) -> Floats:
    gap = cost.total.value * (base.success.value / cost.success.value) - base.total.value
    return np.broadcast_to(gap, shape)


@pytest.mark.parametrize("name", STAIRS)
def test_every_step_of_every_draw_walked_one_by_one(name: str) -> None:
    """Brute force: the real option and the real status quo at both edges of each step, nothing skipped."""
    draws = DrawSet(draws_log2=DRAWS_LOG2)
    option, status_quo = OPTIONS[name], OPTIONS[STATUS_QUO]
    high = 10_000.0 if name == "small_gpu" else HIGH
    width = np.broadcast_to(step_mtok_of(option.cost(HERE, Evaluation(draws.of))), (draws.draws_count,))
    assert np.ptp(width) > 0
    count = int(np.ceil(high / width.min()))
    first_pays, last_loses = np.full(draws.draws_count, np.inf), np.zeros(draws.draws_count)

    def gap(volumes: Floats) -> Floats:
        evaluation = Evaluation(draws.of, volumes)
        return equal(option.cost(HERE, evaluation), status_quo.cost(HERE, evaluation), volumes.shape)

    def edges(steps: Floats) -> Floats:
        left = np.maximum((steps - 1) * width * (1 + EDGE_RATIO), LOW)
        return np.stack([left, np.maximum(left, np.minimum(steps * width * (1 - EDGE_RATIO), high))])

    for start in range(1, count + 1, 100):
        steps = np.arange(start, min(start + 100, count + 1))[:, None] * np.ones(draws.draws_count)
        both = edges(steps)
        inside = ((steps - 1) * width < high) & (steps * width > LOW)
        gaps = gap(both)
        first_pays = np.minimum(first_pays, np.where(inside & (gaps.min(axis=0) < 0), steps, np.inf).min(axis=0))
        last_loses = np.maximum(last_loses, np.where(inside & (gaps.max(axis=0) >= 0), steps, 0).max(axis=0))

    def halved(steps: Floats) -> Floats:
        """Where the gap falls below 0 inside the step, by sixty halvings of the real costs."""
        left, right = edges(steps)
        for _ in range(60):
            middle = (left + right) / 2
            pays = gap(middle) < 0
            left, right = np.where(pays, left, middle), np.where(pays, middle, right)
        return (left + right) / 2

    step = np.where(np.isinf(first_pays), 1.0, first_pays)
    first = np.where(np.isinf(first_pays), np.inf, np.where(gap(edges(step))[0] < 0, edges(step)[0], halved(step)))
    step = np.maximum(last_loses, 1.0)
    ends = np.where(edges(step)[1] >= high, np.inf, edges(step)[1])
    last = np.where(last_loses == 0, LOW, np.where(gap(edges(step))[1] >= 0, ends, halved(step)))

    found = first_last(gap, width, draws.draws_count, LOW, high)
    assert found.first_mtok == pytest.approx(first, rel=1e-6)
    assert found.last_mtok == pytest.approx(last, rel=1e-6)


@pytest.mark.parametrize("name", ["brokered", "batch_api", "cheaper_tier"])
def test_bills_per_token_cross_where_two_lines_do(name: str) -> None:
    draws = DrawSet(draws_log2=DRAWS_LOG2)
    volumes = np.array([[LOW], [HIGH]])
    evaluation = Evaluation(draws.of, volumes)
    shape = (2, draws.draws_count)
    at_low, at_high = equal(OPTIONS[name].cost(HERE, evaluation), OPTIONS[STATUS_QUO].cost(HERE, evaluation), shape)
    meets = LOW - at_low * (HIGH - LOW) / (at_high - at_low)
    expected = np.where(at_low < 0, LOW, np.where(at_high < 0, meets, np.inf))
    found = breakeven_odds(HERE, select_options((STATUS_QUO, name)), draws, LOW, HIGH)
    assert [each.option for each in found] == [name]
    ranked = np.sort(expected)
    assert found[0].first.p50_mtok_per_month == pytest.approx(ranked[draws.draws_count // 2 - 1], rel=1e-7)
    assert found[0].never_fraction == pytest.approx(np.mean(np.isinf(expected)))


def test_never_is_kept_apart_and_never_averaged() -> None:
    """A fleet so dear that it pays in some futures only: the upper quantile is infinity, the lower is a volume."""
    dear = replace(HERE, scenario={**HERE.scenario, **pinned({"engineering_fte_count": 4.0})})
    (found,) = breakeven_odds(dear, select_options((STATUS_QUO, "rented_on_demand")), DrawSet(draws_log2=8), LOW, HIGH)
    assert 0 < found.never_fraction < 1
    quantiles = (found.first.p10_mtok_per_month, found.first.p50_mtok_per_month, found.first.p90_mtok_per_month)
    for probability, volume in zip((0.1, 0.5, 0.9), quantiles, strict=True):
        assert np.isinf(volume) == (probability > 1 - found.never_fraction)
    assert found.last.p10_mtok_per_month >= found.first.p10_mtok_per_month


def test_here_is_the_share_of_futures_in_which_it_costs_less_at_the_logs_own_volume() -> None:
    draws = DrawSet(draws_log2=8)
    options = select_options((STATUS_QUO, "brokered"))
    (found,) = breakeven_odds(HERE, options, draws, LOW, HIGH)
    per_success = {
        name: option.cost(HERE, Evaluation(draws.of)).cost_per_success.value for name, option in options.items()
    }
    assert found.here_fraction == np.mean(per_success["brokered"] < per_success[STATUS_QUO])
    assert 0 < found.here_fraction < 1


def test_a_line_that_always_or_never_pays() -> None:
    always = first_last(lambda v: -v + np.zeros(3), None, 3, LOW, HIGH)
    assert always.first_mtok.tolist() == always.last_mtok.tolist() == [LOW] * 3
    never = first_last(lambda v: v + np.zeros(3), None, 3, LOW, HIGH)
    assert never.first_mtok.tolist() == never.last_mtok.tolist() == [np.inf] * 3
    only_below = first_last(lambda v: v - 100.0 + np.zeros(3), None, 3, LOW, HIGH)
    assert only_below.first_mtok.tolist() == [LOW] * 3
    assert only_below.last_mtok.tolist() == [np.inf] * 3


def test_a_staircase_whose_steps_nobody_knows_is_refused() -> None:
    cost = OPTIONS["rented_on_demand"].cost(HERE, Evaluation(DrawSet(draws_log2=1).of))
    bare = replace(cost, total=replace(cost.total, inputs=()), facts=())
    with pytest.raises(CurveError, match="nothing in its trace says how wide its steps are"):
        step_mtok_of(bare)
