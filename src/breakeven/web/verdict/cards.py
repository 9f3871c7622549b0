"""Cards: what the start page says of an option that no slider moves: what it is, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.reports import amounts, findings
from breakeven.reports.chart_style import letter_of
from breakeven.reports.document import Document, OptionPart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import FAMILY_TITLES, status_quo
from breakeven.reports.whatif_document import WhatIfDocument

TITLE_MAX_COUNT = 60
BUYS_MAX_COUNT = 160


@dataclass(frozen=True, slots=True)
class Card:
    """One option."""

    name: str
    letter: str
    """The same as in the charts."""
    title: str
    family: str
    buys: str
    today: bool
    remarks: tuple[str, ...]
    """What a reader must know before its figures."""
    success: str
    mostly: str
    """Its largest line."""
    left_out: tuple[str, ...]
    """What no figure of the card holds."""


def cards(document: Document, found: WhatIfDocument) -> tuple[Card, ...]:
    """Every option, lowest expected present cost first; those that only the change makes possible as well."""
    known = {option.name: (letter_of(index), option) for index, option in enumerate(document.options)}
    order = [each.option for each in found.options if each.option in known]
    names = dict.fromkeys((*order, *known))
    new = [each for each in found.options if each.option not in known]
    return (
        *(_card(document, *known[name]) for name in names),
        *(Card(each.option, "+", short(each.title, TITLE_MAX_COUNT), "", "", False, (), "", "", ()) for each in new),
    )


def _card(document: Document, letter: str, option: OptionPart) -> Card:
    return Card(
        name=option.name,
        letter=letter,
        title=short(option.title, TITLE_MAX_COUNT) or option.name,
        family=FAMILY_TITLES.get(option.family, option.family),
        buys=short(option.buys, BUYS_MAX_COUNT),
        today=option.name == status_quo(document),
        remarks=tuple(findings.option_remarks(document, option)),
        success=_success(option),
        mostly=_mostly(option),
        left_out=tuple(_left_out(document, option)),
    )


def _success(option: OptionPart) -> str:
    rate = option.success_fraction
    return amounts.quantity_spread(rate.p50, rate.p10, rate.p90, "fraction")


def _mostly(option: OptionPart) -> str:
    """The largest line and its share of a month; empty without one."""
    lines = [each for each in option.lines if not each.apart]
    total = sum(each.usd_per_month.mean for each in lines)
    if not lines or total <= 0:
        return ""
    top = max(lines, key=lambda each: each.usd_per_month.mean)
    return f"Mostly {_inside(short(top.title, 48))} ({amounts.fraction(round(top.usd_per_month.mean / total, 2))})"


def _left_out(document: Document, option: OptionPart) -> list[str]:
    """The tokens without a price, and the losses that stand beside the total."""
    found = []
    if document.workload.unpriced:
        share = amounts.fraction(document.workload.unpriced_tokens_fraction)
        found.append(f"{share} of the tokens, which have no price")
    found += [
        f"{_inside(safe(each.title))}, {amounts.money(each.usd_per_month.mean)} a month"
        for each in option.lines
        if each.apart and each.usd_per_month.mean
    ]
    return found


def _inside(title: str) -> str:
    """A title inside a sentence; what is all capitals stays so.

    >>> _inside("Engineering labour"), _inside("GPU rent")
    ('engineering labour', 'GPU rent')
    """
    head = title.partition(" ")[0]
    return title if head[1:] != head[1:].lower() else title[:1].lower() + title[1:]
