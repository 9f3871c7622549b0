"""Dimensions: what a unit is made of, so that a claim's own arithmetic cannot add apples to hours.

A month is twelve to a year and nothing else: how many hours it has is a claim's own input (720, 729.6, 730, 176 are
all in print), so hours and months are different dimensions here, and `hours_per_month` leads from one to the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from breakeven.units import UNIT_BY_SUFFIX, unit_of

PERIODS: Final = ("hour", "day", "month", "year", "request", "mtok", "ktok", "token")
"""What an amount can be given for: ``api_usd_per_day``, ``tokens_per_request``."""
CURRENCIES: Final = frozenset(
    {
        *(
            "aed",
            "aud",
            "brl",
            "cad",
            "chf",
            "cny",
            "czk",
            "dkk",
            "eur",
            "gbp",
            "hkd",
            "huf",
            "idr",
            "ils",
            "inr",
            "jpy",
        ),
        *(
            "krw",
            "mxn",
            "myr",
            "nok",
            "nzd",
            "php",
            "pln",
            "ron",
            "rub",
            "sek",
            "sgd",
            "thb",
            "twd",
            "uah",
            "vnd",
            "zar",
        ),
    }
)
"""Codes that may stand where a name says ``usd``."""
_SYMBOLS: Final[dict[str, tuple[float, str]]] = {
    "s": (1.0, "second"),
    "second": (1.0, "second"),
    "millisecond": (1e-3, "second"),
    "minute": (60.0, "second"),
    "hour": (3600.0, "second"),
    "day": (86400.0, "second"),
    "month": (1.0, "month"),
    "year": (12.0, "month"),
    "token": (1.0, "token"),
    "ktok": (1e3, "token"),
    "mtok": (1e6, "token"),
    "byte": (1.0, "byte"),
    "gigabyte": (1e9, "byte"),
    "gibibyte": (float(2**30), "byte"),
    "gram": (1e-3, "kilogram"),
    "kilogram": (1.0, "kilogram"),
    "tonne": (1e3, "kilogram"),
    "watt": (1.0, "watt"),
    "kilowatt": (1e3, "watt"),
}
_COMPOUND: Final[dict[str, tuple[float, tuple[tuple[str, int], ...]]]] = {
    "kwh": (3.6e6, (("second", 1), ("watt", 1))),
    "teraflop": (1e12, (("flop", 1),)),
    "fraction": (1.0, ()),
    "ratio": (1.0, ()),
    "count": (1.0, ()),
    "1": (1.0, ()),
}
_THINGS: Final = ("gpu", "replica", "event", "unit", "success", "param", "fraction", "s")
_FOREIGN: Final = re.compile(rf"(^|_)({'|'.join(sorted(CURRENCIES))})(?=$|_per_)")


@dataclass(frozen=True, slots=True)
class Dimension:
    """A product of powers of base units, and how many of those one unit is."""

    scale_ratio: float
    powers: tuple[tuple[str, int], ...]

    def __mul__(self, other: Dimension) -> Dimension:
        return Dimension(self.scale_ratio * other.scale_ratio, _merged(self.powers, other.powers, 1))

    def __truediv__(self, other: Dimension) -> Dimension:
        return Dimension(self.scale_ratio / other.scale_ratio, _merged(self.powers, other.powers, -1))

    def __str__(self) -> str:
        over = "·".join(_power(name, power) for name, power in self.powers if power > 0)
        under = "·".join(_power(name, -power) for name, power in self.powers if power < 0)
        return (over or "1" if under else over or "a pure number") + (f"/{under}" if under else "")


PURE: Final = Dimension(1.0, ())


@cache
def dimension_of(unit: str) -> Dimension:
    """The dimension of a unit such as ``usd/mtok`` or ``usd/kilowatt/month``.

    >>> dimension_of("usd/mtok").scale_ratio, str(dimension_of("usd/hour"))
    (1e-06, 'usd/second')
    """
    first, *below = unit.split("/")
    found = _symbol(first)
    for each in below:
        found = found / _symbol(each)
    return found


@cache
def factor(unit: str, wanted: str) -> float | None:
    """How many `wanted` one `unit` is; None where no constant leads from one to the other.

    >>> factor("usd/month", "usd/year"), factor("usd/hour", "usd/month"), factor("mtok", "token")
    (12.0, None, 1000000.0)
    """
    have, want = dimension_of(unit), dimension_of(wanted)
    return have.scale_ratio / want.scale_ratio if have.powers == want.powers else None


@cache
def currency_of(name: str) -> str:
    """The currency of a name that holds one other than the dollar; else empty.

    >>> currency_of("capex_eur"), currency_of("api_gbp_per_month"), currency_of("usd_per_eur")
    ('eur', 'gbp', '')
    """
    if name.startswith("usd_per_") or "_usd_per_" in name:
        return ""
    match = _FOREIGN.search(name)
    return match.group(2) if match else ""


@cache
def in_usd(name: str) -> str:
    """The name with its currency changed to the dollar.

    >>> in_usd("api_eur_per_month"), in_usd("capex_usd")
    ('api_usd_per_month', 'capex_usd')
    """
    code = currency_of(name)
    return _FOREIGN.sub(r"\1usd", name, count=1) if code else name


@cache
def split_period(name: str) -> tuple[str, str]:
    """The name without the period it is given for, and the period; empty when there is none.

    >>> split_period("api_usd_per_month"), split_period("capex_usd"), split_period("fleet_tok_per_s")
    (('api_usd', 'month'), ('capex_usd', ''), ('fleet_tok_per_s', ''))
    """
    base, found, period = name.rpartition("_per_")
    return (base, period) if found and period in PERIODS and unit_of(base) else (name, "")


@cache
def unit_of_name(name: str) -> str | None:
    """The unit that a name of a claim carries, in any currency and for any period; None when it carries none.

    >>> unit_of_name("capex_eur"), unit_of_name("requests_per_day"), unit_of_name("tokens_per_mtok")
    ('eur', 'request/day', 'token/mtok')
    """
    code = currency_of(name)
    if code:
        unit = unit_of_name(in_usd(name))
        return unit.replace("usd", code, 1) if unit else None
    base, period = split_period(name)
    whole = unit_of(name)
    if period and whole in (None, unit_of(period)):
        return f"{unit_of(base)}/{period}"
    return whole


@cache
def stem_of(name: str) -> str | None:
    """What a name is about, without its unit; None where the unit is of one GPU, replica or event.

    Two names with one stem say the same in two units. A GPU's price per hour and a fleet's are not the same, and
    the hours of a month are no matter of conversion.

    >>> stem_of("api_usd_per_month"), stem_of("input_mtok_per_day"), stem_of("gpu_rent_usd_per_gpu_hour")
    ('api', 'input', None)
    """
    amount, _ = split_period(in_usd(name))
    suffix = max((each for each in UNIT_BY_SUFFIX if f"_{amount}".endswith(f"_{each}")), key=len, default="")
    if not suffix or suffix in ("hours", "days") or any(word in suffix.split("_") for word in _THINGS):
        return None
    return amount[: -len(suffix)].rstrip("_")


def _symbol(text: str) -> Dimension:
    if text in _COMPOUND:
        return Dimension(*_COMPOUND[text])
    scale, base = _SYMBOLS.get(text, (1.0, text))
    return Dimension(scale, ((base, 1),))


def _merged(
    one: tuple[tuple[str, int], ...], two: tuple[tuple[str, int], ...], sign: int
) -> tuple[tuple[str, int], ...]:
    powers = dict(one)
    for name, power in two:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"
