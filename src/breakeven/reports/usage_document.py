"""Usage document: what `breakeven profile` says of a log, and behind it each model's days, prices and imports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

from breakeven.catalog.token_prices import TokenPriceRow
from breakeven.reports.answer import Question, profile
from breakeven.reports.document import SourcePart, WorkloadPart
from breakeven.reports.option_part import Part
from breakeven.reports.stability_part import TotalPart
from breakeven.reports.tracing import source_part
from breakeven.reports.workload_part import workload_part
from breakeven.usage.store.glance import glance
from breakeven.usage.store.manifest import ImportedFile
from breakeven.workload.model_days import ModelDays, model_days

USUAL_LOW: Final = 0.10
USUAL_HIGH: Final = 0.90
STRETCH_MIN_DAYS: Final = 5
"""Fewer days have no usual span."""


class PricePart(Part):
    """A price that calls of a model were given, in one stretch of time or several; USD per million tokens."""

    matched: str
    """The entry of the price list, as provider/model."""
    since: str | None
    """None: from before the log began."""
    until: str | None
    """Exclusive; None: to the end of the log."""
    stretches_count: int
    """More than one: it came and went, e.g. by the hour of the day."""
    input_tokens_from: int
    """Of calls with at least so much input."""
    tier: str
    """Service tier, and whether in batches; empty for the usual one."""
    input_usd_per_mtok: float | None
    cache_read_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    source: SourcePart


class ModelUsagePart(Part):
    """One model, day by day; values in the order of the workload's days."""

    provider: str
    model: str
    requests_count: int
    reasoning_tokens: int
    """Part of the output."""
    unpriced_tokens: int
    unpriced_reason: str
    """Why calls of it have no price; empty where all have one."""
    tokens: tuple[int, ...]
    spend_usd: tuple[float | None, ...]
    """Of its priced calls."""
    prices: tuple[PricePart, ...]


class ImportedPart(Part):
    """One log that was imported: rows = calls + duplicates + rejects."""

    name: str
    format: str
    at: str
    rows_count: int
    calls_count: int
    duplicates_count: int
    rejects_count: int
    rejects_by_reason: dict[str, int]
    estimated_count: int
    """Rows whose tokens were estimated from their texts."""


class StretchPart(Part):
    """Days on one level, and where 8 of 10 of them lie: the usual ups and downs."""

    first_day: str
    last_day: str
    days_count: int
    tokens: TotalPart
    """A day's: 10 %, median and 90 %."""
    spend_usd: TotalPart | None


class UsageDocument(Part):
    """All that the Usage page shows."""

    workload: WorkloadPart
    """What `breakeven profile --json` prints."""
    reasoning_tokens: int
    models: tuple[ModelUsagePart, ...]
    """Most tokens first."""
    stretches: tuple[StretchPart, ...]
    imports: tuple[ImportedPart, ...]
    """Oldest first."""
    overlaps: tuple[str, ...]
    """Sources that told the same traffic, which of them counts, and how far they agree."""
    left_out_count: int
    """Rows of traffic that another source tells too: they are in no figure."""
    bills_count: int
    """Rows that are amounts billed: `breakeven reconcile` compares them."""


def usage_document(question: Question, progress: Callable[[str], None] = lambda _: None) -> UsageDocument:
    """Profile the calls of a store, and tell models and imports apart."""
    workload = profile(question, progress)
    as_of = question.scenario.as_of or question.today
    part = workload_part(workload, question.label, as_of, synthetic=question.synthetic, imported=question.imported)
    progress("pricing each model's days")
    models = model_days(
        question.store.calls(),
        workload.days[0].day,
        len(workload.days),
        catalog=question.catalog,
        contract=question.scenario.contract(),
        kept=question.store,
    )
    seen = glance(question.store.path)
    return UsageDocument(
        workload=part,
        reasoning_tokens=workload.reasoning_tokens,
        models=tuple(_model(each, as_of) for each in models),
        stretches=stretches(part),
        imports=tuple(_imported(each) for each in seen.imported),
        overlaps=tuple(each.sentence for each in seen.overlaps),
        left_out_count=seen.left_out_count,
        bills_count=seen.bills_count,
    )


def stretches(workload: WorkloadPart) -> tuple[StretchPart, ...]:
    """The whole days between one level shift and the next, where there are enough of them."""
    part = workload.stability
    starts = sorted(each.day for each in part.shifts) if part else []
    bounds = ["", *starts, "9999"]
    found = []
    for first, beyond in pairwise(bounds):
        days = [each for each in workload.days if each.complete and first <= each.day < beyond]
        if len(days) < STRETCH_MIN_DAYS:
            continue
        spend = [each.spend_usd for each in days]
        found.append(
            StretchPart(
                first_day=days[0].day,
                last_day=days[-1].day,
                days_count=len(days),
                tokens=_usual([float(each.input_tokens + each.output_tokens) for each in days]),
                spend_usd=_usual(spend) if workload.spend_usd is not None else None,
            )
        )
    return tuple(found)


def _usual(values: list[float]) -> TotalPart:
    low, typical, high = np.quantile(values, [USUAL_LOW, 0.5, USUAL_HIGH])
    return TotalPart(low=float(low), typical=float(typical), high=float(high))


def _model(found: ModelDays, as_of: date) -> ModelUsagePart:
    return ModelUsagePart(
        provider=found.provider,
        model=found.model,
        requests_count=found.requests_count,
        reasoning_tokens=found.reasoning_tokens,
        unpriced_tokens=found.unpriced_tokens,
        unpriced_reason=found.reason,
        tokens=found.tokens,
        spend_usd=found.spend_usd,
        prices=_prices(found.prices, as_of),
    )


def _prices(rows: Sequence[TokenPriceRow], as_of: date) -> tuple[PricePart, ...]:
    """Equal prices told once: some change by the hour of the day."""
    alike: dict[str, list[PricePart]] = {}
    for each in (_price(row, as_of) for row in rows):
        key = each.model_dump_json(exclude={"since", "until", "stretches_count"})
        alike.setdefault(key, []).append(each)
    return tuple(
        each[0].model_copy(
            update={
                "since": None if any(one.since is None for one in each) else min(one.since or "" for one in each),
                "until": None if any(one.until is None for one in each) else max(one.until or "" for one in each),
                "stretches_count": len(each),
            }
        )
        for each in alike.values()
    )


def _price(row: TokenPriceRow, as_of: date) -> PricePart:
    tier = " ".join(each for each in (row.service_tier or "", "batch" if row.is_batch else "") if each)
    return PricePart(
        matched=row.matched_model,
        since=row.since.isoformat() if row.since else None,
        until=row.until.isoformat() if row.until else None,
        stretches_count=1,
        input_tokens_from=row.input_tokens_from,
        tier=tier,
        input_usd_per_mtok=row.input_usd_per_mtok,
        cache_read_usd_per_mtok=row.cache_read_usd_per_mtok,
        output_usd_per_mtok=row.output_usd_per_mtok,
        source=source_part(row.source, as_of),
    )


def _imported(file: ImportedFile) -> ImportedPart:
    return ImportedPart(
        name=file.name,
        format=file.settings.partition("|")[0],
        at=file.imported_at,
        rows_count=file.rows,
        calls_count=file.calls,
        duplicates_count=file.duplicates,
        rejects_count=file.rejects_count,
        rejects_by_reason=file.rejects,
        estimated_count=file.estimated,
    )
