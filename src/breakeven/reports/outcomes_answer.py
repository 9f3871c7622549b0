"""Outcomes answer: judged outcomes priced where the file does not say, and made into the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from breakeven.catalog.load import Catalog
from breakeven.learning.pricing import GivenPrice, priced
from breakeven.outcomes.judged import Judged
from breakeven.outcomes.success_rates import success_rates
from breakeven.reports.outcomes_document import OutcomesDocument, OutcomesQuestion, outcomes_document


@dataclass(frozen=True, slots=True)
class AskedOutcomes:
    """How the document is to be made."""

    by: str
    """A group column; "" for none."""
    prices: Mapping[str, GivenPrice]
    seed: int
    reject_path: Path | None = None


def answer_outcomes(found: Judged, asked: AskedOutcomes, catalog: Catalog) -> OutcomesDocument:
    """The document of judged outcomes; list prices are those of the catalogue's day."""
    filled = priced(found.outcomes.table, asked.prices, catalog)
    outcomes = replace(found.outcomes, table=filled.table)
    rates = success_rates(outcomes.table, outcomes.source_codes, asked.by, asked.seed)
    words = {
        each.model.name: (each.words, each.by != "given")
        for each in filled.prices
        if each.filled_cells_count and each.by != "unpriced"
    }
    unused = [each.model.name for each in filled.prices if each.model.name in asked.prices and each.by != "given"]
    notes = [f"The price given for {name} is not used: the file says what its calls cost." for name in unused]
    found = replace(found, outcomes=outcomes, notes=(*found.notes, *notes))
    return outcomes_document(OutcomesQuestion(found, rates, asked.by, words, asked.reject_path, asked.seed))
