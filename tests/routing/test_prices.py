"""Prices in a policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.routing.policies_at_hand import task_map

from breakeven.errors import UnknownPrice
from breakeven.routing.policy_document import PricedModel
from breakeven.routing.prices import prices_of


def test_tokens_are_priced_by_the_snapshot() -> None:
    prices = prices_of(task_map())
    assert prices.cost_usd("big", 1_000, 500) == pytest.approx(0.002 + 0.004)
    assert prices.cost_usd("big", 0, 0) == 0
    assert prices.oldest() == "2026-10-01"


def test_the_mean_of_a_request_stands_in_for_missing_prices() -> None:
    models = (PricedModel("small", input_usd_per_mtok=1.0, usd_per_request=0.003), PricedModel("big"))
    prices = prices_of(replace(task_map(), models=models))
    assert prices.cost_usd("small", 10, 10) == 0.003
    assert prices.oldest() is None


@pytest.mark.parametrize("model", ["big", "unheard of"])
def test_an_unknown_price_is_never_nothing(model: str) -> None:
    prices = prices_of(replace(task_map(), models=(PricedModel("small"), PricedModel("big"))))
    with pytest.raises(UnknownPrice, match=f"--price {model}=USD"):
        prices.cost_usd(model, 10, 10)
