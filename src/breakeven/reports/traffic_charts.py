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


def bars_of(workload: WorkloadPart) -> tuple[Bar, ...]:
    """One bar per day; per seven days when there are very many."""
    size = 1 if len(workload.days) <= DAYS_DRAWN_COUNT else 7
    chunks = [workload.days[start : start + size] for start in range(0, len(workload.days), size)]
    return tuple(_bar(chunk, size) for chunk in chunks)


def daily_tokens(workload: WorkloadPart, canvas: Canvas) -> Layer | None:
    """Stacked bars of uncached input, cached input and output; a day seen in part is paler."""
    bars = bars_of(workload)
    most = max([sum(each.tokens) for each in bars], default=0)
    if most <= 0:
        return None
    y = Axis(0.0, most * 1.05, canvas.height_px, 0)
    step = canvas.width_px / len(bars)
    width = min(step * 0.78, 46.0)
    whole: list[dict[str, object]] = []
    part: list[dict[str, object]] = []
    for index, each in enumerate(bars):
        low = 0.0
        for (_, colour), count in zip(KINDS, each.tokens, strict=True):
            left = (index + 0.5) * step - width / 2
            box = {"x": left, "x2": left + width, "y": y.px(low), "y2": y.px(low + count), "fill": colour}
            (whole if each.complete else part).append(box)
            low += count
    ticks = [
        {"x": (index + 0.5) * step, "y": canvas.height_px + 14, "label": bars[index].label}
        for index in _labelled(len(bars), 4 if canvas.narrow else 10)
    ]
    title = "tokens a day, UTC" if len(workload.days) <= DAYS_DRAWN_COUNT else "tokens a week, UTC"
    layers = [
        *vertical_axis(y, round_ticks(y.high, 5), amounts.magnitude, left_px=0, right_px=canvas.width_px, title=title),
        rect("days", whole, stroke=PAPER, strokeWidth=0.5),
        rect("partial_days", part, stroke=PAPER, strokeWidth=0.5, opacity=0.5),
        text("x_ticks", ticks, align="center", fill=MUTED),
    ]
    return spec(canvas, layers)


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


def _bar(days: Sequence[DayPart], size: int) -> Bar:
    cached = sum(each.cache_read_tokens for each in days)
    return Bar(
        label=short(amounts.day_text(days[0].day), 12),
        tokens=(max(sum(each.input_tokens for each in days) - cached, 0), cached, sum(d.output_tokens for d in days)),
        complete=len(days) == size and all(each.complete for each in days),
    )


def _labelled(count: int, most_count: int) -> range:
    """Which bars get a date."""
    return range(0, count, max(1, -(-count // most_count)))
