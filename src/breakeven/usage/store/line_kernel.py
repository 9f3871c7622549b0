"""Line kernel: the values of very many JSON lines at once, where they are written the way programs write them.

It takes a row only when it is sure of it: valid JSON, each wanted name there once at most, each value a plain one of
the kind that is wanted. Of such a row it gives what `json_paths.py` and the casts of `statement.py` give, bit for bit;
every other row is left to these. Where a number cannot be told exactly in one step it gives the place instead. Only the
import of a large log loads this module, whose compiling costs seconds once per machine.

Every line ends with a line feed, so no loop needs to ask for the end: a line feed is no part of any JSON value. Eight
bytes at a time are read, so as many lie beyond the last line.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from breakeven.usage.call import REQUEST_TOKENS_MAX
from breakeven.usage.store.number_kernel import number_at, time_us
from breakeven.usage.store.word_kernel import kernel, plain_count, put_word, word_at

TEXT, ID, NUMBER, COUNT, TIME, UNWANTED = range(6)
"""Kinds of wanted values. A count is a whole number from 0 to `COUNT_MAX`; a row with an `UNWANTED` one, other than
null, is not taken."""
NOTHING, SAID, COUNTED, PLACE = range(4)
"""What a row has of a value: nothing, a text (or the text of a time), a number, the place of a number."""
FIRST_WORD, LAST_WORD, LENGTH, PARENT, SLOT, KIND, NODE, NEXT, SEEN = range(9)
"""What is known of a wanted name: where it lies in `names`, with its closing quote; the node it is in (0 is the row
itself); its value's place, -1 for an object; the node below it, or -1; the name that came after it last time; the last
row that had it."""
_ROWS_AT_ONCE: Final = 256
_NODE_OF_OTHERS: Final = -1
_NODE_OF_LIST: Final = -2
_LINE_FEED, _QUOTE, _BACKSLASH, _COMMA, _COLON = 10, 34, 92, 44, 58
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = 123, 125, 91, 93
_MINUS, _SPACE = 45, 32
COUNT_MAX: Final = REQUEST_TOKENS_MAX
_0, _1, _2, _3, _4, _5, _6, _8 = (np.uint64(each) for each in (0, 1, 2, 3, 4, 5, 6, 8))
"""Places are unsigned: an index that may be negative costs half as much again."""
_NOWHERE: Final = np.uint64(0)
"""Where a value ends that is none that this kernel takes. None ends at the beginning of the data."""
_FNV_OFFSET: Final = np.uint32(0x811C9DC5)
_FNV_PRIME: Final = np.uint32(0x01000193)
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@kernel()
def scan(
    data: Any,
    offsets: Any,
    first: int,
    keys: Any,
    names: Any,
    table: Any,
    firsts: Any,
    stack: Any,
    spans: Any,
    numbers: Any,
    states: Any,
    taken: Any,
    labels: Any,
    masks: Any,
    tables: Any,
    known: Any,
    ends: Any,
    places: Any,
    counts: Any,
    indices: Any,
    wholes: Any,
) -> None:
    """Read the lines of `data`. Rows count from `first`.

    `keys` are the wanted names, `table` a hash table of them, `firsts` the name that came first in each node last
    time. Of each value `spans` gets where its text lies (of a time, whether it has a zone), `numbers` the number or, as
    their memory seen as `wholes`, the count or the microseconds since 1970 UTC, `states` what there is. The distinct
    texts of the slots `labels` are numbered in `indices`, with the rest as in `_number_words`; a count of -1 says that
    there are too many.
    """
    lines = len(offsets) - 1
    for block in range(0, lines, _ROWS_AT_ONCE):
        end = min(block + _ROWS_AT_ONCE, lines)
        for line in range(block, end):
            row, start, after = first + line, np.uint64(offsets[line]), np.uint64(offsets[line + 1])
            taken[row] = False
            if after > start + _2 and data[after - _1] == _LINE_FEED:
                taken[row] = _row(data, start, row, keys, names, table, firsts, stack, spans, numbers, wholes, states)
        for k in range(len(labels)):  # while the data is at hand
            if counts[k] >= 0:
                counts[k] = _number_words(
                    data,
                    spans[labels[k], first + block : first + end],
                    states[labels[k], first + block : first + end],
                    masks,
                    tables[k],
                    known[k],
                    ends[k],
                    places[k],
                    counts[k],
                    indices[k, first + block : first + end],
                )


@kernel(inline="always")
def _row(
    data: Any,
    i: Any,
    row: int,
    keys: Any,
    names: Any,
    table: Any,
    firsts: Any,
    stack: Any,
    spans: Any,
    numbers: Any,
    wholes: Any,
    states: Any,
) -> bool:
    """Read one line; false when it is not taken."""
    i = _after_blanks(data, i)
    if data[i] != _OPEN:
        return False
    depth, node, before, is_fresh = 0, 0, -1, True
    stack[0, 0] = 0
    i = _after_blanks(data, i + _1)
    while True:
        byte = data[i]
        if not is_fresh or (byte != _CLOSE and byte != _CLOSE_LIST):
            key = -1
            if node != _NODE_OF_LIST:  # a name
                if byte != _QUOTE:
                    return False
                i += _1
                if node >= 0:
                    key = keys[before, NEXT] if before >= 0 else firsts[node]
                    if key >= 0 and not _is_name(data, i, names, keys[key, FIRST_WORD], keys[key, LAST_WORD]):
                        key = -1
                if key >= 0:
                    i += np.uint64(keys[key, LENGTH])
                else:
                    start = i
                    i = _after_plain(data, i)
                    if data[i] != _QUOTE:
                        return False
                    i += _1
                    if node >= 0:
                        key = _found(data, start, i, node, keys, names, table)
                        if key >= 0 and before >= 0:
                            keys[before, NEXT] = key
                        elif key >= 0:
                            firsts[node] = key
                if key >= 0:
                    if keys[key, SEEN] == row:
                        return False
                    keys[key, SEEN] = row
                    before = key
                i = _after_blanks(data, i)
                if data[i] != _COLON:
                    return False
                i = _after_blanks(data, i + _1)
                byte = data[i]
            below = _NODE_OF_OTHERS if byte == _OPEN else _NODE_OF_LIST
            kind, slot = UNWANTED, -1
            if key >= 0:
                kind, slot = keys[key, KIND], keys[key, SLOT]
                if slot < 0:
                    if byte != _OPEN and byte != 110:
                        return False
                    below = keys[key, NODE]
                elif byte in (_OPEN, _OPEN_LIST):
                    return False
            if byte in (_OPEN, _OPEN_LIST):
                stack[depth, 1] = before
                depth, node, before, is_fresh = depth + 1, below, -1, True
                if depth == len(stack):
                    return False
                stack[depth, 0] = node
                i = _after_blanks(data, i + _1)
                continue
            start, state = i, SAID
            if byte == _QUOTE:
                start += _1
                end = i = _after_plain(data, start)
                if data[i] != _QUOTE:
                    if slot >= 0:
                        return False
                    i = _closing_quote(data, i)
                    if i == _NOWHERE:
                        return False
                if kind == TIME:
                    us, end = time_us(data, start, end)
                    if us < 0:
                        return False
                    wholes[slot, row] = us
                elif kind in (NUMBER, COUNT):
                    return False
                elif start == end:
                    state = NOTHING
                elif kind == ID and (data[start] == _SPACE or data[end - _1] == _SPACE):
                    return False
                i += _1
            elif byte == _MINUS or 48 <= byte <= 57:
                i, is_whole, is_exact, number = number_at(data, i)
                end = i
                if i == _NOWHERE or (kind <= ID and not is_whole) or (kind == TIME and not is_exact):
                    return False
                if kind == COUNT and (not is_exact or not 0 <= number <= COUNT_MAX or number != np.floor(number)):
                    return False
                if NUMBER <= kind <= TIME:
                    state = COUNTED if is_exact else PLACE
                    if kind == COUNT:
                        wholes[slot, row] = np.int64(number)
                    else:
                        numbers[slot, row] = number
            else:
                end = i = _after_word(data, i)
                if i == _NOWHERE or (byte != 110 and slot >= 0 and kind != TEXT):
                    return False
                if byte == 110:
                    state = NOTHING
            if slot >= 0:
                if kind == UNWANTED and byte != 110:
                    return False
                spans[slot, row, 0], spans[slot, row, 1], states[slot, row] = start, end, state
        is_fresh = False
        i = _after_blanks(data, i)
        while data[i] != _COMMA:
            if data[i] != (_CLOSE_LIST if node == _NODE_OF_LIST else _CLOSE):
                return False
            depth -= 1
            i = _after_blanks(data, i + _1)
            if depth < 0:
                return bool(data[i] == _LINE_FEED or (data[i] == 13 and data[i + _1] == _LINE_FEED))
            node, before = stack[depth, 0], stack[depth, 1]
        i = _after_blanks(data, i + _1)


@kernel(inline="always")
def _after_plain(data: Any, i: Any) -> Any:
    """Where a string ends, or is no plain one."""
    count = plain_count(word_at(data, i))
    while count == _8:
        i += _8
        count = plain_count(word_at(data, i))
    return i + count


@kernel()
def _after_blanks(data: Any, i: Any) -> Any:
    while data[i] == _SPACE or data[i] == 9:
        i += _1
    return i


@kernel()
def _is_name(data: Any, i: Any, names: Any, word: int, last: int) -> bool:
    """Whether the name in `names[word:last + 1]` stands at `i`, with its closing quote."""
    while word < last:
        if word_at(data, i) != names[word, 0]:
            return False
        i += _8
        word += 1
    return bool((word_at(data, i) & names[last, 1]) == names[last, 0])


@kernel()
def _found(data: Any, start: Any, end: Any, node: int, keys: Any, names: Any, table: Any) -> int:
    """The key of a name, its closing quote included, or -1."""
    h = _FNV_OFFSET ^ np.uint32(node)
    for i in range(start, end):
        h = (h ^ np.uint32(data[i])) * _FNV_PRIME
    slot = np.int64(h ^ (h >> np.uint32(15))) & (len(table) - 1)
    while table[slot] >= 0:
        key = table[slot]
        is_alike = keys[key, PARENT] == node and keys[key, LENGTH] == np.int64(end - start)
        if is_alike and _is_name(data, start, names, keys[key, FIRST_WORD], keys[key, LAST_WORD]):
            return int(key)
        slot = (slot + 1) & (len(table) - 1)
    return -1


@kernel()
def _after_word(data: Any, i: Any) -> Any:
    """Where null, true or false ends."""
    if data[i] == 110 and data[i + _1] == 117 and data[i + _2] == 108 and data[i + _3] == 108:
        return i + _4
    if data[i] == 116 and data[i + _1] == 114 and data[i + _2] == 117 and data[i + _3] == 101:
        return i + _4
    if data[i] == 102 and data[i + _1] == 97 and data[i + _2] == 108 and data[i + _3] == 115 and data[i + _4] == 101:
        return i + _5
    return _NOWHERE


@kernel()
def _closing_quote(data: Any, i: Any) -> Any:
    """The closing quote of a string that is not wanted, from its first escape on; no halves of surrogate pairs."""
    while data[i] != _QUOTE:
        if data[i] < 32:
            return _NOWHERE
        if data[i] != _BACKSLASH:
            i += _1
            continue
        byte = data[i + _1]
        if byte == 117:
            for k in range(2, 6):
                digit = data[i + np.uint64(k)] | 32
                if not (48 <= data[i + np.uint64(k)] <= 57 or 97 <= digit <= 102):
                    return _NOWHERE
            if data[i + _2] | 32 == 100 and data[i + _3] >= 56:
                return _NOWHERE
            i += _6
        elif byte in (_QUOTE, _BACKSLASH, 47, 98, 102, 110, 114, 116):
            i += _2
        else:
            return _NOWHERE
    return i


@kernel()
def lengths_of(spans: Any, states: Any, state: int, offsets: Any) -> None:
    """Put the offsets of the texts of values in a `state`, laid end to end, into `offsets`."""
    at = 0
    for row in range(len(states)):
        if states[row] == state:
            at += spans[row, 1] - spans[row, 0]
        offsets[row + 1] = at


@kernel()
def copy_texts(data: Any, spans: Any, offsets: Any, texts: Any) -> None:
    """Put the bytes of texts where `offsets` say, in order, eight at a time: what is written too much the next text
    goes over. `spans` begin with where each text lies."""
    for row in range(len(spans)):
        i = np.uint64(spans[row, 0])
        for at in range(np.uint64(offsets[row]), np.uint64(offsets[row + 1]), _8):
            put_word(texts, at, word_at(data, i))
            i += _8


@kernel()
def _number_words(
    data: Any,
    spans: Any,
    states: Any,
    masks: Any,
    table: Any,
    known: Any,
    ends: Any,
    places: Any,
    count: int,
    found: Any,
) -> int:
    """Give each distinct text a number, in `found`; -1 when there are too many.

    `known` keeps the texts, eight bytes to a word, `ends` where each ends there, `places` where each lies in the data.
    """
    mask = len(table) - 1
    last, last_size, last_found = _0, np.int64(-1), np.int32(0)
    for row in range(len(states)):
        found[row] = 0
        if states[row] != SAID:
            continue
        i, size = np.uint64(spans[row, 0]), np.int64(spans[row, 1] - spans[row, 0])
        first = word_at(data, i) & masks[min(size, 8)]
        if size == last_size and first == last and size <= 8:  # many columns say the same for long
            found[row] = last_found
            continue
        at = ends[count]
        if count + 1 >= len(places) or at + size // 8 >= len(known):
            return -1
        h = np.uint64(size)
        left = size
        while left > 0:  # the text goes to the end of the known ones, and stays there if it is new
            word = word_at(data, i) & masks[min(left, 8)]
            h = (h ^ word) * _MIX
            h ^= h >> np.uint64(29)
            known[at] = word
            i, at, left = i + _8, at + 1, left - 8
        slot = np.int64(h >> np.uint64(32)) & mask
        while table[slot] >= 0 and not _is_known(known, ends, places, table[slot], count, size):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = count
            places[count, 0], places[count, 1] = spans[row, 0], size
            count += 1
            ends[count] = at
        found[row] = table[slot]
        last, last_size, last_found = first, size, found[row]
    return count


@kernel()
def _is_known(known: Any, ends: Any, places: Any, number: Any, count: Any, size: Any) -> bool:
    """Whether the text with a number is the one at the end, with `size` bytes."""
    if places[number, 1] != size:
        return False
    at, other = ends[number], ends[count]
    while at < ends[number + 1]:
        if known[at] != known[other]:
            return False
        at += 1
        other += 1
    return True
