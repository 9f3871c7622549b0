"""Capacity document: what one deployment delivers, what it holds, how wrong that may be, and where it comes from."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION: Final = "1.0"


class Part(BaseModel):
    """Closed and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeploymentPart(Part):
    """One model on the GPUs of a replica."""

    model: str
    gpu: str
    gpus_count: int
    """Of one replica."""
    replicas_count: int
    precision: str
    """As weights are stored."""
    tensor_parallel_count: int
    engine: str
    engine_version: str


class MemoryPart(Part):
    """What fits on one replica."""

    gpu_memory_gb: float
    """Of one GPU, as the driver shows it."""
    gpu_weights_gb: float
    """On one GPU."""
    gpu_cache_gb: float
    """Room that is left for the cache."""
    sequences_max_count: int
    """Requests of this length that fit on one replica at once."""


class PointPart(Part):
    """One load."""

    concurrency_count: float
    """Requests in flight, over all replicas."""
    output_tok_per_s: float
    """Over all replicas."""
    low_output_tok_per_s: float
    """80 % interval."""
    high_output_tok_per_s: float
    gpu_output_tok_per_s: float
    """Of one GPU."""
    requests_req_per_s: float
    ttft_ms: float
    """Mean time to first token."""
    tpot_ms: float | None
    """Mean time per output token; None for answers of one token."""
    prompt_ms: float
    """Reading one prompt."""
    step_ms: float
    """One decode step."""
    prefill_fraction: float
    """Share of the time that goes into prompts."""
    tokens_per_joule_ratio: float
    """Output tokens per joule with every GPU at its power limit: at least that."""
    beyond_memory: bool
    """More requests in flight than fit: some wait."""
    meets_targets: bool | None
    """None: no targets were given."""


class ErrorPart(Part):
    """How wrong such predictions were on measurements that were held out."""

    regime: str
    rows_count: int
    median_error_fraction: float
    p90_error_fraction: float
    bias_fraction: float


class TargetPart(Part):
    """Latency that was asked for."""

    ttft_ms: float | None
    tpot_ms: float | None


class OriginPart(Part):
    """Where the coefficients come from."""

    title: str
    link: str
    read: str
    grade: str
    rows_count: int
    measured_points_count: int
    """Points of the user's own measurements in the figures; 0: none."""
    measured_title: str


class CapacityDocument(Part):
    """The answer to one question."""

    schema_version: str = SCHEMA_VERSION
    verdict: str
    deployment: DeploymentPart
    input_tokens: float
    output_tokens: float
    targets: TargetPart | None
    answer: PointPart
    """The load that the verdict speaks of."""
    table: list[PointPart]
    """Several concurrencies; one where one was asked for."""
    memory: MemoryPart
    error: ErrorPart
    origin: OriginPart
    remarks: list[str]


def to_json(document: CapacityDocument) -> str:
    """The document as JSON text."""
    return document.model_dump_json(indent=2) + "\n"
