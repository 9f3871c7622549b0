"""model_aliases: said once in a scenario file, priced everywhere, and refused where it makes no sense."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.errors import ScenarioError
from breakeven.reports.answer import Question, profile
from breakeven.usage.store import CallStore

from ..usage.logs import NOW, jsonl, row, write

DAY = date(2026, 11, 23)


def spend_usd(folder: Path, scenario: Scenario) -> tuple[float, float]:
    """Spend and the share of unpriced tokens of a log of an Azure deployment."""
    calls = [row(60 * n, provider="azure.ai.openai", model="chat-prod") for n in range(5)]
    with CallStore.temporary() as store:
        store.ingest(write(folder, jsonl(*calls)), now=NOW)
        found = profile(Question(store, "log", scenario, DAY))
        return found.spend_usd, found.unpriced_tokens_fraction


def test_a_deployment_is_priced_once_the_scenario_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("model_aliases:\n  chat-prod: azure/gpt-5\n")
    assert spend_usd(tmp_path, Scenario()) == (0.0, 1.0)
    spend, unpriced = spend_usd(tmp_path, load_scenario(path))
    assert unpriced == 0.0
    assert spend == pytest.approx(sum((100 + 60 * n) * 1.25 + 10 * 10.0 for n in range(5)) / 1e6)


def test_the_digest_of_the_scenario_tells_aliases_apart() -> None:
    assert Scenario().digest() != Scenario(model_aliases={"a": "azure/gpt-5"}).digest()


@pytest.mark.parametrize("means", ["gpt-5", "/gpt-5", "azure/", "7"])
def test_an_alias_without_a_provider_is_refused(means: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(f"model_aliases:\n  chat-prod: {means}\n")
    with pytest.raises(ScenarioError, match=r"line 2: model_aliases\.chat-prod"):
        load_scenario(path)
