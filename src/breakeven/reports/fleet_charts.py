"""Fleet charts: load against latency, a day of replicas, and the hours a commitment pays for.

All three are drawn from documents alone (`breakeven fleet --json`, `breakeven capacity --json`), in both widths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from breakeven.reports import amounts
from breakeven.reports.capacity_document import CapacityDocument, PointPart
from breakeven.reports.chart_marks import Layer, horizontal_axis, layer, on, px, rect, rule, spec, text, vertical_axis
from breakeven.reports.chart_style import INK, LINES, MUTED, PAPER, SERIES, TURNS, Axis, Canvas, log_ticks, round_ticks
from breakeven.reports.chart_style import spread as apart
from breakeven.reports.charts import Chart, chart_of
from breakeven.reports.fleet_wording import TERM_NAMES
from breakeven.units import SECONDS_PER_HOUR

Part = Mapping[str, Any]
DAY_HOURS_COUNT: Final = 24
NEEDED, SERVING, PAID = LINES[0], SERIES[0], SERIES[1]
TERM_FILLS: Final = {"three_years": LINES[2], "one_year": LINES[0], "spot": LINES[3], "on_demand": LINES[1]}
"""Way to buy a GPU hour -> its colour; in print each is hatched otherwise."""
PANEL_GAP_PX: Final = 64.0


def latency_chart(capacity: CapacityDocument, peak_tok_per_s: float, share_words: str) -> Chart:
    """Latency against load of one replica; `peak_tok_per_s`: what one replica carries in the busiest hour."""
    caption = _latency_caption(capacity, peak_tok_per_s)
    return _drawn(
        "capacity_latency", caption, Canvas("wide", 620, 420, 60, 190, 46, 46),
        Canvas("narrow", 264, 420, 50, 34, 46, 46),
        lambda canvas: latency_spec(capacity, peak_tok_per_s, share_words, canvas),
    )  # fmt: skip


def day_chart(document: Part, day: str) -> Chart:
    """Replicas needed, serving and paid on one day of the log (UTC)."""
    return _drawn(
        "day_replicas", day_caption(document, day), Canvas("wide", 800, 240, 48, 26, 46, 46),
        Canvas("narrow", 280, 210, 40, 22, 46, 46), lambda canvas: day_spec(document, day, canvas),
    )  # fmt: skip


def commitment_chart(document: Part) -> Chart | None:
    """GPUs of each hour, the busiest hour first, by the way they are bought; None without a mix."""
    if document["cost"]["mix"] is None or not document["hours"]["hourly_replicas_count"]:
        return None
    return _drawn(
        "commitments", commitment_caption(document), Canvas("wide", 660, 260, 48, 168, 46, 46),
        Canvas("narrow", 280, 230, 40, 22, 46, 46), lambda canvas: commitment_spec(document, canvas),
    )  # fmt: skip


def days_of(document: Part) -> tuple[str, ...]:
    """The days that the log touches, as ISO dates."""
    first = datetime.fromisoformat(document["traffic"]["first_time"])
    last = first + timedelta(hours=document["traffic"]["observed_hours"])
    count = (last.date() - first.date()).days + 1
    return tuple((first.date() + timedelta(days=each)).isoformat() for each in range(count))


def peak_day(document: Part) -> str:
    """The day of the busiest stretch."""
    first = datetime.fromisoformat(document["traffic"]["first_time"])
    return (first + timedelta(seconds=document["fleet"]["peak_from_s"])).date().isoformat()


def day_caption(document: Part, day: str) -> str:
    """What the chart of a day shows, in words."""
    rows = _bins_of_day(document, day)
    if not rows:
        return f"{amounts.date_text(day)}: no request"
    needed, paid = max(each["needed_count"] for _, each in rows), max(each["paid_count"] for _, each in rows)
    mean_paid = sum(each["paid_count"] for _, each in rows) / len(rows)
    return (
        f"{amounts.date_text(day)}: up to {amounts.counted(needed, 'replica')} needed, up to {amounts.number(paid)} "
        f"paid ({amounts.number(mean_paid)} on average)"
    )


def commitment_caption(document: Part) -> str:
    """What the chart of commitments shows, in words."""
    bought = _bought(document)
    reserved = sum(bought.values())
    hours = amounts.counted(len(document["hours"]["hourly_replicas_count"]), "hour")
    if not reserved:
        return f"GPUs of each of {hours}, the busiest first: reserving none is cheapest"
    words = " and ".join(f"{count} {TERM_NAMES[term]}" for term, count in bought.items() if count)
    return f"GPUs of each of {hours}, the busiest first: cheapest with {words} reserved"


def _drawn(name: str, caption: str, wide: Canvas, narrow: Canvas, draw: Callable[[Canvas], Layer]) -> Chart:
    return chart_of(name, caption, draw(wide), draw(narrow))


def _latency_caption(capacity: CapacityDocument, peak_tok_per_s: float) -> str:
    share = peak_tok_per_s / capacity.answer.output_tok_per_s if capacity.answer.output_tok_per_s else 0.0
    what = "what one replica delivers within the targets" if capacity.targets else "the most that one replica delivers"
    return f"In your busiest hour each replica carries {amounts.fraction(share)} of {what}"


def latency_spec(capacity: CapacityDocument, peak_tok_per_s: float, share_words: str, canvas: Canvas) -> Layer:
    """Two panels over one another with one axis of load: time per output token, time to the first token."""
    points = capacity.table
    lows = [each.low_output_tok_per_s for each in points] + ([peak_tok_per_s] if peak_tok_per_s > 0 else [])
    most = max(each.high_output_tok_per_s for each in points)
    least = max(min(each for each in lows if each > 0) * 0.9, most / 1e5)
    x = Axis(least, most * 1.1, 0, canvas.width_px, log=True)
    height = (canvas.height_px - PANEL_GAP_PX) / 2
    targets = capacity.targets
    panels: list[tuple[str, str, float, float | None]] = [
        ("tpot_ms", "time per output token, ms", 0.0, targets.tpot_ms if targets else None),
        ("ttft_ms", "time to the first token, ms", height + PANEL_GAP_PX, targets.ttft_ms if targets else None),
    ]
    layers: list[Layer] = []
    for name, title, top, target in panels:
        layers += _panel(points, name, title, target, x, (top, top + height), canvas)
    ticks = log_ticks(x.low, x.high, 4 if canvas.narrow else 8)
    title = "output tokens/s of one replica" if canvas.narrow else "output tokens a second of one replica, steady load"
    layers += horizontal_axis(
        x, ticks, lambda v: amounts.magnitude(v), top_px=0, bottom_px=canvas.height_px, title=title
    )
    return spec(canvas, [*layers, *_peak_mark(peak_tok_per_s, share_words, x, canvas)])


def _panel(
    points: Sequence[PointPart],
    name: str,
    title: str,
    target_ms: float | None,
    x: Axis,
    ends: tuple[float, float],
    canvas: Canvas,
) -> list[Layer]:
    """One latency over the load: the line, the band of the prediction's error, the target."""
    found = [(each, value) for each in points if (value := getattr(each, name)) is not None]
    if not found:
        return []
    values = [value for _, value in found] + ([target_ms] if target_ms else [])
    top, bottom = ends
    y = Axis(min(values) * 0.8, max(values) * 1.25, bottom, top, log=True)
    rows = [{"x": x.px(each.output_tok_per_s), "y": y.px(value)} for each, value in found]
    bars = [
        {
            "x": x.px(max(each.low_output_tok_per_s, x.low)), "x2": x.px(min(each.high_output_tok_per_s, x.high)),
            "y": y.px(value), "y2": y.px(value),
        }
        for each, value in found
    ]  # fmt: skip
    axis = vertical_axis(
        y, log_ticks(y.low, y.high, 5), amounts.number, left_px=0, right_px=canvas.width_px, title=title
    )
    line = {"type": "line", "stroke": SERIES[0], "strokeWidth": 2.4}
    dot = {"type": "point", "filled": True, "fill": SERIES[0], "size": 34, "opacity": 1, "stroke": PAPER}
    layers = [
        *({**each, "name": f"{each['name']}_{name}"} for each in axis),
        rule(f"error_{name}", bars, stroke=SERIES[0], strokeWidth=8, opacity=0.22, strokeCap="round"),
        layer(f"line_{name}", rows, line, {"x": px("x"), "y": px("y"), "order": {"field": "x"}}),
        layer(f"dots_{name}", rows, dot, {"x": px("x"), "y": px("y")}),
    ]
    if target_ms is not None:
        level = y.px(target_ms)
        ends_row = [{"x": 0, "x2": canvas.width_px, "y": level, "y2": level}]
        words = f"target {amounts.number(target_ms)} ms"
        place = {"x": canvas.width_px, "y": level - 9} if canvas.narrow else {"x": canvas.width_px + 8, "y": level}
        layers += [
            rule(f"target_{name}", ends_row, stroke=TURNS, strokeWidth=1.6, strokeDash=[6, 3]),
            text(
                f"target_label_{name}", [{**place, "label": words}], fill=TURNS, fontWeight="bold", fontSize=11,
                align="right" if canvas.narrow else "left",
            ),
        ]  # fmt: skip
    return layers


