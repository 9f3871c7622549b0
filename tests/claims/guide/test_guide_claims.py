"""Each claim's arithmetic against figures worked out here by other means, and verdicts that turn when inputs do."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breakeven.catalog.load import Catalog
from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.discover import finding_of, guide_claims
from breakeven.claims.guide.finding import Figure, Finding
from breakeven.claims.guide.reference_workload import reference_demand
from breakeven.claims.guide.small_share import PUBLIC, breakeven_share
from breakeven.claims.guide.stay_on_api import GUIDE_MTOK
from breakeven.claims.guide.total_over_rent import fleet_ratio
from breakeven.decision.comparison import leaf_nodes
from breakeven.decision.scenario import ContractPriceEntry, Scenario
from breakeven.errors import UnknownName
from breakeven.options.assembly.offers import token_offer_prices
from breakeven.options.option import Evaluation

Find = Callable[..., Finding]


def figures(finding: Finding) -> dict[str, Figure]:
    return {each.key: each for each in finding.figures}


def medians(finding: Finding) -> dict[str, float]:
    return {each.key: each.range.p50 for each in finding.figures}


def rows(finding: Finding, table: int = 0) -> list[list[float | str]]:
    return [[cell if isinstance(cell, str) else cell.range.p50 for cell in row] for row in finding.tables[table].rows]


@pytest.fixture(scope="module")
def findings(bench: Bench) -> dict[str, Finding]:
    return {each.id: finding_of(each, bench) for each in guide_claims()}


def test_the_guide_has_thirteen_claims_and_every_one_was_tested(findings: dict[str, Finding]) -> None:
    assert len(findings) == 13
    assert {each.verdict for each in findings.values()} <= {"holds", "depends", "does not hold"}
    for each in findings.values():
        assert bool(each.depends_on) == (each.verdict == "depends")
        assert each.scenario


def test_every_claim_has_words_a_figure_and_a_trace_down_to_something_said(findings: dict[str, Finding]) -> None:
    for claim in guide_claims():
        finding = findings[claim.id]
        assert claim.words.endswith((".", '".')), claim.id
        assert claim.says
        assert finding.figures
        for figure in finding.figures:
            assert figure.node.unit
            for leaf in leaf_nodes([figure.node]):
                assert leaf.source is not None or leaf.summary, (
                    f"{claim.id}.{figure.key}: {leaf.name} comes from nowhere"
                )


def test_an_unknown_claim_is_refused_with_the_nearest(bench: Bench) -> None:
    with pytest.raises(UnknownName, match="did you mean 'hybrid-saves'"):
        guide_claims(("hybrid-save",))


def test_rent_of_a_year(findings: dict[str, Finding]) -> None:
    found = medians(findings["ten-thousand-a-year"])
    assert found["always"] == pytest.approx(14_454)
    assert found["released"] == pytest.approx(10_117.8)


@pytest.mark.parametrize(
    ("rent", "verdict"), [(1.65, "holds"), (1.75, "holds"), (2.4, "does not hold"), (5.0, "does not hold")]
)
def test_the_spot_rent_holds_only_when_it_is_quoted(find: Find, rent: float, verdict: str) -> None:
    assert find("h100-spot-rent", {"gpu_rent_usd_per_gpu_hour": rent}).verdict == verdict


def test_the_quotes_are_the_catalogues(catalog: Catalog, findings: dict[str, Finding]) -> None:
    found = medians(findings["h100-spot-rent"])
    offers = {
        "sxm_spot": "h100-sxm-spot",
        "sxm_on_demand": "h100-sxm-on-demand",
        "sxm_one_year": "h100-sxm-one-year",
        "pcie_spot": "h100-pcie-spot",
        "nvl_spot": "h100-nvl-spot",
    }
    for key, name in offers.items():
        typical = catalog.gpu_offers[name].facts["gpu_rent_usd_per_gpu_hour"].typical
        assert found[key] == pytest.approx(typical, rel=2e-2)


def test_ten_thousand_holds_at_a_rent_that_makes_it_so(find: Find) -> None:
    assert find("ten-thousand-a-year", {"gpu_rent_usd_per_gpu_hour": 10_000 / 8_760}).verdict == "holds"


def test_the_fleet_of_the_table_has_its_size_and_an_engineer_costs_one(bench: Bench) -> None:
    """Rent is GPUs x price x 730; a second engineer adds one yearly cost, and what it keeps from other work."""
    rent = bench.quoted_rent("H100-SXM-80", "on_demand").value
    ratios = {}
    for gpus in (1, 2, 8, 32):
        one, two = (fleet_ratio(bench, gpus, {"engineering_fte_count": fte}, "existing") for fte in (1.0, 2.0))
        assert one is not None
        assert two is not None
        raw = one.inputs[1].value
        assert raw == pytest.approx(gpus * rent * 730)
        engineer = bench.fact("engineer_usd_per_year").value / 12
        added = engineer * (1 + bench.fact("opportunity_premium_fraction").value)
        assert (two.value - one.value) * raw == pytest.approx(added)
        ratios[gpus] = float(np.median(one.value))
    assert ratios[1] > ratios[2] > ratios[8] > ratios[32]


def test_hired_people_are_whole(bench: Bench) -> None:
    """One GPU takes a fraction of an engineer: hired it is a whole one, so it costs more."""
    shared, hired = (fleet_ratio(bench, 1, {}, team) for team in ("existing", "new_hires"))
    assert shared is not None
    assert hired is not None
    assert np.median(hired.value) > 1.5 * np.median(shared.value)


def test_what_a_broker_saves_is_the_ratio_of_two_bills(bench: Bench, findings: dict[str, Finding]) -> None:
    table = rows(findings["brokered-saves"])
    volumes = [row[0] for row in table]
    mtok = 10_000.0
    row = table[volumes.index(mtok)]
    at = Evaluation(bench.draws.of, np.asarray([mtok]))
    own, rented, api = (
        bench.options[name].cost(bench.situation, at) for name in ("brokered", "rented_on_demand", "frontier_api")
    )
    per_success = [each.total.value / each.success.value for each in (own, rented, api)]
    assert row[3] == pytest.approx(np.median(1 - per_success[0] / per_success[1]))
    assert row[4] == pytest.approx(np.median(1 - per_success[0] / per_success[2]))


def test_per_token_and_per_thousand(catalog: Catalog, findings: dict[str, Finding]) -> None:
    found = medians(findings["per-token-price"])
    assert found["literal_bill"] == pytest.approx(10e9 * 0.001)
    assert (found["read_bill"], found["read_bill_high"]) == pytest.approx((10_000, 20_000))
    sellers = [
        each for each in catalog.token_offers.values() if each.model == "gpt-oss-120b" and each.kind == "brokered"
    ]
    prices = [token_offer_prices(catalog, each.name).facts for each in sellers]
    by_hand = [
        0.75 * each["input_usd_per_mtok"].typical + 0.25 * each["output_usd_per_mtok"].typical for each in prices
    ]
    assert found["broker"] == pytest.approx(min(by_hand))
    assert found["times"] == pytest.approx(1 / min(by_hand))
    assert findings["per-token-price"].verdict == "does not hold"


def test_what_would_have_to_hold_for_47000_to_8000(findings: dict[str, Finding]) -> None:
    """Put back: the bill after moving the share at the price is 8,000."""
    finding = findings["from-47000-to-8000"]
    found = medians(finding)
    assert found["cut"] == pytest.approx(39 / 47)
    assert 47_000 * found["all_ratio"] == pytest.approx(8_000)
    assert 47_000 * (0.1 + 0.9 * found["most_ratio"]) == pytest.approx(8_000)
    assert 47_000 * (1 - found["free"]) > 8_000
    solved = [(row[1], row[2]) for row in rows(finding) if not isinstance(row[2], str)]
    assert len(solved) >= 2
    for ratio, share in solved:
        assert isinstance(ratio, float)
        assert isinstance(share, float)
        assert 47_000 * (1 - share + share * ratio) == pytest.approx(8_000, rel=1e-3)
    impossible = [row[1] for row in rows(finding) if isinstance(row[2], str)]
    assert all(isinstance(ratio, float) and 47_000 * ratio > 8_000 for ratio in impossible)
    token_price = 0.75 * 1.25 + 0.25 * 10
    assert found["volume"] == pytest.approx(47_000 / token_price)


def test_the_cut_does_not_hold_where_nothing_is_cheap_enough(find: Find) -> None:
    """Contract prices a tenth of the list: no open model is 5.9 times cheaper any more, and all-in costs stay."""
    cheap = ContractPriceEntry(provider="openai", model="gpt-5", input_usd_per_mtok=0.05, output_usd_per_mtok=0.05)
    assert find("from-47000-to-8000", contract_prices=(cheap,)).verdict == "does not hold"


def test_the_break_even_share_is_where_the_two_bills_meet(bench: Bench) -> None:
    """Bisection on the share, each part costed alone."""
    facts = bench.situation.catalog.assumptions
    alike = bench.with_facts({"success_fraction": replace(facts["frontier_success_fraction"], name="success_fraction")})
    small = replace(alike, choices=replace(alike.choices, open_model="Llama-3.1-8B"))

    def gap(share: float) -> float:
        parts = ((alike, "frontier_api", 1 - share), (small, "brokered", share), (alike, "frontier_api", 1.0))
        kept, moved, stays = (
            float(bench.typical_cost(name, np.asarray([10_000 * part]), of).total.value.flat[0])
            for of, name, part in parts
        )
        return kept + moved - stays

    low, high = 0.001, 0.999
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if gap(middle) >= 0 else (low, middle)
    found = breakeven_share(bench, alike, "brokered", 10_000.0)
    assert found is not None
    assert float(found.value[0]) == pytest.approx(high, abs=1e-3)


@pytest.mark.parametrize(("share", "verdict"), [(0.85, "holds"), (0.5, "does not hold")])
def test_your_own_audit_decides_what_fits_a_small_model(find: Find, share: float, verdict: str) -> None:
    assert find("most-calls-fit-a-7b", {"hybrid_commodity_share_fraction": share}).verdict == verdict
    assert find("most-calls-fit-a-7b").verdict == "depends"


@pytest.mark.usefixtures("long_csv_fields")
def test_the_public_routing_figures(shared_data: Path) -> None:
    files = (
        ("llmrouter_9models", "llama-3.1-8b-instruct", "llama-3.1-nemotron-51b-instruct"),
        ("routerbench_subset", "mistralai/mistral-7b-chat", "gpt-4-1106-preview"),
    )
    for (name, small, large), carried in zip(files, PUBLIC, strict=True):
        with gzip.open(shared_data / "routing" / f"{name}.csv.gz", "rt", newline="") as file:
            outcomes = [(float(row[f"score__{small}"]), float(row[f"score__{large}"])) for row in csv.DictReader(file)]
        right = [each for each in outcomes if each[1] >= 0.5]
        assert (sum(each[0] >= 0.5 for each in right), len(right)) == carried[2:4]


def test_a_hybrid_costs_more_where_it_pays_for_both(bench: Bench, findings: dict[str, Finding]) -> None:
    table = rows(findings["hybrid-saves"])
    small, large = table[0], table[-1]
    for row in (small, large):
        _, hybrid, api, _, saved, _ = row
        assert isinstance(hybrid, float)
        assert isinstance(api, float)
        assert isinstance(saved, float)
        assert np.sign(saved) == np.sign(api - hybrid)
    assert isinstance(small[5], float)
    assert small[5] > 0.5
    assert isinstance(large[5], float)
    assert large[5] < 0.1


def test_a_hybrid_does_not_save_where_nothing_moves(find: Find) -> None:
    assert find("hybrid-saves", {"hybrid_commodity_share_fraction": 0.05}).verdict == "does not hold"


def test_seventy_over_seven_counts_prices_by_hand(catalog: Catalog, findings: dict[str, Finding]) -> None:
    table = {str(row[0]): row for row in rows(findings["seventy-is-ten-sevens"])}

    def cheapest(model: str) -> float:
        sold = [each for each in catalog.token_offers.values() if each.model == model and each.kind == "brokered"]
        prices = [token_offer_prices(catalog, each.name).facts for each in sold]
        return min(0.75 * p["input_usd_per_mtok"].typical + 0.25 * p["output_usd_per_mtok"].typical for p in prices)

    _, large, small, ratio = table["token price"]
    assert ratio == pytest.approx(cheapest(str(large)) / cheapest(str(small)), rel=2e-2)
    parameters = table["parameters"]
    models = catalog.models
    assert parameters[3] == pytest.approx(
        models[str(parameters[1])].params_count / models[str(parameters[2])].params_count
    )


def test_small_models_win_when_they_succeed(find: Find) -> None:
    overrides = {"small_model_success_fraction": 0.97, "mid_model_success_fraction": 0.6}
    overrides |= {"large_model_success_fraction": 0.6, "moe_model_success_fraction": 0.6}
    assert find("small-models-gold-standard", overrides).verdict == "holds"
    assert find("small-models-gold-standard", {"small_model_success_fraction": 0.3}).verdict == "does not hold"


def test_mid_models_against_the_tier_turn_with_success(find: Find) -> None:
    better = {"mid_model_success_fraction": 0.98, "cheaper_tier_success_fraction": 0.6}
    worse = {"mid_model_success_fraction": 0.4, "cheaper_tier_success_fraction": 0.95}
    assert find("mid-models-beat-mid-tier", better).verdict == "holds"
    assert find("mid-models-beat-mid-tier", worse).verdict == "does not hold"


def test_breach_turns_with_its_rate_and_exposure(find: Find) -> None:
    assert find("breach-outweighs-savings").verdict == "does not hold"
    wild = {
        "breach_incident_events_per_year": 200.0,
        "api_breach_exposure_ratio": 2.0,
        "selfhost_breach_exposure_ratio": 0.1,
    }
    assert find("breach-outweighs-savings", wild).verdict == "holds"


def test_the_rate_of_breaches_that_would_turn_it(findings: dict[str, Finding], catalog: Catalog) -> None:
    """At that rate the typical difference in loss is the extra cost: a difference of exposures, not a breach."""
    found = medians(findings["breach-outweighs-savings"])
    facts = {name: each.typical for name, each in catalog.assumptions.items()}
    exposure = facts["api_breach_exposure_ratio"] - facts["selfhost_breach_exposure_ratio"]
    sigma = np.log(facts["breach_loss_p95_usd"] / facts["breach_loss_median_usd"]) / 1.6448536269514722
    losses = facts["breach_loss_median_usd"] * np.exp(sigma * np.random.default_rng(3).standard_normal(4_000_000))
    mean_usd = float(np.minimum(losses, facts["breach_loss_cap_usd"]).mean())
    assert found["flip"] * exposure * mean_usd / 12 == pytest.approx(found["extra"], rel=0.03)


def test_sixty_million_is_below_every_break_even(bench: Bench, findings: dict[str, Finding]) -> None:
    """The first GPU option's volume: just below it the API is cheaper, just above it the option."""
    finding = findings["under-60-million-stay"]
    assert finding.verdict == "holds"
    first = figures(finding)["first"]
    assert first.range.p50 > GUIDE_MTOK
    gpt5 = {str(row[0]): row[1] for row in rows(finding, 1)}
    at = gpt5["Rented GPUs, on demand"]
    assert isinstance(at, float)
    for volume, api_wins in ((at * 0.999, True), (at * 1.001, False)):
        api, own = (
            bench.typical_cost(name, np.asarray([volume]), bench.with_frontier("openai/gpt-5"))
            for name in ("frontier_api", "rented_on_demand")
        )
        per_success = [float((each.total.value / each.success.value).flat[0]) for each in (api, own)]
        assert (per_success[0] < per_success[1]) is api_wins


def test_a_dear_contract_turns_sixty_million(find: Find) -> None:
    """One frontier model at 3,000 USD a million tokens: there the API loses, at the others it wins."""
    dear = ContractPriceEntry(provider="openai", model="gpt-5", input_usd_per_mtok=3_000, output_usd_per_mtok=3_000)
    assert find("under-60-million-stay", contract_prices=(dear,)).verdict == "depends"


def test_what_cannot_be_had_is_not_tested_and_says_why(find: Find) -> None:
    finding = find("brokered-saves", require={"jurisdictions": ["XX"]})
    assert finding.verdict == "not tested"
    assert "jurisdiction" in finding.because


def test_the_reference_workload_is_the_stated_one(catalog: Catalog) -> None:
    demand = reference_demand(catalog, Scenario())
    assert demand.requests_count == 500_000
    assert demand.mix.tokens == 1_000_000_000
    assert demand.mix.output_tokens / demand.mix.tokens == 0.25
    assert demand.hourly_peak_to_mean_ratio == 3.3
    assert "invented" in demand.source.title
