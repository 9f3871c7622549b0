"""Tables of points, predicted: every row keeps its place, and what cannot be predicted gets a status."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.serving.prediction.points import Status
from breakeven.serving.prediction.points_file import PREDICTED_COLUMNS, PointsTable, read_points, with_predictions
from breakeven.serving.prediction.points_predicted import PredictedTable, predict_table
from prior_model import prior_model

CATALOG = load_catalog(date(2026, 11, 25))
MODEL = prior_model()
COLUMNS = ("id", "model", "gpu", "n_gpus", "precision", "tp", "isl", "osl", "concurrency", "scenario", "qps")
WHOLE = {
    "id": "a",
    "model": "meta-llama/Llama-3.1-70B",
    "gpu": "NVIDIA H100",
    "n_gpus": "4",
    "precision": "fp8",
    "tp": "4",
    "isl": "1000",
    "osl": "200",
    "concurrency": "16",
    "scenario": "closed_loop",
}


def predicted(*changes: dict[str, str]) -> PredictedTable:
    rows = [tuple({**WHOLE, **each}.get(name, "") for name in COLUMNS) for each in changes]
    return predict_table(PointsTable(COLUMNS, tuple(rows)), CATALOG, model=MODEL)


def output(*changes: dict[str, str]) -> list[float]:
    return [float(row["pred_out_tok_s_total"]) for row in predicted(*changes).cells()]


def test_a_row_gets_all_its_figures() -> None:
    (cells,) = predicted({}).cells()
    assert set(cells) == set(PREDICTED_COLUMNS)
    middle, low, high, ttft, tpot = (float(cells[name]) for name in PREDICTED_COLUMNS[:-2])
    assert 0 < low < middle < high
    assert 0 < tpot < ttft
    assert middle == pytest.approx(16 * 200 / (ttft + 199 * tpot) * 1000, rel=1e-4)
    assert cells["status"] == "ok"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"n_gpus": "1", "tp": "1", "precision": "bf16"}, Status.DOES_NOT_FIT),
        ({"n_gpus": "2", "tp": "2", "precision": "bf16", "isl": "120000"}, Status.DOES_NOT_FIT),
        ({"model": "gpt-5"}, Status.UNKNOWN_MODEL),
        ({"gpu": "V100"}, Status.UNKNOWN_GPU),
        ({"precision": "fp32"}, Status.UNKNOWN_PRECISION),
        ({"osl": "0"}, Status.BAD_NUMBER),
        ({"concurrency": "0"}, Status.BAD_NUMBER),
        ({"tp": "3", "n_gpus": "3"}, Status.BAD_SPLIT),
    ],
)
def test_a_row_that_cannot_be_predicted_has_a_status_and_nothing_else(change: dict[str, str], status: Status) -> None:
    before, cells, after = predicted({}, change, {}).cells()
    assert cells["status"] == status.value
    assert set(cells) == {"status", "status_reason"}
    assert cells["status_reason"]
    assert before == after
    assert before["status"] == "ok"


def test_a_row_that_is_too_long_is_told() -> None:
    row = tuple(WHOLE.get(name, "") for name in COLUMNS)
    table = predict_table(PointsTable(COLUMNS, ((*row, "more"), row)), CATALOG, model=MODEL)
    assert [each.status for each in table.rows] == [Status.BAD_ROW, Status.OK]


def test_statuses_and_assumptions_are_counted() -> None:
    table = predicted({}, {"gpu": "V100"}, {"precision": ""}, {"tp": "", "n_gpus": "8"}, {"tp": "", "n_gpus": "8"})
    assert table.status_counts() == {"ok": 4, "unknown_gpu": 1}
    assert table.assumed_counts() == {"tensor parallelism not said": 2, "precision bf16": 1}


def test_replicas_share_the_load() -> None:
    one, two = output({}, {"n_gpus": "8", "concurrency": "32"})
    assert two == pytest.approx(2 * one, rel=1e-5)


def test_replicas_without_a_request_give_nothing() -> None:
    one, idle = output({"concurrency": "1"}, {"n_gpus": "400", "concurrency": "1"})
    assert idle == pytest.approx(one, rel=1e-5)


def test_offline_work_takes_as_many_as_fit() -> None:
    offline, few = output({"scenario": "mlperf_offline", "concurrency": ""}, {})
    assert offline > 3 * few


def test_a_latency_target_costs_what_it_cost_in_public_results() -> None:
    names = ("mlperf_offline", "mlperf_server", "mlperf_interactive")
    offline, server, interactive = output(*({"scenario": name, "concurrency": ""} for name in names))
    assert (server / offline, interactive / offline) == pytest.approx((0.9, 0.6), rel=1e-4)


def test_an_open_loop_delivers_no_more_than_arrives() -> None:
    slow, fast = output(
        {"scenario": "open_loop_poisson", "concurrency": "16", "qps": "0.5"},
        {"scenario": "open_loop_poisson", "concurrency": "16", "qps": "1000"},
    )
    assert slow == pytest.approx(0.5 * 200)
    assert fast == pytest.approx(output({})[0])


def test_random_arrivals_wait_less_than_a_closed_loop_and_more_when_they_are_more() -> None:
    changes = [{"scenario": "open_loop_poisson", "qps": qps} for qps in ("0.1", "1", "3")]
    rare, some, many, closed = (
        {name: float(cells[name]) for name in ("pred_ttft_ms", "pred_tpot_ms")}
        for cells in predicted(*changes, {}).cells()
    )
    assert rare["pred_ttft_ms"] < some["pred_ttft_ms"] < many["pred_ttft_ms"] < closed["pred_ttft_ms"]
    assert rare["pred_tpot_ms"] < some["pred_tpot_ms"] < many["pred_tpot_ms"]


def test_arrivals_that_the_replicas_cannot_keep_up_with_have_the_latency_of_the_closed_loop() -> None:
    flooded, closed = predicted({"scenario": "open_loop_poisson", "qps": "5000"}, {}).cells()
    assert flooded == closed


def test_a_static_batch_is_prefilled_as_a_whole() -> None:
    one, eight = (predicted({"scenario": "static_batch", "concurrency": count}).rows[0] for count in ("1", "8"))
    assert one.prediction is not None
    assert eight.prediction is not None
    assert one.delivered is not None
    assert eight.delivered is not None
    assert one.delivered.ttft_ms == pytest.approx(max(one.prediction.prompt_ms, one.prediction.step_ms))
    assert eight.delivered.ttft_ms == pytest.approx(8 * eight.prediction.prompt_ms)


def test_answers_of_one_token_have_no_time_per_output_token() -> None:
    (cells,) = predicted({"osl": "1"}).cells()
    assert cells["pred_tpot_ms"] == ""
    assert float(cells["pred_ttft_ms"]) > 0


def test_more_than_one_chunk_keeps_the_order() -> None:
    loads = [str(1 + index % 7) for index in range(600)]
    found = output(*({"concurrency": each} for each in loads))
    first = dict(zip(loads, found, strict=False))
    assert found == [first[each] for each in loads]


def test_rows_of_the_measured_table(shared_data: Path) -> None:
    whole = read_points(shared_data / "serving" / "measured_throughput.csv")
    table = PointsTable(whole.columns, whole.rows[::9])
    found = predict_table(table, CATALOG, model=MODEL)
    written = list(csv.DictReader(io.StringIO(with_predictions(table, found.cells()))))
    assert [row["id"] for row in written] == [row[0] for row in table.rows]
    assert all(row["pred_out_tok_s_total"] for row in written if row["status"] == "ok")
    assert not any(row["pred_out_tok_s_total"] for row in written if row["status"] != "ok")
    assert found.status_counts()["ok"] > 0.97 * len(written)


def test_measured_rows_whose_weights_are_larger_than_their_gpu_do_not_fit(shared_data: Path) -> None:
    """13 rows of Qwen3-235B (236 GB in FP8) say one H200 of 151 GB."""
    whole = read_points(shared_data / "serving" / "measured_throughput.csv")
    odd = [row for index, row in enumerate(whole.rows) if _is_one_gpu_of_235b(whole.cells(index))]
    assert len(odd) == 13
    assert predict_table(PointsTable(whole.columns, tuple(odd)), CATALOG, model=MODEL).status_counts() == {
        "does_not_fit": 13
    }


def _is_one_gpu_of_235b(cells: dict[str, str]) -> bool:
    return (cells["model"], cells["n_gpus"], cells["gpu"]) == ("Qwen/Qwen3-235B-A22B-FP8", "1", "H200-SXM-141")
