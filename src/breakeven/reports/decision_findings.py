"""Decision findings: what the charts of the months, of doubt and of rare losses show, in one sentence each.

Empty where a document has no such part.
"""

from __future__ import annotations

from breakeven.reports import amounts
from breakeven.reports.decide_page import horizon_option, inside
from breakeven.reports.decision_rows import worth_measuring
from breakeven.reports.document import Document
from breakeven.reports.findings import TITLE_MAX_COUNT
from breakeven.reports.horizon_part import HorizonOptionPart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import main_options, status_quo


def bills_finding(document: Document) -> str:
    """The bill of the recommended option and of today's at the end of the horizon."""
    horizon = document.horizon
    if horizon is None:
        return ""
    names = dict.fromkeys((horizon.recommended, status_quo(document) or horizon.moves_to))
    told = [_bill_words(document, each) for name in names if (each := horizon_option(document, name))]
    return f"Bill of month {horizon.months_count}, median and P10-P90: {'; '.join(told)}." if told else ""


def _bill_words(document: Document, part: HorizonOptionPart) -> str:
    if not part.p50_usd_per_month:
        return inside(document, part.option)
    ends = part.p50_usd_per_month[-1], part.p10_usd_per_month[-1], part.p90_usd_per_month[-1]
    return f"{inside(document, part.option)} {amounts.money_range(*ends)}"


def odds_by_month_finding(document: Document) -> str:
    """Which option's bill is the lowest most often, in the first month and in the last."""
    parts = document.horizon.options if document.horizon else ()
    shown = [each for each in parts if each.probability_cheapest_by_month_fraction]
    if document.horizon is None or not shown:
        return ""
    ends = []
    for month, index in ((1, 0), (document.horizon.months_count, -1)):
        best = max(shown, key=lambda each: each.probability_cheapest_by_month_fraction[index])
        odds = amounts.odds(best.probability_cheapest_by_month_fraction[index])
        ends.append(f"in month {month} that of {inside(document, best.option)}, in {odds} futures")
    return f"The lowest bill most often: {'; '.join(ends)}."


def paths_finding(document: Document) -> str:
    """Where volume and prices are at the end."""
    horizon = document.horizon
    if horizon is None:
        return ""
    told = [f"{short(each.title, 80)} {amounts.ratio(each.p50_ratio[-1])}" for each in horizon.paths if each.p50_ratio]
    return f"By month {horizon.months_count}, in the median, of today's: {'; '.join(told)}." if told else ""


def information_finding(document: Document) -> str:
    """What knowing everything is worth, and the number that is worth most."""
    if document.risk is None:
        return ""
    whole = f"Knowing everything before deciding is worth {amounts.money(document.risk.evpi_usd)}"
    worth = worth_measuring(document)
    if not worth:
        return f"{whole}; no single number is worth measuring."
    top = worth[0]
    title = short(amounts.fact_title(safe(top.name) or "?"), TITLE_MAX_COUNT)
    return f"{whole}; of all numbers {title} is worth most: {amounts.money(top.evppi_usd)}."


def tornado_finding(document: Document) -> str:
    """Which assumption moves the present value most, and how many turn the sign of the saving."""
    parts = document.risk.tornado if document.risk else ()
    if not parts:
        return ""
    top = parts[0]
    ends = amounts.difference_range(*sorted((top.saves_at_low_usd, top.saves_at_high_usd)))
    turning = sum(each.flips for each in parts)
    turn = "none turns the answer alone" if not turning else f"{turning} of {len(parts)} turn the answer alone"
    title = short(amounts.fact_title(safe(top.name) or "?"), TITLE_MAX_COUNT)
    return f"{title} moves the present value most: {ends}; {turn}."


def breakeven_odds_finding(document: Document) -> str:
    """From which volume on the recommended option, or the best move, costs less."""
    parts = {each.option: each for each in document.risk.breakeven_odds} if document.risk else {}
    wanted = [document.risk.recommended if document.risk else None, document.horizon and document.horizon.moves_to]
    names = [*(each for each in wanted if each), *(each.name for each in main_options(document))]
    return next((safe(parts[name].sentence) for name in names if name in parts), "")


def losses_finding(document: Document) -> str:
    """Odds of any loss in a year, and of a large one, here and there."""
    points = document.answers.privacy.exceedance if document.answers else ()
    if not points:
        return ""
    large = min(points, key=lambda each: abs(each.loss_usd - 1e6))
    told = [
        f"above {amounts.money(each.loss_usd)} in {amounts.fraction(each.api_fraction)} of years through an API and in "
        f"{amounts.fraction(each.selfhost_fraction)} on GPUs of your own"
        for each in dict.fromkeys((points[0], large))
    ]
    return f"Losses of one year lie {'; '.join(told)}."
