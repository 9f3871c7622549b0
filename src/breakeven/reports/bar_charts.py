"""Bar charts: what each option's money is spent on, and which assumption moves the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from breakeven.options.option import OF_PARTS
from breakeven.reports import amounts
from breakeven.reports.chart_marks import Layer, horizontal_axis, layer, px, rect, rule, spec, text
from breakeven.reports.chart_style import (
    GRID,
    HOLDS,
    INK,
    LINES,
    LOSS,
    MUTED,
    OTHER,
    PAPER,
    TURNS,
    Axis,
    Canvas,
    Series,
    money_tick,
    round_ticks,
    series_of,
)
from breakeven.reports.decision_rows import value_of
from breakeven.reports.document import Document, LeverPart, LinePart, OptionPart
from breakeven.reports.findings import TITLE_MAX_COUNT, lever_title
from breakeven.reports.risk_part import TornadoPart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.shortlist import main_options

ROW_PX: Final = 58.0
BAR_PX: Final = 22.0
LETTER_WIDTH_PX: Final = 6.6
"""About the width of a letter at the charts' font size."""
LEVERS_DRAWN_COUNT: Final = 10
VALUE_SHOWN_COUNT: Final = 16


END_LETTER_PX: Final = 6.2
"""Width of a letter at the end of a bar, at most."""


@dataclass(frozen=True, slots=True)
class Swing:
    """One assumption moved alone from its low to its high, and what the recommended option saves at either end."""

    title: str
    low: str
    high: str
    at_low_usd: float
    at_high_usd: float
    typical_usd: float
    flips: bool


@dataclass(frozen=True, slots=True)
class LineLook:
    """One cost line in the breakdown and its legend; lines of an option's parts share the look of their line."""

    key: str
    title: str
    colour: str
    index: int


def line_looks(document: Document) -> tuple[LineLook, ...]:
    """The cost lines in the totals of the main options, in the document's order.

    There are more lines than colours: the lines that are largest anywhere have one of their own, all others are grey.
    """
    names, options = line_names(document), main_options(document)
    titles: dict[str, str] = {}
    shares: dict[str, float] = {}
    for option in sorted(options, key=lambda each: each.family in OF_PARTS):
        whole = sum(each.usd_per_month.mean for each in option.lines if not each.apart)
        for line in option.lines:
            if not line.apart and line.usd_per_month.mean > 0:
                key = line_key(line.name, names)
                titles.setdefault(key, line.title)
                shares[key] = max(shares.get(key, 0.0), line.usd_per_month.mean / whole)
    coloured = sorted(shares, key=lambda key: -shares[key])[: len(LINES)]
    free = iter(LINES)
    return tuple(
        LineLook(key, short(title, TITLE_MAX_COUNT), next(free) if key in coloured else OTHER, index)
        for index, (key, title) in enumerate(titles.items())
    )


def line_names(document: Document) -> set[str]:
    """Names of the lines of every option."""
    return {line.name for option in document.options for line in option.lines}


def line_key(name: str, names: set[str]) -> str:
    """The line that a part's line belongs to: ``fleet_tokens`` is ``tokens`` when some option has ``tokens``.

    >>> line_key("fleet_tokens", {"tokens", "fleet_tokens"}), line_key("gpu_rent", {"gpu_rent"})
    ('tokens', 'gpu_rent')
    """
    _, _, rest = name.partition("_")
    return rest if rest in names else name


