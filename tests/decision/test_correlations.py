"""Correlations of a scenario: read, checked, and said with the line of the file where they cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from breakeven.catalog.load import load_catalog
from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.errors import ScenarioError
from breakeven.facts.draws import DrawSet
from costing import AS_OF

CATALOG = load_catalog(AS_OF)
PAY, CORRECTION, HOURS = "engineer_usd_per_year", "correction_usd_per_hour", "correction_hours_per_event"

RENT = "gpu_rent_usd_per_gpu_hour"


def scenario_of(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "ours.yaml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path)


def pair(one: str, other: str, how: str) -> str:
    return f"  - {{between: [{one}, {other}], {how}}}\n"


def test_facts_of_the_catalogue_move_together_as_asked(tmp_path: Path) -> None:
    text = "correlations:\n" + pair(PAY, CORRECTION, "rank: 0.7") + pair(PAY, RENT, "normal: -0.4")
    scenario = scenario_of(tmp_path, text)
    draws = DrawSet(copula=scenario.copula(CATALOG))
    pay, correction = (draws.of(CATALOG.assumptions[name]) for name in (PAY, CORRECTION))
    assert spearmanr(pay, correction).statistic == pytest.approx(0.7, abs=0.01)
    rents = [each.facts[RENT] for each in CATALOG.gpu_offers.values() if RENT in each.facts]
    spread = [fact for fact in rents if fact.low < fact.typical < fact.high]
    assert len(spread) > 3
    for rent in spread:
        assert spearmanr(pay, draws.of(rent)).statistic == pytest.approx(6 / np.pi * np.arcsin(-0.4 / 2), abs=0.01)


def test_an_override_keeps_its_correlation(tmp_path: Path) -> None:
    text = (
        f"overrides:\n  {PAY}: {{low: 90000, typical: 100000, high: 300000}}\n  open_model_success_fraction: 0.9\n"
        "correlations:\n" + pair(PAY, CORRECTION, "rank: 0.7")
    )
    scenario = scenario_of(tmp_path, text)
    draws = DrawSet(copula=scenario.copula(CATALOG))
    facts = {**CATALOG.assumptions, **scenario.facts(CATALOG)}
    assert spearmanr(draws.of(facts[PAY]), draws.of(facts[CORRECTION])).statistic == pytest.approx(0.7, abs=0.01)


def test_no_correlations_no_copula() -> None:
    assert Scenario().copula(CATALOG) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (pair(PAY, CORRECTION, "rank: 1.5"), r"line 2: correlations\.0\.rank: .* less than or equal to 1 \(saw 1\.5\)"),
        (pair(PAY, CORRECTION, "normal: -2"), r"line 2: correlations\.0\.normal: .* greater than or equal to -1"),
        (pair(PAY, CORRECTION, "rank: yes"), r"line 2: correlations\.0\.rank: .*wanted a number"),
        (pair(PAY, CORRECTION, "rank: .nan"), r"line 2: correlations\.0\.rank"),
        (pair(PAY, CORRECTION, "rho: 0.5"), r"line 2: unknown key 'rho'"),
        (pair(PAY, CORRECTION, "rank: 0.5, normal: 0.5"), r"line 2: correlations\.0: .*one of `rank` and `normal`"),
        (f"  - {{between: [{PAY}, {CORRECTION}]}}\n", r"line 2: correlations\.0: .*one of `rank` and `normal`"),
        (pair(PAY, PAY, "rank: 0.5"), r"line 2: correlations\.0: .*with itself; wanted two facts"),
        (f"  - {{between: [{PAY}], rank: 0.5}}\n", r"line 2: correlations\.0"),
        (
            pair(PAY, CORRECTION, "rank: 0.5") + pair(CORRECTION, PAY, "rank: 0.4"),
            r"line 3: correlations: .* stand in .*line 2 already; delete one",
        ),
        (
            pair(PAY, CORRECTION, "rank: 0.9")
            + "\n"
            + pair(CORRECTION, HOURS, "rank: 0.9")
            + pair(PAY, HOURS, "rank: -0.9"),
            rf"line 5: correlations: not positive definite: .*{PAY} ~ {CORRECTION}, {CORRECTION} ~ {HOURS}, {PAY} ~ ",
        ),
    ],
)
def test_what_cannot_be_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=r"ours\.yaml, " + message):
        scenario_of(tmp_path, "correlations:\n" + text)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (PAY, "enginer_usd", r"line 2: correlations: no fact with a range is named 'enginer_usd'; did you mean"),
        ("success_fraction", PAY, r"line 2: correlations: no fact with a range is named 'success_fraction'"),
    ],
)
def test_a_name_without_draws_is_named_with_its_line(tmp_path: Path, one: str, other: str, message: str) -> None:
    scenario = scenario_of(tmp_path, "correlations:\n" + pair(one, other, "rank: 0.5"))
    with pytest.raises(ScenarioError, match=r"ours\.yaml, " + message):
        scenario.copula(CATALOG)


def test_two_groups_that_are_possible_each_are_possible_together(tmp_path: Path) -> None:
    text = pair(PAY, CORRECTION, "rank: 0.9") + pair("pue_ratio", "electricity_usd_per_kwh", "rank: -0.9")
    copula = scenario_of(tmp_path, "correlations:\n" + text).copula(CATALOG)
    assert copula is not None
    assert len(copula.columns) == 4


def test_the_impossible_group_is_the_one_that_is_named(tmp_path: Path) -> None:
    text = (
        pair(PAY, CORRECTION, "rank: 0.9")
        + pair("pue_ratio", "electricity_usd_per_kwh", "rank: 0.9")
        + pair(CORRECTION, HOURS, "rank: 0.9")
    )
    with pytest.raises(ScenarioError, match=r"line 4: .*" + f"{PAY} ~ {CORRECTION}, {CORRECTION} ~ {HOURS} ") as seen:
        scenario_of(tmp_path, "correlations:\n" + text)
    assert "pue_ratio" not in str(seen.value)
