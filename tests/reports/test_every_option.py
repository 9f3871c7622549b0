"""Every option, made available by the facts it needs, through the comparison, its files, the sliders and the exits.

An option that only some scenarios can have is met by no other log of these tests; here each is asked for by name.
"""

from __future__ import annotations

import json
from datetime import date
from html import unescape
from pathlib import Path

import openpyxl
import pytest
import yaml
from click.testing import CliRunner

from breakeven.cli import main
from breakeven.decision.answers.exit_criteria import exit_plan
from breakeven.decision.answers.expected import Expectation
from breakeven.decision.compare import STATUS_QUO, compare, typical
from breakeven.decision.horizon.present import EXACT_UP_TO_DRAWS_COUNT
from breakeven.decision.scenario import load_scenario
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation
from breakeven.reports.answer import Question
from breakeven.reports.whatif_session import Changes, WhatIfSession
from breakeven.usage.store import CallStore
from costing import NEEDS
from reports.test_whatif_session import assert_as_computed_plainly, fresh
from stored_log import stored_log

TODAY = date(2026, 11, 24)
DRAWS_LOG2 = EXACT_UP_TO_DRAWS_COUNT.bit_length()
"""The fewest draws of which not every month is costed by the option itself: the fast form must be there."""
FEWEST = {"replicas_min_count": {"low": 1, "typical": 2, "high": 3}}
"""A fewest that is another one in other futures: fleets are read off in a way of their own."""
MOVES: tuple[Changes, ...] = ((("volume", "30B"),), (("api_price", "2"), ("growth", "0.05")), (("horizon", "12"),))
EVERY = sorted(set(discover_options()) - {STATUS_QUO})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored_log(tmp_path_factory.mktemp("calls"), 2_000)


def scenario_of(name: str, folder: Path, **beside: object) -> Path:
    """A scenario in which the option can be had, as a user writes it; `beside`: other facts."""
    facts, choices = NEEDS.get(name, ({}, {}))
    overrides = {**facts, **beside}
    said = {"as_of": TODAY, "draws_log2": DRAWS_LOG2, "options": [STATUS_QUO, name], "overrides": overrides, **choices}
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", EVERY)
def test_compare_writes_every_file(name: str, store: Path, tmp_path: Path) -> None:
    files = {each: tmp_path / f"report.{each}" for each in ("html", "xlsx", "md")}
    told = ["compare", "--store", str(store), "--scenario", str(scenario_of(name, tmp_path)), "--json"]
    done = CliRunner().invoke(main.group, [*told, *(f"--{each}={path}" for each, path in files.items())])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert not document["unavailable"], "say in costing.NEEDS what it needs"
    ahead = next(each for each in document["horizon"]["options"] if each["option"] == name)
    assert ahead["present_cost_usd"]["mean"] > 0
    title = next(each["title"] for each in document["options"] if each["name"] == name)
    assert title in files["md"].read_text(encoding="utf-8")
    assert title in unescape(files["html"].read_text(encoding="utf-8"))
    sheets = openpyxl.load_workbook(files["xlsx"], read_only=True)
    assert any(cell == title for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row)


def opened(store: Path, scenario: Path) -> WhatIfSession:
    with CallStore(store) as calls:
        return WhatIfSession.open(Question(calls, str(store), load_scenario(scenario), TODAY))


@pytest.mark.parametrize("name", EVERY)
def test_sliders_tell_what_a_fresh_computation_tells(name: str, store: Path, tmp_path: Path) -> None:
    session = opened(store, scenario_of(name, tmp_path, **FEWEST))
    for changes in MOVES:
        session.answer(changes)
        assert_as_computed_plainly(session.state(changes))
    assert fresh(session).answer(MOVES[-1]) == session.answer(MOVES[-1])


@pytest.mark.parametrize("name", EVERY)
def test_exits_from_it_and_to_it(name: str, store: Path, tmp_path: Path) -> None:
    state = opened(store, scenario_of(name, tmp_path)).state(())
    at_typical = {each: option.cost(state.situation, Evaluation(typical)) for each, option in state.options.items()}
    comparison = compare(state.situation, state.options, state.draws, with_bands=False)
    expected = Expectation(state.situation, state.options, state.draws, state.expected.estimates)
    for recommended, rival in ((name, STATUS_QUO), (STATUS_QUO, name)):
        for ahead in (None, expected):
            plan = exit_plan(comparison, state.situation, state.options, at_typical, recommended, rival, ahead)
            assert plan.mover == name