def _peak_mark(peak_tok_per_s: float, share_words: str, x: Axis, canvas: Canvas) -> list[Layer]:
    """A line through both panels at what a replica carries in the busiest hour."""
    if not peak_tok_per_s > 0 or not x.holds(peak_tok_per_s):
        return []
    at = x.px(peak_tok_per_s)
    right = at > canvas.width_px * 0.6
    words = "your peak" if canvas.narrow else f"your peak: {share_words}"
    label = {"x": at + (-6 if right else 6), "y": -12, "label": words}
    return [
        rule("peak", [{"x": at, "x2": at, "y": -18, "y2": canvas.height_px}], stroke=INK, strokeWidth=2),
        text("here_label", [label], align="right" if right else "left", fontWeight="bold", fontSize=11),
    ]


def _bins_of_day(document: Part, day: str) -> list[tuple[float, Part]]:
    """Hour of the day at which each stretch of that day begins, and the stretch."""
    begins_s = _begins_s(document, day)
    return [
        ((each["start_s"] + begins_s) / SECONDS_PER_HOUR, each)
        for each in document["bins"]
        if 0 <= each["start_s"] + begins_s < DAY_HOURS_COUNT * SECONDS_PER_HOUR
    ]


def _begins_s(document: Part, day: str) -> float:
    """When the log begins, counted from that day's midnight."""
    first = datetime.fromisoformat(document["traffic"]["first_time"])
    return (first - datetime.fromisoformat(day).replace(tzinfo=first.tzinfo)).total_seconds()


