"""Routing curves: cost against success, and predicted against observed success, as the dashboard draws them.

`routing_chart.py` draws the first one for a file of its own; here it is a part of a page: in two widths, in the page's
colours, with every name where there is room for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer, horizontal_axis, layer, px, rule, spec, text, vertical_axis
from breakeven.reports.chart_style import (
    DASHES,
    INK,
    MUTED,
    PAPER,
    SERIES,
    Axis,
    Canvas,
    letter_of,
    log_ticks,
    money_tick,
    round_ticks,
)
from breakeven.reports.charts import Chart, chart_of
from breakeven.reports.routing_chart import PER, mixed_by_chance
from breakeven.reports.routing_document import LearnDocument, PointPart
from breakeven.reports.safe_text import safe, short

SHAPES: Final = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down")
MODELS_DRAWN_COUNT: Final = len(SERIES)
LETTER_PX: Final = 6.3
LINE_PX: Final = 20.0
NAME_MAX_COUNT: Final = 26
TEXT_HALF_PX: Final = 8.0
STEPS_COUNT: Final = 24
"""Places of each stretch of a line that are held against a label's box."""


@dataclass(frozen=True, slots=True)
class ModelLook:
    """How a model looks in the chart of predictions, and in its legend."""

    model: str
    letter: str
    colour: str
    dash: tuple[int, ...]
    shape: str


def cost_quality_chart(document: LearnDocument) -> Chart:
    """Every setting of what was learnt, the models alone, chance between them, and the oracle."""
    return _drawn(
        "cost_quality", cost_quality_caption(document), Canvas("wide", 780, 340, 56, 40, 46, 46),
        Canvas("narrow", 272, 280, 48, 22, 46, 46), lambda canvas: cost_quality_spec(document, canvas),
    )  # fmt: skip


def calibration_chart(document: LearnDocument) -> Chart | None:
    """Predicted against observed success; None in a document without it."""
    if not document.calibration:
        return None
    return _drawn(
        "calibration", calibration_caption(document), Canvas("wide", 420, 340, 56, 40, 46, 46),
        Canvas("narrow", 272, 260, 48, 22, 46, 46), lambda canvas: calibration_spec(document, canvas),
    )  # fmt: skip


def cost_quality_caption(document: LearnDocument) -> str:
    """What the chart of cost shows, in words."""
    own = document.evaluation
    if own.usd_per_request.value is None or own.success.value is None:
        return "Success against cost; no cost is known"
    what = "this policy" if document.policy.kind != "single" else "the router that was tried"
    return (
        f"Success against cost: {what} succeeds in {amounts.fraction(own.success.value)} for "
        f"{amounts.money(PER * own.usd_per_request.value)} per {PER:,.0f} requests"
    )


def calibration_caption(document: LearnDocument) -> str:
    """What the chart of predictions shows, in words."""
    inside_count = sum(each.is_inside for each in document.calibration)
    return (
        f"Predicted against observed success: in {inside_count} of {amounts.counted(len(document.calibration), 'bin')} "
        f"the prediction lies within the 95 % interval of what was observed{_stepped(document)}"
    )


def _stepped(document: LearnDocument) -> str:
    names = [each.model for each in document.scorer.steps if each.used]
    return f", after isotonic calibration of {', '.join(names)}" if names and document.scorer.used else ""


def model_looks(document: LearnDocument) -> tuple[ModelLook, ...]:
    """The models of the chart of predictions: those that take most, then the others."""
    shares = {each.model: each.share_fraction or 0.0 for each in document.evaluation.models}
    names = dict.fromkeys(each.model for each in document.calibration)
    ranked = sorted(names, key=lambda each: -shares.get(each, 0.0))[:MODELS_DRAWN_COUNT]
    return tuple(
        ModelLook(name, letter_of(at), SERIES[at], DASHES[at % len(DASHES)], SHAPES[at])
        for at, name in enumerate(ranked)
    )


def _drawn(name: str, caption: str, wide: Canvas, narrow: Canvas, draw: Callable[[Canvas], Layer]) -> Chart:
    return chart_of(name, caption, draw(wide), draw(narrow))


