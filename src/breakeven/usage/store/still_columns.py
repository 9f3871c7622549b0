"""Still columns: columns of a Parquet file that say the same in every row, or nothing, in a few bytes.

Arrow writes such a column value by value, and the fifty of them that a log leaves in its Calls cost as much as all the
others. Here their pages are written as the one run of equal values that they are, behind what Arrow wrote, and the
footer is made to list them where they belong. All else of a column, its type, its dictionary and its statistics, is
what Arrow writes for one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.store.compact_thrift import (
    END,
    I32,
    I64,
    LIST,
    STRUCT,
    Struct,
    read_struct,
    varint,
    written_fields,
    written_struct,
)
from breakeven.usage.store.schema import writing_schema

Value = str | int | float | bool | None
_MAGIC: Final = b"PAR1"
_SCHEMA, _ROW_GROUPS, _COLUMN_ORDERS = 2, 4, 7
"""Fields of the footer."""
_COLUMNS, _BYTE_SIZE, _ROWS, _COMPRESSED_SIZE = 1, 2, 3, 6
"""Fields of a row group."""
_CHUNK_OFFSET, _METADATA = 2, 3
"""Fields of a column."""
_PATH, _VALUES, _UNCOMPRESSED, _COMPRESSED, _DATA_OFFSET, _DICTIONARY_OFFSET, _STATISTICS = 3, 5, 6, 7, 9, 11, 12
"""Fields of its metadata."""
_PLACES: Final = (_DATA_OFFSET, _DICTIONARY_OFFSET)
_COUNTED: Final = (13, 16)
"""The same: counts of pages and levels, which would be those of one row."""
_NULL_COUNT: Final = 3
"""A field of statistics."""
_PAGE_UNCOMPRESSED, _PAGE_COMPRESSED, _DATA_PAGE = 2, 3, 5
"""Fields of the header of a page."""
_PAGE_VALUES, _PAGE_STATISTICS = 1, 5
"""Fields of what it says of data."""
_CODEC: Final = "snappy"


def add_still_columns(path: Path, values: Mapping[str, Value]) -> None:
    """Give the Parquet file at `path`, which lacks these columns of a Call, one value each for all of its rows."""
    schema, orders = _whole_schema()
    with path.open("r+b") as file:
        file.seek(-8, 2)
        size = int.from_bytes(file.read(4), "little")
        file.seek(-8 - size, 2)
        end = file.tell()
        footer, _ = read_struct(file.read(size), 0)
        added = bytearray()
        for group in footer[_ROW_GROUPS][1][1]:
            columns = [(_place(column), column) for column in group[_COLUMNS][1][1]]
            rows, sizes = group[_ROWS][1], [group[_BYTE_SIZE][1], group[_COMPRESSED_SIZE][1]]
            for name, value in values.items():
                chunk = _still_chunk(_kind(name), value, rows)
                before = _before(name, _kind(name), value)
                columns.append((_places()[name.encode()], before + chunk.listed(end + len(added))))
                added += chunk.pages
                sizes = [sizes[0] + chunk.unpacked_bytes, sizes[1] + len(chunk.pages)]
            columns.sort(key=itemgetter(0))
            group[_COLUMNS] = (LIST, (STRUCT, [column for _, column in columns]))
            group[_BYTE_SIZE], group[_COMPRESSED_SIZE] = (I64, sizes[0]), (I64, sizes[1])
        footer[_SCHEMA], footer[_COLUMN_ORDERS] = schema, orders
        whole = written_struct(footer)
        file.seek(end)
        file.write(bytes(added) + whole + len(whole).to_bytes(4, "little") + _MAGIC)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A column of one row group: its pages, and the bytes of its metadata before and after where these lie."""

    sizes: bytes
    after: Struct
    dictionary_bytes: int
    pages: bytes
    unpacked_bytes: int

    def listed(self, offset: int) -> bytes:
        """What the footer says of a column, from its sizes on, when its pages lie at `offset`."""
        places: Struct = {_DATA_OFFSET: (I64, offset + self.dictionary_bytes)}
        if self.dictionary_bytes:
            places[_DICTIONARY_OFFSET] = (I64, offset)
        return self.sizes + written_fields({**places, **self.after}, before=_COMPRESSED) + END + END


def _place(column: Struct) -> int:
    """Where a column stands in the schema."""
    return _places()[column[_METADATA][1][_PATH][1][1][0]]


@lru_cache(maxsize=1)
def _places() -> dict[bytes, int]:
    return {name.encode(): place for place, name in enumerate(writing_schema().names)}


@lru_cache(maxsize=1)
def _whole_schema() -> tuple[tuple[int, Any], tuple[int, Any]]:
    """What a footer says of the columns of a Call."""
    footer = _footer(_written(writing_schema().empty_table(), has_dictionary=False))
    schema, orders = (
        (kind, (inner, [written_struct(each) for each in structs]))
        for kind, (inner, structs) in (footer[_SCHEMA], footer[_COLUMN_ORDERS])
    )
    return schema, orders


