"""Correlations of a scenario file reach the comparison, and a slip in them is named with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from breakeven.cli import main
from breakeven.errors import ScenarioError
from stored_log import stored_log

PAIR = "  - {between: [correction_hours_per_event, corrected_by_hand_fraction], rank: 0.9}\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored_log(tmp_path_factory.mktemp("calls"), 500)


def compared(store: Path, folder: Path, text: str) -> Any:
    """What `compare --json` says under a scenario file; an error of ours is raised, as `main` would print it."""
    path = folder / "scenario.yaml"
    path.write_text("draws_log2: 10\nas_of: 2026-11-24\n" + text, encoding="utf-8")
    told = ["compare", "--store", str(store), "--scenario", str(path), "--options", "frontier_api,brokered", "--json"]
    done = CliRunner().invoke(main.group, told)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def spread(document: Any, option: str) -> float:
    """P90 over P50 of the monthly cost."""
    (found,) = (each for each in document["options"] if each["name"] == option)
    return float(found["usd_per_month"]["p90"] / found["usd_per_month"]["p50"])


def test_costs_that_multiply_spread_further_when_they_move_together(store: Path, tmp_path: Path) -> None:
    apart = compared(store, tmp_path, "overrides: {corrected_by_hand_fraction: {low: 0.05, typical: 0.2, high: 0.8}}\n")
    together = compared(
        store,
        tmp_path,
        "overrides: {corrected_by_hand_fraction: {low: 0.05, typical: 0.2, high: 0.8}}\ncorrelations:\n" + PAIR,
    )
    assert spread(together, "brokered") > 1.1 * spread(apart, "brokered")
    assert apart["footer"]["scenario_hash"] != together["footer"]["scenario_hash"]


def test_a_name_that_nothing_reads_is_named_with_its_line(store: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ScenarioError, match=r"scenario\.yaml, line 4: correlations: no fact with a range is named 'pay'"
    ):
        compared(store, tmp_path, "correlations:\n" + PAIR.replace("correction_hours_per_event", "pay"))
