"""Memory: what is recalled is what would be computed, to the bit, and what is kept stays within its bounds."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from breakeven.facts.formula import formula
from breakeven.facts.memory import KEPT_LARGE_NODES_BYTES, Memory, recalled, remembering
from breakeven.facts.trace import Binder


def numbers(seed: int, count: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(size=count)


def test_the_same_arrays_give_the_same_array() -> None:
    memory, one, other = Memory(), numbers(1), numbers(2)
    first = memory.recall(np.add, one, other)
    assert memory.recall(np.add, one, other) is first
    assert (memory.computed_count, memory.recalled_count) == (1, 1)
    assert np.array_equal(first, one + other)


def test_an_array_with_known_content_is_taken_for_the_known_one() -> None:
    memory, one = Memory(), numbers(1)
    first = memory.recall(np.exp, one)
    assert memory.recall(np.exp, numbers(1)) is first


def test_equal_sums_do_not_make_arrays_equal() -> None:
    memory, one = Memory(), numbers(1)
    two = one.copy()
    two[[5, 6]] = two[[6, 5]]  # same sum up to rounding, same ends
    assert np.array_equal(memory.recall(np.exp, one), np.exp(one))
    assert np.array_equal(memory.recall(np.exp, two), np.exp(two))


def test_a_zero_below_is_no_zero_above() -> None:
    memory = Memory()
    with np.errstate(divide="ignore"):
        assert memory.recall(np.reciprocal, np.array([0.0]))[0] == np.inf
        assert memory.recall(np.reciprocal, np.array([-0.0]))[0] == -np.inf


def test_shapes_are_told_apart() -> None:
    memory = Memory()
    assert memory.recall(np.negative, np.array([2.0])).shape == (1,)
    assert memory.recall(np.negative, np.array(2.0)).shape == ()
    wide = numbers(3).reshape(8, 8)
    assert memory.recall(np.negative, wide).shape == (8, 8)
    assert memory.recall(np.negative, wide.ravel().copy()).shape == (64,)


def test_not_a_number_is_computed_and_never_mistaken() -> None:
    memory, one = Memory(), numbers(1)
    one[3] = np.nan
    two = one.copy()
    two[9] = 5.0
    assert np.array_equal(memory.recall(np.exp, one), np.exp(one), equal_nan=True)
    assert np.array_equal(memory.recall(np.exp, two), np.exp(two), equal_nan=True)


def test_what_is_known_cannot_be_written_into() -> None:
    memory, one = Memory(), numbers(1)
    found = memory.recall(np.exp, one)
    for each in (one, found):
        with pytest.raises(ValueError, match="read-only"):
            each[0] = 1.0


def test_the_least_recently_asked_for_goes_first() -> None:
    memory, arrays = Memory(kept_bytes=3 * 512), [numbers(seed) for seed in range(4)]
    for each in arrays[:3]:
        memory.recall(np.exp, each)
    memory.recall(np.exp, arrays[0])
    memory.recall(np.exp, arrays[3])
    counted = memory.computed_count
    memory.recall(np.exp, arrays[0])
    assert memory.computed_count == counted, "asked for a moment ago"
    memory.recall(np.exp, arrays[1])
    assert memory.computed_count == counted + 1, "had to go"
    assert memory.held_bytes <= 3 * 512


def test_what_nobody_holds_is_forgotten() -> None:
    memory = Memory(kept_bytes=0)
    for seed in range(50):
        memory.recall(np.exp, numbers(seed))
    gc.collect()
    assert len(memory._known) <= 2 and len(memory._by_content) <= 2


def test_nobody_remembers_outside() -> None:
    memory, one = Memory(), numbers(1)
    with remembering(memory):
        first = recalled(np.exp, one)
        assert recalled(np.exp, one) is first
    assert recalled(np.exp, one) is not first


@formula
def total_usd_per_month(first_usd_per_month: np.ndarray, other_usd_per_month: np.ndarray) -> np.ndarray:
    """Both."""
    return first_usd_per_month + other_usd_per_month


def test_a_few_large_nodes_do_not_drive_out_the_small_ones() -> None:
    memory = Memory()
    with remembering(memory):
        small = Binder(lambda _: np.ones(1), {}).derive("price_usd", numbers(1), "read off")
        for seed in range(4):
            Binder(lambda _: np.ones(1), {}).derive(
                "price_usd", numbers(seed, KEPT_LARGE_NODES_BYTES // 16), "read off"
            )
        assert Binder(lambda _: np.ones(1), {}).derive("price_usd", numbers(1), "read off") is small
    assert memory.held_bytes <= KEPT_LARGE_NODES_BYTES + small.value.nbytes


def test_a_node_of_the_same_things_is_the_same_node() -> None:
    def bound(first: np.ndarray, how: str = "seen") -> object:
        binder = Binder(lambda fact: np.asarray([fact.typical]), {})
        binder.derive("first_usd_per_month", first, how)
        binder.derive("other_usd_per_month", 2.0, "seen")
        return binder.evaluate(total_usd_per_month)

    with remembering(Memory()):
        known = bound(numbers(1))
        assert bound(numbers(1)) is known
        assert bound(numbers(2)) is not known
        assert bound(numbers(1), "told") is not known, "another trace"
    assert bound(numbers(1)) is not known
