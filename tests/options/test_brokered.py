"""Brokered: the cheapest offer for this mix, not the first; what a broker does not sell is unpriced, with a way on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from breakeven.catalog.offer import TokenOffer
from breakeven.decision.compare import typical
from breakeven.errors import ConstraintNotMet, UnknownName, UnknownPrice
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.offers import price_facts, token_offer_prices
from breakeven.options.assembly.success import bind_open_model_success, success_fact
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost, Situation, binder_for
from costing import demand, pinned, situation

OPTIONS = discover_options()
CATALOG = situation(demand(1)).catalog
MODEL = "gpt-oss-120b"


def cost(name: str, here: Situation) -> OptionCost:
    return OPTIONS[name].cost(here, Evaluation(typical))


def offer(name: str, provider: str, model_id: str, **more: object) -> TokenOffer:
    """An offer of the open model, priced by a contract line of the test."""
    template = CATALOG.token_offers["groq-gpt-oss-120b"]
    return replace(template, name=name, provider=provider, model_ids=(model_id,), genai_prices=None, **more)


def with_offers(of_output: float, prices: dict[str, tuple[float, float]], **offers: TokenOffer) -> Situation:
    """Only these offers, at these prices of input and output."""
    lines = [
        {
            "provider": offers[name].provider,
            "model": offers[name].model_ids[0],
            "input_usd_per_mtok": given,
            "output_usd_per_mtok": out,
        }
        for name, (given, out) in prices.items()
    ]
    here = situation(demand(100, output_fraction=of_output), contract_prices=lines)
    return replace(here, catalog=replace(CATALOG, token_offers=dict(offers)))


DEAR_OUTPUT = offer("dear-output", "acme", "oss-a")
DEAR_INPUT = offer("dear-input", "bolt", "oss-b")
TWO = {"dear-output": DEAR_OUTPUT, "dear-input": DEAR_INPUT}
PRICES = {"dear-output": (0.1, 2.0), "dear-input": (0.3, 0.3)}


def test_the_cheapest_depends_on_the_mix_of_the_workload() -> None:
    """By hand: 5 % output: 0.195 against 0.3; 50 % output: 1.05 against 0.3."""
    reading = cost("brokered", with_offers(0.05, PRICES, **TWO))
    writing = cost("brokered", with_offers(0.5, PRICES, **TWO))
    assert reading.buys == f"{MODEL} at acme, the cheapest of 2 offers for this mix"
    assert writing.buys == f"{MODEL} at bolt, the cheapest of 2 offers for this mix"


def test_no_offer_of_the_catalogue_is_cheaper_than_the_one_taken() -> None:
    """Brute force over the real catalogue, by each offer's own prices."""
    here = situation(demand(100, output_fraction=0.2, cache_read_fraction=0.3))
    shares = {"input": 0.5, "cache_read": 0.3, "output": 0.2}
    totals = {}
    for each in CATALOG.token_offers.values():
        ended = each.retires is not None and each.retires <= CATALOG.as_of
        if each.kind == "brokered" and each.model == MODEL and not ended:
            facts = token_offer_prices(CATALOG, each.name).facts
            totals[each.provider] = sum(facts[f"{kind}_usd_per_mtok"].typical * share for kind, share in shares.items())
    assert len(totals) >= 3
    taken = cost("brokered", here)
    assert taken.buys.startswith(f"{MODEL} at {min(totals, key=lambda name: totals[name])},")
    line = next(line for line in taken.breakdown.lines if line.name == "tokens")
    volume = taken.volume.value
    assert np.allclose(line.usd_per_month.value / volume, min(totals.values()))


def test_an_offer_that_has_ended_comes_last_and_is_said() -> None:
    gone = replace(DEAR_OUTPUT, retires=date(2026, 11, 1))
    both = {"dear-output": gone, "dear-input": DEAR_INPUT}
    assert cost("brokered", with_offers(0.05, PRICES, **both)).buys == f"{MODEL} at bolt"
    alone = with_offers(0.05, {"dear-output": (0.1, 2.0)}, **{"dear-output": gone})
    assert cost("brokered", alone).buys == f"{MODEL} at acme (said to have ended on 2026-11-01)"


def test_an_offer_without_a_price_is_not_the_cheapest() -> None:
    """Only one of two has a price: the other would be free if a missing price were 0."""
    here = with_offers(0.05, {"dear-input": (0.3, 0.3)}, **TWO)
    assert cost("brokered", here).buys == f"{MODEL} at bolt"
    none = with_offers(0.05, {}, **TWO)
    with pytest.raises(UnknownPrice, match=r"no price for 'dear-output'.*no price for 'dear-input'"):
        cost("brokered", none)


def test_the_scenario_may_choose_the_broker() -> None:
    here = situation(demand(100), broker_offer="groq-gpt-oss-120b")
    assert cost("brokered", here).buys == f"{MODEL} at groq"
    with pytest.raises(UnknownName, match=r"sells Llama-3\.3-70B"):
        cost("brokered", situation(demand(100), broker_offer="together-llama-3.3-70b"))


