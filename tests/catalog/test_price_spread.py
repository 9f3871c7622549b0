"""Price spread: lists that disagree by more than 5 % make a range; lists that are old or of another product do not."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.load import load_catalog
from breakeven.catalog.price_quote import DIMENSION, PriceQuote
from breakeven.catalog.price_spread import (
    COUNTED_DAYS,
    LARGEST_AGREEMENT_RATIO,
    PriceSpread,
    disagreements,
    price_spread,
    row_spread,
    spread_of,
)
from breakeven.catalog.token_prices import ContractPrice, PriceKey, offer_prices, price_table
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source

DAY = date(2026, 11, 23)
CATALOG = load_catalog(DAY)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOURCE = Source("list", "L", date(2026, 11, 1), Grade.QUOTED)
SOURCES = {
    "genai-prices 0.2.3": "genai-prices 0.2.3",
    "litellm 1.106.2": "LiteLLM 1.106.2",
    "tokencost 0.1.26": "tokencost 0.1.26",
    "simonw/llm-prices@723ef0b": "simonw/llm-prices@723ef0b",
}
LEFT_OUT = {"vertex gemini-2.5-flash"}
"""Rows of the comparison that are not carried: one list alone, of a model that another row has."""


def _spread(*prices: float) -> PriceSpread:
    quotes = tuple(PriceQuote(SOURCE, price, price) for price in prices)
    return PriceSpread("p/m", quotes, ())


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=6))
def test_the_range_is_the_span_of_the_lists_if_that_is_more_than_five_percent(prices: list[float]) -> None:
    spread = _spread(*prices)
    if max(prices) > LARGEST_AGREEMENT_RATIO * min(prices):
        low, high = spread.ratios["input_usd_per_mtok"]
        assert low * prices[0] == pytest.approx(min(prices))
        assert high * prices[0] == pytest.approx(max(prices))
        assert low <= 1 <= high
    else:
        assert not spread.disagrees


def test_five_percent_agrees_and_six_does_not() -> None:
    assert not _spread(1.00, 1.05).disagrees
    assert _spread(1.00, 1.06).disagrees


def test_a_list_without_a_cache_price_says_nothing_about_it() -> None:
    quotes = (PriceQuote(SOURCE, 1.0, 2.0, 0.1), PriceQuote(SOURCE, 1.0, 2.0), PriceQuote(SOURCE, 1.0, 2.0, 0.2))
    assert PriceSpread("p/m", quotes, ()).ratios == {"cache_read_usd_per_mtok": (1.0, 2.0)}


def test_a_price_becomes_a_range_on_the_shared_draw_and_another_stays() -> None:
    fact = Assumption("input_usd_per_mtok", "usd/mtok", 0.4, 0.4, 0.4, SOURCE)
    wide = _spread(0.8, 1.0, 0.6).widened(fact)
    assert (wide.low, wide.typical, wide.high) == pytest.approx((0.3, 0.4, 0.5))
    assert wide.dimension == DIMENSION
    assert "Price lists disagree: 0.8 (list); 1 (list); 0.6 (list)." in wide.note
    other = replace(fact, name="cache_write_usd_per_mtok")
    assert _spread(0.8, 1.0).widened(other) is other


def test_together_is_dearer_in_one_list() -> None:
    (row,) = offer_prices(CATALOG.token_offers["together-llama-3.3-70b"], CATALOG)
    spread = row_spread(row, CATALOG)
    assert spread is not None
    low, high = spread.ratios["output_usd_per_mtok"]
    assert (low * 0.88, high * 0.88) == pytest.approx((0.88, 1.04))
    assert [quote.source.title for quote in spread.others] == ["tokencost 0.1.26"]
    assert price_spread(CATALOG.token_offers["together-llama-3.3-70b"], CATALOG) == dict(spread.ratios)


def test_a_model_of_a_log_is_found_by_any_of_its_names() -> None:
    for provider, model in (("mistral", "mistral-large-latest"), ("mistral", "mistral-large"), (None, "mistral-large")):
        spread = spread_of(provider, model, DAY)
        assert spread is not None
        assert spread.name == "mistral/mistral-large"
        assert spread.ratios["input_usd_per_mtok"] == (0.25, 1.0)
    assert spread_of("openai", "gpt-4o", DAY) is not None
    assert not spread_of("openai", "gpt-4o", DAY).disagrees  # type: ignore[union-attr]
    assert spread_of("nobody", "nothing", DAY) is None


def test_a_contract_is_certain() -> None:
    key, contract = PriceKey("mistral", "mistral-large"), [ContractPrice("mistral-large", 1.0, 3.0)]
    (agreed,) = price_table([key], NOON, NOON, contract, CATALOG)
    (listed,) = price_table([key], NOON, NOON, (), CATALOG)
    assert row_spread(agreed, CATALOG) is None
    assert row_spread(listed, CATALOG) is not None


def test_the_past_knows_only_the_lists_of_its_day() -> None:
    assert spread_of("mistral", "mistral-large", date(2025, 8, 31)) is None
    early = spread_of("mistral", "mistral-large", date(2026, 8, 10))
    assert early is not None
    assert not early.disagrees, "LiteLLM's list was read in November"


@pytest.mark.parametrize("name", CATALOG.price_quotes)
def test_old_lists_and_other_products_are_shown_and_not_used(name: str) -> None:
    quotes = CATALOG.price_quotes[name]
    spread = spread_of(*name.split("/", 1), DAY)
    if len(quotes) == 1:
        assert spread is None
        return
    assert spread is not None
    assert set(spread.counted) | set(spread.others) == set(quotes)
    newest = max(quote.source.read for quote in quotes)
    for quote in spread.counted:
        assert quote.left_out is None
        assert newest - quote.source.read <= timedelta(days=COUNTED_DAYS)
    for quote in spread.others:
        assert quote.left_out or newest - quote.source.read > timedelta(days=COUNTED_DAYS)


@pytest.mark.parametrize("name", [name for name in CATALOG.price_quotes if not name.startswith("deepseek/")])
def test_the_first_list_is_the_one_the_catalogue_prices_with(name: str) -> None:
    """DeepSeek's change with the hour, so they have no one price to compare."""
    provider, model = name.split("/", 1)
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0" if model.startswith("regional.") else model
    model = f"accounts/fireworks/models/{model}" if provider == "fireworks" else model
    rows = price_table([PriceKey(provider, model)], NOON, NOON, catalog=CATALOG)
    first = CATALOG.price_quotes[name][0]
    if rows[0].status == "priced":
        assert rows[0].matched_model == name
        assert rows[0].input_usd_per_mtok == first.input_usd_per_mtok
        assert rows[0].output_usd_per_mtok == first.output_usd_per_mtok
    else:
        assert name == "fireworks/kimi-k2", "no offer and no list that the catalogue uses"


