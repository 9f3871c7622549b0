"""The floor is kept as often as promised where the truth is planted, and much of the traffic moves."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.frontier import Sweep
from breakeven.learning.quality_floor import (
    Expected,
    choose,
    expected,
    gains,
    leaving_margins,
    margin_sweep,
    margins_between,
    ratio_lower_bound,
)
from breakeven.outcomes.outcome import Floats, Indexes

CHEAP, DEAR = 0, 1
USD = np.array([1.0, 20.0])
STEPS = 25


def planted(rows: int, seed: int) -> tuple[Floats, Floats]:
    """A hardness between 0 and 1 that is known, and outcomes: the dear model succeeds at 0.8, the cheap one at less the
    harder it is, 0.8 - 0.5 hardness**2."""
    rng = np.random.default_rng(seed)
    hard = rng.random(rows)
    cheap, dear = rng.random(rows) < 0.8 - 0.5 * hard**2, rng.random(rows) < 0.8
    return hard, np.column_stack([cheap, dear]).astype(float)


def true_ratio(share: float) -> float:
    """Of the policy that moves the easiest `share`: the integral of what is lost is 0.5 share**3 / 3."""
    return 1.0 - 0.5 * share**3 / 3 / 0.8


def swept(hard: Floats) -> Sweep:
    edges = np.arange(1, STEPS + 1) / STEPS
    return Sweep(edges, np.where(hard[None, :] <= edges[:, None], CHEAP, DEAR))


def learnt(floor: float) -> Expected:
    hard, success = planted(4000, 999)
    return expected(swept(hard).choices, success, DEAR, floor)


@pytest.mark.parametrize(("floor", "part"), [(0.95, 0.6), (0.98, 0.3)])
def test_the_floor_is_broken_in_one_of_twenty_at_most_and_traffic_moves(floor: float, part: float) -> None:
    """`benchmarks/quality_floor.py` measures the same on many more runs."""
    known, runs = learnt(floor), 80
    broken, moved = 0, 0.0
    for seed in range(runs):
        hard, success = planted(800, seed)
        found = choose(swept(hard), success, DEAR, floor, seed=seed, learnt=known)
        if found.at is not None:
            share = (found.at + 1) / STEPS
            broken += true_ratio(share) < floor
            moved += share / runs
    assert broken <= runs * 0.05 + 3 * np.sqrt(runs * 0.05 * 0.95)
    limit = ((1 - floor) * 0.8 * 6) ** (1 / 3)
    assert part * limit <= moved < limit


def test_a_naive_choice_breaks_the_floor_about_half_of_the_time() -> None:
    """What the bound is for: the same settings, taken by their measured ratio."""
    broken, runs = 0, 100
    for seed in range(runs):
        hard, success = planted(1000, seed)
        mean = gains(swept(hard).choices, success, DEAR, 0.98).mean(axis=0)
        broken += true_ratio(float(np.flatnonzero(mean >= 0)[-1] + 1) / STEPS) < 0.98
    assert broken >= 35


def test_fractional_success_is_kept_too() -> None:
    known, broken, runs = learnt(0.95), 0, 40
    for seed in range(runs):
        hard, success = planted(1000, seed)
        graded = np.stack([success, planted(1000, seed + 5000)[1]]).mean(axis=0)
        hard2 = hard  # the second draw's hardness is another one: half of the loss does not follow the score
        found = choose(swept(hard2), graded, DEAR, 0.95, seed=seed, learnt=known)
        share = 0.0 if found.at is None else (found.at + 1) / STEPS
        broken += 1 - (0.5 * share**3 / 3 + share * 0.5 / 3) / 2 / 0.8 < 0.95
    assert broken <= 6


def test_thin_data_says_how_many_requests_are_missing_and_they_are_enough() -> None:
    hard, success = planted(150, 4)
    found = choose(swept(hard), success, DEAR, 0.98, learnt=learnt(0.98))
    assert not found.holds
    assert found.moved_fraction == 0.0
    assert found.success_ratio is None
    assert found.missing_requests_count is not None
    assert "not enough evidence" in found.why
    assert f"{found.missing_requests_count:,}" in found.why
    wanted = 150 + found.missing_requests_count
    shown = 0
    for seed in range(20):
        hard, success = planted(wanted, 100 + seed)
        shown += choose(swept(hard), success, DEAR, 0.98, seed=seed, learnt=learnt(0.98)).holds
    assert shown >= 10


def test_a_cheap_model_that_is_far_worse_needs_no_more_requests() -> None:
    rng = np.random.default_rng(2)
    success = np.column_stack([np.zeros(500), rng.random(500) < 0.9]).astype(float)
    sweep = Sweep(np.array([0.0, 1.0]), np.stack([np.where(np.arange(500) % 2 == 0, CHEAP, DEAR), np.zeros(500, int)]))
    found = choose(sweep, success, DEAR, 0.95)
    assert not found.holds
    assert found.missing_requests_count is None
    assert "would not help" in found.why


def test_a_cheap_model_that_is_better_takes_all() -> None:
    rng = np.random.default_rng(2)
    success = np.column_stack([rng.random(500) < 0.9, rng.random(500) < 0.6]).astype(float)
    found = choose(swept(rng.random(500)), success, DEAR, 0.98, learnt=None)
    assert found.at == STEPS - 1
    assert found.moved_fraction == 1.0
    assert found.success_ratio == pytest.approx(success[:, 0].mean() / success[:, 1].mean())


def test_requests_that_a_model_was_not_tried_on_are_left_out_and_counted() -> None:
    hard, success = planted(1000, 8)
    success[:100, CHEAP] = np.nan
    with_gaps = choose(swept(hard), success, DEAR, 0.95, seed=3)
    without = choose(swept(hard[100:]), success[100:], DEAR, 0.95, seed=3)
    assert with_gaps.left_out_requests_count == 100
    assert with_gaps.calibration_requests_count == 900
    assert with_gaps.holds
    assert abs(with_gaps.moved_fraction - without.moved_fraction) <= 0.1


def test_the_choice_is_the_same_for_the_same_seed_and_says_what_the_policy_file_wants() -> None:
    hard, success = planted(1000, 8)
    first, second = (choose(swept(hard), success, DEAR, 0.95, seed=3) for _ in range(2))
    assert first == second
    promise = first.guarantee("dear")
    assert promise.holds
    assert promise.against_model == "dear"
    assert promise.quality_floor_ratio == 0.95
    assert promise.calibration_requests_count == 1000


def brute_margin(scores: Floats, usd: Floats, reference: int, margin: float) -> list[int]:
    found = []
    for row in scores:
        allowed = [
            j
            for j in range(len(usd))
            if j == reference or (usd[j] < usd[reference] and row[reference] - row[j] <= margin)
        ]
        found.append(min(allowed, key=lambda j: (usd[j], -row[j])))
    return found


def test_margins_let_the_cheapest_model_take_what_it_loses_little_on() -> None:
    rng = np.random.default_rng(1)
    scores, usd = rng.random((300, 4)), np.array([1.0, 1.0, 3.0, 2.0])
    margins = margins_between(leaving_margins(scores, usd, reference=2), 20)
    sweep = margin_sweep(scores, usd, 2, margins)
    for margin, choice in zip(margins, sweep.choices, strict=True):
        assert choice.tolist() == brute_margin(scores, usd, 2, margin)
    moved = (sweep.choices != 2).mean(axis=1)
    assert moved == pytest.approx(np.arange(1, 21) / 20, abs=0.01)


def test_gains_are_bounded_by_the_floor() -> None:
    choices: Indexes = np.array([[0, 0, 0, 0]])
    success = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    assert gains(choices, success, DEAR, 0.9)[:, 0] == pytest.approx([0.1, 1.0, -0.9, 0.0])


def test_a_lower_bound_of_the_ratio_covers_the_truth() -> None:
    covered, bounds = 0, []
    for seed in range(20):
        hard, success = planted(1000, seed)
        policy = np.where(hard <= 0.7, success[:, CHEAP], success[:, DEAR])
        bounds.append(ratio_lower_bound(policy, success[:, DEAR], seed=seed))
        covered += bounds[-1] <= true_ratio(0.7)
    assert covered >= 17
    assert np.mean(bounds) > true_ratio(0.7) - 0.07


def test_impossible_wishes_are_named() -> None:
    hard, success = planted(20, 1)
    with pytest.raises(LearningError, match="quality floor 0"):
        choose(swept(hard), success, DEAR, 0.0)
    with pytest.raises(LearningError, match="confidence 95"):
        choose(swept(hard), success, DEAR, 0.95, confidence_fraction=95.0)
    with pytest.raises(LearningError, match="20 choices for 19"):
        choose(swept(hard), success[1:], DEAR)
    with pytest.raises(LearningError, match="no model is cheaper"):
        margins_between(leaving_margins(np.ones((3, 2)), np.array([1.0, 1.0]), 1))


def test_no_calibration_requests_are_no_evidence() -> None:
    found = choose(Sweep(np.array([0.0]), np.zeros((1, 3), dtype=np.intp)), np.full((3, 2), np.nan), DEAR)
    assert not found.holds
    assert found.left_out_requests_count == 3
    assert "not enough evidence" in found.why


def test_a_promise_for_the_next_requests_is_more_careful_and_kept_as_counted() -> None:
    """Judged on 800 further requests, whose own luck is part of the count."""
    known, broken, runs = learnt(0.95), {None: 0, 800: 0}, 40
    moved = {None: 0.0, 800: 0.0}
    for seed in range(runs):
        hard, success = planted(800, seed)
        later_hard, later = planted(800, 7000 + seed)
        for future in (None, 800):
            found = choose(swept(hard), success, DEAR, 0.95, seed=seed, learnt=known, future_requests_count=future)
            if found.at is not None:
                kept = gains(swept(later_hard).choices[[found.at]], later, DEAR, 0.95).mean()
                broken[future] += kept < 0
                moved[future] += found.moved_fraction
    assert broken[800] <= runs * 0.05 + 3 * np.sqrt(runs * 0.05 * 0.95)
    assert broken[800] < broken[None]
    assert 0 < moved[800] < moved[None]
