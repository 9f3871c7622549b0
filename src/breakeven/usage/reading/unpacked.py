"""Unpacked: rows that do not stand on lines of their own, numbered and written as flat JSON for the statement.

An importer with an `unpack` gives records or `Unfit`s, one for each row of its format (a bucket's result, a span, an
answer); the number of a row is its place among them, from 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from breakeven.usage.reading.lines import LINES_SCHEMA
from breakeven.usage.reading.rows import RawReject, RowBatch, shortened

_BATCH_ROWS: Final = 4_096
_BATCH_CHARACTERS: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Unfit:
    """A row that cannot be unpacked: a reject."""

    reason: str
    value: str = ""
    raw: str = ""


def row_batches(found: Iterable[Mapping[str, object] | Unfit]) -> Iterator[RowBatch]:
    """Number what was `found` and write it as lines of JSON, in batches of bounded size."""
    numbers: list[int] = []
    texts: list[str] = []
    rejects: list[RawReject] = []
    characters = 0
    for number, each in enumerate(found, 1):
        text = _written(each)
        if isinstance(text, Unfit):
            rejects.append(RawReject(number, text.reason, text.value, shortened(text.raw)))
        else:
            numbers.append(number)
            texts.append(text)
            characters += len(text)
        if len(numbers) + len(rejects) >= _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield _batch(numbers, texts, rejects)
            numbers, texts, rejects, characters = [], [], [], 0
    if numbers or rejects:
        yield _batch(numbers, texts, rejects)


def _written(found: Mapping[str, object] | Unfit) -> str | Unfit:
    try:
        return found if isinstance(found, Unfit) else as_text(found)
    except RecursionError:
        return Unfit("nested too deeply")


def as_text(record: Mapping[str, object]) -> str:
    """`record` as one line of JSON; lone surrogates, which no column can hold, become escapes' replacement."""
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _batch(numbers: list[int], texts: list[str], rejects: list[RawReject]) -> RowBatch:
    return RowBatch(pa.record_batch([numbers, texts], schema=LINES_SCHEMA), tuple(rejects))
