"""Tables of points from outside: what a spreadsheet leaves behind, and what is taken for granted is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from breakeven.errors import ServingError
from breakeven.serving.prediction.points_file import PointsTable, read_points, with_predictions
from breakeven.serving.prediction.points_predicted import PredictedTable, Status, predict_table
from deployments import catalog

HEADER = "model,gpu,n_gpus,tp,precision,isl,osl,concurrency,scenario,qps"


def predicted(*rows: str, header: str = HEADER) -> PredictedTable:
    lines = [tuple(line.split(",")) for line in (header, *rows)]
    return predict_table(PointsTable(lines[0], tuple(lines[1:])), catalog())


def row(**cells: str) -> str:
    usual = {"model": "Llama-3.1-8B", "gpu": "H100", "precision": "bf16", "isl": "1000", "osl": "100"} | cells
    return ",".join(usual.get(name, "") for name in HEADER.split(","))


def test_unnamed_columns_of_a_spreadsheet_stay_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("model,gpu,isl,osl,,\nLlama-3.1-8B,H100,100,100,a,b\n")
    table = read_points(path)
    text = with_predictions(table, predict_table(table, catalog()).cells())
    head, line = csv.reader(io.StringIO(text))
    assert head[:6] == ["model", "gpu", "isl", "osl", "", ""]
    assert line[:6] == ["Llama-3.1-8B", "H100", "100", "100", "a", "b"]
    assert line[head.index("status")] == "ok"


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(tmp_path: Path, mark: str, name: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(mark.join(("model", "gpu", "isl", "osl")) + "\n")
    with pytest.raises(ServingError, match=f"separated by {name}; wanted commas"):
        read_points(path)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({}, "no concurrency said"),
        ({"scenario": "static_batch"}, "no concurrency said"),
        ({"scenario": "open_loop"}, "no rate said"),
        ({"concurrency": "1", "isl": "200000"}, "longer than the context"),
    ],
)
def test_what_a_row_leaves_open_is_said(cells: dict[str, str], said: str) -> None:
    (found,) = predicted(row(**cells)).rows
    assert found.status is Status.OK
    assert any(said in each for each in found.assumed), found.assumed


def test_a_row_that_says_all_takes_nothing_for_granted() -> None:
    rows = (row(concurrency="4"), row(scenario="offline"), row(scenario="open_loop", qps="2"))
    assert predicted(*rows).assumed_counts() == {}


@pytest.mark.parametrize("name", ["n_gpus", "tp"])
@pytest.mark.parametrize("count", ["1e300", "1e9"])
def test_absurd_numbers_of_gpus_are_refused(name: str, count: str) -> None:
    (found,) = predicted(row(**{name: count}, concurrency="1")).rows
    assert found.status is Status.BAD_NUMBER
    assert found.problem is not None
    assert found.problem.reason == f"{name} is {count}, wanted at most 100,000"


def test_a_static_batch_is_prefilled_and_then_decoded() -> None:
    cells = predicted(row(scenario="static_batch", concurrency="16")).cells()[0]
    output, ttft, tpot = (float(cells[f"pred_{name}"]) for name in ("out_tok_s_total", "ttft_ms", "tpot_ms"))
    assert (ttft + tpot * 99) / 1e3 == pytest.approx(16 * 100 / output, rel=0.02)


def test_scales_per_block_cost_nothing_where_weights_are_widened() -> None:
    """An A100 has no 8-bit floating point: 8-bit weights are read sooner and multiplied as 16-bit ones."""
    model = {"model": "Qwen3-32B", "gpu": "A100-SXM-80", "n_gpus": "2", "tp": "2", "concurrency": "128"}
    wide, narrow = (float(each["pred_out_tok_s_total"]) for each in predicted(
        row(**model, precision="bf16"), row(**model, precision="fp8")).cells())  # fmt: skip
    assert narrow > 0.9 * wide
