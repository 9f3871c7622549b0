"""Batch: the discount once, on what waits; cached input by the stated rule; against the price list's own package."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from breakeven.decision.baseline import demand_of
from breakeven.decision.compare import typical
from breakeven.decision.scenario import Scenario
from breakeven.errors import CatalogError, UnknownPrice
from breakeven.options.assembly.batch_prices import batch_prices
from breakeven.options.assembly.demand import Demand, ModelDemand
from breakeven.options.assembly.offers import fixed_fact, model_prices
from breakeven.options.batch import BatchApi, token_with_batch_usd_per_mtok
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost, Situation
from breakeven.workload.profile import profile_workload
from costing import AS_OF, LIST, demand, pinned, situation
from workload.typed_calls import call, table

NOON = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=UTC)
FACTS = {"volume_over_observed_ratio": 1.0, "hours_per_month": 730.0}
CATALOG = situation(demand(1)).catalog


def labelled(label: str, **more: object) -> ModelDemand:
    """A model of the log at its list price."""
    (model,) = demand(1000, cache_read_fraction=0.3).models
    prices = model_prices(CATALOG, label) if "/" in label and "acme" not in label else model.prices
    return replace(model, label=label, prices=prices, **more)


def of_models(*models: ModelDemand) -> Demand:
    return replace(demand(1000), models=models)


def cost(of: Demand, share: float, **choices: object) -> OptionCost:
    here = situation(of, pinned({**FACTS, "batch_share_fraction": share}), **choices)
    return BatchApi().cost(here, Evaluation(typical))


def tokens_usd(each: OptionCost) -> float:
    return next(float(line.usd_per_month.value.flat[0]) for line in each.breakdown.lines if line.name == "tokens")


def listed_usd(model: str, provider: str, *, is_batch: bool, cached: bool = True) -> float:
    usage = Usage(
        input_tokens=800_000_000, cache_read_tokens=300_000_000 if cached else None, output_tokens=200_000_000
    )
    context = {"processing": "batch"} if is_batch else None
    price = calc_price(
        usage, model_ref=model, provider_id=provider, genai_request_timestamp=NOON, price_context=context
    )
    return float(price.total_price)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-5"), ("anthropic", "claude-haiku-4-5"), ("mistral", "ministral-8b-2512")],
)
def test_all_by_batch_costs_what_the_price_list_says_where_it_lists_cached_input(provider: str, model: str) -> None:
    of = of_models(labelled(f"{provider}/{model}"))
    assert tokens_usd(cost(of, 1.0)) == pytest.approx(listed_usd(model, provider, is_batch=True), rel=1e-9)
    assert tokens_usd(cost(of, 0.0)) == pytest.approx(listed_usd(model, provider, is_batch=False), rel=1e-9)


@pytest.mark.parametrize(("provider", "model"), [("google", "gemini-2.5-flash"), ("openai", "gpt-4.1")])
def test_an_unlisted_cached_price_is_the_least_of_the_standard_one_and_new_input(provider: str, model: str) -> None:
    """By hand: uncached and output from the batch list, cached at the smaller of the two."""
    standard = {fact.name: fact.typical for fact in model_prices(CATALOG, f"{provider}/{model}")}
    batch = {fact.name: fact.typical for fact in model_prices(CATALOG, f"{provider}/{model}", is_batch=True)}
    cached = min(standard["cache_read_usd_per_mtok"], batch["input_usd_per_mtok"])
    wanted = 500 * batch["input_usd_per_mtok"] + 300 * cached + 200 * batch["output_usd_per_mtok"]
    assert tokens_usd(cost(of_models(labelled(f"{provider}/{model}")), 1.0)) == pytest.approx(wanted, rel=1e-9)
    assert wanted < listed_usd(model, provider, is_batch=False)


def test_a_known_discount_is_taken_off_uncached_input_and_output_alone() -> None:
    offer = replace(
        next(iter(CATALOG.token_offers.values())),
        name="acme",
        provider="acme",
        model_ids=("house-model",),
        genai_prices=None,
        batch_discount_fraction=0.4,
    )
    catalog = replace(CATALOG, token_offers={"acme": offer})
    names = ("input_usd_per_mtok", "cache_read_usd_per_mtok", "cache_write_usd_per_mtok", "output_usd_per_mtok")
    listed = tuple(fixed_fact(name, price, LIST) for name, price in zip(names, (1.0, 0.1, 1.25, 4.0), strict=True))
    found = batch_prices(catalog, "acme/house-model", listed)
    assert found is not None
    assert [round(fact.typical, 12) for fact in found.prices] == [0.6, 0.1, 1.25, 2.4]
    dear_cache = tuple(fixed_fact(name, price, LIST) for name, price in zip(names, (1.0, 0.9, 1.0, 4.0), strict=True))
    found = batch_prices(catalog, "acme/house-model", dear_cache)
    assert found is not None
    assert [round(fact.typical, 12) for fact in found.prices] == [0.6, 0.6, 0.6, 2.4]


@given(already=st.floats(0, 1), share=st.floats(0, 1), ratio=st.floats(0.1, 1), standard=st.floats(0.01, 100))
def test_no_call_is_discounted_twice(already: float, share: float, ratio: float, standard: float) -> None:
    """Brute force: a thousandth of the tokens at a time, at its own price."""
    today = standard * (1 - already) + standard * ratio * already
    got = float(token_with_batch_usd_per_mtok(today, share, already, ratio))
    under = max(share, already)
    assert got == pytest.approx(standard * (1 - under) + standard * ratio * under, rel=1e-9)
    assert got <= today * (1 + 1e-12)


def test_where_all_goes_by_batch_already_there_is_nothing_to_move() -> None:
    with pytest.raises(CatalogError, match="the log's calls to openai/gpt-5 go by batch already"):
        cost(of_models(labelled("openai/gpt-5", batch_fraction=1.0)), 0.5)
    with pytest.raises(CatalogError, match="already"):
        cost(of_models(labelled("openai/gpt-5", batch_fraction=1.0), labelled("acme/house-model")), 0.5)


def test_a_model_that_is_all_batch_already_saves_nothing_beside_another() -> None:
    all_batch = labelled("openai/gpt-5", batch_fraction=1.0)
    batch_priced = replace(all_batch, prices=model_prices(CATALOG, "openai/gpt-5", is_batch=True))
    each = cost(of_models(batch_priced, labelled("anthropic/claude-haiku-4-5")), 0.0)
    wanted = listed_usd("gpt-5", "openai", is_batch=True)
    wanted += listed_usd("claude-haiku-4-5", "anthropic", is_batch=False)
    assert tokens_usd(each) == pytest.approx(wanted, rel=1e-9)


def test_the_share_under_batch_is_read_from_the_log() -> None:
    """Three of four calls of the same size went by batch: the bill is theirs, and nothing is saved up to that share."""
    calls = table(call(number, number * 6.0, is_batch=number % 4 != 0) for number in range(40))
    of = demand_of(calls, profile_workload(calls, catalog=CATALOG), CATALOG, Scenario(), "typed")
    (model,) = of.models
    assert model.batch_fraction == pytest.approx(0.75)
    usage = Usage(input_tokens=1000, output_tokens=100)
    prices = [
        calc_price(usage, model_ref="gpt-5", provider_id="openai", genai_request_timestamp=NOON, price_context=context)
        for context in (None, {"processing": "batch"})
    ]
    standard, batch = (float(each.total_price) for each in prices)
    assert model.spend_usd == pytest.approx(10 * standard + 30 * batch)
    frontier = discover_options()["frontier_api"].cost(situation(of, pinned(FACTS)), Evaluation(typical))
    assert tokens_usd(cost(of, 0.5)) == pytest.approx(tokens_usd(frontier), rel=1e-9)
    all_by_batch = tokens_usd(frontier) * batch / (0.25 * standard + 0.75 * batch)
    assert tokens_usd(cost(of, 1.0)) == pytest.approx(all_by_batch, rel=1e-6)


def test_a_model_without_a_batch_price_stays_and_is_named() -> None:
    each = cost(of_models(labelled("openai/gpt-5"), labelled("acme/house-model")), 1.0)
    stays = labelled("acme/house-model").prices
    own = 1000 * sum(fact.typical * share for fact, share in zip(stays, (0.5, 0.3, 0.0, 0.2), strict=True))
    assert tokens_usd(each) == pytest.approx(listed_usd("gpt-5", "openai", is_batch=True) + own, rel=1e-9)
    assert each.buys == "100 % of the tokens by batch: openai/gpt-5; acme/house-model without a batch price"
    with pytest.raises(UnknownPrice, match="no batch price and no batch discount is known for acme/house-model"):
        cost(of_models(labelled("acme/house-model")), 1.0)


def test_a_contract_below_the_batch_price_leaves_nothing_to_save() -> None:
    cheap = {"provider": "openai", "model": "gpt-5", "input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.5}
    model = replace(labelled("openai/gpt-5"), prices=_contract_prices(cheap))
    each = cost(of_models(model), 1.0, contract_prices=[cheap])
    assert tokens_usd(each) == pytest.approx(1000 * (0.8 * 0.1 + 0.2 * 0.5))


def test_the_share_that_waits_is_a_leaf_with_its_source() -> None:
    each = BatchApi().cost(Situation(of_models(labelled("openai/gpt-5")), CATALOG, _choices(), {}), Evaluation(typical))
    leaf = each.total.leaves()["batch_share_fraction"]
    assert leaf.source is not None
    assert leaf.source.grade.value == "guess"
    assert "moved" not in {line.name for line in each.breakdown.lines}
    assert "quality_monitoring" not in {line.name for line in each.breakdown.lines}


def _choices() -> object:
    return situation(demand(1)).choices


def _contract_prices(line: dict[str, object]) -> tuple[object, ...]:
    choices = situation(demand(1), contract_prices=[line]).choices
    return model_prices(CATALOG, "openai/gpt-5", choices.contract)
