"""Amounts: money, tokens, shares and dates as a person reads them. Pure functions, no scientific notation anywhere.

Each magnitude is written with a space and a capital (``2.1 B``), so that no axis and no table says ``2.1e+9``.
"""

from __future__ import annotations

from datetime import date
from math import floor, isfinite, log10
from typing import Final

NOT_KNOWN: Final = "not known"
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS_OF_WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_MAGNITUDES: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_TOKENS_PER_MTOK: Final = 1e6

_UNIT_WORDS: Final = {
    "token/s": "tok/s",
    "request/s": "requests/s",
    "token/request": "tokens/request",
    "token/month": "tokens/month",
    "request/month": "requests/month",
    "token": "tokens",
    "request": "requests",
    "hour": "hours",
    "hour/month": "hours/month",
    "hour/year": "hours/year",
    "1/year": "a year",
    "1/month": "a month",
    "gigabyte": "GB",
    "gigabyte/s": "GB/s",
    "gibibyte": "GiB",
    "byte": "bytes",
    "byte/token": "bytes/token",
    "teraflop/s": "TFLOP/s",
    "watt": "W",
    "kwh": "kWh",
    "kwh/month": "kWh/month",
    "kilogram/month": "kg/month",
    "gram/kwh": "g/kWh",
    "millisecond": "ms",
    "second": "s",
    "s/request": "s/request",
    "s/token": "s/token",
    "day": "days",
    "month": "months",
    "count": "",
}
_PER_WORDS: Final = {"month": "/month", "hour": "/h", "year": "/year", "mtok": "/Mtok", "request": " per request"}
_TELLING_UNITS: Final = ("hours_per", "events_per", "tokens_per", "requests_per", "successes_per", "s_per")
"""Units that are half of the meaning: an outage has hours per event and events per year."""
_ACRONYMS: Final = {
    "api": "API",
    "gpu": "GPU",
    "gpus": "GPUs",
    "fte": "FTE",
    "kv": "KV",
    "mlops": "MLOps",
    "usd": "USD",
    "cny": "CNY",
    "pue": "PUE",
    "slo": "SLO",
    "vllm": "vLLM",
    "moe": "MoE",
    "mfu": "MFU",
    "kwh": "kWh",
    "llm": "LLM",
    "mtok": "Mtok",
    "p95": "P95",
}


def number(value: float, digits: int = 3) -> str:
    """At least `digits` significant digits, whole from 100 on, never in scientific notation.

    >>> number(1234.5), number(3.14159), number(0.00123), number(0), number(1e-9), number(671e9)
    ('1,234', '3.14', '0.00123', '0', '0.000000001', '671 B')
    """
    if not isfinite(value):
        return NOT_KNOWN
    if abs(value) >= 1e7:
        return _with_magnitude(value, digits)
    return _plain(value, digits)


def magnitude(value: float, digits: int = 3) -> str:
    """Short form with k, M, B or T; a rounded value moves up to the next letter when it must.

    >>> magnitude(2.1e9), magnitude(999_960), magnitude(12_000), magnitude(842), magnitude(0)
    ('2.1 B', '1 M', '12 k', '842', '0')
    """
    return _with_magnitude(value, digits) if isfinite(value) else NOT_KNOWN


def money(usd: float) -> str:
    """US dollars in full up to a million.

    >>> money(6334.2), money(12.5), money(0.3), money(0.00341), money(-7266), money(3_451_000), money(0)
    ('$6,334', '$12.50', '$0.30', '$0.00341', '-$7,266', '$3.45 M', '$0')
    """
    if not isfinite(usd):
        return NOT_KNOWN
    sign, size = ("-" if usd < 0 else ""), abs(usd)
    if size >= 999_999.5:
        return f"{sign}${_with_magnitude(size, 3)}"
    if size == 0 or size >= 99.995:
        return f"{sign}${size:,.0f}"
    if size >= 0.995:
        return f"{sign}${size:.2f}"
    text = _plain(size, 3)
    return f"{sign}${text}{'0' * (text.find('.') + 3 - len(text))}"


