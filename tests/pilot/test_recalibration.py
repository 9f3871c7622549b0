"""Recalibration: the file that is written is a scenario, and the real reader takes the measured ranges from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.decision.scenario import load_scenario
from breakeven.facts.source import Grade
from breakeven.pilot.forecast_check import forecast_lines
from breakeven.pilot.recalibration import measured_overrides, recalibrated
from pilot.test_forecast_check import promise, rows

TODAY = date(2026, 11, 26)


def test_the_scenario_reader_takes_what_was_measured(tmp_path: Path) -> None:
    plan = promise(name="first: #1\nwith a line", promised_from="compare.json (4f0c)")
    lines = forecast_lines(plan, rows(pairs=8 * 1440 + 10))
    file = tmp_path / "measured.yaml"
    file.write_text(recalibrated(plan, lines, TODAY), encoding="utf-8")
    scenario = load_scenario(file)
    facts = scenario.facts(load_catalog(TODAY))
    happened = {each.assumption: each.happened for each in lines if each.assumption}
    for name in ("frontier_success_fraction", "moe_model_success_fraction"):
        fact = facts[name]
        assert (fact.low, fact.typical, fact.high) == pytest.approx(
            (happened[name].low, happened[name].value, happened[name].high), abs=1e-6
        )
        assert fact.source.grade is Grade.MEASURED
        assert "pilot" in fact.source.title and "2026-11-26" in fact.source.title
    volume = facts["volume_over_observed_ratio"]
    assert volume.typical == pytest.approx(1.0) and volume.low <= 1.0 <= volume.high
    assert "compare.json" in file.read_text(encoding="utf-8")


def test_what_has_no_interval_is_not_written(tmp_path: Path) -> None:
    plan = promise()
    lines = forecast_lines(plan, rows(pairs=20))
    assert measured_overrides(plan, lines, TODAY) == {}
    file = tmp_path / "measured.yaml"
    file.write_text(recalibrated(plan, lines, TODAY), encoding="utf-8")
    assert load_scenario(file).overrides == {}


def test_nothing_but_assumptions_is_written() -> None:
    plan = promise()
    lines = forecast_lines(plan, rows())
    assert set(measured_overrides(plan, lines, TODAY)) == {"frontier_success_fraction", "moe_model_success_fraction"}
    nobody = tuple(replace(each, assumption="") for each in lines)
    assert measured_overrides(plan, nobody, TODAY) == {}
