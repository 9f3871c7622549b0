"""Next step: what a verdict and a pilot's state call for: whom to stop, and how far a canary may go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from breakeven.pilot.design import Design
from breakeven.pilot.journal import PilotState
from breakeven.pilot.observations import CANDIDATE, Observations
from breakeven.pilot.verdict import Verdict
from breakeven.units import SECONDS_PER_HOUR

HOURS_PER_DAY: Final = 24.0


def stop_reasons(verdict: Verdict, design: Design) -> dict[str, str]:
    """Task -> why its candidate is taken out; a guard of all tasks stops each."""
    found: dict[str, str] = {}
    names = [each.task for each in design.tasks]
    for guard in verdict.guards:
        if guard.has_fired:
            for task in [guard.task] if guard.task in names else names:
                found.setdefault(task, guard.words)
    for quality in verdict.tasks:
        if quality.is_inferior and quality.task in names:
            found.setdefault(quality.task, "the candidate is proven to lose more than the margin.")
    return found


def is_decided(verdict: Verdict, design: Design, state: PilotState, now_unix_s: float) -> bool:
    """Whether nothing more is to be waited for: every task is accepted or stopped, or the time is over."""
    if verdict.answer == "no":
        return True
    known = {*verdict.accepted_tasks, *verdict.stopped_tasks}
    return all(each.task in known for each in design.tasks) or is_over(design, state, now_unix_s)


def is_over(design: Design, state: PilotState, now_unix_s: float) -> bool:
    """Whether the longest time of the design has passed."""
    end = (state.started_unix_s or 0.0) + design.days_max_days * HOURS_PER_DAY * SECONDS_PER_HOUR
    return now_unix_s >= end


def next_shares(design: Design, seen: Observations, state: PilotState, now_unix_s: float) -> dict[str, float]:
    """Task -> share after this look: the next step where enough was seen at the present one.

    The steps are one ramp: a task goes on by itself, a task that was stopped stays where it was.
    """
    shares = dict(state.share_by_task)
    for i, plan in enumerate(design.tasks):
        share = shares.get(plan.task, 0.0)
        at = next((n for n, each in enumerate(design.ramp) if each.share_fraction == share), None)
        if plan.task in state.stopped_why or at is None or at + 1 >= len(design.ramp):
            continue
        since = state.share_since_unix_s.get(plan.task, state.started_unix_s or 0.0)
        mine = (seen.task == i) & (seen.arm == CANDIDATE) & (seen.start_unix_s >= since)
        waited = (now_unix_s - since) / SECONDS_PER_HOUR >= design.ramp[at].hours_min_hours
        if waited and int(np.sum(mine)) >= design.ramp[at].requests_min_count:
            shares[plan.task] = design.ramp[at + 1].share_fraction
    return shares


def with_stops(verdict: Verdict, state: PilotState, design: Design) -> Verdict:
    """A task that was taken out stays out, whatever comes late: what the journal says was done, was done."""
    stopped = tuple(dict.fromkeys((*verdict.stopped_tasks, *state.stopped_why)))
    accepted = tuple(each for each in verdict.accepted_tasks if each not in state.stopped_why)
    if stopped == verdict.stopped_tasks and accepted == verdict.accepted_tasks:
        return verdict
    answer, sentence = verdict.answer, verdict.sentence
    if all(each.task in stopped for each in design.tasks) and answer != "no":
        why = " ".join(dict.fromkeys(state.stopped_why.values()))
        answer, sentence = "no", f"No: the candidate was stopped. {why}"
    elif answer == "yes" and not accepted:
        answer, sentence = "not_yet", "Not yet: the accepted tasks were stopped, the others are not decided."
    return replace(
        verdict, answer=answer, sentence=sentence, accepted_tasks=accepted, stopped_tasks=stopped, more_days=None
    )
