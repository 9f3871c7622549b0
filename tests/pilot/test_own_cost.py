"""Own cost: copies at the candidate's price, a canary at the difference, labels where no checks judge."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.pilot.design import Design, Mode, RampStep, TaskPlan
from breakeven.pilot.own_cost import own_cost
from breakeven.pilot.stopping import SizeFigures

PLAN = TaskPlan("faq", "big", "small", 100.0, baseline_usd_per_request=0.02, candidate_usd_per_request=0.005)
FIGURES = SizeFigures(400.0, 100.0, 350.0, 600.0, 1_000.0, 3_000, 1.0)


def design(mode: Mode = "shadow", **changes: object) -> Design:
    return replace(Design("trial", mode, (PLAN,), "2026-05-01T00:00:00+00:00"), **changes)  # type: ignore[arg-type]


def test_a_shadow_pays_for_every_copy_and_both_labels_of_audited_pairs() -> None:
    found = own_cost(design(label_usd=0.5, audit_fraction=0.2), PLAN, FIGURES)
    assert [each["name"] for each in found["lines"]] == ["calls", "labels"]
    assert found["lines"][0]["mean_usd"] == pytest.approx(400 * 0.005)
    assert found["lines"][1]["mean_usd"] == pytest.approx(400 * 0.2 * 2 * 0.5)
    assert found["mean_usd"] == pytest.approx(82.0)
    assert (found["low_usd"], found["high_usd"]) == (pytest.approx(20.5), pytest.approx(205.0))
    assert found["not_stated"] == []


def test_checks_need_no_labels() -> None:
    found = own_cost(design(label_usd=0.5, checks_by_task={"faq": {"json": True}}), PLAN, FIGURES)
    assert [each["name"] for each in found["lines"]] == ["calls"]


def test_a_canary_of_a_cheaper_model_saves() -> None:
    found = own_cost(design("canary", ramp=(RampStep(0.5, 0),), audit_fraction=0.0), PLAN, FIGURES)
    assert found["mean_usd"] == pytest.approx(200 * -0.015)
    assert found["low_usd"] < found["mean_usd"] < found["high_usd"] < 0


def test_what_is_not_stated_is_no_zero() -> None:
    found = own_cost(design(), replace(PLAN, candidate_usd_per_request=None), FIGURES)
    assert found["mean_usd"] is None
    assert found["not_stated"] == ["price of a request of the candidate", "price of a label"]
    canary = own_cost(design("canary"), replace(PLAN, baseline_usd_per_request=None), FIGURES)
    assert canary["mean_usd"] is None


def test_offline_sends_nothing_and_open_ends_are_counted_at_the_cap() -> None:
    assert own_cost(design("offline", audit_fraction=0.0), PLAN, FIGURES)["mean_usd"] == 0.0
    endless = replace(FIGURES, p95_count=None)
    assert own_cost(design(), PLAN, endless)["high_usd"] == pytest.approx(3_000 * 0.005)
