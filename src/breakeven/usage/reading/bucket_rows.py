"""Bucket rows: results of usage and cost reports taken out of their pages, with ids that a second export repeats.

An id is made from what a bucket is of (span, model, key, project, ...) and never from what was counted in it, so that
exports which overlap by a day, or are made again when the day is over, become the same Calls.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from breakeven.usage.reading.documents import text_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import number

_ID_BYTES: Final = 16
_SHOWN_CHARACTERS: Final = 80
_UNSAID: Final = frozenset({"", "null", "none", "not_available", "n/a"})
_DOTTED_THOUSANDS: Final = re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?(Z|\+00:00)?)?")
_WHOLE: Final = re.compile(r"(-?\d+)\.0+")
_SIZE: Final = re.compile(r"(\d+)\s*([kKmM])")
_MODEL_ID: Final = re.compile(r"[A-Za-z0-9][\w.:/@-]*")


@dataclass(frozen=True, slots=True)
class Counted:
    """One result of a report."""

    bucket: Mapping[str, Any]
    result: Mapping[str, Any] | None
    """None: the bucket was reported, and nothing happened in it."""
    is_first: bool = True
    """Of its bucket."""


@dataclass(slots=True)
class BucketIds:
    """Gives the rows of one file their ids, in the order of the file."""

    prefix: str
    _span: str = ""
    _seen: Counter[str] = field(default_factory=Counter)

    def of_result(self, found: Counted, start: object, end: object, *key: object) -> str:
        """Id of a result of a report, where each bucket is an object of its own and may come again in the next page."""
        if found.is_first:
            self.restart()
        return self.of(start, end, *key)

    def restart(self) -> None:
        """What follows is another report, which may repeat rows of the one before."""
        self._span = ""

    def of(self, start: object, end: object, *key: object) -> str:
        """Id of the row for a span and a key.

        Rows of one bucket that share even the key (the export lacks a column) are told apart by their order in it.

        >>> ids = BucketIds("x")
        >>> first, second = ids.of(1, 2, "gpt-5", None), ids.of(1, 2, "gpt-5", None)
        >>> first != second, BucketIds("x").of("1", 2.0, "gpt-5", "") == first
        (True, True)
        """
        span = f"{key_text(start)}\x1e{key_text(end)}"
        if span != self._span:
            self._span = span
            self._seen.clear()
        name = "\x1f".join(key_text(each) for each in key)
        self._seen[name] += 1
        whole = f"{span}\x1e{name}\x1e{self._seen[name]}".encode("utf-8", "replace")
        return f"{self.prefix}-{hashlib.blake2b(whole, digest_size=_ID_BYTES).hexdigest()}"


def key_text(value: object) -> str:
    """A part of a key as text, the same for 3, 3.0 and '3.0', and empty for what an export does not say."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        return type(value).__name__
    text = "" if value is None else str(value).strip()
    if text.lower() in _UNSAID:
        return ""
    whole = _WHOLE.fullmatch(text)
    return whole.group(1) if whole else text


def with_parts(total: object, parts: Iterable[object]) -> object:
    """All tokens of a side. OpenAI's reports made before audio was counted in them can have more audio than tokens.

    >>> with_parts(10, [4, None]), with_parts("3", [4, 2]), with_parts("many", [4])
    (10, 9, 'many')
    """
    whole, beside = number(total), sum(number(each) or 0 for each in parts)
    return whole + beside if whole is not None and beside > whole >= 0 else total


