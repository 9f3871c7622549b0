"""Risk charts: what each number is worth knowing, where options cross today's over the futures, and rare losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer, horizontal_axis, layer, px, rect, rule, spec, text, vertical_axis
from breakeven.reports.chart_style import (
    GRID,
    HOLDS,
    INK,
    MUTED,
    PAPER,
    SERIES,
    TODAY,
    Axis,
    Canvas,
    Series,
    decades,
    log_ticks,
    money_tick,
    round_ticks,
    series_of,
    volume_tick,
)
from breakeven.reports.decision_rows import span_of, worth_measuring
from breakeven.reports.document import Document
from breakeven.reports.risk_part import BreakEvenOddsPart, InformationPart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import main_options

INFORMATION_DRAWN_COUNT: Final = 10
TITLE_SHOWN_COUNT: Final = 34
API_LOOK: Final = (TODAY, (1, 0))
OWN_LOOK: Final = (SERIES[1], (7, 3))
"""Losses through a provider's API, and on machines of one's own."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """One row of the chart of what knowing is worth."""

    title: str
    label: str
    usd: float
    whole: bool


def information_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with one row per number."""
    return replace(canvas, height_px=_row_px(canvas) * max(len(_bars(document)), 1) + 6)


def information(document: Document, canvas: Canvas) -> Layer | None:
    """What knowing everything is worth, then each number alone; None where there is nothing to know."""
    bars = _bars(document)
    if document.risk is None or document.risk.evpi_usd <= 0 or len(bars) < 2:
        return None
    room = 1.5 if canvas.narrow else 1.34
    x = Axis(0.0, max(each.usd for each in bars) * room, 0, canvas.width_px)
    row_px = _row_px(canvas)
    boxes: list[dict[str, object]] = []
    titles, labels = [], []
    for row, each in enumerate(bars):
        top = row * row_px + (20 if canvas.narrow else 8)
        fill = PAPER if each.whole else HOLDS
        boxes.append({"x": 0, "x2": max(x.px(each.usd), 1.5), "y": top, "y2": top + 14, "fill": fill})
        labels.append({"x": x.px(each.usd) + 6, "y": top + 7.5, "label": each.label})
        at = {"x": 0, "y": top - 9} if canvas.narrow else {"x": -canvas.left_px, "y": top + 7}
        titles.append({**at, "label": each.title})
    layers = [
        *horizontal_axis(
            x, round_ticks(x.high, 3 if canvas.narrow else 6), money_tick,
            top_px=0, bottom_px=canvas.height_px, title="USD, present value, expected",
        ),
        rect("worth", boxes, stroke=INK, strokeWidth=0.8),
        text("row_titles", titles),
        text("worth_labels", labels, fontSize=11, fill=MUTED),
    ]  # fmt: skip
    return spec(canvas, layers)


def _row_px(canvas: Canvas) -> float:
    return 42.0 if canvas.narrow else 28.0


def _bars(document: Document) -> list[_Bar]:
    if document.risk is None:
        return []
    whole = _Bar("Everything (EVPI)", amounts.money_short(document.risk.evpi_usd), document.risk.evpi_usd, whole=True)
    return [whole, *(_bar(each) for each in worth_measuring(document)[:INFORMATION_DRAWN_COUNT])]


def _bar(part: InformationPart) -> _Bar:
    title = short(amounts.fact_title(safe(part.name) or "?"), TITLE_SHOWN_COUNT)
    span = short(span_of(part.name, part.low, part.high, part.unit), 24)
    return _Bar(title, f"{amounts.money_short(part.evppi_usd)} ({span})", part.evppi_usd, whole=False)


