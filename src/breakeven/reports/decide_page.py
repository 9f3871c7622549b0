"""Decide page: what one page on the decision says, from a comparison document of any age.

The terminal's `decide`, the PDF and the Markdown all take their words from here. A document older than its parts on
time, doubt and the guide's questions still gives a page: from today's volume and prices, saying what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from breakeven.reports import amounts, findings
from breakeven.reports.answers_part import FigurePart
from breakeven.reports.document import Amount, Document, OptionPart
from breakeven.reports.horizon_part import HorizonOptionPart, PaybackPart
from breakeven.reports.option_titles import Titles
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import status_quo

MONTHS_PER_YEAR: Final = 12
NEVER: Final = "never"
FIRST_MONTH: Final = "within the first month"
FIRST_MONTH_UNTIL: Final = 0.5
"""Months below which a payback is not told more exactly."""
SAID_BESIDE: Final = ("Today's volume and prices alone would say ", "With the expected breach loss counted, ")
"""How footnotes of the verdict begin that the decision over the months says too: its own words, and a month's."""
FIGURES_COUNT: Final = 3
FUTURES: Final = "futures"
"""What odds are counted in."""
NOT_IN_DOCUMENT: Final = "not in this document"


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure."""

    label: str
    """Begins with `about` where that is told."""
    value: str
    range: str
    note: str
    about: str = ""
    """The move that the figure is of, where staying is recommended; empty where the recommended move is meant."""


@dataclass(frozen=True, slots=True)
class DecidePage:
    """The decision, ready to be laid out; every text is free of control characters."""

    recommended: str
    """Name of the option."""
    title: str
    sentence: str
    odds: str
    """In futures of 100, with what is counted."""
    probability_fraction: float
    tiles: tuple[Tile, ...]
    figures: tuple[FigurePart, ...]
    monday: tuple[str, ...]
    change_our_mind: tuple[str, ...]
    stays: bool
    """The recommendation is to stay as today."""
    exit_title: str
    """Heading of the conditions to go back, or to move where staying is recommended."""
    exit_criteria: tuple[str, ...]
    """When to go back, or to move, and why."""
    exits_apart: tuple[str, ...]
    """Those of them that `change_our_mind` does not hold already."""
    measure_next: str
    beside: tuple[str, ...]
    """The decision at today's volume alone, and with breach risk counted."""
    details: tuple[str, ...]
    """Footnotes of the verdict, without what `beside` says."""
    missing: tuple[str, ...]
    """What the document does not say, and how to get it."""

    @property
    def turns_title(self) -> str:
        """Heading of what would change our mind; it names the way back where that is told there too."""
        title = "What would change our mind"
        if not self.exit_criteria or self.exits_apart:
            return title
        return f"{title}, and make us move" if self.stays else f"{title}, and send us back"


def decide_page(document: Document) -> DecidePage:
    """The page of `document`."""
    decision = document.answers.decision if document.answers else None
    chosen = decision.recommended if decision else document.verdict.recommended
    odds = decision.probability_fraction if decision else document.verdict.odds_fraction
    return DecidePage(
        recommended=chosen,
        title=findings.title_of(document, chosen),
        sentence=safe(decision.sentence if decision else document.verdict.sentence),
        odds=f"{amounts.odds(odds)} futures ({_what_odds(document)})",
        probability_fraction=odds,
        tiles=_tiles(document, chosen, odds),
        figures=tuple(decision.figures[:FIGURES_COUNT]) if decision and decision.figures else _lever_figures(document),
        monday=tuple(safe(each) for each in decision.monday) if decision else (_first_step(document),),
        change_our_mind=tuple(safe(each) for each in decision.change_our_mind) if decision else _turns(document),
        stays=chosen == status_quo(document),
        exit_title=_exit_title(document, chosen),
        exit_criteria=_exit_criteria(document),
        exits_apart=_exits_apart(document),
        measure_next=safe(document.risk.measure_next) if document.risk else "",
        beside=_beside(document),
        details=_details(document),
        missing=_missing(document),
    )


