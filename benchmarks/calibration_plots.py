"""Calibration plots of the serving model: predicted against measured, one small panel for each GPU or model.

Drawn by ``python benchmarks/capacity.py --plots docs/images``. Every point is a measurement whose whole deployment was
held out; the band is 25 % to each side. Shape says what colour says, so that the plots print in grey.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import vl_convert

from breakeven.serving.prediction.fitting.splits import HeldOut, Split

INK, MUTED, GRID, BAND = "#1b2130", "#5c6675", "#dfe3ea", "#eef1f8"
DENSE, MIXTURE = "#2b57e0", "#93300f"
PANEL_PX, COLUMNS_COUNT, LEAST_ROWS_COUNT = 210, 4, 20


def write_plots(folder: Path, held: dict[Split, HeldOut]) -> None:
    """``serving-by-gpu.svg`` and ``serving-by-model.svg``."""
    each = held["deployment"]
    for name, labels in (("gpu", gpus(each)), ("model", models(each))):
        svg = vl_convert.vegalite_to_svg(spec(each, labels), vl_version="6.4")
        (folder / f"serving-by-{name}.svg").write_text(short(svg) + "\n", encoding="utf-8")


def short(svg: str) -> str:
    """Coordinates to a tenth of a pixel."""
    return re.sub(r"\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}", svg)


def gpus(held: HeldOut) -> list[str]:
    return [row.point.deployment.gpu.name for row in held.rows.rows]


def models(held: HeldOut) -> list[str]:
    """DeepSeek-V3 and R1 are one shape."""
    names = [row.point.deployment.model.name for row in held.rows.rows]
    return ["DeepSeek-V3 / R1" if name.startswith("DeepSeek") else name for name in names]


def spec(held: HeldOut, labels: list[str]) -> dict[str, Any]:
    values = points(held, labels)
    title = "tokens/s per GPU"
    axis = {
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "format": "~s",
        "values": [10, 100, 1000, 10_000],
    }
    scale = {"type": "log", "domain": [4, 20_000], "nice": False}
    x = {
        "field": "measured",
        "type": "quantitative",
        "scale": scale,
        "axis": {**axis, "title": f"measured {title}", "orient": "bottom"},
    }
    y = {"field": "predicted", "type": "quantitative", "scale": scale, "axis": {**axis, "title": f"predicted {title}"}}
    kind = {"field": "kind", "type": "nominal", "title": None, "sort": ["dense", "mixture of experts"]}
    band = [{"x": 4, "low": 4 / 1.25, "high": 4 * 1.25}, {"x": 20_000, "low": 20_000 / 1.25, "high": 20_000 * 1.25}]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": values},
        "facet": {
            "field": "group",
            "type": "nominal",
            "title": None,
            "header": {"labelFontSize": 13, "labelColor": INK},
        },
        "columns": COLUMNS_COUNT,
        "resolve": {"axis": {"x": "independent", "y": "independent"}},
        "spec": {
            "width": PANEL_PX,
            "height": PANEL_PX,
            "layer": [
                {
                    "data": {"values": band},
                    "mark": {"type": "area", "color": BAND, "clip": True},
                    "encoding": {
                        "x": {"field": "x", "type": "quantitative", "scale": scale},
                        "y": {"field": "low", "type": "quantitative", "scale": scale},
                        "y2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "point", "size": 16, "opacity": 0.55, "strokeWidth": 1, "clip": True},
                    "encoding": {
                        "x": x,
                        "y": y,
                        "color": {**kind, "scale": {"domain": kind["sort"], "range": [DENSE, MIXTURE]}},
                        "shape": {**kind, "scale": {"domain": kind["sort"], "range": ["circle", "triangle-up"]}},
                    },
                },
            ],
        },
        "config": {
            "font": "Arial",
            "background": "#ffffff",
            "view": {"stroke": GRID},
            "axis": {"labelColor": MUTED, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11},
            "legend": {"orient": "top", "labelColor": INK, "labelFontSize": 12, "symbolSize": 60},
        },
    }


def points(held: HeldOut, labels: list[str]) -> list[dict[str, Any]]:
    """Per GPU, so that small and large replicas share a scale; groups with few rows are left out."""
    log_error, found = held.log_error, []
    for i, (row, label) in enumerate(zip(held.rows.rows, labels, strict=True)):
        mine = [n for n, other in enumerate(labels) if other == label]
        if len(mine) < LEAST_ROWS_COUNT or not np.isfinite(log_error[i]):
            continue
        median = float(np.nanmedian(np.abs(np.expm1(log_error[mine]))))
        gpus_count = row.point.deployment.gpus_count * row.point.replicas_count
        found.append(
            {
                "group": f"{label}: {len(mine)} rows, median {median:.1%}",
                "kind": "mixture of experts" if held.is_moe[i] else "dense",
                "measured": float(held.rows.output_tok_per_s[i]) / gpus_count,
                "predicted": float(held.predicted.output_tok_per_s[i]) / gpus_count,
            }
        )
    return found