def test_every_row_of_the_comparison_is_carried(shared_data: Path) -> None:
    with (shared_data / "prices" / "token_price_comparison.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] not in LEFT_OUT]
    by_model: dict[str, set[tuple[str, float, float, float | None]]] = {}
    for row in rows:
        cached = float(row["cached_input_usd_per_mtok"]) if row["cached_input_usd_per_mtok"] else None
        figures = (float(row["input_usd_per_mtok"]), float(row["output_usd_per_mtok"]), cached)
        by_model.setdefault(row["model"], set()).add((SOURCES[row["source"]], *figures))
    carried = [
        {
            (each.source.title, each.input_usd_per_mtok, each.output_usd_per_mtok, each.cache_read_usd_per_mtok)
            for each in quotes
        }
        for quotes in CATALOG.price_quotes.values()
    ]
    assert sorted(map(sorted, map(_plain, by_model.values()))) == sorted(map(sorted, map(_plain, carried)))


def _plain(quotes: set[tuple[str, float, float, float | None]]) -> list[tuple[str, float, float, float]]:
    return [(title, low, high, -1.0 if cached is None else cached) for title, low, high, cached in quotes]


def test_disagreements_are_few_and_named() -> None:
    assert [each.name for each in disagreements(CATALOG)] == [
        "deepseek/deepseek-chat",
        "deepseek/deepseek-reasoner",
        "mistral/mistral-large",
        "mistral/mistral-small-latest",
        "openai/o3",
        "together/meta-llama/Llama-3.3-70B-Instruct-Turbo",
    ]
