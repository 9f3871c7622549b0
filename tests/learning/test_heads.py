"""Heads: what is fitted predicts online as offline; the linear head is the optimum; trees are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression

from breakeven.learning import heads
from breakeven.learning.heads import (
    fit_directions,
    fit_forest,
    fit_linear,
    fit_neighbours,
    fit_terms,
    forest_inputs,
    linear_success,
    texts_of,
    unknown_fractions,
    weighed,
)
from breakeven.routing.features import SURFACE_COUNT, prompt_features
from breakeven.routing.heads import Seen, logit

from .planted import words_decide

TABLE = words_decide(200, 0)
TEXTS = texts_of(TABLE.prompts)
TERMS = fit_terms(TEXTS.terms)
ROWS = weighed(TEXTS.terms, TERMS)
RATES = np.tile([0.55, 0.9], (200, 1))


def _seen(row: int) -> Seen:
    features = prompt_features(TABLE.prompts[row])
    return Seen(features.surface, TERMS.weigh(features.terms), RATES[row], logit(RATES[row]))


def test_terms_of_one_prompt_are_unknown_and_the_rarer_weigh_more() -> None:
    texts = texts_of(("same word", "same thing", "same"))
    known = fit_terms(texts.terms)
    assert known.columns.size == 1
    assert known.idf[0] == pytest.approx(1.0)
    assert unknown_fractions(texts.terms, known).tolist() == pytest.approx([2 / 3, 2 / 3, 0.0])


def test_rows_are_weighed_as_one_by_one() -> None:
    for row in (0, 7, 199):
        one = TERMS.weigh(prompt_features(TABLE.prompts[row]).terms)
        part = slice(ROWS.indptr[row], ROWS.indptr[row + 1])
        assert ROWS.indices[part].tolist() == one.rows.tolist()
        assert ROWS.data[part] == pytest.approx(one.weights, abs=1e-6)
        assert unknown_fractions(TEXTS.terms, TERMS)[row] == pytest.approx(one.unknown_fraction)


def test_directions_hold_as_much_of_the_prompts_as_any_so_many_can() -> None:
    found = fit_directions(ROWS)
    assert found.shape == (ROWS.shape[1], heads.DIRECTIONS_COUNT)
    dense = ROWS.toarray()
    best = np.square(np.linalg.svd(dense, compute_uv=False)[: heads.DIRECTIONS_COUNT]).sum()
    assert np.square(dense @ found).sum() == pytest.approx(best, rel=0.02)
    np.testing.assert_allclose(found.T @ found, np.eye(heads.DIRECTIONS_COUNT), atol=1e-5)
    assert (fit_directions(ROWS) == found).all()


def test_there_are_no_more_directions_than_prompts_or_terms() -> None:
    texts = texts_of(("same word", "same thing", "same"))
    known = fit_terms(texts.terms)
    found = fit_directions(weighed(texts.terms, known))
    assert found.shape == (1, heads.DIRECTIONS_COUNT)
    assert np.abs(found[0, 0]) == pytest.approx(1.0)
    assert not found[0, 1:].any()
    nothing = texts_of(("", ""))
    assert fit_directions(weighed(nothing.terms, fit_terms(nothing.terms))).shape == (0, heads.DIRECTIONS_COUNT)


def test_chosen_rows_of_texts_are_the_texts_of_those_prompts() -> None:
    chosen = TEXTS.rows(np.array([5, 0, 5]))
    fresh = texts_of((TABLE.prompts[5], TABLE.prompts[0], TABLE.prompts[5]))
    assert (chosen.surface == fresh.surface).all()
    assert chosen.terms.indexes.tolist() == fresh.terms.indexes.tolist()
    assert chosen.terms.offsets.tolist() == fresh.terms.offsets.tolist()


def test_the_linear_head_is_the_penalised_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "LINEAR_STEPS_COUNT", 300)
    found = fit_linear(ROWS, TABLE.success, np.zeros((200, 2)), penalty_ratio=2.0)
    for model in (0, 1):
        oracle = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(ROWS, TABLE.success[:, model])
        assert found.term_weights[:, model] == pytest.approx(oracle.coef_[0], abs=2e-2)
        assert found.intercepts[model] == pytest.approx(oracle.intercept_[0], abs=2e-2)


def test_outcomes_not_known_teach_nothing() -> None:
    success = TABLE.success.copy()
    success[100:, 0] = np.nan
    part = fit_linear(ROWS, success, logit(RATES))
    first = fit_linear(ROWS[:100], TABLE.success[:100], logit(RATES[:100]))
    assert part.term_weights[:, 0] == pytest.approx(first.term_weights[:, 0], abs=0.05)
    whole = fit_linear(ROWS, TABLE.success, logit(RATES))
    assert np.abs(part.term_weights[:, 0] - whole.term_weights[:, 0]).max() > 0.1


def test_all_heads_say_online_what_they_say_offline() -> None:
    linear = fit_linear(ROWS, TABLE.success, logit(RATES))
    inputs = forest_inputs(TEXTS.surface, RATES, ROWS @ linear.term_weights)
    forest = fit_forest(inputs, TABLE.success, RATES, linear.term_weights, seed=3)
    many_linear, many_forest = linear_success(linear, ROWS, RATES), forest.success_of(inputs)
    for row in range(0, 200, 11):
        assert linear.success(_seen(row)) == pytest.approx(many_linear[row], abs=1e-6)
        assert forest.success(_seen(row)) == pytest.approx(many_forest[row], abs=1e-6)


def test_the_forest_is_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(300, SURFACE_COUNT + 4)).astype(np.float32)
    success = (inputs[:, :2] + rng.normal(size=(300, 2)) > 0).astype(float)
    found = fit_forest(inputs, success, np.full((300, 2), 0.5), np.zeros((3, 2), np.float32), seed=5)
    oracle = ExtraTreesRegressor(
        heads.TREES_COUNT,
        min_samples_leaf=heads.LEAF_ROWS_MIN_COUNT,
        max_depth=heads.DEPTH_MAX_COUNT,
        max_features=heads.INPUTS_FRACTION,
        random_state=5,
    ).fit(inputs, success)
    asked = rng.normal(size=(500, inputs.shape[1])).astype(np.float32)
    assert found.success_of(asked) == pytest.approx(oracle.predict(asked), abs=1e-6)


def test_a_models_group_rate_stands_for_outcomes_not_known() -> None:
    inputs = np.zeros((50, SURFACE_COUNT + 2), np.float32)
    success = np.column_stack([np.full(50, np.nan), np.ones(50)])
    forest = fit_forest(inputs, success, np.full((50, 2), 0.3), np.zeros((1, 0), np.float32), seed=0)
    assert forest.success_of(inputs[:1])[0] == pytest.approx([0.3, 1.0], abs=1e-6)


def test_neighbours_find_the_prompt_itself() -> None:
    bank = fit_neighbours(ROWS, TABLE.success)
    similarity = bank.similarities(_seen(4).terms)
    assert int(np.argmax(similarity)) == 4
    assert similarity[4] == pytest.approx(1.0, abs=1e-5)
