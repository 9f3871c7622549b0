"""Small model: who is small already, and which one a price is taken of."""

from __future__ import annotations

from datetime import date

import pytest

from breakeven.audit.commodity import token_use
from breakeven.audit.measures import ModelUse
from breakeven.audit.small_model import TokenUse, choose_small_model, is_small
from breakeven.catalog.load import load_catalog
from breakeven.errors import UnknownName, UnknownPrice

CATALOG = load_catalog(date(2026, 11, 25))
USE = TokenUse(1e6, 0, 1e5)


@pytest.mark.parametrize(
    ("label", "small"),
    [
        ("ollama/llama-3.1-8b-instruct", True),
        ("Qwen/Qwen3-8B", True),
        ("acme/acme-private-7b", True),
        ("acme/finetune-1.5b-v2", True),
        ("meta/llama-3.3-70b", False),
        ("openai/gpt-oss-20b", False),
        ("acme/moe-8x7b", False),
        ("acme/moe-30b-a3b", False),
        ("openai/gpt-5-mini", False),
        ("", False),
    ],
)
def test_small_is_below_14_billion_parameters(label: str, small: bool) -> None:
    assert is_small(label, CATALOG) is small


def test_the_cheapest_small_model_that_holds_the_calls() -> None:
    cheapest = choose_small_model(CATALOG, USE)
    holding = choose_small_model(CATALOG, USE, context_tokens=100_000)
    assert CATALOG.models[holding.model].context_tokens >= 100_000
    assert cheapest.cost_usd(USE) <= holding.cost_usd(USE)
    assert choose_small_model(CATALOG, USE, context_tokens=10**9).model == cheapest.model
    row = cheapest.row
    assert row.input_usd_per_mtok is not None and row.output_usd_per_mtok is not None
    assert cheapest.cost_usd(USE) == pytest.approx(row.input_usd_per_mtok + row.output_usd_per_mtok / 10)


def test_a_named_model_may_be_any_that_is_sold_by_the_token() -> None:
    assert choose_small_model(CATALOG, USE, "llama-3.3-70b").model == "Llama-3.3-70B"
    with pytest.raises(UnknownName, match="unknown model"):
        choose_small_model(CATALOG, USE, "gpt-17")
    unsold = next(name for name in CATALOG.models if name not in {each.model for each in CATALOG.token_offers.values()})
    with pytest.raises(UnknownPrice, match="no price per token"):
        choose_small_model(CATALOG, USE, unsold)


def test_only_tokens_that_the_provider_was_paid_for_would_move() -> None:
    use = ModelUse("openai", "gpt-5", 4, 1000.0, 800.0, 0.0, 200.0, 1.0, unpriced_tokens=250.0, free_tokens=250.0)
    assert token_use([use]) == TokenUse(400.0, 0.0, 100.0)
