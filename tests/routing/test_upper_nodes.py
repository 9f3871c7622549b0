"""Upper nodes: the same leaves as a walk from node to node, whatever the trees and however many levels are judged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from breakeven.routing import upper_nodes as module
from breakeven.routing.forest import ForestHead
from breakeven.routing.heads import Seen
from breakeven.routing.term_weights import WeightedTerms

LEAF = np.finfo(np.float32).max
INPUTS_COUNT = 6


def _forest(rng: np.random.Generator, trees_count: int, depth_max: int) -> ForestHead:
    """Random trees, some of them a single leaf; a leaf names itself."""
    roots, feature, threshold, left, depth_count = [], [], [], [], 0

    def grow(at: int, depth: int) -> None:
        nonlocal depth_count
        depth_count = max(depth_count, depth)
        if depth == depth_max or rng.random() < 0.25:
            left[at], threshold[at] = at, LEAF
            return
        feature[at], threshold[at], left[at] = int(rng.integers(INPUTS_COUNT)), float(rng.normal()), len(left)
        for _ in range(2):
            left.append(-1)
            feature.append(0)
            threshold.append(LEAF)
        below = left[at]
        grow(below, depth + 1)
        grow(below + 1, depth + 1)

    for _ in range(trees_count):
        roots.append(len(left))
        left.append(-1)
        feature.append(0)
        threshold.append(LEAF)
        grow(roots[-1], 0)
    return ForestHead(
        term_weights=np.zeros((1, 0), np.float32),
        roots=np.array(roots, np.int32),
        feature=np.array(feature, np.int32),
        threshold=np.array(threshold, np.float32),
        left=np.array(left, np.int32),
        value=rng.random((len(left), 3)).astype(np.float32),
        depth_count=depth_count,
    )


def _walked(forest: ForestHead, inputs: np.ndarray) -> list[int]:
    """Tree by tree, one step at a time."""
    found = []
    for root in forest.roots.tolist():
        at = root
        while forest.threshold[at] != LEAF:
            at = int(forest.left[at]) + int(inputs[forest.feature[at]] > forest.threshold[at])
        found.append(at)
    return found


@pytest.mark.parametrize("nodes_max_count", [0, 3, 40, 200, 16_384])
def test_leaves_are_those_of_a_walk(nodes_max_count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UPPER_NODES_MAX_COUNT", nodes_max_count)
    rng = np.random.default_rng(nodes_max_count)
    levels = set()
    for _ in range(20):
        forest = _forest(rng, trees_count=int(rng.integers(1, 12)), depth_max=int(rng.integers(0, 9)))
        upper = forest._upper
        levels.add((upper.levels_count, forest.depth_count))
        assert upper.threshold.size <= nodes_max_count
        for _ in range(10):
            inputs = rng.normal(size=INPUTS_COUNT).astype(np.float32)
            inputs[rng.integers(INPUTS_COUNT)] = forest.threshold[rng.integers(forest.threshold.size)]  # just at one
            inputs = np.minimum(inputs, np.float32(1e30))
            terms = WeightedTerms(np.zeros(0, np.intp), np.zeros(0, np.float32), 1.0)
            found = forest.success(Seen(inputs.astype(np.float64), terms, np.zeros(0), np.zeros(0)))
            leaves = forest.value[_walked(forest, inputs)]
            assert np.array_equal(found, leaves.mean(axis=0, dtype=np.float64)), "to the last bit"
    are_judged_whole = {upper_count == depth_count for upper_count, depth_count in levels}
    assert True in are_judged_whole and (nodes_max_count > 1_000) == (are_judged_whole == {True})


def test_inputs_that_no_node_looks_at_may_come_last() -> None:
    forest = _forest(np.random.default_rng(3), trees_count=3, depth_max=4)
    assert forest._upper.counts.size <= INPUTS_COUNT
    inputs = np.zeros(INPUTS_COUNT + 5, np.float32)
    reached = forest._upper.reached(inputs)
    assert reached.tolist() == _walked(forest, inputs)


def test_threads_that_walk_one_forest_do_not_meet() -> None:
    forest, rng = _forest(np.random.default_rng(5), trees_count=40, depth_max=8), np.random.default_rng(6)
    rows = [np.asarray(each, np.float32) for each in rng.normal(size=(400, INPUTS_COUNT))]
    expected = [_walked(forest, each) for each in rows]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda each: forest._upper.reached(each), rows * 5))
    assert [each.tolist() for each in found] == expected * 5