def money_short(usd: float) -> str:
    """US dollars for axes, labels and the ends of a range.

    >>> money_short(12_029), money_short(634), money_short(1_200_000), money_short(0.5), money_short(999_960)
    ('$12.0k', '$634', '$1.20M', '$0.5', '$1.00M')
    """
    return NOT_KNOWN if not isfinite(usd) else ("-" if usd < 0 else "") + "$" + _short(abs(usd))


def money_range(p50: float, p10: float, p90: float) -> str:
    """The median with the range behind it; a range of no width is left out.

    >>> money_range(12_029, 10_480, 16_630), money_range(6334, 6334, 6334), money_range(200, -50, 900)
    ('$12,029 (10.5k-16.6k)', '$6,334', '$200 (-$50 to $900)')
    """
    span = money_span(p10, p90)
    return f"{money(p50)} ({span})" if span else money(p50)


def money_span(p10: float, p90: float) -> str:
    """The range alone; empty when both ends read the same.

    >>> money_span(10_480, 16_630), money_span(6334, 6334), money_span(-50, 900), money_span(0.0101, 0.0152)
    ('10.5k-16.6k', '', '-$50 to $900', '0.0101-0.0152')
    """
    if not (isfinite(p10) and isfinite(p90)):
        return NOT_KNOWN
    if money(p10) == money(p90):
        return ""
    if p10 < 0 or p90 < 0:
        return f"{money_short(p10)} to {money_short(p90)}"
    return f"{_short(p10)}-{_short(p90)}"


def difference(usd: float) -> str:
    """A difference in words: a saving is never negative.

    >>> difference(1200), difference(-7266), difference(0)
    ('saves $1,200', 'costs $7,266 more', 'costs the same')
    """
    if money(abs(usd)) == "$0":
        return "costs the same"
    return f"saves {money(usd)}" if usd > 0 else f"costs {money(-usd)} more"


def difference_range(p10: float, p90: float) -> str:
    """The two ends of a difference in words.

    >>> difference_range(1200, 3000), difference_range(-10_000, -4000), difference_range(-500, 900)
    ('saves $1,200 to $3,000', 'costs $4,000 to $10,000 more', 'between costing $500 more and saving $900')
    """
    if p10 >= 0:
        return f"saves {money(p10)} to {money(p90)}"
    if p90 <= 0:
        return f"costs {money(-p90)} to {money(-p10)} more"
    return f"between costing {money(-p10)} more and saving {money(p90)}"


def volume(mtok: float, digits: int = 3) -> str:
    """A volume of tokens, given in millions.

    >>> volume(2_100), volume(0.5), volume(103_292.5, digits=4)
    ('2.1 B tokens', '500 k tokens', '103.3 B tokens')
    """
    return tokens(mtok * _TOKENS_PER_MTOK, digits)


def tokens(count: float, digits: int = 3) -> str:
    """A number of tokens.

    >>> tokens(2.1e9), tokens(842), tokens(1)
    ('2.1 B tokens', '842 tokens', '1 token')
    """
    return f"{magnitude(count, digits)} token{'' if count == 1 else 's'}"


def counted(count: float, noun: str) -> str:
    """A count with its noun.

    >>> counted(412_318, "call"), counted(1, "day"), counted(0, "reject")
    ('412,318 calls', '1 day', '0 rejects')
    """
    return f"{count:,.0f} {noun}{'' if count == 1 else 's'}"


def fraction(share_fraction: float) -> str:
    """A share in percent; a small one is never rounded to nothing, a large one never to everything.

    >>> fraction(0.031), fraction(0.95), fraction(0.0002), fraction(0.99996), fraction(0), fraction(1)
    ('3.1 %', '95 %', '0.02 %', '99.99 %', '0 %', '100 %')
    """
    if not isfinite(share_fraction):
        return NOT_KNOWN
    percent = share_fraction * 100
    if percent in (0, 100) or abs(percent) >= 1000:
        return f"{percent:,.0f} %"
    if 99.95 <= percent < 100:
        return f"{floor(percent * 100) / 100:.2f} %"
    return f"{_plain(percent, 2 if abs(percent) < 10 else 3)} %"


