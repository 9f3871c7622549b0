"""Scorer and heads: against slow, plain computations of the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.routing.policies_at_hand import PROMPTS, scorer

from breakeven.routing.features import hashed_terms, prompt_features
from breakeven.routing.heads import Floats, GroupHead, LinearHead, Seen, logit
from breakeven.routing.scorer import Calibration, Novelty
from breakeven.routing.term_weights import TermWeights

SCORER = scorer()
RATES = np.array([0.6, 0.9])


def seen(prompt: str, rates: Floats = RATES) -> Seen:
    return SCORER.see(prompt_features(prompt, SCORER.terms.bits), rates)


def dense(prompt: str) -> Floats:
    """The tf-idf row of a prompt, by its definition."""
    row = np.zeros(SCORER.terms.columns.size)
    terms = hashed_terms(prompt, SCORER.terms.bits)
    for column, count in zip(terms.indexes, terms.counts, strict=True):
        at = np.flatnonzero(SCORER.terms.columns == column)
        row[at] = (1 + np.log(count)) * SCORER.terms.idf[at]
    length = np.linalg.norm(row)
    return row / length if length else row


TEXTS = st.one_of(
    st.sampled_from(PROMPTS),
    st.text(max_size=60),
    st.lists(st.sampled_from(["where", "is", "my", "parcel", "which", "the", "square"]), max_size=9).map(" ".join),
)


@given(TEXTS)
def test_terms_are_weighted_by_definition(prompt: str) -> None:
    weighed = SCORER.terms.weigh(hashed_terms(prompt, SCORER.terms.bits))
    row = np.zeros(SCORER.terms.columns.size)
    row[weighed.rows] = weighed.weights
    assert row == pytest.approx(dense(prompt), abs=1e-5)


@given(TEXTS)
def test_linear_head(prompt: str) -> None:
    head = SCORER.linear
    assert head is not None
    at = seen(prompt)
    surface = (at.surface - head.surface_mean) / head.surface_scale
    logits = dense(prompt) @ head.term_weights + surface @ head.surface_weights + logit(RATES) + head.intercepts
    assert head.success(at) == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-5)


@given(TEXTS)
def test_neighbours_are_the_nearest_rows(prompt: str) -> None:
    head = SCORER.neighbours
    assert head is not None
    bank = np.array([dense(each) for each in PROMPTS])
    similarity = bank @ dense(prompt)
    assert head.similarities(seen(prompt).terms) == pytest.approx(similarity, abs=1e-5)
    least = max(np.sort(similarity)[-head.neighbours_count], 1e-9)
    for model in range(2):
        rows = [at for at in range(len(PROMPTS)) if similarity[at] >= least - 1e-6 and similarity[at] > 1e-9]
        known = [at for at in rows if not np.isnan(head.outcomes[at, model])]
        won = sum(similarity[at] * head.outcomes[at, model] for at in known) + head.prior_ratio * RATES[model]
        total = sum(similarity[at] for at in known) + head.prior_ratio
        assert head.success(seen(prompt))[model] == pytest.approx(won / total, abs=1e-4)


def test_neighbours_look_up_the_heaviest_terms_only() -> None:
    assert SCORER.neighbours is not None
    head = replace(SCORER.neighbours, query_terms_count=1)
    terms = seen(PROMPTS[0]).terms
    heaviest = terms.rows[int(np.argmax(terms.weights))]
    expected = [dense(each)[heaviest] * terms.weights.max() for each in PROMPTS]
    assert head.similarities(terms) == pytest.approx(expected, abs=1e-5)


@given(TEXTS)
def test_the_forest_walks_as_recursion_does(prompt: str) -> None:
    head = SCORER.forest
    assert head is not None
    at = seen(prompt)
    sums = at.terms.weights @ head.term_weights[at.terms.rows]
    inputs = np.concatenate([at.surface, logit(RATES), sums]).astype(np.float32)

    def leaf(node: int) -> Floats:
        below = int(head.left[node])
        if below == node:
            return np.asarray(head.value[node], np.float64)
        return leaf(below if inputs[head.feature[node]] <= head.threshold[node] else below + 1)

    expected = np.mean([leaf(int(root)) for root in head.roots], axis=0)
    assert head.success(at) == pytest.approx(expected)
    assert head.success_of(inputs[None])[0] == pytest.approx(expected)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6),
    st.one_of(st.floats(-0.5, 1.5), st.integers(0, 5), st.just(float("nan"))),
)
def test_calibration_is_numpys_interpolation_to_the_last_bit(knots: list[tuple[float, float]], score: float) -> None:
    x, y = (np.array([sorted(each)]) for each in zip(*knots, strict=True))
    if isinstance(score, int):  # just at a knot
        score = float(x[0, score % x.size])
    found = Calibration(x, y).apply([score])
    # of one knot, numpy takes what is no number for the knot
    expected = np.nan if np.isnan(score) else np.interp(score, x[0], y[0])
    assert np.array_equal(found, [expected], equal_nan=True)


@given(TEXTS)
def test_the_blend_is_a_weighted_mean_then_calibrated(prompt: str) -> None:
    at = seen(prompt)
    heads = SCORER.heads()
    weights = np.array([SCORER.blend[name] for name in heads])
    mean = weights @ np.array([head.success(at) for head in heads.values()]) / weights.sum()
    assert SCORER.calibration is not None
    expected = [np.interp(mean[m], SCORER.calibration.x[m], SCORER.calibration.y[m]) for m in range(2)]
    found = SCORER.predicted_success(prompt, RATES)
    assert found == pytest.approx(np.clip(expected, 0.001, 0.999))


@settings(max_examples=30)
@given(st.lists(TEXTS, max_size=4))
def test_many_predictions_are_single_ones(prompts: list[str]) -> None:
    rates = np.linspace(0.1, 0.9, 2 * len(prompts)).reshape(len(prompts), 2)
    many = SCORER.predict([prompt_features(each, SCORER.terms.bits) for each in prompts], rates)
    assert many.shape == (len(prompts), 2)
    for at, prompt in enumerate(prompts):
        assert np.array_equal(many[at], SCORER.predicted_success(prompt, rates[at]))
        assert np.array_equal(many[at], SCORER.judge(prompt, rates[at]).success)


@pytest.mark.parametrize("name", ["linear", "neighbours", "forest", "group"])
def test_any_head_may_be_missing(name: str) -> None:
    alone = replace(SCORER, blend={name: 1.0}, calibration=None)
    others = [each for each in ("linear", "neighbours", "forest") if each != name]
    bare = replace(alone, **dict.fromkeys(others))
    found = bare.predicted_success(PROMPTS[1], RATES)
    assert np.array_equal(found, alone.predicted_success(PROMPTS[1], RATES))
    assert ((found >= 0.001) & (found <= 0.999)).all()


def test_without_heads_the_group_decides() -> None:
    bare = replace(SCORER, blend={}, calibration=None)
    assert bare.predicted_success("x", RATES).tolist() == RATES.tolist()
    assert GroupHead().success(seen("x")).tolist() == RATES.tolist()


def test_what_is_unlike_the_bank_is_novel() -> None:
    known, new = SCORER.judge(PROMPTS[0], RATES), SCORER.judge("zebra quux", RATES)
    assert (known.novel, new.novel) == ("", "novel prompt")
    assert SCORER.novelty_fraction(seen(PROMPTS[0])) == pytest.approx(0.0, abs=1e-5)
    assert SCORER.novelty_fraction(seen("zebra quux")) == 1.0


def test_without_a_bank_unknown_terms_are_novel() -> None:
    bare = replace(SCORER, neighbours=None, blend={"linear": 1.0}, novelty=Novelty("terms", 0.5))
    assert not bare.judge(PROMPTS[0], RATES).novel
    assert bare.judge("zebra quux", RATES).novel == "novel prompt"
    assert bare.judge(PROMPTS[0] + " zebra quux wumpus grue xyzzy plugh", RATES).novel == "novel prompt"


def test_what_is_longer_than_all_before_is_novel() -> None:
    bare = replace(SCORER, novelty=Novelty("terms", 1.0, float(np.log1p(100))))
    assert not bare.judge(PROMPTS[0], RATES).novel
    assert bare.judge(PROMPTS[0] * 30, RATES).novel == "longer than any prompt learnt from"
    assert not replace(SCORER, novelty=None).judge("zebra", RATES).novel


def test_calibration_is_flat_beyond_its_knots() -> None:
    steps = Calibration(np.array([[0.2, 0.8]]), np.array([[0.1, 0.7]]))
    assert [float(steps.apply(np.array([x]))[0]) for x in (0.0, 0.5, 1.0)] == pytest.approx([0.1, 0.4, 0.7])


def test_extreme_weights_overflow_nothing() -> None:
    head = LinearHead(
        np.full((SCORER.terms.columns.size, 2), 1e30, np.float32),
        np.zeros((seen("").surface.size, 2)),
        np.zeros(seen("").surface.size),
        np.ones(seen("").surface.size),
        np.ones(2),
        np.array([1e6, -1e6]),
    )
    extreme = replace(SCORER, linear=head, blend={"linear": 1.0})
    assert np.isfinite(extreme.predicted_success(PROMPTS[0], RATES)).all()


def test_terms_without_any_column_weigh_nothing() -> None:
    weighed = TermWeights(np.zeros(0, np.uint32), np.zeros(0, np.float32), 12).weigh(hashed_terms("a b", 12))
    assert (weighed.rows.size, weighed.unknown_fraction) == (0, 1.0)
