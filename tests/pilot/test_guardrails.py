"""Guardrails: bad candidates are stopped soon, good ones hardly ever."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import canary, design, shadow

from breakeven.outcomes.restarting_bets import ln_wealth_path
from breakeven.pilot.design import Design, Guards
from breakeven.pilot.guardrails import baseline_bounds, guard_states, inferior_path
from breakeven.pilot.observations import CANDIDATE, Observations
from breakeven.pilot.quantiles import more_than_stakes
from breakeven.pilot.task_evidence import task_evidence
from breakeven.pilot.verdict import GuardState


def state_of(promised: Design, rows: Observations, name: str, unit: str = "") -> GuardState:
    (found,) = (each for each in guard_states(promised, rows) if each.name == name and unit in ("", each.unit))
    return found


def stops(ratio: float, runs: int, pairs: int, seed: int) -> list[int]:
    """Pairs after which each run was stopped; one more than there are where it was not."""
    rng, promised, found = np.random.default_rng(seed), design(), []
    for _ in range(runs):
        rows = shadow(rng, pairs, ratio)
        path = inferior_path(promised, promised.tasks[0], task_evidence(promised, promised.tasks[0], rows))
        reached = path >= np.log(100)
        found.append(int(reached.argmax()) + 1 if reached.any() else pairs + 1)
    return found


def test_a_candidate_of_four_fifths_is_stopped_within_some_130_pairs() -> None:
    found = stops(0.8, 80, 800, 1)
    assert np.median(found) <= 130
    assert max(found) <= 800


def test_a_candidate_at_the_margin_is_rarely_stopped() -> None:
    assert sum(each <= 1_000 for each in stops(0.95, 80, 1_000, 2)) <= 0.8 + 3 * 0.9


def test_a_candidate_that_turns_bad_late_is_stopped_soon() -> None:
    rng = np.random.default_rng(3)
    good, bad = shadow(rng, 1_500, 1.0), shadow(rng, 1_500, 0.7)
    late = np.arange(3_000) >= 2_000
    rows = replace(good, success=np.where(late, bad.success, good.success))
    promised = design()
    path = inferior_path(promised, promised.tasks[0], task_evidence(promised, promised.tasks[0], rows))
    reached = np.flatnonzero(path >= np.log(100))
    assert 1_000 < reached[0] < 1_200


def test_an_upstream_that_fails_half_way_is_seen_at_once() -> None:
    rng = np.random.default_rng(4)
    rows = canary(rng, 2_000, 1.0)
    failing = (np.arange(2_000) >= 1_000) & (rows.arm == CANDIDATE)
    first = np.flatnonzero(failing)[:12]
    some = np.zeros(2_000, dtype=bool)
    some[first] = True
    state = state_of(design("canary"), replace(rows, is_error=some), "error_rate")
    assert state.has_fired
    assert "more than 5.0 % is proven" in state.words
    assert not state_of(design("canary"), rows, "error_rate").has_fired


def test_errors_at_the_limit_rarely_stop() -> None:
    rng = np.random.default_rng(5)
    stopped = sum(
        bool((ln_wealth_path((rng.uniform(size=1_500) < 0.05) - 0.05, more_than_stakes()) >= np.log(100)).any())
        for _ in range(200)
    )
    assert stopped <= 2 + 3 * 1.4


@pytest.mark.parametrize("slower", [1.0, 2.0])
def test_latency_is_held_against_seconds_and_against_the_baseline(slower: float) -> None:
    rng = np.random.default_rng(6)
    rows = canary(rng, 4_000, 1.0)
    seconds = rng.lognormal(0, 0.5, 4_000) * np.where(rows.arm == CANDIDATE, slower, 1.0)  # p95 2.28 s
    promised = design("canary", guards=Guards(latency_p95_max_s=3.0, latency_p95_max_ratio=1.4))
    rows = replace(rows, latency_s=seconds)
    for unit in ("s", "ratio"):
        assert state_of(promised, rows, "latency_p95", unit).has_fired == (slower > 1)
    seen = state_of(promised, rows, "latency_p95", "ratio").seen
    assert seen is not None
    assert seen.low is not None
    assert seen.high is not None
    assert seen.low < slower < seen.high


def test_the_baselines_bound_is_known_before_each_answer() -> None:
    rng = np.random.default_rng(7)
    seconds, is_candidate = rng.lognormal(0, 0.5, 1_000), rng.uniform(size=1_000) < 0.5
    bounds = baseline_bounds(seconds, is_candidate, 0.005)
    shorter = baseline_bounds(seconds[:600], is_candidate[:600], 0.005)
    assert np.array_equal(bounds[: len(shorter)], shorter)
    assert np.isinf(bounds[0])
    assert 2.28 < bounds[-1] < 6


def test_spend_stops_at_its_cap() -> None:
    rows = shadow(np.random.default_rng(8), 100, 1.0)  # a cent a call
    assert state_of(design(guards=Guards(spend_max_usd=1.0)), rows, "spend").has_fired
    left = state_of(design(guards=Guards(spend_max_usd=1.01)), rows, "spend")
    assert not left.has_fired
    assert "1.00 USD" in left.words
    offline = design("offline", guards=Guards(spend_max_usd=0.1))
    assert all(each.name != "spend" for each in guard_states(offline, rows))


def test_every_task_has_its_guards_and_says_the_risk_of_all() -> None:
    rng = np.random.default_rng(10)
    task = np.repeat(rng.integers(0, 2, 800), 2)
    rows = shadow(rng, 800, 1.0, task=task, tasks=("faq", "code"))
    bad = (task == 1) & (rows.arm == CANDIDATE)
    rows = replace(rows, success=np.where(bad, 0.0, rows.success))
    states = guard_states(design(tasks=("faq", "code")), rows)
    assert [(each.task, each.name, each.has_fired) for each in states] == [
        ("faq", "inferior", False),
        ("faq", "error_rate", False),
        ("code", "inferior", True),
        ("code", "error_rate", False),
    ]
    assert "risk of a false stop 1.0 %, of any of 4 guards 4.0 %" in states[2].words
