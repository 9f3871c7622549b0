"""Choices: what the scenario chose where an Option leaves a choice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choices:
    """What the scenario chose where an Option leaves a choice."""

    frontier_model: str
    """``provider/model`` assumed for calls whose log names no model."""
    open_model: str
    """Name of the open model in the catalogue."""
    broker_offer: str | None
    """Name of the token offer in the catalogue; None: the first one for the open model."""
    gpu: str
    """Name of the GPU in the catalogue."""
    precision: str | None = None
    """``bf16``, ``fp8`` or ``fp4``; None: the smallest the model is shipped in and the GPU computes."""
    gpus_per_replica_count: int | None = None
    """None: the fewest of 1, 2, 4, 8 that hold the model and enough sequences."""
