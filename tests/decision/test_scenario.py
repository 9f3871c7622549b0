"""The scenario file: every key pinned or overridden, unknown ones refused with line and nearest right one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from breakeven.catalog.load import load_catalog
from breakeven.decision.scenario import Scenario, load_scenario, scenario_template
from breakeven.errors import ScenarioError, UnknownName
from costing import AS_OF


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_template_is_the_default_scenario(tmp_path: Path) -> None:
    assert load_scenario(write(tmp_path, scenario_template())) == Scenario()


def test_the_template_shows_every_key() -> None:
    assert set(yaml.safe_load(scenario_template())) == set(Scenario.model_fields)


def test_an_unknown_key_is_refused_with_line_and_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "seed: 1\nopen_modell: gpt-oss-120b\n")
    with pytest.raises(
        ScenarioError, match=r"scenario\.yaml, line 2: unknown key 'open_modell'; did you mean 'open_model'"
    ):
        load_scenario(path)


def test_short_names_of_options_are_taken_and_an_unknown_one_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("seed: 1\noptions: [api, spot]\n", encoding="utf-8")
    assert load_scenario(path).options == ("frontier_api", "rented_spot")
    path.write_text("seed: 1\noptions: [brokerd]\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"line 2: options: no option named 'brokerd'; did you mean 'brokered'"):
        load_scenario(path)


def test_an_unknown_key_inside_a_range_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "overrides:\n  engineer_usd_per_year: {low: 1, typical: 2, hihg: 3}\n")
    with pytest.raises(ScenarioError, match=r"line 2: unknown key 'hihg'; did you mean 'high'"):
        load_scenario(path)


def test_an_impossible_range_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "overrides:\n  a: 1\n  engineer_usd_per_year: {low: 3, typical: 2, high: 3}\n")
    with pytest.raises(ScenarioError, match=r"line 3: .*low <= typical <= high does not hold: 3.0, 2.0, 3.0"):
        load_scenario(path)


def test_an_unknown_fact_is_refused_with_the_nearest(tmp_path: Path) -> None:
    scenario = load_scenario(write(tmp_path, "overrides: {engineer_usd_per_yaer: 180000}\n"))
    with pytest.raises(
        ScenarioError, match="no fact is named 'engineer_usd_per_yaer'; did you mean 'engineer_usd_per_year'"
    ):
        scenario.facts(load_catalog(AS_OF))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("overrides: {open_model_success_fraction: 1.2}", "a fraction lies between 0 and 1"),
        ("overrides: {engineer_usd_per_year: -5}", "wanted zero or more"),
    ],
)
def test_impossible_values_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario(write(tmp_path, text)).facts(load_catalog(AS_OF))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list", "saw a list"),
        ("seed: [", "not valid YAML"),
        ("seed: minus one", "line 1: seed"),
        ("draws_log2: 40", "line 1: draws_log2"),
        ("as_of: yesterday", "line 1: as_of"),
    ],
)
def test_damaged_files_are_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load_scenario(write(tmp_path, text))


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="`breakeven init` writes a scenario file"):
        load_scenario(tmp_path / "none.yaml")


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load_scenario(write(tmp_path, "")) == Scenario()


def test_set_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "overrides: {engineer_usd_per_year: 180000}\n")
    facts = load_scenario(path, {"engineer_usd_per_year": "200000"}).facts(load_catalog(AS_OF))
    assert facts["engineer_usd_per_year"].typical == 200_000
    with pytest.raises(ScenarioError, match="wanted a number"):
        load_scenario(None, {"engineer_usd_per_year": "a lot"})


def test_an_override_keeps_the_dimension_of_its_name() -> None:
    catalog = load_catalog(AS_OF)
    scenario = Scenario(overrides={"gpu_rent_usd_per_gpu_hour": 1.65, "engineer_usd_per_year": 1.0})
    facts = scenario.facts(catalog)
    assert facts["engineer_usd_per_year"].dimension == catalog.assumptions["engineer_usd_per_year"].dimension
    assert facts["gpu_rent_usd_per_gpu_hour"].dimension is not None


def test_the_digest_changes_with_the_content_only(tmp_path: Path) -> None:
    one = load_scenario(write(tmp_path, "seed: 1\n"))
    assert one.digest() == load_scenario(write(tmp_path, "# comment\nseed: 1\n")).digest()
    assert one.digest() != Scenario().digest()


def test_a_grid_zone_replaces_the_range_over_grids() -> None:
    catalog = load_catalog(AS_OF)
    found = Scenario(grid_zone="FRA").facts(catalog)["grid_carbon_g_per_kwh"]
    default = catalog.assumptions["grid_carbon_g_per_kwh"]
    assert found.typical < default.typical / 3, "France's grid is far below the world's"
    assert found.dimension == default.dimension
    own = Scenario(grid_zone="FRA", overrides={"grid_carbon_g_per_kwh": 100.0}).facts(catalog)
    assert own["grid_carbon_g_per_kwh"].typical == 100.0, "what the user says wins"
    with pytest.raises(UnknownName, match="FRAN"):
        Scenario(grid_zone="FRAN").facts(catalog)
