"""Chart marks: the few Vega-Lite layers that every chart is made of, as plain dictionaries.

Data marks carry data and a scale; labels carry pixels, since only Python knows where they would collide. All words
are written here with `amounts`, so that no axis depends on how Vega formats a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from breakeven.reports.chart_style import FONT, FONT_SIZE, GRID, INK, MUTED, Axis, Canvas

Layer = dict[str, Any]
Row = Mapping[str, object]


def spec(canvas: Canvas, layers: Sequence[Layer]) -> Layer:
    """A whole Vega-Lite spec: layers on a fixed canvas, nothing laid out by measuring text."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": canvas.width_px,
        "height": canvas.height_px,
        "padding": {"left": canvas.left_px, "right": canvas.right_px, "top": canvas.top_px, "bottom": canvas.bottom_px},
        "autosize": "none",
        "background": "transparent",
        "config": {"view": {"stroke": None}, "aria": False, "font": FONT},
        "layer": list(layers),
    }


def on(field: str, axis: Axis) -> Layer:
    """A channel that shows `field` on `axis`."""
    return {"field": field, "type": "quantitative", "scale": axis.scale(), "axis": None}


def px(field: str) -> Layer:
    """A channel whose field is a pixel already."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def layer(name: str, rows: Sequence[Row], mark: Row, encoding: Row) -> Layer:
    """One named layer; the name becomes the class of its group in the SVG."""
    return {"name": name, "data": {"values": list(rows)}, "mark": dict(mark), "encoding": dict(encoding)}


def text(name: str, rows: Sequence[Row], **mark: object) -> Layer:
    """Words at pixels: rows hold x, y and label."""
    style = {"fontSize": FONT_SIZE, "baseline": "middle", "align": "left", "fill": INK} | mark
    return layer(
        name,
        rows,
        {"type": "text"} | style,
        {"x": px("x"), "y": px("y"), "text": {"field": "label", "type": "nominal"}},
    )


def rule(name: str, rows: Sequence[Row], **mark: object) -> Layer:
    """Straight lines between pixels: rows hold x, y, x2 and y2."""
    style = {"stroke": INK, "strokeWidth": 1} | mark
    return layer(
        name, rows, {"type": "rule"} | style, {"x": px("x"), "y": px("y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    )


def rect(name: str, rows: Sequence[Row], **mark: object) -> Layer:
    """Boxes between pixels: rows hold x, y, x2, y2 and fill."""
    encoding = {"x": px("x"), "y": px("y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    if "fill" not in mark:
        encoding["fill"] = {"field": "fill", "type": "nominal", "scale": None}
    return layer(name, rows, {"type": "rect"} | mark, encoding)


def horizontal_axis(
    axis: Axis, ticks: Sequence[float], label: Callable[[float], str], *, top_px: float, bottom_px: float, title: str
) -> list[Layer]:
    """Grid lines from `top_px` to `bottom_px`, tick labels below, the title below them."""
    places = [(axis.px(tick), label(tick)) for tick in ticks]
    middle = (axis.start_px + axis.end_px) / 2
    return [
        rule("x_grid", [{"x": x, "x2": x, "y": top_px, "y2": bottom_px} for x, _ in places], stroke=GRID),
        text(
            "x_ticks", [{"x": x, "y": bottom_px + 14, "label": word} for x, word in places], align="center", fill=MUTED
        ),
        text("x_title", [{"x": middle, "y": bottom_px + 32, "label": title}], align="center", fill=MUTED),
    ]


def vertical_axis(
    axis: Axis, ticks: Sequence[float], label: Callable[[float], str], *, left_px: float, right_px: float, title: str
) -> list[Layer]:
    """Grid lines from `left_px` to `right_px`, tick labels left of them, the title above the plot."""
    places = [(axis.px(tick), label(tick)) for tick in ticks]
    title_y = min(axis.start_px, axis.end_px) - 30
    return [
        rule("y_grid", [{"x": left_px, "x2": right_px, "y": y, "y2": y} for y, _ in places], stroke=GRID),
        text("y_ticks", [{"x": left_px - 6, "y": y, "label": word} for y, word in places], align="right", fill=MUTED),
        text("y_title", [{"x": left_px - 36, "y": title_y, "label": title}], fill=MUTED),
    ]
