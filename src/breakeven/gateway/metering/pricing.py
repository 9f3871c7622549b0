"""Pricing: what a call costs at its target's price of the day; an unknown price is None, never 0.

    cost = (input - cache reads - cache writes) x input price + cache reads x their price + cache writes x theirs
           + output x output price + price per request

Counts are inclusive (`usage/call.py`), so cached tokens are taken out of the input first. Where a cache price is not
given, those tokens cost what other input costs: no discount is assumed, nor the usual surcharge on writes. A price per
request alone, with no price of tokens, is the whole price.
`assumptions` says so in words. Audio is priced as other tokens are: a target has no price of its own for it.
"""

from __future__ import annotations

from math import isfinite

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.upstream import TokenPrice
from breakeven.units import TOKENS_PER_MTOK


def cost_usd(price: TokenPrice | None, tokens: TokenCounts | None) -> float | None:
    """Cost of one call in USD; None where the price of a kind of token it has is not known, or its tokens are not.

    >>> price = TokenPrice(2.0, 8.0, cache_read_usd_per_mtok=0.5)
    >>> cost_usd(price, TokenCounts(input_tokens=1_000_000, output_tokens=250_000, cache_read_tokens=400_000))
    3.4
    >>> cost_usd(TokenPrice(None, 8.0), TokenCounts(input_tokens=10)) is None
    True
    """
    if price is None or tokens is None:
        return None
    input_price, output_price = price.input_usd_per_mtok, price.output_usd_per_mtok
    if input_price is None and output_price is None:
        return price.usd_per_request
    read, write, output = tokens.cache_read_tokens, tokens.cache_write_tokens, tokens.output_tokens
    fresh = tokens.input_tokens - read - write
    total = 0.0
    if fresh > 0:
        if input_price is None:
            return None
        total = fresh * input_price
    if output > 0:
        if output_price is None:
            return None
        total += output * output_price
    if read > 0 or write > 0:
        cached = _cached_usd_mtok(price, max(read, 0), max(write, 0))
        if cached is None:
            return None
        total += cached
    total /= TOKENS_PER_MTOK
    if price.usd_per_request is not None:
        total += price.usd_per_request
    return total if isfinite(total) else None


def _cached_usd_mtok(price: TokenPrice, read: int, write: int) -> float | None:
    """Cost of cached input, times a million."""
    total = 0.0
    for count, own in ((read, price.cache_read_usd_per_mtok), (write, price.cache_write_usd_per_mtok)):
        if count:
            each = price.input_usd_per_mtok if own is None else own
            if each is None:
                return None
            total += count * each
    return total


def assumptions(price: TokenPrice | None) -> tuple[str, ...]:
    """What is assumed where a price is not whole, for people to read.

    >>> assumptions(TokenPrice(2.0, 8.0, cache_read_usd_per_mtok=0.5))
    ('cache writes cost what other input costs',)
    """
    if price is None:
        return ("no price is known: calls are unpriced",)
    found = []
    if price.input_usd_per_mtok is None and price.output_usd_per_mtok is None and price.usd_per_request is None:
        return ("no price is known: calls are unpriced",)
    if price.input_usd_per_mtok is None and price.output_usd_per_mtok is None:
        return ()
    if price.input_usd_per_mtok is None:
        found.append("no price of input is known: calls with input are unpriced")
    else:
        if price.cache_read_usd_per_mtok is None:
            found.append("cache reads cost what other input costs")
        if price.cache_write_usd_per_mtok is None:
            found.append("cache writes cost what other input costs")
    if price.output_usd_per_mtok is None:
        found.append("no price of output is known: calls with output are unpriced")
    return tuple(found)