def option_of(document: Document, name: str | None) -> OptionPart | None:
    """The option called `name`."""
    return next((each for each in document.options if each.name == name), None)


def horizon_option(document: Document, name: str | None) -> HorizonOptionPart | None:
    """What the horizon says about the option called `name`."""
    options = document.horizon.options if document.horizon else ()
    return next((each for each in options if each.option == name), None)


def inside(document: Document, name: str) -> str:
    """Title of the option called `name` in the middle of a sentence: a comma becomes brackets."""
    return Titles({name: findings.title_of(document, name)}).inside(name)


def payback_words(payback: PaybackPart) -> str:
    """The median month, or never.

    >>> payback_words(PaybackPart(typical_months=3, p10_months=2, p50_months=4, p90_months=None, never_fraction=0.1,
    ...     sentence=""))
    'month 4'
    """
    return month_words(payback.p50_months)


def month_words(payback_months: float | None) -> str:
    """A month of the horizon, no more exact than it is known.

    >>> month_words(3.56), month_words(0.095), month_words(0), month_words(None)
    ('month 3.6', 'within the first month', 'at once', 'never')
    """
    if payback_months is None:
        return NEVER
    if payback_months <= 0:
        return "at once"
    return FIRST_MONTH if payback_months < FIRST_MONTH_UNTIL else f"month {amounts.number(payback_months, 2)}"


def payback_span(payback: PaybackPart) -> str:
    """From a good future to a bad one; empty where both read the same.

    >>> payback_span(PaybackPart(typical_months=4, p10_months=2, p50_months=4, p90_months=None, never_fraction=0.2,
    ...     sentence=""))
    'month 2 to never'
    """
    low, high = month_words(payback.p10_months), month_words(payback.p90_months)
    return f"{low} to {high}" if low != high else ""


def _tiles(document: Document, chosen: str, odds_fraction: float) -> tuple[Tile, ...]:
    """Money of the first year, present value, payback and odds: the four figures of a finance page.

    All of money are of one move against staying as today: the recommended one, or the best where staying is.
    """
    first = _bills_tile(document, chosen) or _year_tile(document, chosen)
    whose = "Odds of staying" if chosen == status_quo(document) else "Odds"
    odds = Tile(whose, amounts.odds(odds_fraction), FUTURES, _what_odds(document))
    return (first, *_horizon_tiles(document, chosen), odds)


def _year_tile(document: Document, chosen: str) -> Tile:
    """What the choice saves in a year at today's volume and prices, against what it is compared with."""
    saves, rival = _saves_per_month(document, chosen)
    label = "A year, at today's volume and prices"
    mine = option_of(document, chosen)
    if saves is None or mine is None:
        bill = mine.usd_per_month if mine else None
        value = amounts.money(bill.p50 * MONTHS_PER_YEAR) if bill else NOT_IN_DOCUMENT
        return Tile(label, value, "", "nothing to compare it with")
    low, high = saves.p10 * MONTHS_PER_YEAR, saves.p90 * MONTHS_PER_YEAR
    bills = [each.equal_success_usd_per_month.p50 * MONTHS_PER_YEAR for each in (mine, rival) if each]
    note = " against ".join(amounts.money(each) for each in bills)
    against = f" with {_title(rival)}" if rival else ""
    return Tile(label, amounts.difference(saves.p50 * MONTHS_PER_YEAR), amounts.difference_range(low, high),
                f"medians: {note}{against}, for as many successful outcomes")  # fmt: skip


def _saves_per_month(document: Document, chosen: str) -> tuple[Amount | None, OptionPart | None]:
    """What `chosen` saves a month against the verdict's rival; or against today where the verdict chose another."""
    verdict = document.verdict
    if verdict.recommended == chosen and verdict.saves_usd_per_month is not None:
        return verdict.saves_usd_per_month, option_of(document, verdict.rival)
    today = option_of(document, status_quo(document))
    mine = option_of(document, chosen)
    if mine is None or today is None:
        return None, None
    if mine is not today:
        return _negative(mine.extra_usd_per_month), today
    other = option_of(document, document.horizon.moves_to if document.horizon else verdict.recommended)
    return (other.extra_usd_per_month, other) if other and other is not today else (None, None)


