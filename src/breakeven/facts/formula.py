"""Formula: a pure function whose name ends in its unit and whose parameters are names of Facts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

from breakeven.facts.distribution import Draws
from breakeven.facts.memory import recalled
from breakeven.units import unit_of


class Formula:
    """A named, unit-carrying, pure function of draws. Its signature is its lineage."""

    __name__: str

    def __init__(self, function: Callable[..., Draws], unit: str) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        """As it is written; spreadsheets are written from its text."""
        self.way = function
        """What computes it: the function itself, or a quicker way to the same bits."""
        self.unit = unit
        self.parameters = tuple(inspect.signature(function).parameters)
        self.summary = (inspect.getdoc(function) or "").partition("\n")[0]
        """First line of the docstring."""
        self.name: str = self.__name__
        """Name of the function; ends in its unit."""
        self.qualified_name = f"{self.__module__}.{self.__name__}"
        """``module.function``."""

    def __call__(self, *args: Draws | float, **kwargs: Draws | float) -> Draws:
        if kwargs:
            return self.way(*args, **kwargs)
        found: Draws = recalled(self.way, *args)
        return found

    def computed_by(self, way: Callable[..., Draws]) -> Callable[..., Draws]:
        """Decorator: compute it by `way`, which takes the same and gives the same bits (or what broadcasts to them)."""
        if tuple(inspect.signature(way).parameters) != self.parameters:
            raise TypeError(f"formula {self.name}: {way.__name__} takes something else")
        self.way = way
        return way


def formula(function: Callable[..., Draws]) -> Formula:
    """Make a Formula of `function`; refuse a name or parameter that does not carry its unit.

    >>> @formula
    ... def energy_usd_per_hour(power_kwh: Draws, electricity_usd_per_kwh: Draws) -> Draws:
    ...     return power_kwh * electricity_usd_per_kwh
    >>> energy_usd_per_hour.parameters
    ('power_kwh', 'electricity_usd_per_kwh')
    """
    names = (function.__name__, *inspect.signature(function).parameters)
    for name in names:
        if unit_of(name) is None:
            raise TypeError(f"formula {names[0]}: '{name}' carries no unit; end it in one of units.UNIT_BY_SUFFIX")
    unit = unit_of(function.__name__)
    assert unit is not None
    return Formula(function, unit)
