"""Prices of calls: inclusive counts, caches, requests, and what is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.metering.pricing import assumptions, cost_usd
from breakeven.gateway.upstream import TokenPrice

WHOLE = TokenPrice(2.0, 8.0, 0.2, 2.5, usd_per_request=0.01)


def test_cached_tokens_are_taken_out_of_the_input() -> None:
    tokens = TokenCounts(1_000_000, 500_000, 300_000, 100_000, reasoning_tokens=400_000)
    assert cost_usd(WHOLE, tokens) == pytest.approx(0.6 * 2.0 + 0.3 * 0.2 + 0.1 * 2.5 + 0.5 * 8.0 + 0.01)


def test_a_cache_price_nobody_knows_is_the_input_price_and_said_so() -> None:
    price = TokenPrice(2.0, 8.0)
    assert cost_usd(price, TokenCounts(1_000_000, 0, 600_000, 400_000)) == pytest.approx(2.0)
    assert assumptions(price) == ("cache reads cost what other input costs", "cache writes cost what other input costs")
    assert assumptions(WHOLE) == ()


@pytest.mark.parametrize(
    ("price", "tokens"),
    [
        (None, TokenCounts(1, 1)),
        (WHOLE, None),
        (TokenPrice(None, None), TokenCounts(0, 0)),
        (TokenPrice(None, None), TokenCounts(5, 5)),
        (TokenPrice(None, 8.0), TokenCounts(5, 5)),
        (TokenPrice(2.0, None), TokenCounts(5, 5)),
        (TokenPrice(None, 8.0), TokenCounts(5, 5, cache_read_tokens=5)),
        (TokenPrice(float("inf"), 1.0), TokenCounts(5, 0)),
    ],
)
def test_unknown_is_never_zero(price: TokenPrice | None, tokens: TokenCounts | None) -> None:
    assert cost_usd(price, tokens) is None


def test_what_is_not_there_needs_no_price() -> None:
    assert cost_usd(TokenPrice(0.02, None), TokenCounts(1_000, 0)) == pytest.approx(0.00002)
    assert cost_usd(TokenPrice(0.0, 0.0), TokenCounts(5, 5)) == 0.0


def test_a_price_per_request_alone_is_the_whole_price() -> None:
    price = TokenPrice(None, None, usd_per_request=0.001)
    for tokens in (TokenCounts(0, 0), TokenCounts(9, 5), TokenCounts(9, 5, 3, 2)):
        assert cost_usd(price, tokens) == 0.001
    assert assumptions(price) == ()


@given(st.tuples(*[st.integers(0, 10**7)] * 4), st.tuples(*[st.integers(0, 10**5)] * 4))
def test_the_cost_is_that_of_exact_decimals(counts: tuple[int, ...], thousandths: tuple[int, ...]) -> None:
    fresh, output, read, write = counts
    price = TokenPrice(*(each / 1_000 for each in thousandths))
    exact = sum(count * Decimal(each) for count, each in zip(counts, thousandths, strict=True)) / 10**9
    found = cost_usd(price, TokenCounts(fresh + read + write, output, read, write))
    assert found == pytest.approx(float(exact), rel=1e-12, abs=1e-15)
