"""Analyst: who answers expressions over Calls: DuckDB in this process, or Spark. Importing is DuckDB's in any case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from breakeven.errors import EngineError, nearest
from breakeven.usage.store.spark_engine import LOCAL, SparkEngine, is_spark

if TYPE_CHECKING:
    import ibis

DUCKDB: Final = "duckdb"


class Analyst(Protocol):
    """Gives the Calls of Parquet files as an expression."""

    def calls(self, files: Sequence[Path]) -> ibis.Table:
        """The Calls in `files`, with the column `day` of their folders."""
        ...


def analyst_named(name: str) -> Analyst | None:
    """Who `name` means; None for the store's own DuckDB. Raises EngineError for an unknown one."""
    if name == DUCKDB:
        return None
    if is_spark(name):
        return SparkEngine(name)
    raise EngineError(f"--engine {name}: {nearest(name, [DUCKDB, LOCAL])}; also spark://HOST:PORT and sc://HOST:PORT")
