"""Placing: a row that was read becomes a Point: its GPUs in replicas, split as it says, or as serves best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from breakeven.errors import ServingError
from breakeven.serving.prediction.columns import columns
from breakeven.serving.prediction.deployment import Deployment, Point
from breakeven.serving.prediction.parameters import PARAMETERS, Values
from breakeven.serving.prediction.points import Load, Problem, ReadPoint, Status
from breakeven.serving.prediction.step_time import memory, times

NO_TARGETS: Final[Mapping[str, float]] = {}
PRIORS: Final[Values] = {each.name: each.typical for each in PARAMETERS}


def place(
    read: ReadPoint, values: Values = PRIORS, latency_bound_ratios: Mapping[str, float] = NO_TARGETS
) -> Point | Problem:
    """The Point of a row; a split that is not said: the one that is predicted to give most tokens.

    `latency_bound_ratios`: by scenario, what a latency target leaves of offline throughput.
    """
    ratio = latency_bound_ratios.get(read.scenario, 1.0)
    try:
        if read.tensor_parallel_count is not None:
            return _point(read, read.tensor_parallel_count, ratio)
        points = [_point(read, shards, ratio) for shards in read.splits] or [_point(read, read.gpus_count, ratio)]
    except ServingError as error:
        return Problem(Status.BAD_SPLIT, str(error))
    c = columns(points)
    holds = memory(c, values).sequences_count >= 1
    output = times(c, values).output_tok_per_s * np.array([_busy_fraction(each) for each in points])
    return points[int(np.argmax(np.where(holds, output, -1.0 / c.gpus_count)))]


def _busy_fraction(point: Point) -> float:
    """Replicas that have a request at all."""
    return 1.0 if point.concurrency_count is None else min(point.concurrency_count / point.replicas_count, 1.0)


def _point(read: ReadPoint, shards: int, latency_bound_ratio: float) -> Point:
    per_replica = shards * read.pipeline_parallel_count * read.attention_parallel_count
    if read.gpus_count % per_replica:
        raise ServingError(f"replicas of {per_replica} GPUs do not divide {read.gpus_count} GPUs")
    deployment = Deployment(
        read.model,
        read.gpu,
        per_replica,
        read.precision,
        read.engine,
        read.engine_version,
        shards,
        read.pipeline_parallel_count,
        min(read.expert_parallel_count, per_replica),
        read.attention_parallel_count,
        read.computes_in_16_bit,
    )
    is_offline = read.load in (Load.OFFLINE, Load.SERVER)
    point = Point(
        deployment,
        read.input_tokens,
        read.output_tokens,
        None if is_offline else read.concurrency_count,
        read.gpus_count / per_replica,
        read.load is Load.STATIC_BATCH,
        latency_bound_ratio,
    )
    if is_offline and read.concurrency_count is not None:
        return replace(point, concurrency_count=read.concurrency_count)
    return point
