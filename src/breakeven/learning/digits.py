"""Digits: learnt rates, costs and thresholds have nine significant ones, so that a policy file is free of noise.

They are rounded where they are made, before anything is decided by them: the written policy decides as the one that was
judged, and its guarantee is of the numbers that stand in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.outcomes.outcome import Floats

DIGITS_COUNT: Final = 9
_POWERS_MAX: Final = 22
"""Powers of ten up to this one are exact, and a whole number divided by one is the nearest float to its decimals."""
_POWERS: Final = np.array([float(f"1e{each}") for each in range(_POWERS_MAX + 1)])


def rounded(values: npt.ArrayLike) -> Floats:
    """The nearest numbers of nine significant digits; what is not finite stays.

    >>> rounded([0.1 + 0.2, 2 / 3, 123456789012.0, 0.0]).tolist()
    [0.3, 0.666666667, 123456789012.0, 0.0]
    """
    return _on_grid(values, np.round)


def rounded_up(values: npt.ArrayLike) -> Floats:
    """The least numbers of nine significant digits that are not smaller.

    >>> rounded_up([2 / 3, 0.1000000001, 5.0]).tolist()
    [0.666666667, 0.100000001, 5.0]
    """
    return _on_grid(values, np.ceil)


def plain_rounded(value: Any) -> Any:
    """JSON values with every float rounded.

    >>> plain_rounded({"low": 0.1 + 0.2, "names": ["a", 3, True]})
    {'low': 0.3, 'names': ['a', 3, True]}
    """
    if isinstance(value, Mapping):
        return {key: plain_rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_rounded(each) for each in value]
    return float(rounded(value)) if isinstance(value, float) else value


def _on_grid(values: npt.ArrayLike, to_whole: Any) -> Floats:
    """Numbers so small or large that their grid has no exact power stay as they are: they are no costs or rates."""
    given = np.asarray(values, dtype=np.float64)
    size = np.abs(given)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = DIGITS_COUNT - 1 - np.floor(np.log10(size))
    on_grid = (size > 0) & (places >= 0) & (places <= _POWERS_MAX)
    power = _POWERS[np.where(on_grid, places, 0).astype(np.intp)]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(on_grid, to_whole(given * power) / power, given), dtype=np.float64)
