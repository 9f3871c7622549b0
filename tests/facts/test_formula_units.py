"""Every Formula again on pint quantities: dimension and magnitude must match the suffix of its name."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pint
import pytest
from scipy.special import ndtr

import breakeven
from breakeven import units
from breakeven.facts.formula import Formula
from breakeven.units import unit_of

CONSTANT_UNITS = {
    "MONTHS_PER_YEAR": "month/year",
    "MONTH_MONTHS": "month",
    "YEAR_MONTHS": "month",
    "HOURS_PER_YEAR": "hour/year",
    "HOURS_PER_MONTH": "hour/month",
    "HOURS_PER_WEEK": "hour/week",
    "DAYS_PER_MONTH": "day/month",
    "SECONDS_PER_HOUR": "s/hour",
    "MS_PER_S": "ms/s",
    "WATTS_PER_KW": "watt/kilowatt",
    "GRAMS_PER_KG": "gram/kilogram",
    "KG_PER_TONNE": "kilogram/tonne",
    "TOKENS_PER_MTOK": "token/mtok",
    "BYTES_PER_GB": "byte/gigabyte",
    "BYTES_PER_GIB": "byte/gibibyte",
    "FLOPS_PER_TFLOPS": "(flop/s)/(teraflop/s)",
    "FLOP_PER_MULTIPLY_ADD": "flop/token",
    "FLOP_PER_TRAINED_PARAM_TOKEN": "flop/token",
    "TOKENS_PER_STEP": "token",
}
"""FLOP_PER_MULTIPLY_ADD is two FLOP for one parameter and one token."""


def all_formulas() -> list[Formula]:
    found: dict[str, Formula] = {}
    for module in pkgutil.walk_packages(breakeven.__path__, "breakeven."):
        if module.name.startswith(("breakeven.cli", "breakeven.usage", "breakeven.workload", "breakeven.reports")):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Formula):
                found[value.qualified_name] = value
    return [found[name] for name in sorted(found)]


@pytest.fixture(scope="module")
def registry() -> pint.UnitRegistry:
    ureg: pint.UnitRegistry = pint.UnitRegistry(force_ndarray_like=False)
    ureg.define("usd = [money]")
    ureg.define("token = [text]")
    ureg.define("mtok = 1e6 * token")
    ureg.define("flop = [arithmetic]")
    ureg.define("request = 1")
    ureg.define("fraction = 1")
    ureg.define("ratio = 1")
    ureg.define("count = 1")
    ureg.define("kwh = kilowatt_hour")
    ureg.define("cny = [yuan]")
    ureg.define("eur = [euro]")
    ureg.define("gbp = [pound_sterling]")
    # the package's calendar: a month is 730 hours, a year twelve of them
    ureg.define("month = 730 * hour")
    ureg.define("year = 8760 * hour")
    return ureg


def test_every_conversion_constant_has_a_unit() -> None:
    named = {name for name, value in vars(units).items() if name.isupper() and isinstance(value, float)}
    assert named == set(CONSTANT_UNITS)


def test_there_are_formulas() -> None:
    assert len(all_formulas()) >= 30


@pytest.mark.parametrize("formula", all_formulas(), ids=lambda each: each.qualified_name)
def test_formula_has_the_dimension_and_magnitude_of_its_name(
    formula: Formula, registry: pint.UnitRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(7)
    plain, quantities = {}, {}
    for name in formula.parameters:
        unit = unit_of(name)
        assert unit is not None
        value = float(rng.uniform(0.2, 0.8)) if unit == "fraction" else float(rng.uniform(1.5, 9.0))
        plain[name] = value
        quantities[name] = registry.Quantity(value, unit)
    bare = float(formula(**plain))
    namespace = formula.function.__globals__
    for name, unit in CONSTANT_UNITS.items():
        if name in namespace:
            monkeypatch.setitem(namespace, name, registry.Quantity(getattr(units, name), unit))
    if "ndtr" in namespace:  # SciPy's ufuncs do not know pint; their argument must be a pure number
        monkeypatch.setitem(namespace, "ndtr", lambda x: ndtr(x.to("").magnitude))
    result = formula(**quantities)
    wanted = registry.Quantity(1.0, unit_of(formula.name))
    assert registry.Quantity(result).check(wanted.dimensionality), f"{formula.name}: {result} is not in {wanted.units}"
    assert registry.Quantity(result).to(wanted.units).magnitude == pytest.approx(bare, rel=1e-12)


def test_a_planted_slip_is_caught(registry: pint.UnitRegistry) -> None:
    """USD/h added to USD/Mtok is what the type checker cannot see."""
    rent, price = registry.Quantity(2.0, "usd/hour"), registry.Quantity(3.0, "usd/mtok")
    with pytest.raises(pint.DimensionalityError):
        rent + price