@dataclass(frozen=True, slots=True)
class _Model:
    """A column of one row: its metadata, its dictionary with the header, and the header of its page."""

    metadata: Struct
    dictionary: bytes
    header: Struct
    page_bytes: int
    """Of the page, unpacked."""


@lru_cache(maxsize=1024)
def _model(kind: pa.DataType, value: Value) -> _Model:
    """A column of a type, of any name."""
    table = pa.table([pa.array([value], kind)], ["any"])
    file = _written(table, has_dictionary=value is not None and not pa.types.is_boolean(kind))
    (group,) = _footer(file)[_ROW_GROUPS][1][1]
    (column,) = group[_COLUMNS][1][1]
    metadata: Struct = {each: told for each, told in column[_METADATA][1].items() if each not in _COUNTED}
    at = metadata[_DATA_OFFSET][1]
    header, start = read_struct(file, at)
    told = {each: what for each, what in header[_DATA_PAGE][1].items() if each != _PAGE_STATISTICS}
    header[_DATA_PAGE] = (STRUCT, told)
    dictionary = file[metadata[_DICTIONARY_OFFSET][1] : at] if _DICTIONARY_OFFSET in metadata else b""
    return _Model(metadata, dictionary, header, start - at + header[_PAGE_UNCOMPRESSED][1])


def _kind(name: str) -> pa.DataType:
    """The type of a column without its dictionary."""
    kind = writing_schema().field(name).type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


@lru_cache(maxsize=1024)
def _before(name: str, kind: pa.DataType, value: Value) -> bytes:
    """What the footer says of a column up to its sizes."""
    metadata = _model(kind, value).metadata
    fixed = {each: what for each, what in metadata.items() if each < _VALUES}
    assert metadata.keys() - fixed.keys() <= {*range(_VALUES, _COMPRESSED + 1), *_PLACES, _STATISTICS}
    of_list, (of_names, path) = fixed[_PATH]
    fixed[_PATH] = (of_list, (of_names, [name.encode(), *path[1:]]))
    return written_fields({_CHUNK_OFFSET: (I64, 0), _METADATA: (STRUCT, written_fields(fixed))})


@lru_cache(maxsize=1024)
def _still_chunk(kind: pa.DataType, value: Value, rows: int) -> _Chunk:
    """A column of so many rows that all have `value`."""
    model = _model(kind, value)
    size, packed = _packed_body(kind, value is not None, bool(value), rows)
    page = written_struct(
        {
            **model.header,
            _PAGE_UNCOMPRESSED: (I32, size),
            _PAGE_COMPRESSED: (I32, len(packed)),
            _DATA_PAGE: (STRUCT, {**model.header[_DATA_PAGE][1], _PAGE_VALUES: (I32, rows)}),
        }
    )
    pages = model.dictionary + page + packed
    unpacked = model.metadata[_UNCOMPRESSED][1] - model.page_bytes + len(page) + size
    sizes: Struct = {_VALUES: (I64, rows), _UNCOMPRESSED: (I64, unpacked), _COMPRESSED: (I64, len(pages))}
    statistics = {**model.metadata[_STATISTICS][1], _NULL_COUNT: (I64, rows if value is None else 0)}
    return _Chunk(
        written_fields(sizes, before=_VALUES - 1),
        {_STATISTICS: (STRUCT, written_struct(statistics))},
        len(model.dictionary),
        pages,
        unpacked,
    )


@lru_cache(maxsize=64)
def _packed_body(kind: pa.DataType, is_there: bool, is_true: bool, rows: int) -> tuple[int, bytes]:
    """The size of the body of a page, and the body packed."""
    body = _body(kind, is_there, is_true, rows)
    return len(body), pa.compress(body, _CODEC, asbytes=True)


def _body(kind: pa.DataType, is_there: bool, is_true: bool, rows: int) -> bytes:
    """Levels, which say that a value is there or is not, and the values: each of it one run."""
    run = varint(rows << 1) + (b"\1" if is_there else b"\0")
    levels = (len(run).to_bytes(4, "little") + run) * (2 if pa.types.is_list(kind) else 1)
    if not is_there:
        return levels
    if pa.types.is_boolean(kind):  # these have no dictionary: a bit each
        return levels + (b"\xff" if is_true else b"\0") * -(-rows // 8)
    return levels + b"\1" + varint(rows << 1) + b"\0"  # the first word of the dictionary, numbered with one bit


def _written(table: pa.Table, *, has_dictionary: bool) -> bytes:
    """A Parquet file with `table`."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=_CODEC, use_dictionary=has_dictionary, store_schema=False)
    return bytes(sink.getvalue())


def _footer(file: bytes) -> Struct:
    size = int.from_bytes(file[-8:-4], "little")
    return read_struct(file, len(file) - 8 - size)[0]
