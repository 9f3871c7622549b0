"""Plain lines: the rows of a chunk that the line kernel takes, as columns of texts, numbers and times.

The columns are named as in the layers of `statement.py`: `t_NAME` a text, `n_NAME` a number; `i_NAME` are the
microseconds of a time written as text and `z_NAME` whether it has a zone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from breakeven.usage.store.line_code import line_code

WORDS_MAX_COUNT: Final = 1 << 13
"""A column with more distinct texts in one chunk is no column of labels."""
_WORD_BYTES: Final = 1 << 19
_TRIED_ROWS: Final = 100_000
_ROOM_BYTES: Final = 8
_DEPTH_MAX: Final = 60
_TEXT, _ID, _NUMBER, _COUNT, _TIME, _UNWANTED = range(6)
_NOTHING, _SAID, _COUNTED, _PLACE = range(4)
_FNV_OFFSET, _FNV_PRIME, _32_BITS = 0x811C9DC5, 0x01000193, 0xFFFFFFFF

_MASKS: Final = np.frombuffer(b"".join(b"\xff" * k + b"\0" * (8 - k) for k in range(9)), np.uint64)
"""The first bytes of a word, none to all."""

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of each row, by the keys that lead to it; best first where several may hold a value."""

    texts: Mapping[str, Sequence[Keys]]
    numbers: Mapping[str, Sequence[Keys]]
    counts: frozenset[str]
    """Numbers that must be whole, and no more than a request can have tokens."""
    times: Mapping[str, Sequence[Keys]]
    unwanted: Sequence[Keys]
    """Rows in which these say something are not taken."""
    labels: frozenset[str]
    """Texts of which there are few."""
    id: str | None
    """A text that every row must have, without blanks around it."""


@dataclass(frozen=True, slots=True)
class PlainRows:
    """The rows of a chunk that were taken."""

    columns: dict[str, pa.Array | pa.ChunkedArray]
    taken: NDArray[np.bool_]


