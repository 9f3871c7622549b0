"""Billed use: what the Calls cost by day and model at list prices, and what they would under another reading of a bill.

A reading changes the price table or the token counts and nothing else, so each is priced call by call exactly as the
figure it is compared with: tiers, dates and weights stay right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import PriceKey, TokenPriceRow, price_table
from breakeven.usage.overlap import canonical
from breakeven.workload.spend import price_keys, priced

if TYPE_CHECKING:
    from ibis import Table

Expression = Any
"""An Ibis column; Ibis's own types lose track of arithmetic between columns."""
TIERS: Final = ("flex", "priority")
_TOKENS: Final = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


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
    book = _Prices(price_keys(calls), span["first"], span["last"], tuple(contract), catalog)
    table = priced(calls, book.rows())
    rows = tuple(sorted(map(_use_row, _by_day(table)), key=lambda each: (each.day, each.provider, each.model)))
    hourly = table.group_by(hour=table.start_time.truncate("h")).aggregate(usd=_dollars(table))
    hours = tuple(sorted((row["hour"], row["usd"] or 0.0) for row in hourly.to_pyarrow().to_pylist()))
    return BilledUse(_joined(rows), _readings(calls, table, book, rows), hours)


@dataclass(frozen=True, slots=True)
class _Prices:
    """The price table of the log, and altered ones."""

    keys: list[PriceKey]
    first: datetime
    last: datetime
    contract: tuple[ContractPrice, ...]
    catalog: Catalog

    def rows(self, key: Callable[[PriceKey], PriceKey] = lambda each: each) -> list[TokenPriceRow]:
        """Prices of each key's calls as if they had the key that `key` gives."""
        return [
            replace(row, service_tier=own.service_tier, is_batch=own.is_batch)
            for own in self.keys
            for row in price_table([key(own)], self.first, self.last, self.contract, self.catalog)
        ]


def _readings(calls: Table, table: Table, book: _Prices, rows: Sequence[UseRow]) -> Readings:
    cached = sum(each.cache_read_tokens + each.cache_write_tokens for each in rows) > 0
    batched = any(each.is_batch for each in book.keys)
    is_failed = table.status.isin(["error", "cancelled"])
    is_retry = table.retry_of.notnull()
    parts = table.aggregate(failed=_dollars(table, is_failed), retried=_dollars(table, is_retry))
    part = parts.to_pyarrow().to_pylist()[0]
    return Readings(
        cached_as_input_usd=_total(calls, _uncached(book.rows())) if cached else None,
        cached_beside_input_usd=_total(_on_top(calls), book.rows()) if cached else None,
        cached_left_out_usd=_total(_without_cached(calls), book.rows()) if cached else None,
        all_cached_usd=None if cached else _total(calls, _as_cached(book.rows())),
        all_batch_usd=_total(calls, book.rows(lambda each: replace(each, is_batch=True))),
        no_batch_usd=_total(calls, book.rows(lambda each: replace(each, is_batch=False))) if batched else None,
        tiers_usd=tuple((tier, _total(calls, book.rows(_in_tier(tier)))) for tier in TIERS),
        failed_usd=part["failed"] or 0.0,
        retried_usd=part["retried"] or 0.0,
    )


def _in_tier(tier: str) -> Callable[[PriceKey], PriceKey]:
    return lambda each: replace(each, service_tier=tier)


def _uncached(rows: Sequence[TokenPriceRow]) -> list[TokenPriceRow]:
    """Every kind of input at the price of input."""
    return [
        replace(
            row,
            cache_read_usd_per_mtok=row.input_usd_per_mtok,
            cache_write_usd_per_mtok=row.input_usd_per_mtok,
            cache_write_1h_usd_per_mtok=row.input_usd_per_mtok,
        )
        for row in rows
    ]


def _as_cached(rows: Sequence[TokenPriceRow]) -> list[TokenPriceRow]:
    """Input at the price of cache reads."""
    return [replace(row, input_usd_per_mtok=row.cache_read_usd_per_mtok) for row in rows]


def _on_top(calls: Table) -> Table:
    cached: Expression = calls.cache_read_tokens.coalesce(0) + calls.cache_write_tokens.coalesce(0)
    return calls.mutate(input_tokens=calls.input_tokens.coalesce(0) + cached)


def _without_cached(calls: Table) -> Table:
    cached: Expression = calls.cache_read_tokens.coalesce(0) + calls.cache_write_tokens.coalesce(0)
    return calls.mutate(
        input_tokens=calls.input_tokens.coalesce(0) - cached,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cache_write_1h_tokens=0,
    )


def _total(calls: Table, rows: Sequence[TokenPriceRow]) -> float:
    table = priced(calls, rows)
    found: float | None = table.aggregate(usd=_dollars(table)).to_pyarrow().to_pylist()[0]["usd"]
    return found or 0.0


def _by_day(table: Table) -> list[dict[str, Any]]:
    import ibis

    weight: Expression = ibis.coalesce(table.weight, 1.0)
    counted: Expression = ibis.coalesce(table.request_count, ibis.ifelse(table.grain == "request", 1, 0))
    tokens: Expression = (ibis.coalesce(table.input_tokens, 0) + ibis.coalesce(table.output_tokens, 0)) * weight
    grouped = table.group_by(
        "price_provider", "price_model", day=table.start_time.truncate("D").cast("date")
    ).aggregate(
        requests=(counted * weight).sum(),
        unpriced=tokens.sum(where=table.spend_usd.isnull()),
        usd=_dollars(table),
        **{name: (ibis.coalesce(table[name], 0) * weight).sum() for name in _TOKENS},
    )
    rows: list[dict[str, Any]] = grouped.to_pyarrow().to_pylist()
    return rows


def _use_row(row: dict[str, Any]) -> UseRow:
    return UseRow(
        row["day"],
        *canonical(row["price_provider"], row["price_model"]),
        round(row["requests"] or 0),
        round(row["input_tokens"]),
        round(row["cache_read_tokens"]),
        round(row["cache_write_tokens"]),
        round(row["output_tokens"]),
        row["usd"] or 0.0,
        round(row["unpriced"] or 0),
    )


def _joined(rows: Sequence[UseRow]) -> tuple[UseRow, ...]:
    """Names of one model added up."""
    found: dict[tuple[date, str, str], UseRow] = {}
    for each in rows:
        key = (each.day, each.provider, each.model)
        before = found.get(key)
        found[key] = each if before is None else _sum(before, each)
    return tuple(found.values())


def _sum(one: UseRow, other: UseRow) -> UseRow:
    added = {
        name: getattr(one, name) + getattr(other, name)
        for name in ("requests_count", *_TOKENS, "spend_usd", "unpriced_tokens")
    }
    return replace(one, **added)


def _dollars(table: Table, where: Expression = None) -> Expression:
    """Spend of the priced calls, added up in whole picodollars so that the order of rows cannot matter."""
    spend: Expression = table.spend_usd
    return spend.cast("decimal(38, 12)").sum(where=where).cast("float64")
