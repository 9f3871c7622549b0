"""Deployments and points refuse what cannot be, with what was seen and wanted."""

from __future__ import annotations

import pytest

from breakeven.errors import ServingError
from breakeven.serving.prediction.deployment import Point
from deployments import deployment, point


def test_tensor_parallelism_takes_the_gpus_that_other_splits_leave() -> None:
    assert deployment("Llama-3.1-8B", "H100", 4).shards_count == 4
    assert deployment("MiniMax-M2.5", "B200", 4, attention_parallel_count=2).shards_count == 2


@pytest.mark.parametrize(
    ("gpus", "more", "message"),
    [
        (3, {}, "parallelism of 3 does not divide the 32 heads of Llama-3.1-8B"),
        (4, {"tensor_parallel_count": 3}, "tensor 3 x pipeline 1 x attention 1 is 3, not the 4 GPUs"),
        (0, {"tensor_parallel_count": 1}, "0 GPUs; wanted at least 1"),
    ],
)
def test_a_split_that_cannot_be_is_refused(gpus: int, more: dict[str, int], message: str) -> None:
    with pytest.raises(ServingError, match=message):
        deployment("Llama-3.1-8B", "H100", gpus, **more)


def test_a_precision_nobody_publishes_is_refused() -> None:
    with pytest.raises(ServingError, match="gpt-oss-120b has no weights in 'bf16'; the catalogue knows: fp4"):
        deployment("gpt-oss-120b", "H100", 1, "bf16")


@pytest.mark.parametrize(
    ("load", "message"),
    [((0, 10, 1), "0 input tokens"), ((10, 0, 1), "0 output tokens"), ((10, 10, 0), "a concurrency of 0"),
     ((10, float("nan"), 1), "nan output tokens")],
)  # fmt: skip
def test_a_load_that_cannot_be_is_refused(load: tuple[float, float, float], message: str) -> None:
    with pytest.raises(ServingError, match=message):
        point(load=load)


def test_less_than_one_replica_is_refused() -> None:
    with pytest.raises(ServingError, match=r"0\.5 replicas"):
        Point(deployment("Llama-3.1-8B", "H100"), 10, 10, 1, 0.5)


def test_four_bit_weights_without_four_bit_arithmetic_are_widened() -> None:
    assert deployment("gpt-oss-120b", "H100").is_widened
    assert not deployment("gpt-oss-120b", "B200").is_widened
    assert deployment("Kimi-K2.5", "B200", 8, computes_in_16_bit=True).kind == "int4"
