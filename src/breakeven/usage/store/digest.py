"""Digest: a hash of what the Calls say, printed in every report's footer.

The hash of the store is made of a sum of the hashes of its rows, so it does not depend on the order of rows, files
or imports, and each Parquet file needs to be looked at once. A row is hashed as the text `name=value` of every
column that says something: neither NULL nor the usual value. Where a row was read (file and line) is left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from breakeven.usage.call import CALL_COLUMNS, Column
from breakeven.usage.store.engine import Engine, parquet
from breakeven.usage.store.schema import USUAL

CONTENT: Final = tuple(column for column in CALL_COLUMNS if column.is_content)
_VERSION: Final = "calls-1"
_MODULUS: Final = 1 << 64


def file_sums(engine: Engine, folder: Path, names: Sequence[str]) -> dict[str, str]:
    """For each Parquet file the sum of its rows' hashes (the lower half of MD5), modulo 2**64, in hex."""
    alike: dict[tuple[Column, ...], list[Path]] = {}
    for name in names:
        alike.setdefault(_telling_columns(folder / name), []).append(folder / name)
    sums: dict[str, str] = {}
    for columns, paths in alike.items():
        rows = f"SELECT filename, md5_number_lower({row_text(columns)}) AS h FROM {parquet(paths, with_place=True)}"
        totals = engine.run(f"SELECT filename, CAST(sum(h) AS VARCHAR) AS total FROM ({rows}) GROUP BY filename")
        for path, total in zip(totals["filename"].to_pylist(), totals["total"].to_pylist(), strict=True):
            sums[Path(path).relative_to(folder).as_posix()] = f"{int(total) % _MODULUS:016x}"
    return sums


def digest_of(sums: Sequence[str], rows: int) -> str:
    """SHA-256 over the row count and the added sums of all files."""
    total = sum(int(each, 16) for each in sums) % _MODULUS
    return hashlib.sha256(f"{_VERSION}|{rows}|{total:016x}".encode()).hexdigest()


def row_text(columns: Sequence[Column]) -> str:
    """SQL for the content of a Call as text, equal on every engine: times and amounts are whole numbers."""
    return f"concat_ws(chr(31), {', '.join(_told(column) for column in columns)})"


def _told(column: Column) -> str:
    value = column.name
    if column.name in USUAL:
        usual = USUAL[column.name]
        value = f"NULLIF({column.name}, {repr(usual) if isinstance(usual, str) else str(usual)})"
    form = {
        "time": f"epoch_us({value})",
        "float": f"CAST(round({value} * 1e6) AS HUGEINT)",
    }.get(column.type, value)
    return f"'{column.name}=' || CAST({form} AS VARCHAR)"


def _telling_columns(path: Path) -> tuple[Column, ...]:
    """The columns in which some row of the file may say something, by the statistics of its row groups."""
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    position = {groups[0].column(i).path_in_schema: i for i in range(metadata.num_columns)} if groups else {}
    return tuple(
        column
        for column in CONTENT
        if column.name not in position
        or any(_says_something(group.column(position[column.name]), USUAL.get(column.name)) for group in groups)
    )


def _says_something(chunk: Any, usual: str | float | None) -> bool:
    statistics = chunk.statistics
    if statistics is None or not statistics.has_null_count:
        return True
    if statistics.null_count == chunk.num_values:
        return False
    return not (statistics.has_min_max and statistics.min == usual and statistics.max == usual)