def odds_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with one row per main option."""
    return replace(canvas, height_px=_odds_row_px(canvas) * max(len(_crossings(document)), 1) + 4)


def breakeven_odds(document: Document, canvas: Canvas) -> Layer | None:
    """From which volume on each main option costs less than today's; never stands apart. None without such odds."""
    rows, part = _crossings(document), document.breakeven
    if not rows or not 0 < part.axis_low_mtok_per_month < part.axis_high_mtok_per_month:
        return None
    x = Axis(part.axis_low_mtok_per_month, part.axis_high_mtok_per_month, 0, canvas.width_px, log=True)
    spans: list[dict[str, object]] = []
    dots: list[dict[str, object]] = []
    ends: list[dict[str, object]] = []
    titles, nevers = [], []
    for index, (look, odds) in enumerate(rows):
        y = index * _odds_row_px(canvas) + (28 if canvas.narrow else 14)
        low, middle, high = odds.first_p10_mtok_per_month, odds.first_p50_mtok_per_month, odds.first_p90_mtok_per_month
        if low is not None:
            right = x.end_px if high is None else _px(x, high)
            spans.append({"x": _px(x, low), "x2": right, "y": y, "y2": y, "colour": look.colour})
            if high is None:
                ends.append({"x": right - 3, "y": y, "label": "▸"})
        if middle is not None:
            dots.append({"x": _px(x, middle), "y": y, "colour": look.colour})
        label = f"{look.letter}  {short(look.title, TITLE_SHOWN_COUNT - (8 if canvas.narrow else 0))}"
        at = {"x": 0, "y": y - 15} if canvas.narrow else {"x": -canvas.left_px, "y": y}
        titles.append({**at, "label": label})
        never = f"never: {amounts.odds(odds.never_fraction)}"
        place = canvas.width_px if canvas.narrow else canvas.width_px + canvas.right_px - 2
        nevers.append({"x": place, "y": y - 15 if canvas.narrow else y, "label": never})
    colour = {"field": "colour", "type": "nominal", "scale": None}
    layers = [
        *horizontal_axis(
            x, decades(x.low, x.high, 4 if canvas.narrow else 7), volume_tick,
            top_px=0, bottom_px=canvas.height_px, title="tokens a month from which it costs less",
        ),
        *_row_rules(len(rows), canvas),
        *_here(part.volume_mtok_per_month, x, canvas),
        layer("odds_spans", spans, {"type": "rule", "strokeWidth": 5, "opacity": 0.6},
              {"x": px("x"), "y": px("y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}, "stroke": colour}),
        layer("odds_medians", dots, {"type": "point", "filled": True, "opacity": 1, "size": 62, "stroke": PAPER},
              {"x": px("x"), "y": px("y"), "fill": colour}),
        text("open_ends", ends, align="left", fontSize=15),
        text("row_titles", titles),
        text("nevers", nevers, align="right", fontWeight="bold", fontSize=11),
    ]  # fmt: skip
    return spec(canvas, layers)


def _odds_row_px(canvas: Canvas) -> float:
    return 44.0 if canvas.narrow else 28.0


def _crossings(document: Document) -> list[tuple[Series, BreakEvenOddsPart]]:
    parts = {each.option: each for each in document.risk.breakeven_odds} if document.risk else {}
    looks = {each.name: each for each in series_of(document)}
    return [(looks[each.name], parts[each.name]) for each in main_options(document) if each.name in parts]


def _row_rules(count: int, canvas: Canvas) -> list[Layer]:
    start = 0.0 if canvas.narrow else -canvas.left_px
    end = canvas.width_px + (0.0 if canvas.narrow else canvas.right_px)
    places = [row * _odds_row_px(canvas) for row in range(1, count)]
    return [rule("rows", [{"x": start, "x2": end, "y": y, "y2": y} for y in places], stroke=GRID)]


def _px(x: Axis, mtok: float) -> float:
    return x.px(min(max(mtok, x.low), x.high))


def _here(mtok: float, x: Axis, canvas: Canvas) -> list[Layer]:
    if not x.holds(mtok):
        return []
    place = x.px(mtok)
    line = [{"x": place, "x2": place, "y": 0, "y2": canvas.height_px}]
    word = [{"x": place, "y": -10, "label": f"you: {amounts.magnitude(mtok * 1e6)}"}]
    return [
        rule("here", line, stroke=INK, strokeWidth=1.3, strokeDash=[5, 3]),
        text("here_label", word, align="center", fontWeight="bold"),
    ]


def loss_exceedance(document: Document, canvas: Canvas) -> Layer | None:
    """Odds that the losses of a year are above an amount, through an API and on machines of one's own."""
    points = document.answers.privacy.exceedance if document.answers else ()
    shown = [each for each in points if each.loss_usd > 0]
    top = max([max(each.api_fraction, each.selfhost_fraction) for each in shown], default=0.0)
    if len(shown) < 2 or top <= 0 or shown[0].loss_usd >= shown[-1].loss_usd:
        return None
    x = Axis(shown[0].loss_usd, shown[-1].loss_usd, 0, canvas.width_px, log=True)
    y = Axis(0.0, top * 1.08, canvas.height_px, 0)
    losses = [each.loss_usd for each in shown]
    api, own = [each.api_fraction for each in shown], [each.selfhost_fraction for each in shown]
    at = len(shown) // 3
    names = [{"x": x.px(losses[at]) + 8, "y": y.px(max(api[at], own[at])) - 8, "label": "API"}]
    below = [{"x": x.px(losses[at]) - 6, "y": y.px(min(api[at], own[at])) + 12, "label": "GPUs of your own"}]
    layers = [
        *horizontal_axis(
            x, log_ticks(x.low, x.high, 4 if canvas.narrow else 8), money_tick,
            top_px=0, bottom_px=canvas.height_px, title="losses of one year above",
        ),
        *vertical_axis(
            y, _share_ticks(y.high), amounts.fraction, left_px=0, right_px=canvas.width_px, title="odds a year",
        ),
        _curve("api", losses, api, x, y, API_LOOK),
        _curve("own", losses, own, x, y, OWN_LOOK),
        text("name_api", names, fill=API_LOOK[0], fontWeight="bold"),
        text("name_own", below, fill=OWN_LOOK[0], fontWeight="bold", align="right"),
    ]  # fmt: skip
    return spec(canvas, layers)


def _share_ticks(top: float) -> list[float]:
    """Round shares, free of the crumbs of binary fractions.

    >>> _share_ticks(0.0017)
    [0.0, 0.0005, 0.001, 0.0015]
    """
    places = 2 - floor(log10(top))
    return [round(each, places) for each in round_ticks(top, 5)]


def _curve(
    name: str,
    losses: Sequence[float],
    shares: Sequence[float],
    x: Axis,
    y: Axis,
    look: tuple[str, tuple[int, ...]],
) -> Layer:
    colour, dash = look
    points = list(zip(losses, shares, strict=True))
    if points[-1][1] == 0:  # losses end at the cap: the curve falls there, not on the way to it
        points.insert(-1, (points[-1][0], points[-2][1]))
    rows = [{"x": x.px(loss), "y": y.px(share), "order": order} for order, (loss, share) in enumerate(points)]
    mark = {"type": "line", "stroke": colour, "strokeWidth": 2.2, "strokeDash": list(dash)}
    order = {"field": "order", "type": "quantitative"}
    return layer(f"curve_{name}", rows, mark, {"x": px("x"), "y": px("y"), "order": order})
