"""Deployment: one model on the GPUs of one replica with one engine; a Point is a Deployment under a load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from breakeven.catalog.hardware import Gpu
from breakeven.catalog.model import ModelSpec
from breakeven.errors import ServingError

Engine = Literal["vllm", "sglang", "trtllm", "other"]
UNSAID_VERSION: Final = "unsaid"
"""A version that nobody said; public tables leave it empty where they do not know it, which is a label of its own."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One model on the GPUs of one replica. Raises ServingError for a split that cannot be."""

    model: ModelSpec
    gpu: Gpu
    gpus_count: int
    """GPUs of one replica."""
    precision: str
    """As the weights are stored: a key of the model's `weights_gb_by_precision`."""
    engine: Engine = "vllm"
    engine_version: str = UNSAID_VERSION
    tensor_parallel_count: int = 0
    """0: all GPUs that pipeline and attention parallelism leave."""
    pipeline_parallel_count: int = 1
    expert_parallel_count: int = 1
    """Ranks among which whole experts are spread; 1: each expert is split as the other weights are."""
    attention_parallel_count: int = 1
    """Ranks that each hold whole attention for a part of the requests (data-parallel attention)."""
    computes_in_16_bit: bool = False
    """True for 4-bit weights that are widened before each multiplication (INT4, AWQ, GPTQ)."""

    def __post_init__(self) -> None:
        if self.precision not in self.model.weights_gb_by_precision:
            known = ", ".join(sorted(self.model.weights_gb_by_precision))
            raise ServingError(f"{self.model.name} has no weights in '{self.precision}'; the catalogue knows: {known}")
        if self.gpus_count < 1:
            raise ServingError(f"{self.gpus_count} GPUs; wanted at least 1")
        parts = self.shards_count * self.pipeline_parallel_count * self.attention_parallel_count
        if parts != self.gpus_count:
            raise ServingError(
                f"tensor {self.shards_count} x pipeline {self.pipeline_parallel_count} x attention "
                f"{self.attention_parallel_count} is {parts}, not the {self.gpus_count} GPUs of the replica"
            )
        if self.model.heads_count % self.shards_count:
            raise ServingError(
                f"tensor parallelism of {self.shards_count} does not divide the {self.model.heads_count} heads of "
                f"{self.model.name}"
            )

    @property
    def shards_count(self) -> int:
        """Ranks that split each matrix."""
        rest = self.pipeline_parallel_count * self.attention_parallel_count
        return self.tensor_parallel_count or max(self.gpus_count // rest, 1)

    @property
    def is_widened(self) -> bool:
        """4-bit weights without 4-bit arithmetic: widened to 16 bit first."""
        return self.precision == "fp4" and (self.computes_in_16_bit or self.gpu.fp4_tflops is None)

    @property
    def kind(self) -> str:
        """``bf16``, ``fp8``, ``fp4``, or ``int4`` for integer weights (INT4, AWQ, GPTQ)."""
        return "int4" if self.precision == "fp4" and self.computes_in_16_bit else self.precision

    @property
    def label(self) -> str:
        """For tables: ``gpt-oss-120b fp4 on 2 x H100-SXM-80, vllm``."""
        return f"{self.model.name} {self.precision} on {self.gpus_count} x {self.gpu.name}, {self.engine}"


@dataclass(frozen=True, slots=True)
class Point:
    """A Deployment under a load. Raises ServingError for lengths or a concurrency below 1."""

    deployment: Deployment
    input_tokens: float
    output_tokens: float
    concurrency_count: float | None = None
    """Requests in flight over all replicas; None: as many as fit (offline work)."""
    replicas_count: float = 1.0
    is_static_batch: bool = False
    """True: one batch, prefilled as a whole and then decoded to its end."""
    latency_bound_ratio: float = 1.0
    """Throughput under a latency target over that of offline work; 1: no target."""

    def __post_init__(self) -> None:
        for name in ("input_tokens", "output_tokens"):
            if not getattr(self, name) >= 1:
                raise ServingError(f"{getattr(self, name):g} {name.replace('_', ' ')}; wanted at least 1")
        if self.concurrency_count is not None and not self.concurrency_count >= 1:
            raise ServingError(f"a concurrency of {self.concurrency_count:g}; wanted at least 1, or none at all")
        if not self.replicas_count >= 1:
            raise ServingError(f"{self.replicas_count:g} replicas; wanted at least 1")
