"""Billed use: what the Calls cost by day and model at list prices, and what they would under another reading of a bill.

Our figure is priced call by call. A reading changes prices or token counts and nothing else; how far it moves the
figure is worked out on sums by hour, price key and size class, in which every call has the same prices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import PriceKey, TokenPriceRow, price_table, usage_usd
from breakeven.usage.overlap import canonical
from breakeven.workload.spend import price_keys, priced

if TYPE_CHECKING:
    from ibis import Table

Expression = Any
"""An Ibis column; Ibis's own types lose track of arithmetic between columns."""
TIERS: Final = ("flex", "priority")
_TOKENS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
_KEY: Final = ("price_provider", "price_model", "price_tier", "price_batch")


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
class BilledUse:
    """The Calls of a window as a bill would list them."""

    rows: tuple[UseRow, ...]
    readings: Readings
    hourly_usd: tuple[tuple[datetime, float], ...]
    """Spend by hour, hours without any left out."""

    @property
    def spend_usd(self) -> float:
        """Of all priced calls."""
        return sum(each.spend_usd for each in self.rows)


def billed_use(calls: Table, catalog: Catalog, contract: Sequence[ContractPrice] = ()) -> BilledUse:
    """Price `calls` of a window, each at its own day, and under the other readings; no rows where there are none."""
    span = calls.aggregate(first=calls.start_time.min(), last=calls.start_time.max()).to_pyarrow().to_pylist()[0]
    if span["first"] is None:
        return BilledUse((), Readings(), ())
    keys = price_keys(calls)
    book = _PriceBook(span["first"], span["last"], tuple(contract), catalog)
    rows = price_table(keys, book.first, book.last, contract, catalog)
    thresholds = sorted({each.input_tokens_from for each in rows} | {0})
    table = priced(calls, rows)
    cells = [_cell(row, thresholds) for row in _by_hour(table, thresholds).to_pyarrow().to_pylist()]
    hourly: dict[datetime, float] = defaultdict(float)
    for each in cells:
        hourly[each.hour] += each.spend_usd
    return BilledUse(_use_rows(cells), _readings(cells, book), tuple(sorted(hourly.items())))


@dataclass(frozen=True, slots=True)
class _Cell:
    """Calls of one hour, price key and size class: all have the same prices."""

    hour: datetime
    key: PriceKey
    size_tokens: int
    """The smallest input of the size class."""
    requests_count: float
    input_tokens: float
    cache_read_tokens: float
    cache_write_tokens: float
    cache_write_1h_tokens: float
    output_tokens: float
    spend_usd: float
    unpriced_tokens: float
    failed_usd: float
    retried_usd: float

    def usd_at(self, row: TokenPriceRow | None) -> float | None:
        """What the calls cost at the prices of `row`; None where that cannot be said."""
        if row is None:
            return None
        return usage_usd(
            row,
            self.input_tokens,  # type: ignore[arg-type]  # weighted sums need not be whole
            self.output_tokens,  # type: ignore[arg-type]
            self.cache_read_tokens,  # type: ignore[arg-type]
            self.cache_write_tokens,  # type: ignore[arg-type]
            self.cache_write_1h_tokens,  # type: ignore[arg-type]
        )


class _PriceBook:
    """Price rows by key, looked up once."""

    def __init__(self, first: datetime, last: datetime, contract: tuple[ContractPrice, ...], catalog: Catalog) -> None:
        self.first, self.last = first, last
        self._rows = cache(lambda key: price_table([key], first, last, contract, catalog))

    def row(self, key: PriceKey, time: datetime, size_tokens: int) -> TokenPriceRow | None:
        """The prices of `key` in the hour that begins at `time`, for calls of a size."""
        time = max(time, self.first)
        for each in self._rows(key):
            in_time = (each.since is None or each.since <= time) and (each.until is None or time < each.until)
            until = each.input_tokens_until
            if in_time and each.input_tokens_from <= size_tokens and (until is None or size_tokens < until):
                return each
        return None


