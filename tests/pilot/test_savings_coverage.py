"""Savings coverage: a small version of `benchmarks/pilot_savings.py`: the truth stays inside at every look."""

from __future__ import annotations

import importlib.util
import sys
from math import sqrt
from pathlib import Path
from types import ModuleType

import pytest

PILOTS = 60


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark, with fewer requests and looks."""
    path = Path(__file__).parents[2] / "benchmarks" / "pilot_savings.py"
    spec = importlib.util.spec_from_file_location("pilot_savings_benchmark", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.REQUESTS_COUNT = 1200  # type: ignore[attr-defined]
    module.LOOKS_COUNT = 8  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("pilot", "costs"),
    [("shadow", "lognormal"), ("canary, ramp, prices fall", "pareto"), ("canary by user, 500 users", "lognormal")],
)
def test_few_pilots_miss_at_any_look(bench: ModuleType, pilot: str, costs: str) -> None:
    found = bench.coverage(pilot, costs, PILOTS)
    assert found["sequence"] <= 0.05 + 2 * sqrt(0.05 * 0.95 / PILOTS)
    assert found["t"] >= 0.1, "looking by Student's t would not do"
    assert found["is_above_zero"] > 0.2, "an interval without end covers everything, and proves nothing"
