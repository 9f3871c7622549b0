"""The task map: boxes fill the map without overlap, as large as their tasks, and their words fit."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.audit.grouping import Grouping
from breakeven.audit.task import (
    Audit,
    AuditedTask,
    CommodityShare,
    Difficulty,
    Interval,
    KindGuess,
    LengthProfile,
    Suitability,
)
from breakeven.facts.source import Grade
from breakeven.reports.task_map import BOXES_COUNT, LETTER_PX, PAD_PX, Place, squarified, step_of, task_map

SHARE = Interval(0.5, 0.7, 0.9)


def task(number: int, spend_usd: float | None, name: str = "") -> AuditedTask:
    return AuditedTask(
        f"t{number}",
        name or f"task number {number} with quite a long name of its own",
        KindGuess("chat", 1.0, "told"),
        "log",
        100 + number,
        1_000,
        0,
        100,
        spend_usd,
        0,
        0.1,
        0.1,
        LengthProfile(),
        (),
        Difficulty(),
        Suitability(SHARE, ("prior",), Grade.GUESS),
    )


def audit(*tasks: AuditedTask) -> Audit:
    spend = sum(each.spend_usd or 0.0 for each in tasks)
    calls = sum(each.calls_count for each in tasks)
    return Audit(tasks, CommodityShare(SHARE, SHARE, 0.0), Grouping({}, ()), calls, 0, spend, 0, 0.0, 0)


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40))
def test_boxes_fill_the_whole_in_proportion_and_never_overlap(sizes: list[float]) -> None:
    sizes = sorted(sizes, reverse=True)
    places = squarified(sizes, 1000.0, 400.0)
    assert len(places) == len(sizes)
    for size, place in zip(sizes, places, strict=True):
        wanted = size / sum(sizes) * 400_000
        assert place.width_px * place.height_px == pytest.approx(wanted, rel=1e-6, abs=1e-6)
        assert place.x_px >= -1e-6 and place.x_px + place.width_px <= 1000 + 1e-6
        assert place.y_px >= -1e-6 and place.y_px + place.height_px <= 400 + 1e-6
    for one, other in combinations(places[:12], 2):
        assert overlap(one, other) <= 1e-4


def overlap(one: Place, other: Place) -> float:
    across = min(one.x_px + one.width_px, other.x_px + other.width_px) - max(one.x_px, other.x_px)
    down = min(one.y_px + one.height_px, other.y_px + other.height_px) - max(one.y_px, other.y_px)
    return max(across, 0.0) * max(down, 0.0)


@pytest.mark.parametrize("kind", ["wide", "narrow"])
@pytest.mark.parametrize("count", [1, 3, 11, 60])
def test_words_fit_their_boxes(kind: str, count: int) -> None:
    found = task_map(audit(*(task(number, 1000.0 / (number + 1) ** 1.5) for number in range(count))), kind)  # type: ignore[arg-type]
    assert len(found.boxes) == min(count, BOXES_COUNT)
    for box in found.boxes:
        for line in box.lines:
            assert len(line) == 1 or len(line) * LETTER_PX <= box.width_px + 2 - 2 * PAD_PX + LETTER_PX
        assert 16 * len(box.lines) <= box.height_px + 2
        assert box.spoken
    assert all(
        one.width_px * one.height_px >= 0.9 * other.width_px * other.height_px
        for one, other in pairwise(found.boxes[:-1])
    )


def test_the_rest_shares_a_box_that_leads_to_no_single_task() -> None:
    found = task_map(audit(*(task(number, 100.0) for number in range(60))), "wide")
    assert found.boxes[-1].name == ""
    assert f"{60 - BOXES_COUNT + 1} smaller tasks" in found.boxes[-1].spoken


def test_without_a_price_boxes_are_as_large_as_their_calls() -> None:
    found = task_map(audit(task(0, None), replace(task(1, None), calls_count=300)), "wide")
    assert not found.is_of_spend
    assert found.boxes[0].name.startswith("task number 1")
    assert "of calls" in found.boxes[0].spoken


def test_a_task_without_spend_has_no_box_among_priced_ones() -> None:
    found = task_map(audit(task(0, 5.0), task(1, None)), "wide")
    assert [box.name[:13] for box in found.boxes] == ["task number 0"]


def test_steps_rise_with_the_share() -> None:
    steps = [step_of(each / 100) for each in range(101)]
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] == 5
