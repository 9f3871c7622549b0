"""Multiplicity: e-BH and Bonferroni as published, and boundaries that say the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.pilot.design import Multiplicity
from breakeven.pilot.multiplicity import accepted, ln_boundary

ALPHA = 0.05


@given(st.lists(st.floats(-5, 9), min_size=1, max_size=8), st.sampled_from(["e-bh", "bonferroni"]))
def test_tasks_are_accepted_as_published(ln_e: list[float], method: Multiplicity) -> None:
    tasks = {f"t{i}": each for i, each in enumerate(ln_e)}
    m = len(ln_e)
    if method == "bonferroni":
        wanted = {name for name, each in tasks.items() if math.exp(each) >= m / ALPHA * (1 - 1e-12)}
    else:
        ordered = sorted(tasks.items(), key=lambda item: -item[1])
        together = max(
            (k for k in range(1, m + 1) if math.exp(ordered[k - 1][1]) >= m / (k * ALPHA) * (1 - 1e-12)), default=0
        )
        wanted = {name for name, each in tasks.items() if together and each >= ordered[together - 1][1]}
    assert accepted(tasks, ALPHA, method) == wanted


@given(st.lists(st.floats(-5, 9), min_size=1, max_size=6))
def test_a_task_at_its_boundary_is_accepted_and_below_it_is_not(ln_e: list[float]) -> None:
    tasks = {f"t{i}": each for i, each in enumerate(ln_e)}
    boundary = ln_boundary(tasks, "t0", ALPHA)
    assert "t0" in accepted(tasks | {"t0": boundary + 1e-9}, ALPHA)
    assert "t0" not in accepted(tasks | {"t0": boundary - 1e-9}, ALPHA)


def test_one_task_is_alone() -> None:
    assert ln_boundary({"": 0.0}, "", ALPHA) == pytest.approx(math.log(20))


def test_bad_tasks_are_rarely_accepted() -> None:
    """Five bad tasks whose wealth is the worst it may be: 1 / threshold with a chance of the threshold."""
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(4_000):
        ln_e = -np.log(rng.uniform(size=5)) * 0.999
        false += bool(accepted({str(i): float(each) for i, each in enumerate(ln_e)}, ALPHA))
    assert false <= 200 + 3 * 14  # 5 % and three standard errors
