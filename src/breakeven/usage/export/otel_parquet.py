"""OTel Parquet: one row per Call under the names of the OpenTelemetry GenAI conventions, written as a stream.

Columns without a convention keep breakeven's own names; so do hashes (the convention's `user.id` is a person, ours is
a hash of one). Imported again, the rows are the same Calls.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.export.whole_file import whole_file
from breakeven.usage.store.schema import FEW_VALUES, call_schema

if TYPE_CHECKING:
    from ibis import Table

CHUNK_ROWS: Final = 122_880


def otel_names() -> dict[str, str]:
    """Column of a Call -> its name in the file; where a row was read is left out."""
    return {
        column.name: column.otel if "." in column.otel and not column.name.endswith("_hash") else column.name
        for column in CALL_COLUMNS
        if column.is_content
    }


def write_otel_parquet(calls: Table, target: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Write `calls` to `target`, which appears only when it is whole; return the number of rows.

    `progress` is told the rows written so far.
    """
    names = otel_names()
    fields = [call_schema().field(name).with_name(other) for name, other in names.items()]
    few = [names[name] for name in FEW_VALUES if name in names]
    schema = pa.schema(fields)
    written = 0
    with (
        whole_file(target) as beside,
        pq.ParquetWriter(beside, schema, use_dictionary=few) as writer,
        _ibis_may_call_old_names(),
    ):
        for batch in calls.select(*names).to_pyarrow_batches(chunk_size=CHUNK_ROWS):
            writer.write_table(pa.Table.from_batches([batch]).rename_columns(list(names.values())).cast(schema))
            written += batch.num_rows
            progress(written)
    return written


@contextmanager
def _ibis_may_call_old_names() -> Iterator[None]:
    """Ibis streams by a function of DuckDB that is about to be renamed, which is not our user's business."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        yield
