"""Named conversion constants and the unit suffixes that numeric names carry.

A numeric name ends in its unit (``gpu_rent_usd_per_hour``); `unit_of` reads the unit back from the name,
so that the catalogue, the formulas and one architecture test can check each other.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

HOURS_PER_MONTH: Final = 730.0
"""Default length of a calendar month, hours (8,760 / 12). An input of every scenario, printed in every report."""
MONTHS_PER_YEAR: Final = 12.0
MONTH_MONTHS: Final = 1.0
YEAR_MONTHS: Final = 12.0
"""One month and one year as durations (`MONTHS_PER_YEAR` converts)."""
HOURS_PER_YEAR: Final = 8760.0
HOURS_PER_WEEK: Final = 168.0
DAYS_PER_MONTH: Final = 365.0 / 12.0
SECONDS_PER_HOUR: Final = 3600.0
WATTS_PER_KW: Final = 1e3
GRAMS_PER_KG: Final = 1e3
KG_PER_TONNE: Final = 1e3
MS_PER_S: Final = 1e3
TOKENS_PER_MTOK: Final = 1e6
BYTES_PER_GB: Final = 1e9
BYTES_PER_GIB: Final = float(2**30)
FLOPS_PER_TFLOPS: Final = 1e12
FLOP_PER_TRAINED_PARAM_TOKEN: Final = 6.0
"""Arithmetic of one parameter for one token of training, forward and backward (Kaplan et al., arXiv 2001.08361)."""
FLOP_PER_MULTIPLY_ADD: Final = 2.0
"""Arithmetic of one parameter for one token."""
TOKENS_PER_STEP: Final = 1.0
"""One decode step adds one token to each sequence (no speculative decoding)."""

UNIT_BY_SUFFIX: Final[dict[str, str]] = {
    "usd_per_gpu_hour": "usd/hour",
    "usd_per_gpu_month": "usd/month",
    "usd_per_replica_month": "usd/month",
    "usd_per_replica": "usd",
    "usd_per_hour": "usd/hour",
    "usd_per_month": "usd/month",
    "usd_per_year": "usd/year",
    "usd_per_mtok": "usd/mtok",
    "usd_per_kwh": "usd/kwh",
    "usd_per_kw_month": "usd/kilowatt/month",
    "usd_per_tonne": "usd/tonne",
    "usd_per_request": "usd/request",
    "usd_per_event": "usd",
    "usd_per_gpu": "usd",
    "usd_per_unit_hour": "usd/hour",
    "usd_per_success": "usd/request",
    "usd_per_cny": "usd/cny",
    "usd_per_eur": "usd/eur",
    "usd_per_gbp": "usd/gbp",
    "eur_per_year": "eur/year",
    "gbp_per_year": "gbp/year",
    "eur_per_kwh": "eur/kwh",
    "usd": "usd",
    "tok_per_s": "token/s",
    "req_per_s": "request/s",
    "requests_per_hour": "request/hour",
    "tokens_per_hour": "token/hour",
    "requests_per_minute": "request/minute",
    "tokens_per_minute": "token/minute",
    "tokens_per_request": "token/request",
    "tokens_per_month": "token/month",
    "mtok_per_month": "mtok/month",
    "requests_per_month": "request/month",
    "successes_per_month": "request/month",
    "tokens": "token",
    "mtok": "mtok",
    "requests": "request",
    "hours_per_event": "hour",
    "hours_per_month": "hour/month",
    "hours_per_year": "hour/year",
    "hours_per_day": "hour/day",
    "days_per_month": "day/month",
    "events_per_gpu_year": "1/year",
    "events_per_gpu_month": "1/month",
    "events_per_replica_month": "1/month",
    "events_per_year": "1/year",
    "events_per_month": "1/month",
    "gb_per_s": "gigabyte/s",
    "gb": "gigabyte",
    "gib": "gibibyte",
    "bytes_per_token": "byte/token",
    "bytes_per_param": "byte",
    "tflops": "teraflop/s",
    "w": "watt",
    "w_per_gpu": "watt",
    "gb_per_gpu": "gigabyte",
    "px": "pixel",
    "kw": "kilowatt",
    "kwh": "kwh",
    "kwh_per_month": "kwh/month",
    "kg_per_month": "kilogram/month",
    "tonnes_per_month": "tonne/month",
    "g_per_kwh": "gram/kwh",
    "s_per_request": "s/request",
    "s_per_token": "s/token",
    "s_per_pair": "s/count",
    "ms": "millisecond",
    "s": "second",
    "hours": "hour",
    "days": "day",
    "months": "month",
    "years": "year",
    "fraction_per_year": "1/year",
    "fraction_per_month": "1/month",
    "fraction_per_week": "1/week",
    "fraction": "fraction",
    "ratio": "ratio",
    "count": "count",
}
"""Suffix of a numeric name -> its unit. The longest matching suffix wins."""

_SUFFIXES_LONGEST_FIRST: Final = sorted(UNIT_BY_SUFFIX, key=len, reverse=True)


@lru_cache(maxsize=4096)
def unit_of(name: str) -> str | None:
    """Return the unit that the suffix of `name` declares, or None when the name carries none.

    >>> unit_of("engineer_usd_per_year"), unit_of("price")
    ('usd/year', None)
    """
    for suffix in _SUFFIXES_LONGEST_FIRST:
        if name == suffix or name.endswith("_" + suffix):
            return UNIT_BY_SUFFIX[suffix]
    return None
