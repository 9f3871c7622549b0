"""Fleet charts: what is drawn of a document made by hand."""

from __future__ import annotations

from datetime import date

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.reports import fleet_charts
from breakeven.reports.capacity_answer import CapacityQuestion, answer_capacity
from breakeven.reports.capacity_document import CapacityDocument
from breakeven.reports.chart_style import Canvas
from reports.made_fleets import fleet
from reports.vegalite import check

CANVASES = (Canvas("wide", 600, 240, 48, 160, 46, 46), Canvas("narrow", 280, 210, 40, 22, 46, 46))


@pytest.fixture(scope="module")
def capacity() -> CapacityDocument:
    question = CapacityQuestion("Llama-3.1-8B", "L4", 900, 120, ttft_ms=3000, tpot_ms=100, table_step_count=2)
    return answer_capacity(question, load_catalog(date(2026, 11, 26)))


def rows(spec: dict[str, object], name: str) -> list[dict[str, float]]:
    layers: list[dict[str, object]] = spec["layer"]  # type: ignore[assignment]
    return next(each["data"]["values"] for each in layers if each["name"] == name)  # type: ignore[index,return-value]


@pytest.mark.parametrize("canvas", CANVASES, ids=["wide", "narrow"])
def test_every_spec_is_one(canvas: Canvas, capacity: CapacityDocument) -> None:
    document = fleet()
    for spec in (
        fleet_charts.day_spec(document, "2026-10-06", canvas),
        fleet_charts.commitment_spec(document, canvas),
        fleet_charts.latency_spec(capacity, 30.0, "30 tokens/s each", canvas),
    ):
        check(spec)


def test_the_days_of_a_log_and_the_day_of_its_peak() -> None:
    assert fleet_charts.days_of(fleet()) == ("2026-10-05", "2026-10-06")
    assert fleet_charts.peak_day(fleet()) == "2026-10-06"


def test_a_day_shows_its_own_stretches_by_the_hour_of_the_day() -> None:
    spec = fleet_charts.day_spec(fleet(), "2026-10-06", CANVASES[0])
    assert [(each["at"], each["v"]) for each in rows(spec, "needed")] == [
        (0.0, 2.0), (1.0, 3.0), (2.0, 1.0), (3.0, 0.0), (4.0, 0.0),
    ]  # fmt: skip
    assert [each["v"] for each in rows(spec, "paid_count")] == [2.5, 3.5, 2.0, 1.0, 1.0]
    assert fleet_charts.day_caption(fleet(), "2026-10-06") == (
        "6 Oct 2026: up to 3 replicas needed, up to 3.5 paid (2.25 on average)"
    )
    assert fleet_charts.day_caption(fleet(), "2026-12-24") == "24 Dec 2026: no request"


def test_the_busiest_stretch_is_marked_on_its_day_alone() -> None:
    names = [
        {each["name"] for each in fleet_charts.day_spec(fleet(), day, CANVASES[0])["layer"]}
        for day in ("2026-10-05", "2026-10-06")
    ]
    assert "busiest" not in names[0] and "busiest" in names[1]


def test_what_is_bought_stacks_up_to_what_each_hour_runs() -> None:
    canvas = CANVASES[0]
    boxes = rows(fleet_charts.commitment_spec(fleet(), canvas), "lines")
    area = sum(
        (each["x2"] - each["x"]) / canvas.width_px * (each["y"] - each["y2"]) / canvas.height_px * (3 * 1.12)
        for each in boxes
    )
    assert area * 6 == pytest.approx(1 * 6 + (0 + 0 + 1 + 2 + 1 + 0))
    assert fleet_charts.commitment_caption(fleet()) == (
        "GPUs of each of 6 hours, the busiest first: cheapest with 1 one-year reserved"
    )
    marks = rows(fleet_charts.commitment_spec(fleet(), canvas), "pays_one_year")
    assert marks[0]["x"] == pytest.approx(canvas.width_px / 2)


def test_without_a_mix_there_is_no_chart_of_it() -> None:
    document = fleet()
    document["cost"]["mix"] = None
    assert fleet_charts.commitment_chart(document) is None


def test_more_load_lies_further_right_and_is_slower(capacity: CapacityDocument) -> None:
    spec = fleet_charts.latency_spec(capacity, 30.0, "here", CANVASES[0])
    points = rows(spec, "dots_tpot_ms")
    assert len(points) == len(capacity.table) > 4
    assert [each["x"] for each in points] == sorted(each["x"] for each in points)
    assert points[-1]["y"] < points[0]["y"]
    bars = rows(spec, "error_tpot_ms")
    assert all(bar["x"] < dot["x"] < bar["x2"] for bar, dot in zip(bars, points, strict=True))
    assert rows(spec, "target_tpot_ms") and rows(spec, "target_ttft_ms") and rows(spec, "peak")


def test_a_load_off_the_axis_is_not_marked(capacity: CapacityDocument) -> None:
    spec = fleet_charts.latency_spec(capacity, 0.0, "none", CANVASES[0])
    assert all(each["name"] != "peak" for each in spec["layer"])
