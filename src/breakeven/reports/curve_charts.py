"""Curve charts: monthly cost against monthly tokens, over the whole axis (log-log) and around the user's volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, isfinite, log
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import (
    Layer,
    horizontal_axis,
    layer,
    on,
    px,
    rect,
    rule,
    spec,
    text,
    vertical_axis,
)
from breakeven.reports.chart_style import (
    INK,
    MUTED,
    OTHER,
    PAPER,
    Axis,
    Canvas,
    Series,
    decades,
    money_tick,
    round_ticks,
    series_of,
    spread,
    volume_tick,
)
from breakeven.reports.document import BreakEvenPart, CurvePart, Document

RIBBON_PX: Final = 16.0
ODDS_PX: Final = 84.0
LABEL_GAP_PX: Final = 15.0
LINEAR_VIEW_RATIO: Final = 3.0
OTHERS_FROM_FRACTION: Final = 0.005
"""Odds of options without a line of their own that are worth a word."""
TITLE_SHOWN_COUNT: Final = 30


@dataclass(frozen=True, slots=True)
class _Point:
    """A place on a chart, in data units."""

    mtok: float
    usd: float


def cost_curves(document: Document, canvas: Canvas) -> Layer | None:
    """Log-log: bands, medians, every crossing, who is cheapest where, and the odds of it; None without a curve."""
    part, series = _charted(document), _with_curves(document)
    everyone = {each.name: each for each in series_of(document)}
    ranges = any(each.p10_usd_per_month for each in part.curves)
    bands = [(each.p10_usd_per_month, each.p90_usd_per_month, each.typical_usd_per_month) for each in part.curves]
    values = [v for low, high, middle in bands for v in (*low, *high, *(() if low else middle))]
    positive = [value for value in values if value > 0 and isfinite(value)]
    if not positive or not part.axis_low_mtok_per_month < part.axis_high_mtok_per_month:
        return None
    plot_px = canvas.height_px - RIBBON_PX - (ODDS_PX + 44 if ranges else 22)
    x = Axis(part.axis_low_mtok_per_month, part.axis_high_mtok_per_month, 0, canvas.width_px, log=True)
    low = max(min(positive), max(positive) / 1e9)
    y = Axis(low, max(max(positive), low * 10), plot_px, 0, log=True)
    ribbon_px, odds_px = plot_px + 22, plot_px + 22 + RIBBON_PX + 22
    layers = [
        *horizontal_axis(
            x, decades(x.low, x.high, 4 if canvas.narrow else 9), volume_tick,
            top_px=0, bottom_px=canvas.height_px, title="tokens a month",
        ),
        *vertical_axis(
            y, decades(y.low, y.high, 7), money_tick, left_px=0, right_px=canvas.width_px,
            title=_cost_title(canvas),
        ),
        *(_band(curve, series[curve.option], x, y) for curve in part.curves if ranges and curve.option in series),
        *(_typical(curve, series[curve.option], x, y) for curve in part.curves if curve.option in series),
        *_pair_marks(part, x, y),
        *_envelope_marks(part, x, y, ribbon_px),
        *_ribbon(part, everyone, x, ribbon_px),
        *(_odds(part, series, x, odds_px, canvas) if ranges else ()),
        *_end_labels(_line_ends(part, series), x.high, x, y, canvas),
        *_here(part.volume_mtok_per_month, x, canvas.height_px, canvas),
    ]  # fmt: skip
    return spec(canvas, layers)


def volume_view(document: Document, canvas: Canvas) -> Layer | None:
    """Linear, around the user's volume: exact typical curves with their steps, and the range at the volume itself."""
    part, series = _charted(document), _with_curves(document)
    here = part.volume_mtok_per_month
    curves = [each for each in part.curves if each.option in series and each.exact_usd_per_month]
    if here <= 0 or not curves:
        return None
    x = Axis(0.0, here * LINEAR_VIEW_RATIO, 0, canvas.width_px)
    ranges = {each.name: each.equal_success_usd_per_month for each in document.options}
    tops = [value for each in curves for value in each.exact_usd_per_month] + [ranges[each].p90 for each in series]
    y = Axis(0.0, max([value for value in tops if isfinite(value)] + [1e-9]) * 1.04, canvas.height_px, 0)
    ends = [
        (series[each.option], _Point(each.exact_volumes_mtok_per_month[-1], each.exact_usd_per_month[-1]))
        for each in curves
    ]
    layers = [
        *horizontal_axis(
            x, round_ticks(x.high, 4 if canvas.narrow else 8), volume_tick,
            top_px=0, bottom_px=canvas.height_px, title="tokens a month",
        ),
        *vertical_axis(
            y, round_ticks(y.high, 6), money_tick, left_px=0, right_px=canvas.width_px,
            title=_cost_title(canvas),
        ),
        *(_exact(curve, series[curve.option], x, y) for curve in curves),
        *_crossings_here(part, curves, x, y),
        *_here(here, x, canvas.height_px, canvas),
        *_ranges_here(document, series, here, x, y),
        *_end_labels(ends, x.high, x, y, canvas),
    ]  # fmt: skip
    return spec(canvas, layers)


