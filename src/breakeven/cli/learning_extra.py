"""Learning extra: what the verbs of routing share: the library they need, and rows of outcomes that were set aside."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from breakeven.errors import LearningError

if TYPE_CHECKING:
    from breakeven.outcomes.reading import ReadOutcomes


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
