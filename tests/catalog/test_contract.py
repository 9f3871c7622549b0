"""Contract: wins over every list, for exactly the calls it names."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.catalog.token_prices import ContractPrice, PriceKey, TokenPriceRow, price_table
from breakeven.errors import ScenarioError

CATALOG = load_catalog(date(2026, 11, 23))
FIRST, LAST = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, 23, 59, tzinfo=UTC)


def _rows(key: PriceKey, *contract: ContractPrice) -> list[TokenPriceRow]:
    return price_table([key], FIRST, LAST, contract, CATALOG)


def _inputs(rows: list[TokenPriceRow]) -> list[float | None]:
    return [row.input_usd_per_mtok for row in rows]


@pytest.mark.parametrize(
    "key",
    [
        PriceKey("openai", "gpt-4o"),
        PriceKey("OpenAI", "GPT-4o"),
        PriceKey("openai", "openai/gpt-4o"),
        PriceKey("openai", "gpt-4o-2024-08-06"),
        PriceKey(None, "gpt-4o"),
        PriceKey("openai", "gpt-4o", "default"),
        PriceKey("openai", "gpt-4o", "priority"),
    ],
)
def test_it_covers_every_spelling_of_the_model_and_every_tier(key: PriceKey) -> None:
    (row,) = _rows(key, ContractPrice("gpt-4o", 2.0, 8.0, provider="openai"))
    assert (row.input_usd_per_mtok, row.output_usd_per_mtok, row.cache_read_usd_per_mtok) == (2.0, 8.0, 2.0)
    assert row.matched_model == "contract/gpt-4o"
    assert row.source.title == "your contract"


@pytest.mark.parametrize(
    "key",
    [
        PriceKey("openai", "gpt-4o-mini"),
        PriceKey("openai", "gpt-4o-2024-05-13"),  # another product, with another list price
        PriceKey("azure", "gpt-4o"),
    ],
)
def test_it_covers_no_other_model_and_no_other_seller(key: PriceKey) -> None:
    (row,) = _rows(key, ContractPrice("gpt-4o", 2.0, 8.0, provider="openai"))
    assert row.source.title.startswith("genai-prices")


def test_batch_needs_a_line_of_its_own() -> None:
    key = PriceKey("openai", "gpt-4o", None, True)
    assert 2.0 not in _inputs(_rows(key, ContractPrice("gpt-4o", 2.0, 8.0)))
    assert _inputs(_rows(key, ContractPrice("gpt-4o", 0.9, 4.0, is_batch=True))) == [0.9]


def test_a_named_tier_wins_over_all_tiers() -> None:
    lines = (ContractPrice("gpt-4o", 2.0, 8.0), ContractPrice("gpt-4o", 3.0, 12.0, service_tier="priority"))
    assert _inputs(_rows(PriceKey("openai", "gpt-4o", "priority"), *lines)) == [3.0]
    assert _inputs(_rows(PriceKey("openai", "gpt-4o", "flex"), *lines)) == [2.0]


def test_outside_its_dates_the_list_holds() -> None:
    line = ContractPrice("gpt-4o", 2.0, 8.0, since=date(2026, 10, 10), until=date(2026, 10, 20))
    rows = _rows(PriceKey("openai", "gpt-4o"), line)
    assert _inputs(rows) == [2.5, 2.0, 2.5]
    assert [row.since for row in rows] == [None, datetime(2026, 10, 10, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC)]


def test_an_unlisted_model_is_priced_only_while_the_contract_lasts() -> None:
    rows = _rows(PriceKey("inhouse", "house-model"), ContractPrice("house-model", 1.0, 2.0, until=date(2026, 10, 20)))
    assert [row.status for row in rows] == ["priced", "unpriced"]


def test_lines_may_be_tiers_of_the_input_size() -> None:
    lines = (
        ContractPrice("gpt-4o", 2.0, 8.0, input_tokens_until=100_000),
        ContractPrice("gpt-4o", 4.0, 8.0, input_tokens_from=100_000),
    )
    rows = _rows(PriceKey("openai", "gpt-4o"), *lines)
    assert [(row.input_tokens_from, row.input_tokens_until) for row in rows] == [(0, 100_000), (100_000, None)]


def test_two_lines_at_once_contradict_each_other() -> None:
    with pytest.raises(ScenarioError, match="two contract prices of 'gpt-4o' hold at the same time"):
        _rows(PriceKey("openai", "gpt-4o"), ContractPrice("gpt-4o", 2.0, 8.0), ContractPrice("gpt-4o", 2.1, 8.0))


@pytest.mark.parametrize("price", [-1.0, float("nan"), float("inf")])
def test_an_impossible_price_is_refused(price: float) -> None:
    with pytest.raises(ScenarioError, match="wanted 0 or more USD per Mtok"):
        ContractPrice("gpt-4o", price, 8.0)


def test_a_contract_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ScenarioError, match="before it starts"):
        ContractPrice("gpt-4o", 1.0, 8.0, since=date(2026, 2, 1), until=date(2026, 1, 1))
