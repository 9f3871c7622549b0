"""Forest: trees by hand, and arrays that do not fit are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import PolicyError
from breakeven.routing.features import SURFACE_COUNT, prompt_features
from breakeven.routing.forest import ForestHead
from breakeven.routing.scorer import Scorer
from breakeven.routing.scorer_arrays import ScorerParts, parts_of, scorer_of

from .policies_at_hand import MODELS, scorer

LEAF = np.finfo(np.float32).max


def _with_forest() -> Scorer:
    """Two trees: one asks for a long prompt, the other for the second model's group."""
    plain = scorer()
    forest = ForestHead(
        term_weights=np.zeros((plain.terms.columns.size, 1), np.float32),
        roots=np.array([0, 3], np.int32),
        feature=np.array([0, 0, 0, SURFACE_COUNT + 1, 0, 0], np.int32),
        threshold=np.array([3.0, LEAF, LEAF, 0.0, LEAF, LEAF], np.float32),
        left=np.array([1, 1, 2, 4, 4, 5], np.int32),
        value=np.array([[0, 0], [0.9, 1.0], [0.1, 0.8], [0, 0], [0.5, 0.2], [0.5, 0.6]], np.float32),
        depth_count=1,
    )
    return replace(plain, forest=forest, blend={"forest": 1.0}, calibration=None)


def test_the_mean_of_its_trees_leaves() -> None:
    found = _with_forest()
    short, long = "hi", "a much longer prompt than that"
    assert found.predicted_success(short, np.array([0.5, 0.4])) == pytest.approx([0.7, 0.6])
    assert found.predicted_success(short, np.array([0.5, 0.6])) == pytest.approx([0.7, 0.8])
    assert found.predicted_success(long, np.array([0.5, 0.6])) == pytest.approx([0.3, 0.7])


def test_many_at_once_are_the_same() -> None:
    found = _with_forest()
    assert found.forest is not None
    prompts, rates = ("hi", "a much longer prompt than that"), np.array([[0.5, 0.4], [0.5, 0.6]])
    seen = [found.see(prompt_features(text, found.terms.bits), each) for text, each in zip(prompts, rates, strict=True)]
    inputs = np.array([[*each.surface, *each.logits, 0.0] for each in seen], np.float32)
    one_by_one = [found.forest.success(each) for each in seen]
    assert found.forest.success_of(inputs) == pytest.approx(np.array(one_by_one))


def test_written_and_read_it_says_the_same() -> None:
    found = _with_forest()
    again = scorer_of(parts_of(found), MODELS)
    rates = np.array([0.5, 0.6])
    assert (again.predicted_success("some prompt", rates) == found.predicted_success("some prompt", rates)).all()


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("forest.left", lambda a: a + 5, "from 0 to"),
        ("forest.left", lambda a: np.where(a == 1, len(a) - 1, a).astype(np.int32), "two below"),
        ("forest.feature", lambda a: a + 1000, "from 0 to"),
        ("forest.roots", lambda a: a[:0], "one tree at least"),
        ("forest.value", lambda a: a + 1, "from 0 to 1"),
        ("forest.value", lambda a: a[:, :1], "wanted 2 models"),
        ("forest.threshold", lambda a: a * np.float32(np.nan), "no number"),
        ("forest.term_weights", lambda a: a[1:], "terms"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, spoil: Callable[[np.ndarray], np.ndarray], said: str) -> None:
    parts = parts_of(_with_forest())
    arrays = dict(parts.arrays)
    arrays[name] = spoil(arrays[name])
    with pytest.raises(PolicyError, match=said):
        scorer_of(ScorerParts(parts.settings, arrays), MODELS)


@pytest.mark.parametrize("name", ["depth_count", "residual_depth_count"])
def test_a_forest_deeper_than_any_is_refused(name: str) -> None:
    parts = parts_of(_with_residual())
    with pytest.raises(PolicyError, match=f"{name} is"):
        scorer_of(ScorerParts(replace(parts.settings, **{name: 10**6}), parts.arrays), MODELS)


def _with_residual() -> Scorer:
    """A forest, and one tree that finds long prompts harder for the first model."""
    plain = _with_forest()
    assert plain.forest is not None
    residual = ForestHead(
        term_weights=plain.forest.term_weights,
        roots=np.array([0], np.int32),
        feature=np.array([0, 0, 0], np.int32),
        threshold=np.array([3.0, LEAF, LEAF], np.float32),
        left=np.array([1, 1, 2], np.int32),
        value=np.array([[0, 0], [0.4, 0.0], [-0.4, 0.2]], np.float32),
        depth_count=1,
    )
    return replace(plain, residual=residual)


def test_half_a_residual_is_added_where_the_group_is_new() -> None:
    found, rates = _with_residual(), np.array([0.5, 0.6])
    again = scorer_of(parts_of(found), MODELS)
    assert "residual.term_weights" not in parts_of(found).arrays  # the forest's, written once
    for each in (found, again):
        assert each.predicted_success("hi", rates) == pytest.approx([0.7, 0.8])
        assert each.predicted_success("hi", rates, is_new=True) == pytest.approx([0.9, 0.8])
        long = "a much longer prompt than that"
        assert each.judge(long, rates, is_new=True).success == pytest.approx([0.1, 0.8])


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("residual.value", lambda a: a - 1, "from -1 to 1"),
        ("residual.left", lambda a: a + 5, "from 0 to"),
        ("residual.feature", lambda a: a + 1000, "from 0 to"),
    ],
)
def test_a_residual_that_does_not_fit_is_refused(
    name: str, spoil: Callable[[np.ndarray], np.ndarray], said: str
) -> None:
    parts = parts_of(_with_residual())
    with pytest.raises(PolicyError, match=said):
        scorer_of(ScorerParts(parts.settings, {**parts.arrays, name: spoil(parts.arrays[name])}), MODELS)


def test_a_residual_without_its_forest_is_refused() -> None:
    parts = parts_of(_with_residual())
    settings = replace(parts.settings, parts=tuple(each for each in parts.settings.parts if each != "forest"))
    with pytest.raises(PolicyError, match="needs the part 'forest'"):
        scorer_of(ScorerParts(settings, parts.arrays), MODELS)
