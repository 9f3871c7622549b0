"""An evaluation says what happened, beside every baseline; its intervals cover the truth."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.learning.planted import table_of

from breakeven.errors import LearningError
from breakeven.learning.baselines import Pair, contender
from breakeven.learning.evaluation import evaluate
from breakeven.learning.evaluation_document import as_json, evaluation_document
from breakeven.learning.frontier import apgr, cost_at, curve, measured, threshold_sweep
from breakeven.learning.judged import KEPT_FRACTIONS, judge
from breakeven.learning.verdict import verdict
from breakeven.outcomes.outcome import Floats, OutcomeTable

USD = np.array([1.0, 20.0])


def planted(rows: int, seed: int) -> tuple[OutcomeTable, Floats]:
    """Two models and a score that knows how hard a request is for the weak one."""
    rng = np.random.default_rng(seed)
    hard = rng.random(rows)
    success = np.column_stack([rng.random(rows) < 0.9 - 0.6 * hard, rng.random(rows) < 0.85]).astype(float)
    table = table_of(
        success,
        models=("weak", "strong"),
        cost_usd=np.tile(USD, (rows, 1)),
        task=tuple("ab"[at % 2] for at in range(rows)),
    )
    return table, np.column_stack([0.9 - 0.6 * hard, np.full(rows, 0.85)])


def test_the_figures_are_those_of_the_curve_and_of_the_choices() -> None:
    table, scores = planted(900, 1)
    choices = (scores[:, 0] < 0.6).astype(np.intp)
    found = evaluate(table, scores, choices, resamples_count=200)
    pair = threshold_sweep(scores[:, 1] - scores[:, 0], 0, 1)
    shape = measured(pair, table.success, table.cost_usd, "usd")
    weak, strong = table.success.mean(axis=0)
    assert found.policy.apgr.value == pytest.approx(
        float(apgr(shape.shares[:, 1], shape.success_fraction, weak, strong)), abs=1e-6
    )
    rows = np.arange(900)
    assert found.policy.success_fraction.value == pytest.approx(table.success[rows, choices].mean(), abs=1e-6)
    assert found.policy.cost_per_request.value == pytest.approx(USD[choices].mean(), abs=1e-5)
    whole = curve(scores, table.success, table.cost_usd, USD)
    cost, success = np.append(whole.cost_per_request, 20.0), np.append(whole.success_fraction, strong)
    for kept, saved in zip(KEPT_FRACTIONS, found.policy.savings_at, strict=True):
        assert saved.value == pytest.approx(1 - float(cost_at(cost, success, kept * strong)) / 20.0, abs=1e-5)
    share = {each.model: each.share_fraction for each in found.models}
    assert share["strong"] == pytest.approx(choices.mean())
    assert found.models[0].success_taken.value == pytest.approx(table.success[choices == 0, 0].mean(), abs=1e-6)
    assert found.weak_model == "weak"
    assert found.strong_model == "strong"


def test_intervals_cover_the_truth() -> None:
    """The truth is a very large table; APGR, the success at the setting and the saving are covered as said."""
    big_table, big_scores = planted(200_000, 99)
    pair = Pair(0, 1)

    def judged(table: OutcomeTable, scores: Floats, seed: int, resamples: int) -> list[tuple[float, float, float]]:
        choices = (scores[:, 0] < 0.6).astype(np.intp)
        each = judge(
            [contender("p", "", scores, USD, pair, choices, settings_count=20)],
            table.success, table.cost_usd, pair, resamples, seed,
        )[0]  # fmt: skip
        figures = (each.apgr, each.success_fraction, each.savings_at[0], each.cpt50, each.aiq)
        return [(one.value or 0.0, one.low or 0.0, one.high or 0.0) for one in figures]

    truth = [value for value, _, _ in judged(big_table, big_scores, 0, 2)]
    runs, covered = 100, np.zeros(5)
    for seed in range(runs):
        found = judged(*planted(600, seed), seed, 200)
        covered += [low <= true <= high for (_, low, high), true in zip(found, truth, strict=True)]
    assert (covered >= 0.88 * runs).all()
    assert covered.mean() <= 0.99 * runs


def test_the_lead_over_a_baseline_is_paired() -> None:
    table, scores = planted(2000, 3)
    training, _ = planted(2000, 4)
    found = evaluate(table, scores, training=training, resamples_count=300)
    chance = next(each for each in found.baselines if each.name == "random_mix")
    lead = chance.policy_leads_apgr
    assert lead.value == pytest.approx((found.policy.apgr.value or 0.0) - 0.5, abs=1e-6)
    assert lead.low is not None
    assert lead.low > 0
    itself = found.policy.policy_leads_apgr
    assert (itself.value, itself.low, itself.high) == (0.0, 0.0, 0.0)
    oracle = next(each for each in found.baselines if each.name == "oracle")
    assert oracle.policy_leads_aiq.high is not None
    assert oracle.policy_leads_aiq.high < 0


def test_requests_that_some_model_was_not_tried_on_are_left_out_and_counted() -> None:
    table, scores = planted(500, 5)
    success = table.success.copy()
    success[:50, 0] = np.nan
    cost = table.cost_usd.copy()
    cost[60:70, 1] = np.nan
    found = evaluate(replace(table, success=success, cost_usd=cost), scores, resamples_count=100)
    assert found.requests_count == 440
    assert found.untried_requests_count == 50
    assert found.unpriced_requests_count == 10
    assert any("50 requests left out" in each for each in found.notes)
    kept = np.r_[50:60, 70:500]
    same = evaluate(table.rows(kept), scores[kept], resamples_count=100)
    assert same.policy.apgr == found.policy.apgr


def test_without_costs_strong_calls_stand_for_them_and_there_is_no_money() -> None:
    table, scores = planted(600, 6)
    choices = (scores[:, 0] < 0.6).astype(np.intp)
    bare = replace(table, cost_usd=np.full_like(table.cost_usd, np.nan))
    found = evaluate(bare, scores, choices, resamples_count=100)
    assert found.cost_basis == "strong_calls"
    assert found.unpriced_requests_count == 0
    assert found.policy.cost_per_request == found.policy.strong_share
    assert all(each.usd_per_request is None for each in found.models)
    assert any("no money" in each for each in found.notes)
    document = as_json(evaluation_document(found))
    assert document["usd_per_request"]["value"] is None
    assert "not known" in document["usd_per_request"]["why"]
    assert document["savings_at_95"]["value"] > 0


def test_the_document_has_the_promised_keys_and_survives_json() -> None:
    table, scores = planted(400, 7)
    training, _ = planted(400, 8)
    choices = (scores[:, 0] < 0.6).astype(np.intp)
    found = evaluate(table, scores, choices, training=training, incumbent="strong", resamples_count=100)
    judgement = verdict({"policy": choices}, table.success, table.cost_usd, table.models, 1, resamples_count=100)
    document = json.loads(json.dumps(as_json(evaluation_document(found, judgement)), allow_nan=False))
    for key in ("apgr", "cpt50", "cpt80", "aiq", "savings_at_95", "savings_at_98", "savings_at_100"):
        assert {"value", "low", "high"} <= set(document[key])
        assert document[key]["low"] <= document[key]["value"] <= document[key]["high"]
    assert [each["against"] for each in document["savings"]] == ["incumbent", "best_single", "dearest"]
    assert {each["name"] for each in document["baselines"]} >= {"random_mix", "oracle", "per_task_best", "best_single"}
    assert document["verdict"]["answer"] in {"route", "do not route", "not enough evidence"}
    assert set(document["charges_usd_per_request"].values()) == {None}


def test_a_policy_of_choices_alone_has_a_point_and_no_curve() -> None:
    table, _ = planted(300, 9)
    found = evaluate(table, choices=np.ones(300, dtype=np.intp), resamples_count=100)
    assert found.policy.apgr.value is None
    assert "one setting" in found.policy.apgr.why
    assert found.policy.strong_share.value == 1.0
    assert found.models[0].success_taken.value is None
    assert "sends it no request" in found.models[0].success_taken.why


def test_outcomes_that_are_all_alike_are_no_crash() -> None:
    table, scores = planted(300, 10)
    alike = replace(table, success=np.ones_like(table.success))
    found = evaluate(alike, scores, resamples_count=50)
    assert found.policy.apgr.value is None
    assert "not succeed more often" in found.policy.apgr.why
    assert any("all outcomes are alike" in each for each in found.notes)
    json.dumps(as_json(evaluation_document(found)), allow_nan=False)


def test_what_cannot_be_judged_is_named() -> None:
    table, scores = planted(50, 11)
    with pytest.raises(LearningError, match="nothing to judge"):
        evaluate(table)
    with pytest.raises(LearningError, match="one model only"):
        evaluate(table.of_models(("weak",)), scores[:, :1])
    with pytest.raises(LearningError, match=r"no outcomes of 'strnog'.*did you mean 'strong'"):
        evaluate(table, scores, strong="strnog")
    routed = table.success.copy()
    routed[np.arange(50), np.arange(50) % 2] = np.nan
    with pytest.raises(LearningError, match="0 of 50 requests were tried on all 2 models"):
        evaluate(replace(table, success=routed), scores)


def test_a_policy_that_asks_two_models_is_charged_for_both() -> None:
    table, scores = planted(400, 12)
    choices = (scores[:, 0] < 0.6).astype(np.intp)
    paid = np.where(choices == 1, 21.0, 1.0)
    found = evaluate(table, scores, choices, paid_usd=paid, resamples_count=50)
    assert found.policy.cost_per_request.value == pytest.approx(paid.mean(), abs=1e-5)
    assert found.savings[0].after_usd_per_request == pytest.approx(paid.mean())
    dear = {"both": np.full(400, 30.0)}
    assert verdict({"both": choices}, table.success, table.cost_usd, table.models, 1, paid=dear).router is None


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_any_outcomes_give_a_document_or_a_named_error(seed: int, rows: int, width: int) -> None:
    """Gaps, fractions, equal costs, no costs, free calls, empty prompts, tied scores."""
    rng = np.random.default_rng(seed)
    success = rng.choice([0.0, 0.5, 1.0, np.nan], p=[0.3, 0.2, 0.4, 0.1], size=(rows, width))
    cost = rng.choice([0.0, 1.0, 2.0, np.nan], p=[0.2, 0.4, 0.35, 0.05], size=(rows, width))
    table = table_of(
        success,
        prompts=tuple(rng.choice(np.array(["", "why?", "\ud800", "x" * 5000]), rows)),
        cost_usd=np.full_like(cost, np.nan) if seed % 5 == 0 else cost,
        task=tuple(rng.choice(np.array(["", "a", "b"]), rows)),
    )
    scores = rng.integers(0, 3, (rows, width)) / 2
    try:
        found = evaluate(table, scores, rng.integers(0, width, rows), training=table, resamples_count=20, seed=seed)
    except LearningError as error:
        assert "tried on all" in str(error) or "one model only" in str(error)
        return
    json.dumps(as_json(evaluation_document(found)), allow_nan=False)
    for each in found.savings:
        assert each.sentence


def test_many_requests_are_averaged_in_parts_with_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    table, scores = planted(1500, 13)
    whole = evaluate(table, scores, resamples_count=50)
    monkeypatch.setattr("breakeven.learning.judged._CELLS_MAX", 1500 * 200)
    parts = evaluate(table, scores, resamples_count=50)
    for one, other in zip((whole.policy, *whole.baselines), (parts.policy, *parts.baselines), strict=True):
        assert one.apgr.value == other.apgr.value
        assert one.aiq.low == pytest.approx(other.aiq.low, abs=1e-5)
        assert one.policy_leads_aiq.high == pytest.approx(other.policy_leads_aiq.high, abs=1e-5)
