"""Price cells: calls added up as far as they have the same prices: by short stretch of time, price key and size class.

Prices change at the edges of windows (a day, or an hour of the day) and with the size of a call's input. A stretch is
the longest that no edge cuts, so sums of a cell times its prices are exactly what its calls cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from math import gcd
from typing import TYPE_CHECKING, Any, Final

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import PriceKey, TokenPriceRow, price_table, usage_usd
from breakeven.workload.hourly import AUDIO_SUMS, TOKEN_SUMS
from breakeven.workload.spend import PRICE_KEYS, has_audio, is_free, price_keys, priced, uncached_audio

if TYPE_CHECKING:
    from ibis import Table

Expression = Any
"""An Ibis column; Ibis's own types lose track of arithmetic between columns."""
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class PriceCells:
    """All cells of a log, and the prices that they have."""

    cells: tuple[PriceCell, ...]
    book: PriceBook


def price_cells(calls: Table, catalog: Catalog, contract: Sequence[ContractPrice] = ()) -> PriceCells:
    """The cells of `calls`, in order; none where there are no calls."""
    span = calls.aggregate(first=calls.start_time.min(), last=calls.start_time.max()).to_pyarrow().to_pylist()[0]
    if span["first"] is None:
        never = datetime.fromtimestamp(0, UTC)
        return PriceCells((), PriceBook(never, never, tuple(contract), catalog))
    book = PriceBook(span["first"], span["last"], tuple(contract), catalog)
    rows = price_table(price_keys(calls), book.first, book.last, contract, catalog)
    thresholds = sorted({each.input_tokens_from for each in rows} | {0})
    stretch_s = _stretch_s(rows)
    summed = _summed(priced(calls, rows), thresholds, stretch_s).to_pyarrow().to_pylist()
    cells = [_cell(row, thresholds, stretch_s) for row in summed]
    return PriceCells(tuple(sorted(cells, key=_order)), book)


@dataclass(frozen=True, slots=True)
class PriceCell:
    """Calls that have the same prices."""

    time: datetime
    """When the stretch begins."""
    key: PriceKey
    size_tokens: int
    """The smallest input of the size class."""
    requests_count: float
    input_tokens: float
    cache_read_tokens: float
    cache_write_tokens: float
    cache_write_1h_tokens: float
    output_tokens: float
    reasoning_tokens: float
    spend_usd: float
    unpriced_tokens: float
    failed_usd: float
    retried_usd: float
    is_free: bool
    """The caller's own cache answered: the provider billed nothing."""
    has_audio_input: bool
    has_audio_output: bool
    audio_input_tokens: float
    """Audio that was not cached."""
    audio_output_tokens: float

    def usd_at(self, row: TokenPriceRow | None) -> float | None:
        """What the calls cost at the prices of `row`; None where that cannot be said."""
        if self.is_free:
            return 0.0
        if row is None or (self.has_audio_input and row.audio_input_usd_per_mtok is None):
            return None
        return usage_usd(
            row,
            self.input_tokens,  # type: ignore[arg-type]  # weighted sums need not be whole
            self.output_tokens,  # type: ignore[arg-type]
            self.cache_read_tokens,  # type: ignore[arg-type]
            self.cache_write_tokens,  # type: ignore[arg-type]
            self.cache_write_1h_tokens,  # type: ignore[arg-type]
            self.audio_input_tokens,  # type: ignore[arg-type]
            self.audio_output_tokens,  # type: ignore[arg-type]
        )


class PriceBook:
    """Price rows by key, looked up once."""

    def __init__(self, first: datetime, last: datetime, contract: tuple[ContractPrice, ...], catalog: Catalog) -> None:
        self.first, self.last = first, last
        self._rows = cache(lambda key: price_table([key], first, last, contract, catalog))

    def row(self, key: PriceKey, time: datetime, size_tokens: int) -> TokenPriceRow | None:
        """The prices of `key` in the stretch that begins at `time`, for calls of a size."""
        time = max(time, self.first)
        for each in self._rows(key):
            in_time = (each.since is None or each.since <= time) and (each.until is None or time < each.until)
            until = each.input_tokens_until
            if in_time and each.input_tokens_from <= size_tokens and (until is None or size_tokens < until):
                return each
        return None


def _order(cell: PriceCell) -> tuple[object, ...]:
    kind = (cell.is_free, cell.has_audio_input, cell.has_audio_output)
    return (cell.time, str(cell.key), cell.size_tokens, *kind)


def _stretch_s(rows: Iterable[TokenPriceRow]) -> int:
    """The longest stretch of at most an hour that no edge of a price window cuts."""
    stretch_s = _HOUR_S
    for edge in (time for row in rows for time in (row.since, row.until) if time is not None):
        stretch_s = gcd(stretch_s, edge.minute * 60 + edge.second)
    return stretch_s


def _summed(table: Table, thresholds: Sequence[int], stretch_s: int) -> Table:
    import ibis

    weight: Expression = ibis.coalesce(table.weight, 1.0)
    counted: Expression = ibis.coalesce(table.request_count, ibis.ifelse(table.grain == "request", 1, 0))
    tokens: Expression = (ibis.coalesce(table.input_tokens, 0) + ibis.coalesce(table.output_tokens, 0)) * weight
    size: Expression = ibis.ifelse(table.grain == "request", ibis.coalesce(table.input_tokens, 0), 0)
    size_class: Expression = ibis.literal(0)
    for threshold in thresholds[1:]:
        size_class = size_class + ibis.ifelse(size >= threshold, 1, 0)
    seconds: Expression = table.start_time.epoch_seconds()
    hears, speaks = has_audio(table)
    apart = {"stretch": seconds // stretch_s, "size_class": size_class, "is_free": is_free(table)}
    return table.group_by(*PRICE_KEYS, **apart, hears=hears, speaks=speaks).aggregate(
        requests=(counted * weight).sum(),
        usd=_dollars(table),
        unpriced=tokens.sum(where=table.spend_usd.isnull()),
        failed=_dollars(table, table.status.isin(["error", "cancelled"])),
        retried=_dollars(table, table.retry_of.notnull()),
        **{name: (ibis.coalesce(table[name], 0) * weight).sum() for name in TOKEN_SUMS},
        audio_input_tokens=(uncached_audio(table) * weight).sum(),
        audio_output_tokens=(ibis.coalesce(table.audio_output_tokens, 0) * weight).sum(),
    )


def _cell(row: dict[str, Any], thresholds: Sequence[int], stretch_s: int) -> PriceCell:
    names = (row["price_provider"] or None, row["price_model"] or None, row["price_tier"] or None)
    return PriceCell(
        datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(row["stretch"]) * stretch_s),
        PriceKey(*names, row["price_batch"]),
        thresholds[row["size_class"]],
        requests_count=row["requests"] or 0.0,
        **{name: row[name] or 0.0 for name in (*TOKEN_SUMS, *AUDIO_SUMS)},
        spend_usd=row["usd"] or 0.0,
        unpriced_tokens=row["unpriced"] or 0.0,
        failed_usd=row["failed"] or 0.0,
        retried_usd=row["retried"] or 0.0,
        is_free=row["is_free"],
        has_audio_input=row["hears"],
        has_audio_output=row["speaks"],
    )


def _dollars(table: Table, where: Expression = None) -> Expression:
    """Spend of the priced calls, added up in whole picodollars so that the order of rows cannot matter."""
    spend: Expression = table.spend_usd
    return spend.cast("decimal(38, 12)").sum(where=where).cast("float64")
