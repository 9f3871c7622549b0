"""Engine: the one DuckDB session of a store. Together with the SQL of this folder, all that knows the engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from breakeven.usage.call import CALL_COLUMNS, COLUMN_BY_NAME
from breakeven.usage.prompts.texts import TEXTS_SCHEMA
from breakeven.usage.store.query_texts import duckdb_backend
from breakeven.usage.store.schema import USUAL, call_schema

if TYPE_CHECKING:
    import ibis


class Engine:
    """Runs statements over rows in memory and over Parquet files."""

    def __init__(self, spill_folder: Path, memory_limit_gib: float | None = None) -> None:
        self._backend = duckdb_backend()
        self._connection = self._backend.con
        _prepare(self._connection)
        self._connection.execute(f"SET temp_directory = {path_literal(spill_folder)}")
        if memory_limit_gib is not None:
            self._connection.execute(f"SET memory_limit = '{memory_limit_gib:g}GiB'")
        self._views = 0
        self._is_closed = False
        self.is_shared = False
        """Whether several threads call at the same time."""

    def run_over(self, chunk: pa.Table, sql: str) -> pa.Table:
        """The result of `sql` over `chunk`, in the order of its rows. Threads may call it at the same time.

        DuckDB reads an Arrow table with one thread, so work is shared out as chunks, each on a cursor of its own.
        """
        with self._connection.cursor() as cursor:
            _prepare(cursor)
            cursor.register("chunk", chunk)
            return cursor.execute(sql).to_arrow_table()

    def share(self, callers_count: int) -> None:
        """Leave each of so many threads that call `run_over` at the same time its share of the cores.

        Where a caller has none to spare, the engine's own threads take its work from it, and it asks again and again
        whether they are done.
        """
        self._connection.execute(f"SET threads = {max(1, (os.cpu_count() or 1) // callers_count)}")
        self.is_shared = True

    def share_no_more(self) -> None:
        """All cores are for whoever calls next."""
        if self.is_shared:
            self._connection.execute("RESET threads")
            self.is_shared = False

    def run(self, sql: str) -> pa.Table:
        """The result of `sql` as an Arrow table."""
        try:
            return self._connection.execute(sql).to_arrow_table()
        except RuntimeError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):  # DuckDB turns Ctrl-C into an error of its own
                raise KeyboardInterrupt from None
            raise

    def value(self, sql: str) -> Any:
        """The single value of `sql`."""
        return self.run(sql).column(0)[0].as_py()

    def calls(self, files: Sequence[Path]) -> ibis.Table:
        """The Calls in `files` as an expression, with the column `day` of their folders."""
        import ibis

        if not files:
            empty = call_schema().append(pa.field("day", pa.date32())).empty_table()
            return ibis.memtable(empty)
        self._views += 1
        name = f"calls_{self._views}"
        self._connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {parquet(files, with_day=True)}")
        return self._backend.table(name)

    def texts(self, files: Sequence[Path]) -> ibis.Table:
        """The kept texts in `files`, one row for each Call."""
        import ibis

        if not files:
            return ibis.memtable(TEXTS_SCHEMA.empty_table())
        self._views += 1
        name = f"texts_{self._views}"
        once = "QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY prompt, response) = 1"
        self._connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {parquet(files)} {once}")
        return self._backend.table(name)

    def table(self, files: Sequence[Path]) -> ibis.Table:
        """The rows of any Parquet files of one schema as an expression."""
        self._views += 1
        name = f"rows_{self._views}"
        self._connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {parquet(files)}")
        return self._backend.table(name)

    def close(self) -> None:
        """End the session, if it has not ended."""
        if not self._is_closed:
            self._is_closed = True
            self._connection.interrupt()  # threads may still work on what Ctrl-C ended, and would be waited for
            self._backend.disconnect()


def _prepare(connection: Any) -> None:
    """Settings of a session: they do not pass on to its cursors."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")


def parquet(files: Sequence[Path], *, with_day: bool = False, with_place: bool = False) -> str:
    """SQL for the rows of `files`; `with_place` adds `filename` and `file_row_number`."""
    whole = _completed if any(_lacking(each) for each in files) else _plain
    return whole(files, with_day=with_day, with_place=with_place)


def _plain(files: Sequence[Path], *, with_day: bool, with_place: bool) -> str:
    listed = ", ".join(path_literal(each) for each in files)
    options = ["hive_partitioning = true, hive_types = {'day': DATE}" if with_day else "hive_partitioning = false"]
    if with_place:
        options.append("filename = true, file_row_number = true")
    return f"read_parquet([{listed}], {', '.join(options)})"


def _lacking(path: Path) -> tuple[str, ...]:
    """The columns that a Parquet file of an older version does not have; files of other things lack none."""
    return _lacking_then(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=65_536)
def _lacking_then(path: Path, _changed_at: int) -> tuple[str, ...]:
    import pyarrow.parquet as pq

    names = set(pq.read_schema(path).names)
    return tuple(each.name for each in CALL_COLUMNS if each.name not in names) if "start_time" in names else ()


def _completed(files: Sequence[Path], *, with_day: bool, with_place: bool) -> str:
    """SQL for the rows of `files` of any version: what an older one did not know is null, or the usual value."""
    alike: dict[tuple[str, ...], list[Path]] = {}
    for each in files:
        alike.setdefault(_lacking(each), []).append(each)
    extra = [*(["day"] if with_day else []), *(["filename", "file_row_number"] if with_place else [])]
    parts = []
    for lacking, some in alike.items():
        added = ", ".join(f"{_usual(name)} AS {name}" for name in lacking)
        kept = ", ".join([*(each.name for each in CALL_COLUMNS), *extra])
        plain = _plain(some, with_day=with_day, with_place=with_place)
        parts.append(f"SELECT {kept} FROM (SELECT *{', ' + added if added else ''} FROM {plain})")
    return f"({' UNION ALL '.join(parts)})"


def _usual(name: str) -> str:
    kind = {"text": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN", "time": "TIMESTAMPTZ"}
    sql = kind.get(COLUMN_BY_NAME[name].type, "BIGINT[]")
    value = USUAL.get(name)
    return f"CAST({'NULL' if value is None else repr(value)} AS {sql})"


def path_literal(path: Path) -> str:
    """`path` as an SQL string."""
    return "'" + str(path).replace("'", "''") + "'"
