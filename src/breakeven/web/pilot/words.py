"""Words: where a pilot stands in a sentence, what may be ordered now, and what an order will do to traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from breakeven.pilot.design import Design
from breakeven.pilot.design_file import DesignFile
from breakeven.pilot.journal import PilotState
from breakeven.pilot.orders import Order, Outlook
from breakeven.reports import amounts
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.safe_text import safe, short
from breakeven.routing.trial import Trial

HASH_SHOWN_COUNT: Final = 12
NAME_SHOWN_COUNT: Final = 60
TITLES: Final[dict[Order, str]] = {
    "start": "Start",
    "stop": "Stop",
    "promote": "Promote the candidate",
    "restore": "Restore the trial",
    "roll_back": "Roll back",
}
PATHS: Final[dict[str, Order]] = {each.replace("_", "-"): each for each in TITLES}


@dataclass(frozen=True, slots=True)
class Offer:
    """An order that may be given now."""

    order: Order
    path: str
    title: str
    is_main: bool


def offers(document: PilotDocument, state: PilotState) -> tuple[Offer, ...]:
    """What may be ordered as it stands; the first is what a person does next."""
    found: list[tuple[Order, bool]] = []
    accepted = document.verdict.accepted_tasks if document.verdict else ()
    is_swapped = any(each.code == "policy_swapped" for each in document.problems)
    if document.design.mode == "offline":
        return ()
    if state.started_unix_s is None:
        found.append(("start", True))
    if state.is_running and is_swapped:
        found.append(("restore", True))
    if accepted and state.started_unix_s is not None and state.promoted_unix_s is None:
        found.append(("promote", not is_swapped))
    if state.promoted_tasks:
        found.append(("roll_back", False))
    if state.is_running:
        found.append(("stop", False))
    return tuple(Offer(order, order.replace("_", "-"), TITLES[order], is_main) for order, is_main in found)


def standing(design: Design, state: PilotState) -> str:
    """Where it stands, by its design and its journal alone."""
    if design.mode == "offline":
        return "Judged from files." if state.design_hash else "Its files have not been judged yet."
    if state.started_unix_s is None:
        return "Not started: nothing is sent to the candidate."
    since = _day(state.started_unix_s)
    if state.promoted_tasks:
        when = _day(state.promoted_unix_s or 0.0)
        watched = "" if state.is_running else "; its trial has ended"
        return f"Promoted on {when}: the candidate takes {_tasks(state.promoted_tasks)}{watched}."
    if state.ended_unix_s is not None:
        return f"Ended: it ran from {since} to {_day(state.ended_unix_s)}."
    return f"Running since {since}: {_shares(design, state)}."


def who_watches(is_here: bool, is_elsewhere: bool, state: PilotState) -> str:
    """Who carries out ramps and stops."""
    if state.promoted_tasks and state.is_running:
        by = "This dashboard" if is_here else "Another process (`breakeven pilot run`)" if is_elsewhere else ""
        return (
            f"{by} watches it: a fall of its success rings." if by else "Nobody watches it: a fall would not be seen."
        )
    if is_here:
        return "This dashboard watches it: it ramps, and stops a bad candidate."
    if is_elsewhere:
        return "Another process watches it (`breakeven pilot run`): it ramps, and stops a bad candidate."
    if state.is_running:
        return "Nobody watches it: a bad candidate is not stopped, and no share is raised, until somebody does."
    return ""


def consequences(outlook: Outlook, found: DesignFile, state: PilotState) -> tuple[str, ...]:
    """What an order will do to traffic, in sentences; the first is what clients notice."""
    design = found.design
    words = {
        "start": lambda: _start_words(design, outlook.after),
        "stop": lambda: _stop_words(design, outlook, state),
        "promote": lambda: _promote_words(design, outlook),
        "restore": lambda: _restore_words(design, outlook.after),
        "roll_back": lambda: _roll_back_words(design, state),
    }[outlook.order]()
    return (*words, *_file_words(outlook))


def is_confirmed(typed: str, name: str) -> bool:
    """Whether somebody typed the pilot's name.

    >>> is_confirmed(" faq ", "faq"), is_confirmed("FAQ", "faq")
    (True, False)
    """
    return typed.strip() == name


def _start_words(design: Design, after: Trial | None) -> tuple[str, ...]:
    shares = _trial_words(design, after)
    promised = (
        "The design is promised as it is now: that is what will be judged, and it cannot be changed afterwards. "
        f"It runs {amounts.counted(design.days_max_days, 'day')} at most."
    )
    if design.mode == "shadow":
        return (
            "Clients notice nothing: they go on getting the baseline's answers.",
            f"{shares}, and their cost is added to your bill.",
            promised,
        )
    steps = ", ".join(amounts.fraction(each.share_fraction) for each in design.ramp)
    return (
        f"Clients notice it: {_lower(shares)}, and those clients get its answers.",
        f"The share rises in steps ({steps}) while somebody watches the pilot.",
        promised,
    )


def _stop_words(design: Design, outlook: Outlook, state: PilotState) -> tuple[str, ...]:
    if outlook.hash_now == outlook.hash_next:
        return (
            "Traffic stays as it is: the policy in force has no part of this pilot any more.",
            "A pilot that was stopped does not start again; its outcomes stay, and its verdict stands.",
        )
    if state.promoted_tasks:
        first = f"The candidate keeps {_tasks(state.promoted_tasks)}; the gateway no longer judges its answers."
    elif design.mode == "shadow":
        first = "Clients notice nothing: they go on getting the baseline's answers, and no copy is sent any more."
    else:
        first = "Every client gets the baseline's answers again; the candidate answers nobody."
    return (first, "A pilot that was stopped does not start again; its outcomes stay, and its verdict stands.")


def _promote_words(design: Design, outlook: Outlook) -> tuple[str, ...]:
    plans = [each for each in design.tasks if each.task in outlook.tasks]
    moved = "; ".join(
        f"{_name(each.candidate_model)} answers every request of {_tasks((each.task,))} in place of "
        f"{_name(each.baseline_model)}"
        for each in plans
    )
    kept = [each.task for each in design.tasks if each.task not in outlook.tasks]
    rest = f"Not accepted, and answered as before: {_tasks(kept)}." if kept else ""
    after = (
        "The gateway goes on judging the candidate's answers, so that a fall can be seen by whoever watches."
        if outlook.after is not None
        else "The trial ends: nobody judges the candidate's answers any more."
    )
    return tuple(filter(None, (f"Clients notice it: {moved}.", rest, after)))


def _restore_words(design: Design, after: Trial | None) -> tuple[str, ...]:
    if after is None:
        return ("Every task of this pilot has been stopped, so no trial goes into the policy.",)
    return (
        f"The trial goes into the policy that somebody else put in place: {_lower(_trial_words(design, after))}.",
        "All else that this policy says stays as it is.",
    )


def _roll_back_words(design: Design, state: PilotState) -> tuple[str, ...]:
    plans = [each for each in design.tasks if each.task in state.promoted_tasks]
    back = "; ".join(f"{_tasks((each.task,))} as before, {_name(each.baseline_model)} by this design" for each in plans)
    return (
        f"Clients notice it: the policy from before the promotion decides again ({back}).",
        "The pilot ends with that.",
    )


def _file_words(outlook: Outlook) -> tuple[str, ...]:
    """Which version of the policy file takes the place of which."""
    now = f"version {outlook.hash_now[:HASH_SHOWN_COUNT]}" if outlook.hash_now else "no policy yet"
    if outlook.hash_now == outlook.hash_next:
        return (f"The policy file stays as it is ({now}).",)
    return (
        f"The policy file changes: {now} now, version {outlook.hash_next[:HASH_SHOWN_COUNT]} afterwards. A gateway "
        "that serves this folder has it within a second; no answer under way is cut off.",
    )


def _trial_words(design: Design, trial: Trial | None) -> str:
    if trial is None:
        return "Nothing is sent to the candidate"
    parts = [each for each in trial.parts if each.share_fraction > 0]
    verb = "gets copies of" if design.mode == "shadow" else "answers"
    told = "; ".join(
        f"{_name(each.candidate_model)} {verb} {amounts.fraction(each.share_fraction)} of the requests of "
        f"{_tasks((each.task,))}"
        for each in parts
    )
    is_dealt = design.mode == "canary" and design.unit != "request"
    return f"{told}, dealt by {safe(design.unit)}" if is_dealt else told


def _shares(design: Design, state: PilotState) -> str:
    verb = "gets copies of" if design.mode == "shadow" else "answers"
    told = []
    for each in design.tasks:
        if each.task in state.stopped_why:
            told.append(f"{_tasks((each.task,))} stopped")
        else:
            share = amounts.fraction(state.share_by_task.get(each.task, 0.0))
            told.append(f"{_name(each.candidate_model)} {verb} {share} of {_tasks((each.task,))}")
    return "; ".join(told)


def _tasks(tasks: Sequence[str]) -> str:
    return ", ".join(short(each, NAME_SHOWN_COUNT) or "all requests" for each in tasks)


def _name(model: str) -> str:
    return short(model, NAME_SHOWN_COUNT)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text.startswith("Nothing") else text


def _day(unix_s: float) -> str:
    return amounts.date_text(datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="minutes"))
