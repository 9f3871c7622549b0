"""Placement: each row of a day in a file of its kind: calls that count, calls left out, bills. Reading costs nothing.

Only days whose files changed are looked at, and of them only those with several formats, with
reports of an account, or with bills.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.overlap import Cell, CellKey, cell_of, cells, family_of, reports_accounts, settle
from breakeven.usage.overlap_report import DayOverlap
from breakeven.usage.store.day_writer import new_name
from breakeven.usage.store.engine import Engine, parquet, path_literal
from breakeven.usage.store.manifest import Kind, StoredFile

_KEY_COLUMNS: Final = {
    "source": "source",
    "is_separate": "is_separate",
    "provider": "COALESCE(provider, '')",
    "model": "COALESCE(model_key, response_model, request_model, '')",
    "is_batch": "COALESCE(is_batch, false)",
    "is_bucket": "grain = 'bucket'",
    "file": "CASE WHEN grain = 'bucket' THEN COALESCE(source_file, '') ELSE '' END",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """The files of the days that were looked at, and how their sources overlap."""

    stored: tuple[StoredFile, ...]
    overlaps: tuple[DayOverlap, ...]


class Placement:
    """Places the rows of one store. `place` moves a new Parquet file into the folder of its day."""

    def __init__(self, engine: Engine, root: Path, place: Callable[[Path, int, date], StoredFile]) -> None:
        self._engine = engine
        self._root = root
        self._place = place

    def placed(self, stored: Sequence[StoredFile], separate_files: Collection[str], staging: Path) -> Placed:
        """`stored`, all files of some days, with each row in a file of its kind."""
        looked: list[StoredFile] = []
        unsorted: set[str] = set()
        mixed: set[date] = set()
        for each in stored:
            file, has_bills_among = (each, False) if each.sources is not None else self._looked_at(each)
            looked.append(file)
            if has_bills_among:
                unsorted.add(file.path)
                mixed.add(file.day)
        by_day: dict[date, list[StoredFile]] = {}
        for each in looked:
            by_day.setdefault(each.day, []).append(each)
        mixed |= {day for day, files in by_day.items() if _is_mixed(files)}
        plain = [each for each in looked if each.day not in mixed]
        if not mixed:
            return Placed(tuple(plain), ())
        files = [each for each in looked if each.day in mixed]
        paths = [self._root / each.path for each in files]
        rows = cells(self._engine.calls(paths), sorted(separate_files)).to_pyarrow().to_pylist()
        found = [cell_of(row) for row in rows]
        settled = settle(found)
        kinds = _kinds_by_source(found, settled.left_out)
        result = plain
        for each in files:
            kind = None if each.path in unsorted else _only_kind(each, kinds)
            result += (
                [replace(each, kind=kind)] if kind else self._split(each, settled.left_out, separate_files, staging)
            )
        return Placed(tuple(result), settled.overlaps)

    def _looked_at(self, file: StoredFile) -> tuple[StoredFile, bool]:
        """The file with the words of its column `source`, and whether there are bills among its calls.

        From the statistics of the file where they say enough.
        """
        path = self._root / file.path
        sources, grains = _only_value(path, "source"), _only_value(path, "grain")
        if sources is None or grains is None:
            found = self._engine.run(f"SELECT DISTINCT source, grain FROM {parquet([path])}")
            sources = tuple(sorted(set(found["source"].to_pylist())))
            grains = tuple(sorted(set(found["grain"].to_pylist())))
        kind: Kind = "bills" if grains == ("bill",) else "calls"
        return replace(file, sources=sources, kind=kind), kind == "calls" and "bill" in grains

    def _split(
        self, file: StoredFile, left_out: Collection[CellKey], separate_files: Collection[str], staging: Path
    ) -> list[StoredFile]:
        """The file itself where its rows are of one kind, else a file of each kind."""
        path = self._root / file.path
        rows = f"SELECT *, {_separate(separate_files)} AS is_separate FROM {parquet([path])}"
        keyed = ", ".join(f"{expression} AS {name}" for name, expression in _KEY_COLUMNS.items())
        distinct = f"SELECT DISTINCT grain = 'bill' AS is_bill, {keyed} FROM ({rows})"
        kinds: dict[Kind, list[Mapping[str, Any]]] = {}
        for row in self._engine.run(distinct).to_pylist():
            kinds.setdefault(_kind(row, file.day, left_out), []).append(row)
        if len(kinds) == 1:
            (kind,) = kinds
            sources = tuple(sorted({row["source"] for row in kinds[kind]}))
            return [replace(file, kind=kind, sources=sources)]
        return [self._part(file, kind, members, rows, staging) for kind, members in sorted(kinds.items())]

    def _part(
        self, file: StoredFile, kind: Kind, members: list[Mapping[str, Any]], rows: str, staging: Path
    ) -> StoredFile:
        """The rows of `file` with the keys `members`, as a file of their own."""
        target = staging / "placed" / new_name()
        target.parent.mkdir(parents=True, exist_ok=True)
        columns = ", ".join(f"r.{column.name}" for column in CALL_COLUMNS)
        same = " AND ".join(f"r.key_{name} = m.{name}" for name in ("is_bill", *_KEY_COLUMNS))
        keyed = ", ".join(f"{expression} AS key_{name}" for name, expression in _KEY_COLUMNS.items())
        wanted = f"SELECT *, grain = 'bill' AS key_is_bill, {keyed} FROM ({rows})"
        keys = ", ".join(_literals(row, ("is_bill", *_KEY_COLUMNS)) for row in members)
        listed = f"(VALUES {keys}) AS m({', '.join(('is_bill', *_KEY_COLUMNS))})"
        self._engine.run(
            f"COPY (SELECT {columns} FROM ({wanted}) AS r SEMI JOIN {listed} ON {same})"
            f" TO {path_literal(target)} (FORMAT parquet)"
        )
        count = int(self._engine.value(f"SELECT count(*) FROM {parquet([target])}"))
        sources = tuple(sorted({row["source"] for row in members}))
        return replace(self._place(target, count, file.day), kind=kind, sources=sources)


def _is_mixed(files: Sequence[StoredFile]) -> bool:
    """Whether rows of these files, of one day, may be of several kinds, or of another kind than they were."""
    usage = [each for each in files if each.kind != "bills"]
    families = {family_of(source) for each in usage for source in each.sources or ()}
    has_left_out = any(each.kind == "left out" for each in files)
    return len(families) > 1 or has_left_out or any(map(reports_accounts, families))


def _kinds_by_source(found: Iterable[Cell], left_out: Collection[CellKey]) -> dict[tuple[date, str], set[Kind]]:
    """The kinds of calls that a source has on a day."""
    kinds: dict[tuple[date, str], set[Kind]] = {}
    for each in found:
        kind: Kind = "left out" if each.key in left_out else "calls"
        kinds.setdefault((each.key.day, each.key.source), set()).add(kind)
    return kinds


def _only_kind(file: StoredFile, kinds: Mapping[tuple[date, str], set[Kind]]) -> Kind | None:
    """The kind of all rows of `file`, where its sources have only one on its day; None where it must be looked into."""
    if file.kind == "bills":
        return "bills"
    found = set().union(*(kinds.get((file.day, source), set()) for source in file.sources or ()))
    return found.pop() if len(found) == 1 else None


def _kind(row: Mapping[str, Any], day: date, left_out: Collection[CellKey]) -> Kind:
    if row["is_bill"]:
        return "bills"
    key = CellKey(day, **{name: row[name] for name in _KEY_COLUMNS})
    return "left out" if key in left_out else "calls"


def _literals(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """SQL for one row of texts and truths."""
    return f"({', '.join(text_literal(v) if isinstance(v := row[name], str) else str(v).lower() for name in names)})"


def _separate(files: Collection[str]) -> str:
    """SQL: whether the row came from one of `files`."""
    listed = ", ".join(text_literal(each) for each in sorted(files))
    return f"COALESCE(source_file IN ({listed}), false)" if listed else "false"


def text_literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def _only_value(path: Path, column: str) -> tuple[str] | None:
    """The one value of a column, by the statistics of the file; None where they do not say that it is one."""
    metadata = pq.read_metadata(path)
    position = next((i for i in range(metadata.num_columns) if metadata.schema.column(i).path == column), None)
    seen: set[str] = set()
    for group in range(metadata.num_row_groups):
        statistics = None if position is None else metadata.row_group(group).column(position).statistics
        if statistics is None or not statistics.has_min_max or statistics.null_count:
            return None
        seen |= {statistics.min, statistics.max}
    return (seen.pop(),) if len(seen) == 1 else None
