"""Baselines know what they say they know, and nothing of the outcomes judged."""

from __future__ import annotations

import numpy as np
import pytest
from tests.learning.planted import nothing_decides, table_of

from breakeven.learning.baselines import Contender, Pair, all_baselines, contender, keyword_scores, pair_of
from breakeven.learning.frontier import apgr, measured
from breakeven.outcomes.outcome import OutcomeTable

USD = np.array([1.0, 10.0])
PAIR = Pair(weak=0, strong=1)


def by_name(table: OutcomeTable, training: OutcomeTable | None) -> dict[str, Contender]:
    return {each.name: each for each in all_baselines(table, USD, PAIR, training)}


def area(each: Contender, table: OutcomeTable) -> float:
    assert each.pair is not None
    found = measured(each.pair, table.success, table.cost_usd, "usd")
    weak, strong = table.success.mean(axis=0)
    return float(apgr(found.shares[:, 1], found.success_fraction, weak, strong))


def test_all_of_them_are_there() -> None:
    table, training = nothing_decides(400, 1, tasks=4), nothing_decides(400, 2, tasks=4)
    names = set(by_name(table, training))
    assert names == {
        "best_single",
        "always_weak",
        "always_strong",
        "random_mix",
        "prompt_length",
        "keywords",
        "per_task_best",
        "oracle",
    }
    assert "per_task_best" not in by_name(table, None)


def test_chance_recovers_exactly_half_and_the_oracle_nearly_all() -> None:
    table, training = nothing_decides(3000, 1, tasks=4), nothing_decides(3000, 2, tasks=4)
    found = by_name(table, training)
    assert area(found["random_mix"], table) == pytest.approx(0.5)
    assert area(found["oracle"], table) > 0.9
    assert area(found["per_task_best"], table) > 0.6
    assert area(found["keywords"], table) == pytest.approx(0.5, abs=0.1)


def test_the_oracle_takes_the_cheapest_that_succeeds() -> None:
    success = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    oracle = by_name(table_of(success), None)["oracle"]
    assert oracle.choices is not None
    assert oracle.choices.tolist() == [0, 1, 0]


def test_nothing_but_the_oracle_sees_the_outcomes_judged() -> None:
    """Turn the judged outcomes round: choices and scores of the others stay, as they come from training."""
    table, training = nothing_decides(300, 1, tasks=3), nothing_decides(300, 2, tasks=3)
    turned = table_of(1.0 - table.success, table.prompts, table.models, table.cost_usd, task=table.tasks)
    before, after = by_name(table, training), by_name(turned, training)
    for name in ("best_single", "prompt_length", "keywords", "per_task_best"):
        for first, second in ((before[name].sweep, after[name].sweep), (before[name].pair, after[name].pair)):
            assert (first is None) == (second is None)
            assert first is None or second is None or (first.choices == second.choices).all()
        one, other = before[name].choices, after[name].choices
        assert (one is None and other is None) or (one == other).all()  # type: ignore[union-attr]
    assert (before["oracle"].choices != after["oracle"].choices).any()


def test_the_longer_prompt_goes_to_the_strong_model() -> None:
    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 200, 1000)
    weak = rng.random(1000) > lengths / 220
    table = table_of(
        np.column_stack([weak, np.ones(1000)]).astype(float),
        tuple("x" * int(each) for each in lengths),
        task=("t",) * 1000,
    )
    length = by_name(table, None)["prompt_length"]
    assert area(length, table) > 0.6
    assert length.sweep is None
    learnt = by_name(table, table)["prompt_length"]
    assert learnt.sweep is not None


def test_hard_words_score_higher() -> None:
    easy, hard = keyword_scores(
        ["hello there", "Prove the theorem step by step, then explain why the algorithm's matrix code ```def f```"]
    )
    assert 0.0 <= easy < hard <= 1.0
    assert keyword_scores(["", "\ud800", "é" * 100_000]).shape == (3,)


def test_the_pair_is_the_best_and_the_cheapest_other() -> None:
    success = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert pair_of(success, np.array([3.0, 2.0, 1.0])) == Pair(weak=1, strong=2)
    assert pair_of(success, np.array([3.0, 2.0, 1.0]), strong=0) == Pair(weak=2, strong=0)
    assert pair_of(success, None) == Pair(weak=1, strong=2)
    assert pair_of(success, np.array([np.nan, 2.0, 1.0])) == Pair(weak=1, strong=2)


def test_a_contender_has_both_curves() -> None:
    rng = np.random.default_rng(0)
    each = contender("mine", "it", rng.random((50, 2)), USD, PAIR)
    assert each.sweep is not None
    assert each.pair is not None
    assert each.choices is None
