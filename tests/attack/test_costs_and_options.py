"""Costs stay sane where a range, a switch or a scenario file reaches its edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.costs.energy import energy_kwh_per_month
from breakeven.costs.ownership import gpu_residual_fraction
from breakeven.decision.compare import typical
from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.errors import ScenarioError, UnknownName
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from costing import AS_OF, demand, situation_of

OPTIONS = discover_options()
DRAWS = Evaluation(DrawSet(0, 10).of)
SCALED = ("managed_huggingface_scale_to_zero", "managed_fireworks_scale_to_zero")


def cost(name: str, volume: float = 14_000.0, evaluation: Evaluation = DRAWS, **given: object) -> OptionCost:
    """One option under the overrides of a scenario; other keys are its choices."""
    overrides = given.pop("overrides", {})
    facts = Scenario(overrides=overrides).facts(load_catalog(AS_OF))  # type: ignore[arg-type]
    return OPTIONS[name].cost(situation_of(name, demand(volume), facts, **given), evaluation)


@pytest.mark.parametrize("name", sorted(OPTIONS))
@pytest.mark.parametrize("volume", [0.01, 14_000.0, 100_000.0])
def test_no_line_is_negative_in_any_future(name: str, volume: float) -> None:
    for line in cost(name, volume).breakdown.lines:
        assert np.all(np.isfinite(line.usd_per_month.value)), line.name
        assert np.all(line.usd_per_month.value >= 0), line.name


def test_scale_to_zero_bills_at_least_the_hours_that_worked() -> None:
    for name in SCALED:
        found = cost(name, 1_000_000.0)
        nodes = {node.name: node.value for node in found.facts}
        assert np.all(nodes["billed_fraction"] >= nodes["busy_fraction"])


def test_a_fleet_carries_the_mean_in_every_future() -> None:
    for name in ("rented_on_demand", "owned_gpus"):
        found = cost(name, 1_000_000.0)
        nodes = {node.name: node.value for node in found.facts}
        needed = found.requests.value / (730 * 3600) / nodes["replica_capacity_req_per_s"]
        assert np.all(nodes["replicas_count"] >= needed)


def test_a_building_draws_no_less_than_its_servers() -> None:
    assert energy_kwh_per_month(1.0, 1000.0, 0.9, 0.0, 1.0, 1.0, 730.0) == pytest.approx(730.0)


@pytest.mark.parametrize("gpu", ["A100-SXM-80", "L40S", "H100-SXM-80", "B200-SXM-180"])
def test_spot_with_fallback_never_rents_dearer_than_on_demand(gpu: str) -> None:
    spot, on_demand = (cost(name, gpu=gpu, open_model="Qwen3-8B") for name in ("rented_spot", "rented_on_demand"))
    dearer = spot.breakdown.raw_rent_usd_per_month() - on_demand.breakdown.raw_rent_usd_per_month()
    assert np.all(dearer <= 1e-9)


IMPOSSIBLE = [
    {"horizon_months": 0.0},
    {"engineer_tenure_months": 0.0},
    {"networking_share_fraction": 1.0},
    {"fine_tune_campaigns_events_per_year": 1.0, "fine_tune_mfu_fraction": 0.0},
    {"fine_tune_campaigns_events_per_year": 1.0, "fine_tune_penalty_fraction": 0.0},
    {"hourly_peak_to_mean_ratio": 0.5},
    {"burst_headroom_ratio": 0.5},
    {"pue_ratio": 0.9},
    {"ollama_over_vllm_capacity_ratio": 0.0},
]


@pytest.mark.parametrize("overrides", IMPOSSIBLE, ids=lambda each: list(each)[-1])
def test_an_impossible_value_is_refused_by_name(overrides: dict[str, float]) -> None:
    with pytest.raises(ScenarioError, match=list(overrides)[-1]):
        Scenario(overrides=overrides).facts(load_catalog(AS_OF))


def test_gpus_that_nobody_would_buy_forgo_nothing() -> None:
    for year5 in (0.0, 0.12):
        worthless = {"gpu_residual_year3_fraction": 0.0, "gpu_residual_year5_fraction": year5}
        lines = {line.name: line.usd_per_month.value for line in cost("sunk_gpus", overrides=worthless).breakdown.lines}
        assert np.all(lines["resale_forgone"] < 0.01)
    assert float(gpu_residual_fraction(12.0, 0.0, 0.0)) == pytest.approx(0.0, abs=1e-6)


def test_no_timeout_and_no_cold_start_is_billed_for_the_load_alone() -> None:
    at_once = {"idle_timeout_s": 0.0, "cold_start_s": 0.0}
    for name in SCALED:
        found = cost(name, evaluation=Evaluation(typical), overrides=at_once)
        assert np.all(np.isfinite(found.total.value))
        assert found.staircase is not None
        assert not found.staircase.kinks_mtok


def written(folder: Path, text: str) -> Path:
    path = folder / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    return path


BAD_FILES = [
    ("overrides:\n  engineer_usd_per_year: 1.0e5\n  engineer_usd_per_year: 2.0e5\n", r"ours\.yaml, line 3: .*line 2"),
    ("gpu: L4\nseed: 1\ngpu: T4\n", r"ours\.yaml, line 3: 'gpu' stands in line 1"),
    ("seed: 1\noverrides:\n  engineer_usd_per_year: yes\n", r"ours\.yaml, line 3: .*wanted a number"),
    (
        "contract_prices:\n- {provider: openai, model: gpt-5, output_usd_per_mtok: 1}\n",
        r"ours\.yaml, line 2: contract_prices\.0\.input_usd_per_mtok: Field required",
    ),
    ("as_of: 2026-02-30\n", r"ours\.yaml: .*day"),
]


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_a_file_that_says_two_things_or_nothing_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario(written(tmp_path, text))


UNKNOWN = [
    ("seed: 1\noverrides:\n  gpu_rent_eur_per_gpu_hour: 1\n", r"ours\.yaml, line 3: .*did you mean 'gpu_rent_usd"),
    ("seed: 1\ngpu: H100\n", r"ours\.yaml, line 2: no GPU named 'H100'"),
    ("small_model: Qwen3\n", r"ours\.yaml, line 1: no model named 'Qwen3'"),
    ("grid_zone: ZZZ\n", r"ours\.yaml, line 1: no carbon zone 'ZZZ'"),
    ("broker_offer: nobody\n", r"ours\.yaml, line 1: no token offer named 'nobody'"),
]


@pytest.mark.parametrize(("text", "message"), UNKNOWN)
def test_a_name_that_the_catalogue_does_not_know_is_refused_by_line(tmp_path: Path, text: str, message: str) -> None:
    scenario = load_scenario(written(tmp_path, text)).model_copy(update={"draws_log2": 8})
    with pytest.raises((UnknownName, ScenarioError), match=message):
        scenario.facts(load_catalog(AS_OF))
