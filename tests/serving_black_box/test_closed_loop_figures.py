"""Closed loops from outside: figures that agree with each other, and that nothing makes better for no reason."""

from __future__ import annotations

from itertools import pairwise

import pytest

from breakeven.serving.prediction.capacity import Prediction, predict
from breakeven.serving.prediction.deployment import Point
from breakeven.serving.prediction.placing import place
from breakeven.serving.prediction.points import ReadPoint, read_point
from deployments import catalog, deployment, point

DEPLOYMENTS = (
    ("Llama-3.1-8B", "H100-SXM-80", 1, ""),
    ("gpt-oss-120b", "H100-SXM-80", 1, ""),
    ("Llama-3.3-70B", "H100-SXM-80", 2, "fp8"),
    ("DeepSeek-V3", "H200-SXM-141", 8, ""),
    ("Llama-3.1-8B", "L4", 1, ""),
)
LENGTHS = ((1000, 1000), (1000, 200), (8000, 200), (1, 1), (1000, 1), (5, 300))


def loads(row: tuple[str, str, int, str], lengths: tuple[int, int], engine: str, *loads: float) -> list[Prediction]:
    return predict([point(*row, load=(*lengths, each), engine=engine) for each in loads])


def concurrency(each: Prediction) -> float:
    assert each.point.concurrency_count is not None
    return each.point.concurrency_count


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
@pytest.mark.parametrize("row", DEPLOYMENTS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_requests_in_flight_are_rate_times_cycle(row: tuple[str, str, int, str], engine: str) -> None:
    for lengths in LENGTHS:
        for each in loads(row, lengths, engine, 1, 7, 64, 300, 5000):
            cycle_s = (each.ttft_ms + each.tpot_ms * (lengths[1] - 1)) / 1e3
            assert each.output_tok_per_s * cycle_s == pytest.approx(concurrency(each) * lengths[1], rel=1e-6)
            assert each.tpot_ms >= each.step_ms * (1 - 1e-9)


@pytest.mark.parametrize("engine", ["vllm", "sglang", "trtllm"])
@pytest.mark.parametrize("row", DEPLOYMENTS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_more_requests_give_no_fewer_tokens_and_no_shorter_waits(row: tuple[str, str, int, str], engine: str) -> None:
    for lengths in ((1000, 1000), (1000, 200), (3000, 150)):
        found = loads(row, lengths, engine, *range(32, 420, 16))
        for less, more in pairwise(found):
            assert more.output_tok_per_s >= less.output_tok_per_s * 0.999
            assert more.tpot_ms >= less.tpot_ms * 0.97, (lengths, concurrency(more))


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_requests_beyond_the_cache_wait_for_their_first_token(engine: str) -> None:
    """Public runs at twice to four times what fits show the same TPOT, to a few per cent; only TTFT grows."""
    row = DEPLOYMENTS[1]
    full = loads(row, (1000, 1000), engine, 200)[0]
    twice, many, most = loads(row, (1000, 1000), engine, 2 * full.sequences_count, 4096, 10_000)
    assert full.tpot_ms < twice.tpot_ms < 1.4 * full.tpot_ms
    assert many.tpot_ms == pytest.approx(twice.tpot_ms) == most.tpot_ms
    assert many.output_tok_per_s == pytest.approx(twice.output_tok_per_s) == most.output_tok_per_s
    waiting_s = (10_000 - 4096) / (most.output_tok_per_s / 1000)
    assert (most.ttft_ms - many.ttft_ms) / 1e3 == pytest.approx(waiting_s, rel=1e-6)


def test_a_first_token_takes_a_step_even_of_the_shortest_prompt() -> None:
    """Reading 15 GB of weights takes 4.5 ms on an H100."""
    for tokens in (1, 5, 20):
        (found,) = predict([point(load=(tokens, 50, 1))])
        assert found.ttft_ms >= found.step_ms > 4.5


def test_one_output_token_is_all_waiting() -> None:
    one, two = (loads(DEPLOYMENTS[0], (1000, n), "vllm", 1)[0] for n in (1, 2))
    assert one.output_tok_per_s == pytest.approx(1e3 / one.ttft_ms)
    assert two.ttft_ms == pytest.approx(one.ttft_ms, rel=0.1)


def placed(**cells: str) -> Point:
    row = {"model": "Llama-3.3-70B", "gpu": "H100", "precision": "fp8", "isl": "1000", "osl": "1000", **cells}
    read = read_point(row, catalog())
    assert isinstance(read, ReadPoint)
    found = place(read)
    assert isinstance(found, Point)
    return found


def test_gpus_are_not_split_into_replicas_that_get_no_request() -> None:
    assert placed(n_gpus="2", concurrency="1").replicas_count == 1
    assert placed(n_gpus="8", concurrency="1").deployment.gpus_count == 8
    one, two = (predict([placed(n_gpus="2", concurrency=n)])[0] for n in ("1", "2"))
    assert one.tpot_ms <= two.tpot_ms


def pipeline(model: str, precision: str, stages: int, load: float) -> Prediction:
    each = deployment(model, "H200-SXM-141", stages, precision, tensor_parallel_count=1, pipeline_parallel_count=stages)
    return predict([Point(each, 1000, 1000, load)])[0]


@pytest.mark.parametrize(("model", "precision"), [("Llama-3.3-70B", "fp8"), ("Mixtral-8x7B", "fp8")])
def test_a_pipeline_answers_no_sooner_but_serves_more(model: str, precision: str) -> None:
    """Each token passes all layers one after the other; the stages work on different requests at the same time."""
    alone, four = pipeline(model, precision, 1, 1), pipeline(model, precision, 4, 1)
    assert four.tpot_ms == pytest.approx(alone.tpot_ms, rel=0.01)
    assert four.ttft_ms >= alone.ttft_ms * 0.9
    busy, busy_four = pipeline(model, precision, 1, 64), pipeline(model, precision, 4, 64)
    assert 1.3 * busy.output_tok_per_s < busy_four.output_tok_per_s < 4 * busy.output_tok_per_s
    quarter = pipeline(model, precision, 1, 16)
    assert busy_four.step_ms == pytest.approx(quarter.step_ms, rel=0.01)
    assert busy_four.output_tok_per_s == pytest.approx(4 * quarter.output_tok_per_s, rel=0.05)


def test_a_pipeline_is_no_known_deployment() -> None:
    found, known = pipeline("Llama-3.3-70B", "fp8", 2, 16), pipeline("Llama-3.3-70B", "fp8", 1, 16)
    spread, known_spread = (each.high_output_tok_per_s / each.output_tok_per_s for each in (found, known))
    assert spread > known_spread
