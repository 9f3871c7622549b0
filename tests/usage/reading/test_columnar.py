"""Parquet rows as text: every type, missing values, inner structs, damage."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.reading.columnar import column_names, read_columns
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import open_log


def read(folder: Path, **columns: Any) -> dict[str, list[str | None]]:
    """Each column as text."""
    path = folder / "log"
    pq.write_table(pa.table(columns), path)
    log = open_log(path, "log")
    head = column_names(log)
    assert isinstance(head, Head)
    names = sorted(head.names)
    table = pa.Table.from_batches([batch.rows for batch in read_columns(log, names)])
    assert table["row_no"].to_pylist() == list(range(1, table.num_rows + 1))
    assert table["text"].null_count == 0
    return {name: table[f"c{i}"].to_pylist() for i, name in enumerate(names)}


def test_types_become_text(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    found = read(
        tmp_path,
        i=pa.array([1, None]),
        f=pa.array([1.5, float("nan")]),
        b=pa.array([True, None]),
        d=pa.array([Decimal("1.25"), None]),
        zoned=pa.array([noon, None], pa.timestamp("us", "UTC")),
        naive=pa.array([noon.replace(tzinfo=None), None], pa.timestamp("ns")),
        raw=pa.array([b"\x00\xff", None]),
        words=pa.array(["x", None]).dictionary_encode(),
        ids=pa.array([[1, 2], None]),
        usage=pa.array([{"inner": {"n": 7}}, None]),
    )
    assert {name: values[0] for name, values in found.items()} == {
        "i": "1",
        "f": "1.5",
        "b": "true",
        "d": "1.25",
        "zoned": "2026-11-02 12:00:00.000000Z",
        "naive": "2026-11-02 12:00:00.000000000",
        "raw": "00ff",
        "words": "x",
        "ids": "[1, 2]",
        "usage.inner.n": "7",
    }
    assert all(values[1] is None for values in found.values())


def test_a_file_cut_short_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "log"
    pq.write_table(pa.table({"a": list(range(100_000))}), path, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[200_000:400_000] = b"\xff" * 200_000
    path.write_bytes(bytes(data))
    batches = list(read_columns(open_log(path, "log"), ["a"]))
    assert sum(batch.rows_count for batch in batches) > 0