def cost_quality_spec(document: LearnDocument, canvas: Canvas) -> Layer:
    """Three lines, a mark for each model, one for the policy."""
    singles, own = document.singles, document.evaluation
    lines: list[tuple[str, list[PointPart], str, list[int], float]] = [
        ("oracle", document.curves["oracle"], MUTED, [2, 3], 1.3),
        ("chance", mixed_by_chance(list(singles.values())), SERIES[1], [7, 4], 1.8),
        ("settings", document.curves["policy"], SERIES[0], [1, 0], 2.6),
    ]
    here = None
    if own.usd_per_request.value is not None and own.success.value is not None:
        here = PointPart(usd_per_request=own.usd_per_request.value, success_fraction=own.success.value)
    points = [*singles.values(), *(each for line in lines for each in line[1]), *([here] if here else [])]
    x, y = _money_axis(points, canvas), _success_axis(points, canvas)
    ticks = (
        log_ticks(x.low, x.high, 4 if canvas.narrow else 8) if x.log else round_ticks(x.high, 4 if canvas.narrow else 8)
    )
    layers: list[Layer] = [
        *horizontal_axis(
            x, ticks, money_tick, top_px=0, bottom_px=canvas.height_px, title=f"USD per {PER:,.0f} requests"
        ),
        *vertical_axis(
            y, round_ticks(y.high, 6, y.low + 1e-9), amounts.fraction, left_px=0, right_px=canvas.width_px,
            title="success",
        ),
        *(_line(name, line, colour, dash, width, x, y) for name, line, colour, dash, width in lines),
        *_models(document, x, y, canvas, here, [[_place(each, x, y) for each in line[1]] for line in lines]),
    ]  # fmt: skip
    return spec(canvas, layers)


def _money_axis(points: Sequence[PointPart], canvas: Canvas) -> Axis:
    usd = [PER * each.usd_per_request for each in points]
    low, high = min(usd), max(usd)
    if low <= 0 or high <= 0:
        return Axis(0.0, max(high, 1e-9) * 1.05, 0, canvas.width_px)
    return Axis(low / 1.15, high * 1.15, 0, canvas.width_px, log=True)


def _success_axis(points: Sequence[PointPart], canvas: Canvas) -> Axis:
    values = [each.success_fraction for each in points]
    room = max((max(values) - min(values)) * 0.08, 0.01)
    return Axis(max(min(values) - room, 0.0), min(max(values) + room, 1.02), canvas.height_px, 0)


def _place(point: PointPart, x: Axis, y: Axis) -> dict[str, float]:
    return {"x": x.px(PER * point.usd_per_request), "y": y.px(point.success_fraction)}


def _line(
    name: str, points: Sequence[PointPart], colour: str, dash: Sequence[int], width: float, x: Axis, y: Axis
) -> Layer:
    rows = [_place(each, x, y) for each in points]
    mark = {"type": "line", "stroke": colour, "strokeDash": list(dash), "strokeWidth": width}
    return layer(name, rows, mark, {"x": px("x"), "y": px("y"), "order": {"field": "x"}})


def _models(
    document: LearnDocument,
    x: Axis,
    y: Axis,
    canvas: Canvas,
    here: PointPart | None,
    lines: Sequence[Sequence[dict[str, float]]],
) -> list[Layer]:
    """A mark for each model, one for the policy, and names where they lie on nothing."""
    routes = document.policy.kind != "single"
    places = {name: _place(each, x, y) for name, each in document.singles.items()}
    labels: list[dict[str, Any]] = []
    taken: list[tuple[float, float, float]] = []
    layers: list[Layer] = []
    if here is not None:
        at = _place(here, x, y)
        words = "this policy" if routes else "tried, not used"
        mark = {
            "type": "point",
            "shape": "diamond",
            "size": 210,
            "filled": True,
            "fill": INK,
            "opacity": 1,
            "stroke": PAPER,
        }
        layers.append(layer("here", [at], mark, {"x": px("x"), "y": px("y")}))
        place = _label_place(at, words, taken, canvas, lines)
        if place is not None:
            layers.append(text("here_label", [place], fontWeight="bold", align=place["align"]))
    by_success = sorted(places, key=lambda each: -document.singles[each].success_fraction)
    for name in by_success:
        place = _label_place(places[name], short(safe(name), NAME_MAX_COUNT), taken, canvas, lines)
        if place is not None:
            labels.append(place)
    dots = {"type": "point", "filled": True, "fill": SERIES[1], "size": 62, "opacity": 1, "stroke": PAPER}
    names = [
        text(f"row_titles_{side}", rows, align=side, fill=MUTED, fontSize=11)
        for side in ("left", "right")
        if (rows := [each for each in labels if each["align"] == side])
    ]
    return [layer("models", list(places.values()), dots, {"x": px("x"), "y": px("y")}), *layers, *names]


