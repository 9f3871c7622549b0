"""Pilot tiles: the few figures beside a verdict: money, payback, success with its interval, and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.reports import amounts
from breakeven.reports import pilot_wording as told
from breakeven.reports.pilot_parts import PilotDocument, QualityPart, SavingsPart
from breakeven.reports.safe_text import safe

SHORTEST_DAYS: Final = 1 / 1440
"""Files without times are read in no time."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure."""

    label: str
    value: str
    range: str
    note: str
    is_muted: bool = False
    """Of a candidate that was turned down: not a reason to take it."""


def tiles_of(document: PilotDocument) -> tuple[Tile, ...]:
    """Money first, then success, then time."""
    quality = headline_quality(document)
    found = [*_money_tiles(document)]
    if quality is not None:
        name = headline_name(document, quality)
        of = f" ({name})" if name else ""
        found.append(
            Tile(
                f"Success, of the baseline's{of}",
                told.percent(quality.ratio.value),
                f"{told.confidence(quality.ratio)}: {told.percent_range(quality.ratio)}"
                if told.percent_range(quality.ratio)
                else safe(quality.ratio.why_not),
                f"at least {amounts.fraction(document.design.margin_ratio)} was asked",
            )
        )
    found.append(_time_tile(document))
    return tuple(found)


def headline_quality(document: PilotDocument) -> QualityPart | None:
    """Of whom the headline speaks: the only task, all together, or where some have a yes, of these the lowest."""
    accepted = [each for each in document.tasks if each.is_accepted and each.ratio.value is not None]
    said_yes = document.verdict is not None and document.verdict.answer == "yes"
    if said_yes and accepted and len(accepted) < len(document.tasks):
        return min(accepted, key=lambda each: each.ratio.value or 0.0)
    if document.overall is not None:
        return document.overall
    return document.tasks[0] if document.tasks else None


def headline_name(document: PilotDocument, quality: QualityPart) -> str:
    """Of which task, where there are several; empty of one alone."""
    if len(document.tasks) < 2:
        return ""
    name = told.task_name(quality.task, quality.is_overall)
    accepted = sum(each.is_accepted for each in document.tasks)
    is_lowest = not quality.is_overall and accepted > 1
    return f"{name}, the lowest of {accepted} with a yes" if is_lowest else name


def _money_tiles(document: PilotDocument) -> list[Tile]:
    savings = document.savings
    if savings is None:
        return [Tile("Money", amounts.NOT_KNOWN, "", "no cost of both models has been seen yet")]
    if document.verdict is not None and document.verdict.answer == "no":
        return [_turned_down(document, savings)]
    month, payback = savings.saved_usd_per_month, savings.payback_months
    request = savings.saved_usd_per_request
    if month.value is not None:
        share = savings.saved_fraction.value
        note = (
            f"{amounts.fraction(abs(share))} {'less' if share >= 0 else 'more'} per request"
            if share is not None
            else ""
        )
        found = [Tile("A month", told.saved_words(month), told.saved_range(month), note)]
    else:
        per = told.scaled(request, told.PER_REQUESTS)
        label = f"{told.PER_REQUESTS:,.0f} requests"
        span, why = told.saved_range(per), safe(month.why_not)
        found = [Tile(label, told.saved_words(per), span, "" if why == span else why)]
    if payback.value is not None or payback.is_value_endless or not payback.why_not:
        note = ""
        if savings.return_ratio.value is not None and savings.return_ratio.value > 0:
            note = f"net gain of the first year: {amounts.ratio(savings.return_ratio.value)} the outlay"
        found.append(Tile("Pays for itself after", told.months_words(payback), told.months_range(payback), note))
    return found


def _turned_down(document: PilotDocument, savings: SavingsPart) -> Tile:
    """What it would have saved: muted, with what it loses, and without a payback, for nothing is switched."""
    month, per = savings.saved_usd_per_month, told.scaled(savings.saved_usd_per_request, told.PER_REQUESTS)
    label, money = ("A month", month) if month.value is not None else (f"{told.PER_REQUESTS:,.0f} requests", per)
    loses = any(each.is_inferior for each in document.tasks)
    note = "and loses more success than was allowed" if loses else "and is not taken"
    return Tile(label, told.would_have_saved(money), told.saved_range(money), note, is_muted=True)


def _time_tile(document: PilotDocument) -> Tile:
    """How long it has run, and how much longer it probably must."""
    seen, verdict = document.seen, document.verdict
    ran = told.ran_words(seen.days) if seen and seen.days >= SHORTEST_DAYS else ""
    spent = ""
    if seen and seen.candidate_usd and document.design.mode != "offline":
        spent = f"the candidate's calls cost {amounts.money(seen.candidate_usd)}"
    if document.design.mode == "offline":
        return Tile("Judged from files", amounts.counted(seen.requests_count if seen else 0, "request"), "", "")
    if verdict is None or verdict.answer != "not_yet":
        return Tile("The pilot ran", ran or "under an hour", "", spent)
    if verdict.more_days is None:
        return Tile("Still needed", amounts.NOT_KNOWN, f"ran {ran}" if ran else "", spent)
    return Tile("Still needed, about", told.days_words(verdict.more_days), f"ran {ran}" if ran else "", spent)
