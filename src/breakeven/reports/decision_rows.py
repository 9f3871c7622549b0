"""Decision rows: the months, doubt and the guide's questions as rows of words, shared by the HTML report and terminal.

Every row holds texts that are ready to print; a document without the part gives no rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.answers_part import EnergyPart, FiveQuestionsPart, PrivacyOptionPart, QuestionPart
from breakeven.reports.decide_page import NEVER, month_words, payback_span
from breakeven.reports.document import Amount, Document, OptionPart
from breakeven.reports.findings import TITLE_MAX_COUNT
from breakeven.reports.horizon_part import HorizonOptionPart, WaitingPart
from breakeven.reports.risk_part import BreakEvenOddsPart, InformationPart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import main_options

QUESTION_NAMES: Final = {
    "volume": "Volume",
    "data_sensitive": "Data sensitivity",
    "fine_tuning": "Fine-tuning",
    "mlops_team": "MLOps team",
    "accuracy": "95 % accuracy",
}


@dataclass(frozen=True, slots=True)
class MonthsRow:
    """One option over the months."""

    option: OptionPart
    part: HorizonOptionPart
    payback: str
    payback_span: str
    payback_note: str
    interest: str
    """Internal rate of return."""


@dataclass(frozen=True, slots=True)
class OddsRow:
    """Where one option and today's cross, over the futures."""

    title: str
    name: str
    first: str
    first_span: str
    last: str
    last_span: str
    never: str
    here: str
    sentence: str


@dataclass(frozen=True, slots=True)
class LossRow:
    """Options with one breach risk."""

    titles: str
    ratio: str
    events: str
    part: PrivacyOptionPart


@dataclass(frozen=True, slots=True)
class EnergyRow:
    """Options with one energy use."""

    titles: str
    part: EnergyPart
    idle: str
    """Share of the energy that does no work, in the median."""


def months_rows(document: Document, *, every: bool = False) -> list[MonthsRow]:
    """The main options, or all of them, lowest expected present cost first."""
    if document.horizon is None:
        return []
    shown = {each.name: each for each in (document.options if every else main_options(document))}
    return [_months_row(shown[each.option], each) for each in document.horizon.options if each.option in shown]


def _months_row(option: OptionPart, part: HorizonOptionPart) -> MonthsRow:
    back = part.payback
    rate = part.irr_fraction_per_month
    return MonthsRow(
        option=option,
        part=part,
        payback=month_words(back.p50_months) if back else "as today",
        payback_span=payback_span(back) if back else "",
        payback_note=f"never in {amounts.odds(back.never_fraction)}" if back and back.never_fraction else "",
        interest=f"IRR {amounts.fraction(rate)} a month" if rate is not None else "no IRR",
    )


def fast_form_words(document: Document) -> str:
    """How near the fast form of the months comes to the exact one; empty without a horizon."""
    if document.horizon is None:
        return ""
    error = amounts.fraction(document.horizon.approximation_error_fraction)
    return f"fast form within {error} of the exact months, measured in this run"


def wait_words(waiting: WaitingPart) -> str:
    """When one moves.

    >>> from breakeven.reports.document import Amount
    >>> zero = Amount(p10=0, p50=0, p90=0, mean=0, unit="usd")
    >>> wait_words(WaitingPart(wait_months=3, present_cost_usd=zero, saves_against_now_usd=zero))
    'move in 3 months'
    """
    if waiting.wait_months is None:
        return "never move"
    return f"move in {amounts.counted(waiting.wait_months, 'month')}" if waiting.wait_months else "move now"


def expected_difference(amount: Amount) -> str:
    """What is saved in expectation, in words."""
    return amounts.difference(amount.mean)


def difference_span(amount: Amount) -> str:
    """P10 to P90 of what is saved, in words."""
    return amounts.difference_range(amount.p10, amount.p90)


def worth_measuring(document: Document) -> list[InformationPart]:
    """The numbers whose worth can be told from nothing, largest first."""
    return [each for each in document.risk.information if not each.is_noise] if document.risk else []


def span_of(name: str, low: float, high: float, unit: str) -> str:
    """A range of a fact; a growth or a fall is told in percent.

    >>> span_of("a_fraction_per_month", -0.0068, 0.0459, "1/month"), span_of("b_fraction", 0.65, 0.96, "fraction")
    ('-0.68 to 4.6 % a month', '65 to 96 %')
    """
    _, of, per = unit.partition("1/")
    if of and f"fraction_per_{per}" in name:
        return f"{amounts.quantity_range(low, high, 'fraction')} a {safe(per)}"
    return safe(amounts.quantity_range(low, high, unit))


def value_of(name: str, value: float, unit: str) -> str:
    """A fact's value; a growth or a fall is told in percent.

    >>> value_of("a_fraction_per_month", 0.0459, "1/month")
    '4.6 % a month'
    """
    return span_of(name, value, value, unit)


