"""A quote of provisioned throughput as a user gives it: comparison, report, what-if; against the exact months."""

from __future__ import annotations

import json
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from breakeven.cli import main
from breakeven.decision.horizon.exact import cash_flows, setting_of
from breakeven.decision.scenario import load_scenario
from breakeven.reports.answer import Question
from breakeven.reports.whatif_document import to_json
from breakeven.reports.whatif_session import WhatIfSession
from breakeven.usage.store import CallStore
from stored_log import stored_log

TODAY = date(2026, 11, 24)
NAME = "provisioned"
QUOTE: dict[str, object] = {
    "provisioned_usd_per_unit_hour": {"low": 1.5, "typical": 2.0, "high": 2.5},
    "provisioned_unit_tok_per_s": {"low": 300.0, "typical": 500.0, "high": 700.0},
    "provisioned_units_min_count": {"low": 1.0, "typical": 2.0, "high": 4.0},
    "open_model_switching_fraction": 1.0,
    "open_model_work_share_fraction": 1.0,
}
"""A quote with ranges, in a world whose open models come to need far less work: which a unit does not notice."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store, a scenario, and the comparison's document."""
    folder = tmp_path_factory.mktemp("project")
    stored_log(folder, 2_000)
    said = {"as_of": TODAY, "draws_log2": 8, "options": ["frontier_api", "brokered", NAME], "overrides": QUOTE}
    (folder / "scenario.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    run(folder, "compare", "--out", str(folder / "document.json"))
    return folder


def run(folder: Path, verb: str, *arguments: str) -> str:
    told = [verb, *arguments, "--store", str(folder / "store"), "--scenario", str(folder / "scenario.yaml")]
    done = CliRunner().invoke(main.group, told)
    assert done.exit_code == 0, done.output
    return done.stdout


def ahead(document: Any) -> Any:
    """The option's part of the horizon."""
    return next(each for each in document["horizon"]["options"] if each["option"] == NAME)


def test_the_months_of_the_document_are_the_exact_ones(project: Path) -> None:
    document = json.loads((project / "document.json").read_text(encoding="utf-8"))
    with CallStore(project / "store") as store:
        question = Question(store, "calls", load_scenario(project / "scenario.yaml"), TODAY)
        state = WhatIfSession.open(question).state(())
    setting = setting_of(state.situation, state.draws.of, state.expected.estimates)
    exact = cash_flows(setting, state.options)[NAME].present_cost_usd(setting.facts.discount())
    assert np.std(exact) > 0.05 * np.mean(exact)
    told = ahead(document)["present_cost_usd"]
    assert told["mean"] == pytest.approx(float(np.mean(exact)), rel=1e-9)
    for key, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
        assert told[key] == pytest.approx(float(np.quantile(exact, share)), rel=1e-9)


def test_the_report_of_the_document_shows_it(project: Path, tmp_path: Path) -> None:
    pages = [tmp_path / "report.html", tmp_path / "report.md"]
    told = ["report", str(project / "document.json"), f"--html={pages[0]}", f"--md={pages[1]}"]
    done = CliRunner().invoke(main.group, [*told, f"--xlsx={tmp_path / 'report.xlsx'}"])
    assert done.exit_code == 0, done.output
    for page in pages:
        assert "Provisioned throughput (your quote)" in unescape(page.read_text(encoding="utf-8"))


def test_another_price_in_the_sliders_is_the_comparison_of_that_price(project: Path) -> None:
    changes = (("provisioned_usd_per_unit_hour", "1.0"), ("volume", "20B"))
    words = [f"{name}={text}" for name, text in changes]
    told = json.loads(run(project, "whatif", *words, "--json"))
    with CallStore(project / "store") as store:
        label, scenario = str(project / "store"), load_scenario(project / "scenario.yaml")
        session = WhatIfSession.open(Question(store, label, scenario, TODAY))
    session.answer((("provisioned_units_min_count", "9"),))
    moved = json.loads(to_json(session.answer(changes)))
    assert moved["options"] == told["options"]
    price = ("--set", "provisioned_usd_per_unit_hour=1.0")
    compared = json.loads(run(project, "compare", *price, "--json"))
    cheaper = json.loads(run(project, "whatif", f"{changes[0][0]}=1.0", "--json"))
    after = next(each for each in cheaper["options"] if each["option"] == NAME)["after_present_cost_usd"]
    assert after["mean"] == pytest.approx(ahead(compared)["present_cost_usd"]["mean"], rel=1e-9)
