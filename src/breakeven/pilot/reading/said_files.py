"""Said files: outcomes and labels in files that people have (CSV, JSON lines, Parquet): request_id, success."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.errors import OutcomeError, PilotError
from breakeven.outcomes import cells as cell
from breakeven.outcomes.columns import Columns, read_columns
from breakeven.outcomes.reading import SPELLINGS
from breakeven.pilot.reading.said_lines import BAD_SUCCESS, DEFAULT_SOURCE, Said
from breakeven.pilot.reading.sources import told_source
from breakeven.usage.ingest_report import Reject

_FIELDS: Final = {
    "request_id": SPELLINGS["request_id"],
    "success": (*SPELLINGS["success"], "label", "feedback", "rating", "thumbs"),
    "model": SPELLINGS["model"],
    "source": SPELLINGS["source"],
    "arm": ("arm",),
    "replaces": ("replaces",),
}


def read_said_file(path: Path, source: str = DEFAULT_SOURCE) -> tuple[list[Said], list[Reject]]:
    """What a file says of answers, and its rows that say nothing."""
    wanted = {name for names in _FIELDS.values() for name in names}
    try:
        columns = read_columns(path, lambda name: name in wanted)
    except OutcomeError as error:
        raise PilotError(str(error)) from None
    told = {key: _column(columns, names) for key, names in _FIELDS.items()}
    ids, success = told["request_id"], told["success"]
    if ids is None or success is None:
        seen = ", ".join(columns.names) or "none that can be used"
        raise PilotError(f"{path}: the columns are {seen}; wanted request_id and success (0 to 1), and model or arm")
    values = cell.successes(success, decimal_comma=columns.has_decimal_comma)
    found = []
    for i in range(columns.rows_count):
        name = cell.name(ids[i])
        if not name or values.bad[i] or np.isnan(values.values[i]):
            columns.rejects.append(columns.reject(i, BAD_SUCCESS if name else "request_id is missing", success[i]))
            continue
        told_by, unknown = told_source(_at(told["source"], i), source)
        found.append(
            Said(
                name,
                float(values.values[i]),
                told_by,
                cell.name(_at(told["model"], i)),
                cell.name(_at(told["arm"], i)),
                cell.name(_at(told["replaces"], i)).casefold() in ("true", "1", "yes"),
                path.name,
                columns.row_nos[i],
                unknown_source=unknown,
            )
        )
    return found, columns.rejects


def _column(columns: Columns, names: Sequence[str]) -> list[Any] | None:
    return next((columns.values[each] for each in names if each in columns.values), None)


def _at(values: list[Any] | None, i: int) -> Any:
    return None if values is None else values[i]
