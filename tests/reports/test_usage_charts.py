"""Charts of usage: what the bars are made of adds up to the log, whatever the view; shifts are marked."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from breakeven.reports.chart_style import Canvas
from breakeven.reports.document import DayPart, WorkloadPart
from breakeven.reports.stability_part import CheckPart, QuarterPart, ShiftPart, StabilityPart, TotalPart
from breakeven.reports.traffic_charts import buckets
from breakeven.reports.usage_charts import STACKED_COUNT, By, Show, over_time, stacks, steadiness
from breakeven.reports.usage_document import ModelUsagePart, UsageDocument, stretches
from breakeven.reports.usage_rows import quarter_figures

CANVAS = Canvas("wide", 600, 200, 40, 40, 40, 20)
FIRST = date(2026, 1, 5)


def document(days_count: int, models_count: int, shift_day: int | None = None) -> UsageDocument:
    """A log of `models_count` models with a planted step."""
    rng = np.random.default_rng(7)
    levels = [1.0 if shift_day is None or at < shift_day else 1.5 for at in range(days_count)]
    models = tuple(
        ModelUsagePart(
            provider=f"p{number % 3}",
            model=f"m{number}",
            requests_count=days_count,
            reasoning_tokens=0,
            unpriced_tokens=0,
            unpriced_reason="",
            tokens=tuple(round(level * 1000 * (models_count - number) * rng.uniform(0.9, 1.1)) for level in levels),
            spend_usd=tuple(None if number == 0 else 0.5 * level for level in levels),
            prices=(),
        )
        for number in range(models_count)
    )
    days = tuple(
        DayPart(
            day=(FIRST + timedelta(days=at)).isoformat(),
            requests_count=1,
            input_tokens=sum(each.tokens[at] for each in models),
            cache_read_tokens=0,
            output_tokens=0,
            spend_usd=sum(each.spend_usd[at] or 0.0 for each in models),
            unpriced_tokens=0,
            complete=at not in (0, days_count - 1),
        )
        for at in range(days_count)
    )
    shifts = (
        () if shift_day is None else (ShiftPart(day=days[shift_day].day, ratio=1.5, low_ratio=1.4, high_ratio=1.6),)
    )
    total = TotalPart(low=80_000.0, typical=90_000.0, high=100_000.0)
    days_ahead = {"first_day": "2026-06-01", "last_day": "2026-08-30"}
    quarter = QuarterPart(tokens=total, spend_usd=total, unpriced_fraction=0.0, **days_ahead)
    stability = StabilityPart(
        answer="yes", sentence="", first_day=days[0].day, last_day=days[-1].day, days_count=days_count,
        more_days_count=None, come_back=None, checks=(), gaps=(), week_strength_fraction=None, growth=None,
        shifts=shifts, trial=None,
        quarter=quarter,
    )  # fmt: skip
    workload = WorkloadPart.model_construct(
        label="log", synthetic=False, days=days, spend_usd=1.0, stability=stability, unpriced_tokens_fraction=0.0
    )
    return UsageDocument.model_construct(
        workload=workload, reasoning_tokens=0, models=models, stretches=stretches(workload), imports=(), overlaps=(),
        left_out_count=0, bills_count=0,
    )  # fmt: skip


def test_a_log_that_fell_silent_has_no_box_of_next_quarter() -> None:
    made = document(40, 1)
    part = made.workload.stability
    assert part is not None
    silence = CheckPart(
        name="silence", passed=False, more_days_count=7,
        finding="nothing can be said of next quarter: the log fell silent on 10 Aug 2026 (a week of calls wanted)",
    )  # fmt: skip
    silent = part.model_copy(update={"quarter": None, "checks": (silence,)})
    workload = made.workload.model_copy(update={"stability": silent})
    drawn = steadiness(made.model_copy(update={"workload": workload}), "tokens", CANVAS)
    assert drawn is not None
    assert not [each for each in drawn["layer"] if str(each.get("name", "")).startswith("quarter")]
    told = [(each.label, each.value, each.basis) for each in quarter_figures(silent)]
    assert told == [
        ("Next quarter", "not known", "Nothing can be said of next quarter: the log fell silent on 10 Aug 2026.")
    ]
    assert [each.label for each in quarter_figures(part)] == ["Tokens next quarter", "Spend next quarter"]


@pytest.mark.parametrize("show", ["tokens", "spend"])
@pytest.mark.parametrize("by", ["model", "provider"])
@pytest.mark.parametrize("models_count", [1, 8, 30])
def test_the_stacks_hold_all_of_it(show: Show, by: By, models_count: int) -> None:
    made = document(40, models_count)
    found = stacks(made, show, by)
    for at, day in enumerate(made.workload.days):
        wanted = day.input_tokens if show == "tokens" else day.spend_usd
        assert sum(each.days[at] for each in found) == pytest.approx(wanted)
    assert len(found) <= STACKED_COUNT + 1
    named = [each.total for each in found if not each.is_rest]
    assert named == sorted(named, reverse=True)
    assert len({each.letter for each in found}) == len(found)


@pytest.mark.parametrize(("days_count", "bars_count"), [(1, 1), (120, 120), (121, 18), (365, 53)])
def test_long_logs_are_told_by_week(days_count: int, bars_count: int) -> None:
    days = document(days_count, 1).workload.days
    found = buckets(days)
    assert len(found) == bars_count
    assert [each.start for each in found[1:]] == [each.end for each in found[:-1]]
    assert found[-1].end == days_count
    assert not found[-1].complete


def test_bars_are_as_high_as_their_tokens() -> None:
    made = document(10, 3)
    drawn = over_time(made, "tokens", "model", CANVAS)
    assert drawn is not None
    bars = [
        row for each in drawn["layer"] if each["name"] in ("bars", "partial_bars") for row in each["data"]["values"]
    ]
    heights = sum(row["y"] - row["y2"] for row in bars)
    most = max(day.input_tokens for day in made.workload.days)
    scale = CANVAS.height_px / (most * 1.05)
    assert heights == pytest.approx(scale * sum(day.input_tokens for day in made.workload.days))


def test_a_shift_parts_the_usual_spans_and_is_marked() -> None:
    made = document(80, 2, shift_day=50)
    before, after = made.stretches
    assert after.tokens.typical / before.tokens.typical == pytest.approx(1.5, rel=0.05)
    for each in made.stretches:
        mine = [
            day.input_tokens
            for day in made.workload.days
            if day.complete and each.first_day <= day.day <= each.last_day
        ]
        inside = sum(each.tokens.low <= tokens <= each.tokens.high for tokens in mine)
        assert inside / len(mine) == pytest.approx(0.8, abs=0.06)
    drawn = steadiness(made, "tokens", CANVAS)
    assert drawn is not None
    words = [
        row["label"] for each in drawn["layer"] if each["name"] == "shift_titles" for row in each["data"]["values"]
    ]
    assert words == ["+50 % from 24 Feb"]


def test_nothing_priced_draws_no_spend() -> None:
    made = document(10, 1)
    assert over_time(made, "spend", "model", CANVAS) is None
