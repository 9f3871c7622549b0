"""Pilot summary: one page of a pilot as words and rows: answer, tiles, tasks, money, promises and guards.

`pilot_summary` is the only reader of the document that decides what is shown; terminal, page, Markdown, spreadsheet and
PDF lay the same rows out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.reports import amounts
from breakeven.reports import pilot_wording as told
from breakeven.reports.findings import Badge
from breakeven.reports.pilot_design_rows import Line, design_lines
from breakeven.reports.pilot_parts import JournalPart, PilotDocument, SavingsPart
from breakeven.reports.pilot_tiles import SHORTEST_DAYS, Tile, headline_name, headline_quality, tiles_of
from breakeven.reports.safe_text import safe

ANSWERS: Final = {"yes": "YES", "no": "NO", "not_yet": "NOT YET"}
HASH_SHOWN_COUNT: Final = 12
NOT_STATED: Final = "Not counted, because nobody stated it"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task, or all of them."""

    task: str
    name: str
    models: str
    outcomes: str
    baseline: str
    candidate: str
    ratio: str
    ratio_range: str
    evidence_fraction: float
    evidence: str
    state: str
    kind: str
    """`good`, `bad` or `open`."""
    test: str


@dataclass(frozen=True, slots=True)
class GuardRow:
    """One guard."""

    title: str
    task: str
    seen: str
    allowed: str
    state: str
    words: str
    has_fired: bool


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One line of the forecast check."""

    title: str
    promised: str
    promised_range: str
    happened: str
    happened_range: str
    words: str
    kind: str
    assumption: str


@dataclass(frozen=True, slots=True)
class PilotSummary:
    """The page."""

    kicker: str
    answer: str
    kind: str
    badges: tuple[Badge, ...]
    sentence: str
    details: tuple[str, ...]
    tiles: tuple[Tile, ...]
    alerts: tuple[str, ...]
    """What limits what may be claimed."""
    remarks: tuple[str, ...]
    """What was seen in the input and limits nothing."""
    tasks: tuple[TaskRow, ...]
    money: tuple[tuple[str, str, str, str], ...]
    """Cost line, the baseline's and the candidate's USD per 1,000 requests, and a note."""
    sums: tuple[tuple[str, str, str], ...]
    """What is saved per request, per successful outcome, a month: label, figure, interval."""
    not_stated: tuple[str, ...]
    guards: tuple[GuardRow, ...]
    promises: tuple[PromiseRow, ...]
    not_claimed: tuple[str, ...]
    design: tuple[Line, ...]
    watch: tuple[tuple[str, bool], ...]
    """After a promotion: a sentence for each task, and whether it is an alarm."""
    journal: tuple[tuple[str, str], ...]
    """Time, and what happened."""
    footer: tuple[tuple[str, str], ...]


def pilot_summary(document: PilotDocument) -> PilotSummary:
    """What every surface shows."""
    verdict = document.verdict
    answer = verdict.answer if verdict else "not_yet"
    return PilotSummary(
        kicker=_kicker(document),
        answer=_answer_words(document),
        kind={"yes": "good", "no": "bad"}.get(answer, "open"),
        badges=_badges(document),
        sentence=safe(verdict.sentence) if verdict else _no_verdict(document),
        details=_details(document),
        tiles=tiles_of(document) if verdict else (),
        alerts=tuple(told.problem_words(each) for each in document.problems if each.limits),
        remarks=tuple(told.problem_words(each) for each in document.problems if not each.limits),
        tasks=_task_rows(document),
        money=_money(document.savings),
        sums=_sums(document.savings),
        not_stated=tuple(map(safe, document.savings.not_stated)) if document.savings else (),
        guards=_guard_rows(document),
        promises=_promise_rows(document),
        not_claimed=tuple(safe(each) for each in document.not_claimed if not _is_told_elsewhere(each, document)),
        design=design_lines(document.design),
        watch=tuple((safe(each.words), each.is_alarm) for each in document.watch),
        journal=tuple(_event(each) for each in document.journal),
        footer=_footer(document),
    )


def _is_told_elsewhere(not_claimed: str, document: PilotDocument) -> bool:
    """What stands with its problem, or with the money, is not said again without it."""
    if document.savings and document.savings.not_stated and not_claimed.startswith(NOT_STATED):
        return True
    return any(each.limits and each.limits.rstrip(".").lower() in not_claimed.lower() for each in document.problems)


def _kicker(document: PilotDocument) -> str:
    as_of = document.footer.as_of
    when = f", as of {amounts.date_text(as_of)}" if as_of else ""
    return f"Pilot {safe(document.design.name)}: {told.models_of(document)}{when}"


def _answer_words(document: PilotDocument) -> str:
    """The answer; a yes for some of the tasks says of how many."""
    verdict = document.verdict
    if verdict is None:
        return "NOT STARTED"
    accepted, all_count = len(verdict.accepted_tasks), len(document.design.plans)
    if verdict.answer == "yes" and 0 < accepted < all_count:
        return f"YES, FOR {accepted} OF {all_count} TASKS"
    return ANSWERS[verdict.answer]


def _no_verdict(document: PilotDocument) -> str:
    asked = amounts.fraction(document.design.margin_ratio)
    return (
        f"Nothing has been judged yet. The pilot will ask whether {told.models_of(document)} keeps at least {asked} of "
        "the success, and what that saves."
    )


def _badges(document: PilotDocument) -> tuple[Badge, ...]:
    found = [Badge(document.design.mode.upper(), "note")]
    if document.verdict and document.verdict.is_design_changed:
        found.insert(0, Badge("DESIGN CHANGED SINCE IT STARTED", "danger"))
    if any(each.has_fired for each in document.guards):
        found.append(Badge("A GUARD HAS FIRED", "danger"))
    if any(each.is_alarm for each in document.watch):
        found.append(Badge("SUCCESS HAS FALLEN SINCE THE ROLLOUT", "danger"))
    limits = sum(bool(each.limits) for each in document.problems)
    if limits:
        found.append(Badge(amounts.counted(limits, "problem").upper() + " WITH THE DATA", "warning"))
    return tuple(found)


def _details(document: PilotDocument) -> tuple[str, ...]:
    """What was compared, and how sure one may be of it."""
    design, seen = document.design, document.seen
    found = []
    if _still_runs(document):
        found.append(
            "The candidate still gets requests: nobody has carried the stop out yet. `breakeven pilot run "
            f"{safe(design.name)}` does; `breakeven pilot stop {safe(design.name)}` ends the pilot."
        )
    if seen is not None and seen.requests_count:
        ran = seen.first and seen.days >= SHORTEST_DAYS
        when = f" from {amounts.date_text(seen.first)} to {amounts.date_text(seen.last)}" if ran else ""
        requests = amounts.counted(seen.requests_count, "request")
        found.append(told.sentence(f"{told.MODES[design.mode]}; {requests}{when}."))
    found += _apart(document)
    found.append(_promise(document))
    return tuple(found)


def _still_runs(document: PilotDocument) -> bool:
    """Whether a guard has fired and the journal tells of no stop."""
    fired = {each.task for each in document.guards if each.has_fired}
    events = [each.event for each in document.journal]
    if not fired or "started" not in events or {"stopped", "rolled_back"} & set(events):
        return False
    return events.count("stopped_task") < len(fired)


def _apart(document: PilotDocument) -> list[str]:
    """How many requests only one of the models answered well: a ratio near one can hide many of both."""
    quality = headline_quality(document)
    if quality is None or quality.counts is None or not quality.outcomes_count:
        return []
    counts = quality.counts
    lost, won = counts.baseline_only_count, counts.candidate_only_count
    share = amounts.fraction(lost / quality.outcomes_count)
    name = headline_name(document, quality)
    of = f" of {name}" if name else ""
    return [
        f"Of {quality.outcomes_count:,} pairs{of} {lost:,} ({share}) failed with the candidate alone, {won:,} with the "
        "baseline alone."
    ]


def _promise(document: PilotDocument) -> str:
    """How sure one may be of a yes."""
    design, verdict = document.design, document.verdict
    lost, risk = amounts.fraction(1 - design.margin_ratio), amounts.fraction(design.alpha_fraction)
    if verdict is not None and verdict.is_design_changed:
        return "The design is not the one that was promised, so no risk of a wrong yes is promised either."
    if len(design.plans) > 1 and design.multiplicity == "e-bh":
        return (
            f"Of the tasks that get a yes, at most {risk} are expected to lose more than {lost} of the baseline's "
            "success, however often one looks."
        )
    over = f" for any of {len(design.plans)} tasks" if len(design.plans) > 1 else ""
    return (
        f"A model that loses more than {lost} of the baseline's success would get a yes{over} in at most {risk} of "
        "such pilots, however often one looks."
    )


def _task_rows(document: PilotDocument) -> tuple[TaskRow, ...]:
    plans = {each.task: each for each in document.design.plans}
    alone = len(document.tasks) == 1
    found = []
    for each in (*document.tasks, *((document.overall,) if document.overall and not alone else ())):
        plan = plans.get(each.task)
        missing = f", {amounts.magnitude(float(each.missing_count))} missing" if each.missing_count else ""
        found.append(
            TaskRow(
                task=each.task,
                name=told.task_name(each.task, each.is_overall, alone),
                models=told.plan_models(plan) if plan and not each.is_overall else "",
                outcomes=f"{each.outcomes_count:,}{missing}",
                baseline=told.percent(each.baseline_success.value),
                candidate=told.percent(each.candidate_success.value),
                ratio=told.percent(each.ratio.value),
                ratio_range=told.percent_range(each.ratio),
                evidence_fraction=told.evidence_fraction(each, document),
                evidence=told.evidence_words(each, document),
                state=told.state_words(each, document),
                kind=told.state_kind(each, document),
                test=told.TESTS[each.test],
            )
        )
    return tuple(found)


def _money(savings: SavingsPart | None) -> tuple[tuple[str, str, str, str], ...]:
    if savings is None:
        return ()
    scale = told.PER_REQUESTS
    return tuple(
        (
            safe(each.name).replace("_", " ").capitalize(),
            "not known"
            if each.baseline_usd_per_request is None
            else amounts.money(each.baseline_usd_per_request * scale),
            "not known"
            if each.candidate_usd_per_request is None
            else amounts.money(each.candidate_usd_per_request * scale),
            safe(each.note),
        )
        for each in savings.lines
    )


def _sums(savings: SavingsPart | None) -> tuple[tuple[str, str, str], ...]:
    if savings is None:
        return ()
    scale = told.PER_REQUESTS
    rows = (
        (f"{scale:,.0f} requests", told.scaled(savings.saved_usd_per_request, scale)),
        (f"{scale:,.0f} successful outcomes", told.scaled(savings.saved_usd_per_success, scale)),
        ("A month", savings.saved_usd_per_month),
    )
    return tuple((label, told.saved_words(each), told.saved_range(each)) for label, each in rows)


def _guard_rows(document: PilotDocument) -> tuple[GuardRow, ...]:
    alone = len(document.design.plans) == 1
    return tuple(
        GuardRow(
            title=told.title_of_guard(each),
            task="whole pilot" if each.name == "spend" else told.task_name(each.task, alone=alone),
            seen=told.guard_amount(each.seen),
            allowed=told.guard_amount(each.allowed),
            state="FIRED" if each.has_fired else "holds",
            words=safe(each.words),
            has_fired=each.has_fired,
        )
        for each in sorted(document.guards, key=lambda each: not each.has_fired)
    )


def _promise_rows(document: PilotDocument) -> tuple[PromiseRow, ...]:
    return tuple(
        PromiseRow(
            title=amounts.fact_title(safe(each.name)),
            promised=told.amount(each.promised.value, each.unit),
            promised_range=told.amount_range(each.promised),
            happened=told.amount(each.happened.value, each.unit),
            happened_range=told.amount_range(each.happened),
            words=told.promise_words(each),
            kind="open" if each.is_within is None else "good" if each.is_within else "bad",
            assumption=safe(each.assumption),
        )
        for each in document.forecast
    )


def _event(each: JournalPart) -> tuple[str, str]:
    event, words = safe(each.event).replace("_", " "), safe(each.words)
    says_it = words.lower().startswith(event.lower().partition(" ")[0])  # "stopped task": "Stopped faq: ..."
    told_of = words if says_it else f"{event}: {words}" if words else event
    return amounts.date_text(safe(each.at)), told.sentence(told_of)


def _footer(document: PilotDocument) -> tuple[tuple[str, str], ...]:
    footer = document.footer
    rows = [
        ("Design hash", safe(footer.design_hash)),
        ("Policy hash", safe(footer.policy_hash)),
        ("Made by", safe(footer.made_by)),
        ("breakeven", safe(footer.breakeven_version)),
        ("As of", amounts.date_text(safe(footer.as_of))),
        ("Seed", str(footer.seed)),
        *((f"Read: {safe(name)}", safe(digest)) for name, digest in footer.sources.items()),
    ]
    return tuple((label, value) for label, value in rows if value)
