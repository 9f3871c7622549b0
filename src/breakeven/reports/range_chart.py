"""Range chart: every option at the user's volume on one scale, by family: median and P10 to P90."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer, horizontal_axis, layer, px, rule, spec, text
from breakeven.reports.chart_style import INK, MUTED, PAPER, Axis, Canvas, Series, log_ticks, money_tick, series_of
from breakeven.reports.document import Document, OptionPart
from breakeven.reports.safe_text import short
from breakeven.reports.shortlist import families

TITLE_SHOWN_COUNT: Final = 34
MARGIN_RATIO: Final = 1.06


@dataclass(frozen=True, slots=True)
class _Row:
    """A family's heading, or one option of it, and where it stands."""

    y: float
    heading: str
    option: OptionPart | None


def ranges_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with one row per option and per family."""
    rows = _rows(document, canvas)
    return replace(canvas, height_px=(rows[-1].y if rows else 0.0) + 16)


def option_ranges(document: Document, canvas: Canvas) -> Layer | None:
    """A bar from P10 to P90 with its median for every option; None when there is nothing to compare."""
    rows = _rows(document, canvas)
    spans = [each.equal_success_usd_per_month for each in document.options]
    ends = [value for each in spans for value in (each.p10, each.p50, each.p90) if value > 0]
    if len(document.options) < 2 or not ends:
        return None
    x = Axis(min(ends) / MARGIN_RATIO, max(ends) * MARGIN_RATIO, 0, canvas.width_px, log=True)
    looks = {each.name: each for each in series_of(document)}
    bars, dots, names, medians = [], [], [], []
    for row in rows:
        if row.option is None:
            continue
        look, span = looks[row.option.name], row.option.equal_success_usd_per_month
        low, middle, high = (x.px(min(max(value, x.low), x.high)) for value in (span.p10, span.p50, span.p90))
        bars.append({"x": low, "x2": high, "y": row.y, "y2": row.y, "colour": look.colour})
        dots.append({"x": middle, "y": row.y, "colour": look.colour})
        names.append(_name(row, look, canvas))
        medians.append({"x": high + 6, "y": row.y, "label": amounts.money_short(span.p50)})
    left = 0.0 if canvas.narrow else -canvas.left_px
    headings = [{"x": left, "y": row.y, "label": row.heading} for row in rows if row.option is None]
    colour = {"field": "colour", "type": "nominal", "scale": None}
    layers = [
        *horizontal_axis(
            x, log_ticks(x.low, x.high, 4 if canvas.narrow else 8), money_tick,
            top_px=0, bottom_px=canvas.height_px, title="USD a month, equal successes",
        ),
        *_today(document, looks, x, canvas),
        text("family_titles", headings, fill=MUTED, fontWeight="bold", fontSize=11),
        layer("spans", bars, {"type": "rule", "strokeWidth": 5, "opacity": 0.6, "strokeCap": "round"},
              {"x": px("x"), "y": px("y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}, "stroke": colour}),
        layer("medians", dots, {"type": "point", "filled": True, "opacity": 1, "size": 62, "stroke": PAPER},
              {"x": px("x"), "y": px("y"), "fill": colour}),
        text("option_titles", names),
        text("median_labels", medians, fontSize=11, fill=MUTED),
    ]  # fmt: skip
    return spec(canvas, layers)


def _rows(document: Document, canvas: Canvas) -> list[_Row]:
    """Headings and options from the top down; a phone has the title above the bar."""
    step_px = 36.0 if canvas.narrow else 23.0
    found, y = [], 12.0
    for group in families(document):
        found.append(_Row(y, group.title, None))
        y += 22.0 if not canvas.narrow else 34.0
        for option in group.options:
            found.append(_Row(y, "", option))
            y += step_px
        y += 6.0 if not canvas.narrow else -6.0
    return found


def _name(row: _Row, look: Series, canvas: Canvas) -> dict[str, object]:
    label = f"{look.letter}  {short(look.title, TITLE_SHOWN_COUNT)}"
    if canvas.narrow:
        return {"x": 0, "y": row.y - 14, "label": label}
    return {"x": 8 - canvas.left_px, "y": row.y, "label": label}


def _today(document: Document, looks: dict[str, Series], x: Axis, canvas: Canvas) -> list[Layer]:
    """A rule at the median of today's cost."""
    today = next((each for each in document.options if looks[each.name].today), None)
    if today is None or not x.holds(today.equal_success_usd_per_month.p50):
        return []
    place = x.px(today.equal_success_usd_per_month.p50)
    line = [{"x": place, "x2": place, "y": 0, "y2": canvas.height_px}]
    return [
        rule("today", line, stroke=INK, strokeWidth=1.2, strokeDash=[5, 3]),
        text("today_label", [{"x": place, "y": -10, "label": "today"}], align="center", fontWeight="bold"),
    ]