def day_spec(document: Part, day: str, canvas: Canvas) -> Layer:
    """Needed as an area, serving and paid as lines, over one day."""
    rows = _bins_of_day(document, day)
    size_hours = document["policy"]["decision_s"] / SECONDS_PER_HOUR
    most = max([each[name] for _, each in rows for name in ("needed_count", "paid_count")], default=1)
    x, y = Axis(0, DAY_HOURS_COUNT, 0, canvas.width_px), Axis(0, max(most, 1) * 1.1, canvas.height_px, 0)
    ticks = [0.0, 6.0, 12.0, 18.0, 24.0] if canvas.narrow else [float(hour) for hour in range(0, 25, 3)]
    area = {"type": "area", "fill": NEEDED, "interpolate": "step-after", "clip": True}
    layers: list[Layer] = [
        *horizontal_axis(
            x, ticks, lambda hour: f"{hour:.0f}:00", top_px=0, bottom_px=canvas.height_px, title="hour, UTC"
        ),
        *vertical_axis(
            y, _whole_ticks(y.high), amounts.number, left_px=0, right_px=canvas.width_px, title="replicas"
        ),
        layer(
            "needed", _steps(rows, "needed_count", size_hours), area,
            {"x": on("at", x), "y": on("v", y), "y2": {"datum": 0}},
        ),
    ]  # fmt: skip
    for name, colour, dash, width in (("serving_count", SERVING, [1, 0], 2.4), ("paid_count", PAID, [6, 3], 1.8)):
        mark = {
            "type": "line", "stroke": colour, "strokeWidth": width, "strokeDash": dash, "interpolate": "step-after",
            "clip": True,
        }  # fmt: skip
        layers.append(
            layer(
                name,
                _steps(rows, name, size_hours),
                mark,
                {"x": on("at", x), "y": on("v", y), "order": {"field": "at"}},
            )
        )
    if day == peak_day(document):
        layers += _busiest(document, day, x, canvas)
    return spec(canvas, layers)


