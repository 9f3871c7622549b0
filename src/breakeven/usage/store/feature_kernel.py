"""Feature kernel: the features of very many texts at once; the same numbers as `usage/features.py`, byte for byte.

Every distinct word and run of letters gets a number; Python hashes each distinct one; `chains` and `terms` put the
hashes back in their rows. Arrays come from the caller, since allocating here would triple the time to compile. Only an
import of many prompts loads this module.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.compiled import njit
from breakeven.usage.features import (
    CHAIN_MULTIPLIER,
    MIX_1,
    MIX_2,
    TERM_WORDS_MAX_COUNT,
    TERMS_MAX_COUNT,
    WORDS_MAX_COUNT,
)

COUNTS: Final = 11
"""Counts of a text: those of `COUNT_NAMES` but for messages, user messages and images."""
_BLANK, _DIGIT, _UPPER, _LOWER, _MARK, _CONTROL, _LETTER, _CJK, _OTHER = range(9)
_DEF, _CLASS, _IMPORT = (int.from_bytes(b"\x01" + word, "big") for word in (b"def", b"class", b"import"))
_FNV_OFFSET: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
_MULTIPLIER: Final = np.uint64(CHAIN_MULTIPLIER)
_MIX_1: Final = np.uint64(MIX_1)
_MIX_2: Final = np.uint64(MIX_2)


def _kinds() -> NDArray[np.uint8]:
    """What kind of character each first byte begins."""
    kinds = np.full(256, _OTHER, np.uint8)
    kinds[:128] = _CONTROL
    kinds[33:127] = _MARK
    for byte in b" \t\n\r\f\v":
        kinds[byte] = _BLANK
    kinds[48:58], kinds[65:91], kinds[97:123] = _DIGIT, _UPPER, _LOWER
    kinds[0xC3:0xE0] = _LETTER
    kinds[[0xE0, 0xE1, 0xEA, 0xEB, 0xEC, 0xED]] = _LETTER
    kinds[0xE3:0xEA] = _CJK
    return kinds


_KINDS: Final = _kinds()


@njit(nogil=True)
def _number_of(data: Any, start: int, end: int, h: Any, slots: Any, spans: Any, hashes: Any, count: int) -> int:
    """The number of the bytes `start:end`; `count` when they are new, after noting them."""
    mask = len(slots) - 1
    slot = np.int64((h ^ (h >> np.uint64(32))) & np.uint64(mask))
    while True:
        number = slots[slot]
        if number < 0:
            slots[slot] = count
            spans[count, 0], spans[count, 1] = start, end
            hashes[count] = h
            return count
        if hashes[number] == h and spans[number, 1] - spans[number, 0] == end - start:
            other = spans[number, 0]
            k = 0
            while k < end - start and data[other + k] == data[start + k]:
                k += 1
            if k == end - start:
                return int(number)
        slot = (slot + 1) & mask


@njit(nogil=True)
def refill(slots: Any, hashes: Any, count: int) -> None:
    """Put `count` known numbers into empty `slots`."""
    mask = len(slots) - 1
    for number in range(count):
        h = hashes[number]
        slot = np.int64((h ^ (h >> np.uint64(32))) & np.uint64(mask))
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = number


@njit(nogil=True)
def _is_list_item(data: Any, start: int, end: int) -> bool:
    """Whether the line that begins at `start` begins like an item of a list."""
    i = start
    while i < end and (data[i] == 32 or data[i] == 9):
        i += 1
    digits = 0
    while i < end and 48 <= data[i] <= 57 and digits < 4:
        i += 1
        digits += 1
    if digits > 3 or i + 1 >= end:
        return False
    mark, after = data[i], data[i + 1]
    is_mark = (mark == 46 or mark == 41) if digits else (mark == 45 or mark == 42 or mark == 43)
    return bool(is_mark and (after == 32 or after == 9))


@njit(nogil=True)
def _is_code_word(data: Any, start: int, end: int) -> bool:
    """Whether a word is def, class or import."""
    code = 1
    for i in range(start, min(end, start + 7)):
        code = code * 256 + data[i]
    return end - start <= 6 and code in (_DEF, _CLASS, _IMPORT)


@njit(nogil=True)
def count_marks(data: Any, offsets: Any, counts: Any) -> None:
    """Put the counts of each text into `counts`."""
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        characters = words = lines = digits = marks = questions = code = capitals = cjk = items = quoted = 0
        word_start, uppers, lowers, ticks, quote_at = -1, 0, 0, 0, -1
        if end > start:
            lines = 1
            items += _is_list_item(data, start, end)
        for i in range(start, end + 1):
            byte = data[i] if i < end else np.uint8(32)
            if 0x80 <= byte < 0xC0:
                continue
            kind = _KINDS[byte]
            if kind in (_BLANK, _CJK):
                if word_start >= 0:
                    capitals += uppers >= 2 and lowers == 0
                    code += _is_code_word(data, word_start, i)
                    word_start = -1
            elif word_start < 0:
                word_start, uppers, lowers = i, 0, 0
                words += 1
            if i == end:
                break
            characters += 1
            if byte == 96:
                ticks += 1
                code += ticks % 3 == 0
            else:
                ticks = 0
            if kind == _LOWER:
                lowers += 1
            elif kind == _UPPER:
                uppers += 1
            elif kind == _DIGIT:
                digits += 1
            elif kind == _BLANK:
                if byte == 10:
                    lines += 1
                    items += _is_list_item(data, i + 1, end)
            elif kind == _MARK:
                marks += 1
                if byte == 34:
                    if quote_at >= 0:
                        quoted += characters - 1 - quote_at
                        quote_at = -1
                    else:
                        quote_at = characters
                elif byte == 63:
                    questions += 1
                elif byte == 123 or byte == 125 or byte == 59 or (byte == 62 and i > start and data[i - 1] == 61):
                    code += 1
            else:
                words += kind == _CJK
                cjk += int(0xE3 <= byte <= 0xED)
                if byte == 0xEF and data[i + 1] == 0xBC and data[i + 2] == 0x9F:
                    questions += 1
        row_counts = counts[row]
        row_counts[0], row_counts[1], row_counts[2], row_counts[3] = characters, words, lines, digits
        row_counts[4], row_counts[5], row_counts[6], row_counts[7] = marks, questions, code, capitals
        row_counts[8], row_counts[9], row_counts[10] = cjk, items, quoted


@njit(nogil=True)
def number_words(
    data: Any, offsets: Any, row: int, slots: Any, spans: Any, hashes: Any, count: int, numbers: Any
) -> tuple[int, int]:
    """Put the numbers of each text's first words into `numbers`, from `row` on; give how far the table sufficed."""
    while row < len(offsets) - 1 and 2 * (count + WORDS_MAX_COUNT) < len(slots):
        count = _words_of(data, offsets[row], offsets[row + 1], slots, spans, hashes, count, row, numbers)
        row += 1
    return row, count


