"""What-if base: a comparison as the what-if in which nothing is different, for a page that has no session yet."""

from __future__ import annotations

from breakeven.errors import DocumentError
from breakeven.reports import whatif_wording as words
from breakeven.reports.document import Document
from breakeven.reports.horizon_part import HorizonOptionPart, HorizonPart
from breakeven.reports.option_part import OptionPart
from breakeven.reports.whatif_document import SCHEMA_VERSION, OptionChangePart, VerdictPart, WhatIfDocument


def as_it_is(document: Document) -> WhatIfDocument:
    """What `breakeven whatif` says of the same question before anything is changed."""
    horizon = document.horizon
    if horizon is None:
        raise DocumentError(f"schema {document.schema_version} tells no months to come; run `breakeven compare` again")
    verdict = _verdict(document, horizon)
    known = {each.name: each for each in document.options}
    return WhatIfDocument(
        schema_version=SCHEMA_VERSION,
        kind="whatif",
        sentence=words.sentence(verdict, verdict, changed=False),
        changes=(),
        before=verdict,
        after=verdict,
        options=tuple(_option(document, known[each.option], each) for each in horizon.options if each.option in known),
        solved=None,
        warnings=document.warnings,
        as_of=document.footer.as_of,
        seed=document.footer.seed,
        draws_count=document.footer.draws_count,
    )


def _verdict(document: Document, horizon: HorizonPart) -> VerdictPart:
    option = next(each for each in document.options if each.name == horizon.recommended)
    part = next(each for each in horizon.options if each.option == horizon.recommended)
    return VerdictPart(
        option=option.name,
        title=option.title,
        odds_fraction=part.probability_cheapest_fraction,
        present_cost_usd=part.present_cost_usd,
        months_count=horizon.months_count,
        usd_per_month=option.equal_success_usd_per_month,
    )


def _option(document: Document, option: OptionPart, part: HorizonOptionPart) -> OptionChangePart:
    pair = next((each for each in document.breakeven.pairs if each.option == option.name), None)
    above = pair.always_above_mtok_per_month if pair else None
    month, odds, present = option.equal_success_usd_per_month, part.probability_cheapest_fraction, part.present_cost_usd
    return OptionChangePart(
        option=option.name,
        title=option.title,
        before_usd_per_month=month,
        after_usd_per_month=month,
        before_cheapest_fraction=odds,
        after_cheapest_fraction=odds,
        before_always_above_mtok_per_month=above,
        after_always_above_mtok_per_month=above,
        before_present_cost_usd=present,
        after_present_cost_usd=present,
        before_saves_usd=part.saves_usd,
        after_saves_usd=part.saves_usd,
    )