def odds(share_fraction: float) -> str:
    """A probability as futures out of 100; certainty is said only when every draw agrees.

    >>> odds(0.97), odds(0.0), odds(0.001), odds(0.9996), odds(1.0)
    ('97 of 100', '0 of 100', '<1 of 100', '>99 of 100', '100 of 100')
    """
    if not isfinite(share_fraction):
        return NOT_KNOWN
    rounded = round(share_fraction * 100)
    if rounded == 0 and share_fraction > 0:
        return "<1 of 100"
    if rounded == 100 and share_fraction < 1:
        return ">99 of 100"
    return f"{rounded} of 100"


def ratio(value: float) -> str:
    """A multiple.

    >>> ratio(3.42), ratio(12.3), ratio(1083)
    ('3.4x', '12x', '1,083x')
    """
    return f"{_plain(value, 2)}x" if isfinite(value) else NOT_KNOWN


def quantity(value: float, unit: str) -> str:
    """A value with its unit, whatever the unit.

    >>> quantity(2.1, "usd/hour"), quantity(300_000, "usd/year"), quantity(0.35, "fraction"), quantity(2, "count")
    ('$2.10/h', '$300,000/year', '35 %', '2')
    >>> quantity(2_100, "mtok/month"), quantity(1200, "token/s"), quantity(0.0034, "usd/success")
    ('2.1 B tokens/month', '1,200 tok/s', '$0.0034 per success')
    >>> quantity(1.3, "ratio"), quantity(1, "hour"), quantity(6, "hour")
    ('1.3x', '1 hour', '6 hours')
    """
    return "".join(_value_and_unit(value, unit))


def quantity_range(low: float, high: float, unit: str) -> str:
    """A range with its unit, said once; one value where both ends read the same.

    >>> quantity_range(0.25, 1, "count"), quantity_range(1.38, 2.65, "usd/hour"), quantity_range(0.7, 0.95, "fraction")
    ('0.25 to 1', '$1.38 to $2.65/h', '70 to 95 %')
    >>> quantity_range(3, 3, "count"), quantity_range(900, 2_100, "mtok/month")
    ('3', '900 M to 2.1 B tokens/month')
    """
    (first, of_first), (last, of_last) = _value_and_unit(low, unit), _value_and_unit(high, unit)
    if (first, of_first) == (last, of_last):
        return first + of_first
    return f"{first} to {last}{of_last}" if of_first == of_last else f"{first}{of_first} to {last}{of_last}"


def quantity_spread(p50: float, p10: float, p90: float, unit: str) -> str:
    """The median with its unit and the range behind it; one value where all read the same.

    >>> quantity_spread(12_029, 10_480, 16_630, "usd/month"), quantity_spread(0.3, 0.2, 0.4, "fraction")
    ('$12,029/month ($10,480 to $16,630)', '30 % (20 to 40)')
    """
    middle, (low, of_low), (high, of_high) = quantity(p50, unit), _value_and_unit(p10, unit), _value_and_unit(p90, unit)
    if middle == low + of_low == high + of_high:
        return middle
    return f"{middle} ({low} to {high})" if of_low == of_high else f"{middle} ({low}{of_low} to {high}{of_high})"


def date_text(iso: str) -> str:
    """A date, or the date and time of a UTC instant, for reading; anything else unchanged.

    >>> date_text("2026-11-03"), date_text("2023-11-16T18:17:03+00:00"), date_text("soon")
    ('3 Nov 2026', '16 Nov 2023 18:17 UTC', 'soon')
    """
    try:
        day = date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    clock = f" {iso[11:16]} UTC" if len(iso) >= 16 and iso[10] in "T " else ""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}{clock}"


