"""Token bill: what a provider charges for tokens, cached or not. Two conventions are in use for cached input.

OpenAI's `prompt_tokens` include the cached ones; Anthropic's `input_tokens` exclude reads and writes, which makes them
`uncached_input_tokens` here. `input_tokens` alone means that nothing is cached.
"""

from __future__ import annotations

from breakeven.claims.sums import Addend, Sum
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import TOKENS_PER_MTOK

ONE_PERIOD = True


@formula
def uncached_input_tokens(prompt_tokens: Draws, cache_read_tokens: Draws) -> Draws:
    """Input billed at the full price where the prompt includes what was read from the cache (OpenAI).

    >>> float(uncached_input_tokens(9126.0, 4864.0))
    4262.0
    """
    return prompt_tokens - cache_read_tokens


@formula
def uncached_share_tokens(prompt_tokens: Draws, cached_input_fraction: Draws) -> Draws:
    """Input billed at the full price, from the share that is cached.

    >>> float(uncached_share_tokens(1000.0, 0.25))
    750.0
    """
    return prompt_tokens * (1 - cached_input_fraction)


@formula
def nothing_cached_tokens(input_tokens: Draws) -> Draws:
    """All input, where nothing is cached.

    >>> float(nothing_cached_tokens(500.0))
    500.0
    """
    return input_tokens


@formula
def cache_read_tokens(prompt_tokens: Draws, cached_input_fraction: Draws) -> Draws:
    """Input read from the cache, from its share.

    >>> float(cache_read_tokens(1000.0, 0.25))
    250.0
    """
    return prompt_tokens * cached_input_fraction


@formula
def uncached_input_bill_usd(uncached_input_tokens: Draws, input_usd_per_mtok: Draws) -> Draws:
    """Input at the full price.

    >>> uncached_input_bill_usd(2e6, 3.0)
    6.0
    """
    return uncached_input_tokens * input_usd_per_mtok / TOKENS_PER_MTOK


@formula
def cache_read_bill_usd(cache_read_tokens: Draws, cache_read_usd_per_mtok: Draws) -> Draws:
    """Input read from the cache.

    >>> cache_read_bill_usd(2e6, 0.5)
    1.0
    """
    return cache_read_tokens * cache_read_usd_per_mtok / TOKENS_PER_MTOK


@formula
def cache_write_bill_usd(cache_write_tokens: Draws, cache_write_usd_per_mtok: Draws) -> Draws:
    """Input written to the cache.

    >>> cache_write_bill_usd(2e6, 4.0)
    8.0
    """
    return cache_write_tokens * cache_write_usd_per_mtok / TOKENS_PER_MTOK


@formula
def output_bill_usd(output_tokens: Draws, output_usd_per_mtok: Draws) -> Draws:
    """Output.

    >>> output_bill_usd(2e6, 15.0)
    30.0
    """
    return output_tokens * output_usd_per_mtok / TOKENS_PER_MTOK


@formula
def batched_api_usd(api_usd: Draws, batch_fraction: Draws, batch_discount_fraction: Draws) -> Draws:
    """The bill when a share of it goes through a batch interface at a discount.

    >>> batched_api_usd(100.0, 0.5, 0.5)
    75.0
    """
    return api_usd * (1 - batch_fraction * batch_discount_fraction)


@formula
def all_input_tokens(input_tokens: Draws) -> Draws:
    """All input, where the claim says nothing of a cache.

    >>> all_input_tokens(500.0)
    500.0
    """
    return input_tokens


LAST_RESORT = ("nothing_cached_tokens",)
WAYS = {"prompt_tokens": (all_input_tokens,), "uncached_input_tokens": (uncached_share_tokens, nothing_cached_tokens)}
SUMS = (
    Sum(
        "api_usd",
        "The token bill: each kind of token at its own price.",
        (
            Addend("uncached_input_bill_usd", "uncached_input_tokens"),
            Addend("cache_read_bill_usd", "cache_read_tokens"),
            Addend("cache_write_bill_usd", "cache_write_tokens"),
            Addend("output_bill_usd", "output_tokens"),
            Addend("request_fee_usd"),
        ),
    ),
    Sum(
        "prompt_tokens",
        "All input, cached or not.",
        (Addend("uncached_input_tokens"), Addend("cache_read_tokens"), Addend("cache_write_tokens")),
    ),
)
