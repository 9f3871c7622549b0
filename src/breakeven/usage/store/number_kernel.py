"""Number kernel: numbers and times in the bytes of a line, exactly or not at all; part of the line kernel.

Every line ends with a line feed, so no loop needs to ask for the end. Where a number cannot be told exactly in one step
its place is given instead, and what is no number or time of the plain forms is not taken.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from breakeven.usage.store.word_kernel import digits_count, digits_value, kernel, word_at

_COLON, _MINUS, _PLUS, _POINT, _E, _T, _Z, _SPACE = 58, 45, 43, 46, 101, 84, 90, 32
_EXACT_MAX: Final = 1 << 53
_POWERS: Final = 10.0 ** np.arange(19)
_WHOLE_POWERS: Final = 10 ** np.arange(9, dtype=np.int64)
_0, _1, _2, _3, _4, _5, _6, _8 = (np.uint64(each) for each in (0, 1, 2, 3, 4, 5, 6, 8))
"""Places are unsigned: an index that may be negative costs half as much again."""
_DIGITS_EXACT, _DIGITS_MAX = np.uint64(18), np.uint64(40)
_DATE, _TIME, _UTC = (np.uint64(int.from_bytes(each, "little")) for each in (b"0000-00-", b"00T00:00", b"+00:00"))
_DATE_ROOM, _TIME_ROOM = (
    np.uint64(int.from_bytes(bytes(0x76 if letter == 48 else 0x7F for letter in each), "little"))
    for each in (b"0000-00-", b"00T00:00")
)
"""Added to what differs from these, it leaves the highest bit alone where that is a digit, or nothing for a sign."""
_HIGHS: Final = np.uint64(0x8080808080808080)
_THIRD_BYTE, _T_OR_SPACE = np.uint64(0xFF << 16), np.uint64((_T ^ _SPACE) << 16)
_SIX_BYTES, _TEN = np.uint64((1 << 48) - 1), np.uint64(10)
_NOWHERE: Final = np.uint64(0)
"""Where a value ends that is none that this kernel takes. None ends at the beginning of the data."""


@kernel()
def number_at(data: Any, i: Any) -> tuple[Any, Any, Any, Any]:
    """Where the number at `i` ends, whether it is a whole one in digits alone, whether what follows is its exact
    value, and that. One that may be infinite or is minus zero is not taken."""
    is_negative = data[i] == _MINUS
    if is_negative:
        i += _1
    digits, decimals = digits_count(word_at(data, i)), np.int64(0)
    if digits == _0 or (digits > _1 and data[i] == 48):
        return _NOWHERE, False, False, 0.0
    whole = digits_value(word_at(data, i), digits)
    i += digits
    if digits == _8:
        whole, i, digits = _more_digits(data, i, whole, digits)
    if data[i] == _POINT:
        i += _1
        found = digits_count(word_at(data, i))
        if found == _0:
            return _NOWHERE, False, False, 0.0
        whole = whole * _WHOLE_POWERS[found] + digits_value(word_at(data, i), found)
        i += found
        if found == _8:
            whole, i, found = _more_digits(data, i, whole, found)
        decimals = np.int64(found)
        digits += found
    is_whole = decimals == 0 and digits <= _DIGITS_EXACT
    is_exact = whole <= _EXACT_MAX and digits <= _DIGITS_EXACT
    if data[i] | 32 == _E:
        is_whole = is_exact = False
        i = _after_exponent(data, i + _1)
    if digits > _DIGITS_MAX or (is_negative and whole == 0):
        i = _NOWHERE
    value = np.float64(whole) / _POWERS[decimals] if is_exact else 0.0
    return i, is_whole, is_exact, -value if is_negative else value


@kernel()
def _more_digits(data: Any, i: Any, whole: Any, digits: Any) -> tuple[Any, Any, Any]:
    """A number with the digits from `i` on, where they end, and how many it has."""
    while 48 <= data[i] <= 57:
        whole = whole * 10 + (np.int64(data[i]) - 48)
        i += _1
        digits += _1
    return whole, i, digits


@kernel()
def _after_exponent(data: Any, i: Any) -> Any:
    """Where an exponent of one or two digits ends."""
    if data[i] == _PLUS or data[i] == _MINUS:
        i += _1
    first = i
    while 48 <= data[i] <= 57:
        i += _1
    return i if _1 <= i - first <= _2 else _NOWHERE


@kernel()
def _two_digits(data: Any, i: Any) -> Any:
    tens, ones = np.int64(data[i]) - 48, np.int64(data[i + _1]) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1


@kernel()
def time_us(data: Any, i: Any, end: Any) -> tuple[Any, Any]:
    """Microseconds since 1970 UTC of a time of this century, and whether it has a zone; -1 for what is written in any
    other way than 2026-11-02T10:00:00.123456+02:00, where a space may stand for the T, Z or nothing for the zone."""
    if end - i < np.uint64(19):
        return -1, _0
    dates, times = word_at(data, i) ^ _DATE, word_at(data, i + _8) ^ _TIME
    times ^= _T_OR_SPACE if times & _THIRD_BYTE == _T_OR_SPACE else _0
    if ((dates + _DATE_ROOM) | dates | (times + _TIME_ROOM) | times) & _HIGHS:
        return -1, _0
    dates, times = dates * _TEN + (dates >> _8), times * _TEN + (times >> _8)
    year, month, day = _pair(dates, 16), _pair(dates, 40), _pair(times, 0)
    hour, minute, second = _pair(times, 24), _pair(times, 48), _two_digits(data, i + np.uint64(17))
    if _pair(dates, 0) != 20 or data[i + np.uint64(16)] != _COLON:
        return -1, _0
    if not 1 <= month <= 12 or not 1 <= day <= _days_count(year, month):
        return -1, _0
    if hour > 23 or minute > 59 or not 0 <= second <= 59:
        return -1, _0
    us = (_day_number(2000 + year, month, day) * 86_400 + (hour * 60 + minute) * 60 + second) * 1_000_000
    i += np.uint64(19)
    if i < end and data[i] == _POINT:
        i += _1
        count = digits_count(word_at(data, i))
        if count == _0 or count > _6:
            return -1, _0
        us += digits_value(word_at(data, i), count) * _WHOLE_POWERS[_6 - count]
        i += count
    if i == end:
        return us, _0
    if data[i] == _Z and i + _1 == end:
        return us, _1
    if end - i != _6:
        return -1, _0
    if word_at(data, i) & _SIX_BYTES == _UTC:
        return us, _1
    if (data[i] != _PLUS and data[i] != _MINUS) or data[i + _3] != _COLON:
        return -1, _0
    hours, minutes = _two_digits(data, i + _1), _two_digits(data, i + _4)
    if not 0 <= hours <= 14 or not 0 <= minutes <= 59:
        return -1, _0
    ahead_us = (hours * 60 + minutes) * 60_000_000
    return us - ahead_us if data[i] == _PLUS else us + ahead_us, _1


@kernel(inline="always")
def _pair(pairs: Any, shift: int) -> Any:
    return np.int64((pairs >> np.uint64(shift)) & np.uint64(255))


@kernel()
def _days_count(year: int, month: int) -> int:
    """Days of a month of this century."""
    if month == 2:
        return 29 if year % 4 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@kernel()
def _day_number(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970 (Hinnant's `days_from_civil`)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return int(era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468)
