"""Cheaper tier: each model to its own, priced as the price list's own package does, and honest about what stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price

from breakeven.decision.compare import typical
from breakeven.errors import UnknownPrice
from breakeven.options.api_tier import CheaperTier
from breakeven.options.assembly.demand import Demand, ModelDemand
from breakeven.options.assembly.log_models import log_providers, offer_of, same_model
from breakeven.options.option import Evaluation, OptionCost
from costing import AS_OF, demand, pinned, situation

NOON = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=UTC)
FACTS = {"volume_over_observed_ratio": 1.0, "hours_per_month": 730.0}


def labelled(label: str, **more: float) -> ModelDemand:
    (model,) = demand(1000, cache_read_fraction=0.3).models
    return replace(model, label=label, **more)


def of_models(*models: ModelDemand) -> Demand:
    return replace(demand(1000), models=models)


def cost(of: Demand, facts: dict[str, float] | None = None, **choices: object) -> OptionCost:
    here = situation(of, pinned({**FACTS, **(facts or {})}), **choices)
    return CheaperTier().cost(here, Evaluation(typical))


def tokens_usd(each: OptionCost) -> float:
    return next(float(line.usd_per_month.value.flat[0]) for line in each.breakdown.lines if line.name == "tokens")


def listed_usd(model: str, provider: str = "openai") -> float:
    """1,000 Mtok of the mix, by the package that keeps the price list."""
    usage = Usage(input_tokens=800_000_000, cache_read_tokens=300_000_000, output_tokens=200_000_000)
    return float(calc_price(usage, model_ref=model, provider_id=provider, genai_request_timestamp=NOON).total_price)


def test_the_calls_cost_what_the_price_list_says_of_the_cheaper_model() -> None:
    each = cost(of_models(labelled("openai/gpt-5")))
    assert tokens_usd(each) == pytest.approx(listed_usd("gpt-5-mini"), rel=1e-9)
    assert each.buys == "openai/gpt-5-mini for openai/gpt-5"


@pytest.mark.parametrize("label", ["openai/gpt-5-2025-08-07", "gpt-5", "OpenAI/gpt-5"])
def test_other_spellings_of_the_model_are_the_same_offer(label: str) -> None:
    assert cost(of_models(labelled(label))).buys.startswith("openai/gpt-5-mini for")


def test_each_model_moves_to_its_own_tier_and_one_without_stays() -> None:
    models = (labelled("openai/gpt-5"), labelled("anthropic/claude-sonnet-4-5"), labelled("acme/house-model"))
    each = cost(of_models(*models), {"cheaper_tier_success_fraction": 0.7, "frontier_success_fraction": 0.9})
    stays = sum(fact.typical * share for fact, share in zip(models[2].prices, (0.5, 0.3, 0.0, 0.2), strict=True)) * 1000
    wanted = listed_usd("gpt-5-mini") + listed_usd("claude-haiku-4-5", "anthropic") + stays
    assert tokens_usd(each) == pytest.approx(wanted, rel=1e-9)
    assert "acme/house-model stays (no cheaper tier known)" in each.buys
    assert float(each.success.value.flat[0]) == pytest.approx((2 * 0.7 + 0.9) / 3)


def test_the_scenario_names_one_model_for_all() -> None:
    models = (labelled("openai/gpt-5"), labelled("acme/house-model"), labelled("openai/gpt-4o-mini"))
    each = cost(of_models(*models), tier_model="openai/gpt-4o-mini")
    own = sum(fact.typical * share for fact, share in zip(models[2].prices, (0.5, 0.3, 0.0, 0.2), strict=True)) * 1000
    assert tokens_usd(each) == pytest.approx(2 * listed_usd("gpt-4o-mini") + own, rel=1e-9)


def test_a_contract_for_the_cheaper_model_wins_over_its_list_price() -> None:
    line = {"provider": "openai", "model": "gpt-5-mini", "input_usd_per_mtok": 0.1, "output_usd_per_mtok": 1.0}
    each = cost(of_models(labelled("openai/gpt-5")), contract_prices=[line])
    assert tokens_usd(each) == pytest.approx(1000 * (0.8 * 0.1 + 0.2 * 1.0))


def test_calls_that_went_by_batch_keep_going_by_batch() -> None:
    half = cost(of_models(labelled("openai/gpt-5", batch_fraction=0.5)))
    assert tokens_usd(half) == pytest.approx(0.75 * listed_usd("gpt-5-mini"), rel=1e-9)


def test_without_any_cheaper_tier_it_is_unpriced_and_says_what_to_write() -> None:
    with pytest.raises(UnknownPrice, match="no cheaper tier of acme/house-model; name one as tier_model"):
        cost(of_models(labelled("acme/house-model")))
    with pytest.raises(UnknownPrice, match="no price for 'openai/no-such-model'"):
        cost(of_models(labelled("openai/gpt-5")), tier_model="openai/no-such-model")


def test_labels_are_matched_as_the_price_list_does() -> None:
    catalog = situation(demand(1)).catalog
    offer = offer_of(catalog, "azure_openai/gpt-5")
    assert offer is None or offer.provider != "openai"  # another seller, other terms
    assert same_model("openai/gpt-5", "OPENAI/gpt-5-2025-08-07")
    assert not same_model("openai/gpt-5", "openai/gpt-5-mini")
    models = (labelled("gpt-5"), labelled("openai/gpt-5-mini"), labelled("acme/house-model"))
    assert log_providers(of_models(*models)) == ("openai", "acme")