def test_a_broker_that_does_not_sell_the_model_says_what_it_sells() -> None:
    with pytest.raises(UnknownPrice, match=rf"no price per token for {MODEL} .*deepinfra sells Llama-3\.3-70B"):
        cost("brokered_deepinfra", situation(demand(100)))
    with pytest.raises(UnknownPrice, match="no price for 'siliconflow-qwen3-8b'"):
        cost("brokered_siliconflow", situation(demand(100), open_model="Qwen3-8B"))


def test_only_brokers_that_meet_the_constraints_are_compared() -> None:
    here = situation(demand(100), require={"jurisdictions": ["FR"]}, providers={"groq": {"jurisdiction": "FR"}})
    assert cost("brokered", here).buys.startswith(f"{MODEL} at ")
    only = situation(demand(100), require={"jurisdictions": ["IS"]}, providers={"groq": {"jurisdiction": "IS"}})
    assert cost("brokered", only).buys == f"{MODEL} at groq"
    with pytest.raises(ConstraintNotMet, match=r"fireworks does not meet .*groq does not meet"):
        cost("brokered", situation(demand(100), require={"jurisdictions": ["IS"]}))


def test_a_price_in_yuan_is_as_uncertain_as_the_rate() -> None:
    facts = token_offer_prices(CATALOG, "siliconflow-qwen3-30b-a3b").facts
    rate = CATALOG.fx["cny"]
    price = facts["input_usd_per_mtok"]
    assert (price.low, price.typical, price.high) == pytest.approx(
        (1.26 * rate.low, 1.26 * rate.typical, 1.26 * rate.high)
    )
    assert price.dimension == rate.dimension
    draws = DrawSet(draws_log2=8)
    spread = token_offer_prices(CATALOG, "together-llama-3.3-70b").facts["input_usd_per_mtok"]
    dear = draws.of(spread) > spread.typical
    assert dear.mean() == pytest.approx(0.5, abs=0.02)
    assert not np.array_equal(dear, draws.of(price) > price.typical)  # one name, two risks: other draws


def test_lists_that_disagree_give_a_range_over_both_and_name_both() -> None:
    """genai-prices 0.88, LiteLLM 1.04 for Llama-3.3-70B at Together."""
    facts = token_offer_prices(CATALOG, "together-llama-3.3-70b").facts
    for name in ("input_usd_per_mtok", "cache_read_usd_per_mtok", "cache_write_usd_per_mtok", "output_usd_per_mtok"):
        fact = facts[name]
        assert (fact.low, fact.typical, fact.high) == pytest.approx((0.88, 0.88, 1.04))
        assert fact.dimension == 120
        assert "genai-prices" in fact.source.title
        assert "LiteLLM" in fact.source.title


def test_lists_that_agree_and_contracts_are_certain() -> None:
    facts = token_offer_prices(CATALOG, "groq-gpt-oss-120b").facts.values()
    assert all(fact.is_certain and fact.dimension is None for fact in facts)
    line = {"provider": "together", "model": "meta-llama/Llama-3.3-70B-Instruct-Turbo"}
    contract = situation(
        demand(1), contract_prices=[{**line, "input_usd_per_mtok": 0.5, "output_usd_per_mtok": 0.6}]
    ).choices.contract
    agreed = token_offer_prices(CATALOG, "together-llama-3.3-70b", contract).facts
    assert {fact.typical for fact in agreed.values()} == {0.5, 0.6}
    assert all(fact.is_certain for fact in agreed.values())


def test_frontier_prices_have_the_spread_too() -> None:
    from datetime import UTC, datetime

    from breakeven.catalog.token_prices import PriceKey, price_table

    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    (row,) = price_table([PriceKey("openai", "o3")], noon, noon, (), CATALOG)
    fact = price_facts(row, CATALOG)[0]
    assert (fact.low, fact.typical, fact.high) == pytest.approx((2.0, 2.0, 10.0))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Llama-3.1-8B", "small_model_success_fraction"),
        ("Gemma-3-12B", "small_model_success_fraction"),
        ("Qwen3-14B", "mid_model_success_fraction"),
        ("gpt-oss-20b", "mid_model_success_fraction"),
        ("Gemma-3-27B", "mid_model_success_fraction"),
        ("Qwen3-32B", "mid_model_success_fraction"),
        ("Mixtral-8x7B", "moe_model_success_fraction"),
        ("Llama-3.3-70B", "large_model_success_fraction"),
        ("gpt-oss-120b", "moe_model_success_fraction"),
        ("DeepSeek-V3", "moe_model_success_fraction"),
    ],
)
def test_success_goes_by_the_class_of_the_model(model: str, name: str) -> None:
    assert success_fact(CATALOG.models[model]) == name
    here = situation(demand(1))
    node = bind_open_model_success(binder_for(here, Evaluation(typical), {}), CATALOG.models[model], here)
    assert name in node.leaves()
    assert model in node.summary


def test_the_scenario_wins_over_the_class() -> None:
    facts = pinned({"open_model_success_fraction": 0.77})
    both = {**facts, **pinned({"success_fraction": 0.6})}
    for said, wanted in ((facts, 0.77), (both, 0.6)):
        here = situation(demand(1), said)
        node = bind_open_model_success(binder_for(here, Evaluation(typical), {}), CATALOG.models[MODEL], here)
        assert float(node.value.flat[0]) == wanted