def _cost_title(canvas: Canvas) -> str:
    return "USD a month, equal successes" if canvas.narrow else "USD a month for as many successful outcomes as today"


def _with_curves(document: Document) -> dict[str, Series]:
    return {each.name: each for each in series_of(document) if each.charted}


def _charted(document: Document) -> BreakEvenPart:
    """The break-even part with the options alone that have a line of their own; every stretch stays."""
    part, shown = document.breakeven, _with_curves(document)
    return part.model_copy(
        update={
            "curves": tuple(each for each in part.curves if each.option in shown),
            "pairs": tuple(each for each in part.pairs if each.option in shown),
        }
    )


def _band(curve: CurvePart, look: Series, x: Axis, y: Axis) -> Layer:
    bands = zip(curve.volumes_mtok_per_month, curve.p10_usd_per_month, curve.p90_usd_per_month, strict=True)
    rows = [{"v": v, "low": max(low, y.low), "high": max(high, y.low)} for v, low, high in bands if x.holds(v)]
    mark = {"type": "area", "fill": look.colour, "fillOpacity": 0.13, "clip": True}
    return layer(f"band_{look.letter}", rows, mark, {"x": on("v", x), "y": on("low", y), "y2": {"field": "high"}})


def _typical(curve: CurvePart, look: Series, x: Axis, y: Axis) -> Layer:
    points = zip(curve.volumes_mtok_per_month, curve.typical_usd_per_month, strict=True)
    rows = [{"v": v, "usd": usd} for v, usd in points if x.holds(v) and usd > 0]
    return _line(f"typical_{look.letter}", rows, look, x, y)


def _exact(curve: CurvePart, look: Series, x: Axis, y: Axis) -> Layer:
    points = zip(curve.exact_volumes_mtok_per_month, curve.exact_usd_per_month, strict=True)
    return _line(f"exact_{look.letter}", [{"v": v, "usd": usd} for v, usd in points], look, x, y)


def _line(name: str, rows: Sequence[dict[str, float]], look: Series, x: Axis, y: Axis) -> Layer:
    mark = {
        "type": "line",
        "stroke": look.colour,
        "strokeWidth": 2.6 if look.today else 2.1,
        "strokeDash": list(look.dash),
        "clip": True,
    }
    numbered = [{**row, "order": index} for index, row in enumerate(rows)]  # else Vega would sort a step's two ends
    order = {"field": "order", "type": "quantitative"}
    return layer(name, numbered, mark, {"x": on("v", x), "y": on("usd", y), "order": order})


def _pair_marks(part: BreakEvenPart, x: Axis, y: Axis) -> list[Layer]:
    """A ring on today's curve wherever another option crosses it."""
    paired = {each.option for each in part.pairs}
    today = [each for each in part.curves if each.option not in paired]
    if not today:
        return []
    volumes = [v for pair in part.pairs for v in pair.crossings_mtok_per_month]
    points = [_Point(v, _on_grid(today[0], v)) for v in volumes]
    return [_points("pair_crossings", points, x, y, fill=PAPER, stroke=INK, size=34 if len(points) < 12 else 14)]


def _envelope_marks(part: BreakEvenPart, x: Axis, y: Axis, ribbon_px: float) -> list[Layer]:
    """A dot on the cheaper curve, and a drop line to the ribbon, wherever the cheapest option changes."""
    curves = {each.option: each for each in part.curves}
    points = [
        _Point(each.mtok_per_month, _on_grid(curves[each.to_option], each.mtok_per_month))
        for each in part.crossings
        if each.to_option in curves
    ]
    drops = [
        {"x": x.px(each.mtok), "x2": x.px(each.mtok), "y": y.px(max(each.usd, y.low)), "y2": ribbon_px}
        for each in points
    ]
    many = len(points) >= 12
    return [
        rule("drops", drops, stroke=MUTED, strokeDash=[1, 3], opacity=0.5 if many else 0.9),
        _points("crossings", points, x, y, fill=INK, stroke=PAPER, size=26 if many else 46),
    ]


def _points(name: str, points: Sequence[_Point], x: Axis, y: Axis, **mark: object) -> Layer:
    rows = [{"v": each.mtok, "usd": max(each.usd, y.low)} for each in points]
    style = {"type": "point", "filled": True, "opacity": 1, "strokeWidth": 1.3} | mark
    return layer(name, rows, style, {"x": on("v", x), "y": on("usd", y)})


