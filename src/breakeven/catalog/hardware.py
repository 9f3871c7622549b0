"""Gpu: what one accelerator can hold, move and compute, and what it draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from breakeven.facts.source import Source

Vendor = Literal["nvidia", "amd", "intel"]


@dataclass(frozen=True, slots=True)
class Gpu:
    """Facts of one GPU. All TFLOP/s are dense (no structured sparsity)."""

    name: str
    memory_gb: float
    """Memory that nvidia-smi or rocm-smi shows, in units of 1e9 bytes (not the marketing figure)."""
    bandwidth_gb_per_s: float
    """Memory bandwidth."""
    bf16_tflops: float
    fp8_tflops: float | None
    """None: no FP8 arithmetic (weights may still be stored in 8 bits)."""
    fp4_tflops: float | None
    """None: no FP4 arithmetic (weights may still be stored in 4 bits)."""
    power_w: float
    """Board power limit."""
    link_gb_per_s: float
    """Bandwidth to the other GPUs of the node, one way."""
    source: Source
    note: str = ""
    vendor: Vendor = "nvidia"
    aliases: tuple[str, ...] = ()
    """Other names of the same board, beyond those that catalog/names.py derives by rule."""
