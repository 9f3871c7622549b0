"""Spend: what Calls cost, by joining them with a small table of prices; an unknown price is null, never 0.

Each distinct (provider, model, tier, batch) is resolved once; the join is on that key, the time of the call and the
size of its input (price tiers).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from breakeven.catalog.token_prices import PriceKey, TokenPriceRow
from breakeven.units import TOKENS_PER_MTOK

if TYPE_CHECKING:
    from ibis import Table

Expression = Any
"""An Ibis column; Ibis's own types lose track of arithmetic between columns."""
FREE_STATUS: Final = "cache_hit"
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_LARGEST: Final = 2**62
PRICE_KEYS: Final = ("price_provider", "price_model", "price_tier", "price_batch")
"""What a price is looked up by."""
PRICE_NAMES: Final = (
    "input_usd_per_mtok",
    "cache_read_usd_per_mtok",
    "cache_write_usd_per_mtok",
    "cache_write_1h_usd_per_mtok",
    "output_usd_per_mtok",
    "audio_input_usd_per_mtok",
    "audio_output_usd_per_mtok",
)
"""The prices of a row, by the kind of token they are of."""


def with_keys(calls: Table) -> Table:
    """`calls` with the columns that prices are looked up by; a missing provider, model or tier is an empty text."""
    import ibis

    empty = ibis.literal("")
    model = ibis.coalesce(calls.model_key, calls.response_model, calls.request_model, empty)
    return calls.mutate(
        price_provider=ibis.coalesce(calls.provider, empty),
        price_model=model,
        price_tier=ibis.coalesce(calls.service_tier, empty),
        price_batch=ibis.coalesce(calls.is_batch, ibis.literal(False)),
    )


def price_keys(calls: Table) -> list[PriceKey]:
    """The distinct keys of `calls` that name a model."""
    keys = with_keys(calls).select(*PRICE_KEYS).distinct().order_by(*PRICE_KEYS).to_pyarrow().to_pylist()
    return [
        PriceKey(row["price_provider"] or None, row["price_model"], row["price_tier"] or None, row["price_batch"])
        for row in keys
        if row["price_model"]
    ]


def uncached_audio(calls: Table) -> Expression:
    """Audio input of each call that was not read from a cache, as far as its counts allow; the rest is cached input."""
    import ibis

    cached = _tokens(calls.cache_read_tokens) + _tokens(calls.cache_write_tokens)
    return ibis.least(_tokens(calls.audio_input_tokens), _tokens(calls.input_tokens) - cached)


def has_audio(calls: Table) -> tuple[Expression, Expression]:
    """Whether a call heard audio, and whether it spoke: such a call has a cost only where audio has a price."""
    return _tokens(calls.audio_input_tokens) > 0, _tokens(calls.audio_output_tokens) > 0


def is_free(calls: Table) -> Expression:
    """Whether the caller's own cache answered, so that the provider never saw the call and billed nothing."""
    return _status(calls) == FREE_STATUS


def _status(calls: Table) -> Expression:
    import ibis

    return ibis.coalesce(calls.status, ibis.literal(""))


def priced(calls: Table, rows: Sequence[TokenPriceRow]) -> Table:
    """`calls` with keys and `spend_usd`: each call at the price of its own key, time and input size, times its weight.

    Null where no price is known, or where the price list has no price for a kind of token that the call used; 0 where
    the caller's own cache answered. Rows must not overlap. A bucket of calls is priced at the smallest tier: the size
    of its calls is not known.
    """
    import ibis

    keyed = with_keys(calls)
    if not rows:
        return keyed.mutate(spend_usd=ibis.ifelse(is_free(keyed), 0.0, ibis.null("float64")))
    prices = _price_list(tuple(rows))
    size = ibis.ifelse(keyed.grain == "request", _tokens(keyed.input_tokens), 0)
    joined = keyed.mutate(price_size=size).left_join(
        prices,
        [
            *((keyed[key] == prices["of_" + key]) for key in PRICE_KEYS),
            keyed.start_time >= prices.since,
            keyed.start_time < prices.until,
            size >= prices.input_tokens_from,
            size < prices.input_tokens_until,
        ],
    )
    spend = ibis.ifelse(is_free(joined), 0.0, _usd(joined) * ibis.coalesce(joined.weight, 1.0))
    return joined.mutate(spend_usd=spend).drop(
        "price_size",
        "since",
        "until",
        "input_tokens_from",
        "input_tokens_until",
        *PRICE_NAMES,
        *("of_" + k for k in PRICE_KEYS),
    )


def _usd(joined: Table) -> Expression:
    """Cost of a call from its inclusive token counts; null when a price that it needs is null."""
    import ibis

    reads, writes = _tokens(joined.cache_read_tokens), _tokens(joined.cache_write_tokens)
    hour_writes, output = _tokens(joined.cache_write_1h_tokens), _tokens(joined.output_tokens)
    heard, spoken = uncached_audio(joined), _tokens(joined.audio_output_tokens)
    plain = _tokens(joined.input_tokens) - reads - writes - heard
    parts = (
        (plain, joined.input_usd_per_mtok),
        (reads, joined.cache_read_usd_per_mtok),
        (writes - hour_writes, joined.cache_write_usd_per_mtok),
        (hour_writes, joined.cache_write_1h_usd_per_mtok),
        (output - spoken, joined.output_usd_per_mtok),
        (heard, joined.audio_input_usd_per_mtok),
        (spoken, joined.audio_output_usd_per_mtok),
    )
    total: Expression = ibis.literal(0.0)
    for tokens, usd_per_mtok in parts:
        total = total + ibis.ifelse(tokens == 0, 0.0, tokens * usd_per_mtok)
    hears, _ = has_audio(joined)
    known = joined.input_usd_per_mtok.notnull() & (joined.audio_input_usd_per_mtok.notnull() | ~hears)
    return ibis.ifelse(known, total / TOKENS_PER_MTOK, ibis.null("float64"))


def _tokens(column: Expression) -> Expression:
    import ibis

    return ibis.coalesce(column, 0)


@lru_cache(maxsize=64)
def _price_list(rows: tuple[TokenPriceRow, ...]) -> Table:
    """The prices as a table, one and the same for the same prices: what is asked with it is then known again."""
    import ibis

    return ibis.memtable([_price_record(row) for row in rows], schema=_price_schema())


def _price_schema() -> dict[str, str]:
    return {
        "of_price_provider": "string",
        "of_price_model": "string",
        "of_price_tier": "string",
        "of_price_batch": "boolean",
        "since": "timestamp('UTC', 6)",
        "until": "timestamp('UTC', 6)",
        "input_tokens_from": "int64",
        "input_tokens_until": "int64",
        **dict.fromkeys(PRICE_NAMES, "float64"),
    }


def _price_record(row: TokenPriceRow) -> dict[str, object]:
    return {
        "of_price_provider": row.provider or "",
        "of_price_model": row.model,
        "of_price_tier": row.service_tier or "",
        "of_price_batch": row.is_batch,
        "since": row.since or _EARLIEST,
        "until": row.until or _LATEST,
        "input_tokens_from": row.input_tokens_from,
        "input_tokens_until": _LARGEST if row.input_tokens_until is None else row.input_tokens_until,
        **{name: getattr(row, name) if row.status == "priced" else None for name in PRICE_NAMES},
    }