def _on_grid(curve: CurvePart, mtok: float) -> float:
    """The typical curve at `mtok`, interpolated on log-log axes."""
    volumes, costs = curve.volumes_mtok_per_month, curve.typical_usd_per_month
    for (v0, usd0), (v1, usd1) in pairwise(zip(volumes, costs, strict=True)):
        if v0 <= mtok <= v1 and min(v0, usd0, usd1) > 0:
            share = (log(mtok) - log(v0)) / (log(v1) - log(v0))
            return exp(log(usd0) + share * (log(usd1) - log(usd0)))
    return costs[0] if costs and mtok < volumes[0] else (costs[-1] if costs else 0.0)


def _ribbon(part: BreakEvenPart, series: dict[str, Series], x: Axis, top_px: float) -> list[Layer]:
    """Who is cheapest at typical values, volume by volume."""
    boxes, letters = [], []
    for each in part.stretches:
        look = series.get(each.option)
        low, high = max(each.from_mtok_per_month, x.low), min(each.to_mtok_per_month, x.high)
        if look is None or not low < high:
            continue
        left, right = x.px(low), x.px(high)
        boxes.append({"x": left, "x2": right, "y": top_px, "y2": top_px + RIBBON_PX, "fill": look.colour})
        if right - left > 13:
            letters.append({"x": (left + right) / 2, "y": top_px + RIBBON_PX / 2 + 0.5, "label": look.letter})
    title = [{"x": 0, "y": top_px - 9, "label": "cheapest at typical values"}]
    return [
        text("ribbon_title", title, fill=MUTED),
        rect("ribbon", boxes, stroke=PAPER, strokeWidth=1),
        text("ribbon_letters", letters, align="center", fill=PAPER, fontWeight="bold"),
    ]


def _odds(part: BreakEvenPart, series: dict[str, Series], x: Axis, top_px: float, canvas: Canvas) -> list[Layer]:
    """The share of futures in which each option is cheapest, stacked; what is left is all the others together."""
    curves = [each for each in part.curves if each.option in series]
    if not curves or len({len(each.volumes_mtok_per_month) for each in curves}) != 1:
        return []
    volumes = curves[0].volumes_mtok_per_month
    floor = [0.0] * len(volumes)
    rest = [
        max(0.0, 1 - sum(each)) for each in zip(*(each.probability_cheapest_fraction for each in curves), strict=True)
    ]
    scale = "" if canvas.narrow else ", 0 to 100 %"
    title = f"odds of being cheapest{scale}{'; grey: all others' if max(rest) > OTHERS_FROM_FRACTION else ''}"
    ground = [
        {"v": v, "y": top_px, "y2": top_px + ODDS_PX * share}
        for v, share in zip(volumes, rest, strict=True)
        if x.holds(v)
    ]
    area = {"type": "area", "fill": OTHER, "fillOpacity": 0.85, "stroke": PAPER, "strokeWidth": 0.8}
    layers = [
        text("odds_title", [{"x": 0, "y": top_px - 9, "label": title}], fill=MUTED),
        layer("odds_others", ground, area, {"x": on("v", x), "y": px("y"), "y2": {"field": "y2"}}),
    ]
    for curve in curves:
        look = series[curve.option]
        tops = [min(low + share, 1.0) for low, share in zip(floor, curve.probability_cheapest_fraction, strict=True)]
        rows = [
            {"v": v, "y": top_px + ODDS_PX * (1 - low), "y2": top_px + ODDS_PX * (1 - top)}
            for v, low, top in zip(volumes, floor, tops, strict=True)
            if x.holds(v)
        ]
        mark = {"type": "area", "fill": look.colour, "fillOpacity": 0.85, "stroke": PAPER, "strokeWidth": 0.8}
        layers.append(layer(f"odds_{look.letter}", rows, mark, {"x": on("v", x), "y": px("y"), "y2": {"field": "y2"}}))
        floor = tops
    return [*layers, *_odds_letters(curves, series, x, top_px)]


def _odds_letters(curves: Sequence[CurvePart], series: dict[str, Series], x: Axis, top_px: float) -> list[Layer]:
    """A letter where an option's share is thickest."""
    rows = []
    for index, curve in enumerate(curves):
        shares = curve.probability_cheapest_fraction
        best = max(range(len(shares)), key=lambda k: shares[k])
        if shares[best] >= 0.2:
            below = sum(each.probability_cheapest_fraction[best] for each in curves[:index])
            middle = top_px + ODDS_PX * (1 - below - shares[best] / 2)
            place = min(max(x.px(curve.volumes_mtok_per_month[best]), x.start_px + 10), x.end_px - 10)
            rows.append({"x": place, "y": middle, "label": series[curve.option].letter})
    return [text("odds_letters", rows, align="center", fill=PAPER, fontWeight="bold")]


