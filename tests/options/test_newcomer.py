"""What every newcomer must bring: a name, a title, a family, a docs page, a golden case and a Source for each Fact.

The folder is the registry, and so are other packages' entry points: this one test asks each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
import yaml

from breakeven.decision.compare import typical
from breakeven.errors import UnknownName
from breakeven.facts.trace import Layer
from breakeven.options import discover
from breakeven.options.discover import ENTRY_POINT_GROUP, discover_options, select_options
from breakeven.options.option import Evaluation, Family, OptionCost, Situation
from costing import demand, situation_of

ROOT = Path(__file__).parents[2]
CASES = [yaml.safe_load(path.read_text()) for path in (ROOT / "tests" / "cases").glob("*.yaml")]


@pytest.mark.parametrize("name", sorted(discover_options()))
def test_a_newcomer_brings_everything(name: str) -> None:
    option = discover_options()[name]
    assert re.fullmatch(r"[a-z][a-z0-9_]+", option.name)
    assert option.title
    assert option.family in get_args(Family)

    page = ROOT / "docs" / "reference" / "options" / f"{name}.md"
    assert page.exists(), f"write docs/reference/options/{name}.md"
    text = page.read_text(encoding="utf-8")
    assert f"`{name}`" in text.partition("\n")[0], "the title names the option as the scenario does"
    assert "**When it is wrong.**" in text

    assert any(case["option"] == name for case in CASES), f"write tests/cases/{name}.yaml by hand"

    cost = option.cost(situation_of(name, demand(2100)), Evaluation(typical))
    assert cost.buys
    for line in cost.breakdown.lines:
        assert line.title
        for leaf in line.usd_per_month.leaves().values():
            if leaf.layer is not Layer.DERIVED:
                assert leaf.source is not None, f"{leaf.name} has no Source"
                assert leaf.source.title
                assert leaf.source.link


@dataclass(frozen=True, slots=True)
class Stranger:
    """An option of another package."""

    name: str
    title: str = "Somebody else's machines"
    family: Family = "managed"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        return discover_options()["frontier_api"].cost(situation, evaluation)


class Entry:
    """An entry point as importlib.metadata gives it."""

    def __init__(self, name: str) -> None:
        self.module = ModuleType("another.package.options")
        self.module.OPTIONS = (Stranger(name),)  # type: ignore[attr-defined]

    def load(self) -> ModuleType:
        return self.module


def offer_entry_point(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def entry_points(group: str) -> list[Entry]:
        return [Entry(name)] if group == ENTRY_POINT_GROUP else []

    monkeypatch.setattr(discover, "entry_points", entry_points)


def test_another_package_adds_an_option_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(discover_options())
    offer_entry_point(monkeypatch, "somebody_else")
    assert set(discover_options()) == before | {"somebody_else"}
    assert list(select_options(("somebody_else",))) == ["somebody_else"]


def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    offer_entry_point(monkeypatch, "frontier_api")
    with pytest.raises(UnknownName, match=r"two options are named 'frontier_api'.*another\.package\.options"):
        discover_options()
