"""Usage charts: tokens or spend over time by model or provider, and how steady the days are beside the next quarter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Final, Literal

from breakeven.reports import amounts, findings
from breakeven.reports.chart_marks import Layer, layer, px, rect, rule, spec, text, vertical_axis
from breakeven.reports.chart_style import (
    HEAT,
    INK,
    LINES,
    MUTED,
    OTHER,
    PAPER,
    SERIES,
    TURNS,
    Axis,
    Canvas,
    letter_of,
    money_tick,
    round_ticks,
    spread,
)
from breakeven.reports.charts import Chart, Draw, chart_of
from breakeven.reports.document import DayPart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.stability_part import TotalPart
from breakeven.reports.traffic_charts import (
    DAYS_DRAWN_COUNT,
    Bucket,
    buckets,
    daily_tokens,
    date_ticks,
    hour_of_week,
    stacked_boxes,
)
from breakeven.reports.usage_document import UsageDocument

Show = Literal["tokens", "spend"]
By = Literal["model", "provider", "kind"]
STACKED_COUNT: Final = 7
"""Names with a colour of their own; the rest is one grey."""
LABEL_GAP_PX: Final = 15.0
QUARTER_DAYS: Final = 91
NAME_SHOWN_COUNT: Final = 26
_WIDE: Final = Canvas("wide", 668, 250, 60, 212, 46, 26)
_NARROW: Final = Canvas("narrow", 288, 210, 50, 24, 46, 26)


@dataclass(frozen=True, slots=True)
class Stack:
    """One model or provider in the bars."""

    name: str
    letter: str
    colour: str
    days: tuple[float, ...]
    """A value for each day of the log."""
    is_rest: bool = False

    @property
    def total(self) -> float:
        """Over all days."""
        return sum(self.days)


def stacks(document: UsageDocument, show: Show, by: By) -> tuple[Stack, ...]:
    """What the bars are made of, the largest first and at the bottom; the small ones as one rest at the top."""
    sums: dict[str, list[float]] = {}
    for each in document.models:
        name = _provider(each.provider) if by == "provider" else _model(each.provider, each.model)
        values = [float(count) for count in each.tokens] if show == "tokens" else [usd or 0.0 for usd in each.spend_usd]
        known = sums.get(name)
        sums[name] = values if known is None else [a + b for a, b in zip(known, values, strict=True)]
    ranked = sorted(((name, days) for name, days in sums.items() if sum(days) > 0), key=lambda one: -sum(one[1]))
    named = ranked if len(ranked) <= STACKED_COUNT + 1 else ranked[:STACKED_COUNT]
    found = [Stack(name, letter_of(at), LINES[at % len(LINES)], tuple(days)) for at, (name, days) in enumerate(named)]
    rest = ranked[len(named) :]
    if rest:
        days = tuple(sum(each) for each in zip(*(days for _, days in rest), strict=True))
        found.append(Stack(f"{len(rest)} other {by}s", letter_of(len(named)), OTHER, days, is_rest=True))
    return tuple(found)


def over_time(document: UsageDocument, show: Show, by: By, canvas: Canvas) -> Layer | None:
    """Stacked bars, one per day or week, with the name of each colour at the right (its letter on a phone)."""
    found, bars = stacks(document, show, by), buckets(document.workload.days)
    heights = [[sum(each.days[bar.start : bar.end]) for each in found] for bar in bars]
    most = max((sum(each) for each in heights), default=0.0)
    if most <= 0:
        return None
    y = Axis(0.0, most * 1.05, canvas.height_px, 0)
    step = canvas.width_px / len(bars)
    columns = [(values, bar.complete) for bar, values in zip(bars, heights, strict=True)]
    boxes = stacked_boxes(columns, [each.colour for each in found], y, step, min(step * 0.8, 46.0))
    return spec(
        canvas,
        [
            *_amount_axis(show, y, canvas, "a day" if len(bars) == len(document.workload.days) else "a week"),
            rect("bars", boxes.whole, stroke=PAPER, strokeWidth=0.5),
            rect("partial_bars", boxes.partly, stroke=PAPER, strokeWidth=0.5, opacity=0.45),
            *_names(found, bars, heights, y, canvas),
            date_ticks([bar.label for bar in bars], step, 4 if canvas.narrow else 9, canvas),
        ],
    )


def steadiness(document: UsageDocument, show: Show, canvas: Canvas) -> Layer | None:
    """Each whole day as a dot, the usual span of each level, every shift, and a mean day of the next quarter."""
    part = document.workload.stability
    days = [each for each in document.workload.days if each.complete]
    if part is None or len(days) < 2:
        return None
    first, ends = date.fromisoformat(days[0].day), date.fromisoformat(days[-1].day)
    ahead = None if part.quarter is None else part.quarter.tokens if show == "tokens" else part.quarter.spend_usd
    last = ends + timedelta(days=QUARTER_DAYS) if ahead else ends
    x = Axis(0, max((last - first).days, 1), 4, canvas.width_px - 4)
    values = [_of(each, show) for each in days]
    spans = [(each, each.tokens if show == "tokens" else each.spend_usd) for each in document.stretches]
    tops = [*values, *(each.high for _, each in spans if each), ahead.high / QUARTER_DAYS if ahead else 0.0]
    if max(tops) <= 0:
        return None
    y = Axis(0.0, max(tops) * 1.08, canvas.height_px, 0)

    def place(day: str) -> float:
        return x.px((date.fromisoformat(day) - first).days)

    bands = [(place(each.first_day), place(each.last_day), span) for each, span in spans if span]
    layers = [
        *_amount_axis(show, y, canvas, "a day"),
        *_bands(bands, y),
        *(_quarter(place((ends + timedelta(days=1)).isoformat()), x.end_px, ahead, y, canvas) if ahead else ()),
        *_shifts(document, place, canvas),
        _dots([{"x": place(each.day), "y": y.px(value)} for each, value in zip(days, values, strict=True)]),
        _calendar(first, last, x, canvas),
    ]
    return spec(canvas, layers)


def draw_over_time(document: UsageDocument, show: Show, by: By) -> Chart | None:
    """Tokens or spend over time; by kind of token it is the chart of the report."""
    if by == "kind":
        workload = document.workload
        caption = findings.daily_finding(workload)
        wide, narrow = Canvas("wide", 840, 230, 60, 40, 46, 26), Canvas("narrow", 300, 200, 46, 14, 46, 26)
        return _drawn("usage_kinds", caption, wide, narrow, partial(daily_tokens, workload))
    return _drawn(
        f"usage_{show}_{by}", over_time_finding(document, show, by), _WIDE, _NARROW,
        partial(over_time, document, show, by),
    )  # fmt: skip


def draw_steadiness(document: UsageDocument, show: Show) -> Chart | None:
    """How steady the days are, and the next quarter."""
    wide, narrow = Canvas("wide", 840, 240, 60, 40, 46, 30), Canvas("narrow", 292, 210, 50, 20, 46, 30)
    return _drawn(
        f"steadiness_{show}", steadiness_finding(document, show), wide, narrow, partial(steadiness, document, show)
    )


def draw_hours(document: UsageDocument) -> Chart | None:
    """The hours of the week."""
    workload = document.workload
    wide, narrow = Canvas("wide", 840, 168, 56, 40, 6, 46), Canvas("narrow", 294, 150, 46, 20, 6, 46)
    return _drawn("usage_hours", findings.traffic_finding(workload), wide, narrow, partial(hour_of_week, workload))


def over_time_finding(document: UsageDocument, show: Show, by: By) -> str:
    """Whose tokens or spend these mostly are."""
    found = stacks(document, show, by)
    if not found:
        return "No model has a known price: spend is UNPRICED."
    whole = sum(each.total for each in found)
    total = amounts.tokens(whole) if show == "tokens" else amounts.money(whole)
    top = found[0]
    share = amounts.fraction(top.total / whole)
    text = f"{total} in {amounts.counted(len(document.workload.days), 'day')}, {share} of it {top.name}"
    if show == "spend" and document.workload.unpriced_tokens_fraction:
        text += (
            f"; without the {amounts.fraction(document.workload.unpriced_tokens_fraction)} of tokens that are UNPRICED"
        )
    return text + "."


def steadiness_finding(document: UsageDocument, show: Show) -> str:
    """The usual ups and downs of a day on the latest level."""
    if not document.stretches:
        return "Too few whole days to say what is usual."
    latest = document.stretches[-1]
    span = latest.tokens if show == "tokens" else latest.spend_usd
    if span is None:
        return "Spend is UNPRICED: no model has a known price."
    write = amounts.magnitude if show == "tokens" else amounts.money
    what = " tokens" if show == "tokens" else ""
    since = f" since {amounts.date_text(latest.first_day)}" if len(document.stretches) > 1 else ""
    return f"Usual ups and downs{since}: 8 of 10 days lie between {write(span.low)} and {write(span.high)}{what}."


def _drawn(name: str, caption: str, wide: Canvas, narrow: Canvas, draw: Draw) -> Chart | None:
    """A chart in both widths; None without data."""
    specs = draw(wide), draw(narrow)
    return None if specs[0] is None or specs[1] is None else chart_of(name, caption, specs[0], specs[1])


def _of(day: DayPart, show: Show) -> float:
    return float(day.input_tokens + day.output_tokens) if show == "tokens" else day.spend_usd


def _provider(name: str) -> str:
    return short(name, NAME_SHOWN_COUNT) or "no provider named"


def _model(provider: str, model: str) -> str:
    """The model, with its provider where there is one."""
    return "/".join(each for each in (safe(provider), safe(model)) if each) or "no model named"


def _amount_axis(show: Show, y: Axis, canvas: Canvas, per: str) -> list[Layer]:
    title = f"{'tokens' if show == 'tokens' else 'spend'} {per}, UTC"
    write = amounts.magnitude if show == "tokens" else money_tick
    return vertical_axis(y, round_ticks(y.high, 5), write, left_px=0, right_px=canvas.width_px, title=title)


def _names(
    found: Sequence[Stack], bars: Sequence[Bucket], heights: Sequence[Sequence[float]], y: Axis, canvas: Canvas
) -> list[Layer]:
    """Letter and name beside the last whole bar, joined with it by a thin line."""
    at = max((index for index, bar in enumerate(bars) if bar.complete), default=len(bars) - 1)
    low, middles = 0.0, []
    for value in heights[at]:
        middles.append(y.px(low + value / 2))
        low += value
    rows = spread(middles, LABEL_GAP_PX, 0, canvas.height_px)
    edge = (len(bars) - 0.5) / len(bars) * canvas.width_px
    x = canvas.width_px + (26 if not canvas.narrow else 8)
    words = [
        {
            "x": x,
            "y": row,
            "label": each.letter if canvas.narrow else f"{each.letter}  {short(each.name, NAME_SHOWN_COUNT)}",
        }
        for each, row in zip(found, rows, strict=True)
    ]
    if canvas.narrow:
        return [text("names", words)]
    joins = [
        {"x": min(edge + 8, canvas.width_px), "x2": x - 4, "y": middle, "y2": row}
        for middle, row in zip(middles, rows, strict=True)
    ]
    marks = [
        {"x": x - 4, "x2": x - 1, "y": row - 6, "y2": row + 6, "fill": each.colour}
        for each, row in zip(found, rows, strict=True)
    ]
    return [rule("joins", joins, stroke=MUTED, strokeWidth=0.6), rect("name_marks", marks), text("names", words)]


def _calendar(first: date, last: date, x: Axis, canvas: Canvas) -> Layer:
    """Dates at even distances."""
    count = 4 if canvas.narrow else 8
    days = (last - first).days
    step = max(1, -(-days // count))
    rows = [
        {"x": x.px(at), "y": canvas.height_px + 14, "label": amounts.day_text((first + timedelta(days=at)).isoformat())}
        for at in range(0, days + 1, step)
    ]
    return text("x_ticks", rows, align="center", fill=MUTED)


def _dots(rows: Sequence[dict[str, float]]) -> Layer:
    size = 16 if len(rows) <= DAYS_DRAWN_COUNT else 7
    mark = {"type": "circle", "size": size, "fill": SERIES[0], "opacity": 0.9}
    return layer("days", rows, mark, {"x": px("x"), "y": px("y")})


def _bands(bands: Sequence[tuple[float, float, TotalPart]], y: Axis) -> list[Layer]:
    """Where 8 of 10 days of a level lie, with its middle as a line and its edges drawn."""
    boxes = [{"x": a, "x2": max(b, a + 1), "y": y.px(span.low), "y2": y.px(span.high)} for a, b, span in bands]
    middle = [{"x": a, "x2": b, "y": y.px(span.typical), "y2": y.px(span.typical)} for a, b, span in bands]
    edges = [
        {"x": a, "x2": b, "y": y.px(level), "y2": y.px(level)}
        for a, b, span in bands
        for level in (span.low, span.high)
    ]
    return [
        rect("usual", boxes, fill=HEAT[1], opacity=0.55),
        rule("usual_edges", edges, stroke=MUTED, strokeWidth=0.7, strokeDash=[2, 2]),
        rule("levels", middle, stroke=INK, strokeWidth=1.5),
    ]


def _quarter(left: float, right: float, ahead: TotalPart, y: Axis, canvas: Canvas) -> list[Layer]:
    """A mean day of the next quarter: the total and its 80 % interval over 91 days."""
    low, typical, high = (y.px(each / QUARTER_DAYS) for each in (ahead.low, ahead.typical, ahead.high))
    box = [{"x": left, "x2": right, "y": low, "y2": high}]
    edges = [{"x": left, "x2": right, "y": each, "y2": each} for each in (low, high)]
    label = "next quarter" if canvas.narrow else "next quarter: a mean day, 80 %"
    above = high - 8 if high > 16 else low + 10
    return [
        rect("quarter", box, fill=TURNS, opacity=0.18),
        rule("quarter_edges", edges, stroke=TURNS, strokeWidth=1, strokeDash=[5, 3]),
        rule(
            "quarter_middle", [{"x": left, "x2": right, "y": typical, "y2": typical}], stroke=TURNS, strokeWidth=2,
            strokeDash=[9, 3],
        ),
        text("quarter_title", [{"x": right, "y": above, "label": label}], align="right"),
    ]  # fmt: skip


def _shifts(document: UsageDocument, place: Callable[[str], float], canvas: Canvas) -> list[Layer]:
    """A line where a new level begins, with its size and day."""
    part = document.workload.stability
    shifts = part.shifts if part else ()
    rows = [{"x": place(each.day), "x2": place(each.day), "y": 0, "y2": canvas.height_px} for each in shifts]
    words = [
        {
            "x": place(each.day) + 4,
            "y": 6 + 15 * (at % 3),
            "label": f"{_signed(each.ratio)} from {amounts.day_text(each.day)}",
        }
        for at, each in enumerate(shifts)
    ]
    return [rule("shifts", rows, stroke=TURNS, strokeWidth=1.5, strokeDash=[6, 3]), text("shift_titles", words)]


def _signed(ratio: float) -> str:
    """A ratio as a change.

    >>> _signed(1.49), _signed(0.7), _signed(6)
    ('+49 %', '-30 %', '6x')
    """
    return amounts.ratio(ratio) if ratio >= 3 else f"{(ratio - 1) * 100:+.0f} %"
