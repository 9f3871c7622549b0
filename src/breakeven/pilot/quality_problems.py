"""Quality problems: what a verdict must say about the outcomes it rests on, and does not claim because of them."""

from __future__ import annotations

from breakeven.pilot.clusters import UNITS_MIN_COUNT, units_seen
from breakeven.pilot.design import Design
from breakeven.pilot.observations import BASELINE, Observations, Problem
from breakeven.pilot.quality import evidence_by_task
from breakeven.pilot.settled import ratio_whatever
from breakeven.pilot.task_evidence import TaskEvidence
from breakeven.pilot.traffic import rows_of_tasks


def quality_problems(
    design: Design, observations: Observations, as_of_unix_s: float | None = None
) -> tuple[Problem, ...]:
    """Missing and late outcomes, audits that prove nothing, too few units: by task."""
    found: list[Problem] = []
    for task, evidence in evidence_by_task(design, observations, as_of_unix_s).items():
        name = f"task {task}" if task else "all requests" if len(design.tasks) == 1 else "all other tasks"
        rows = observations.where(rows_of_tasks(design, observations, [task]))
        told = (*_of_task(design, name, evidence), _chances(design, name, rows))
        found += [each for each in told if each is not None]
    return tuple(found)


def _of_task(design: Design, name: str, evidence: TaskEvidence) -> tuple[Problem | None, ...]:
    return (_missing(name, evidence), _waiting(name, evidence), _audit(name, evidence), _units(design, name, evidence))


def _missing(name: str, evidence: TaskEvidence) -> Problem | None:
    state = evidence.state
    count = int((state.is_missing & state.is_counted).sum())
    if not count:
        return None
    baseline, candidate = state.missing_fractions
    shares = f"{100 * baseline:.1f} % of the baseline's, {100 * candidate:.1f} % of the candidate's"
    seen = f"{name}: outcomes that never came: {count:,} ({shares})"
    if evidence.worst is evidence.seen:
        return Problem(
            "missing_outcomes",
            f"{seen}; so few that they are left out",
            count,
            f"{name}: that the requests without an outcome did as well as those with one is supposed, not shown; had "
            f"they not, the ratio would be up to {state.moved_ratio:.3f} lower",
        )
    if evidence.kind == "audited":
        return Problem(
            "missing_outcomes",
            f"{seen}: drawn for the audit and not labelled; each counts against the candidate until it is",
            count,
        )
    whatever = ratio_whatever(evidence.rows, state)
    return Problem(
        "missing_outcomes",
        f"{seen}: too many to be left out; each counts against the candidate. Whatever they were, "
        f"the ratio of what was served lies from {whatever.low:.3f} to {whatever.high:.3f}",
        count,
        f"{name}: where in {whatever.low:.3f} to {whatever.high:.3f} the ratio of what was served lies",
    )


def _chances(design: Design, name: str, rows: Observations) -> Problem | None:
    """Of a canary: requests that were dealt by a chance which nobody knows, or by none."""
    chance = rows.propensity_fraction
    lost = ~((chance > 0) & (chance < 1)) & ~((chance == 1) & (rows.arm == BASELINE))
    if design.mode != "canary" or not lost.any():
        return None
    count = int(lost.sum())
    return Problem(
        "no_chance",
        f"{name}: requests without a logged chance of their arm between 0 and 1: {count:,}; they tell nothing",
        count,
        f"{name}: anything of the requests without a chance ({count:,})",
    )


def _waiting(name: str, evidence: TaskEvidence) -> Problem | None:
    state = evidence.state
    if not state.is_waiting.any():
        return None
    held = int((~state.is_counted).sum())
    return Problem(
        "late_outcomes",
        f"{name}: outcomes that may still come: {int(state.is_waiting.sum()):,}. Requests from the first of these on "
        f"({held:,}) count once it is there, or those that wait count against the candidate, whichever says more",
        int(state.is_waiting.sum()),
    )


def _audit(name: str, evidence: TaskEvidence) -> Problem | None:
    if not evidence.why_not:
        return None
    if evidence.kind == "two-sample":
        return Problem("lot_not_as_logged", f"{name}: {evidence.why_not}", 0, f"{name}: nothing about its success")
    return Problem("audit_insufficient", f"{name}: {evidence.why_not}", 0, f"{name}: nothing about its success")


def _units(design: Design, name: str, evidence: TaskEvidence) -> Problem | None:
    seen = units_seen(evidence.rows.unit)
    if design.unit == "request" or not seen.are_few:
        return None
    return Problem(
        "few_units",
        f"{name}: {seen.units_count} units ({design.unit}) sent everything, the busiest "
        f"{100 * seen.largest_fraction:.0f} %; "
        f"that is worth {seen.effective_count:.0f} equal ones, fewer than {UNITS_MIN_COUNT:.0f}: evidence grows slowly",
        seen.rows_count,
        f"{name}: that other units would fare as these few did",
    )
