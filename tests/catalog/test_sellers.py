"""Prices of models that many sell, against the price list itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from statistics import median

import pytest
from genai_prices.data_snapshot import get_snapshot

from breakeven.catalog.genai_price_list import bundled_list, listed_tiers
from breakeven.catalog.sellers import model_words, params_in_name_count, seller_prices, size_price

DAY = date(2026, 11, 26)


def test_the_median_is_over_those_who_list_it() -> None:
    found = seller_prices("meta-llama/Llama-3.1-8B-Instruct", DAY)
    assert found is not None
    moment = datetime(2026, 11, 26, 12, tzinfo=UTC)
    words = {"llama", "3.1", "8b"}
    prices = {}
    for listing in bundled_list().listings().values():
        tiers = listed_tiers(listing, moment)["standard"]
        if model_words(listing.model.id) == words and tiers and tiers[0].input_usd_per_mtok:
            prices[listing.provider.id] = tiers[0].input_usd_per_mtok
    assert len(prices) >= 5
    assert found.input_usd_per_mtok == pytest.approx(median(prices.values()))
    assert set(found.sellers) == set(prices)
    assert found.least_input_usd_per_mtok <= found.input_usd_per_mtok <= found.most_input_usd_per_mtok


def test_nobody_sells_what_nobody_lists() -> None:
    assert seller_prices("my-own-finetune", DAY) is None


def test_free_trials_are_no_prices() -> None:
    free = [each for provider in get_snapshot().providers for each in provider.models if each.id.endswith(":free")]
    assert free
    for each in free:
        found = seller_prices(each.id, DAY)
        assert found is None or found.least_input_usd_per_mtok > 0


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("llama-3.1-nemotron-51b-instruct", 51e9),
        ("Qwen2.5-0.5B", 0.5e9),
        ("mixtral-8x7b-instruct", None),
        ("qwen3-30b-a3b", None),
        ("gpt-5-mini", None),
        ("7b-judge-of-70b", None),
    ],
)
def test_the_size_in_a_name(name: str, count: float | None) -> None:
    assert params_in_name_count(name) == count


def test_a_billion_parameters_has_a_price_with_a_range() -> None:
    found = size_price(DAY)
    assert 0 < found.low_usd_per_mtok < found.usd_per_mtok < found.high_usd_per_mtok
    assert found.listings_count > 100