@njit(nogil=True)
def _words_of(
    data: Any, i: int, end: int, slots: Any, spans: Any, hashes: Any, count: int, row: int, numbers: Any
) -> int:
    """Put the numbers of one text's words into `numbers`; give the count of the table."""
    for word in range(WORDS_MAX_COUNT):
        while i < end and _KINDS[data[i]] == _BLANK:
            i += 1
        if i >= end:
            break
        start, h = i, _FNV_OFFSET
        if _KINDS[data[i]] == _CJK:
            i += 3
        else:
            while i < end and _KINDS[data[i]] != _BLANK and _KINDS[data[i]] != _CJK:
                i += 1
        for k in range(start, i):
            h = (h ^ np.uint64(data[k])) * _FNV_PRIME
        number = _number_of(data, start, i, h, slots, spans, hashes, count)
        numbers[row, word] = number
        count += number == count
    return count


@njit(nogil=True)
def number_runs(
    data: Any,
    offsets: Any,
    row: int,
    slots: Any,
    spans: Any,
    hashes: Any,
    count: int,
    seen_in: Any,
    numbers: Any,
    ends: Any,
) -> tuple[int, int]:
    """Put the numbers of the distinct runs of each text's beginning into `numbers`, from `row` on, and where each row
    ends into `ends`; give how far the table sufficed."""
    at = ends[row - 1] if row else 0
    while row < len(offsets) - 1:
        start, end = offsets[row], offsets[row + 1]
        if 2 * (count + (end - start) // 3 + 2) >= len(slots):
            break
        count, at = _runs_of(data, start, end, slots, spans, hashes, count, seen_in, row, numbers, at)
        ends[row] = at
        row += 1
    return row, count


@njit(nogil=True)
def _runs_of(
    data: Any,
    i: int,
    end: int,
    slots: Any,
    spans: Any,
    hashes: Any,
    count: int,
    seen_in: Any,
    row: int,
    numbers: Any,
    at: int,
) -> tuple[int, int]:
    """Put the numbers of one text's runs into `numbers`; give the count of the table and the end of `numbers`."""
    words, in_word, cjk_at = 0, False, -1
    while i < end:
        kind = _KINDS[data[i]]
        if kind == _BLANK:
            in_word, cjk_at = False, -1
            i += 1
            continue
        words += not in_word or kind == _CJK
        if words > TERM_WORDS_MAX_COUNT:
            break
        in_word = kind != _CJK
        start, h, is_wanted = i, _FNV_OFFSET, False
        if kind == _CJK:
            if data[i] == 0xE3 and data[i + 1] == 0x80:
                cjk_at = -1
            else:
                is_wanted = cjk_at >= 0
                start = cjk_at if is_wanted else i
                cjk_at = i
            i += 3
        else:
            cjk_at, has_digit = -1, False
            while i < end and (_DIGIT <= kind <= _LOWER or kind == _LETTER):
                has_digit |= kind == _DIGIT
                i += 1 if kind != _LETTER else 2 if data[i] < 0xE0 else 3
                kind = _KINDS[data[i]] if i < end else _BLANK
            is_wanted = not has_digit and i - start >= 2
            if i == start:
                i += 1
                while i < end and 0x80 <= data[i] < 0xC0:
                    i += 1
        if is_wanted:
            for k in range(start, i):
                h = (h ^ np.uint64(data[k])) * _FNV_PRIME
            number = _number_of(data, start, i, h, slots, spans, hashes, count)
            count += number == count
            if seen_in[number] != row:
                seen_in[number] = row
                numbers[at] = number
                at += 1
    return count, at


@njit(nogil=True)
def chains(numbers: Any, hashes: Any, found: Any, ends: Any) -> int:
    """Put the chained hashes of the numbered words into `found`, and where each row ends into `ends`."""
    at = 0
    for row in range(len(ends)):
        state = np.uint64(0)
        for k in range(WORDS_MAX_COUNT):
            if numbers[row, k] < 0:
                break
            z = state * _MULTIPLIER + np.uint64(hashes[numbers[row, k]]) + _MIX_1
            z = (z ^ (z >> np.uint64(30))) * _MIX_1
            z = (z ^ (z >> np.uint64(27))) * _MIX_2
            state = (z ^ (z >> np.uint64(31))) >> np.uint64(1)
            found[at] = np.int64(state)
            at += 1
        ends[row] = at
    return at


@njit(nogil=True)
def terms(numbers: Any, ends: Any, hashes: Any, places: Any, seen_in: Any, found: Any, found_ends: Any) -> int:
    """Put the first distinct term hashes of each row into `found`. Runs that are no terms have hash -1; equal hashes
    have equal `places`."""
    at, start = 0, 0
    for row in range(len(ends)):
        first = at
        for k in range(start, ends[row]):
            number = numbers[k]
            if hashes[number] < 0 or seen_in[places[number]] == row:
                continue
            if at - first == TERMS_MAX_COUNT:
                break
            seen_in[places[number]] = row
            found[at] = hashes[number]
            at += 1
        start = ends[row]
        found_ends[row] = at
    return at
