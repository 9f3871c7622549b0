"""The saved audit comes back as it was, and a damaged file says what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.audit.grouping import ClusterRule, Grouping, MetadataRule, ShapeRule, TemplateRule
from breakeven.audit.saved import audit_file, from_json, load_audit, save_audit, to_json
from breakeven.audit.task import (
    Audit,
    AuditedTask,
    CommodityShare,
    Difficulty,
    Interval,
    KindGuess,
    LengthProfile,
    ModelShare,
    Savings,
    Suitability,
)
from breakeven.errors import AuditError
from breakeven.facts.source import Grade

LARGEST_HASH = 2**63 - 1


def small_audit() -> Audit:
    """An audit with every kind of rule."""
    task = AuditedTask(
        id="g1",
        name="tickets",
        kind=KindGuess("classification", 0.9, "the name says classify"),
        grouped_by="log",
        calls_count=100,
        input_tokens=1000,
        cache_read_tokens=0,
        output_tokens=100,
        spend_usd=1.5,
        unpriced_tokens=0,
        calls_fraction=1.0,
        spend_fraction=1.0,
        lengths=LengthProfile(10, 20, 1, 2),
        models=(ModelShare("openai/gpt-5", 100, 1.0, 1.5, is_small=False),),
        difficulty=Difficulty(reasoning_fraction=0.1),
        suitability=Suitability(Interval(0.7, 0.9, 0.98), ("prior",), Grade.GUESS),
        terms=("ticket",),
    )
    savings = Savings("Qwen3-8B at openrouter", Interval(1.0, 2.0, 3.0), 4.0, 0.1, 0.1, 0.2, "the cheapest of 3")
    share = Interval(0.7, 0.9, 0.98)
    grouping = Grouping(
        {"task": ("tickets",)},
        (MetadataRule(("tickets", "", "", "", "", "", ""), "g1"),),
        (TemplateRule("g1", 3, LARGEST_HASH, "g1.t1"),),
        (ClusterRule("g1", "g1.c1", ((LARGEST_HASH, 0.5),)),),
        (ShapeRule("g1", "openai/gpt-5", "short", "g1.s1"),),
        {"g1": "tickets"},
    )
    commodity = CommodityShare(share, share, 0.0, {"prior": 1.0}, savings)
    return Audit((task,), commodity, grouping, 100, 1100, 1.5, 0, 0.0, 0, notes=("no prompts",))


def test_an_audit_comes_back_as_it_was(tmp_path: Path) -> None:
    audit = small_audit()
    assert load_audit(tmp_path) is None
    assert save_audit(audit, tmp_path) == audit_file(tmp_path)
    assert load_audit(tmp_path) == audit
    assert [path.name for path in tmp_path.iterdir()] == ["audit.json"]


def test_a_newer_version_and_a_damaged_file_are_refused() -> None:
    text = to_json(small_audit())
    with pytest.raises(AuditError, match="version 2, this program reads 1"):
        from_json(text.replace('"version": 1', '"version": 2'))
    with pytest.raises(AuditError, match="run `breakeven audit` again"):
        from_json(text.replace('"calls_count": 100', '"calls_count": "many"'))
    with pytest.raises(AuditError, match="run `breakeven audit` again"):
        from_json("not json")


@pytest.mark.parametrize("share", [Interval(1.7, 5.0, -3.0), Interval(0.5, 0.4, 0.9), Interval(-0.1, 0.4, 0.9)])
def test_shares_that_are_none_are_refused_by_name(share: Interval) -> None:
    audit = small_audit()
    task = audit.tasks[0]
    wrong = replace(task, suitability=replace(task.suitability, can_do=share))
    with pytest.raises(AuditError, match=r"can_do of task tickets: low .*wanted 0 <= low <= typical <= high <= 1"):
        from_json(to_json(replace(audit, tasks=(wrong,))))
    with pytest.raises(AuditError, match="share of spend"):
        from_json(to_json(replace(audit, commodity=replace(audit.commodity, spend=share))))