def amount_of(value: object, per_unit: int = 1) -> str | None:
    """An amount of money over `per_unit`, exactly, as text; None when it is none.

    >>> amount_of("123.78912", 100), amount_of(0.06), amount_of("NaN")
    ('1.2378912', '0.06', None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value).strip()) / per_unit
    except ArithmeticError:
        return None
    return f"{amount:f}" if amount.is_finite() and abs(amount.adjusted()) < 100 else None


def in_english(cell: str, head: Head) -> str:
    """A number of a table that was saved with decimal commas, as the rest of the world writes it.

    >>> in_english("1.234,5", Head("csv", frozenset(), has_decimal_comma=True))
    '1234.5'
    """
    if not head.has_decimal_comma:
        return cell
    if "," in cell:
        return cell.replace(".", "").replace(",", ".")
    return cell.replace(".", "") if head.groups_with_dots and _DOTTED_THOUSANDS.fullmatch(cell) else cell


def times_alone(row: Unfit, head: Head, times: tuple[str, ...]) -> dict[str, str] | Unfit:
    """The record of a row that ends after its `times`, if that is what `row` is; such a bucket is empty."""
    columns = head.layout.columns if head.layout is not None else ()
    if head.layout is None or columns[: len(times)] != times:
        return row
    try:
        cells = next(csv.reader([row.raw], delimiter=head.layout.delimiter), [])
    except csv.Error:
        return row
    is_empty = len(cells) == len(times) and all(number(cell) is not None for cell in cells[:2])
    return dict(zip(times, cells, strict=True)) if is_empty else row


def sum_of_amounts(*amounts: object) -> object:
    """Amounts of dollars together; the first that is none as it stands, to be rejected. A missing one is nothing.

    >>> sum_of_amounts("0.1", 0.2, ""), sum_of_amounts("0.1", "ten"), sum_of_amounts(None, "")
    ('0.3', 'ten', None)
    """
    total: Decimal | None = None
    for each in amounts:
        if each is None or each == "":
            continue
        amount = amount_of(each)
        if amount is None:
            return each
        total = Decimal(amount) + (total or 0)
    return None if total is None else f"{total:f}"


def shown(value: object) -> str:
    """The beginning of a value that is not what it should be, for a reject."""
    kind = type(value).__name__
    return f"{kind} {value}"[:_SHOWN_CHARACTERS] if isinstance(value, str | int | float) else kind


def results_of(found: Iterable[dict[str, Any] | Unfit]) -> Iterator[Counted | Unfit]:
    """The results in pages of buckets (`data[].results[]`), or in single buckets."""
    for document in found:
        if isinstance(document, Unfit):
            yield document
            continue
        data = document.get("data")
        buckets = data if isinstance(data, list) else [document]
        for bucket in buckets:
            yield from _of_bucket(bucket)


def _of_bucket(bucket: object) -> Iterator[Counted | Unfit]:
    if not isinstance(bucket, dict):
        yield Unfit("not a bucket", shown(bucket))
        return
    results = bucket.get("results", bucket.get("result"))
    if not isinstance(results, list):
        yield Unfit("a bucket without a list of results", "", text_of(bucket))
        return
    if not results:
        yield Counted(bucket, None)
    for place, result in enumerate(results):
        yield Counted(bucket, result, place == 0) if isinstance(result, dict) else Unfit("not a result", shown(result))


def model_of_line_item(line_item: str | None) -> tuple[str | None, str | None]:
    """Model and what was billed, from a line of a bill.

    >>> model_of_line_item("gpt-4o-2024-08-06, cached input")
    ('gpt-4o-2024-08-06', 'cached input')
    >>> model_of_line_item("Web search tool calls"), model_of_line_item("gpt-4o-mini")
    ((None, 'Web search tool calls'), ('gpt-4o-mini', None))
    """
    if not line_item:
        return None, None
    model, comma, rest = line_item.partition(",")
    if comma:
        return model.strip() or None, rest.strip() or None
    return (line_item, None) if _MODEL_ID.fullmatch(line_item) else (None, line_item)


def not_dollars(currency: object) -> Unfit | None:
    """Why an amount is no amount of US dollars; None when it is one."""
    said = key_text(currency)
    if said.lower() == "usd":
        return None
    if not said:
        return Unfit("the amount has no currency")
    return Unfit("the amount is not in US dollars; convert it before the import", said[:_SHOWN_CHARACTERS])


def start_of_day(day: str) -> str:
    """The beginning of a UTC day, as ISO text; what is no date stays as it is, to be rejected where times are checked.

    >>> start_of_day("2026-03-22"), end_of_day("2026-12-31 00:00:00"), start_of_day("22.3.2026")
    ('2026-03-22T00:00:00Z', '2027-01-01T00:00:00Z', '22.3.2026')
    """
    found = _date_of(day)
    return day if found is None else f"{found.isoformat()}T00:00:00Z"


def end_of_day(day: str) -> str | None:
    """The end of a UTC day."""
    found = _date_of(day)
    return None if found is None or found == date.max else f"{(found + timedelta(days=1)).isoformat()}T00:00:00Z"


def _date_of(day: str) -> date | None:
    try:
        return date.fromisoformat(day[:10]) if _DAY.fullmatch(day) else None
    except ValueError:
        return None


def context_size(label: str | None) -> str:
    """A context window without the sign that spreadsheets destroy.

    >>> context_size("≤ 200k"), context_size("? 200k"), context_size("> 200k")
    ('200k', '200k', 'over 200k')
    """
    size = _SIZE.search(label or "")
    if size is None:
        return ""
    over = "over " if (label or "").lstrip().startswith((">", "\u2265")) else ""
    return f"{over}{size.group(1)}{size.group(2).lower()}"
