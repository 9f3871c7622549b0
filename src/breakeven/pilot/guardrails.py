"""Guardrails: what stops a bad candidate before the pilot is decided: success, errors, latency, spend.

Each guard of a task is a bet that its limit is broken, spread over all moments at which things may have turned bad
(`outcomes/restarting_bets.py`). A candidate within its limits is ever stopped by one guard of one task with chance
`inferior_alpha_fraction` at most, however often one looks; by any of k guards with k times that (the words say so).
Risks are not split over guards and tasks, since a guard that is slow is none: stopping by mistake costs a pilot,
accepting by mistake costs customers.

- **inferior**: the candidate does not keep the margin. Missing outcomes count for it, those that wait are waited for.
- **error_rate**: more failed requests than the limit, call by call: a storm of failures is what it is there for, so
  units do not matter.
- **latency_p95** against seconds: more than 5 % of answers are slower, the same bet. Against the baseline: more than
  5 % are slower than the ratio times a value that the baseline's 95th percentile is proven to lie below (half of the
  risk for either proof); that percentile is supposed to stay where it is.
- **spend**: what the pilot costs is added up, no statistics. One for all tasks.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from breakeven.outcomes.restarting_bets import ln_wealth_path
from breakeven.pilot.confidence_sequence import success_sequence
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.evidence_tests import IncrementTest, PairTest, inferior_bets_of
from breakeven.pilot.increments import stakes_by_row
from breakeven.pilot.noninferiority import pair_gains
from breakeven.pilot.observations import BASELINE, CANDIDATE, Flags, Floats, Observations
from breakeven.pilot.quality import ratio_range
from breakeven.pilot.quantiles import TAIL_FRACTION, more_than_stakes, quantile_bounds, upper_bound
from breakeven.pilot.spending import spend
from breakeven.pilot.task_evidence import TaskEvidence, task_evidence
from breakeven.pilot.traffic import rows_of_tasks
from breakeven.pilot.verdict import GuardState, Range

LIMIT_GROWS_RATIO: Final = 1.2
"""The baseline's latency is looked at anew when it has so many times the answers."""
ROUNDING_FRACTION: Final = 1e-9
"""Sums of many small amounts are not exact."""


def guard_states(
    design: Design, observations: Observations, as_of_unix_s: float | None = None
) -> tuple[GuardState, ...]:
    """Every guard of every task, fired or not, and the spend of the pilot."""
    found: list[GuardState] = []
    for plan in design.tasks:
        rows = observations.where(rows_of_tasks(design, observations, [plan.task]))
        found.append(_inferior(design, plan, task_evidence(design, plan, rows, as_of_unix_s)))
        found += _of_calls(design, plan, rows)
    if design.guards.spend_max_usd is not None and design.mode != "offline":
        found.append(_spend(design, observations))
    return tuple(found)


def _of_calls(design: Design, plan: TaskPlan, rows: Observations) -> list[GuardState]:
    guards, found = design.guards, []
    if guards.error_rate_max_fraction is not None:
        found.append(_error_rate(design, plan, rows, guards.error_rate_max_fraction))
    if guards.latency_p95_max_s is not None:
        found.append(_latency(design, plan, rows, guards.latency_p95_max_s))
    if guards.latency_p95_max_ratio is not None:
        found.append(_latency_ratio(design, plan, rows, guards.latency_p95_max_ratio))
    return found


def _inferior(design: Design, plan: TaskPlan, evidence: TaskEvidence) -> GuardState:
    path = inferior_path(design, plan, evidence)
    fired_at = _first(path, design.guards.inferior_alpha_fraction)
    seen = ratio_range(design, evidence)
    margin = design.margin_ratio
    known = "success not known yet" if seen.value is None else f"success {seen.value:.3f} of the baseline's"
    what = f"{_name(plan)}: {known}"
    if fired_at is not None:
        after_count = fired_at if len(path) > 1 else evidence.seen.outcomes_count  # units: by all that came so far
        words = f"{what}; that it does not keep {margin:g} is proven after {after_count:,} outcomes ({_risk(design)})"
    else:
        words = f"{what}; not proven below {margin:g}"
    return GuardState(plan.task, "inferior", fired_at is not None, words, "ratio", seen, _limit(margin, None, design))