def _label_place(
    at: dict[str, float],
    words: str,
    taken: list[tuple[float, float, float]],
    canvas: Canvas,
    lines: Sequence[Sequence[dict[str, float]]] = (),
) -> dict[str, Any] | None:
    """Right of a mark, else left, a little higher or lower, where the fewest lines run; None: no place is free."""
    wide = len(words) * LETTER_PX + LETTER_PX / 2
    found: list[tuple[int, float, float, str]] = []
    for dy in (-9.0, 13.0, -22.0, 26.0):
        for side, left in (("left", at["x"] + 9), ("right", at["x"] - 9 - wide)):
            y = at["y"] + dy
            inside = left >= 0 and left + wide <= canvas.width_px + canvas.right_px - 2 and -20 < y < canvas.height_px
            free = all(left + wide < a or left > b or abs(y - c) > LINE_PX for a, b, c in taken)
            if inside and free:
                under = sum(_runs_through(line, left, left + wide, y) for line in lines)
                found.append((under, left, y, side))
    if not found:
        return None
    _, left, y, side = min(found, key=lambda each: each[0])
    taken.append((left, left + wide, y))
    return {"x": left if side == "left" else left + wide, "y": y, "label": words, "align": side}


def _runs_through(line: Sequence[dict[str, float]], left: float, right: float, middle: float) -> bool:
    """Whether a line of corners passes through a box of one line of text about ``middle``."""
    for a, b in pairwise(line):
        for step in range(STEPS_COUNT + 1):
            part = step / STEPS_COUNT
            x, y = a["x"] + part * (b["x"] - a["x"]), a["y"] + part * (b["y"] - a["y"])
            if left <= x <= right and abs(y - middle) <= TEXT_HALF_PX:
                return True
    return False


def calibration_spec(document: LearnDocument, canvas: Canvas) -> Layer:
    """Marks with intervals about the diagonal, each model with its own shape and letter."""
    looks = {each.model: each for each in model_looks(document)}
    shown = [each for each in document.calibration if each.model in looks]
    ends = [
        v for each in shown for v in (each.predicted_fraction, each.observed.low, each.observed.high) if v is not None
    ]
    low, high = max(min(ends) - 0.03, 0.0), min(max(ends) + 0.03, 1.0)
    x, y = Axis(low, high, 0, canvas.width_px), Axis(low, high, canvas.height_px, 0)
    ticks = round_ticks(high, 4 if canvas.narrow else 6, low + 1e-9)
    diagonal = [{"x": 0, "y": canvas.height_px, "x2": canvas.width_px, "y2": 0}]
    layers: list[Layer] = [
        *horizontal_axis(
            x, ticks, amounts.fraction, top_px=0, bottom_px=canvas.height_px, title="predicted success"
        ),
        *vertical_axis(y, ticks, amounts.fraction, left_px=0, right_px=canvas.width_px, title="observed success"),
        rule("diagonal", diagonal, stroke=MUTED, strokeDash=[4, 4], strokeWidth=1.4),
    ]  # fmt: skip
    taken: list[tuple[float, float, float]] = []
    for look in looks.values():
        mine = [each for each in shown if each.model == look.model]
        bars = [
            {"x": x.px(each.predicted_fraction), "x2": x.px(each.predicted_fraction),
             "y": y.px(each.observed.low), "y2": y.px(each.observed.high)}
            for each in mine
            if each.observed.low is not None and each.observed.high is not None
        ]  # fmt: skip
        dots = [
            {"x": x.px(each.predicted_fraction), "y": y.px(each.observed.value)}
            for each in mine
            if each.observed.value is not None
        ]
        mark = {"type": "point", "shape": look.shape, "filled": True, "fill": look.colour, "size": 90, "opacity": 1,
                "stroke": PAPER}  # fmt: skip
        last = max(dots, key=lambda each: each["x"])
        label = _label_place(last, look.letter, taken, canvas)
        layers += [
            rule(f"intervals_{look.letter}", bars, stroke=look.colour, strokeWidth=2, opacity=0.55),
            layer(f"bins_{look.letter}", dots, mark, {"x": px("x"), "y": px("y")}),
        ]
        if label is not None:
            layers.append(
                text(f"letters_{look.letter}", [label], fill=look.colour, fontWeight="bold", align=label["align"])
            )
    return spec(canvas, layers)
