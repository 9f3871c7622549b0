"""Forecast check: what a comparison promised against what the pilot saw, line by line, with intervals.

A promise that is one number is kept where it lies in the interval of what happened; a promised range, where the two
overlap. What a pilot cannot see is listed with its reason. Lines that stand for an assumption can be written back as
overrides of a scenario, graded `measured` (`recalibration.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.pilot.arm_figures import NAMES, ArmFigures, figures_of
from breakeven.pilot.arm_outcomes import outcomes_of
from breakeven.pilot.design import Design
from breakeven.pilot.estimate import Estimate
from breakeven.pilot.mean_sequence import any_time_range
from breakeven.pilot.observations import CANDIDATE, Observations
from breakeven.pilot.promises import (
    BASELINE_SUCCESS,
    CANDIDATE_SUCCESS,
    CAPACITY,
    EXTRA,
    FAILED_ANSWERS,
    SAVINGS,
    SUCCESS,
    VOLUME,
    bound_of,
    lines_of,
    promises_of,
)
from breakeven.pilot.savings import bills_of, monthly_usd
from breakeven.pilot.traffic import Traffic, requests_seen
from breakeven.pilot.verdict import ForecastLine, Range
from breakeven.units import unit_of

__all__ = ["forecast_lines", "promises_of"]

VOLUME_ASSUMPTION: Final = "volume_over_observed_ratio"
PROMISED_FRACTION: Final = 0.8
WINDOW_S: Final = 60.0


def forecast_lines(
    design: Design, observations: Observations, as_of_unix_s: float | None = None
) -> tuple[ForecastLine, ...]:
    """Every promise of the design, in its order; none where nothing was promised."""
    if not design.promised:
        return ()
    seen = _seen(design, observations, as_of_unix_s)
    return tuple(_line(design, name, seen) for name in lines_of(design.promised))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the pilot saw, for each line to ask."""

    design: Design
    observations: Observations
    arms: tuple[tuple[ArmFigures, ArmFigures], ...]
    """By the outcomes seen, and at the worst and the best that missing ones may be."""
    covers_all: bool
    """Whether the pilot tries requests of every kind, as the comparison does."""


def _seen(design: Design, observations: Observations, as_of_unix_s: float | None) -> _Seen:
    outcomes = outcomes_of(design, observations, as_of_unix_s)
    cases = (outcomes.seen, outcomes.worst, outcomes.best) if outcomes.is_bounded else (outcomes.seen,)
    arms = tuple(figures_of(design, outcomes, each) for each in cases)
    return _Seen(design, observations, arms, any(not each.task for each in design.tasks))


def _line(design: Design, name: str, seen: _Seen) -> ForecastLine:
    happened = _happened(name, seen)
    promised = _promised(design.promised, name)
    unit = unit_of(name) or ""
    error = None if happened.value is None or not promised.value else happened.value / promised.value
    within = _is_within(promised, happened)
    line = ForecastLine(name, unit, promised, happened, error, within, _assumption(name, seen))
    return replace(line, words=_words(line, seen))


def _promised(promised: Mapping[str, float], name: str) -> Range:
    low, high = (promised.get(bound_of(name, which)) for which in ("low", "high"))
    method = "" if low is None else "10 % to 90 % of the comparison's futures"
    return Range(promised[name], low, high, PROMISED_FRACTION, method)


def _is_within(promised: Range, happened: Range) -> bool | None:
    if promised.value is None or (happened.low is None and happened.high is None):
        return None
    low = promised.value if promised.low is None else promised.low
    high = promised.value if promised.high is None else promised.high
    is_above = happened.high is None or low <= happened.high
    is_below = happened.low is None or high >= happened.low
    if happened.value is None:
        return None if is_below and is_above else False
    return is_above and is_below


def _assumption(name: str, seen: _Seen) -> str:
    if name.endswith(SUCCESS) and name != CANDIDATE_SUCCESS:
        return name
    return VOLUME_ASSUMPTION if name == VOLUME and seen.covers_all else ""


def _happened(name: str, seen: _Seen) -> Range:
    arm, _, kind = name.partition("_")
    if name.endswith(SUCCESS):
        return _success(seen, 0 if name == BASELINE_SUCCESS else 1)
    if name in _OF_ALL:
        return _OF_ALL[name](seen)
    return _OF_ARM[kind](seen, NAMES.index(arm)) if arm in NAMES and kind in _OF_ARM else NOT_SEEN


NOT_SEEN: Final = any_time_range(None, why_not="a pilot does not see it: taken as promised; the books will tell")


def _success(seen: _Seen, which: int) -> Range:
    """The lowest low end and the highest high end of what missing outcomes may have been."""
    ranges = [any_time_range(each[which].success, why_not="no outcome is known") for each in seen.arms]
    lows, highs = [each.low for each in ranges if each.low is not None], [e.high for e in ranges if e.high is not None]
    if not lows or not highs:
        return ranges[0]
    return replace(ranges[0], low=max(min(lows), 0.0), high=min(max(highs), 1.0))


def _tokens_in(seen: _Seen, which: int) -> Range:
    return any_time_range(seen.arms[0][which].tokens_in, why_not="no call says its tokens")


def _tokens_out(seen: _Seen, which: int) -> Range:
    return any_time_range(seen.arms[0][which].tokens_out, why_not="no call says its tokens")


