"""Isotonic calibration: pools as elsewhere, used where it predicts better beyond doubt, alike offline and online."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from breakeven.learning.group_rates import paths_of
from breakeven.learning.isotonic import POOL_MIN_COUNT, calibrated, cross_stepped, fit_steps
from breakeven.learning.judgement import judge_learnt
from breakeven.learning.learn import learn
from breakeven.learning.policy_writing import document_of
from breakeven.learning.scorer import FittedScorer
from breakeven.learning.serving import served
from breakeven.learning.settings import LearnSettings
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.policy_file import load, save

from .planted import table_of, words_decide


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 0.5, 1.0])), min_size=2, max_size=60))
def test_pools_are_those_of_scikit_learn(rows: list[tuple[int, float]]) -> None:
    scores, success = np.array([each[0] / 30 for each in rows]), np.array([each[1] for each in rows])
    x, y = fit_steps(scores, success, 1)
    other = IsotonicRegression().fit(scores, success)
    fitted = other.predict(scores)
    for share in np.unique(fitted.round(9)):
        pool = np.isclose(fitted, share)
        at = int(np.argmin(np.abs(x - scores[pool].mean())))
        edge = 0.5 / (pool.sum() + 1)
        assert x[at] == pytest.approx(scores[pool].mean())
        assert y[at] >= np.clip(share, edge, 1 - edge) - 1e-9  # equal, unless a smaller pool before it is lifted


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=200),
    st.integers(1, 40),
)
def test_steps_never_fall_and_stay_inside(rows: list[tuple[float, float]], least: int) -> None:
    x, y = fit_steps(np.array([each[0] for each in rows]), np.array([each[1] for each in rows]), least)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) >= 0).all()
    assert ((y > 0) & (y < 1)).all()


def skewed(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores far too bold, what came of them, and folds."""
    rng = np.random.default_rng(seed)
    scores = rng.random(rows)
    truth = 0.3 + 0.4 * scores
    return scores[:, None], (rng.random(rows) < truth).astype(float)[:, None], rng.integers(4, size=rows)


def test_bold_scores_are_calibrated_and_predict_better_on_new_requests() -> None:
    scores, success, fold_of = skewed(3_000, 1)
    found = calibrated(scores, success, fold_of, ("m",))
    (trial,) = found.trials
    assert trial.used
    assert trial.log_loss_after_ratio < trial.log_loss_before_ratio - 0.1
    assert found.calibration is not None
    fresh, came, _ = skewed(20_000, 2)
    stepped = np.array([found.calibration.apply(each)[0] for each in fresh])
    assert np.square(stepped - came[:, 0]).mean() < np.square(fresh - came).mean() - 0.02
    assert np.abs(stepped - (0.3 + 0.4 * fresh[:, 0])).mean() < 0.03


def test_scores_that_are_right_are_left_as_they_are() -> None:
    """One-sided 5 %: of 60 tables of right scores hardly any is changed."""
    changed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scores = rng.random((600, 1))
        success = (rng.random((600, 1)) < scores).astype(float)
        found = calibrated(scores, success, rng.integers(4, size=600), ("m",))
        changed += found.trials[0].used
        if not found.trials[0].used:
            assert found.calibration is None
            assert (found.scores == scores).all()
    assert changed <= 3


def test_a_fold_s_steps_did_not_see_it() -> None:
    scores, success, fold_of = skewed(400, 3)
    before = cross_stepped(scores[:, 0], success[:, 0], fold_of)
    turned = success.copy()
    turned[fold_of == 0] = 1 - turned[fold_of == 0]
    after = cross_stepped(scores[:, 0], turned[:, 0], fold_of)
    assert (before[fold_of == 0] == after[fold_of == 0]).all()
    assert (before[fold_of != 0] != after[fold_of != 0]).any()


def test_a_model_without_gain_keeps_its_scores_beside_one_with() -> None:
    scores, success, fold_of = skewed(2_000, 4)
    rng = np.random.default_rng(5)
    right = rng.random((2_000, 1))
    both = np.hstack([scores, right])
    came = np.hstack([success, (rng.random((2_000, 1)) < right).astype(float)])
    found = calibrated(both, came, fold_of, ("bold", "right"))
    assert [each.used for each in found.trials] == [True, False]
    assert found.calibration is not None
    assert [found.calibration.apply([0.5, each])[1] for each in (0.1, 0.77)] == pytest.approx([0.1, 0.77])


def test_pools_hold_requests_enough() -> None:
    rng = np.random.default_rng(6)
    scores = rng.random(500)
    x, _ = fit_steps(scores, (rng.random(500) < scores).astype(float))
    edges = np.r_[-np.inf, (x[1:] + x[:-1]) / 2, np.inf]
    assert len(x) <= 500 / POOL_MIN_COUNT
    assert len(edges) > 3


def words_tell_all(rows: int, seed: int) -> OutcomeTable:
    """One word of twelve says whether the weak model succeeds: surer than a mean of many trees dares to be."""
    rng = np.random.default_rng(seed)
    topics, filler = rng.integers(12, size=rows), rng.integers(200, size=(rows, 6))
    prompts = tuple(
        f"topic{chr(97 + topic)} {' '.join(f'w{each}' for each in words)} {row}?"
        for row, (topic, words) in enumerate(zip(topics.tolist(), filler.tolist(), strict=True))
    )
    weak, strong = rng.random(rows) < np.where(topics % 2 == 0, 0.99, 0.02), rng.random(rows) < 0.95
    return table_of(np.column_stack([weak, strong]).astype(float), prompts, ("weak", "strong"), task=("t",) * rows)


def test_a_policy_with_steps_decides_alike_offline_and_online(tmp_path: Path) -> None:
    learnt = learn(words_tell_all(1_600, 1), LearnSettings())
    scorer = learnt.draft.scorer
    assert scorer is not None
    assert next(each.model for each in learnt.steps if each.used) == "weak"
    assert scorer.calibration is not None
    judgement = judge_learnt(learnt, resamples_count=300)
    save(document_of(learnt, (), date(2026, 11, 26), "breakeven test", {}, judgement), tmp_path)
    policy = load(tmp_path)
    loaded = policy.document.scorer
    assert loaded is not None
    assert loaded.calibration is not None
    assert (loaded.calibration.x == scorer.calibration.x).all()
    assert (loaded.calibration.y == scorer.calibration.y).all()
    assert (served(policy, learnt.calibration).choices == judgement.choices).all()
    rates = learnt.rates.rates(paths_of(learnt.calibration))
    with_steps, without = learnt.calibration_scores, FittedScorer(replace(scorer, calibration=None), learnt.rates)
    for prompt, rate, expected in zip(learnt.calibration.prompts[:50], rates[:50], with_steps[:50], strict=True):
        assert loaded.judge(prompt, rate).success == pytest.approx(expected, abs=1e-6)
    came, weak = learnt.calibration.success[:, 0], without.predict(learnt.calibration)[:, 0]
    assert np.square(with_steps[:, 0] - came).mean() < np.square(weak - came).mean()


def test_without_a_scorer_nothing_is_calibrated() -> None:
    table = words_decide(1_200, 4)
    assert learn(replace(table, prompts=("",) * 1_200), LearnSettings()).steps == ()
