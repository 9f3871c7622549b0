"""Number kernel: numbers and times in the bytes of a line, exactly or not at all; part of the line kernel.

Every line ends with a line feed, so no loop needs to ask for the end. Where a number cannot be told exactly in one step
its place is given instead, and what is no number or time of the plain forms is not taken.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

_COLON, _MINUS, _PLUS, _POINT, _E, _T, _Z, _SPACE = 58, 45, 43, 46, 101, 84, 90, 32
_EXACT_MAX: Final = 1 << 53
_POWERS: Final = 10.0 ** np.arange(19)
_0, _1, _2, _3, _4, _5, _6, _8 = (np.uint64(each) for each in (0, 1, 2, 3, 4, 5, 6, 8))
"""Places are unsigned: an index that may be negative costs half as much again."""
_DIGITS_EXACT, _DIGITS_MAX = np.uint64(18), np.uint64(40)
_NOWHERE: Final = np.uint64(0)
"""Where a value ends that is none that this kernel takes. None ends at the beginning of the data."""


@njit(cache=True, nogil=True)
def number_at(data: Any, i: Any) -> tuple[Any, Any, Any, Any]:
    """Where the number at `i` ends, whether it is a whole one in digits alone, whether what follows is its exact
    value, and that. One that may be infinite or is minus zero is not taken."""
    is_negative = data[i] == _MINUS
    if is_negative:
        i += _1
    first, whole, decimals = i, np.int64(0), np.int64(0)
    while 48 <= data[i] <= 57:
        whole = whole * 10 + (data[i] - 48)
        i += _1
    digits = i - first
    if digits == _0 or (digits > _1 and data[first] == 48):
        return _NOWHERE, False, False, 0.0
    if data[i] == _POINT:
        i += _1
        point = i
        while 48 <= data[i] <= 57:
            whole = whole * 10 + (data[i] - 48)
            i += _1
        decimals = np.int64(i - point)
        digits += i - point
        if decimals == 0:
            return _NOWHERE, False, False, 0.0
    is_whole = decimals == 0 and digits <= _DIGITS_EXACT
    is_exact = whole <= _EXACT_MAX and digits <= _DIGITS_EXACT
    if data[i] | 32 == _E:
        is_whole = is_exact = False
        i = _after_exponent(data, i + _1)
    if digits > _DIGITS_MAX or (is_negative and whole == 0):
        i = _NOWHERE
    value = np.float64(whole) / _POWERS[decimals] if is_exact else 0.0
    return i, is_whole, is_exact, -value if is_negative else value


@njit(cache=True, nogil=True)
def _after_exponent(data: Any, i: Any) -> Any:
    """Where an exponent of one or two digits ends."""
    if data[i] == _PLUS or data[i] == _MINUS:
        i += _1
    first = i
    while 48 <= data[i] <= 57:
        i += _1
    return i if _1 <= i - first <= _2 else _NOWHERE


@njit(cache=True, nogil=True)
def _two_digits(data: Any, i: Any) -> Any:
    tens, ones = np.int64(data[i]) - 48, np.int64(data[i + _1]) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1


@njit(cache=True, nogil=True)
def time_us(data: Any, i: Any, end: Any) -> tuple[Any, Any]:
    """Microseconds since 1970 UTC of a time of this century, and whether it has a zone; -1 for what is written in any
    other way than 2026-11-02T10:00:00.123456+02:00, where a space may stand for the T, Z or nothing for the zone."""
    if end - i < np.uint64(19) or _two_digits(data, i) != 20:
        return -1, _0
    year, month, day = _two_digits(data, i + _2), _two_digits(data, i + _5), _two_digits(data, i + _8)
    hour, minute = _two_digits(data, i + np.uint64(11)), _two_digits(data, i + np.uint64(14))
    second = _two_digits(data, i + np.uint64(17))
    if data[i + _4] != _MINUS or data[i + np.uint64(7)] != _MINUS or data[i + np.uint64(10)] not in (_T, _SPACE):
        return -1, _0
    if data[i + np.uint64(13)] != _COLON or data[i + np.uint64(16)] != _COLON:
        return -1, _0
    if year < 0 or not 1 <= month <= 12 or not 1 <= day <= _days_count(year, month):
        return -1, _0
    if not 0 <= hour <= 23 or not 0 <= minute <= 59 or not 0 <= second <= 59:
        return -1, _0
    us = (_day_number(2000 + year, month, day) * 86_400 + (hour * 60 + minute) * 60 + second) * 1_000_000
    i += np.uint64(19)
    if i < end and data[i] == _POINT:
        first, unit = i + _1, 100_000
        i = first
        while 48 <= data[i] <= 57:
            us += unit * (np.int64(data[i]) - 48)
            unit //= 10
            i += _1
        if i == first or i - first > _6:
            return -1, _0
    if i == end:
        return us, _0
    if data[i] == _Z and i + _1 == end:
        return us, _1
    if end - i != _6 or (data[i] != _PLUS and data[i] != _MINUS) or data[i + _3] != _COLON:
        return -1, _0
    hours, minutes = _two_digits(data, i + _1), _two_digits(data, i + _4)
    if not 0 <= hours <= 14 or not 0 <= minutes <= 59:
        return -1, _0
    ahead_us = (hours * 60 + minutes) * 60_000_000
    return us - ahead_us if data[i] == _PLUS else us + ahead_us, _1


@njit(cache=True, nogil=True)
def _days_count(year: int, month: int) -> int:
    """Days of a month of this century."""
    if month == 2:
        return 29 if year % 4 == 0 else 28
    return 30 if month in (4, 6, 9, 11) else 31


@njit(cache=True, nogil=True)
def _day_number(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970 (Hinnant's `days_from_civil`)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return int(era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468)
