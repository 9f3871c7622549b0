"""Bad input in a scenario file: contradictions, expired contracts, negative prices, zero GPUs: with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.decision.baseline import unused_contracts
from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.errors import ScenarioError
from costing import AS_OF
from workload.typed_calls import call, table

CATALOG = load_catalog(AS_OF)
CONTRACT = "provider: openai, model: gpt-5, input_usd_per_mtok: 1.0, output_usd_per_mtok: 8.0"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"contract_prices:\n  - {{{CONTRACT}}}\n  - {{{CONTRACT.replace('1.0', '2.0')}}}\n",
            r"ours\.yaml, line 3: a second price of openai/gpt-5 for the same time as .*, line 2; end the older",
        ),
        (
            f"contract_prices:\n  - {{{CONTRACT}, until: 2026-06-01}}\n\n"
            f"  - {{{CONTRACT.replace('gpt-5', 'GPT-5')}, since: 2026-05-01}}\n",
            r"ours\.yaml, line 4: a second price of openai/GPT-5 .* line 2",
        ),
        (
            f"contract_prices:\n  - {{{CONTRACT.replace('1.0', '-1.0')}}}\n",
            r"ours\.yaml, line 2: contract_prices\.0\.input_usd_per_mtok: .* greater than or equal to 0 \(saw -1\.0\)",
        ),
        (
            f"contract_prices:\n  - {{{CONTRACT}, since: 2026-06-01, until: 2026-01-01}}\n",
            r"ours\.yaml, line 2: contract price of 'gpt-5': ends 2026-01-01, before it starts 2026-06-01",
        ),
        (
            "seed: 1\noverrides:\n  gpu_rent_usd_per_gpu_hour: -1.65\n",
            r"ours\.yaml, line 3: overrides: 'gpu_rent_usd_per_gpu_hour' is -1\.65; wanted zero or more, in usd/hour",
        ),
        (
            "overrides:\n  provisioned_unit_tok_per_s: {low: 0, typical: 1, high: 2}\n",
            r"ours\.yaml, line 2: overrides: 'provisioned_unit_tok_per_s' is 0 to 2; wanted more than zero",
        ),
        ("\ngpus_per_replica_count: 0\n", r"ours\.yaml, line 2: gpus_per_replica_count: .* \(saw 0\)"),
        ("require: {retention_max_days: -1}\n", r"ours\.yaml, line 1: require\.retention_max_days: .* \(saw -1\)"),
        (
            "require:\n  jurisdiction: [DE]\n",
            r"ours\.yaml, line 2: unknown key 'jurisdiction'; did you mean 'jurisdictions'",
        ),
        (
            "providers:\n  openai:\n    retention: 0\n",
            r"ours\.yaml, line 3: unknown key 'retention'; did you mean 'retention_days'",
        ),
        ("region: fr\n", r"ours\.yaml, line 1: region: .*'us', 'de', 'uk', 'ie' or 'eu' \(saw 'fr'\)"),
        ("team: some\n", r"ours\.yaml, line 1: team: .*'existing' or 'new_hires' \(saw 'some'\)"),
    ],
)
def test_what_cannot_be_is_named_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario(write(tmp_path, text))


def test_contract_lines_one_after_the_other_and_for_batch_do_not_contradict(tmp_path: Path) -> None:
    text = (
        f"contract_prices:\n  - {{{CONTRACT}, until: 2026-06-01}}\n  - {{{CONTRACT}, since: 2026-06-01}}\n"
        f"  - {{{CONTRACT.replace('1.0', '0.5')}, is_batch: true}}\n"
    )
    scenario = load_scenario(write(tmp_path, text))
    assert [price.is_batch for price in scenario.contract()] == [False, False, True]
    assert scenario.contract_prices[2].place.endswith("ours.yaml, line 4")


def test_a_contract_that_has_ended_is_named_with_its_line_and_day(tmp_path: Path) -> None:
    calls = table(call(number, number) for number in range(3))
    text = f"# ours\ncontract_prices:\n  - {{{CONTRACT}, until: 2026-06-01}}\n"
    scenario = load_scenario(write(tmp_path, text))
    (said,) = unused_contracts(calls, CATALOG, scenario)
    assert said == f"openai/gpt-5 ({tmp_path / 'ours.yaml'}, line 3: ended on 2026-06-01)"
    line = scenario.contract_prices[0].model_dump()
    later = Scenario(contract_prices=[{**line, "until": None, "since": "2027-01-01"}])
    assert unused_contracts(calls, CATALOG, later) == ["openai/gpt-5 (begins on 2027-01-01)"]
    still = Scenario(contract_prices=[{**line, "until": "2026-12-01"}])
    assert unused_contracts(calls, CATALOG, still) == []


def test_the_choices_carry_what_the_scenario_says(tmp_path: Path) -> None:
    text = (
        "tier_model: openai/gpt-5-mini\ndeepseek_offer: deepseek-chat\nsmall_model: Qwen3-14B\nsmall_gpu: T4\n"
        "region: de\nteam: new_hires\nrequire: {jurisdictions: [EU], retention_max_days: 7, no_training: true}\n"
        "providers: {acme: {jurisdiction: DE, certifications: [ISO 27001]}}\n"
    )
    choices = load_scenario(write(tmp_path, text)).choices()
    assert (choices.tier_model, choices.deepseek_offer) == ("openai/gpt-5-mini", "deepseek-chat")
    assert (choices.small_model, choices.small_gpu) == ("Qwen3-14B", "T4")
    assert (choices.region, choices.team) == ("de", "new_hires")
    assert choices.require.jurisdictions == ("EU",)
    assert choices.require.retention_max_days == 7
    assert choices.require
    assert choices.providers["acme"].certifications == ("ISO 27001",)
    assert choices.providers["acme"].retention_days is None
    assert not Scenario().choices().require


def test_a_regions_facts_lie_under_what_is_overridden() -> None:
    here = Scenario(region="de").facts(CATALOG)
    assert Scenario().facts(CATALOG) == {}
    assert here["engineer_usd_per_year"].typical != CATALOG.assumptions["engineer_usd_per_year"].typical
    own = Scenario(region="de", overrides={"engineer_usd_per_year": 100_000.0}).facts(CATALOG)
    assert own["engineer_usd_per_year"].typical == 100_000.0
    assert own["electricity_usd_per_kwh"] == here["electricity_usd_per_kwh"]