def _steps(rows: Sequence[tuple[float, Part]], name: str, size_hours: float) -> list[dict[str, float]]:
    """Values that hold from each point to the next, with one that ends the last stretch."""
    found = [{"at": hour, "v": float(each[name])} for hour, each in rows]
    return [*found, {"at": rows[-1][0] + size_hours, "v": found[-1]["v"]}] if found else []


def _busiest(document: Part, day: str, x: Axis, canvas: Canvas) -> list[Layer]:
    """A bar over the busiest stretch."""
    from_hour, to_hour = (
        (_begins_s(document, day) + document["fleet"][name]) / SECONDS_PER_HOUR for name in ("peak_from_s", "peak_to_s")
    )
    left, right = x.px(max(from_hour, 0)), x.px(min(to_hour, DAY_HOURS_COUNT))
    late = right > canvas.width_px * 0.7
    label = {"x": right + 6 if not late else left - 6, "y": -12, "label": "busiest stretch, simulated alone"}
    if canvas.narrow:
        label["label"] = "busiest stretch"
    return [
        rect("busiest", [{"x": left, "x2": max(right, left + 3), "y": -16, "y2": -8, "fill": TURNS}]),
        text("busiest_label", [label], align="right" if late else "left", fill=MUTED, fontSize=11),
    ]


def _bought(document: Part) -> dict[str, int]:
    """GPUs reserved by term, longest term first."""
    reserved: Mapping[str, int] = document["cost"]["mix"]["reserved_gpus_count"]
    return {term: reserved.get(term, 0) for term in ("three_years", "one_year")}


def commitment_spec(document: Part, canvas: Canvas) -> Layer:
    """Layers of each hour from below: what is reserved, then what is bought by the hour; the busiest at the left."""
    per_replica = document["deployment"]["gpus_per_replica_count"]
    demand = sorted((each * per_replica for each in document["hours"]["hourly_replicas_count"]), reverse=True)
    bought, mix = _bought(document), document["cost"]["mix"]
    by_hour = "spot" if mix["spot_gpu_hours"] > 0 else "on_demand"
    reserved = sum(bought.values())
    top = max(demand[0], reserved, 1)
    x, y = Axis(0, 1, 0, canvas.width_px), Axis(0, top * 1.12, canvas.height_px, 0)
    boxes: list[dict[str, object]] = []
    below = 0
    for term, count in bought.items():
        if count:
            boxes.append(_box(0, 1, below, below + count, TERM_FILLS[term], x, y))
            below += count
    for start, end, height in _runs(demand):
        if height > reserved:
            left, right = start / len(demand), end / len(demand)
            boxes.append(_box(left, right, reserved, height, TERM_FILLS[by_hour], x, y))
    line = [{"at": start / len(demand), "v": float(height)} for start, _, height in _runs(demand)]
    line.append({"at": 1.0, "v": float(demand[-1])})
    mark = {"type": "line", "stroke": INK, "strokeWidth": 2, "interpolate": "step-after", "clip": True}
    ticks = [0.0, 0.5, 1.0] if canvas.narrow else [0.0, 0.25, 0.5, 0.75, 1.0]
    layers: list[Layer] = [
        *horizontal_axis(
            x, ticks, amounts.fraction, top_px=0, bottom_px=canvas.height_px,
            title="of the hours" if canvas.narrow else "share of the hours, the busiest first",
        ),
        *vertical_axis(y, _whole_ticks(y.high), amounts.number, left_px=0, right_px=canvas.width_px, title="GPUs"),
        rect("lines", boxes, stroke=PAPER, strokeWidth=0.5),
        layer("demand", line, mark, {"x": on("at", x), "y": on("v", y), "order": {"field": "at"}}),
        *_breakeven_marks(document, x, canvas),
    ]  # fmt: skip
    return spec(canvas, layers if canvas.narrow else [*layers, *_side_words(bought, by_hour, demand, y, canvas)])


