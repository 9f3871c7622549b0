"""The verdict routes only where a router is better beyond doubt, and finds the single model that will do."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.verdict import verdict
from breakeven.outcomes.outcome import Floats, Indexes

MODELS = ("cheap", "dear")
COST = np.array([1.0, 20.0])


def outcomes(rows: int, cheap: Floats | float, dear: float, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.random(rows) < cheap, rng.random(rows) < dear]).astype(float)


def priced(rows: int) -> Floats:
    return np.tile(COST, (rows, 1))


def easy_half(rows: int, seed: int) -> tuple[Floats, Indexes]:
    """The cheap model does as well on the even rows and fails on the odd; the router knows."""
    odd = np.arange(rows) % 2
    return outcomes(rows, np.where(odd == 1, 0.2, 0.9), 0.9, seed), odd


def test_a_router_that_knows_is_taken() -> None:
    success, knows = easy_half(2000, 1)
    found = verdict({"knows": knows}, success, priced(2000), MODELS, reference=1)
    assert found.answer == "route"
    assert found.router == "knows"
    assert found.model is None
    assert found.missing_requests_count is None
    assert found.sentence.startswith("Route with knows: 52 % of the cost of dear")
    mine = next(each for each in found.standings if each.name == "knows")
    assert mine.beats_best_single
    assert mine.keeps_floor
    assert mine.gain_per_request.value == pytest.approx(9.5)


def test_a_router_that_guesses_is_not() -> None:
    success, _ = easy_half(2000, 2)
    guess = np.random.default_rng(3).integers(0, 2, 2000)
    found = verdict({"guess": guess}, success, priced(2000), MODELS, reference=1)
    assert found.answer == "do not route"
    assert found.model == "dear"
    assert not found.cheaper_model_will_do
    assert "no router tried costs less and keeps 95 %" in found.sentence


def test_a_policy_of_one_model_is_not_called_a_router_that_failed() -> None:
    success, _ = easy_half(2000, 2)
    found = verdict({"this policy": np.ones(2000, dtype=np.intp)}, success, priced(2000), MODELS, reference=1)
    assert found.answer == "do not route"
    assert "no router was tried on these (2,000 held-out requests)" in found.sentence


def test_a_cheaper_model_that_is_as_good_is_the_answer() -> None:
    success = outcomes(1500, 0.91, 0.9, 4)
    half = np.arange(1500) % 2
    found = verdict({"half": half}, success, priced(1500), MODELS, reference=1)
    assert found.answer == "do not route"
    assert found.model == "cheap"
    assert found.cheaper_model_will_do
    assert found.sentence.startswith("Do not route: use cheap alone: 5 % of the cost of dear")


def test_few_requests_are_not_enough_evidence_and_say_how_many_are_missing() -> None:
    success, knows = easy_half(120, 5)
    found = verdict({"knows": knows}, success, priced(120), MODELS, reference=1)
    assert found.answer == "not enough evidence"
    assert found.model == "dear"
    assert found.missing_requests_count is not None
    assert 120 + found.missing_requests_count >= 300
    assert f"{found.missing_requests_count:,} more labelled requests" in found.sentence


def test_a_floor_proven_elsewhere_need_not_be_shown_again() -> None:
    success = outcomes(400, np.where(np.arange(400) % 2 == 1, 0.2, 0.88), 0.9, 6)
    router = {"learnt": np.arange(400) % 2}
    cautious = verdict(router, success, priced(400), MODELS, 1, quality_floor_ratio=0.97)
    told = verdict(router, success, priced(400), MODELS, 1, quality_floor_ratio=0.97, proven=frozenset({"learnt"}))
    assert cautious.answer == "do not route"
    assert told.answer == "route"


def test_trying_many_routers_does_not_make_one_look_good() -> None:
    """Nothing can be told apart, the cheap model is worse: of 40 chance routers none may be taken, in 30 worlds."""
    wrong = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        success = outcomes(400, 0.80, 0.9, 100 + seed)
        routers = {f"r{at}": (rng.random(400) < 0.5).astype(np.intp) for at in range(40)}
        wrong += verdict(routers, success, priced(400), MODELS, 1, resamples_count=300, seed=seed).answer == "route"
    assert wrong <= 4


def test_a_failure_cost_decides() -> None:
    """The router saves 9.5 a call at 2 points of success: good where failures cost little, bad where they cost much."""
    rng = np.random.default_rng(7)
    rows, odd = 6000, np.arange(6000) % 2
    success = np.column_stack([rng.random(rows) < np.where(odd == 1, 0.2, 0.86), rng.random(rows) < 0.9]).astype(float)
    for failure, answer in ((1.0, "route"), (5000.0, "do not route")):
        found = verdict(
            {"r": odd}, success, priced(rows), MODELS, 1, quality_floor_ratio=0.9,
            failure_usd_per_request=np.full(rows, failure),
        )  # fmt: skip
        assert found.answer == answer


def test_a_better_router_at_no_more_cost_is_taken_too() -> None:
    """Two models of one price, each good at half of the requests."""
    odd = np.arange(1500) % 2
    rng = np.random.default_rng(8)
    success = np.column_stack(
        [rng.random(1500) < np.where(odd == 0, 0.9, 0.4), rng.random(1500) < np.where(odd == 1, 0.9, 0.4)]
    ).astype(float)
    found = verdict({"knows": odd}, success, np.ones((1500, 2)), MODELS, reference=1)
    assert found.answer == "route"


def test_without_costs_calls_of_the_reference_are_counted() -> None:
    success, knows = easy_half(2000, 1)
    found = verdict({"knows": knows}, success, None, MODELS, reference=1)
    assert found.answer == "route"
    assert found.cost_basis == "strong_calls"
    assert "50 % of the calls of the reference model" in found.sentence


def test_one_held_out_request_is_refused() -> None:
    with pytest.raises(LearningError, match="1 held-out requests"):
        verdict({}, np.ones((1, 2)), None, MODELS, 0)
