"""Judgement: the verdict of a pilot: yes, no, or not yet, from its design, what was read, and nothing else.

- **yes**: a task or more is accepted by its outcomes (with all tasks counted in), no guard fired for it, what the
  accepted tasks save lies above 0 with its whole interval, and the design is the one that was promised.
- **no**: every task is stopped; or the candidate is proven to cost more; or the time is over.
- **not yet**: everything else, with the days that are missing where they can be told. A design that was changed, and
  requests without a price, hold a verdict back; they do not make it a no.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from breakeven.pilot.design import Design
from breakeven.pilot.design_file import design_hash as hash_of
from breakeven.pilot.forecast_check import forecast_lines
from breakeven.pilot.guardrails import guard_states
from breakeven.pilot.observations import Evidence, Problem
from breakeven.pilot.quality import qualities
from breakeven.pilot.quality_problems import quality_problems
from breakeven.pilot.savings import savings
from breakeven.pilot.standing import Standing, days_left, days_seen, days_to_proof, points_range, standing
from breakeven.pilot.verdict import Answer, Quality, Range, Savings, Verdict
from breakeven.pilot.verdict_words import Said, Why, not_claimed, sentence_of

DESIGN_CHANGED = "design_changed"


def verdict(
    design: Design,
    evidence: Evidence,
    is_design_changed: bool,
    as_of_unix_s: float,
    design_hash: str | None = None,
    started_unix_s: float | None = None,
) -> Verdict:
    """The verdict as of a moment.

    `design_hash` None: that of `design`; `started_unix_s`: when its time began to run, None: with the first request.
    """
    seen = evidence.observations
    tasks, overall = qualities(design, seen, as_of_unix_s)
    guards = guard_states(design, seen, as_of_unix_s)
    stands = standing(design, seen, tasks, guards)
    judged = stands.accepted or stands.open or tuple(each.task for each in design.tasks)
    money = savings(design, seen, judged, as_of_unix_s)
    left = days_left(design, seen, as_of_unix_s, started_unix_s)
    decided = (
        _decided(stands, money, left, tasks, days_seen(seen), is_design_changed)
        if seen.rows_count
        else _Decided("no" if left is not None and left <= 0 else "not_yet", "nothing_seen")
    )
    problems = _problems(design, evidence, is_design_changed, as_of_unix_s)
    said = Said(
        design,
        decided.answer,
        decided.why,
        stands,
        tasks,
        guards,
        money,
        points_range(design, seen, [each for each in tasks if each.task in judged], as_of_unix_s),
        decided.more_days,
        left,
        problems,
    )
    return Verdict(
        pilot=design.name,
        design_hash=hash_of(design) if design_hash is None else design_hash,
        answer=decided.answer,
        sentence=sentence_of(said),
        accepted_tasks=() if is_design_changed else stands.accepted,
        stopped_tasks=stands.stopped,
        tasks=tasks,
        overall=overall,
        savings=money,
        guards=guards,
        forecast=forecast_lines(design, seen, as_of_unix_s),
        problems=problems,
        not_claimed=not_claimed(said),
        more_days=decided.more_days,
        is_design_changed=is_design_changed,
        as_of=datetime.fromtimestamp(as_of_unix_s, UTC).isoformat(timespec="seconds"),
    )


@dataclass(frozen=True, slots=True)
class _Decided:
    answer: Answer
    why: Why
    more_days: float | None = None


def _decided(
    stands: Standing,
    money: Savings,
    left: float | None,
    tasks: tuple[Quality, ...],
    seen_days: float,
    is_design_changed: bool,
) -> _Decided:
    saved = money.saved_usd_per_success
    if is_design_changed:
        return _Decided("not_yet", "design_changed")
    if not stands.accepted and not stands.open:
        return _Decided("no", "stopped")
    if saved.high is not None and saved.high < 0:
        return _Decided("no", "costs_more")
    if stands.accepted and saved.low is not None and saved.low > 0:
        return _Decided("yes", "proven")
    if stands.accepted and saved.value is None:
        return _Decided("not_yet", "no_money")
    if left is not None and left <= 0:
        return _Decided("no", "time_over_money" if stands.accepted else "time_over_quality")
    more = _more_days(stands, saved, tasks, seen_days)
    return _Decided("not_yet", "no_proof_of_money" if stands.accepted else "no_proof_of_quality", more)


def _more_days(stands: Standing, saved: Range, tasks: tuple[Quality, ...], seen_days: float) -> float | None:
    """Days until the first open task may be decided and the savings are proven; None where nobody can say."""
    money = 0.0 if saved.low is not None and saved.low > 0 else days_to_proof(saved, seen_days)
    if stands.accepted:
        return money
    quality = [each.more_days for each in tasks if each.task in stands.open and each.more_days is not None]
    if not quality:
        return None
    return max(min(quality), money or 0.0)


def _problems(design: Design, evidence: Evidence, is_design_changed: bool, as_of_unix_s: float) -> tuple[Problem, ...]:
    found = [*evidence.problems, *quality_problems(design, evidence.observations, as_of_unix_s)]
    if is_design_changed and not any(each.code == DESIGN_CHANGED for each in found):
        words = "The design was changed after the pilot had started; judged is what was promised."
        limits = "A switch is not proven under a design that was changed on the way."
        found.insert(0, Problem(DESIGN_CHANGED, words, 1, limits))
    return tuple(dict.fromkeys(found))
