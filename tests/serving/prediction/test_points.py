"""Rows of tables as points: labels by rule, gaps named, and nothing guessed."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.load import load_catalog
from breakeven.serving.prediction.points import Load, Problem, ReadPoint, Status, engine_of, precision_of, read_point

CATALOG = load_catalog(date(2026, 11, 25))
ROW = {
    "model": "meta-llama/Llama-3.1-70B",
    "gpu": "H100",
    "n_gpus": "4",
    "precision": "fp8",
    "tp": "4",
    "engine": "vllm",
    "isl": "1024",
    "osl": "256",
    "concurrency": "32",
    "scenario": "closed_loop",
}


def point(**changes: str) -> ReadPoint:
    read = read_point({**ROW, **changes}, CATALOG)
    assert isinstance(read, ReadPoint), read
    return read


def problem(**changes: str) -> Problem:
    read = read_point({**ROW, **changes}, CATALOG)
    assert isinstance(read, Problem), read
    return read


def test_a_whole_row() -> None:
    read = point()
    assert (read.model.name, read.gpu.name, read.gpus_count) == ("Llama-3.1-70B", "H100-SXM-80", 4)
    assert (read.precision, read.tensor_parallel_count, read.engine) == ("fp8", 4, "vllm")
    assert (read.input_tokens, read.output_tokens, read.concurrency_count) == (1024, 256, 32)
    assert (read.load, read.assumed) == (Load.CLOSED_LOOP, ())


def test_only_model_gpu_and_lengths_are_needed() -> None:
    read = read_point({"model": "qwen3-8b", "gpu": "L40S", "isl": "100", "osl": "50"}, CATALOG)
    assert isinstance(read, ReadPoint)
    assert (read.gpus_count, read.precision, read.engine, read.load) == (1, "bf16", "vllm", Load.OFFLINE)
    assert read.concurrency_count is None
    assert read.assumed == ("precision bf16", "no concurrency said: as many requests as fit")


@pytest.mark.parametrize(
    ("label", "name", "model", "wanted"),
    [
        ("fp16", "x", "Llama-3.1-8B", ("bf16", False)),
        ("unknown(bf16?)", "x", "Llama-3.1-8B", ("bf16", False)),
        ("UNSET", "llama3_1-70b-fp8_dyn", "Llama-3.1-70B", ("fp8", False)),
        ("", "nvidia/Qwen3-32B-NVFP4", "Qwen3-32B", ("fp4", False)),
        ("", "DeepSeek-R1", "DeepSeek-R1", ("fp8", False)),
        ("UINT4", "x", "Llama-2-70B", ("fp4", True)),
        ("int4", "x", "Kimi-K2.5", ("fp4", True)),
        ("mxfp4", "x", "Llama-2-70B", ("fp4", False)),
        ("fp8", "x", "gpt-oss-120b", ("fp4", False)),
        ("bf16", "x", "gpt-oss-20b", ("fp4", True)),
    ],
)
def test_precisions(label: str, name: str, model: str, wanted: tuple[str, bool]) -> None:
    stored, is_widened, assumed = precision_of(label, name, CATALOG.models[model])
    assert (stored, is_widened) == wanted
    assert bool(assumed) == (label in ("unknown(bf16?)", "UNSET", "") or model.startswith("gpt"))


@pytest.mark.parametrize(
    ("label", "version", "wanted"),
    [
        ("vLLM v0.9.2", "", ("vllm", "0.9.2")),
        ("SGLang v0.4.9", "", ("sglang", "0.4.9")),
        ("TensorRT 10.11, CUDA 12.9", "", ("trtllm", "")),
        ("TensorRT-LLM", "1.0.0rc3", ("trtllm", "1.0.0rc3")),
        ("vllm", "0.19.0", ("vllm", "0.19.0")),
        ("Mango LLMBoost AI Enterprise Platform", "", ("other", "")),
    ],
)
def test_engines(label: str, version: str, wanted: tuple[str, str]) -> None:
    assert engine_of(label, version) == wanted


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"model": "gpt-5"}, Status.UNKNOWN_MODEL, "unknown model 'gpt-5'"),
        ({"gpu": "V100"}, Status.UNKNOWN_GPU, "unknown GPU 'V100'"),
        ({"precision": "fp32"}, Status.UNKNOWN_PRECISION, "known: bf16"),
        ({"isl": "0"}, Status.BAD_NUMBER, "isl is 0, wanted a number above 0"),
        ({"osl": ""}, Status.BAD_NUMBER, "osl is ''"),
        ({"osl": "0.5"}, Status.BAD_NUMBER, "osl is 0.5, wanted 1 token or more"),
        ({"osl": "nan"}, Status.BAD_NUMBER, "osl is nan"),
        ({"isl": "many"}, Status.BAD_NUMBER, "isl is 'many'"),
        ({"concurrency": "-4"}, Status.BAD_NUMBER, "concurrency is -4"),
        ({"concurrency": "0"}, Status.BAD_NUMBER, "concurrency is 0"),
        ({"isl": "1e12"}, Status.BAD_NUMBER, "the context of Llama-3.1-70B is 131,072"),
        ({"osl": "2e6"}, Status.BAD_NUMBER, "requests of 1,024 + 2,000,000 tokens"),
        ({"isl": "1_000"}, Status.BAD_NUMBER, "isl is '1_000'"),
        ({"concurrency": "1e12"}, Status.BAD_NUMBER, "wanted at most 100,000"),
        ({"n_gpus": "0"}, Status.BAD_NUMBER, "n_gpus is 0"),
        ({"n_gpus": "1.5"}, Status.BAD_NUMBER, "wanted a whole number"),
        ({"n_gpus": "6"}, Status.BAD_SPLIT, "tp 4 x pp 1 does not divide 6 GPUs"),
        ({"tp": "3", "n_gpus": "3"}, Status.BAD_SPLIT, "tp 3 does not divide the 64 heads"),
        ({"tp": "1", "pp": "100", "n_gpus": "100"}, Status.BAD_SPLIT, "pp 100 is more than the 80 layers"),
    ],
)
def test_what_cannot_be_read_gets_a_status(changes: dict[str, str], status: Status, says: str) -> None:
    found = problem(**changes)
    assert found.status is status
    assert says in str(found)


@pytest.mark.parametrize(
    ("scenario", "concurrency", "batch", "load", "in_flight"),
    [
        ("mlperf_offline", "", "", Load.OFFLINE, None),
        ("offline_max", "", "", Load.OFFLINE, None),
        ("mlperf_server", "", "", Load.SERVER, None),
        ("static_batch", "", "64", Load.STATIC_BATCH, 64),
        ("static_batch", "32", "64", Load.STATIC_BATCH, 64),
        ("closed_loop", "32", "64", Load.CLOSED_LOOP, 32),
        ("burst50", "50", "", Load.STATIC_BATCH, 50),
        ("ttft_batch1", "1", "1", Load.STATIC_BATCH, 1),
        ("", "", "", Load.OFFLINE, None),
        ("open_loop_poisson", "7.5", "", Load.OPEN_LOOP, 7.5),
    ],
)
def test_loads(scenario: str, concurrency: str, batch: str, load: Load, in_flight: float | None) -> None:
    read = point(scenario=scenario, concurrency=concurrency, batch=batch)
    assert (read.load, read.concurrency_count) == (load, in_flight)


def test_an_unknown_scenario_is_read_as_a_closed_loop_and_says_so() -> None:
    assert point(scenario="soak").assumed == ("scenario 'soak' read as a closed loop",)


def test_a_split_that_is_not_said_is_left_open() -> None:
    read = point(tp="", n_gpus="8")
    assert read.tensor_parallel_count is None
    assert read.splits == (1, 2, 4, 8)
    assert point(tp="", n_gpus="12").splits == (1, 2, 4)
    assert read.assumed == ("tensor parallelism not said",)


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "tp", "ep", "dp", "wanted"),
    [
        ("B200", "64", "64", "8", "1", (8, 8, 8, 1)),
        ("B200", "16", "16", "4", "1", (4, 4, 4, 1)),
        ("B200", "64", "1", "8", "64", (8, 1, 8, 8)),
        ("B200", "16", "4", "16", "4", (4, 2, 4, 2)),
        ("B200", "16", "16", "1", "1", (16, 16, 1, 1)),  # no experts spread: as it says
        ("GB200", "64", "64", "8", "1", (64, 64, 8, 1)),  # a rack of 72
        ("B200", "16", "8", "8", "1", (16, 8, 8, 1)),  # two replicas of 8
        ("B200", "8", "8", "8", "1", (8, 8, 8, 1)),
    ],
)
def test_tp_times_ep_in_the_place_of_tp(
    gpu: str, n_gpus: str, tp: str, ep: str, dp: str, wanted: tuple[int, int, int, int]
) -> None:
    read = point(model="deepseek-ai/DeepSeek-R1", gpu=gpu, n_gpus=n_gpus, tp=tp, ep=ep, dp_attn=dp)
    found = (read.gpus_count, read.tensor_parallel_count, read.expert_parallel_count, read.attention_parallel_count)
    assert found == wanted
    assert any("stands for TP" in each for each in read.assumed) == (int(n_gpus) != wanted[0])


def test_attention_ranks_inside_tp() -> None:
    read = point(n_gpus="8", tp="8", dp_attn="8", ep="8", model="DeepSeek-R1", gpu="H200")
    assert (read.gpus_count, read.tensor_parallel_count, read.attention_parallel_count) == (8, 1, 8)
    assert read.assumed == ("data-parallel attention inside the ranks of TP",)


@given(st.dictionaries(st.sampled_from(sorted({*ROW, "pp", "ep", "dp_attn", "qps", "batch"})), st.text(max_size=6)))
def test_any_cells_give_a_point_or_a_problem(cells: dict[str, str]) -> None:
    read = read_point({**ROW, **cells}, CATALOG)
    if isinstance(read, ReadPoint):
        assert read.input_tokens > 0
        assert read.output_tokens > 0
        assert read.gpus_count >= 1
        assert read.precision in read.model.weights_gb_by_precision


def test_the_measured_rows(shared_data: Path) -> None:
    with (shared_data / "serving" / "measured_throughput.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    read = [read_point(row, CATALOG) for row in rows]
    refused = Counter(each.status for each in read if isinstance(each, Problem))
    assert refused == {
        Status.BAD_SPLIT: 18,  # 12 to 48 GPUs of a rack without a split
        Status.UNKNOWN_GPU: 2,
        Status.UNKNOWN_MODEL: 1,
        Status.UNKNOWN_PRECISION: 1,
    }