def _negative(amount: Amount) -> Amount:
    return Amount(p10=-amount.p90, p50=-amount.p50, p90=-amount.p10, mean=-amount.mean, unit=amount.unit)


def first_months_usd(part: HorizonOptionPart | None) -> tuple[int, float] | None:
    """Months counted, twelve or the horizon where shorter, and the sum of their median bills; None: not told."""
    bills = part.p50_usd_per_month[:MONTHS_PER_YEAR] if part else ()
    return (len(bills), sum(bills)) if bills else None


def first_months_title(months_count: int) -> str:
    """Name of the first months.

    >>> first_months_title(12), first_months_title(1)
    ('First 12 months', 'First month')
    """
    return "First month" if months_count == 1 else f"First {months_count} months"


def _bills_tile(document: Document, chosen: str) -> Tile | None:
    """Bills of the first months against staying as today; None where the document does not tell them."""
    mover = _mover(document, chosen)
    mine = first_months_usd(mover)
    todays = first_months_usd(horizon_option(document, status_quo(document)))
    if mover is None or mine is None or todays is None:
        return None
    (months, bills), stays = mine, todays[1]
    note = f"medians, the move apart: {amounts.money(bills)} against {amounts.money(stays)} staying as today"
    label = f"{first_months_title(months)}, all costs, median"
    return _of_move(document, chosen, Tile(label, amounts.difference(stays - bills), "", note))


def _mover(document: Document, chosen: str) -> HorizonOptionPart | None:
    """The recommended move, or the best one where staying is recommended."""
    stays = chosen == status_quo(document)
    return horizon_option(document, document.horizon.moves_to if stays and document.horizon else chosen)


def _of_move(document: Document, chosen: str, tile: Tile) -> Tile:
    """`tile` with the name of the move in its label, where that is not the recommendation."""
    mover = _mover(document, chosen)
    if mover is None or chosen != status_quo(document):
        return tile
    about = f"Moving to {inside(document, mover.option)}"
    return replace(tile, label=f"{about}: {tile.label[:1].lower()}{tile.label[1:]}", about=about)


def _horizon_tiles(document: Document, chosen: str) -> tuple[Tile, ...]:
    """Present value and payback of the move: of the chosen option, or of the best move where staying is chosen."""
    horizon = document.horizon
    if horizon is None:
        return (
            Tile("Present value (NPV)", NOT_IN_DOCUMENT, "", "the document is older than this figure"),
            Tile("Payback", NOT_IN_DOCUMENT, "", "the document is older than this figure"),
        )
    mover = _mover(document, chosen)
    label = f"Present value over {amounts.counted(horizon.months_count, 'month')} (NPV)"
    rate = f"at {amounts.fraction(horizon.discount_fraction_per_year)} a year"
    if mover is None:
        return (Tile(label, "no move to value", "", rate), Tile("Payback", "-", "", "no move"))
    saves = mover.saves_usd
    note = f"expected; the move against staying as today, {rate}"
    span = amounts.difference_range(saves.p10, saves.p90)
    tiles = (
        Tile(label, amounts.difference(saves.mean), span, note),
        _payback_tile(mover, horizon.months_count),
    )
    return tuple(_of_move(document, chosen, each) for each in tiles)


def _payback_tile(mover: HorizonOptionPart, months_count: int) -> Tile:
    payback = mover.payback
    if payback is None:
        return Tile("Payback", "-", "", "nothing is paid at the start")
    within = amounts.counted(months_count, "month")
    never = f"never within {within} in {amounts.odds(payback.never_fraction)} futures"
    upfront = f"{amounts.money(mover.upfront_usd.p50)} paid at the start"
    return Tile("Payback", payback_words(payback), payback_span(payback), f"{upfront}; {never}")