class PlainLines:
    """Reads rows as `wanted`. Several threads may share one."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._slots = _slots(wanted)
        self._names = _names(wanted, self._slots)
        self._kept = threading.local()
        self._tried_count = self._taken_count = 0
        self._many: set[str] = set()
        """Labels that turned out to be many."""

    @property
    def is_worth_it(self) -> bool:
        """False once most rows turned out to be none that the kernel takes."""
        return self._tried_count < _TRIED_ROWS or 4 * self._taken_count >= self._tried_count

    def read(self, texts: pa.ChunkedArray) -> PlainRows:
        """The values of `texts`, lines with their line feeds. Numbers are good until the same thread reads again."""
        code = line_code()
        rows = len(texts)
        found = _Found(self._slots, *self._room(rows), _Labels.empty(self._label_slots(), rows))
        found.states[:] = _NOTHING
        names = self._names
        looked_for = (names.keys.copy(), names.words, names.table, names.firsts.copy())
        stack, taken = np.zeros((_DEPTH_MAX, 2), np.int32), np.zeros(rows, np.bool_)
        noted = (stack, found.spans, found.numbers, found.states, taken.view(np.uint8))
        for piece in texts.chunks:
            for offsets, data in _buffers(piece):
                first = found.rows
                code.scan(data, offsets, first, *looked_for, *noted, *found.labels.arrays, found.wholes)
                found.parts.append((slice(first, first + len(offsets) - 1), data))
        columns = self._columns(found)
        if self._wanted.id is not None:
            taken &= columns[f"t_{self._wanted.id}"].is_valid().to_numpy(zero_copy_only=False)
        self._tried_count += rows
        self._taken_count += int(taken.sum())
        if not taken.all():
            mask = pa.array(taken)
            columns = {name: column.filter(mask) for name, column in columns.items()}
        return PlainRows(columns, taken)

    def _room(self, rows: int) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.uint8]]:
        """Arrays for the places, numbers and states of so many rows: of each thread always the same ones."""
        slots = len(self._slots)
        if getattr(self._kept, "rows", 0) < rows:
            self._kept.rows = rows
            self._kept.arrays = (
                np.empty(slots * rows * 2, np.int32),
                np.empty(slots * rows),
                np.empty(slots * rows, np.uint8),
            )
        spans, numbers, states = self._kept.arrays
        whole = (slots, rows)
        return (
            spans[: slots * rows * 2].reshape(*whole, 2),
            numbers[: slots * rows].reshape(whole),
            states[: slots * rows].reshape(whole),
        )

    def _columns(self, found: _Found) -> dict[str, pa.Array]:
        columns: dict[str, pa.Array] = {}
        for name, places in self._wanted.texts.items():
            columns[f"t_{name}"] = _first_said([self._text(found, name, keys) for keys in places])
        for name, places in self._wanted.numbers.items():
            read = found.count if name in self._wanted.counts else found.number
            columns[f"n_{name}"] = _first_said([read(keys) for keys in places])
        for name, places in self._wanted.times.items():
            said = found.first_places(places)
            for letter, its in (("n", found.number), ("i", found.time_us), ("z", found.has_zone)):
                columns[f"{letter}_{name}"] = _first_said(
                    [_only(its(keys), is_first) for keys, is_first in zip(places, said, strict=True)]
                )
        return columns

    def _text(self, found: _Found, name: str, keys: Keys) -> pa.Array:
        if name in self._wanted.labels and name not in self._many:
            labels = found.label(keys)
            if labels is not None:
                return labels
            self._many.add(name)
        return found.text(keys)

    def _label_slots(self) -> list[int]:
        names = [name for name in self._wanted.texts if name in self._wanted.labels and name not in self._many]
        return [self._slots[keys] for name in names for keys in self._wanted.texts[name]]


@dataclass(slots=True)
class _Labels:
    """The distinct texts of columns that have few."""

    slots: list[int]
    arrays: tuple[NDArray[Any], ...]
    """As the kernel wants them."""

    @classmethod
    def empty(cls, slots: list[int], rows: int) -> _Labels:
        """Room for `WORDS_MAX_COUNT` texts of each slot."""
        count = len(slots)
        arrays = (
            np.array(slots, np.int32),
            _MASKS,
            np.full((count, 4 * WORDS_MAX_COUNT), -1, np.int32),
            np.empty((count, _WORD_BYTES // 8), np.uint64),
            np.zeros((count, WORDS_MAX_COUNT + 1), np.int32),
            np.empty((count, WORDS_MAX_COUNT + 1, 2), np.int32),
            np.zeros(count, np.int64),
            np.empty((count, rows), np.int32),
        )
        return cls(slots, arrays)

    def column(self, slot: int, is_there: NDArray[np.bool_]) -> pa.DictionaryArray | None:
        """The texts of a slot; None where they are too many."""
        *_, known, ends, places, counts, indices = self.arrays
        place = self.slots.index(slot)
        if (count := int(counts[place])) < 0:
            return None
        offsets = np.zeros(count + 1, np.int32)
        np.cumsum(places[place, :count, 1], out=offsets[1:])
        words = _copied(offsets, [(slice(0, count), known[place].view(np.uint8))], 8 * ends[place, :count, None])
        return pa.DictionaryArray.from_arrays(_masked(indices[place], is_there), words)


@dataclass(slots=True)
class _Found:
    """What the kernel found in the pieces of a chunk, by slot and row."""

    slots: Mapping[Keys, int]
    spans: NDArray[np.int32]
    numbers: NDArray[np.float64]
    states: NDArray[np.uint8]
    labels: _Labels
    parts: list[tuple[slice, NDArray[np.uint8]]] = field(default_factory=list)
    """The rows of each piece, and the bytes their places are in."""

    @property
    def wholes(self) -> NDArray[np.int64]:
        """The same memory as that of the numbers, which holds counts and times as whole numbers."""
        return self.numbers.view(np.int64)

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self.parts[-1][0].stop if self.parts else 0

    def is_in(self, keys: Keys, state: int) -> NDArray[np.bool_]:
        """In which rows a value is in a state."""
        return np.asarray(self.states[self.slots[keys]] == state)

    def first_places(self, places: Sequence[Keys]) -> list[NDArray[np.bool_] | None]:
        """In which rows nothing before a place says anything, be it a text or a number; None: in all."""
        found: list[NDArray[np.bool_] | None] = [None]
        before = np.zeros(self.rows, np.bool_)
        for keys in places[:-1]:
            before = before | (self.states[self.slots[keys]] != _NOTHING)
            found.append(~before if before.any() else None)
        return found

    def number(self, keys: Keys) -> pa.Array:
        """Numbers; those that could not be told in one step are read by Arrow."""
        numbers = self.numbers[self.slots[keys]]
        is_there, is_place = self.is_in(keys, _COUNTED), self.is_in(keys, _PLACE)
        if is_place.any():
            numbers[is_place] = self.text(keys, _PLACE).drop_null().cast(pa.float64()).to_numpy()
            is_there |= is_place
        return _masked(numbers, is_there)

    def count(self, keys: Keys) -> pa.Array:
        """Whole numbers."""
        return self._whole(keys, self.is_in(keys, _COUNTED))

    def time_us(self, keys: Keys) -> pa.Array:
        """Times written as text."""
        return self._whole(keys, self.is_in(keys, _SAID))

    def _whole(self, keys: Keys, is_there: NDArray[np.bool_]) -> pa.Array:
        return _masked(self.wholes[self.slots[keys]], is_there)

    def has_zone(self, keys: Keys) -> pa.Array:
        """Whether these have a zone."""
        return _masked(self.spans[self.slots[keys], :, 1] == 1, self.is_in(keys, _SAID))

    def text(self, keys: Keys, state: int = _SAID) -> pa.Array:
        """Texts, or the places of numbers."""
        spans, states = self.spans[self.slots[keys]], self.states[self.slots[keys]]
        offsets = np.zeros(self.rows + 1, np.int32)
        line_code().lengths_of(spans, states, state, offsets)
        return _copied(offsets, self.parts, spans, states == state)

    def label(self, keys: Keys) -> pa.DictionaryArray | None:
        """Texts as a dictionary; None where they are too many."""
        return self.labels.column(self.slots[keys], self.is_in(keys, _SAID))


def _copied(
    offsets: NDArray[np.int32],
    parts: Sequence[tuple[slice, NDArray[np.uint8]]],
    starts: NDArray[np.int32],
    is_there: NDArray[np.bool_] | None = None,
) -> pa.StringArray:
    """Texts that lie in the bytes of `parts`, from their `starts` (the first column) on, as `offsets` say how long."""
    texts = np.empty(int(offsets[-1]) + 8, np.uint8)
    for rows, data in parts:
        line_code().copy_texts(data, starts[rows], offsets[rows.start : rows.stop + 1], texts)
    bits = None if is_there is None else pa.py_buffer(np.packbits(is_there, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(offsets) - 1, [bits, pa.py_buffer(offsets), pa.py_buffer(texts)])


def _only(values: pa.Array, is_meant: NDArray[np.bool_] | None) -> pa.Array:
    """The values of the rows that are meant, null in the others."""
    return values if is_meant is None else pc.if_else(pa.array(is_meant), values, pa.scalar(None, values.type))


def _masked(values: NDArray[Any], is_there: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values) if is_there.all() else pa.array(values, mask=~is_there)


def _first_said(columns: Sequence[pa.Array]) -> pa.Array:
    """The first of the values of each row."""
    if len(columns) == 1:
        return columns[0]
    plain = [each.cast(pa.string()) if pa.types.is_dictionary(each.type) else each for each in columns]
    return pc.coalesce(*plain)


def _buffers(piece: pa.StringArray) -> Iterator[tuple[NDArray[np.int32], NDArray[np.uint8]]]:
    """The offsets of the lines of `piece`, and the bytes they lie in and eight more: the last lines are copied where
    there are no more."""
    _, starts, whole = piece.buffers()
    offsets = np.frombuffer(starts, np.int32)[piece.offset : piece.offset + len(piece) + 1]
    data = np.frombuffer(whole, np.uint8)
    lines = int(np.searchsorted(offsets[1:], len(data) - _ROOM_BYTES, "right"))
    if lines:
        yield offsets[: lines + 1], data
    if lines < len(piece):
        first = offsets[lines]
        yield offsets[lines:] - first, np.frombuffer(data[first:].tobytes() + bytes(_ROOM_BYTES), np.uint8)


def is_readable(wanted: Wanted) -> bool:
    """Whether the kernel can look for these names: none stands for a value and for an object, none is odd."""
    places = [*_places(wanted)]
    kinds: dict[Keys, int] = {}
    for keys, kind in places:
        if kinds.setdefault(keys, kind) != kind or any(keys[:depth] in dict(places) for depth in range(1, len(keys))):
            return False
        if not all(keys) or any(ord(letter) < 32 or letter in '"\\' for key in keys for letter in key):
            return False
    return True


def _places(wanted: Wanted) -> Iterator[tuple[Keys, int]]:
    """The keys that lead to each value, and the kind of value that is wanted there."""
    for name, places in wanted.texts.items():
        yield from ((keys, _ID if name == wanted.id else _TEXT) for keys in places)
    for name, places in wanted.numbers.items():
        yield from ((keys, _COUNT if name in wanted.counts else _NUMBER) for keys in places)
    yield from ((keys, _TIME) for places in wanted.times.values() for keys in places)
    yield from ((keys, _UNWANTED) for keys in wanted.unwanted)


def _slots(wanted: Wanted) -> dict[Keys, int]:
    return {keys: slot for slot, keys in enumerate(dict(_places(wanted)))}


@dataclass(frozen=True, slots=True)
class _Names:
    """The names as the kernel looks for them."""

    keys: NDArray[np.int32]
    words: NDArray[np.uint64]
    """The names with their closing quotes, eight bytes to a word, and which bytes of a word count."""
    table: NDArray[np.int32]
    firsts: NDArray[np.int32]


def _names(wanted: Wanted, slots: Mapping[Keys, int]) -> _Names:
    nodes: dict[Keys, int] = {(): 0}
    kinds: dict[Keys, int] = {}
    for path, kind in _places(wanted):
        for depth in range(1, len(path)):
            nodes.setdefault(path[:depth], len(nodes))
            kinds.setdefault(path[:depth], _UNWANTED)
        kinds[path] = kind
    keys: list[tuple[int, ...]] = []
    words: list[tuple[bytes, bytes]] = []
    for path, kind in kinds.items():
        name = path[-1].encode() + b'"'
        first, whole = len(words), name.ljust(-(-len(name) // 8) * 8, b"\0")
        words += [(whole[at : at + 8], _MASKS[min(len(name) - at, 8)].tobytes()) for at in range(0, len(name), 8)]
        node = nodes[path[:-1]]
        keys.append((first, len(words) - 1, len(name), node, slots.get(path, -1), kind, nodes.get(path, -1), -1, -1))
    return _Names(
        np.array(keys, np.int32),
        np.frombuffer(b"".join(word + mask for word, mask in words), np.uint64).reshape(-1, 2),
        _hash_table([(nodes[path[:-1]], path[-1].encode() + b'"') for path in kinds]),
        np.full(len(nodes), -1, np.int32),
    )


def _hash_table(keys: Sequence[tuple[int, bytes]]) -> NDArray[np.int32]:
    """Open addressing by FNV-1a of the name, begun with its node; at most a quarter full."""
    table = np.full(1 << (4 * len(keys)).bit_length(), -1, np.int32)
    for number, (node, name) in enumerate(keys):
        h = _FNV_OFFSET ^ node
        for byte in name:
            h = (h ^ byte) * _FNV_PRIME & _32_BITS
        slot = (h ^ (h >> 15)) & (len(table) - 1)
        while table[slot] >= 0:
            slot = (slot + 1) & (len(table) - 1)
        table[slot] = number
    return table
