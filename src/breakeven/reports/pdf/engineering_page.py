"""Engineering page: what a CTO signs: the options, the months, what to measure, the bands, the questions, Monday."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from breakeven.reports import amounts, findings
from breakeven.reports.answers_part import QuestionPart, VolumeBandPart
from breakeven.reports.chart_style import series_of
from breakeven.reports.decide_page import DecidePage, horizon_option, payback_words
from breakeven.reports.decision_rows import question_answer
from breakeven.reports.document import Document, OptionPart
from breakeven.reports.pdf.words import beginning, listed, printed
from breakeven.reports.risk_part import InformationPart
from breakeven.reports.shortlist import main_options

IN_REPORT: Final = "in the HTML report"
ROWS_MAX_COUNT: Final = 8
BANDS_MAX_COUNT: Final = 7
INFORMATION_MAX_COUNT: Final = 4
WORTH_SHOWING_FRACTION: Final = 0.01
"""Of the value of knowing everything; below it an estimate is noise."""


def engineering_page(document: Document, page: DecidePage) -> dict[str, Any]:
    """Every text of the second page, in the template's terms."""
    answers, risk = document.answers, document.risk
    return {
        "options": _options(document),
        "success_title": _success_title(document),
        "options_note": printed(_options_note(document), 420),
        "crossings": [] if answers else listed(findings.main_pair_sentences(document), 6, 260, IN_REPORT),
        "levers": [] if risk else listed(map(findings.lever_finding, document.levers), 6, 220, IN_REPORT),
        "measure": printed(page.measure_next, 300),
        "information": [_information(each) for each in _worth_showing(document)],
        "evpi": f"Knowing everything before deciding is worth {amounts.money(risk.evpi_usd)}." if risk else "",
        "bands": [_band(each) for each in answers.volume_bands[:BANDS_MAX_COUNT]] if answers else [],
        "questions": [_question(each) for each in answers.five_questions.questions] if answers else [],
        "rule": printed(_rule(document), 560),
        "exit_title": printed(page.exit_title, 60),
        "exit": listed(_exits(document), 5, 200, IN_REPORT),
        "exit_note": printed(_exit_note(document), 200),
        "monday": listed(page.monday, 7, 200, IN_REPORT),
        "missing": listed(page.missing, 2, 300, IN_REPORT),
    }


def _options(document: Document) -> list[dict[str, Any]]:
    letters = {each.name: each.letter for each in series_of(document)}
    scale = findings.successes_shown_count(document)
    chosen = document.answers.decision.recommended if document.answers else document.verdict.recommended
    return [
        {"chosen": each.name == chosen, "cells": _cells(document, each, letters[each.name], scale)}
        for each in main_options(document)[:ROWS_MAX_COUNT]
    ]


def _cells(document: Document, option: OptionPart, letter: str, scale_count: int) -> list[str]:
    ahead = horizon_option(document, option.name)
    bill, success = option.usd_per_month, option.usd_per_success
    remarks = "; ".join(findings.option_remarks(document, option))
    return [
        letter,
        printed(option.title, 48) + (f" ({printed(remarks, 60)})" if remarks else ""),
        printed(option.buys, 70),
        amounts.money_range(bill.p50, bill.p10, bill.p90),
        amounts.money(success.p50 * scale_count),
        amounts.odds(option.probability_cheapest_fraction),
        amounts.difference(ahead.saves_usd.mean) if ahead and ahead.payback else ("as today" if ahead else "-"),
        payback_words(ahead.payback) if ahead and ahead.payback else "-",
    ]


def _success_title(document: Document) -> str:
    scale = findings.successes_shown_count(document)
    return "a success" if scale == 1 else f"{scale:,} succ."


def _options_note(document: Document) -> str:
    shown = len(main_options(document)[:ROWS_MAX_COUNT])
    hidden = len(document.options) - shown
    more = f" {amounts.counted(hidden, 'more option')} in the HTML report." if hidden > 0 else ""
    return (
        "USD a month (P10 to P90), USD per successful outcome and futures in which it is cheapest: at today's volume "
        f"and prices. Expected NPV against staying as today; payback is the median month."
        f"{more}{_charts_only(document)} {findings.ratio_finding(document)}"
    ).strip()


def _charts_only(document: Document) -> str:
    """Letters of the charts that have no row in the table."""
    shown = {each.name for each in main_options(document)[:ROWS_MAX_COUNT]}
    drawn = {each.option for each in document.horizon.options} if document.horizon else set()
    more = [each for each in series_of(document) if each.charted and each.name in drawn - shown]
    named = ", ".join(f"{each.letter} {printed(each.title, 40)}" for each in more)
    return f" In the charts also: {named}." if named else ""


def _worth_showing(document: Document) -> Sequence[InformationPart]:
    information = document.risk.information if document.risk else ()
    return [each for each in information if each.evppi_fraction >= WORTH_SHOWING_FRACTION][:INFORMATION_MAX_COUNT]


def _information(part: InformationPart) -> list[str]:
    sample = ""
    if part.evsi_usd is not None and part.samples_count:
        sample = f"{amounts.money(part.evsi_usd)} for {part.samples_count:,} samples"
    return [
        printed(amounts.fact_title(part.name), 50),
        printed(amounts.quantity_range(part.low, part.high, part.unit), 50),
        amounts.money(part.evppi_usd),
        sample,
        printed(part.how_to_measure, 110) or "nobody can know it today",
    ]


def _band(band: VolumeBandPart) -> dict[str, Any]:
    low, high = band.from_mtok_per_month, band.to_mtok_per_month
    span = f"{amounts.magnitude(low * 1e6)} to {amounts.magnitude(high * 1e6)}"
    return {
        "here": band.is_here,
        "cells": [
            f"{span} (you)" if band.is_here else span,
            printed(band.guide_says, 60) or "-",
            printed(band.title, 44),
            amounts.odds(band.probability_cheapest_fraction),
            amounts.money(band.usd_per_month.mean),
            amounts.money(band.regret_usd_per_month),
            printed(band.main_driver, 70),
            "as the guide" if band.agrees else beginning(band.why.partition(";")[0], 180),
        ],
    }


def _question(part: QuestionPart) -> list[str]:
    answer = question_answer(part)
    gate = "; a gate" if part.gate else ""
    return [printed(part.question, 110), f"{answer}{gate}", printed(part.ask or part.evidence, 240)]


def _exits(document: Document) -> list[str]:
    """When to go back, or to move, with the reason where it is not the same for all."""
    criteria = document.answers.exit_criteria if document.answers else ()
    alone = bool(_exit_note(document))
    return [f"{each.metric}: {each.condition}" + ("" if alone else f" ({each.why})") for each in criteria]


def _exit_note(document: Document) -> str:
    """The one reason of all the conditions; empty when there are several."""
    reasons = {each.why for each in document.answers.exit_criteria} if document.answers else set()
    return f"Why: {next(iter(reasons))}." if len(reasons) == 1 else ""


def _rule(document: Document) -> str:
    if document.answers is None:
        return ""
    part = document.answers.five_questions
    together = "Both agree." if part.agree else "The two disagree: the money decides."
    odds = amounts.odds(part.three_or_more_fraction)
    says, money, reason = (each.rstrip(". ") for each in (part.rule_says, part.money_says, part.risk_reason))
    return (
        f"{part.yes_count} yes, {part.unknown_count} unknown; three or more yes in {odds} futures. The rule: {says}. "
        f"The money: {money}. {together} Risk: {part.risk_level}; {reason}."
    )
