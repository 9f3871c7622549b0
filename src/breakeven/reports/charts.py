"""Charts: Vega-Lite specs drawn by vl-convert as SVG that the report's style sheet can colour.

Each chart is drawn twice, for a page and for a phone; docs/decisions/0003-static-svg-charts.md says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, Final, Literal

from breakeven.reports import decision_findings as told
from breakeven.reports import findings
from breakeven.reports.bar_charts import breakdown, breakdown_canvas, levers, levers_canvas, tornado, tornado_canvas
from breakeven.reports.chart_style import Canvas
from breakeven.reports.curve_charts import cost_curves, volume_view
from breakeven.reports.document import Document
from breakeven.reports.month_charts import odds_by_month
from breakeven.reports.panel_charts import bills_by_month, bills_canvas, paths_by_month, paths_canvas
from breakeven.reports.range_chart import option_ranges, ranges_canvas
from breakeven.reports.risk_charts import (
    breakeven_odds,
    information,
    information_canvas,
    loss_exceedance,
    odds_canvas,
)
from breakeven.reports.traffic_charts import daily_tokens, hour_of_week

VEGALITE_VERSION: Final = "6.4"
Kind = Literal["wide", "narrow"]
Draw = Callable[[Canvas], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart in both widths, with what it shows in words."""

    name: str
    caption: str
    wide_svg: str
    narrow_svg: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """A chart to draw."""

    name: str
    caption: str
    wide: Canvas
    narrow: Canvas
    draw: Draw


def draw_charts(document: Document, only: Collection[str] = ()) -> dict[str, Chart]:
    """Every chart for which the document has data, or those named by `only`, by name.

    The same document gives the same bytes.
    """
    found = {}
    for plan in _plans(document):
        if only and plan.name not in only:
            continue
        wide, narrow = plan.draw(plan.wide), plan.draw(plan.narrow)
        if wide is not None and narrow is not None:
            found[plan.name] = chart_of(plan.name, plan.caption, wide, narrow)
    return found


def chart_of(name: str, caption: str, wide: dict[str, Any], narrow: dict[str, Any]) -> Chart:
    """Both specs drawn, as fragments for a page."""
    return Chart(
        name, caption, inline(to_svg(wide), f"{name}-wide", caption), inline(to_svg(narrow), f"{name}-narrow", caption)
    )


def specs(document: Document, kind: Kind = "wide") -> dict[str, dict[str, Any]]:
    """The Vega-Lite specs behind the charts, by name."""
    drawn = {plan.name: plan.draw(plan.wide if kind == "wide" else plan.narrow) for plan in _plans(document)}
    return {name: each for name, each in drawn.items() if each is not None}


