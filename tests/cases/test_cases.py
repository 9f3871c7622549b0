"""Cases that a finance person can write: facts in, cost lines out, each worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from breakeven.decision.compare import typical
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation
from costing import demand, demand_by_task, pinned, situation

CASES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text())
    prices = case.get("prices")
    if "tasks" in case:
        of = demand_by_task(case["tasks"], case["prices"])
    else:
        of = demand(
            case["volume_mtok_per_month"],
            case["tokens_per_request"],
            output_fraction=case["output_fraction"],
            cache_read_fraction=case.get("cache_read_fraction", 0.0),
            prices=prices,
        )
    facts = pinned({**(prices or {}), **case["facts"], "volume_over_observed_ratio": 1.0})
    cost = discover_options()[case["option"]].cost(situation(of, facts, **case.get("choices", {})), Evaluation(typical))
    lines = {line.name: float(line.usd_per_month.value.flat[0]) for line in cost.breakdown.lines}
    assert lines == {name: pytest.approx(value, rel=2e-6, abs=1e-9) for name, value in case["lines"].items()}
    assert float(cost.total.value.flat[0]) == pytest.approx(case["total_usd_per_month"], rel=1e-9)


def test_every_option_has_a_case() -> None:
    covered = {yaml.safe_load(path.read_text())["option"] for path in CASES}
    assert covered == set(discover_options())
