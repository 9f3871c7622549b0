"""Traffic charts: tokens day by day (or week by week), and the hours of the week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer, horizontal_axis, rect, spec, text, vertical_axis
from breakeven.reports.chart_style import HEAT, LINES, MUTED, PAPER, Axis, Canvas, round_ticks
from breakeven.reports.document import DayPart, WorkloadPart
from breakeven.reports.safe_text import short

DAYS_DRAWN_COUNT: Final = 120
"""Longer logs are drawn by week."""
KINDS: Final = (("input", LINES[0]), ("cached input", LINES[2]), ("output", LINES[1]))


@dataclass(frozen=True, slots=True)
class Bar:
    """Tokens of one day, or of one week."""

    label: str
    tokens: tuple[int, int, int]
    """Uncached input, cached input, output."""
    complete: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """The days of one bar."""

    label: str
    start: int
    """Place of its first day."""
    end: int
    """Exclusive."""
    complete: bool


@dataclass(frozen=True, slots=True)
class Boxes:
    """Stacked bars as boxes."""

    whole: list[dict[str, object]]
    partly: list[dict[str, object]]
    """Of bars seen in part."""


def buckets(days: Sequence[DayPart]) -> tuple[Bucket, ...]:
    """One per day; one per seven days when there are very many."""
    size = 1 if len(days) <= DAYS_DRAWN_COUNT else 7
    return tuple(
        Bucket(
            short(amounts.day_text(days[start].day), 12),
            start,
            min(start + size, len(days)),
            start + size <= len(days) and all(each.complete for each in days[start : start + size]),
        )
        for start in range(0, len(days), size)
    )


def bars_of(workload: WorkloadPart) -> tuple[Bar, ...]:
    """One bar per bucket of days."""
    return tuple(
        Bar(each.label, _tokens(workload.days[each.start : each.end]), each.complete) for each in buckets(workload.days)
    )


def stacked_boxes(
    bars: Sequence[tuple[Sequence[float], bool]], fills: Sequence[str], y: Axis, step_px: float, width_px: float
) -> Boxes:
    """For each bar (its values, and whether it was seen whole) one box on another, from the bottom."""
    found = Boxes([], [])
    for index, (values, is_whole) in enumerate(bars):
        left, low = (index + 0.5) * step_px - width_px / 2, 0.0
        for fill, value in zip(fills, values, strict=True):
            box = {"x": left, "x2": left + width_px, "y": y.px(low), "y2": y.px(low + value), "fill": fill}
            (found.whole if is_whole else found.partly).append(box)
            low += value
    return found


def daily_tokens(workload: WorkloadPart, canvas: Canvas) -> Layer | None:
    """Stacked bars of uncached input, cached input and output; a day seen in part is paler."""
    bars = bars_of(workload)
    most = max([sum(each.tokens) for each in bars], default=0)
    if most <= 0:
        return None
    y = Axis(0.0, most * 1.05, canvas.height_px, 0)
    step = canvas.width_px / len(bars)
    fills = [colour for _, colour in KINDS]
    boxes = stacked_boxes([(each.tokens, each.complete) for each in bars], fills, y, step, min(step * 0.78, 46.0))
    title = "tokens a day, UTC" if len(workload.days) <= DAYS_DRAWN_COUNT else "tokens a week, UTC"
    layers = [
        *vertical_axis(y, round_ticks(y.high, 5), amounts.magnitude, left_px=0, right_px=canvas.width_px, title=title),
        rect("days", boxes.whole, stroke=PAPER, strokeWidth=0.5),
        rect("partial_days", boxes.partly, stroke=PAPER, strokeWidth=0.5, opacity=0.5),
        date_ticks([each.label for each in bars], step, 4 if canvas.narrow else 10, canvas),
    ]
    return spec(canvas, layers)


def date_ticks(labels: Sequence[str], step_px: float, most_count: int, canvas: Canvas) -> Layer:
    """Dates below some of the bars."""
    every = max(1, -(-len(labels) // most_count))
    rows = [
        {"x": (at + 0.5) * step_px, "y": canvas.height_px + 14, "label": labels[at]}
        for at in range(0, len(labels), every)
    ]
    return text("x_ticks", rows, align="center", fill=MUTED)


def hour_of_week(workload: WorkloadPart, canvas: Canvas) -> Layer | None:
    """A cell per hour of the week, darker with more tokens; None when the log is shorter than a week."""
    if not workload.hours_of_week:
        return None
    most = max(each.tokens_per_hour for each in workload.hours_of_week) or 1.0
    across, down = canvas.width_px / 24, canvas.height_px / 7
    cells = [
        {
            "x": hour * across, "x2": (hour + 1) * across, "y": day * down, "y2": (day + 1) * down,
            "fill": HEAT[min(int(each.tokens_per_hour / most * len(HEAT)), len(HEAT) - 1)],
        }
        for each in workload.hours_of_week
        for day, hour in [divmod(each.hour_of_week % 168, 24)]
    ]  # fmt: skip
    names = [{"x": -7, "y": (day + 0.5) * down, "label": name} for day, name in enumerate(amounts.DAYS_OF_WEEK)]
    hours = Axis(0, 24, 0, canvas.width_px)
    ticks = [0.0, 6.0, 12.0, 18.0, 24.0] if canvas.narrow else [float(hour) for hour in range(0, 25, 3)]
    layers = [
        *horizontal_axis(hours, ticks, _clock, top_px=canvas.height_px, bottom_px=canvas.height_px, title="hour, UTC"),
        rect("hours", cells, stroke=PAPER, strokeWidth=1),
        text("weekdays", names, align="right", fill=MUTED),
    ]
    return spec(canvas, layers)


def _clock(hour: float) -> str:
    return f"{hour:.0f}:00"


def _tokens(days: Sequence[DayPart]) -> tuple[int, int, int]:
    cached = sum(each.cache_read_tokens for each in days)
    return max(sum(each.input_tokens for each in days) - cached, 0), cached, sum(each.output_tokens for each in days)