def breakdown_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with one row per option."""
    return replace(canvas, height_px=ROW_PX * len(main_options(document)))


def breakdown(document: Document, canvas: Canvas) -> Layer | None:
    """A stacked bar of expected cost per main option; the range of the total below it; expected losses apart."""
    options = main_options(document)
    high = max([_row_end(each) for each in options], default=0.0)
    if high <= 0:
        return None
    x = Axis(0.0, high * 1.02, 0, canvas.width_px)
    looks = {each.key: each for each in line_looks(document)}
    names = line_names(document)
    bars: list[dict[str, object]] = []
    words: list[dict[str, object]] = []
    losses: list[dict[str, object]] = []
    for row, option in enumerate(options):
        top = row * ROW_PX + 20
        start = 0.0
        counted = [each for each in option.lines if not each.apart and each.usd_per_month.mean > 0]
        for line in sorted(counted, key=lambda each: looks[line_key(each.name, names)].colour == OTHER):
            look = looks[line_key(line.name, names)]
            box = _box(x, start, start + line.usd_per_month.mean, top)
            bars.append(box | {"fill": look.colour})
            words += _inside(box, (look.title, amounts.money_short(line.usd_per_month.mean)))
            start += line.usd_per_month.mean
        losses += _losses(option.lines, x, start, top)
    layers = [
        *horizontal_axis(
            x, round_ticks(x.high, 4 if canvas.narrow else 8), money_tick,
            top_px=0, bottom_px=canvas.height_px, title="USD a month, expected",
        ),
        *_row_titles(options, series_of(document), canvas),
        rect("lines", bars, stroke=PAPER, strokeWidth=1.5),
        rect("losses", losses, fill=LOSS, stroke=INK, strokeWidth=1, strokeDash=[3, 2]),
        text("line_labels", words, fontSize=11, fill="#10141c"),
        *_ranges(options, x),
    ]  # fmt: skip
    return spec(canvas, layers)


def _row_end(option: OptionPart) -> float:
    return max(option.usd_per_month.p90, sum(max(each.usd_per_month.mean, 0) for each in option.lines))


def _box(x: Axis, low: float, high: float, top_px: float) -> dict[str, object]:
    return {"x": x.px(low), "x2": x.px(high), "y": top_px, "y2": top_px + BAR_PX}


def _inside(box: dict[str, object], candidates: Sequence[str]) -> list[dict[str, object]]:
    """The first of `candidates` that fits into `box`."""
    left, right, top = float(str(box["x"])), float(str(box["x2"])), float(str(box["y"]))
    for label in candidates:
        if len(label) * LETTER_WIDTH_PX * 0.95 + 8 <= right - left:
            return [{"x": left + 5, "y": top + BAR_PX / 2 + 0.5, "label": label}]
    return []


def _losses(lines: Sequence[LinePart], x: Axis, start: float, top_px: float) -> list[dict[str, object]]:
    """Expected losses behind a gap: beside the total, not in it."""
    found = []
    for line in lines:
        if line.apart and line.usd_per_month.mean > 0:
            box = _box(x, start, start + line.usd_per_month.mean, top_px)
            found.append(box | {"x": float(str(box["x"])) + 4, "x2": float(str(box["x2"])) + 4})
            start += line.usd_per_month.mean
    return found


def _row_titles(options: Sequence[OptionPart], series: Sequence[Series], canvas: Canvas) -> list[Layer]:
    """Letter, title and total above each bar, the title cut to the room there is."""
    room_count = int((canvas.width_px + canvas.right_px) / (LETTER_WIDTH_PX * 1.15))
    looks = {each.name: each for each in series}
    rows = []
    for row, option in enumerate(options):
        look = looks[option.name]
        total = option.usd_per_month
        cost = amounts.money_range(total.p50, total.p10, total.p90)
        title = short(look.title, max(room_count - len(cost) - 5, 8))
        rows.append({"x": 0, "y": row * ROW_PX + 9, "label": f"{look.letter}  {title}  {cost}"})
    return [text("row_titles", rows, fontWeight="bold")]


def _ranges(options: Sequence[OptionPart], x: Axis) -> list[Layer]:
    """P10 to P90 of each total with its median, below the bar."""
    bars, dots = [], []
    for row, option in enumerate(options):
        y, total = row * ROW_PX + 20 + BAR_PX + 5, option.usd_per_month
        bars.append({"x": x.px(max(total.p10, 0)), "x2": x.px(max(total.p90, 0)), "y": y, "y2": y})
        dots.append({"x": x.px(max(total.p50, 0)), "y": y})
    mark = {"type": "point", "filled": True, "opacity": 1, "fill": INK, "size": 30}
    return [
        rule("ranges", bars, stroke=MUTED, strokeWidth=2),
        layer("medians", dots, mark, {"x": px("x"), "y": px("y")}),
    ]


def levers_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with one row per lever."""
    return _swings_canvas(len(document.levers), canvas)


def tornado_canvas(document: Document, canvas: Canvas) -> Canvas:
    """`canvas` with one row per assumption of the tornado."""
    return _swings_canvas(len(document.risk.tornado) if document.risk else 0, canvas)


def _swings_canvas(count: int, canvas: Canvas) -> Canvas:
    return replace(canvas, height_px=_lever_row_px(canvas) * min(count, LEVERS_DRAWN_COUNT) + 6)


def _lever_row_px(canvas: Canvas) -> float:
    return 44.0 if canvas.narrow else 34.0


def levers(document: Document, canvas: Canvas) -> Layer | None:
    """How far each assumption alone moves the gap; those that turn the answer cross the line at zero."""
    return _swings([_swing(each) for each in document.levers], canvas, "USD a month saved by the recommended option")


def tornado(document: Document, canvas: Canvas) -> Layer | None:
    """The same for the present value over the months; None without a horizon."""
    parts = document.risk.tornado if document.risk else ()
    return _swings([_swing_over_months(each) for each in parts], canvas, "USD saved by the recommended option")


def _swing(lever: LeverPart) -> Swing:
    return Swing(
        title=lever_title(lever),
        low=_value(lever.low, lever.unit),
        high=_value(lever.high, lever.unit),
        at_low_usd=lever.gap_at_low_usd_per_month,
        at_high_usd=lever.gap_at_high_usd_per_month,
        typical_usd=lever.gap_usd_per_month,
        flips=lever.flips,
    )


def _value(value: float, unit: str) -> str:
    return short(amounts.quantity(value, safe(unit)), VALUE_SHOWN_COUNT)


def _swing_over_months(part: TornadoPart) -> Swing:
    low, high = (short(value_of(part.name, value, part.unit), VALUE_SHOWN_COUNT) for value in (part.low, part.high))
    title = short(amounts.fact_title(safe(part.name) or "?"), TITLE_MAX_COUNT)
    return Swing(title, low, high, part.saves_at_low_usd, part.saves_at_high_usd, part.saves_usd, part.flips)


