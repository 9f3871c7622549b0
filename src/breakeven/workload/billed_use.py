"""Billed use: what the Calls cost by day and model at list prices, and what they would under another reading of a bill.

Our figure is priced call by call. A reading changes prices or token counts and nothing else; how far it moves the
figure is worked out on `price_cells`, in which every call has the same prices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import PriceKey, TokenPriceRow
from breakeven.usage.overlap import canonical
from breakeven.workload.price_cells import PriceBook, PriceCell, price_cells

if TYPE_CHECKING:
    from ibis import Table

TIERS: Final = ("flex", "priority")


@dataclass(frozen=True, slots=True)
class UseRow:
    """One model on one UTC day."""

    day: date
    provider: str
    model: str
    """By the price list's names, as far as it knows them."""
    requests_count: int
    input_tokens: int
    """Cache reads and writes included."""
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    spend_usd: float
    """Of the priced calls."""
    unpriced_tokens: int


@dataclass(frozen=True, slots=True)
class Readings:
    """What all Calls would cost under other readings, in USD; None where the log gives no cause to ask."""

    cached_as_input_usd: float | None = None
    """Every cache read and write at the price of input."""
    cached_beside_input_usd: float | None = None
    """Input does not contain the cached tokens: they come on top."""
    cached_left_out_usd: float | None = None
    """Cached tokens cost nothing."""
    all_cached_usd: float | None = None
    """All input read from a cache; asked only of a log without any cached token."""
    all_batch_usd: float | None = None
    """Every call at batch prices."""
    no_batch_usd: float | None = None
    """Calls sent as batch at standard prices."""
    tiers_usd: tuple[tuple[str, float], ...] = ()
    """Every call in another service tier, where that changes anything."""
    failed_usd: float = 0.0
    """The part of the spend that belongs to calls that failed."""
    retried_usd: float = 0.0
    """The part of the spend that belongs to calls which repeat another."""


@dataclass(frozen=True, slots=True)
class BillScope:
    """What a bill is about, by the price list's names; empty: everything."""

    providers: frozenset[str] = frozenset()
    """Calls of others are left out, where the log has calls of all of these."""
    models: frozenset[str] = frozenset()
    """Only calls of these can be read in another way: the bill has no others."""


@dataclass(frozen=True, slots=True)
class BilledUse:
    """The Calls of a window as a bill would list them."""

    rows: tuple[UseRow, ...]
    readings: Readings
    hourly_usd: tuple[tuple[datetime, float], ...]
    """Spend by hour, hours without any left out."""
    left_out_usd: tuple[tuple[str, float], ...] = ()
    """Providers that the bill is not about -> what their calls cost."""

    @property
    def spend_usd(self) -> float:
        """Of all priced calls."""
        return sum(each.spend_usd for each in self.rows)


def billed_use(
    calls: Table, catalog: Catalog, contract: Sequence[ContractPrice] = (), scope: BillScope | None = None
) -> BilledUse:
    """Price `calls` of a window, each at its own day, and under the other readings; no rows where there are none."""
    found = price_cells(calls, catalog, contract)
    scope = scope or BillScope()
    cells, left_out = _of_providers(found.cells, scope.providers)
    hourly: dict[datetime, float] = defaultdict(float)
    for each in cells:
        hourly[each.time.replace(minute=0, second=0)] += each.spend_usd
    readable = [each for each in cells if not scope.models or _named(each)[1] in scope.models]
    return BilledUse(_use_rows(cells), _readings(readable, found.book, cells), tuple(sorted(hourly.items())), left_out)


def _named(cell: PriceCell) -> tuple[str, str]:
    return canonical(cell.key.provider or "", cell.key.model or "")


def _of_providers(
    cells: Sequence[PriceCell], providers: frozenset[str]
) -> tuple[Sequence[PriceCell], tuple[tuple[str, float], ...]]:
    """The cells of these providers, and of none that is named; what the others cost."""
    if not providers or not providers <= {_named(each)[0] for each in cells}:
        return cells, ()
    others: dict[str, float] = defaultdict(float)
    for each in cells:
        if _named(each)[0] not in ("", *providers):
            others[_named(each)[0]] += each.spend_usd
    return [each for each in cells if _named(each)[0] not in others], tuple(sorted(others.items()))