def day_text(iso: str) -> str:
    """A day without its year, for axes.

    >>> day_text("2026-11-03")
    '3 Nov'
    """
    return date_text(iso).rpartition(" ")[0] or iso


def age(days: float) -> str:
    """Age of a fact.

    >>> age(0), age(1), age(45), age(400), age(2_500), age(-3)
    ('today', '1 day old', '45 days old', '13 months old', '6.8 years old', 'dated 3 days ahead')
    """
    if days < 0:
        return f"dated {counted(-days, 'day')} ahead"
    if days < 1:
        return "today"
    if days < 90:
        return f"{counted(days, 'day')} old"
    return f"{round(days / 30.4)} months old" if days < 730 else f"{_plain(days / 365.25, 2)} years old"


def hours(count: float) -> str:
    """A number of hours.

    >>> hours(0.97), hours(1), hours(744)
    ('0.97 hours', '1 hour', '744 hours')
    """
    return f"{number(count)} hour{'' if number(count) == '1' else 's'}"


def fact_title(name: str) -> str:
    """The name of a Fact as words, without the unit that it ends in, unless the unit is what tells it apart.

    >>> fact_title("gpu_rent_usd_per_gpu_hour"), fact_title("engineering_fte_count"), fact_title("success_fraction")
    ('GPU rent', 'Engineering FTE', 'Success')
    >>> fact_title("api_outage_hours_per_event"), fact_title("api_outage_events_per_year")
    ('API outage hours per event', 'API outage events per year')
    """
    from breakeven.units import UNIT_BY_SUFFIX

    unit = max((suffix for suffix in UNIT_BY_SUFFIX if name.endswith("_" + suffix)), key=len, default="")
    stem = name if not unit or unit.startswith(_TELLING_UNITS) else name[: -len(unit) - 1]
    words = [_ACRONYMS.get(word, word) for word in stem.split("_") if word]
    text = " ".join(words) or name
    return text[0].upper() + text[1:]


def _value_and_unit(value: float, unit: str) -> tuple[str, str]:
    """What changes from one end of a range to the other, and what does not."""
    head, _, per = unit.partition("/")
    if not isfinite(value):
        return NOT_KNOWN, ""
    if head == "usd":
        return money(value), (_PER_WORDS.get(per) or f" per {per}") if per else ""
    if head == "mtok":
        return magnitude(value * _TOKENS_PER_MTOK), f" tokens/{per}" if per else " tokens"
    if unit == "fraction":
        return fraction(value).removesuffix(" %"), " %"
    if unit == "ratio":
        return _plain(value, 2), "x"
    words, text = _UNIT_WORDS.get(unit, unit), number(value)
    if text == "1" and words == f"{unit}s":
        words = unit
    return text, f" {words}" if words else ""


def _plain(value: float, digits: int) -> str:
    """`digits` significant digits, whole from `digits` places on, trailing zeros dropped."""
    if value == 0:
        return "0"
    places = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _with_magnitude(value: float, digits: int) -> str:
    sign, size = ("-" if value < 0 else ""), abs(value)
    for index, (scale, letter) in enumerate(_MAGNITUDES):
        if size >= scale * 0.9995:
            text = _plain(size / scale, digits)
            if text == "1,000" and index:
                scale, letter = _MAGNITUDES[index - 1]
                text = "1"
            return f"{sign}{text} {letter}"
    return sign + _plain(size, digits)


def _short(size: float) -> str:
    """Compact and without the dollar: 12.0k, 1.20M, 634, 0.5."""
    for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= scale * 0.9995:
            scaled = size / scale
            if letter == "k":
                return f"{scaled:.1f}k" if scaled < 99.95 else f"{scaled:.0f}k"
            return f"{scaled:.2f}{letter}" if scaled < 9.995 else f"{scaled:.1f}{letter}"
    return _plain(size, 3)
