"""Pilot charts: how the evidence grew, the interval of the ratio as it narrowed, and the tasks beside each other.

Evidence is drawn on a scale of logarithms, where each outcome adds about the same: a line that climbs straight is one
that will arrive. Colour never says anything alone: every task has a letter and a dash, every boundary its words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Any, Final

from breakeven.reports import amounts
from breakeven.reports import pilot_wording as told
from breakeven.reports.chart_marks import Layer, horizontal_axis, layer, on, px, rule, spec, text, vertical_axis
from breakeven.reports.chart_style import (
    DASHES,
    GRID,
    INK,
    MUTED,
    OTHER,
    PAPER,
    SERIES,
    TODAY,
    TURNS,
    Axis,
    Canvas,
    letter_of,
    round_ticks,
    spread,
)
from breakeven.reports.charts import Chart, chart_of
from breakeven.reports.pilot_parts import HistoryTaskPart, PilotDocument, QualityPart
from breakeven.reports.pilot_tiles import headline_name, headline_quality
from breakeven.reports.safe_text import short

COLOURED_COUNT: Final = len(SERIES)
"""Tasks with a colour of their own: those whose evidence is greatest."""
LABEL_GAP_PX: Final = 13.0
NAME_SHOWN_COUNT: Final = 14
ROW_NAME_SHOWN_COUNT: Final = 24
LN_LOWEST: Final = log(0.01)
BEYOND_RATIO: Final = 6.0
"""The axis of evidence ends there, in boundaries: what is beyond is beyond doubt."""
EVIDENCE_TICKS: Final = (0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e8, 1e10, 1e12)
HALF_PAGE: Final = Canvas("wide", 380, 230, 52, 92, 46, 42)
POINTS_MIN_COUNT: Final = 2


@dataclass(frozen=True, slots=True)
class Look:
    """How one task looks in every chart and table of a pilot."""

    task: str
    name: str
    letter: str
    colour: str
    dash: tuple[int, ...]


def looks(document: PilotDocument) -> dict[str, Look]:
    """Task -> its look; letters in the order of the table, colours by evidence."""
    ranked = sorted(document.tasks, key=lambda each: -each.ln_e_ratio)[:COLOURED_COUNT]
    coloured = [each.task for each in document.tasks if each in ranked]
    alone = len(document.tasks) == 1
    found = {}
    for at, each in enumerate(document.tasks):
        place = coloured.index(each.task) if each.task in coloured else None
        colour, dash = (OTHER, DASHES[-1]) if place is None else (SERIES[place], DASHES[place % (len(DASHES) - 1)])
        name = told.task_name(each.task, alone=alone)
        found[each.task] = Look(each.task, name, "" if alone else letter_of(at), colour, dash)
    return found


def draw_pilot_charts(document: PilotDocument) -> dict[str, Chart]:
    """Every chart for which there is data, in both widths, by name."""
    half, thin = HALF_PAGE, Canvas("narrow", 226, 220, 46, 84, 46, 42)
    if len(document.tasks) > 1:
        half, thin = replace(half, width_px=346, right_px=126), thin
    plans: tuple[tuple[str, str, Canvas, Canvas, Callable[[PilotDocument, Canvas], Layer | None]], ...] = (
        ("evidence", evidence_caption(document), half, thin, evidence),
        ("ratio", ratio_caption(document), replace(half, right_px=92), thin, ratio_over_time),
        (
            "tasks", tasks_caption(document), _tall(document, Canvas("wide", 520, 1, 210, 250, 26, 42)),
            _tall(document, Canvas("narrow", 300, 1, 12, 24, 26, 42)), ratios_by_task,
        ),
    )  # fmt: skip
    found = {}
    for name, caption, wide, narrow, draw in plans:
        drawn, drawn_thin = draw(document, wide), draw(document, narrow)
        if drawn is not None and drawn_thin is not None:
            found[name] = chart_of(name, caption, drawn, drawn_thin)
    return found


def evidence_caption(document: PilotDocument) -> str:
    """What the chart of evidence shows, in words."""
    quality = headline_quality(document)
    if len(document.tasks) > 1:
        done = sum(each.is_accepted for each in document.tasks)
        count = amounts.counted(len(document.tasks), "task")
        return f"Evidence that the margin is kept: {done} of {count} have what is needed"
    if quality is None:
        return "Evidence that the margin is kept"
    if _speaks_of_loss(document):
        return (
            f"Evidence that more than the margin is lost: {told.evidence_number(quality.ln_inferior_e_ratio)}, where "
            f"{told.evidence_number(_ln_stop_ratio(document))} stops the candidate"
        )
    return (
        f"Evidence that the margin is kept: {told.evidence_number(quality.ln_e_ratio)}, where "
        f"{told.evidence_number(quality.ln_boundary_ratio)} is needed"
    )


def evidence_note(document: PilotDocument) -> str:
    """How to read it."""
    design = document.design
    if _speaks_of_loss(document):
        return (
            "A bet on the candidate's loss of more than the margin. Did it keep the margin, the bet would reach the "
            f"dashed line in at most {amounts.fraction(design.inferior_alpha_fraction)} of pilots, whenever one looks."
        )
    several = len(document.tasks) > 1
    often = f"1 of {told.evidence_number(_needs(document)[-1])}" if several else amounts.fraction(design.alpha_fraction)
    return (
        f"A bet {'for each task ' if several else ''}against the candidate's loss of more than the margin. Were the "
        f"loss real, it would reach the dashed line in at most {often} {'' if several else 'of '}pilots, whenever one "
        "looks."
    )


def ratio_caption(document: PilotDocument) -> str:
    """What the chart of the ratio shows, in words."""
    quality = headline_quality(document)
    if quality is None or quality.ratio.value is None:
        return "Success of the candidate, of the baseline's"
    name = headline_name(document, quality)
    of = f", {name}" if name else ""
    return (
        f"Success of the baseline's{of}: {told.percent(quality.ratio.value)}, with {told.confidence(quality.ratio)} "
        f"confidence {told.percent_range(quality.ratio)}, at every moment"
    )


def tasks_caption(document: PilotDocument) -> str:
    """What the chart of the tasks shows, in words."""
    above = sum(
        each.ratio.low is not None and each.ratio.low >= document.design.margin_ratio for each in document.tasks
    )
    count = amounts.counted(len(document.tasks), "task")
    return f"Task by task: in {above} of {count} the whole interval lies above the margin"


def evidence(document: PilotDocument, canvas: Canvas) -> Layer | None:
    """Evidence of every task over the outcomes, and the boundary; None where there is no history."""
    if len(document.history) < POINTS_MIN_COUNT or not document.tasks:
        return None
    lines = {each.task: _line(document, each.task) for each in document.tasks}
    boundaries = _needs(document)
    values = [ln_e for line in lines.values() for _, ln_e in line]
    top = min(max([*values, boundaries[-1]]), BEYOND_RATIO * boundaries[-1]) + 0.35
    bottom = max(min([*values, log(0.5)]), LN_LOWEST) - 0.25
    x, y = _along(document, canvas), Axis(bottom, top, canvas.height_px, 0)
    ticks = [log(each) for each in EVIDENCE_TICKS if y.holds(log(each))]
    ticks = ticks[:: 2 if len(ticks) > 7 else 1]
    faces = looks(document)
    shown = [each for each in document.tasks if faces[each.task].colour != OTHER]
    layers = [
        *_along_axis(document, x, canvas),
        *vertical_axis(
            y, ticks, lambda ln: amounts.magnitude(exp(ln)), left_px=0, right_px=canvas.width_px,
            title="evidence (e-value): multiple of the stake",
        ),
        _needed(boundaries, y, canvas),
        *(_drawn(lines[each.task], faces[each.task], x, y) for each in document.tasks),
        *_ends(shown, lines, faces, boundaries, y, canvas),
    ]  # fmt: skip
    return spec(canvas, layers)


def ratio_over_time(document: PilotDocument, canvas: Canvas) -> Layer | None:
    """The ratio of successes and its confidence sequence, with the margin; None where there is no history."""
    quality = headline_quality(document)
    if len(document.history) < POINTS_MIN_COUNT or quality is None or quality.ratio.value is None:
        return None
    margin = document.design.margin_ratio
    points = _points(document, quality)
    x, y = _along(document, canvas), _ratio_axis(points, margin, canvas)
    rows = []
    for at, one in points:
        low, high = (
            max(one.low_ratio if one.low_ratio is not None else y.low, y.low),
            min(one.high_ratio if one.high_ratio is not None else y.high, y.high),
        )
        if one.ratio is not None and low < high and y.holds(one.ratio):
            rows.append({"at": at, "low": low, "high": high, "ratio": one.ratio})
    if len(rows) < POINTS_MIN_COUNT:
        return None
    area = {"type": "area", "fill": SERIES[0], "fillOpacity": 0.16, "clip": True}
    line = {"type": "line", "stroke": SERIES[0], "strokeWidth": 2.4, "clip": True}
    place = canvas.width_px + 6
    marks = [
        (margin, f"margin {amounts.fraction(margin)}", TURNS, [6, 3], "bold"),
        (1.0, "as good", MUTED, [2, 3], "normal"),
    ]
    places = spread([y.px(each[0]) for each in marks], LABEL_GAP_PX, 4, canvas.height_px)
    layers = [
        *_along_axis(document, x, canvas),
        *vertical_axis(
            y, round_ticks(y.high, 5, y.low + 1e-9), lambda v: f"{100 * v:.0f} %", left_px=0, right_px=canvas.width_px,
            title="success, of the baseline's",
        ),
        layer("band", rows, area, {"x": on("at", x), "y": on("low", y), "y2": {"field": "high"}}),
        layer("ratio_line", rows, line, {"x": on("at", x), "y": on("ratio", y)}),
    ]  # fmt: skip
    for at, (value, words, colour, dash, weight) in enumerate(marks):
        level = y.px(value)
        ends = [{"x": 0, "x2": canvas.width_px, "y": level, "y2": level}]
        layers += [
            rule(f"level_{at}", ends, stroke=colour, strokeWidth=1.6, strokeDash=dash),
            text(f"level_label_{at}", [{"x": place, "y": places[at], "label": words}], fill=colour, fontWeight=weight,
                 fontSize=11),
        ]  # fmt: skip
    return spec(canvas, layers)


def _ratio_axis(points: Sequence[tuple[float, HistoryTaskPart]], margin_ratio: float, canvas: Canvas) -> Axis:
    """As far as the intervals reach once a fifth of the outcomes is there; the first ones say nothing."""
    later = points[len(points) // 5 :]
    ends = [v for _, one in later for v in (one.low_ratio, one.ratio, one.high_ratio) if v is not None]
    low, high = min([*ends, margin_ratio]), max([*ends, 1.0])
    room = max(0.02, (high - low) * 0.06)
    return Axis(max(0.0, low - room, margin_ratio - 0.5), min(high + room, 1.8), canvas.height_px, 0)


def ratios_by_task(document: PilotDocument, canvas: Canvas) -> Layer | None:
    """Interval of the ratio of every task, the margin and all of them together; None for one task alone."""
    rows = _rows(document)
    if len(document.tasks) < 2:
        return None
    margin, faces = document.design.margin_ratio, looks(document)
    ends = [v for each in rows for v in (each.ratio.low, each.ratio.value, each.ratio.high) if v is not None]
    low, high = min([*ends, margin, 1.0]), max([*ends, margin, 1.0])
    x = Axis(max(low - 0.02, margin - 0.5, 0.0), min(high + 0.02, 1.6), 0, canvas.width_px)
    spans, dots, names, states = [], [], [], []
    for at, each in enumerate(rows):
        y = _row_y(at, canvas)
        look = faces.get(each.task) if not each.is_overall else None
        colour = look.colour if look else TODAY
        letter = f"{look.letter}  " if look and look.letter else ""
        name = told.task_name(each.task, each.is_overall)
        label = f"{letter}{short(name, ROW_NAME_SHOWN_COUNT)}"
        names.append(
            {"x": 0 if canvas.narrow else -canvas.left_px, "y": y - (15 if canvas.narrow else 0), "label": label}
        )
        words = short(told.state_words(each, document), 40)
        state = {"x": canvas.width_px + (0 if canvas.narrow else 10), "y": y - (15 if canvas.narrow else 0)}
        if not canvas.narrow:
            states.append({**state, "label": words})
        if each.ratio.value is None:
            continue
        left, right = (
            _held(x, each.ratio.low if each.ratio.low is not None else x.low),
            _held(x, each.ratio.high if each.ratio.high is not None else x.high),
        )
        spans.append({"x": left, "x2": right, "y": y, "y2": y, "colour": colour})
        dots.append({"x": _held(x, each.ratio.value), "y": y, "colour": colour})
    colour_channel = {"field": "colour", "type": "nominal", "scale": None}
    line = [{"x": x.px(margin), "x2": x.px(margin), "y": 0, "y2": canvas.height_px}]
    layers = [
        *horizontal_axis(
            x, round_ticks(x.high, 4 if canvas.narrow else 8, x.low + 1e-9), lambda v: f"{100 * v:.0f} %",
            top_px=0, bottom_px=canvas.height_px, title="success, of the baseline's",
        ),
        rule("margin", line, stroke=TURNS, strokeWidth=1.6, strokeDash=[6, 3]),
        text("margin_label", [{"x": x.px(margin), "y": -10, "label": f"margin {amounts.fraction(margin)}"}],
             align="center", fill=TURNS, fontWeight="bold", fontSize=11),
        layer("task_spans", spans, {"type": "rule", "strokeWidth": 5, "opacity": 0.6, "strokeCap": "round"},
              {"x": px("x"), "y": px("y"), "x2": {"field": "x2"}, "y2": {"field": "y2"}, "stroke": colour_channel}),
        layer("task_ratios", dots, {"type": "point", "filled": True, "opacity": 1, "size": 62, "stroke": PAPER},
              {"x": px("x"), "y": px("y"), "fill": colour_channel}),
        text("row_titles", names),
        text("states", states, fontSize=11, fill=MUTED),
    ]  # fmt: skip
    return spec(canvas, layers)


def _tall(document: PilotDocument, canvas: Canvas) -> Canvas:
    return replace(canvas, height_px=_row_y(len(_rows(document)), canvas) - (20 if canvas.narrow else 6))


def _row_y(at: int, canvas: Canvas) -> float:
    return 26.0 + at * 38.0 if canvas.narrow else 14.0 + at * 24.0


def _rows(document: PilotDocument) -> tuple[QualityPart, ...]:
    return (*document.tasks, *((document.overall,) if document.overall else ()))


def _held(axis: Axis, value: float) -> float:
    return axis.px(min(max(value, axis.low), axis.high))


def _in_days(document: PilotDocument) -> bool:
    """Whether the pilot ran for some time; files without times are told by their requests."""
    return document.history[-1].days * 24 >= 1


def _along(document: PilotDocument, canvas: Canvas) -> Axis:
    """Time, or requests where no time is known."""
    last = document.history[-1]
    return Axis(0.0, last.days if _in_days(document) else float(max(last.requests_count, 1)), 0, canvas.width_px)


def _along_axis(document: PilotDocument, x: Axis, canvas: Canvas) -> list[Layer]:
    days = _in_days(document)
    hours = days and x.high < 2
    shown = replace(x, high=x.high * 24) if hours else x
    ticks = round_ticks(shown.high, 3 if canvas.narrow else 5)
    title = ("hours" if hours else "days") + " since the first request" if days else "requests"
    return horizontal_axis(
        shown, ticks, amounts.number if days else amounts.magnitude, top_px=0, bottom_px=canvas.height_px, title=title
    )


def _points(document: PilotDocument, quality: QualityPart) -> list[tuple[float, HistoryTaskPart]]:
    days, found = _in_days(document), []
    for each in document.history:
        for one in each.tasks:
            if one.task == quality.task and one.is_overall == quality.is_overall:
                found.append((each.days if days else float(each.requests_count), one))
    return found


def _line(document: PilotDocument, task: str) -> list[tuple[float, float]]:
    quality = next(each for each in document.tasks if each.task == task)
    loss = _speaks_of_loss(document)
    values = [(at, one.ln_inferior_e_ratio if loss else one.ln_e_ratio) for at, one in _points(document, quality)]
    return [(0.0, 0.0), *values]


def _speaks_of_loss(document: PilotDocument) -> bool:
    """Whether the one task is proven to lose more than the margin: then that is the evidence to look at."""
    return len(document.tasks) == 1 and document.tasks[0].is_inferior


def _ln_stop_ratio(document: PilotDocument) -> float:
    return -log(document.design.inferior_alpha_fraction)


def _needs(document: PilotDocument) -> list[float]:
    """Boundaries of the tasks, lowest first."""
    if _speaks_of_loss(document):
        return [_ln_stop_ratio(document)]
    return sorted({round(each.ln_boundary_ratio, 6) for each in document.tasks})


def _needed(boundaries: Sequence[float], y: Axis, canvas: Canvas) -> Layer:
    """The boundary; of several the lowest and the highest."""
    shown = sorted({boundaries[0], boundaries[-1]})
    ends = [{"x": 0, "x2": canvas.width_px, "y": y.px(each), "y2": y.px(each)} for each in shown]
    return rule("needed", ends, stroke=TURNS, strokeWidth=1.6, strokeDash=[6, 3])


def _drawn(points: Sequence[tuple[float, float]], look: Look, x: Axis, y: Axis) -> Layer:
    rows = [{"at": at, "v": min(max(ln_e, y.low), y.high)} for at, ln_e in points]
    mark: dict[str, Any] = {
        "type": "line", "stroke": look.colour, "strokeWidth": 2.2 if look.colour != OTHER else 1.4,
        "strokeDash": list(look.dash), "clip": True,
    }  # fmt: skip
    return layer(f"evidence_{look.letter or 'all'}", rows, mark, {"x": on("at", x), "y": on("v", y)})


def _ends(
    tasks: Sequence[QualityPart],
    lines: dict[str, list[tuple[float, float]]],
    faces: dict[str, Look],
    boundaries: Sequence[float],
    y: Axis,
    canvas: Canvas,
) -> list[Layer]:
    """What each line has come to, right of its end, and what is needed."""
    needed = [(y.px(each), f"needed {told.evidence_number(each)}", TURNS) for each in sorted({boundaries[-1]})]
    ends = [
        (_held(y, lines[each.task][-1][1]), *_end_words(lines[each.task][-1][1], faces[each.task], canvas))
        for each in tasks
    ]
    marks = [*ends, *needed]
    places = spread([each[0] for each in marks], LABEL_GAP_PX, 4, canvas.height_px - 4)
    right = canvas.width_px
    leaders = [
        {"x": right + 1, "x2": right + 8, "y": start, "y2": place}
        for (start, _, _), place in zip(marks, places, strict=True)
    ]
    found = [rule("leaders", leaders, stroke=GRID, strokeWidth=0.8)]
    for at, ((_, label, colour), place) in enumerate(zip(marks, places, strict=True)):
        row = [{"x": right + 11, "y": place, "label": label}]
        found.append(text(f"end_{at}", row, fill=colour, fontWeight="bold", fontSize=11))
    return found


def _end_words(ln_e: float, look: Look, canvas: Canvas) -> tuple[str, str]:
    """The task, or of one task alone its evidence; and the colour."""
    if not look.letter:
        return told.evidence_number(ln_e), INK
    return (look.letter if canvas.narrow else f"{look.letter} {short(look.name, NAME_SHOWN_COUNT)}"), look.colour
