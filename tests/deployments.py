"""Deployments of catalogue models, for tests of the serving model."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from breakeven.catalog.load import Catalog, load_catalog
from breakeven.catalog.names import find_gpu, find_model
from breakeven.serving.prediction.deployment import Deployment, Point


@cache
def catalog() -> Catalog:
    return load_catalog(date(2026, 11, 25))


def deployment(model: str, gpu: str, gpus: int = 1, precision: str = "", **more: Any) -> Deployment:
    found = find_model(catalog(), model)
    return Deployment(found, find_gpu(catalog(), gpu), gpus, precision or found.native_precision, **more)


def point(
    model: str = "Llama-3.1-8B",
    gpu: str = "H100-SXM-80",
    gpus: int = 1,
    precision: str = "",
    load: tuple[float, float, float | None] = (1024, 1024, 16),
    **more: Any,
) -> Point:
    """`load`: input tokens, output tokens, concurrency."""
    return Point(deployment(model, gpu, gpus, precision, **more), *load)