def _swings(swings: Sequence[Swing], canvas: Canvas, title: str) -> Layer | None:
    """A bar per assumption, from the gap at its low to that at its high."""
    shown = swings[:LEVERS_DRAWN_COUNT]
    if not shown:
        return None
    gaps = [gap for each in shown for gap in (each.at_low_usd, each.at_high_usd)] + [0.0, shown[0].typical_usd]
    x = _roomy_axis(shown, min(gaps), max(gaps), canvas)
    zero, today = x.px(0.0), x.px(shown[0].typical_usd)
    row_px = _lever_row_px(canvas)
    bars: list[dict[str, object]] = []
    left: list[dict[str, object]] = []
    right: list[dict[str, object]] = []
    for row, swing in enumerate(shown):
        top = row * row_px + (22 if canvas.narrow else 10)
        low_px, high_px = sorted(x.px(gap) for gap in (swing.at_low_usd, swing.at_high_usd))
        high_px = max(high_px, low_px + 2)
        fill = TURNS if swing.flips else HOLDS
        bars.append({"x": low_px, "x2": high_px, "y": top, "y2": top + 14, "fill": fill})
        at_left, at_right = _end_labels(swing)
        left.append({"x": low_px - 5, "y": top + 7.5, "label": at_left})
        right.append({"x": high_px + 5, "y": top + 7.5, "label": at_right})
    layers = [
        *horizontal_axis(
            x, round_ticks(x.high, 3 if canvas.narrow else 7, x.low), money_tick,
            top_px=0, bottom_px=canvas.height_px, title=title,
        ),
        rule("rows", _row_edges(len(shown), row_px, canvas), stroke=GRID),
        rule("today", [{"x": today, "x2": today, "y": 0, "y2": canvas.height_px}], stroke=MUTED, strokeDash=[4, 3]),
        rect("levers", bars, stroke=INK, strokeWidth=0.6),
        rule("zero", [{"x": zero, "x2": zero, "y": 0, "y2": canvas.height_px}], strokeWidth=1.8),
        *_lever_titles(shown, canvas),
        text("low_ends", left, align="right", fontSize=11, fill=MUTED),
        text("high_ends", right, fontSize=11, fill=MUTED),
    ]  # fmt: skip
    return spec(canvas, layers)


def _roomy_axis(swings: Sequence[Swing], low_usd: float, high_usd: float, canvas: Canvas) -> Axis:
    """An axis with room for the words at both ends of every bar."""
    width = (high_usd - low_usd) or 1.0
    room = (0.3 if canvas.narrow else 0.14) * width
    x = Axis(low_usd - room, high_usd + room, 0, canvas.width_px)
    for _ in range(4):
        usd_per_px = (x.high - x.low) / canvas.width_px
        ends = [(sorted((each.at_low_usd, each.at_high_usd)), _end_labels(each)) for each in swings]
        left_px = max(_words_px(words[0]) - x.px(usd[0]) for usd, words in ends)
        right_px = max(x.px(usd[1]) + _words_px(words[1]) for usd, words in ends) - canvas.width_px
        if left_px <= 0 and right_px <= 0:
            break
        x = replace(x, low=x.low - max(left_px, 0) * usd_per_px, high=x.high + max(right_px, 0) * usd_per_px)
    return x


def _words_px(words: str) -> float:
    """Room that the words at the end of a bar take at most."""
    return END_LETTER_PX * len(words) + 6


def _row_edges(count: int, row_px: float, canvas: Canvas) -> list[dict[str, object]]:
    start = 0.0 if canvas.narrow else -canvas.left_px
    return [{"x": start, "x2": canvas.width_px, "y": row * row_px, "y2": row * row_px} for row in range(1, count)]


def _lever_titles(levers: Sequence[Swing], canvas: Canvas) -> list[Layer]:
    """Names above the bars on a phone, left of them on a page; a lever that turns the answer says so."""
    rows: dict[bool, list[dict[str, object]]] = {True: [], False: []}
    for row, lever in enumerate(levers):
        top = row * _lever_row_px(canvas)
        title = short(lever.title, 34)
        verdict = "turns the answer"
        if canvas.narrow:
            rows[lever.flips].append({"x": 0, "y": top + 13, "label": f"{title}, {verdict}" if lever.flips else title})
            continue
        rows[lever.flips].append({"x": -canvas.left_px, "y": top + (11 if lever.flips else 17), "label": title})
        if lever.flips:
            rows[True].append({"x": -canvas.left_px, "y": top + 25, "label": verdict})
    return [
        text("turning_titles", rows[True], fontWeight="bold", fill=TURNS),
        text("holding_titles", rows[False]),
    ]


def _end_labels(swing: Swing) -> tuple[str, str]:
    """Values of the assumption at the left and the right end of its bar."""
    return (swing.low, swing.high) if swing.at_low_usd <= swing.at_high_usd else (swing.high, swing.low)
