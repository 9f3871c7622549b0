"""Translation: every Formula of costs and options, read from its source, computes the same."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

import breakeven
from breakeven.decision.horizon.paths import volume_level_ratio
from breakeven.decision.workbook.expression import evaluate
from breakeven.decision.workbook.translation import translate
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import Formula, formula
from breakeven.outcomes.tries import all_tries_fail_fraction, expected_tries_count
from breakeven.units import unit_of

ROOMS = (
    "breakeven.costs",
    "breakeven.options",
    "breakeven.outcomes",
    "breakeven.serving.fleet",
    "breakeven.serving.autoscale",
    "breakeven.decision.horizon.paths",
)
SLOPE_COUNT = 3.0
LOOPS = (
    "breakeven.outcomes.tries.all_tries_fail_fraction",
    "breakeven.outcomes.tries.expected_tries_count",
)
"""As many steps as there are tries: no cell holds them, so a workbook holds their values."""
NOT_IN_A_LINE = ("breakeven.outcomes.correction.even_correction_usd_per_request",)
"""No cost line is made of them, and they may have no value."""


def formulas() -> list[Formula]:
    found: dict[str, Formula] = {}
    for module in pkgutil.walk_packages(breakeven.__path__, "breakeven."):
        if module.name.startswith(ROOMS):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Formula):
                    found[value.qualified_name] = value
    return [found[name] for name in sorted(found) if name not in (*LOOPS, *NOT_IN_A_LINE)]


def computed(each: Formula, values: dict[str, float]) -> float:
    steps = translate(each)
    assert steps is not None, f"{each.qualified_name} cannot be written as expressions"
    known = dict(values)
    for step in steps:
        known[step.name] = evaluate(step.expression, known)
    return known[steps[-1].name]


@pytest.mark.parametrize("each", [all_tries_fail_fraction, expected_tries_count])
def test_a_loop_is_no_expression(each: Formula) -> None:
    assert each.qualified_name in LOOPS
    assert translate(each) is None


def test_there_are_formulas() -> None:
    assert len(formulas()) >= 70


@pytest.mark.parametrize("each", formulas(), ids=lambda each: each.qualified_name)
def test_the_steps_compute_the_formula(each: Formula) -> None:
    rng = np.random.default_rng(11)
    for size in (1.0, 30.0, 3_000.0):
        values = {name: float(_likely(name, size, rng)) for name in each.parameters}
        wanted = float(np.asarray(each(**{name: np.float64(value) for name, value in values.items()})))
        assert np.isfinite(wanted)
        assert computed(each, values) == pytest.approx(wanted, rel=1e-12)


def _likely(name: str, size: float, rng: np.random.Generator) -> float:
    """A value of the size that its unit makes likely; a log is some months long, however large the rest."""
    if unit_of(name) == "fraction" or "fraction_per_" in name:
        return rng.uniform(0.05, 0.95)
    small = unit_of(name) == "ratio" or name in ("elapsed_months", "log_lead_months", "log_length_months")
    return rng.uniform(0.5, 3.0) * (1.0 if small else size)


@formula
def _used_twice_usd(price_usd: Draws, spare_count: Draws) -> Draws:
    """A local name that is used twice."""
    both = price_usd + 1
    return both * both / (spare_count - both)


@formula
def _with_constants_usd(price_usd: Draws) -> Draws:
    """Constants fold, and a factor of one is none."""
    return price_usd * (2.0 / 2.0) * SLOPE_COUNT


@formula
def _looped_usd(price_usd: Draws) -> Draws:
    """More than the language says."""
    total = price_usd * 0
    for each in range(3):
        total = total + price_usd * each
    return total


@formula
def _masked_usd(price_usd: Draws) -> Draws:
    """More than the language says."""
    return np.asarray(price_usd[price_usd > 0])


@formula
def _outside_usd(price_usd: Draws) -> Draws:
    """A name that is no number."""
    return price_usd * len(ROOMS)


def test_what_is_used_twice_becomes_a_step() -> None:
    steps = translate(_used_twice_usd)
    assert steps is not None
    assert [(step.name, step.expression) for step in steps] == [
        ("both", "price_usd + 1"),
        ("_used_twice_usd", "both * both / (spare_count - both)"),
    ]


def test_constants_stand_as_numbers() -> None:
    steps = translate(_with_constants_usd)
    assert steps is not None
    assert steps[-1].expression == "price_usd * 3"


def test_a_level_near_no_growth_loses_no_digits() -> None:
    for growth in (0.0, 1e-12, 3e-10, 1e-6, -1e-4, 0.5, -0.6):
        values = {"log_growth_fraction_per_month": growth, "log_lead_months": 2.5, "log_length_months": 4.0}
        values["log_present_ratio"] = 1.2
        wanted = float(volume_level_ratio(**{name: np.float64(value) for name, value in values.items()}))
        assert computed(volume_level_ratio, values) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("each", [_looped_usd, _masked_usd, _outside_usd], ids=lambda each: each.name)
def test_what_cannot_be_said_is_not_said(each: Formula) -> None:
    assert translate(each) is None
