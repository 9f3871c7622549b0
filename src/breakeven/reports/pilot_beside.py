"""Pilot beside comparison: what each says on the page of the other, and why they differ where they do.

They answer two questions: a comparison weighs ways to serve everything, every cost counted; a pilot measures one model
in another's place for the tasks that it was given, and counts what calls cost. Both may be right at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.decide_page import decide_page
from breakeven.reports.document import Document
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_wording import task_name
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import status_quo
from breakeven.units import HOURS_PER_MONTH

TASKS_NAMED_COUNT: Final = 3
TASK_MAX_COUNT: Final = 60
"""Characters of a task's name."""
LONG_COUNT: Final = 260
"""Characters of a sentence that is told in part."""
ALL_FROM_FRACTION: Final = 0.995
SHARE_MAX_FRACTION: Final = 1.02
"""A pilot cannot have more requests than there are; a share above this is of another log."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What the other one says."""

    said: str
    why: str
    """Why it says otherwise, or that it does not."""
    differs: bool


def pilot_beside(comparison: Document, pilot: PilotDocument) -> Beside:
    """For the page of a comparison: what a pilot says."""
    verdict = pilot.verdict
    said = "designed, and nothing is measured yet." if verdict is None else _shortened(safe(verdict.sentence))
    return Beside(said, why_they_differ(comparison, pilot), _differ(comparison, pilot))


def comparison_beside(comparison: Document, pilot: PilotDocument) -> Beside:
    """For the page of a pilot: what the comparison says."""
    return Beside(decide_page(comparison).sentence, why_they_differ(comparison, pilot), _differ(comparison, pilot))


def why_they_differ(comparison: Document, pilot: PilotDocument) -> str:
    """One sentence: what each is about, and what it counts; where the pilot knows better, also what to do."""
    about = (
        f"the comparison is about {_whole_words(comparison)}, and counts people, monitoring, incidents and failures; "
        f"the pilot is about {scope_words(comparison, pilot)}, and counts {_counted_words(pilot)}"
    )
    answer = _answer(pilot)
    if answer == "not_yet":
        return f"The pilot has not decided yet: {about}."
    if not _differ(comparison, pilot):
        return f"Both {'say stay' if answer == 'no' else 'point the same way'}: {about}."
    if answer == "yes":
        return f"No contradiction: {about}."
    command = f"breakeven pilot report {short(pilot.design.name, 60)} --recalibrate measured.yaml"
    return (
        f"They differ: {about}. Of these requests the pilot knows better; `{command}` writes what it measured as a "
        "scenario to compare with."
    )


def scope_words(comparison: Document, pilot: PilotDocument) -> str:
    """What the pilot is about: its tasks, and their share of the requests where that is known."""
    plans = pilot.design.plans
    names = [short(task_name(each.task, alone=len(plans) == 1), TASK_MAX_COUNT) for each in plans]
    if names == ["all requests"]:
        return names[0]
    told = ", ".join(names[:TASKS_NAMED_COUNT])
    more = f" and {len(names) - TASKS_NAMED_COUNT} more" if len(names) > TASKS_NAMED_COUNT else ""
    share = _share_fraction(comparison, pilot)
    if share is None or share > SHARE_MAX_FRACTION:
        return f"{told}{more} alone"
    return f"{told}{more}" if share == 1 else f"{told}{more} alone ({amounts.fraction(share)} of the requests)"


def _shortened(sentence: str) -> str:
    """A sentence on one line; of a long one with several parts the first, and how many more there are.

    >>> _shortened("No: a; b."), _shortened(f"No: {'a' * 300}; b; c.")[-12:]
    ('No: a; b.', 'aaaa; 2 more')
    """
    first, *others = sentence.split("; ")
    return f"{first}; {len(others)} more" if others and len(sentence) > LONG_COUNT else sentence


def _differ(comparison: Document, pilot: PilotDocument) -> bool:
    """Whether one says stay and the other says move."""
    answer = _answer(pilot)
    stays = decide_page(comparison).recommended == status_quo(comparison)
    return (answer == "yes" and stays) or (answer == "no" and not stays)


def _answer(pilot: PilotDocument) -> str:
    return "not_yet" if pilot.verdict is None else pilot.verdict.answer


def _whole_words(comparison: Document) -> str:
    count = comparison.workload.requests_per_month
    whole = f"all {amounts.magnitude(count)} requests a month at once" if count else "all requests at once"
    families = {each.family for each in comparison.options}
    ways = [words for family, words in _WAYS_IN_PART.items() if family in families]
    return f"{whole}, served one way{''.join(f' or {each}' for each in ways)}"


_WAYS_IN_PART: Final = {"routed": "routed to a broker in part", "hybrid": "by a hybrid with GPUs"}


def _counted_words(pilot: PilotDocument) -> str:
    design = pilot.design
    counted = [
        "what their calls cost",
        *(["corrections"] if design.human_correction_usd is not None else []),
        *(["the candidate's servers"] if design.idle_usd_per_month is not None else []),
    ]
    return " and ".join((", ".join(counted[:-1]), counted[-1])) if len(counted) > 1 else counted[0]


def _share_fraction(comparison: Document, pilot: PilotDocument) -> float | None:
    paces = [each.requests_per_hour for each in pilot.design.plans]
    total = comparison.workload.requests_per_month
    if not total or any(each is None for each in paces):
        return None
    share = sum(each for each in paces if each is not None) * HOURS_PER_MONTH / total
    return 1.0 if ALL_FROM_FRACTION <= share <= SHARE_MAX_FRACTION else share
