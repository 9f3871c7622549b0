"""Text kernel: where the lines of a block end, and a hash of each text; compiled together with the line kernel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from breakeven.usage.store.word_kernel import kernel, word_at

FOUND, HIGH_BITS, BLANK, LONGEST = range(4)
"""What is told of lines: how many there are, or -1 for too many; bits that no ASCII has; whether one begins like a
blank one; the size of the longest."""
_LINE_FEED, _SPACE = 10, 32
_ONES: Final = np.uint64(0x0101010101010101)
_HIGHS: Final = np.uint64(0x8080808080808080)
_LOWS: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_FEEDS: Final = np.uint64(0x0A0A0A0A0A0A0A0A)
_NONE, _1, _7, _8, _16, _24, _29, _32, _56 = (np.uint64(each) for each in (0, 1, 7, 8, 16, 24, 29, 32, 56))
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@kernel()
def find_lines(data: Any, offsets: Any, told: Any) -> None:
    """Put where each line of `data` begins, and the end of the last, into `offsets`; `told` gets what is above."""
    size, i, high = np.uint64(len(data)), _NONE, _NONE
    told[FOUND] = told[HIGH_BITS] = told[BLANK] = told[LONGEST] = 0
    offsets[0] = 0
    if size > 0 and data[0] <= _SPACE:
        told[BLANK] = 1
    while i + _32 <= size:
        a, b, c, d = word_at(data, i), word_at(data, i + _8), word_at(data, i + _16), word_at(data, i + _24)
        high |= a | b | c | d
        if (_may_feed(a) | _may_feed(b) | _may_feed(c) | _may_feed(d)) & _HIGHS:
            for k in range(4):
                _note_feeds(data, _feeds(word_at(data, i + np.uint64(8 * k))), i + np.uint64(8 * k), offsets, told)
        i += _32
    while i < size:
        high |= np.uint64(data[i])
        if data[i] == _LINE_FEED:
            _note_line(data, i + _1, offsets, told)
        i += _1
    told[HIGH_BITS] = np.int64((high & _HIGHS) >> _7)


@kernel(inline="always")
def _may_feed(word: Any) -> Any:
    """A highest bit where a byte is a line feed, and at times where it is one more than that."""
    other = word ^ _FEEDS
    return (other - _ONES) & ~other


@kernel(inline="always")
def _feeds(word: Any) -> Any:
    """The highest bit of each byte that is a line feed, and no other."""
    other = word ^ _FEEDS
    return ~(((other & _LOWS) + _LOWS) | other | _LOWS)


@kernel(inline="always")
def _note_feeds(data: Any, feeds: Any, i: Any, offsets: Any, told: Any) -> None:
    """Note the line feeds in the eight bytes from `i` on, lowest first."""
    while feeds:
        below = (feeds - _1) & ~feeds
        _note_line(data, i + ((below & _ONES) * _ONES >> _56), offsets, told)
        feeds &= feeds - _1


@kernel(inline="always")
def _note_line(data: Any, end: Any, offsets: Any, told: Any) -> None:
    """Note that a line ends before `end`."""
    count = told[FOUND]
    if count < 0:
        return
    if count + 1 >= len(offsets):
        told[FOUND] = -1
        return
    told[LONGEST] = max(told[LONGEST], np.int64(end) - offsets[count])
    offsets[count + 1] = end
    told[FOUND] = count + 1
    if end < np.uint64(len(data)) and data[end] <= _SPACE:
        told[BLANK] = 1


@kernel()
def hash_texts(data: Any, offsets: Any, hashes: Any) -> None:
    """Put a hash of each of the texts that `offsets` part into `hashes`."""
    size = np.uint64(len(data))
    for row in range(len(hashes)):
        i, end = np.uint64(offsets[row]), np.uint64(offsets[row + 1])
        h = (end - i + _1) * _MIX
        while i + _8 <= end:
            h = (h ^ word_at(data, i)) * _MIX
            h ^= h >> _29
            i += _8
        left = end - i
        if left > 0:
            word = _NONE
            if i + _8 <= size:
                word = word_at(data, i) & ~(~_NONE << (left << np.uint64(3)))
            else:
                for k in range(left):
                    word |= np.uint64(data[i + np.uint64(k)]) << (np.uint64(k) << np.uint64(3))
            h = (h ^ word) * _MIX
            h ^= h >> _29
        hashes[row] = (h ^ (h >> _32)) * _MIX