def _use_rows(cells: Sequence[PriceCell]) -> tuple[UseRow, ...]:
    """By day and model, the names of one model added up."""
    groups: dict[tuple[date, str, str], list[PriceCell]] = defaultdict(list)
    for each in sorted(cells, key=lambda cell: (cell.time, str(cell.key), cell.size_tokens)):
        groups[each.time.date(), *_named(each)].append(each)
    return tuple(
        UseRow(
            *named,
            requests_count=round(sum(each.requests_count for each in group)),
            input_tokens=round(sum(each.input_tokens for each in group)),
            cache_read_tokens=round(sum(each.cache_read_tokens for each in group)),
            cache_write_tokens=round(sum(each.cache_write_tokens for each in group)),
            output_tokens=round(sum(each.output_tokens for each in group)),
            spend_usd=sum(each.spend_usd for each in group),
            unpriced_tokens=round(sum(each.unpriced_tokens for each in group)),
        )
        for named, group in sorted(groups.items())
    )


def _readings(cells: Sequence[PriceCell], book: PriceBook, everything: Sequence[PriceCell]) -> Readings:
    """What `everything` would cost if `cells` were read in another way."""
    spend = sum(each.spend_usd for each in everything)
    cached = any(each.cache_read_tokens or each.cache_write_tokens for each in cells)
    batched = any(each.key.is_batch for each in cells)

    def moved(
        price: Callable[[TokenPriceRow], TokenPriceRow] = lambda row: row,
        count: Callable[[PriceCell], PriceCell] = lambda cell: cell,
        key: Callable[[PriceKey], PriceKey] = lambda named: named,
    ) -> float:
        return spend + sum(_moves(cells, book, price, count, key))

    return Readings(
        cached_as_input_usd=moved(price=_uncached) if cached else None,
        cached_beside_input_usd=moved(count=_on_top) if cached else None,
        cached_left_out_usd=moved(count=_without_cached) if cached else None,
        all_cached_usd=None if cached else moved(price=_as_cached),
        all_batch_usd=moved(key=lambda each: replace(each, is_batch=True)),
        no_batch_usd=moved(key=lambda each: replace(each, is_batch=False)) if batched else None,
        tiers_usd=tuple((tier, moved(key=_in_tier(tier))) for tier in TIERS),
        failed_usd=sum(each.failed_usd for each in cells),
        retried_usd=sum(each.retried_usd for each in cells),
    )


def _moves(
    cells: Sequence[PriceCell],
    book: PriceBook,
    price: Callable[[TokenPriceRow], TokenPriceRow],
    count: Callable[[PriceCell], PriceCell],
    key: Callable[[PriceKey], PriceKey],
) -> Iterator[float]:
    """For each cell, what it costs under a reading minus what it costs; nothing where one of them is unknown."""
    for each in cells:
        row = book.row(each.key, each.time, each.size_tokens)
        other = book.row(key(each.key), each.time, each.size_tokens)
        before = each.usd_at(row)
        after = count(each).usd_at(price(other)) if other else None
        if before is not None and after is not None:
            yield after - before


def _in_tier(tier: str) -> Callable[[PriceKey], PriceKey]:
    return lambda each: replace(each, service_tier=tier)


def _uncached(row: TokenPriceRow) -> TokenPriceRow:
    """Every kind of input at the price of input."""
    usd = row.input_usd_per_mtok
    return replace(row, cache_read_usd_per_mtok=usd, cache_write_usd_per_mtok=usd, cache_write_1h_usd_per_mtok=usd)


def _as_cached(row: TokenPriceRow) -> TokenPriceRow:
    """Input at the price of cache reads."""
    return replace(row, input_usd_per_mtok=row.cache_read_usd_per_mtok)


def _on_top(cell: PriceCell) -> PriceCell:
    return replace(cell, input_tokens=cell.input_tokens + cell.cache_read_tokens + cell.cache_write_tokens)


def _without_cached(cell: PriceCell) -> PriceCell:
    rest = cell.input_tokens - cell.cache_read_tokens - cell.cache_write_tokens
    return replace(cell, input_tokens=rest, cache_read_tokens=0, cache_write_tokens=0, cache_write_1h_tokens=0)
