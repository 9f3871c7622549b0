"""Learning extra: what the verbs of routing share: amounts as options, and rows of outcomes that were set aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from breakeven.errors import LearningError

if TYPE_CHECKING:
    from breakeven.outcomes.reading import ReadOutcomes
    from breakeven.usage.ingest_report import Reject

FIRST_LINE_CHARACTERS_MAX = 100_000


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


def set_aside(read: ReadOutcomes, files: Sequence[Path]) -> tuple[str, ...]:
    """Write the rows that are no outcomes beside the work, and say so."""
    path = written_rejects(read.rejects, files)
    if path is None:
        return ()
    return (f"{len(read.rejects):,} rows are no outcomes and are left out; the first: {read.rejects[0]}. All: {path}",)


def written_rejects(rejects: Sequence[Reject], files: Sequence[Path], place: Path | None = None) -> Path | None:
    """Write rejected rows to `place`, else beside the work under the first file's name; where, None without any."""
    from breakeven.outcomes.writing import write_rejects

    if not rejects:
        return None
    path = place or Path(f"{files[0].name if files else 'outcomes'}.rejects.jsonl")
    refuse_strange(path)
    write_rejects(path, rejects)
    return path


def checks_by_task(path: Path | None) -> dict[str, Any]:
    """Checks by task, "" for all other tasks; commands are for judging outcomes, an answer that waits has no time."""
    if path is None:
        return {}
    from breakeven.outcomes.validation import DEFAULT, read_declaration
    from breakeven.strict_yaml import read

    read_declaration(path, allow_commands=True)
    content = read(path.read_text(encoding="utf-8"), str(path))
    found = {**(content.get("tasks") or {}), **({"": content[DEFAULT]} if content.get(DEFAULT) else {})}
    plain = {
        task: {name: value for name, value in checks.items() if name not in ("command", "timeout_s")}
        for task, checks in found.items()
    }
    return {task: checks for task, checks in plain.items() if checks}


def refuse_strange(path: Path) -> None:
    """A file of rejects is written over, another is not."""
    if path.exists() and not _holds_rejects(path):
        raise click.UsageError(
            f"{path} exists and holds no rejected rows; move it away (`breakeven outcomes` has --rejects PATH)"
        )


def _holds_rejects(path: Path) -> bool:
    """True for an empty file, and for one whose first line is a reject."""
    import json

    try:
        with path.open(encoding="utf-8") as file:
            first = file.readline(FIRST_LINE_CHARACTERS_MAX)
        found = json.loads(first) if first else {"raw": "", "reason": ""}
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"raw", "reason"} <= found.keys()