def odds_rows(document: Document, *, every: bool = False) -> list[OddsRow]:
    """The main options, or all of them, in the order of the table of options."""
    parts = {each.option: each for each in document.risk.breakeven_odds} if document.risk else {}
    options = document.options if every else main_options(document)
    return [_odds_row(each, parts[each.name]) for each in options if each.name in parts]


def _odds_row(option: OptionPart, part: BreakEvenOddsPart) -> OddsRow:
    return OddsRow(
        title=short(option.title, TITLE_MAX_COUNT),
        name=option.name,
        first=_mark(part.first_p50_mtok_per_month),
        first_span=_marks(part.first_p10_mtok_per_month, part.first_p90_mtok_per_month),
        last=_mark(part.last_p50_mtok_per_month),
        last_span=_marks(part.last_p10_mtok_per_month, part.last_p90_mtok_per_month),
        never=amounts.odds(part.never_fraction),
        here=amounts.odds(part.here_fraction),
        sentence=safe(part.sentence),
    )


def _mark(mtok: float | None) -> str:
    return NEVER if mtok is None else amounts.magnitude(mtok * 1e6)


def _marks(low: float | None, high: float | None) -> str:
    return f"{_mark(low)} to {_mark(high)}" if low != high else ""


def band_span(low_mtok: float, high_mtok: float) -> str:
    """A band of monthly volume.

    >>> band_span(60, 500), band_span(500, 5_000)
    ('60-500 M', '500 M-5 B')
    """
    low, high = amounts.magnitude(low_mtok * 1e6), amounts.magnitude(high_mtok * 1e6)
    if low.rpartition(" ")[2] == high.rpartition(" ")[2]:
        low = low.rpartition(" ")[0]
    return f"{low}-{high}"


def agreement(agrees: bool | None) -> str:
    """Whether today's prices say what the guide says."""
    return {True: "agrees", False: "disagrees", None: "no row"}[agrees]


def question_answer(question: QuestionPart) -> str:
    """Yes or no with its odds, or unknown."""
    if question.probability_fraction is None:
        return question.answer
    return f"{question.answer} (yes in {amounts.odds(question.probability_fraction)} futures)"


def rule_lines(part: FiveQuestionsPart) -> tuple[str, ...]:
    """The guide's rule beside the money, and the level of risk."""
    odds = amounts.odds(part.three_or_more_fraction)
    verdict = "They do not contradict each other." if part.agree else "They disagree; money decides."
    return (
        f"The guide's rule (self-host at three or more yes; an unknown counts half): {_ended(part.rule_says)} "
        f"Three or more yes: {odds}.",
        f"The money: {_ended(part.money_says)} {verdict}",
        f"Risk: {part.risk_level}. {_ended(part.risk_reason)}",
    )


def _ended(text: str) -> str:
    clean = safe(text)
    return clean if clean.endswith((".", "!", "?")) else f"{clean}."


def loss_rows(document: Document) -> list[LossRow]:
    """Options by what exposure costs a year, those with one risk together; dearest first."""
    parts = document.answers.privacy.options if document.answers else ()
    groups: dict[tuple[float, float], list[PrivacyOptionPart]] = {}
    for each in parts:
        groups.setdefault((each.events_per_year, each.annual_loss_usd.mean), []).append(each)
    rows = [
        LossRow(
            titles=_titles(document, [each.option for each in group]),
            ratio=amounts.ratio(group[0].exposure_ratio),
            events=f"{amounts.fraction(group[0].any_event_fraction)} a year",
            part=group[0],
        )
        for group in groups.values()
    ]
    return sorted(rows, key=lambda row: -row.part.annual_loss_usd.mean)


def energy_rows(document: Document) -> list[EnergyRow]:
    """Fleets by what they draw, those that draw the same together, in the order of the document."""
    parts = document.answers.energy if document.answers else ()
    groups: dict[tuple[float, float, float], list[EnergyPart]] = {}
    for each in parts:
        key = each.energy_kwh_per_month.mean, each.idle_energy_kwh_per_month.mean, each.carbon_kg_per_month.mean
        groups.setdefault(key, []).append(each)
    return [
        EnergyRow(_titles(document, [each.option for each in group]), group[0], _idle_share(group[0]))
        for group in groups.values()
    ]


def _idle_share(part: EnergyPart) -> str:
    whole = part.energy_kwh_per_month.mean
    return amounts.fraction(round(part.idle_energy_kwh_per_month.mean / whole, 2)) if whole > 0 else "0 %"


def _titles(document: Document, names: Sequence[str]) -> str:
    known = {each.name: each.title for each in document.options}
    return "; ".join(short(known.get(name, name), TITLE_MAX_COUNT) for name in names)