def _what_odds(document: Document) -> str:
    if document.answers and document.horizon:
        return f"lowest present cost over {amounts.counted(document.horizon.months_count, 'month')}"
    return "cheapest successful outcome, today's volume and prices"


def _lever_figures(document: Document) -> tuple[FigurePart, ...]:
    """The assumptions that move the answer most, where nobody has chosen the figures."""
    return tuple(
        FigurePart(
            label=findings.lever_title(each),
            value=amounts.quantity_range(each.low, each.high, safe(each.unit)),
            range=safe(each.grade),
            why=f"{_ends(each.gap_at_low_usd_per_month, each.gap_at_high_usd_per_month)} a month; "
            + ("turns the answer" if each.flips else "does not turn the answer"),
        )
        for each in document.levers[:FIGURES_COUNT]
    )


def _ends(one_usd: float, other_usd: float) -> str:
    return amounts.difference_range(*sorted((one_usd, other_usd)))


def _first_step(document: Document) -> str:
    return f"Run: {safe(document.verdict.next_command)}"


def _turns(document: Document) -> tuple[str, ...]:
    """What turns the answer at today's volume and prices."""
    turning = [findings.lever_finding(each) for each in document.levers if each.flips]
    rival = {document.verdict.recommended, document.verdict.rival}
    pairs = [each.sentence for each in document.breakeven.pairs if each.option in rival]
    return tuple(safe(each) for each in (*turning, *pairs)) or (findings.levers_finding(document),)


def _exit_title(document: Document, chosen: str) -> str:
    """The document's own heading, else one by what is recommended."""
    if document.answers and "exit_title" in document.answers.model_fields_set:
        return safe(document.answers.exit_title)
    return "When to move" if chosen == status_quo(document) else "When to go back"


def _exit_criteria(document: Document) -> tuple[str, ...]:
    criteria = document.answers.exit_criteria if document.answers else ()
    return tuple(f"{safe(each.metric)}: {safe(each.condition)} ({safe(each.why)})" for each in criteria)


def _exits_apart(document: Document) -> tuple[str, ...]:
    if document.answers is None:
        return ()
    told = " ".join(document.answers.decision.change_our_mind)
    apart = [each for each in document.answers.exit_criteria if each.condition not in told]
    return tuple(f"{safe(each.metric)}: {safe(each.condition)}" for each in apart)


def _beside(document: Document) -> tuple[str, ...]:
    if document.answers:
        decision = document.answers.decision
        return tuple(safe(each) for each in (decision.today_alone, decision.with_losses) if each)
    with_losses = max(
        (each for each in document.options if not each.only_if),
        key=lambda each: each.probability_cheapest_with_losses_fraction,
        default=None,
    )
    if with_losses is None:
        return ()
    odds = amounts.odds(with_losses.probability_cheapest_with_losses_fraction)
    return (
        f"With breach risk counted, {inside(document, with_losses.name)} is cheapest most often: in {odds} futures.",
    )


def _details(document: Document) -> tuple[str, ...]:
    """What `beside` says is not said twice; of a month's own odds nothing follows where the months have theirs."""
    decision = document.answers.decision if document.answers else None
    told = (decision.today_alone, decision.with_losses) if decision else ("", "")
    said = tuple(each for each, words in zip(SAID_BESIDE, told, strict=True) if words)
    return tuple(each for each in document.verdict.details if not each.startswith(said))


def _missing(document: Document) -> tuple[str, ...]:
    parts = (
        ("the months to come (present value, payback, waiting)", document.horizon),
        ("what doubt costs (what to measure next)", document.risk),
        ("the guide's questions (bands, five questions, exit criteria, Monday)", document.answers),
    )
    absent = [words for words, part in parts if part is None]
    if not absent:
        return ()
    return (f"Not in this document (schema {safe(document.schema_version)}): {'; '.join(absent)}. "
            "Run `breakeven compare` again for them.",)  # fmt: skip


def _title(option: OptionPart | None) -> str:
    return short(option.title, findings.TITLE_MAX_COUNT) if option else ""
