"""Memory: results of pure functions of arrays, kept by the identity of what went in.

A Formula is a pure function, and a Fact's draws are the same array wherever it is read, so that a number which does not
hang on a changed Fact need not be computed again: the array of last time is the answer, to the bit. An array that is
made anew with the content of a known one is taken for that one. What is kept may not be written into.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from typing import Any, Final
from weakref import ref

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
KEPT_BYTES: Final = 160 * 2**20
KEPT_NODES_BYTES: Final = 192 * 2**20
LARGE_BYTES: Final = 2**19
"""Results, and Nodes, from this size on have room of their own, so that a few do not drive out all the others."""
KEPT_LARGE_BYTES: Final = 128 * 2**20
KEPT_LARGE_NODES_BYTES: Final = 32 * 2**20
ENTRIES_MAX_COUNT: Final = 50_000
SMALL_COUNT: Final = 8
"""Arrays of so few numbers are told apart by their content."""
SMALL_ARRAYS_COUNT: Final = 20_000
WAYS_TO_DRAW_COUNT: Final = 4
SIGN_COUNT: Final = 61
"""Numbers of a larger array by which it is looked up; then all of them are compared."""
_active: ContextVar[Memory | None] = ContextVar("memory", default=None)


class Memory:
    """What was computed; the least recently asked for goes first. For one thread at a time."""

    def __init__(self, kept_bytes: int = KEPT_BYTES, kept_large_bytes: int = KEPT_LARGE_BYTES) -> None:
        self._results, self._large = _Shelf(kept_bytes), _Shelf(kept_large_bytes)
        self._things, self._large_things = _Shelf(KEPT_NODES_BYTES), _Shelf(KEPT_LARGE_NODES_BYTES)
        self._known: dict[int, ref[Array]] = {}
        self._by_content: dict[Hashable, ref[Array]] = {}
        self._small: dict[Hashable, Array] = {}
        self._leaves: dict[Any, dict[str, tuple[Any, ...]]] = {}
        self.computed_count = 0
        """Calls that were computed, for those who measure."""
        self.recalled_count = 0

    def recall(self, function: Callable[..., Any], *given: Any) -> Any:
        """``function(*given)``: as it was, or computed and kept. `function` is pure; what is no array has a hash, or
        is told apart by its identity."""
        arguments = tuple([self.canonical(each) if isinstance(each, np.ndarray) else each for each in given])
        arrays = tuple([id(each) if isinstance(each, np.ndarray) else None for each in arguments])
        others = [key_of(each) for each, array in zip(arguments, arrays, strict=True) if array is None]
        return self._recalled((function, arrays, *others), function, arguments)

    def recall_known(self, function: Callable[..., Any], *given: Array) -> Any:
        """The same of arrays alone, each of which came out of this memory: as the values of its Nodes did."""
        return self._recalled((function, tuple(map(id, given))), function, given)

    def _recalled(self, key: Hashable, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        kept = _looked_up(key, self._results, self._large)
        if kept is not None:
            self.recalled_count += 1
            return kept[0]
        self.computed_count += 1
        found = function(*arguments)
        if type(found) is tuple:
            found = tuple([self.canonical(each) for each in found])
        found = self.canonical(found)
        size = _size_bytes(found)
        shelf = self._large if isinstance(found, np.ndarray) and size >= LARGE_BYTES else self._results
        shelf.keep(key, (found, arguments, size))
        return found

    def thing(self, key: Hashable) -> Any:
        """What was kept under a key that names other things by their identity; None: nothing."""
        kept = _looked_up(key, self._things, self._large_things)
        return None if kept is None else kept[0]

    def keep_thing(self, key: Hashable, thing: Any, named: tuple[Any, ...], size_bytes: int) -> None:
        """Keep it, and all that its key names, for as long as there is room."""
        shelf = self._things if size_bytes < LARGE_BYTES else self._large_things
        shelf.keep(key, (thing, named, size_bytes))

    def leaves(self, draw: Hashable) -> dict[str, tuple[Any, ...]]:
        """By name, the last Node of a Fact under one way to draw, behind what it was made of: one for each name."""
        found = self._leaves.get(draw)
        if found is None:
            found = self._leaves[draw] = {}
            while len(self._leaves) > WAYS_TO_DRAW_COUNT:
                self._leaves.pop(next(iter(self._leaves)))
        return found

    def canonical(self, given: Any) -> Any:
        """The known array with this content; `given` itself where it is none, and known from now on."""
        if not isinstance(given, np.ndarray):
            return given
        known = self._known.get(id(given))
        if known is not None and known() is given:
            return given
        if given.size <= SMALL_COUNT:
            return self._canonical_small(given)
        content = _content(given)
        there = self._by_content.get(content)
        found = there() if there is not None else None
        if found is not None and _same(found, given):
            return found
        self._register(given, content)
        return given

    def _canonical_small(self, given: Array) -> Array:
        content = (given.shape, given.dtype.char, given.tobytes())
        found = self._small.get(content)
        if found is None:
            if len(self._small) >= SMALL_ARRAYS_COUNT:
                self._small.clear()
            found = self._small[content] = given.copy()
            self._register(found, None)
        return found

    @property
    def held_bytes(self) -> int:
        """Of all results that are kept."""
        return sum(shelf.held_bytes for shelf in (self._results, self._large, self._things, self._large_things))

    def _register(self, given: Array, content: Hashable) -> None:
        given.flags.writeable = False
        place = id(given)

        def forget(_: ref[Array]) -> None:
            self._known.pop(place, None)
            if content is not None and (there := self._by_content.get(content)) is not None and there() is None:
                self._by_content.pop(content, None)

        pointer = ref(given, forget)
        self._known[place] = pointer
        if content is not None:
            self._by_content[content] = pointer


Entry = tuple[Any, tuple[Any, ...], int]
"""What was found; what its key names by its identity, kept alive; its bytes. Plain, since a move makes thousands."""


class _Shelf:
    """Entries within a number of bytes."""

    __slots__ = ("_kept_bytes", "entries", "held_bytes")

    def __init__(self, kept_bytes: int) -> None:
        self.entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self.held_bytes = 0
        self._kept_bytes = kept_bytes

    def keep(self, key: Hashable, entry: Entry) -> None:
        self.entries[key] = entry
        self.held_bytes += entry[2]
        while self.held_bytes > self._kept_bytes or len(self.entries) > ENTRIES_MAX_COUNT:
            _, gone = self.entries.popitem(last=False)
            self.held_bytes -= gone[2]


def _looked_up(key: Hashable, shelf: _Shelf, other: _Shelf) -> Entry | None:
    """What lies on one of two shelves, which is then the last to go."""
    entries = shelf.entries
    kept = entries.get(key)
    if kept is None:
        entries = other.entries
        kept = entries.get(key)
        if kept is None:
            return None
    entries.move_to_end(key)
    return kept


def key_of(given: Any) -> Hashable:
    """What tells an argument of `Memory.recall` apart; it must be kept alive as long as the key is used."""
    if isinstance(given, np.ndarray):
        return (given.shape, given.tobytes()) if given.size <= SMALL_COUNT else ("array", id(given))
    try:
        hash(given)
    except TypeError:
        return type(given), id(given)
    found: Hashable = given
    return found


@contextmanager
def remembering(memory: Memory) -> Iterator[Memory]:
    """Formulas that are called inside remember what they computed."""
    token = _active.set(memory)
    try:
        yield memory
    finally:
        _active.reset(token)


def active_memory() -> Memory | None:
    """Who remembers just now; None: nobody does."""
    return _active.get()


def recalled(function: Callable[..., Any], *given: Any) -> Any:
    """``function(*given)``, from memory where somebody is remembering."""
    memory = _active.get()
    return function(*given) if memory is None else memory.recall(function, *given)


def _size_bytes(found: Any) -> int:
    """Of an array, or of all arrays in a tuple, a mapping or a dataclass."""
    if isinstance(found, np.ndarray):
        return found.nbytes
    if is_dataclass(found):
        return sum(_size_bytes(getattr(found, each.name)) for each in fields(found))
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, tuple) else ()
    return sum(each.nbytes for each in parts if isinstance(each, np.ndarray))


def _content(given: Array) -> Hashable:
    """A cheap sign of the content: some of its numbers."""
    flat = given.reshape(-1)
    return given.shape, flat[:: max(flat.size // SIGN_COUNT, 1)].tobytes(), float(flat[-1])


def _same(one: Array, other: Array) -> bool:
    """Equal to the bit."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    first, second = (np.ascontiguousarray(each).view(np.int64) for each in (one, other))
    return bool(np.array_equal(first, second))
