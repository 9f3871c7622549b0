"""A hybrid by an audit: its commodity tasks move, with the success that the audit found."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from breakeven.audit.task import Interval, Suitability
from breakeven.decision.compare import typical
from breakeven.errors import CatalogError
from breakeven.facts.source import Grade
from breakeven.options.assembly.audited_work import SUCCESS, AuditedWork
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from costing import PRICES, demand_by_task, pinned, situation

HYBRID = discover_options()["hybrid"]
TASKS = [
    {"task": "t-1", "volume_mtok_per_month": 1500, "tokens_per_request": 1000},
    {"task": "t-10", "volume_mtok_per_month": 400, "tokens_per_request": 1000},
    {"task": "drafts", "volume_mtok_per_month": 100, "tokens_per_request": 1000},
]


def judged(low: float, middle: float, high: float, grade: Grade) -> Suitability:
    return Suitability(Interval(low, middle, high), ("labels", "prior"), grade)


WORK = AuditedWork(
    ("t-1", "drafts"),
    {
        "t-1": judged(0.85, 0.9, 0.94, Grade.MEASURED),
        "drafts": judged(0.6, 0.8, 0.9, Grade.EXPERT),
        "t-10": judged(0.1, 0.2, 0.3, Grade.GUESS),
    },
    "audit.json",
)


def cost(work: AuditedWork, facts: dict[str, float] | None = None, **choices: object) -> OptionCost:
    chosen = situation(demand_by_task(TASKS, PRICES), pinned(facts or {}), **choices)
    return HYBRID.cost(replace(chosen, choices=replace(chosen.choices, audited=work)), Evaluation(typical))


def test_the_commodity_tasks_move_by_their_exact_names() -> None:
    found = cost(WORK)
    assert (
        "for t-1 and drafts (80 % of the tokens, 80 % of the calls)" in found.buys or "80 % of the tokens" in found.buys
    )
    moved = next(each for each in found.facts if each.name == "moved_tokens_fraction")
    assert float(moved.value) == pytest.approx(1600 / 2000, rel=1e-12), "t-10 is not t-1"


def test_success_is_weighed_by_calls_and_as_sure_as_the_weakest_evidence() -> None:
    leaf = cost(WORK).success.leaves()[SUCCESS]
    assert leaf.assumption is not None
    assert leaf.assumption.typical == pytest.approx((1500 * 0.9 + 100 * 0.8) / 1600, rel=1e-12)
    assert leaf.assumption.source.grade == Grade.EXPERT
    assert "audit audit.json" in leaf.assumption.source.title
    assert leaf.assumption.low < (1500 * 0.85 + 100 * 0.6) / 1600, "90 % of an Assumption are wider than 80 %"
    assert leaf.assumption.high > (1500 * 0.94 + 100 * 0.9) / 1600


def test_the_ends_are_moved_out_by_the_ratio_of_normal_quantiles() -> None:
    demand = demand_by_task(TASKS[:1], PRICES)
    prior = situation(demand, {}).catalog.assumptions[SUCCESS]
    found = WORK.success(prior, demand, ["t-1"])
    odds = [math.log(each / (1 - each)) for each in (found.low, 0.85, 0.9)]
    assert (odds[2] - odds[0]) / (odds[2] - odds[1]) == pytest.approx(1.6448536 / 1.2815516, rel=1e-6)


def test_what_the_scenario_says_wins() -> None:
    named = cost(WORK, commodity_tasks=("t-10",))
    assert "t-10 (20 % of the tokens" in named.buys
    leaf = named.success.leaves()[SUCCESS]
    assert leaf.assumption is not None
    assert leaf.assumption.typical == pytest.approx(0.2), "the audit's word on the task that was named"
    assert cost(WORK, {SUCCESS: 0.5}).success.leaves()[SUCCESS].assumption.typical == 0.5
    assert "60 % of the tokens" in cost(WORK, {"hybrid_commodity_share_fraction": 0.6}).buys


def test_an_audit_without_commodity_work_leaves_the_hybrid_out_with_a_reason() -> None:
    with pytest.raises(CatalogError, match="breakeven audit label"):
        cost(AuditedWork((), WORK.suitability, "audit.json"))
