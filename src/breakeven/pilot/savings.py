"""Savings: what the candidate's requests save, per request, per successful outcome and per month, with any-time ranges.

A request costs its calls (first try, retries, fallbacks, escalations), its share of servers that are paid whatever they
do, and, where a person puts failures right, that person: calls + idle + (1 - success) x correction. Where nobody puts
them right a success costs that over the success rate; where somebody does, every request ends well, and a success costs
what a request costs. The month is for equal successful outcomes: the candidate's bill is scaled to as many successes as
the baseline has. Requests without a price give no figure at all: an unknown price is never 0.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import exp
from typing import Any, Final

from breakeven.pilot.arm_figures import NAMES, ArmFigures, figures_of
from breakeven.pilot.arm_outcomes import outcomes_of
from breakeven.pilot.design import Design
from breakeven.pilot.estimate import Estimate
from breakeven.pilot.mean_sequence import METHOD, any_time_range, one_look
from breakeven.pilot.observations import Observations
from breakeven.pilot.payback import first_year_return_ratio, payback_months
from breakeven.pilot.traffic import Traffic, rows_of_tasks, traffic
from breakeven.pilot.verdict import Range, Savings

NO_OUTCOME: Final = "no outcome of the {arm} is known"
NO_SUCCESS: Final = "nothing succeeded in the {arm}, so a success has no price"


@dataclass(frozen=True, slots=True)
class Bill:
    """What a request and a success cost in one arm; `why_not` where that cannot be told."""

    request_usd: Estimate | None
    success_usd: Estimate | None
    success: Estimate | None
    idle_usd_per_request: float
    why_not: str = ""
    why_no_success: str = ""


def savings(
    design: Design,
    observations: Observations,
    accepted_tasks: Collection[str],
    as_of_unix_s: float | None = None,
) -> Savings:
    """What the candidate's answers to requests of `accepted_tasks` save; `as_of_unix_s` None: the latest start."""
    rows = observations.where(rows_of_tasks(design, observations, accepted_tasks))
    outcomes = outcomes_of(design, rows, as_of_unix_s)
    load = traffic(design, observations, accepted_tasks)
    found = _savings(design, figures_of(design, outcomes, outcomes.seen), load)
    if not outcomes.is_bounded:
        return found
    cases = (figures_of(design, outcomes, success) for success in (outcomes.worst, outcomes.best))
    worst, best = (_savings(design, arms, load) for arms in cases)
    monthly = _bounded(found.saved_usd_per_month, worst.saved_usd_per_month, best.saved_usd_per_month)
    return replace(
        found,
        saved_usd_per_request=_bounded(
            found.saved_usd_per_request, worst.saved_usd_per_request, best.saved_usd_per_request
        ),
        saved_usd_per_success=_bounded(
            found.saved_usd_per_success, worst.saved_usd_per_success, best.saved_usd_per_success
        ),
        saved_fraction=_bounded(found.saved_fraction, worst.saved_fraction, best.saved_fraction),
        saved_usd_per_month=monthly,
        payback_months=payback_months(design.migration_usd, monthly),
        return_ratio=first_year_return_ratio(design.migration_usd, monthly),
    )


WHATEVER: Final = "ends hold whatever the missing outcomes were"


def _bounded(seen: Range, worst: Range, best: Range) -> Range:
    """The figure of the outcomes seen, from the low end of the worst case to the high end of the best."""
    if seen.value is None:
        return seen
    found = replace(seen, low=worst.low, high=best.high, method=f"{seen.method}; {WHATEVER}")
    if found.low is not None and found.high is not None:
        return found
    return replace(found, why_not=seen.why_not or worst.why_not or best.why_not or "too many outcomes are missing")


def _savings(design: Design, arms: tuple[ArmFigures, ArmFigures], load: Traffic) -> Savings:
    bills = bills_of(design, arms, load)
    why_not = next((each.why_not for each in bills if each.why_not), "")
    why_no_success = why_not or next((each.why_no_success for each in bills if each.why_no_success), "")
    monthly = any_time_range(monthly_usd(bills, load), why_not=why_no_success or load.note)
    return Savings(
        saved_usd_per_request=any_time_range(_less(bills[0].request_usd, bills[1].request_usd), why_not=why_not),
        saved_usd_per_success=_checked(_less(bills[0].success_usd, bills[1].success_usd), design.seed, why_no_success),
        saved_fraction=_saved_fraction(bills, why_no_success),
        saved_usd_per_month=monthly,
        payback_months=payback_months(design.migration_usd, monthly),
        return_ratio=first_year_return_ratio(design.migration_usd, monthly),
        lines=() if why_not else _lines(design, arms, bills, load),
        not_stated=_not_stated(design),
    )


def bills_of(design: Design, arms: tuple[ArmFigures, ArmFigures], load: Traffic) -> tuple[Bill, Bill]:
    """The bills of baseline and candidate."""
    idle_usd, why_no_idle = 0.0, ""
    if design.idle_usd_per_month:
        if load.requests_per_month:
            idle_usd = design.idle_usd_per_month / load.requests_per_month
        else:
            why_no_idle = f"the candidate's servers cost ${design.idle_usd_per_month:,.0f} a month, and {load.note}"
    return (_bill(design, arms[0], 0, 0.0, ""), _bill(design, arms[1], 1, idle_usd, why_no_idle))