def _serving(seen: _Seen, which: int) -> Range:
    """Calls, and the share of the candidate's own servers at the traffic that the comparison promised."""
    arm = seen.arms[0][which]
    if arm.unpriced_count:
        return any_time_range(None, why_not=f"{arm.unpriced_count:,} of its requests without a price")
    idle_usd = 0.0
    if NAMES[which] == "candidate" and seen.design.idle_usd_per_month:
        load = _promised_load(seen)
        if not load.requests_per_month or not seen.covers_all:
            return any_time_range(None, why_not="nobody knows how many requests share the candidate's servers")
        idle_usd = seen.design.idle_usd_per_month / load.requests_per_month
    usd = None if arm.calls_usd is None else arm.calls_usd + idle_usd
    return any_time_range(usd, why_not="it has no requests")


def _failed_answers(seen: _Seen, which: int) -> Range:
    correction_usd, success = seen.design.human_correction_usd, seen.arms[0][which].success
    if correction_usd is None:
        return any_time_range(None, why_not="what a failed answer costs was not stated (human_correction_usd)")
    failed = None if success is None else (-success + 1.0) * correction_usd
    return any_time_range(failed, why_not="no outcome is known")


def _volume(seen: _Seen) -> Range:
    if not seen.covers_all:
        return any_time_range(None, why_not=f"promised for all calls; the pilot tries {_tasks(seen)} alone")
    return requests_seen(seen.design, seen.observations)


def _capacity(seen: _Seen) -> Range:
    """The busiest minute: the candidate can do that much; how much more it can do, only a load test says."""
    rows = seen.observations
    start = rows.start_unix_s[(rows.arm == CANDIDATE) & ~rows.is_error & np.isfinite(rows.start_unix_s)]
    if not len(start):
        return any_time_range(None, why_not="the candidate answered nothing")
    _, counts = np.unique(np.floor(start / WINDOW_S), return_counts=True)
    peak = float(counts.max()) / WINDOW_S
    why_not = f"at least {peak:.3g} requests/s, its busiest minute; no more was asked of it (`breakeven bench` asks)"
    return Range(None, peak, None, 1.0, "the busiest minute seen", why_not)


def _savings(seen: _Seen) -> Range:
    """At the promised traffic, with the lines that no pilot sees taken as promised."""
    if not seen.covers_all:
        return any_time_range(None, why_not=f"promised for all calls; the pilot tries {_tasks(seen)} alone")
    load = _promised_load(seen)
    bills = bills_of(seen.design, seen.arms[0], load)
    why_not = next((why for each in bills for why in (each.why_not, each.why_no_success) if why), load.note)
    saved: Estimate | None = monthly_usd(bills, load)
    if saved is not None:
        saved = saved - _as_promised_usd(seen)
    return any_time_range(saved, why_not=why_not)


def _as_promised_usd(seen: _Seen) -> float:
    """What the candidate costs beyond today by the month, in lines that a pilot does not see."""
    promised = seen.design.promised
    usd = sum(each for line, each in promised.items() if line.startswith(EXTRA))
    if seen.design.human_correction_usd is None:
        by_arm = [promised.get(f"{arm}_{FAILED_ANSWERS}_usd_per_request", 0.0) for arm in NAMES]
        usd += (by_arm[1] - by_arm[0]) * promised.get(VOLUME, 0.0)
    return usd


def _promised_load(seen: _Seen) -> Traffic:
    promised = seen.design.promised.get(VOLUME)
    return Traffic(promised, "at the promised traffic" if promised else "the comparison promised no traffic")


_OF_ARM: Final[Mapping[str, Callable[[_Seen, int], Range]]] = {
    "input_tokens_per_request": _tokens_in,
    "output_tokens_per_request": _tokens_out,
    "serving_usd_per_request": _serving,
    f"{FAILED_ANSWERS}_usd_per_request": _failed_answers,
}
_OF_ALL: Final[Mapping[str, Callable[[_Seen], Range]]] = {VOLUME: _volume, CAPACITY: _capacity, SAVINGS: _savings}


def _words(line: ForecastLine, seen: _Seen) -> str:
    """How the promise compares, and what keeps the two from being the same question."""
    if line.happened.value is None:
        over = line.is_within is False
        return f"not kept: {line.happened.why_not}" if over else line.happened.why_not
    beside = _caveat(line, seen)
    return f"{_compared(line)}; {beside}" if beside else _compared(line)


def _compared(line: ForecastLine) -> str:
    if line.is_within is None:
        few = f" ({line.happened.why_not})" if line.happened.why_not else ""
        return f"{_off(line)}, with no interval yet{few}"
    return f"as promised ({_off(line)})" if line.is_within else _off(line)


def _off(line: ForecastLine) -> str:
    value, promised = line.happened.value, line.promised.value
    if value is None or promised is None:
        return ""
    if line.error_ratio is None or line.error_ratio <= 0:
        return "nothing was promised" if not promised else "the other sign than promised"
    more = (line.error_ratio - 1.0) * 100.0
    if abs(more) < 0.5:
        return "to the percent"
    bigger = (more > 0) == (promised > 0)
    return f"{abs(more):.0f} % {'more' if bigger else 'less'} than promised"


def _caveat(line: ForecastLine, seen: _Seen) -> str:
    if line.name == SAVINGS and _as_promised_usd(seen):
        return "lines that a pilot does not see are taken as promised"
    per_request = line.name.endswith("_per_request") or line.name.endswith(SUCCESS)
    if per_request and not seen.covers_all:
        return f"promised for all calls, seen of {_tasks(seen)} alone"
    return ""


def _tasks(seen: _Seen) -> str:
    return ", ".join(each.task for each in seen.design.tasks)