def _box(left: float, right: float, low: float, high: float, fill: str, x: Axis, y: Axis) -> dict[str, object]:
    return {"x": x.px(left), "x2": x.px(right), "y": y.px(low), "y2": y.px(high), "fill": fill}


def _runs(demand: Sequence[int]) -> list[tuple[int, int, int]]:
    """(first, end, value) of each stretch of equal values."""
    found: list[tuple[int, int, int]] = []
    for at, value in enumerate(demand):
        if found and found[-1][2] == value:
            found[-1] = (found[-1][0], at + 1, value)
        else:
            found.append((at, at + 1, value))
    return found


def _breakeven_marks(document: Part, x: Axis, canvas: Canvas) -> list[Layer]:
    """Where a GPU must be needed in more of the hours than to its left for a term to pay."""
    found: list[Layer] = []
    for at, (term, share) in enumerate(document["cost"]["breakeven_fraction"].items()):
        if share is None or share > 1:
            continue
        place = x.px(share)
        late = place > canvas.width_px * 0.55
        of_hours = "" if canvas.narrow else " of the hours"
        words = f"{TERM_NAMES[term]} pays beyond {amounts.fraction(share)}{of_hours}"
        label = {"x": place + (-5 if late else 5), "y": -12 - 14 * at, "label": words}
        found += [
            rule(f"pays_{term}", [{"x": place, "x2": place, "y": -6, "y2": canvas.height_px}], stroke=TURNS,
                 strokeWidth=1.6, strokeDash=[6, 3]),
            text(f"pays_label_{term}", [label], align="right" if late else "left", fill=TURNS, fontWeight="bold",
                 fontSize=11),
        ]  # fmt: skip
    return found


def _side_words(bought: Mapping[str, int], by_hour: str, demand: Sequence[int], y: Axis, canvas: Canvas) -> list[Layer]:
    """Name of each layer, right of it."""
    reserved = sum(bought.values())
    below, marks = 0, []
    for term, count in bought.items():
        if count:
            marks.append((y.px(below + count / 2), f"{count} {TERM_NAMES[term]}"))
            below += count
    if demand[0] > reserved:
        marks.append((y.px((reserved + demand[0]) / 2), f"{TERM_NAMES[by_hour]}, by the hour"))
    places = apart([each for each, _ in marks], 14.0, 4.0, canvas.height_px)
    rows = [
        {"x": canvas.width_px + 8, "y": place, "label": words} for (_, words), place in zip(marks, places, strict=True)
    ]
    return [text("layers", rows, fontSize=11)]


def _whole_ticks(high: float) -> list[float]:
    """Ticks for counts: never a fraction of one."""
    found = [each for each in round_ticks(high, 5) if each == round(each)]
    return found if len(found) > 1 else [0.0, float(max(ceil(high) - 1, 1))]
