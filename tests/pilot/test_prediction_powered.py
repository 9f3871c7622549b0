"""Audited outcomes: unbiased by construction, and a judge alone proves nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.pilot.planted_outcomes import audited, canary, design, shadow

from breakeven.pilot.increments import Increments, ln_e_path, ln_e_value, planned_stakes
from breakeven.pilot.observations import Floats, Observations
from breakeven.pilot.pairing import rows_of_pairs
from breakeven.pilot.prediction_powered import Audit, audited_dealt, audited_pairs, usable, why_not, widening_ratio
from breakeven.pilot.quality import qualities
from breakeven.pilot.two_sample import dealt

MARGIN, AUDIT = 0.95, 0.2
LENIENT, VERY_LENIENT = 0.4, 0.7
"""Of the candidate's failures, called successes by the judge."""


def made_of(rows: Observations) -> Increments:
    places = rows_of_pairs(rows)
    audit = Audit(rows.is_audited[places[:, 0]], rows.audit_fraction[places[:, 0]])
    return audited_pairs(rows.success[places], rows.judged[places], audit, rows.unit[places[:, 0]], 0.9, 1.0)


def path(rows: Observations) -> Floats:
    wider = widening_ratio(AUDIT)
    return ln_e_path(made_of(rows), MARGIN, planned_stakes(0.34 / wider, 1 / wider))


@pytest.mark.parametrize("drawn", [0.05, 0.2, 0.9])
def test_the_mean_over_the_audits_lot_is_what_people_say(drawn: float) -> None:
    rng = np.random.default_rng(1)
    labels, judged = rng.integers(0, 2, (60, 2)).astype(float), rng.uniform(size=(60, 2))
    is_audited = rng.uniform(size=60) < 0.3
    scores = []
    for last in (True, False):
        is_audited[-1] = last
        made = audited_pairs(labels, judged, Audit(is_audited, np.full(60, drawn)), np.arange(60), 0.9, 1.0)
        scores.append(float(made.scores(MARGIN)[-1]))
        assert made.lowest(MARGIN)[-1] <= scores[-1] <= made.highest(MARGIN)[-1]
    truth = labels[-1, 1] - MARGIN * labels[-1, 0]
    assert drawn * scores[0] + (1 - drawn) * scores[1] == pytest.approx(truth, abs=1e-12)


def test_the_same_for_a_canary() -> None:
    rng = np.random.default_rng(2)
    rows = canary(rng, 50, 1.0)
    lot, judged = dealt(rows, rows.success), rng.uniform(size=50)
    is_audited = rng.uniform(size=50) < 0.4
    found = []
    for last in (True, False):
        is_audited[-1] = last
        told = audited_dealt(lot, judged, Audit(is_audited, np.full(50, 0.4)), 0.9, 1.0)
        found.append(float(told.success[-1]))
        assert told.success_low[-1] <= found[-1] <= told.success_high[-1]
    assert 0.4 * found[0] + 0.6 * found[1] == pytest.approx(rows.success[-1], abs=1e-12)


def test_a_lenient_judge_would_promote_anything_and_its_audit_does_not() -> None:
    rng = np.random.default_rng(3)
    judge = checked = 0
    for _ in range(40):
        rows = audited(rng, shadow(rng, 2_500, 0.93), AUDIT, VERY_LENIENT)
        checked += bool((path(rows) >= np.log(20)).any())
        alone = rows.judged.reshape(-1, 2)
        zero, one = np.zeros((2_500, 1)), np.ones((2_500, 1))
        believed = Increments(alone[:, 1], alone[:, 0], zero, one, zero, one, one[:, 0])
        judge += ln_e_value(believed, MARGIN, planned_stakes(0.34)) >= np.log(20)
    assert judge == 40
    assert checked <= 1


def test_a_good_candidate_needs_fewer_labels_than_by_people_alone() -> None:
    rng = np.random.default_rng(4)
    labels, alone = [], []
    for _ in range(40):
        truth = shadow(rng, 5_000, 1.0)
        rows = audited(rng, truth, AUDIT, LENIENT)
        reached = path(rows) >= np.log(20)
        after = int(reached.argmax()) + 1 if reached.any() else 5_000
        labels.append(int(rows.is_audited[: 2 * after : 2].sum()))
        values = truth.success.reshape(-1, 2)
        zero, one = np.zeros((5_000, 1)), np.ones((5_000, 1))
        people = Increments(values[:, 1], values[:, 0], zero, one, zero, one, one[:, 0])
        reached = ln_e_path(people, MARGIN, planned_stakes(0.34)) >= np.log(20)
        alone.append(int(reached.argmax()) + 1 if reached.any() else 5_000)
    assert np.median(labels) < 0.85 * np.median(alone)


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_a_judge_without_labels_by_people_proves_nothing(mode: str) -> None:
    rng = np.random.default_rng(5)
    truth = shadow(rng, 3_000, 0.5) if mode == "shadow" else canary(rng, 3_000, 0.5)
    rows = audited(rng, truth, AUDIT, 1.0, 1.0)
    promised = design("shadow" if mode == "shadow" else "canary")
    unlabelled = replace(rows, success=np.full(rows.rows_count, np.nan))
    never_drawn = replace(unlabelled, is_audited=np.zeros(rows.rows_count, dtype=bool))
    no_audit = replace(never_drawn, audit_fraction=np.full(rows.rows_count, np.nan))
    hand_picked = replace(rows, is_audited=rows.is_audited & (rows.success == 1), audit_fraction=rows.audit_fraction)
    for each in (unlabelled, never_drawn, no_audit, hand_picked):
        (quality,), _ = qualities(promised, each, 2e9)
        assert quality.ln_e_ratio <= 0
        assert not quality.is_accepted


def test_audits_that_are_no_lot_are_named() -> None:
    chance = np.full(1_000, 0.2)
    drawn = np.zeros(1_000, dtype=bool)
    drawn[:200] = True
    labelled = np.ones(1_000, dtype=bool)
    assert not why_not(Audit(drawn, chance), labelled)
    drawn[:100] = False
    assert "promise 200" in why_not(Audit(drawn, chance), labelled)
    assert "of the 30 that are wanted" in why_not(Audit(drawn, chance), ~labelled)
    assert usable(Audit(drawn[:4], np.array([0.0, np.nan, 0.001, 0.5]))).tolist() == [False, False, False, True]
