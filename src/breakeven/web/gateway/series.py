"""Series: the last quarter of an hour in steps, for the small charts: rates, percentiles, spend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.units import SECONDS_PER_HOUR
from breakeven.web.gateway.histogram_quantiles import quantile
from breakeven.web.gateway.totals import Span, Totals, span_of

GAP_S: Final = 45.0
"""Moments further apart than this have nothing between them: nobody read."""
CHART_STEP_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Point:
    """One step."""

    ago_s: float
    """Its end, before the newest reading."""
    value: float | None
    """None: nobody read, or nothing was there to be measured."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    title: str
    unit: str
    points: tuple[Point, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """Those that are known, oldest first."""
        return tuple(each.value for each in self.points if each.value is not None)


def series_of(moments: Sequence[Totals], remembered_s: float) -> tuple[Series, ...]:
    """Every line, from moments oldest first; a step without a reading is a gap."""
    if len(moments) < 2:
        return ()
    newest_s = moments[-1].at_unix_s
    steps = [each for each in _steps(moments) if newest_s - each.after.at_unix_s <= remembered_s]
    return tuple(
        Series(name, title, unit, tuple(_points(steps, newest_s, value))) for name, title, unit, value in _LINES
    )


def _steps(moments: Sequence[Totals]) -> list[Span]:
    """Pairs of moments about `CHART_STEP_S` apart; the last one is as short as it must be."""
    found, start = [], moments[0]
    for i, each in enumerate(moments[1:], 1):
        is_gap = each.at_unix_s - moments[i - 1].at_unix_s > GAP_S
        is_long = each.at_unix_s - start.at_unix_s >= CHART_STEP_S - 1.0
        if not (is_gap or is_long or i == len(moments) - 1):
            continue
        found.append(span_of(start, each))
        start = each
    return found


def _points(steps: Sequence[Span], newest_s: float, value: Callable[[Span], float | None]) -> list[Point]:
    found = []
    for each in steps:
        known = None if each.seconds_s > GAP_S or each.seconds_s <= 0 else value(each)
        found.append(Point(round(newest_s - each.after.at_unix_s, 1), known))
    return found


def _requests(step: Span) -> float:
    return (sum(step.requests.values()) + sum(step.refusals.values())) / step.seconds_s


def _failures(step: Span) -> float:
    return step.requests.get("failed", 0.0) / step.seconds_s


def _tokens(step: Span) -> float:
    return sum(each.input_tokens + each.output_tokens for each in step.models.values()) / step.seconds_s


def _spend(step: Span) -> float:
    return sum(each.cost_usd for each in step.models.values()) / step.seconds_s * SECONDS_PER_HOUR


def _in_flight(step: Span) -> float:
    return step.after.gauges.get("requests_in_flight", 0.0)


def _percentile(name: str, fraction: float) -> Callable[[Span], float | None]:
    def value(step: Span) -> float | None:
        found = quantile(step.whole(name), step.after.edges_s, fraction)
        return None if found is None else found.value_s if found.value_s is not None else found.low_s

    return value


_LINES: Final[tuple[tuple[str, str, str, Callable[[Span], float | None]], ...]] = (
    ("requests", "Requests", "request/second", _requests),
    ("failures", "Failed requests", "request/second", _failures),
    ("duration_p50", "Answers, median", "second", _percentile("durations", 0.5)),
    ("duration_p95", "Answers, 95th percentile", "second", _percentile("durations", 0.95)),
    ("first_byte_p50", "First byte, median", "second", _percentile("first_bytes", 0.5)),
    ("first_byte_p95", "First byte, 95th percentile", "second", _percentile("first_bytes", 0.95)),
    ("spend", "Spend", "usd/hour", _spend),
    ("tokens", "Tokens", "token/second", _tokens),
    ("in_flight", "Requests under way", "request", _in_flight),
)
