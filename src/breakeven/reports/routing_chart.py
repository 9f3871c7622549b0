"""Routing chart: cost against success: the policy's settings, the models alone, chance between them, and the oracle."""

from __future__ import annotations

from itertools import pairwise
from math import log
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

from breakeven.errors import OutputError
from breakeven.reports.chart_style import FONT, FONT_SIZE, GRID, INK, MUTED, PAPER, SERIES
from breakeven.reports.charts import to_svg
from breakeven.reports.routing_document import LearnDocument, PointPart
from breakeven.reports.safe_text import safe, short

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 380
LABEL_MAX_COUNT: Final = 26
TITLE_COLUMNS_COUNT: Final = 104
LETTER_PX: Final = 6.2
LINE_PX: Final = 13.0
PER: Final = 1000.0


def curve_spec(document: LearnDocument) -> dict[str, Any]:
    """The Vega-Lite spec: one line for each way to choose, one mark for each model, one for the policy itself."""
    policy, oracle = document.curves["policy"], document.curves["oracle"]
    singles = document.singles
    hull = mixed_by_chance(list(singles.values()))
    own = document.evaluation
    here = [
        {"usd": PER * own.usd_per_request.value, "success": own.success.value, "name": "this policy"}
        for _ in (0,)
        if own.usd_per_request.value is not None and own.success.value is not None
    ]
    layers = [
        _line(oracle, "oracle (has seen the answers)", MUTED, [2, 3], 1.2),
        _line(hull, "models mixed by chance", SERIES[1], [7, 4], 1.6),
        _line(policy, "what was learnt, at each setting", SERIES[0], [1, 0], 2.4),
        _models(singles),
        _labels(singles),
        {
            "data": {"values": here},
            "mark": {"type": "point", "shape": "diamond", "size": 190, "filled": True, "color": INK, "opacity": 1},
            "encoding": _place(),
        },
        {
            "data": {"values": here},
            "mark": {"type": "text", "align": "left", "dx": 10, "dy": 14, "fontWeight": "bold", "color": INK},
            "encoding": {**_place(), "text": {"field": "name"}},
        },
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": WIDTH_PX,
        "height": HEIGHT_PX,
        "background": PAPER,
        "title": {
            "text": wrap(safe(document.verdict.sentence), TITLE_COLUMNS_COUNT),
            "anchor": "start",
            "fontSize": FONT_SIZE,
            "color": INK,
            "limit": WIDTH_PX + 120,
        },
        "config": {
            "font": FONT,
            "axis": {"labelColor": MUTED, "titleColor": INK, "gridColor": GRID, "domainColor": GRID},
            "legend": {"labelColor": INK, "orient": "bottom", "direction": "horizontal", "labelLimit": 260},
            "view": {"stroke": GRID},
        },
        "layer": layers,
    }  # fmt: skip


def write_curve(document: LearnDocument, path: Path) -> None:
    """Write the chart as SVG."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_svg(curve_spec(document)), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _place() -> dict[str, Any]:
    return {
        "x": {
            "field": "usd",
            "type": "quantitative",
            "title": f"USD per {PER:,.0f} requests",
            "scale": {"type": "log", "nice": False},
            "axis": {"tickCount": 6, "format": "~g"},
        },
        "y": {
            "field": "success",
            "type": "quantitative",
            "title": "success",
            "scale": {"zero": False},
            "axis": {"format": "%"},
        },
    }


def _line(points: list[PointPart], name: str, colour: str, dash: list[int], width: float) -> dict[str, Any]:
    values = [{"usd": PER * each.usd_per_request, "success": each.success_fraction, "way": name} for each in points]
    return {
        "data": {"values": values},
        "mark": {"type": "line", "color": colour, "strokeDash": dash, "strokeWidth": width, "interpolate": "linear"},
        "encoding": {
            **_place(),
            "order": {"field": "usd", "type": "quantitative"},
            "stroke": {
                "field": "way",
                "type": "nominal",
                "scale": {
                    "domain": [
                        "what was learnt, at each setting",
                        "models mixed by chance",
                        "oracle (has seen the answers)",
                    ],
                    "range": [SERIES[0], SERIES[1], MUTED],
                },
                "legend": {"title": None, "symbolStrokeWidth": 2.4},
            },
        },
    }


def _models(singles: dict[str, PointPart]) -> dict[str, Any]:
    return {
        "data": {"values": _points(singles)},
        "mark": {"type": "point", "size": 55, "filled": True, "color": SERIES[1], "opacity": 1, "stroke": PAPER},
        "encoding": _place(),
    }


def _labels(singles: dict[str, PointPart]) -> dict[str, Any]:
    return {
        "data": {"values": _points(singles)},
        "mark": {"type": "text", "align": "left", "dx": 8, "dy": -6, "color": MUTED, "fontSize": 11},
        "encoding": {**_place(), "text": {"field": "name"}},
    }


def _points(singles: dict[str, PointPart]) -> list[dict[str, Any]]:
    """One point for each model; its name where there is room for it, the most successful first."""
    usd = [log(max(PER * each.usd_per_request, 1e-12)) for each in singles.values()]
    success = [each.success_fraction for each in singles.values()]
    wide, high = (max(each) - min(each) or 1.0 for each in (usd, success))
    taken: list[tuple[float, float, float]] = []
    found = []
    for name, each in sorted(singles.items(), key=lambda pair: -pair[1].success_fraction):
        x = (log(max(PER * each.usd_per_request, 1e-12)) - min(usd)) / wide * WIDTH_PX
        y = (each.success_fraction - min(success)) / high * HEIGHT_PX
        label = short(safe(name), LABEL_MAX_COUNT)
        end = x + 8 + len(label) * LETTER_PX
        free = all(end < left or x > right or abs(y - at) > LINE_PX for left, right, at in taken)
        if free:
            taken.append((x, end, y))
        found.append(
            {
                "usd": PER * each.usd_per_request,
                "success": each.success_fraction,
                "name": label if free else "",
                "model": safe(name),
            }
        )
    return found


def mixed_by_chance(points: list[PointPart]) -> list[PointPart]:
    """Corners that mixing models by chance can reach."""
    import numpy as np

    from breakeven.learning.frontier import hull

    usd, success = hull(
        np.array([each.usd_per_request for each in points]), np.array([each.success_fraction for each in points])
    )
    mixed = [PointPart(usd_per_request=float(x), success_fraction=float(y)) for x, y in zip(usd, success, strict=True)]
    return [part for a, b in pairwise(mixed) for part in _between(a, b)] or mixed


def _between(a: PointPart, b: PointPart) -> list[PointPart]:
    """A straight line in dollars, which an axis of logarithms bends."""
    steps = [at / 12 for at in range(13)]
    return [
        PointPart(
            usd_per_request=a.usd_per_request + at * (b.usd_per_request - a.usd_per_request),
            success_fraction=a.success_fraction + at * (b.success_fraction - a.success_fraction),
        )
        for at in steps
    ]