def _by_hour(table: Table, thresholds: Sequence[int]) -> Table:
    import ibis

    weight: Expression = ibis.coalesce(table.weight, 1.0)
    counted: Expression = ibis.coalesce(table.request_count, ibis.ifelse(table.grain == "request", 1, 0))
    tokens: Expression = (ibis.coalesce(table.input_tokens, 0) + ibis.coalesce(table.output_tokens, 0)) * weight
    size: Expression = ibis.ifelse(table.grain == "request", ibis.coalesce(table.input_tokens, 0), 0)
    size_class: Expression = ibis.literal(0)
    for threshold in thresholds[1:]:
        size_class = size_class + ibis.ifelse(size >= threshold, 1, 0)
    return table.group_by(*_KEY, hour=table.start_time.truncate("h"), size_class=size_class).aggregate(
        requests=(counted * weight).sum(),
        usd=_dollars(table),
        unpriced=tokens.sum(where=table.spend_usd.isnull()),
        failed=_dollars(table, table.status.isin(["error", "cancelled"])),
        retried=_dollars(table, table.retry_of.notnull()),
        **{name: (ibis.coalesce(table[name], 0) * weight).sum() for name in _TOKENS},
    )


def _cell(row: dict[str, Any], thresholds: Sequence[int]) -> _Cell:
    key = PriceKey(
        row["price_provider"] or None, row["price_model"] or None, row["price_tier"] or None, row["price_batch"]
    )
    return _Cell(
        row["hour"].replace(tzinfo=UTC),
        key,
        thresholds[row["size_class"]],
        row["requests"] or 0.0,
        *(row[name] or 0.0 for name in (*_TOKENS, "usd", "unpriced", "failed", "retried")),
    )


def _use_rows(cells: Sequence[_Cell]) -> tuple[UseRow, ...]:
    """By day and model, the names of one model added up."""
    groups: dict[tuple[date, str, str], list[_Cell]] = defaultdict(list)
    for each in sorted(cells, key=lambda cell: (cell.hour, str(cell.key), cell.size_tokens)):
        groups[each.hour.date(), *canonical(each.key.provider or "", each.key.model or "")].append(each)
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


def _readings(cells: Sequence[_Cell], book: _PriceBook) -> Readings:
    spend = sum(each.spend_usd for each in cells)
    cached = any(each.cache_read_tokens or each.cache_write_tokens for each in cells)
    batched = any(each.key.is_batch for each in cells)

    def moved(
        price: Callable[[TokenPriceRow], TokenPriceRow] = lambda row: row,
        count: Callable[[_Cell], _Cell] = lambda cell: cell,
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
    cells: Sequence[_Cell],
    book: _PriceBook,
    price: Callable[[TokenPriceRow], TokenPriceRow],
    count: Callable[[_Cell], _Cell],
    key: Callable[[PriceKey], PriceKey],
) -> Iterator[float]:
    """For each cell, what it costs under a reading minus what it costs; nothing where one of them is unknown."""
    for each in cells:
        row = book.row(each.key, each.hour, each.size_tokens)
        other = book.row(key(each.key), each.hour, each.size_tokens)
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


def _on_top(cell: _Cell) -> _Cell:
    return replace(cell, input_tokens=cell.input_tokens + cell.cache_read_tokens + cell.cache_write_tokens)


def _without_cached(cell: _Cell) -> _Cell:
    rest = cell.input_tokens - cell.cache_read_tokens - cell.cache_write_tokens
    return replace(cell, input_tokens=rest, cache_read_tokens=0, cache_write_tokens=0, cache_write_1h_tokens=0)


def _dollars(table: Table, where: Expression = None) -> Expression:
    """Spend of the priced calls, added up in whole picodollars so that the order of rows cannot matter."""
    spend: Expression = table.spend_usd
    return spend.cast("decimal(38, 12)").sum(where=where).cast("float64")
