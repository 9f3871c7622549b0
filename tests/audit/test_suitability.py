"""Suitability: the prior where nothing is known, the labels where they are; the total's interval holds its word."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy.special import ndtr

from breakeven.audit.commodity import simulate, spend_fraction
from breakeven.audit.judging import CORRELATION, HARD_CALL_COST
from breakeven.audit.suitability import TaskEvidence, interval, posterior, prior_name, priors
from breakeven.audit.task import KINDS, Kind
from breakeven.catalog.load import load_catalog
from breakeven.facts.distribution import quantile

FACTS = load_catalog(date(2026, 11, 25)).assumptions
PRIORS = priors(FACTS)
RHO = FACTS[CORRELATION].typical


def can_do(evidence: TaskEvidence, rho: float = RHO) -> np.ndarray:
    """Draws for one task."""
    return posterior([evidence], PRIORS, rho, seed=0, draws_count=20_000)[:, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_without_evidence_the_catalogue_speaks(kind: Kind) -> None:
    fact = FACTS[prior_name(kind)]
    low, typical, high = np.quantile(can_do(TaskEvidence(kind)), [0.05, 0.5, 0.95])
    assert low == pytest.approx(fact.low, abs=0.02)
    assert typical == pytest.approx(fact.typical, abs=0.02)
    assert high == pytest.approx(fact.high, abs=0.02)


def test_many_labels_win_over_the_prior_and_few_do_not() -> None:
    many = interval(can_do(TaskEvidence("classification", 1.0, 40, 160)))
    assert many.typical == pytest.approx(0.2, abs=0.05)
    few = interval(can_do(TaskEvidence("classification", 1.0, 0, 2)))
    assert 0.3 < few.typical < FACTS[prior_name("classification")].typical


def test_the_posterior_is_that_of_a_fine_grid() -> None:
    """Oracle: one task, so the common factor is nothing special, integrated by brute force over the quantiles."""
    u = (np.arange(200_000) + 0.5) / 200_000
    theta = quantile(FACTS[prior_name("extraction")], u)
    weight = theta**13 * (1 - theta) ** 7
    weight /= weight.sum()
    found = can_do(TaskEvidence("extraction", 1.0, 13, 7))
    assert found.mean() == pytest.approx(float(weight @ theta), abs=0.004)
    assert found.std() == pytest.approx(float(np.sqrt(weight @ theta**2 - (weight @ theta) ** 2)), abs=0.004)


def test_a_kind_in_doubt_is_wider() -> None:
    sure, torn = (interval(can_do(TaskEvidence("classification", share))) for share in (1.0, 0.3))
    assert torn.high - torn.low > sure.high - sure.low


def test_labels_of_one_task_speak_for_the_others_as_much_as_tasks_agree() -> None:
    bad_news = TaskEvidence("chat", 1.0, 2, 48)
    moved = []
    for rho in (0.0, 0.8):
        alone = posterior([TaskEvidence("chat")], PRIORS, rho, 0, 20_000)[:, 0]
        beside = posterior([TaskEvidence("chat"), bad_news], PRIORS, rho, 0, 20_000)[:, 0]
        moved.append(float(np.median(alone) - np.median(beside)))
    assert abs(moved[0]) < 0.02
    assert moved[1] > 0.15


def test_an_interval_of_thousands_of_outcomes_does_not_break() -> None:
    found = interval(can_do(TaskEvidence("code", 0.5, 390, 10)))
    assert found.low <= found.typical <= found.high
    assert found.typical == pytest.approx(0.975, abs=0.02)


@pytest.mark.parametrize("labels_count", [0, 12])
def test_the_80_percent_interval_of_the_total_covers_the_planted_truth(labels_count: int) -> None:
    """Truth drawn as the model says: shares of tasks that agree in part, labels by coin."""
    rng = np.random.default_rng([20261126, labels_count])
    kinds: list[Kind] = ["classification", "faq", "extraction", "chat", "code", "unknown", "agent", "rewriting"]
    covered_calls, covered_spend, logs_count = 0, 0, 100
    for _ in range(logs_count):
        share = rng.dirichlet(np.full(len(kinds), 0.7))
        z = np.sqrt(RHO) * rng.standard_normal() + np.sqrt(1 - RHO) * rng.standard_normal(len(kinds))
        truth = np.array(
            [float(quantile(PRIORS[k], ndtr(np.array([each])))[0]) for k, each in zip(kinds, z, strict=True)]
        )
        ratio = float(quantile(FACTS[HARD_CALL_COST], rng.random(1))[0])
        can = rng.binomial(labels_count, truth)
        evidence = [TaskEvidence(k, 1.0, int(c), labels_count - int(c)) for k, c in zip(kinds, can, strict=True)]
        draws = simulate(posterior(evidence, PRIORS, RHO, 0, 1_000), FACTS[HARD_CALL_COST], 0)
        calls, spend = interval(draws.can_do @ share), interval(draws.can_do_spend @ share)
        covered_calls += calls.low <= truth @ share <= calls.high
        covered_spend += spend.low <= spend_fraction(truth, ratio) @ share <= spend.high
    assert 0.70 <= covered_calls / logs_count <= 0.90
    assert 0.70 <= covered_spend / logs_count <= 0.90
