"""Token charges: what each kind of token of each model cost on each day, as a bill would list it.

Kinds do not overlap: cached input and audio are not in `input`, reasoning and audio not in `output`, so quantities add
up to all tokens and amounts to the whole spend. A charge without a price has no amount; it is never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import PriceKey, TokenPriceRow
from breakeven.units import TOKENS_PER_MTOK
from breakeven.usage.overlap import canonical
from breakeven.workload.price_cells import PriceBook, PriceCell, price_cells

if TYPE_CHECKING:
    from ibis import Table

FREE: Final = "answered from the caller's own cache: the provider bills nothing"
METERS: Final = (
    "input",
    "cache read",
    "cache write",
    "cache write 1h",
    "output",
    "reasoning",
    "audio input",
    "audio output",
)


@dataclass(frozen=True, slots=True, order=True)
class ChargeKey:
    """What tells charges apart."""

    day: date
    provider: str
    model: str
    """By the price list's name, as far as it knows it."""
    logged_model: str
    service_tier: str
    is_batch: bool
    meter: str
    list_usd_per_mtok: float | None
    """None: no price is known."""
    paid_usd_per_mtok: float | None
    """By the contract where there is one, else the list's."""
    reason: str
    """Why there is no price, or what was assumed."""
    source: str


@dataclass(frozen=True, slots=True)
class TokenCharge:
    """Tokens of one kind at one price on one UTC day."""

    key: ChargeKey
    consumed_tokens: float
    """Whole, unless calls were sampled."""

    @property
    def list_usd(self) -> float | None:
        """At list prices; None without a price."""
        return _usd(self.consumed_tokens, self.key.list_usd_per_mtok)

    @property
    def paid_usd(self) -> float | None:
        """At the prices that are paid; None without a price."""
        return _usd(self.consumed_tokens, self.key.paid_usd_per_mtok)


def token_charges(calls: Table, catalog: Catalog, contract: Sequence[ContractPrice] = ()) -> tuple[TokenCharge, ...]:
    """The charges of all `calls`, by day, model and kind."""
    found = price_cells(calls, catalog, contract)
    listed = PriceBook(found.book.first, found.book.last, (), catalog) if contract else found.book
    sums: dict[ChargeKey, float] = {}
    for cell in found.cells:
        for key, tokens in _parts(cell, found.book, listed):
            sums[key] = sums.get(key, 0.0) + tokens
    return tuple(TokenCharge(key, tokens) for key, tokens in sorted(sums.items(), key=lambda each: _order(each[0])))


def _parts(cell: PriceCell, paid: PriceBook, listed: PriceBook) -> Iterator[tuple[ChargeKey, float]]:
    """The kinds of token that the calls of a cell used."""
    paid_row = paid.row(cell.key, cell.time, cell.size_tokens)
    list_row = listed.row(cell.key, cell.time, cell.size_tokens)
    reads, writes, hour_writes = cell.cache_read_tokens, cell.cache_write_tokens, cell.cache_write_1h_tokens
    heard, spoken = cell.audio_input_tokens, cell.audio_output_tokens
    reasoning = min(cell.reasoning_tokens, cell.output_tokens - spoken)
    counts = (
        cell.input_tokens - reads - writes - heard,
        reads,
        writes - hour_writes,
        hour_writes,
        cell.output_tokens - spoken - reasoning,
        reasoning,
        heard,
        spoken,
    )
    for meter, tokens, list_usd, paid_usd in zip(METERS, counts, _unit_usd(list_row), _unit_usd(paid_row), strict=True):
        if not tokens:
            continue
        key = _key(cell.key, cell.time.date(), meter, list_usd, paid_usd, paid_row)
        if cell.is_free:
            key = replace(key, list_usd_per_mtok=0.0, paid_usd_per_mtok=0.0, reason=FREE, source="")
        yield key, tokens


def _key(
    key: PriceKey, day: date, meter: str, list_usd: float | None, paid_usd: float | None, row: TokenPriceRow | None
) -> ChargeKey:
    provider, model = canonical(key.provider or "", key.model or "")
    if row is None:
        reason, source = "no model named" if not key.model else "no price for this time", ""
    else:
        no_price = f"no price of {meter} tokens"
        reason = row.reason if paid_usd is not None or row.status == "unpriced" else no_price
        source = row.source.title
    return ChargeKey(
        day,
        provider,
        model,
        key.model or "",
        key.service_tier or "",
        key.is_batch,
        meter,
        list_usd,
        paid_usd,
        reason,
        source,
    )


def _unit_usd(row: TokenPriceRow | None) -> tuple[float | None, ...]:
    """The price of each meter."""
    if row is None or row.input_usd_per_mtok is None:
        return (None,) * len(METERS)
    return (
        row.input_usd_per_mtok,
        row.cache_read_usd_per_mtok,
        row.cache_write_usd_per_mtok,
        row.cache_write_1h_usd_per_mtok,
        row.output_usd_per_mtok,
        row.output_usd_per_mtok,
        row.audio_input_usd_per_mtok,
        row.audio_output_usd_per_mtok,
    )


def _usd(tokens: float, usd_per_mtok: float | None) -> float | None:
    return None if usd_per_mtok is None else tokens * usd_per_mtok / TOKENS_PER_MTOK


def _order(key: ChargeKey) -> tuple[object, ...]:
    first = (key.day, key.provider, key.model, key.logged_model, key.service_tier, key.is_batch)
    prices = tuple(-1.0 if each is None else each for each in (key.list_usd_per_mtok, key.paid_usd_per_mtok))
    return (*first, METERS.index(key.meter), prices, key.reason, key.source)