def _crossings_here(part: BreakEvenPart, curves: Sequence[CurvePart], x: Axis, y: Axis) -> list[Layer]:
    """The crossings inside the linear view, on the exact curve that wins there."""
    by_name = {each.option: each for each in curves}
    points = [
        _Point(each.mtok_per_month, _on_corners(by_name[each.to_option], each.mtok_per_month))
        for each in part.crossings
        if each.mtok_per_month <= x.high and each.to_option in by_name
    ]
    return [_points("crossings", points, x, y, fill=INK, stroke=PAPER, size=50)]


def _on_corners(curve: CurvePart, mtok: float) -> float:
    """The exact typical curve at `mtok`."""
    points = list(zip(curve.exact_volumes_mtok_per_month, curve.exact_usd_per_month, strict=True))
    for (v0, usd0), (v1, usd1) in pairwise(points):
        if v0 < v1 and v0 <= mtok <= v1:
            return usd0 + (mtok - v0) / (v1 - v0) * (usd1 - usd0)
    return points[-1][1]


def _ranges_here(document: Document, series: dict[str, Series], here: float, x: Axis, y: Axis) -> list[Layer]:
    """P10 to P90 of each option at the user's volume, side by side."""
    drawn = [each for each in document.options if each.name in series]
    bars, dots = [], []
    for index, option in enumerate(drawn):
        amount, look = option.equal_success_usd_per_month, series[option.name]
        place = x.px(here) + (index - len(drawn) // 2 + 0.5) * 9
        bars.append({"x": place, "x2": place, "y": y.px(amount.p10), "y2": y.px(amount.p90), "colour": look.colour})
        dots.append({"x": place, "y": y.px(amount.p50), "colour": look.colour})
    colour = {"field": "colour", "type": "nominal", "scale": None}
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return [
        layer("ranges", bars, {"type": "rule", "strokeWidth": 4, "opacity": 0.55},
              {"x": px("x"), "y": px("y"), **ends, "stroke": colour}),
        layer("medians", dots, {"type": "point", "filled": True, "opacity": 1, "size": 42, "stroke": PAPER},
              {"x": px("x"), "y": px("y"), "fill": colour}),
    ]  # fmt: skip


def _line_ends(part: BreakEvenPart, series: dict[str, Series]) -> list[tuple[Series, _Point]]:
    return [
        (series[each.option], _Point(each.volumes_mtok_per_month[-1], each.typical_usd_per_month[-1]))
        for each in part.curves
        if each.option in series and each.typical_usd_per_month and each.typical_usd_per_month[-1] > 0
    ]


def _end_labels(
    ends: Sequence[tuple[Series, _Point]], end_mtok: float, x: Axis, y: Axis, canvas: Canvas
) -> list[Layer]:
    """Letter and, where there is room, title right of each line's end, moved apart."""
    high_px = max(y.start_px, y.end_px)
    starts = [y.px(max(point.usd, y.low)) for _, point in ends]
    places = spread(starts, LABEL_GAP_PX, 4, high_px - 4)
    right = x.px(end_mtok)
    leaders = [
        {"x": right + 1, "x2": right + 9, "y": start, "y2": place}
        for start, place in zip(starts, places, strict=True)
    ]  # fmt: skip
    found = [rule("leaders", leaders, stroke=MUTED, strokeWidth=0.8)]
    for (look, _), place in zip(ends, places, strict=True):
        label = look.letter if canvas.narrow else f"{look.letter}  {_cut(look.title)}"
        row = {"x": right + 12, "y": place, "label": label}
        found.append(text(f"label_{look.letter}", [row], fill=look.colour, fontWeight="bold"))
    return found


def _cut(title: str) -> str:
    return title if len(title) <= TITLE_SHOWN_COUNT else title[: TITLE_SHOWN_COUNT - 1] + "…"


def _here(mtok: float, x: Axis, bottom_px: float, canvas: Canvas) -> list[Layer]:
    """You are here."""
    if not x.holds(mtok):
        return []
    place = x.px(mtok)
    label = f"you: {amounts.magnitude(mtok * 1e6)}"
    left = place > canvas.width_px * 0.6
    words = [{"x": place + (4 if left else -4), "y": -9, "label": label}]
    return [
        rule(
            "here",
            [{"x": place, "x2": place, "y": -2, "y2": bottom_px}],
            stroke=INK,
            strokeWidth=1.4,
            strokeDash=[5, 3],
        ),
        text("here_label", words, align="right" if left else "left", fontWeight="bold"),
    ]
