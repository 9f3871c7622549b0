"""Panel charts: small pictures of one size and scale: the bill of each main option, and how volume and prices move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer, layer, px, rule, spec, text
from breakeven.reports.chart_style import (
    GRID,
    INK,
    MUTED,
    SERIES,
    TODAY,
    Axis,
    Canvas,
    money_tick,
    round_ticks,
    series_of,
)
from breakeven.reports.document import Document
from breakeven.reports.horizon_part import HorizonOptionPart
from breakeven.reports.safe_text import short
from breakeven.reports.shortlist import main_options, status_quo

PANEL_PX: Final = 96.0
HEAD_PX: Final = 40.0
FOOT_PX: Final = 26.0
GAP_PX: Final = 22.0
LETTER_PX: Final = 7.6
"""About the width of a letter of a panel's title in a wide font."""
PATH_TITLES: Final = {
    "volume": "Volume",
    "api_list_price": "API token price",
    "open_token_price": "Open model's token price",
    "open_model_work": "GPU work per token",
    "gpu_rent": "GPU rent",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One small picture: a band, a line, and sometimes another to compare it with."""

    title: str
    note: str
    colour: str
    dash: tuple[int, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    compared: tuple[float, ...] = ()
    bold: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where one panel stands."""

    months: Axis
    y: Axis
    first: bool
    """True: it has the labels of the vertical axis."""


def bills_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with a row of panels for every few options."""
    return _grown(canvas, len(_bill_panels(document)), _columns(canvas, 4))


def paths_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with a row of panels for every few paths."""
    return _grown(canvas, len(_path_panels(document)), _columns(canvas, 5))


def bills_by_month(document: Document, canvas: Canvas) -> Layer | None:
    """The bill of each main option, P10 to P90 with its median, and today's median in each; None without a horizon."""
    panels = _bill_panels(document)
    top = max([value for each in panels for value in (*each.high, *each.compared)], default=0.0)
    if top <= 0:
        return None
    return _drawn(panels, canvas, _columns(canvas, 4), top, 3, money_tick)


def paths_by_month(document: Document, canvas: Canvas) -> Layer | None:
    """Volume and prices as multiples of today's; None without a horizon."""
    panels = _path_panels(document)
    top = max([value for each in panels for value in each.high], default=0.0)
    if top <= 0:
        return None
    return _drawn(panels, canvas, _columns(canvas, 5), top, 4, lambda value: f"{amounts.number(value)}x")


def money_comes_in(document: Document) -> bool:
    """Whether the median bill of a drawn option is negative in some month."""
    return any(min(each.middle) < 0 for each in _bill_panels(document))


def _bill_panels(document: Document) -> list[Panel]:
    parts = {each.option: each for each in document.horizon.options} if document.horizon else {}
    looks = {each.name: each for each in series_of(document)}
    today = parts.get(status_quo(document) or "")
    compared = today.p50_usd_per_month if today else ()
    chosen = document.horizon.recommended if document.horizon else None
    return [
        Panel(
            title=f"{looks[each.name].letter}  {looks[each.name].title}",
            note=_last_bill(parts[each.name]),
            colour=looks[each.name].colour,
            dash=(1, 0),
            low=parts[each.name].p10_usd_per_month,
            middle=parts[each.name].p50_usd_per_month,
            high=parts[each.name].p90_usd_per_month,
            compared=compared if parts[each.name] is not today else (),
            bold=each.name == chosen,
        )
        for each in main_options(document)
        if each.name in parts and parts[each.name].p50_usd_per_month
    ]


def _last_bill(part: HorizonOptionPart) -> str:
    span = amounts.money_span(part.p10_usd_per_month[-1], part.p90_usd_per_month[-1])
    return f"{amounts.money_short(part.p50_usd_per_month[-1])} ({span})" if span else ""


def _path_panels(document: Document) -> list[Panel]:
    paths = document.horizon.paths if document.horizon else ()
    return [
        Panel(
            title=PATH_TITLES.get(each.name, each.title),
            note=f"{amounts.ratio(each.p50_ratio[-1])} ({amounts.ratio(each.p10_ratio[-1])}-"
            f"{amounts.ratio(each.p90_ratio[-1])})",
            colour=SERIES[0],
            dash=(1, 0),
            low=each.p10_ratio,
            middle=each.p50_ratio,
            high=each.p90_ratio,
            compared=(1.0,) * len(each.p50_ratio),
        )
        for each in paths
        if each.p50_ratio
    ]


def _columns(canvas: Canvas, wide_count: int) -> int:
    return 2 if canvas.narrow else wide_count


def _grown(canvas: Canvas, count: int, columns_count: int) -> Canvas:
    rows = max(1, -(-count // columns_count))
    return replace(canvas, height_px=rows * (HEAD_PX + PANEL_PX + FOOT_PX))


def _drawn(
    panels: Sequence[Panel],
    canvas: Canvas,
    columns_count: int,
    top: float,
    ticks_count: int,
    label: Callable[[float], str],
) -> Layer:
    layers = []
    for index, panel in enumerate(panels):
        frame = _frame(canvas, index, columns_count, top * 1.04, len(panel.middle))
        layers += _panel(panel, index, frame, round_ticks(frame.y.high, ticks_count), label)
    return spec(canvas, layers)


def _frame(canvas: Canvas, index: int, columns_count: int, top: float, months_count: int) -> _Frame:
    row, column = divmod(index, columns_count)
    width = (canvas.width_px - GAP_PX * (columns_count - 1)) / columns_count
    left = column * (width + GAP_PX)
    head = row * (HEAD_PX + PANEL_PX + FOOT_PX) + HEAD_PX
    months = Axis(1, max(months_count, 2), left, left + width)
    return _Frame(months, Axis(0.0, top, head + PANEL_PX, head), first=column == 0)


def _panel(
    panel: Panel, index: int, frame: _Frame, ticks: Sequence[float], label: Callable[[float], str]
) -> list[Layer]:
    months, y = frame.months, frame.y
    left, right, bottom = months.start_px, months.end_px, y.start_px
    grid = [{"x": left, "x2": right, "y": y.px(each), "y2": y.px(each)} for each in ticks]
    places = [1.0, months.high / 3, months.high * 2 / 3, months.high]
    under = [{"x": months.px(each), "y": bottom + 12, "label": f"{each:.0f}"} for each in places]
    sides = [{"x": left - 6, "y": y.px(each), "label": label(each)} for each in ticks] if frame.first else []
    characters = int((right - left + GAP_PX * 2 / 3) / LETTER_PX)
    head = [{"x": left, "y": y.end_px - 26, "label": short(panel.title, characters)}]
    note = [{"x": left, "y": y.end_px - 11, "label": panel.note}]
    return [
        rule(f"grid_{index}", grid, stroke=GRID),
        text(f"months_{index}", under, align="center", fill=MUTED, fontSize=11),
        text(f"sides_{index}", sides, align="right", fill=MUTED, fontSize=11),
        _band(panel, index, frame),
        *([_line(f"compared_{index}", panel.compared, frame, TODAY, (3, 3), 1.3)] if panel.compared else []),
        _line(f"middle_{index}", panel.middle, frame, panel.colour, panel.dash, 2.2),
        text(f"head_{index}", head, fill=INK, fontWeight="bold", fontSize=11),
        text(f"note_{index}", note, fill=INK if panel.bold else MUTED, fontSize=11),
    ]


def _band(panel: Panel, index: int, frame: _Frame) -> Layer:
    rows = [
        {"x": frame.months.px(month), "y": _inside(frame.y, low), "y2": _inside(frame.y, high)}
        for month, (low, high) in enumerate(zip(panel.low, panel.high, strict=True), 1)
    ]
    mark = {"type": "area", "fill": panel.colour, "fillOpacity": 0.2}
    return layer(f"band_{index}", rows, mark, {"x": px("x"), "y": px("y"), "y2": {"field": "y2"}})


def _line(
    name: str, values: Sequence[float], frame: _Frame, colour: str, dash: tuple[int, ...], stroke_width_px: float
) -> Layer:
    rows = [{"x": frame.months.px(month), "y": _inside(frame.y, value)} for month, value in enumerate(values, 1)]
    mark = {"type": "line", "stroke": colour, "strokeWidth": stroke_width_px, "strokeDash": list(dash)}
    return layer(name, rows, mark, {"x": px("x"), "y": px("y")})


def _inside(y: Axis, value: float) -> float:
    """The pixel, on the panel: money that comes in is drawn at zero."""
    return y.px(min(max(value, y.low), y.high))