def inferior_path(design: Design, plan: TaskPlan, evidence: TaskEvidence) -> Floats:
    """Logarithm of the evidence against the candidate after each outcome; for units that come back, now alone."""
    test, margin = evidence.best, design.margin_ratio
    if evidence.why_not:
        return np.zeros(0)
    if isinstance(test, PairTest):
        bets = inferior_bets_of(plan, margin)
        return ln_wealth_path(-pair_gains(test.pairs, margin), np.abs(bets.at(margin)), bets.weights_fraction)
    if isinstance(test, IncrementTest) and test.increments.unit is None:
        stakes = test.inferior_stakes
        gains, by_row = stakes_by_row(test.increments, margin, stakes.sizes, is_inferior=True)
        return ln_wealth_path(gains, by_row, stakes.weights)
    return np.array([test.ln_inferior_e()])


def _error_rate(design: Design, plan: TaskPlan, rows: Observations, limit: float) -> GuardState:
    is_error = rows.is_error[rows.arm == CANDIDATE].astype(np.float64)
    path = ln_wealth_path(is_error - limit, more_than_stakes(limit)) if 0 < limit < 1 else np.zeros(0)
    failed, count = int(is_error.sum()), len(is_error)
    fired_at = _first(path, design.guards.inferior_alpha_fraction) if limit > 0 else _any(is_error)
    what = f"{_name(plan)}: {failed:,} of {count:,} requests failed"
    words = (
        f"{what}; more than {100 * limit:.1f} % is proven after {fired_at:,} ({_risk(design)})"
        if fired_at is not None
        else f"{what}; not proven above {100 * limit:.1f} %"
    )
    seen = success_sequence(float(failed), count, design.guards.inferior_alpha_fraction)
    return GuardState(
        plan.task, "error_rate", fired_at is not None, words, "fraction", seen, _limit(None, limit, design)
    )


def _latency(design: Design, plan: TaskPlan, rows: Observations, limit: float) -> GuardState:
    seconds = _seconds(rows, CANDIDATE)
    path = ln_wealth_path(_above(seconds, limit), more_than_stakes())
    fired_at = _first(path, design.guards.inferior_alpha_fraction)
    slow = int((seconds > limit).sum())
    words = f"{_name(plan)}: {slow:,} of {len(seconds):,} answers took longer than {limit:g} s; " + (
        f"that more than 5 % do is proven after {fired_at:,} ({_risk(design)})"
        if fired_at is not None
        else "not proven to be more than 5 %"
    )
    return GuardState(
        plan.task,
        "latency_p95",
        fired_at is not None,
        words,
        "s",
        _percentile(seconds, design),
        _limit(None, limit, design),
    )


def _latency_ratio(design: Design, plan: TaskPlan, rows: Observations, limit: float) -> GuardState:
    alpha = design.guards.inferior_alpha_fraction
    ours, theirs = _seconds(rows, CANDIDATE), _seconds(rows, BASELINE)
    known = np.isfinite(rows.latency_s)
    allowed = limit * baseline_bounds(rows.latency_s[known], rows.arm[known] == CANDIDATE, alpha / 2)
    path = ln_wealth_path(_above(ours, allowed), more_than_stakes())
    fired_at = _first(path, alpha / 2)
    seen = None
    if len(ours) and len(theirs):
        value = float(np.quantile(ours, 1 - TAIL_FRACTION) / max(np.quantile(theirs, 1 - TAIL_FRACTION), 1e-9))
        one, other = quantile_bounds(ours, alpha / 2), quantile_bounds(theirs, alpha / 2)
        low = one.low / other.high if math.isfinite(one.low) else 0.0
        high = one.high / other.low if math.isfinite(one.high) and other.low > 0 else None
        seen = Range(value, low, high, 1 - alpha, "percentiles by betting; holds however often one looks")
    what = f"{_name(plan)}: 95th percentile of latency" + (f" {seen.value:.2f} times the baseline's" if seen else "")
    words = what + (
        f"; more than {limit:g} times is proven after {fired_at:,} answers ({_risk(design)})"
        if fired_at is not None
        else f"; not proven above {limit:g} times"
    )
    return GuardState(plan.task, "latency_p95", fired_at is not None, words, "ratio", seen, _limit(None, limit, design))


