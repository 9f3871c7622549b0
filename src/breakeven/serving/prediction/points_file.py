"""Points file: a CSV table of points and the same table with predictions: every row, every column, in order."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven.errors import ServingError
from breakeven.serving.prediction.points import REQUIRED_COLUMNS

PREDICTED_COLUMNS: Final = (
    "pred_out_tok_s_total",
    "pred_out_tok_s_low",
    "pred_out_tok_s_high",
    "pred_ttft_ms",
    "pred_tpot_ms",
    "status",
    "status_reason",
)
"""Columns that are added; where the table has them already, they are replaced."""

_OTHER_MARKS: Final[Mapping[str, str]] = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class PointsTable:
    """Header and rows of a CSV file."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """As they stand in the file, of whatever length."""

    def cells(self, index: int) -> dict[str, str]:
        """A row by column; cells that it lacks are empty."""
        row = self.rows[index]
        return {name: row[place] if place < len(row) else "" for place, name in enumerate(self.columns)}

    def surplus_count(self, index: int) -> int:
        """Cells of a row beyond the header's."""
        return max(len(self.rows[index]) - len(self.columns), 0)


def read_points(path: Path) -> PointsTable:
    """Read a CSV file with a header; raises ServingError when it is none, or lacks a column that is needed."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ServingError(f"{path}: {error.strerror}. Name a CSV file of points.") from None
    except UnicodeDecodeError as error:
        raise ServingError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    try:
        lines = [tuple(line) for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise ServingError(f"{path}: no CSV ({error}).") from None
    if not lines:
        raise ServingError(f"{path}: empty; wanted a header with the columns {', '.join(REQUIRED_COLUMNS)}, and rows.")
    columns = tuple(name.strip() for name in lines[0])
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        apart = next((mark for mark in _OTHER_MARKS if len(columns) == 1 and mark in columns[0]), "")
        wanted = f" Columns are separated by {_OTHER_MARKS[apart]}; wanted commas." if apart else ""
        raise ServingError(
            f"{path}: no column {', '.join(missing)}; the header says {', '.join(columns)[:200]}.{wanted}"
        )
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise ServingError(f"{path}: the column {', '.join(map(repr, twice))} is there twice; rename one.")
    return PointsTable(columns, tuple(lines[1:]))


def with_predictions(table: PointsTable, predicted: Sequence[Mapping[str, str]]) -> str:
    """The table as CSV text with the predictions beside each row; one mapping of `PREDICTED_COLUMNS` per row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    added = [name for name in PREDICTED_COLUMNS if name not in table.columns]
    writer.writerow([*table.columns, *added])
    for index, cells in enumerate(predicted):
        given = table.rows[index]
        own = [given[place] if place < len(given) else "" for place in range(len(table.columns))]
        kept = [cells.get(name, "") if name in PREDICTED_COLUMNS else own[i] for i, name in enumerate(table.columns)]
        writer.writerow([*kept, *(cells.get(name, "") for name in added)])
    return out.getvalue()
