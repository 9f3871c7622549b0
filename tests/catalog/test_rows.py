"""What every row of the bundled catalogue must be, whoever adds it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from breakeven.catalog.checks import all_assumptions, is_price, may_be_negative
from breakeven.catalog.files import read_files
from breakeven.catalog.load import load_catalog
from breakeven.catalog.schema import DatedRange, SourceEntry
from breakeven.catalog.token_prices import offer_prices
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source
from breakeven.units import unit_of

FILES = read_files()
CATALOG = load_catalog(FILES.catalogue.content.checked)
DATED = [(name, value) for _, name, entry in all_assumptions(FILES) for value in entry.values]
OFFERED = [
    pytest.param(fact, id=f"{offer.name}.{name}")
    for offer in CATALOG.gpu_offers.values()
    for name, fact in offer.facts.items()
]
ASSUMPTIONS = [pytest.param(each, id=name) for name, each in CATALOG.assumptions.items()] + OFFERED


def _sources() -> Iterator[tuple[str, Source]]:
    for name, each in CATALOG.assumptions.items():
        yield name, each.source
    for offer in CATALOG.gpu_offers.values():
        for name, fact in offer.facts.items():
            yield f"{offer.name}.{name}", fact.source
    for group in (CATALOG.token_offers, CATALOG.gpus, CATALOG.models):
        for name, thing in group.items():
            yield name, thing.source
    for tokens in CATALOG.token_offers.values():
        for prices in tokens.prices:
            yield f"{tokens.name}@{prices.since}", prices.source


@pytest.mark.parametrize("assumption", ASSUMPTIONS)
def test_an_assumption_has_unit_range_and_dimension(assumption: Assumption) -> None:
    assert assumption.unit == unit_of(assumption.name)
    assert assumption.low <= assumption.typical <= assumption.high
    assert assumption.low >= 0 or may_be_negative(assumption.name)
    assert assumption.dimension is not None
    if assumption.unit == "fraction":
        assert assumption.high <= 1
    if is_price(assumption.name):
        assert assumption.low > 0
    assert assumption.note.endswith((".", ")")), "a note is a sentence: what it covers, how it was converted"


@pytest.mark.parametrize(("name", "source"), [pytest.param(*each, id=each[0]) for each in _sources()])
def test_a_source_can_be_found_again(name: str, source: Source) -> None:
    assert source.title.strip()
    assert source.link.strip()
    assert isinstance(source.grade, Grade)
    assert date(2019, 1, 1) <= source.read <= CATALOG.checked


@pytest.mark.parametrize(("name", "value"), [pytest.param(*each, id=f"{each[0]}@{each[1].since}") for each in DATED])
def test_a_guess_says_so(name: str, value: DatedRange) -> None:
    if value.source.grade is Grade.GUESS:
        text = f"{value.source.title} {value.note}".lower()
        assert any(word in text for word in ("guess", "estimate", "choice")), f"{name} must admit that it is a guess"


def test_no_two_names_share_a_dimension_and_offers_share_theirs() -> None:
    by_name = {name: entry.dimension for _, name, entry in all_assumptions(FILES)}
    assert len(set(by_name.values())) == len(by_name)
    for where, name, entry in all_assumptions(FILES):
        assert entry.dimension == by_name[name], str(where)


def test_the_decisive_names_have_the_low_dimensions() -> None:
    dimensions = {name: entry.dimension for _, name, entry in all_assumptions(FILES)}
    decisive = (
        "gpu_rent_usd_per_gpu_hour",
        "engineer_usd_per_year",
        "engineering_fte_cluster_count",
        "short_window_volume_ratio",
        "open_model_success_fraction",
        "frontier_success_fraction",
    )
    assert max(dimensions[name] for name in decisive) < 16


def test_every_offered_gpu_and_open_model_exists() -> None:
    assert {offer.gpu for offer in CATALOG.gpu_offers.values()} <= set(CATALOG.gpus)
    assert {offer.model for offer in CATALOG.token_offers.values() if offer.kind == "brokered"} <= set(CATALOG.models)


def test_spot_is_cheaper_than_on_demand_at_every_quantile() -> None:
    rent = "gpu_rent_usd_per_gpu_hour"
    for day in (date(2026, 6, 1), CATALOG.checked):
        offers = load_catalog(day).gpu_offers
        spot, on_demand = (offers[f"h100-sxm-{term}"].facts[rent] for term in ("spot", "on-demand"))
        assert spot.low < on_demand.low
        assert spot.typical < on_demand.typical
        assert spot.high < on_demand.high


@pytest.mark.parametrize("name", CATALOG.token_offers)
def test_every_token_offer_has_a_price_or_says_why_not(name: str) -> None:
    offer = CATALOG.token_offers[name]
    rows = offer_prices(offer, CATALOG)
    assert rows
    for row in rows:
        if name == "siliconflow-qwen3-8b":
            assert row.status == "unpriced"
            assert "free tier" in row.reason
        else:
            assert row.status == "priced"
            assert row.input_usd_per_mtok is not None
            assert 0 < row.input_usd_per_mtok < 100
            assert row.output_usd_per_mtok is not None
            assert row.output_usd_per_mtok >= row.input_usd_per_mtok


def test_foreign_currency_has_a_dated_rate_with_a_range() -> None:
    currencies = {offer.currency.lower() for offer in CATALOG.token_offers.values()} - {"usd"}
    assert currencies == {"cny"}
    for currency in currencies:
        rate = CATALOG.fx[currency]
        assert rate.name == f"usd_per_{currency}"
        assert rate.low < rate.typical < rate.high
        assert CATALOG.assumptions[rate.name] == rate


@pytest.mark.parametrize("name", CATALOG.models)
def test_the_size_of_weights_follows_from_the_counts(name: str) -> None:
    """2 bytes a parameter in bf16; 1 byte and 4 to 4.5 bits plus 16-bit embeddings in FP8 and FP4."""
    model = CATALOG.models[name]
    billions = model.params_count / 1e9
    bytes_per_param = {"bf16": (2.0, 2.0), "fp8": (1.0, 1.2), "fp4": (0.53, 0.79)}
    for precision, size in model.weights_gb_by_precision.items():
        low, high = bytes_per_param[precision]
        assert low * billions * 0.999 <= size <= high * billions * 1.001
        assert 0 <= model.expert_weights_fraction(precision) < 1
        assert (model.expert_weights_fraction(precision) > 0.5) == model.is_moe


@pytest.mark.parametrize("name", CATALOG.models)
def test_the_kv_cache_follows_from_the_architecture(name: str) -> None:
    model = CATALOG.models[name]
    growing = model.layers_count - model.state_layers_count
    if model.latent_attention:  # 512 + 64 values per token and layer, and 132 bytes where a layer has an indexer
        indexer_layers, rest = divmod(model.kv_bytes_per_token - growing * 576 * 2, 128 + 4)
        assert rest == 0
        assert (indexer_layers > 0) == (model.sparse_attention_tokens > 0)
        assert 0 <= indexer_layers <= growing
    else:
        assert model.kv_bytes_per_token == 2 * growing * model.kv_heads_count * model.head_dim_count * 2
    assert model.sliding_layers_count < model.layers_count
    assert (model.sliding_layers_count > 0) == (model.sliding_window_tokens > 0)


def test_worked_figures_of_the_notes() -> None:
    spot = CATALOG.assumptions["spot_interruption_events_per_replica_month"]
    from math import exp, log

    monthly = [1 - exp(-rate) for rate in (spot.low, spot.typical, spot.high)]
    assert monthly == pytest.approx([0.15, 0.175, 0.20], abs=5e-5)
    gpu = CATALOG.assumptions["gpu_interruptions_events_per_gpu_year"]
    for events, rate in ((148, gpu.low), (220, gpu.typical), (419, gpu.high)):
        assert events / 16384 / 54 * 365 == pytest.approx(rate, rel=0.01)
    p95 = 200_000 * 100 ** (1.6448536 / 1.2815516)
    assert CATALOG.assumptions["breach_loss_p95_usd"].high == pytest.approx(p95, rel=0.01)
    assert log(7.0197) == pytest.approx(-log(CATALOG.fx["cny"].typical), abs=1e-4)


def test_entries_of_unknown_origin_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="link"):
        SourceEntry.model_validate({"title": "T", "read": date(2026, 1, 1), "grade": "guess"})