def baseline_bounds(latency_s: Floats, is_candidate: Flags, alpha_fraction: float) -> Floats:
    """For each of the candidate's answers, what the baseline's 95th percentile was proven to lie below before it."""
    before = np.cumsum(~is_candidate)[is_candidate]
    theirs = latency_s[~is_candidate]
    found = np.full(len(before), np.inf)
    count = 1.0
    while count <= len(theirs):
        bound = upper_bound(np.sort(theirs[: int(count)]), alpha_fraction)
        found[before >= int(count)] = bound
        count = max(count + 1, count * LIMIT_GROWS_RATIO)
    return found


def _spend(design: Design, observations: Observations) -> GuardState:
    limit = design.guards.spend_max_usd or 0.0
    spent = spend(design, observations)
    words = f"the pilot has cost {spent.usd:,.2f} USD ({spent.words}) of {limit:,.2f} USD"
    return GuardState(
        "",
        "spend",
        spent.usd >= limit * (1 - ROUNDING_FRACTION),
        words,
        "usd",
        Range(spent.usd, spent.usd, spent.usd, 1.0, "added up"),
        Range(limit, None, limit, 1.0),
    )


def _seconds(rows: Observations, arm: int) -> Floats:
    return np.asarray(rows.latency_s[(rows.arm == arm) & np.isfinite(rows.latency_s)])


def _above(seconds: Floats, limit: float | Floats) -> Floats:
    """What a bet on "more than 5 % take longer" gains by each answer."""
    return np.asarray((seconds > limit).astype(np.float64) - TAIL_FRACTION)


def _first(path: Floats, alpha: float) -> int | None:
    """Outcomes after which the evidence reached 1 / alpha; None: it has not."""
    reached = path >= -math.log(alpha)
    return int(reached.argmax()) + 1 if reached.any() else None


def _any(is_error: Floats) -> int | None:
    return int(is_error.argmax()) + 1 if is_error.any() else None


def _percentile(seconds: Floats, design: Design) -> Range | None:
    if not len(seconds):
        return None
    found = quantile_bounds(seconds, design.guards.inferior_alpha_fraction)
    return Range(
        found.value,
        found.low if math.isfinite(found.low) else 0.0,
        found.high if math.isfinite(found.high) else None,
        1 - design.guards.inferior_alpha_fraction,
        "percentile by betting; holds however often one looks",
    )


def _limit(low: float | None, high: float | None, design: Design) -> Range:
    return Range(low if high is None else high, low, high, 1 - design.guards.inferior_alpha_fraction)


def _name(plan: TaskPlan) -> str:
    return f"task {plan.task}" if plan.task else "all requests"


def _risk(design: Design) -> str:
    guards = design.guards
    count = 1 + sum(
        each is not None
        for each in (guards.error_rate_max_fraction, guards.latency_p95_max_s, guards.latency_p95_max_ratio)
    )
    alone, total = guards.inferior_alpha_fraction, count * len(design.tasks)
    together = f", of any of {total} guards {100 * min(total * alone, 1.0):.1f} %" if total > 1 else ""
    return f"risk of a false stop {100 * alone:.1f} %{together}"