def to_svg(spec: dict[str, Any]) -> str:
    """Draw one spec. The tests check every spec with altair; doing it here would take five times the drawing."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGALITE_VERSION)
    return svg


def _plans(document: Document) -> tuple[_Plan, ...]:
    """Every chart with its size on a page and on a phone: plot area, then the room around it."""
    workload = document.workload
    wide = partial(Canvas, "wide", left_px=56, right_px=248, top_px=46, bottom_px=46)
    narrow = partial(Canvas, "narrow", width_px=284, left_px=46, right_px=30, top_px=46, bottom_px=46)
    full = partial(Canvas, "wide", width_px=860, left_px=12, right_px=48, top_px=10, bottom_px=46)
    thin = partial(Canvas, "narrow", width_px=326, left_px=10, right_px=24, top_px=10, bottom_px=46)
    rows, thin_rows = full(height_px=1), thin(height_px=1)
    lever_rows = Canvas("wide", 600, 1, 256, 64, 10, 46)
    ranges, thin_ranges = Canvas("wide", 560, 1, 292, 68, 26, 46), Canvas("narrow", 296, 1, 10, 54, 26, 46)
    return (
        *_decision_plans(document),
        _Plan(
            "option_ranges", findings.ranges_finding(document), ranges_canvas(document, ranges),
            ranges_canvas(document, thin_ranges), partial(option_ranges, document),
        ),
        _Plan(
            "cost_curves", findings.curves_finding(document), wide(width_px=616, height_px=500), narrow(height_px=450),
            partial(cost_curves, document),
        ),
        _Plan(
            "volume_view", findings.here_finding(document), wide(width_px=616, height_px=340), narrow(height_px=320),
            partial(volume_view, document),
        ),
        _Plan(
            "breakdown", findings.breakdown_finding(document), breakdown_canvas(document, rows),
            breakdown_canvas(document, thin_rows), partial(breakdown, document),
        ),
        _Plan(
            "levers", findings.levers_finding(document), levers_canvas(document, lever_rows),
            levers_canvas(document, thin_rows), partial(levers, document),
        ),
        _Plan(
            "daily_tokens", findings.daily_finding(workload), Canvas("wide", 840, 230, 56, 24, 46, 26),
            Canvas("narrow", 300, 200, 46, 14, 46, 26), partial(daily_tokens, workload),
        ),
        _Plan(
            "hour_of_week", findings.traffic_finding(workload), Canvas("wide", 840, 168, 56, 24, 6, 46),
            Canvas("narrow", 294, 150, 46, 20, 6, 46), partial(hour_of_week, workload),
        ),
    )  # fmt: skip


def _decision_plans(document: Document) -> tuple[_Plan, ...]:
    """The charts of the months, of doubt and of rare losses, with their sizes."""
    if document.horizon is None and document.risk is None and document.answers is None:
        return ()
    panels, thin_panels = Canvas("wide", 852, 1, 56, 24, 4, 8), Canvas("narrow", 300, 1, 42, 18, 4, 8)
    rows, thin_rows = Canvas("wide", 600, 1, 268, 64, 10, 46), Canvas("narrow", 326, 1, 10, 24, 10, 46)
    odds, thin_odds = Canvas("wide", 520, 1, 268, 124, 26, 46), Canvas("narrow", 312, 1, 20, 28, 26, 46)
    return (
        _Plan(
            "bills_by_month", told.bills_finding(document), bills_canvas(document, panels),
            bills_canvas(document, thin_panels), partial(bills_by_month, document),
        ),
        _Plan(
            "odds_by_month", told.odds_by_month_finding(document), Canvas("wide", 616, 260, 56, 248, 46, 46),
            Canvas("narrow", 284, 240, 46, 30, 46, 46), partial(odds_by_month, document),
        ),
        _Plan(
            "paths_by_month", told.paths_finding(document), paths_canvas(document, panels),
            paths_canvas(document, thin_panels), partial(paths_by_month, document),
        ),
        _Plan(
            "information", told.information_finding(document), information_canvas(document, rows),
            information_canvas(document, thin_rows), partial(information, document),
        ),
        _Plan(
            "tornado", told.tornado_finding(document), tornado_canvas(document, rows),
            tornado_canvas(document, thin_rows), partial(tornado, document),
        ),
        _Plan(
            "breakeven_odds", told.breakeven_odds_finding(document), odds_canvas(document, odds),
            odds_canvas(document, thin_odds), partial(breakeven_odds, document),
        ),
        _Plan(
            "loss_exceedance", told.losses_finding(document), Canvas("wide", 820, 230, 64, 36, 46, 46),
            Canvas("narrow", 284, 210, 56, 24, 46, 46), partial(loss_exceedance, document),
        ),
    )  # fmt: skip


def inline(svg: str, identity: str, label: str) -> str:
    """`svg` ready to stand inside a page beside others: scalable, labelled, with ids of its own, and half as long.

    >>> inline('<svg class="marks" width="9" height="4" viewBox="0 0 9 4"><g id="clip7"/></svg>', "a", "Costs & more")
    '<svg class="chart" viewBox="0 0 9 4" role="img" aria-label="Costs &amp; more"><g id="a-clip0"/></svg>'
    """
    head = re.search(r'viewBox="[^"]*"', svg)
    assert head is not None
    body = svg[svg.index(">") + 1 :]
    for index, found in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', body))):
        new = f"{identity}-clip{index}"
        body = body.replace(f'id="{found}"', f'id="{new}"').replace(f"url(#{found})", f"url(#{new})")
    body = re.sub(r' (?:role|aria-[a-z]+|pointer-events|stroke-miterlimit|font-family)="[^"]*"', "", body)
    body = re.sub(r' class="mark-[a-z]+ role-mark (\w+_marks)"', r' class="\1"', body)
    body = re.sub(r' class="(?:mark-[^"]*|background|foreground)"', "", body)
    body = re.sub(r' (?:d|transform|[xy][12]?|width|height)="[^"]*"', _rounded, body)
    return f'<svg class="chart" {head.group()} role="img" aria-label="{escape(label, quote=True)}">{body}'


def _rounded(attribute: re.Match[str]) -> str:
    """Coordinates to a tenth of a pixel."""
    return re.sub(
        r"-?\d+\.\d+(?:e-?\d+)?", lambda number: f"{float(number.group()):.1f}".removesuffix(".0"), attribute.group()
    )
