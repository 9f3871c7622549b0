"""Learning extra: what the verbs of routing share: the library they need, and rows of outcomes that were set aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breakeven.errors import LearningError

if TYPE_CHECKING:
    from breakeven.outcomes.reading import ReadOutcomes


class Amount(click.FloatRange):
    """A number of 0 or more; neither infinite nor none."""

    def __init__(self, *, above_zero: bool = False) -> None:
        super().__init__(0, min_open=above_zero)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


def quality_floor(value: float) -> float:
    """A floor that makes sense; LearningError for any other."""
    if not 0 < value <= 1:
        raise LearningError(f"--quality-floor {value:g}: wanted a part of the reference's success, such as 0.95")
    return value


def needs_learning() -> None:
    """Raise LearningError where scikit-learn is not installed."""
    if find_spec("sklearn") is None:
        raise LearningError("learning a policy needs scikit-learn: pip install 'breakeven[learning]'")


def set_aside(read: ReadOutcomes, files: Sequence[Path]) -> tuple[str, ...]:
    """Write the rows that are no outcomes beside the work, and say so."""
    if not read.rejects:
        return ()
    from breakeven.outcomes.writing import write_rejects

    path = Path(f"{files[0].name}.rejects.jsonl")
    write_rejects(path, read.rejects)
    return (f"{len(read.rejects):,} rows are no outcomes and are left out; the first: {read.rejects[0]}. All: {path}",)
