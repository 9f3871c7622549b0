"""Offers: every one prices something that can be bought, and says for what and from whom."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.catalog.token_prices import offer_prices

DAY = date(2026, 11, 23)
CATALOG = load_catalog(DAY)
RENT = "gpu_rent_usd_per_gpu_hour"
BROKERS = ("siliconflow", "fireworks", "together", "deepinfra", "groq", "openrouter")


@pytest.mark.parametrize("name", CATALOG.gpu_offers)
def test_an_offer_of_gpus_says_what_it_costs_on_its_terms(name: str) -> None:
    offer = CATALOG.gpu_offers[name]
    if offer.term == "purchase":
        assert set(offer.facts) == {"gpu_price_usd", "server_power_w_per_gpu"}
        assert offer.facts["server_power_w_per_gpu"].low < CATALOG.gpus[offer.gpu].power_w * 1.1
        assert offer.facts["server_power_w_per_gpu"].high > CATALOG.gpus[offer.gpu].power_w
    else:
        assert set(offer.facts) == {RENT}
    assert name.endswith(offer.term.replace("_", "-"))
    assert offer.term == "endpoint" or not offer.scales_to_zero


def test_the_rent_of_every_offer_is_one_risk() -> None:
    rents = [offer.facts[RENT].dimension for offer in CATALOG.gpu_offers.values() if RENT in offer.facts]
    assert set(rents) == {0}
    prices = [
        offer.facts["gpu_price_usd"].dimension for offer in CATALOG.gpu_offers.values() if offer.term == "purchase"
    ]
    assert set(prices) == {CATALOG.assumptions["gpu_price_usd"].dimension}


def test_endpoints_are_those_of_the_list(shared_data: Path) -> None:
    """Every GPU row becomes an offer at its price; what cannot be compared is left out by name."""
    with (shared_data / "prices" / "managed_endpoints.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["usd_per_hour"]]
    skipped = ("AWS Inf2", "TPU v5e", "ml.inf2.xlarge", "per PTU")
    wanted: dict[str, set[float]] = {}
    for row in rows:
        if row["hardware_or_unit"] not in skipped:
            price = float(row["usd_per_hour"]) / int(row["count"])
            wanted.setdefault(row["provider"], set()).add(round(price, 3))
    endpoints = [offer for offer in CATALOG.gpu_offers.values() if offer.term == "endpoint"]
    assert {offer.provider for offer in endpoints} == set(wanted)
    for provider, prices in wanted.items():
        for price in prices:
            mine = [offer.facts[RENT] for offer in endpoints if offer.provider == provider]
            assert any(fact.low - 0.001 <= price <= fact.high + 0.001 for fact in mine), f"{provider} {price}"


def test_a_mixed_label_is_two_offers_and_sources_that_disagree_are_a_range() -> None:
    offers = CATALOG.gpu_offers
    for gpu in ("h100", "h200"):
        assert offers[f"fireworks-{gpu}-sxm-endpoint"].facts[RENT].typical == 7.0
        assert offers[f"fireworks-{gpu}-sxm-endpoint"].scales_to_zero
    sagemaker = offers["sagemaker-a10g-endpoint"].facts[RENT]
    assert (sagemaker.low, sagemaker.high) == (1.21, 1.41)
    assert not offers["sagemaker-a10g-endpoint"].scales_to_zero


def test_servers_cost_an_eighth_per_gpu(shared_data: Path) -> None:
    with (shared_data / "prices" / "cost_facts.csv").open(encoding="utf-8") as file:
        facts = {row["key"]: row for row in csv.DictReader(file)}
    for gpu, maker in (("h100", "dgx"), ("h200", "dgx"), ("b200", "dgx"), ("l40s", "")):
        name = "l40s-purchase" if gpu == "l40s" else f"{gpu}-sxm-purchase"
        power_key = f"{maker}_{gpu}_server_max_power" if maker else f"{gpu}_8gpu_server_max_power"
        found = CATALOG.gpu_offers[name].facts
        for column in ("low", "typical", "high"):
            server, kilowatts = (float(facts[key][column]) for key in (f"{gpu}_8gpu_server_price", power_key))
            assert getattr(found["gpu_price_usd"], column) == pytest.approx(server / 8)
            assert getattr(found["server_power_w_per_gpu"], column) == pytest.approx(kilowatts * 1000 / 8, abs=0.01)


def test_a_card_costs_more_than_the_card(shared_data: Path) -> None:
    with (shared_data / "prices" / "cost_facts.csv").open(encoding="utf-8") as file:
        facts = {row["key"]: row for row in csv.DictReader(file)}
    for card in ("rtx-pro-6000", "rtx-5090", "rtx-4090"):
        price = CATALOG.gpu_offers[f"{card}-purchase"].facts["gpu_price_usd"]
        listed = facts[f"{card.replace('-', '_')}_card_price"]
        for column in ("low", "typical", "high"):
            host = getattr(price, column) - float(listed[column])
            assert 1000 <= host <= 4000
        assert "guess" in price.note


@pytest.mark.parametrize("broker", BROKERS)
def test_each_broker_sells_a_model_that_one_could_serve(broker: str) -> None:
    sold = [offer for offer in CATALOG.token_offers.values() if offer.provider == broker]
    assert sold
    assert all(offer.kind == "brokered" and offer.model in CATALOG.models for offer in sold)


def test_every_model_but_none_has_a_broker() -> None:
    sold = {offer.model for offer in CATALOG.token_offers.values() if offer.kind == "brokered"}
    assert {"gpt-oss-120b", "gpt-oss-20b", "Llama-3.3-70B", "Llama-3.1-8B", "DeepSeek-V3", "Mixtral-8x7B"} <= sold
    assert {"Qwen3-8B", "Qwen3-14B", "Qwen3-30B-A3B", "Qwen3-32B", "Qwen3-235B-A22B"} <= sold
    assert {"Gemma-3-12B", "Gemma-3-27B"} <= sold


@pytest.mark.parametrize("name", [name for name, each in CATALOG.token_offers.items() if each.cheaper_tier])
def test_a_cheaper_tier_is_cheaper(name: str) -> None:
    offer = CATALOG.token_offers[name]
    cheaper = CATALOG.token_offers[str(offer.cheaper_tier)]
    dear, cheap = offer_prices(offer, CATALOG)[0], offer_prices(cheaper, CATALOG)[0]
    assert cheaper.provider == offer.provider
    assert cheap.input_usd_per_mtok < dear.input_usd_per_mtok  # type: ignore[operator]
    assert cheap.output_usd_per_mtok < dear.output_usd_per_mtok  # type: ignore[operator]


@pytest.mark.parametrize("name", CATALOG.token_offers)
def test_the_batch_discount_is_what_the_list_gives(name: str) -> None:
    """And unknown where the list has no batch price."""
    offer = CATALOG.token_offers[name]
    standard, batch = offer_prices(offer, CATALOG)[0], offer_prices(offer, CATALOG, is_batch=True)[0]
    if standard.status == "unpriced" or "no batch price" in batch.reason:
        assert offer.batch_discount_fraction is None
        return
    assert offer.batch_discount_fraction is not None
    for kind in ("input_usd_per_mtok", "output_usd_per_mtok"):
        assert getattr(batch, kind) / getattr(standard, kind) == pytest.approx(1 - offer.batch_discount_fraction)


def test_siliconflows_rows_are_carried_or_named(shared_data: Path) -> None:
    with (shared_data / "prices" / "siliconflow_prices.csv").open(encoding="utf-8") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    carried: dict[str, tuple[float | None, float | None]] = {}
    for offer in CATALOG.token_offers.values():
        if offer.provider == "siliconflow":
            now = offer.prices[-1]
            carried.update(dict.fromkeys(offer.model_ids, (now.input_per_mtok, now.output_per_mtok)))
    left_out = set(rows) - set(carried)
    assert left_out <= {"deepseek-ai/DeepSeek-R1", "Qwen/Qwen2.5-7B-Instruct"}, (
        "models that the catalogue does not know"
    )
    for model in set(rows) - left_out:
        listed = float(rows[model]["input_cny_per_mtok"]), float(rows[model]["output_cny_per_mtok"])
        assert carried[model] == ((None, None) if listed == (0.0, 0.0) else listed)


def test_deepseeks_own_api_is_its_own_kind() -> None:
    own = {name: each for name, each in CATALOG.token_offers.items() if each.kind == "own_api"}
    assert {each.provider for each in own.values()} == {"deepseek"}
    assert own["deepseek-chat"].model in CATALOG.models
    assert own["deepseek-chat"].retires == date(2026, 7, 24)
    assert own["deepseek-v4-flash"].retires is None
