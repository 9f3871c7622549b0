"""Month charts: what each main option costs month by month, and how often its bill is the lowest of that month."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer, horizontal_axis, layer, on, rule, spec, text, vertical_axis
from breakeven.reports.chart_style import MUTED, Axis, Canvas, Series, money_tick, round_ticks, series_of, spread
from breakeven.reports.document import Document
from breakeven.reports.horizon_part import HorizonOptionPart
from breakeven.reports.safe_text import short

LABEL_GAP_PX: Final = 13.0
ODDS_FROM_FRACTION: Final = 0.02
"""An option that is never cheapest in so many futures has no line among the odds."""
OTHERS_LETTER: Final = "*"
OTHERS_DASH: Final = (1, 3)
TICKS_COUNT: Final = 6
TITLES_FROM_PX: Final = 200.0
"""Room right of the plot in which titles fit."""
TITLE_SHOWN_COUNT: Final = 30


@dataclass(frozen=True, slots=True)
class _Line:
    """One option's value of each month."""

    look: Series
    values: tuple[float, ...]


def typical_bills(option: HorizonOptionPart) -> tuple[float, ...]:
    """The bill of each month at typical values, purchases as an annuity; an older document tells cash alone."""
    return option.typical_bill_usd_per_month or option.typical_usd_per_month


def costs_title(document: Document) -> str:
    """What the lines of the costs are of."""
    options = document.horizon.options if document.horizon else ()
    bills = any(each.typical_bill_usd_per_month for each in options)
    return f"{'Bill' if bills else 'Cash'} of each month, typical"


def costs_by_month(document: Document, canvas: Canvas) -> Layer | None:
    """Bill of each month at typical values, with the P10 to P90 band of the recommended option; None: no horizon."""
    lines = [
        _Line(look, values)
        for look, option in _charted(document)
        if (values := typical_bills(option)) and all(isfinite(each) for each in values)
    ]
    if not lines:
        return None
    drawn = [value for each in lines for value in each.values]
    low, high = min(0.0, *drawn), max(1e-9, *drawn)  # hardware sold at the end brings money in
    margin = (high - low) * 0.05
    months = Axis(1, max(len(lines[0].values), 2), 0, canvas.width_px)
    y = Axis(low - margin if low < 0 else 0.0, high + margin, canvas.height_px, 0)
    layers = [
        *_axes(months, y, round_ticks(y.high, 5, y.low), money_tick, canvas, "USD in the month, typical"),
        *_band(document, months, y),
        *(_drawn(each, months, y) for each in lines),
        *_letters(lines, months, y, canvas),
    ]
    return spec(canvas, layers)


def odds_by_month(document: Document, canvas: Canvas) -> Layer | None:
    """Share of the futures in which each option's bill of that month is the lowest; None without a horizon."""
    lines = [
        _Line(look, option.probability_cheapest_by_month_fraction)
        for look, option in _charted(document)
        if max(option.probability_cheapest_by_month_fraction, default=0.0) >= ODDS_FROM_FRACTION
    ]
    if not lines:
        return None
    others = _others(document, {each.look.name for each in lines})
    if max(others.values) >= ODDS_FROM_FRACTION:
        lines.append(others)
    months = Axis(1, max(len(lines[0].values), 2), 0, canvas.width_px)
    y = Axis(0.0, 1.0, canvas.height_px, 0)
    layers = [
        *_axes(months, y, [0, 0.25, 0.5, 0.75, 1.0], amounts.fraction, canvas, "share of the futures"),
        *(_drawn(each, months, y) for each in lines),
        *_letters(lines, months, y, canvas),
    ]
    return spec(canvas, layers)


def _others(document: Document, shown: set[str]) -> _Line:
    """All options without a line of their own, together: every month adds up to one."""
    options = document.horizon.options if document.horizon else ()
    hidden = [each for each in options if each.option not in shown]
    months_count = len(options[0].probability_cheapest_by_month_fraction)
    values = tuple(
        sum(each.probability_cheapest_by_month_fraction[month] for each in hidden) for month in range(months_count)
    )
    return _Line(Series("", "All others", OTHERS_LETTER, MUTED, OTHERS_DASH, today=False, charted=True), values)


def _charted(document: Document) -> list[tuple[Series, HorizonOptionPart]]:
    """Options with a line of their own in the charts, as the horizon sees them."""
    options = {each.option: each for each in document.horizon.options} if document.horizon else {}
    return [(each, options[each.name]) for each in series_of(document) if each.charted and each.name in options]


def _axes(
    months: Axis, y: Axis, ticks: Sequence[float], label: Callable[[float], str], canvas: Canvas, title: str
) -> list[Layer]:
    step = max(1, round(months.high / TICKS_COUNT / 3) * 3)
    places = [1.0, *(float(each) for each in range(step, int(months.high) + 1, step) if each > 1)]
    return [
        *horizontal_axis(
            months, places, lambda each: f"{each:.0f}", top_px=0, bottom_px=canvas.height_px, title="month"
        ),
        *vertical_axis(y, ticks, label, left_px=0, right_px=canvas.width_px, title=title),
    ]


def _band(document: Document, months: Axis, y: Axis) -> list[Layer]:
    chosen = document.horizon.recommended if document.horizon else None
    for look, option in _charted(document):
        if option.option == chosen:
            ends = zip(option.p10_usd_per_month, option.p90_usd_per_month, strict=True)
            rows = [
                {"m": month, "low": min(max(low, y.low), y.high), "high": min(max(high, y.low), y.high)}
                for month, (low, high) in enumerate(ends, 1)
            ]
            mark = {"type": "area", "fill": look.colour, "fillOpacity": 0.14, "clip": True}
            return [layer("band", rows, mark, {"x": on("m", months), "y": on("low", y), "y2": {"field": "high"}})]
    return []


def _drawn(line: _Line, months: Axis, y: Axis) -> Layer:
    look = line.look
    rows = [{"m": month, "v": value} for month, value in enumerate(line.values, 1)]
    mark = {
        "type": "line",
        "stroke": look.colour,
        "strokeWidth": 2.6 if look.today else 2.0,
        "strokeDash": list(look.dash),
        "clip": True,
    }
    return layer(f"line_{look.letter}", rows, mark, {"x": on("m", months), "y": on("v", y)})


def _letters(lines: Sequence[_Line], months: Axis, y: Axis, canvas: Canvas) -> list[Layer]:
    """The option's letter, and where there is room its title, right of each line's end, moved apart."""
    starts = [y.px(each.values[-1]) for each in lines]
    places = spread(starts, LABEL_GAP_PX, 4, max(y.start_px, y.end_px) - 4)
    right = months.end_px
    leaders = [
        {"x": right + 1, "x2": right + 8, "y": start, "y2": place} for start, place in zip(starts, places, strict=True)
    ]
    found = [rule("leaders", leaders, stroke=MUTED, strokeWidth=0.8)]
    for each, place in zip(lines, places, strict=True):
        title = f"  {short(each.look.title, TITLE_SHOWN_COUNT)}" if canvas.right_px >= TITLES_FROM_PX else ""
        row = {"x": right + 11, "y": place, "label": each.look.letter + title}
        found.append(text(f"letter_{each.look.letter}", [row], fill=each.look.colour, fontWeight="bold"))
    return found
