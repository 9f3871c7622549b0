"""Spark engine: the session that analyses Calls where one machine is too small; the same expressions as on DuckDB.

`spark` runs inside this process on all cores (PySpark and Java needed), `spark://HOST:PORT` on a cluster,
`sc://HOST:PORT` through Spark Connect. Whoever works for the session must see the store's Parquet files under the same
path. Times are UTC. One session serves the whole process: a second store uses the first one's.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from breakeven.errors import EngineError
from breakeven.usage.store.schema import call_schema

if TYPE_CHECKING:
    import ibis

LOCAL: Final = "spark"
_SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "true",
}
_LOCAL_SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.memory": os.environ.get("BREAKEVEN_SPARK_MEMORY", "2g"),
    "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
"""Of a session inside this process: no web page, no log lines, as many parts as cores can use."""
_TIMES: Final = {"start_time": "timestamp('UTC', 6)", "end_time": "timestamp('UTC', 6)"}
INSTALL: Final = (
    "install it with `pip install 'breakeven[spark]'` and Java 17 (Debian: openjdk-17-jre-headless), "
    "or leave --engine out: DuckDB needs neither"
)


class SparkEngine:
    """Gives Calls in Parquet files as expressions that Spark runs."""

    def __init__(self, address: str = LOCAL) -> None:
        self._session = _session(address)
        self._backend = _backend(self._session)
        self._views = 0

    def calls(self, files: Sequence[Path]) -> ibis.Table:
        """The Calls in `files` with the column `day` of their folders; the columns and types are DuckDB's."""
        self._views += 1
        name = f"breakeven_calls_{id(self):x}_{self._views}"
        self._frame(files).createOrReplaceTempView(name)
        return self._backend.table(name).cast(_TIMES)

    def close(self) -> None:
        """The session goes on: it takes seconds to start, and the next store may ask for it."""

    def _frame(self, files: Sequence[Path]) -> Any:
        if not files:
            return self._session.createDataFrame([], _spark_schema())
        paths = [str(each.resolve()) for each in files]
        root = str(files[0].resolve().parents[1])
        return self._session.read.schema(_spark_schema()).option("basePath", root).parquet(*paths)


def is_spark(name: str) -> bool:
    """Whether `name` asks for Spark."""
    return name == LOCAL or name.startswith(("spark://", "sc://"))


def _session(address: str) -> Any:
    """A session at `address`; raises EngineError that says what is missing."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise EngineError(f"--engine {address} needs PySpark, which is not here; {INSTALL}") from None
    # pandas 3 works for all that is asked of it here; PySpark warns at every single call
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    builder = SparkSession.builder.appName("breakeven")
    if address.startswith("sc://"):
        builder = builder.remote(address)
    else:
        if not _has_java():
            raise EngineError(f"--engine {address} needs Java, which is not here; {INSTALL}")
        builder = builder.master("local[*]" if address == LOCAL else address)
        builder = builder.config(map=_LOCAL_SETTINGS) if address == LOCAL else builder
    try:
        with _silence():
            return builder.config(map=_SETTINGS).getOrCreate()
    except Exception as error:  # py4j, grpc and Spark each have errors of their own
        reason = str(error).strip().splitlines()
        raise EngineError(
            f"no Spark session at '{address}' ({reason[0] if reason else type(error).__name__}); "
            "is the cluster up, and is its version that of the installed PySpark?"
        ) from error


def _backend(session: Any) -> Any:
    """Ibis' backend for Spark, which hands over Arrow tables without a way through pandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import ibis
        from ibis.backends.pyspark import Backend

        assert ibis.pyspark  # looked up once, it registers the options that its compiler reads

        class ArrowBackend(Backend):  # type: ignore[misc]  # ibis has no types
            """Differs from its parent in how rows come and go."""

            def to_pyarrow(self, expr: Any, /, *, params: Any = None, limit: Any = None, **_: Any) -> Any:
                from ibis.formats.pyarrow import PyArrowData

                self._run_pre_execute_hooks(expr)
                table = expr.as_table()
                rows = self._session.sql(self.compile(table, params=params, limit=limit)).toArrow()
                return expr.__pyarrow_result__(PyArrowData.convert_table(rows, table.schema()))

            def to_pyarrow_batches(self, expr: Any, /, **given: Any) -> Any:
                return self.to_pyarrow(expr.as_table(), **given).to_reader()

            def _register_in_memory_table(self, op: Any) -> None:
                rows = op.data.to_pyarrow(op.schema)
                self._session.createDataFrame(rows).createOrReplaceTempView(op.name)

            def _create_cached_table(self, name: str, expr: Any) -> Any:
                self._run_pre_execute_hooks(expr)
                return super()._create_cached_table(name, expr)

        _write_texts_as_spark_reads_them()
        return ArrowBackend().connect(session)


def _write_texts_as_spark_reads_them() -> None:
    """Spark takes ``\\a`` for an a, and likewise f and v: such control characters go into a query as they are."""
    from ibis.backends.sql.dialects import PySpark

    known = PySpark.ESCAPED_SEQUENCES
    PySpark.ESCAPED_SEQUENCES = {sign: text for sign, text in known.items() if sign not in "\a\f\v"}


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    return bool(shutil.which("java") or (home and (Path(home) / "bin" / "java").exists()))


def _spark_schema() -> Any:
    from pyspark.sql import types

    kinds = {
        "string": types.StringType(),
        "int64": types.LongType(),
        "double": types.DoubleType(),
        "bool": types.BooleanType(),
        "timestamp[us, tz=UTC]": types.TimestampType(),
        "list<item: int64>": types.ArrayType(types.LongType()),
    }
    fields = [types.StructField(field.name, kinds[str(field.type)]) for field in call_schema()]
    return types.StructType([*fields, types.StructField("day", types.DateType())])


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what Java writes to the terminal while it starts (and for as long as it runs) from the user."""
    try:
        saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:
        yield
        return
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