def monthly_usd(bills: tuple[Bill, Bill], load: Traffic) -> Estimate | None:
    """Saved in a month, for as many successful outcomes as the baseline gives."""
    baseline, candidate = bills
    if not load.requests_per_month or baseline.request_usd is None or candidate.success_usd is None:
        return None
    if baseline.success_usd is None or baseline.success is None:
        return None
    is_put_right = candidate.success_usd is candidate.request_usd
    equal = candidate.success_usd if is_put_right else candidate.success_usd * baseline.success
    return (baseline.request_usd - equal) * load.requests_per_month


def _bill(design: Design, arm: ArmFigures, which: int, idle_usd: float, why_no_idle: str) -> Bill:
    """What is divided by a success rate knows no more than the successes behind it."""
    name = NAMES[which]
    if why_not := _why_not(arm, name) or why_no_idle:
        return Bill(None, None, None, idle_usd, why_not, why_not)
    assert arm.calls_usd is not None
    request, success = arm.calls_usd + idle_usd, arm.success
    if design.human_correction_usd is not None:
        if success is None:
            why_not = NO_OUTCOME.format(arm=name) + ", so nobody can say how often a person had to put it right"
            return Bill(None, None, None, idle_usd, why_not, why_not)
        request = request + (-success + 1.0) * design.human_correction_usd
        return Bill(request, request, success, idle_usd)
    if success is None or success.value <= 0:
        words = NO_OUTCOME if success is None else NO_SUCCESS
        return Bill(request, None, success, idle_usd, why_no_success=words.format(arm=name))
    rests_on = replace(success, units_count=min(success.units_count, arm.successes_count))
    return Bill(request, request / rests_on, success, idle_usd)


def _why_not(arm: ArmFigures, name: str) -> str:
    if arm.unpriced_count:
        return (
            f"{arm.unpriced_count:,} of {arm.requests_count:,} requests of the {name} "
            f"{'has' if arm.unpriced_count == 1 else 'have'} no price; add it "
            "(prices reach back to past calls) and ask again"
        )
    return "" if arm.calls_usd is not None else f"the {name} has no requests here"


def _less(one: Estimate | None, other: Estimate | None) -> Estimate | None:
    return None if one is None or other is None else one - other


def _saved_fraction(bills: tuple[Bill, Bill], why_not: str) -> Range:
    """One less the ratio of costs per success; its interval by logarithms, as ratios of money are skew."""
    baseline, candidate = bills[0].success_usd, bills[1].success_usd
    if baseline is None or candidate is None:
        return any_time_range(None, why_not=why_not)
    if baseline.value <= 0:
        return any_time_range(None, why_not="the baseline costs nothing, so nothing can be saved of it")
    if candidate.value <= 0:
        return any_time_range(-(candidate / baseline) + 1.0)
    found = any_time_range(candidate.log() - baseline.log())
    if found.value is None:
        return found
    low, high = (None if end is None else 1.0 - exp(min(end, _LOG_MAX)) for end in (found.high, found.low))
    return replace(found, value=1.0 - exp(found.value), low=low, high=high)


_LOG_MAX: Final = 700.0


def _checked(saved: Estimate | None, seed: int, why_not: str) -> Range:
    """The any-time range, with what two intervals of a single look say of it in its method."""
    found = any_time_range(saved, why_not=why_not)
    check = one_look(saved, seed) if saved is not None else None
    if check is None:
        return found
    beside = "; ".join(f"{name} {_ends(each)}" for name, each in (("t", check.t), ("BCa", check.bca)))
    return replace(found, method=f"{METHOD}; if this look were the only one: {beside}")


def _ends(each: Range) -> str:
    return f"{each.low:.4g} to {each.high:.4g}"


def _lines(
    design: Design, arms: tuple[ArmFigures, ArmFigures], bills: tuple[Bill, Bill], load: Traffic
) -> tuple[Mapping[str, Any], ...]:
    """What a request costs in each arm, line by line; the lines add up to it."""
    calls, retried = ([_value(getattr(each, name)) for each in arms] for name in ("calls_usd", "retried_usd"))
    once = [each - again for each, again in zip(calls, retried, strict=True)]
    found = [_line("calls", once, "requests that were answered by the first call")]
    found.append(_line("retried_calls", retried, "all calls of requests that took retries, fallbacks or escalations"))
    if design.human_correction_usd is not None:
        wrong = [(1.0 - _value(each.success)) * design.human_correction_usd for each in bills]
        found.append(_line("human_correction", wrong, f"failed answers, ${design.human_correction_usd:g} each"))
    if design.idle_usd_per_month is not None:
        idle = [each.idle_usd_per_request for each in bills]
        found.append(_line("idle_servers", idle, f"${design.idle_usd_per_month:,.0f} a month, {load.note}"))
    return tuple(found)


def _line(name: str, usd: list[float], note: str) -> Mapping[str, Any]:
    return {"name": name, "baseline_usd_per_request": usd[0], "candidate_usd_per_request": usd[1], "note": note}


def _value(estimate: Estimate | None) -> float:
    return 0.0 if estimate is None else estimate.value


def _not_stated(design: Design) -> tuple[str, ...]:
    asked = {
        "human_correction_usd": "what a failed answer costs the people who put it right",
        "idle_usd_per_month": "what servers of the candidate cost when they idle, if it has any",
        "migration_usd": "what the switch costs once",
    }
    return tuple(f"{words} ({name})" for name, words in asked.items() if getattr(design, name) is None)
