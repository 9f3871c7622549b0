"""Failure flip: from which cost of a failed answer on another option would be the cheapest.

The cost of a failure decides everything: at nothing the weak model always wins, at fifty strong calls hardly anything
may be given to it. In one month, h USD more for each failed answer add h * (1 / p - 1) to the cost of a success, so the
expected costs of two options meet at one h, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.costs.failed_answers import FAILURE
from breakeven.decision.comparison import Comparison, OptionResult, leaf_nodes, open_to_all

NEARLY_NOTHING_FRACTION: Final = 1e-9
"""Of the answers: a difference in failures that is none."""


@dataclass(frozen=True, slots=True)
class FailureFlip:
    """Where the cheapest option changes, at this month's prices and volume."""

    option: OptionResult
    """The one that would be cheapest."""
    more_usd_per_request: float
    """Cost of a failed answer at which it is, beyond what is counted already."""
    is_beyond_counted: bool
    """Whether the scenario counts something for a failed answer already."""


def failure_flip(comparison: Comparison) -> FailureFlip | None:
    """The lowest further cost of a failed answer at which `comparison.best` loses; None: it fails least, or loses now.

    An option that costs less than the recommended one this month is no flip: the months to come decide between them.
    """
    best = comparison.best
    usd, failures = _expected(best)
    found: list[tuple[float, str, OptionResult]] = []
    for each in open_to_all(comparison.options):
        other_usd, other_failures = _expected(each)
        fewer = failures - other_failures
        if each.name != best.name and fewer > NEARLY_NOTHING_FRACTION and other_usd >= usd:
            found.append(((other_usd - usd) / fewer, each.name, each))
    if not found:
        return None
    more, _, option = min(found, key=lambda each: each[:2])
    counted = any(
        node.name == FAILURE
        for line in best.lines
        for node in leaf_nodes([line.line.usd_per_month])
        if np.any(node.value)
    )
    return FailureFlip(option, more, counted)


def _expected(option: OptionResult) -> tuple[float, float]:
    """Expected cost of a success, and expected failed answers for each success."""
    return option.usd_per_success.mean, float(np.mean(1 / option.cost.success.value)) - 1
