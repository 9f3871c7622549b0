"""Invoice: what a provider billed, line by line: an export of its costs, a FOCUS file, a CSV, or one amount.

Amounts keep the currency of the invoice and are exact decimals. A line is of tokens unless its words say that it is a
fee (web search, storage, training, ...), a tax or a credit.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from breakeven.errors import InvoiceError
from breakeven.usage.invoice_amounts import AMOUNT_MAX, ColumnMark, column_mark, is_ambiguous, parsed_amount

if TYPE_CHECKING:
    from ibis import Table

LineKind = Literal["tokens", "fee", "tax", "credit"]
BYTES_MAX: Final = 256 << 20
"""An invoice has a line per day, model and kind of token; a larger file is a usage log."""

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "date": (
        "ChargePeriodStart",
        "usage_date_utc",
        "start_time_iso",
        "start_time",
        "starting_at",
        "usage_date",
        "date",
        "day",
    ),
    "amount": ("BilledCost", "amount_value", "cost_usd", "amount", "cost", "spend", "total"),
    "currency": ("BillingCurrency", "amount_currency", "currency"),
    "model": ("x_Model", "SkuId", "line_item", "model", "model_version"),
    "kind": ("SkuMeter", "token_type", "kind"),
    "category": ("ChargeCategory", "cost_type"),
    "service": ("ServiceCategory",),
    "provider": ("ProviderName", "provider"),
    "description": ("ChargeDescription", "description", "item", "details", "beschreibung", "bezeichnung"),
}
"""What an invoice says -> the columns that may say it, best first."""
MAPPABLE: Final = ("date", "amount", "currency", "model", "kind", "provider", "description")
_FEE: Final = re.compile(
    r"(?<!re)search(?!-(preview|api))|tool|code.?(execution|interpreter)|session|storage|vector|container|train|fine.?tun|hosting|seat|grounding"
    r"|\bfees?\b|subscription",
    re.IGNORECASE,
)
"""Models may be called `o3-deep-research` or `gpt-4o-search-preview`."""
_TAX: Final = re.compile(r"\b(tax(es)?|vat|gst|mwst|umsatzsteuer|mehrwertsteuer|tva|iva)\b", re.IGNORECASE)
_CREDIT: Final = re.compile(r"credit|discount|refund|adjustment|commitment", re.IGNORECASE)
_AMOUNT: Final = re.compile(
    r"^\s*(?P<before>[A-Za-z]{3}|[$€£¥])?\s*(?P<number>[-+0-9.,' ]+?)\s*(?P<after>[A-Za-z]{3}|[$€£¥])?\s*$"
)
_TOTAL: Final = re.compile(
    r"(grand[ -]?|sub[ -]?)?(total|sum|gesamt|gesamtbetrag|summe|zwischensumme|totale|totaal)s?"
    r"([ -](cost|costs|amount|due|charges|spend|usage))?(\s*\([A-Za-z]{3}\)|\s*[A-Z]{3})?\s*:?|amount due:?",
    re.IGNORECASE,
)
"""What the row of a sum is called."""
_SYMBOLS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_AI: Final = "AI and Machine Learning"
_DEFUSED: Final = re.compile(r"^'(?=[=+\-@\t\r])")


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One amount."""

    amount: Decimal
    currency: str
    day: date | None = None
    """UTC day on which it was used; None where the invoice does not say."""
    provider: str = ""
    model: str = ""
    kind: LineKind = "tokens"
    words: str = ""
    """What the line says it is for."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """All lines, and what was noticed while reading them."""

    name: str
    lines: tuple[InvoiceLine, ...]
    notes: tuple[str, ...] = ()

    @property
    def has_days(self) -> bool:
        """Whether every line says its day."""
        return bool(self.lines) and all(each.day is not None for each in self.lines)

    @property
    def has_models(self) -> bool:
        """Whether any line names a model."""
        return any(each.model for each in self.lines)


def stated_amount(text: str, currency: str | None = None) -> Invoice | None:
    """An invoice of one amount, such as ``2080EUR`` or ``$1,234.50``; None where `text` is no amount.

    >>> [(str(line.amount), line.currency) for line in stated_amount("2.080,50 EUR").lines]
    [('2080.50', 'EUR')]
    """
    found = _AMOUNT.match(text)
    number = parsed_amount(found["number"]) if found else None
    if found is None or number is None:
        return None
    if number <= 0:
        raise InvoiceError(f"--invoice {text.strip()}: no bill; wanted an amount above 0, such as 2080EUR, or a file")
    sign = found["before"] or found["after"] or currency or "USD"
    plain = found["number"].strip()
    notes = (f"'{plain}' is read as {number:,f}; write thousands without a mark.",) if is_ambiguous(plain) else ()
    return Invoice(text.strip(), (InvoiceLine(number, _SYMBOLS.get(sign, sign.upper())),), notes)


def read_invoice(path: Path, mapping: Mapping[str, str], currency: str | None = None) -> Invoice:
    """The lines of a file; `mapping` says which column holds what, `currency` what amounts are in when no line does."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise InvoiceError(f"{path}: larger than {BYTES_MAX >> 20} MiB, which no invoice is; is it a usage log?")
        text = _text(path.read_bytes())
    except OSError as error:
        raise InvoiceError(
            f"{path}: cannot be read ({error.strerror}); give a file, or an amount such as 2080EUR"
        ) from None
    if text.lstrip()[:1] in ("{", "["):
        return _from_json(path, text, currency or "USD")
    try:
        return _from_csv(path, text, mapping, currency or "USD")
    except csv.Error as error:
        raise InvoiceError(f"{path}: not a CSV ({error}); give the provider's cost export, or an amount") from None


def parsed_day(text: str) -> date | None:
    """The UTC day of an ISO date or time, of seconds or milliseconds since 1970, or of a German date.

    >>> [str(parsed_day(each)) for each in ("2026-11-02T23:30:00-05:00", "1762041600", "02.11.2026", "11/02/2026")]
    ['2026-11-03', '2025-11-02', '2026-11-02', 'None']
    """
    plain = text.strip()
    if re.fullmatch(r"\d{9,13}(\.\d+)?", plain):
        seconds = float(plain) / (1000 if float(plain) > 1e11 else 1)
        return datetime.fromtimestamp(seconds, UTC).date()
    try:
        if german := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", plain):
            return date(int(german[3]), int(german[2]), int(german[1]))
        time = datetime.fromisoformat(plain.replace("/", "-") if plain[4:5] == "/" else plain)
    except ValueError:
        return None
    return time.astimezone(UTC).date() if time.tzinfo else time.date()


def kind_of(words: str, category: str, amount: Decimal) -> LineKind:
    """What a line is for."""
    if _TAX.search(category) or _TAX.search(words):
        return "tax"
    if amount < 0 or _CREDIT.search(category) or _CREDIT.search(words):
        return "credit"
    return "fee" if _FEE.search(f"{words} {category}") else "tokens"


def _text(raw: bytes) -> str:
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _from_csv(path: Path, text: str, mapping: Mapping[str, str], currency: str) -> Invoice:
    header = text.partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="_more")
    names = [name for name in rows.fieldnames or () if name]
    columns = _columns(path, names, mapping)
    told = [
        (number, _cells(row, columns, names[0]))
        for number, row in enumerate(rows, start=2)
        if any(cell for cell in row.values())
    ]
    amounts = [(number, cells) for number, cells in told if cells["amount"]]
    ours = [each for each in amounts if each[1].get("service", _AI) in ("", _AI)]
    if not ours:
        raise InvoiceError(f"{path}: no amount in any row of column '{columns['amount']}'; nothing to compare with")
    mark = column_mark((cells["amount"] for _, cells in ours), delimiter)
    sums = {number: cells for number, cells in ours if _is_named_sum(cells)}
    if len(sums) == len(ours):
        ours, sums = [(number, _without_sum_words(cells)) for number, cells in ours], {}
    found = {number: _csv_line(path, number, cells, currency, mark) for number, cells in ours if number not in sums}
    if sums and all(each.kind in ("tax", "credit") for each in found.values()):
        number, cells = min(sums.items())
        above = sum((line.amount for row, line in found.items() if row < number), Decimal(0))
        line = _csv_line(path, number, _without_sum_words(cells), currency, mark)
        found[number] = replace(line, amount=line.amount - above)
        sums = {row: cells for row, cells in sums.items() if row != number}
    lines, is_summed = _without_last_sum([found[number] for number in sorted(found)])
    left_out = {
        f"of other services than '{_AI}'": len(amounts) - len(ours),
        "without an amount": len(told) - len(amounts),
        "that add up others": len(sums) + is_summed,
    }
    notes = tuple(f"rows {words} left out: {count:,}." for words, count in left_out.items() if count)
    return Invoice(path.name, tuple(lines), (*notes, *_mark_notes(mark), *_sum_notes(sums, found, mark)))


def _cells(row: Mapping[str, str | None], columns: Mapping[str, str], first: str) -> dict[str, str]:
    cells = {name: _DEFUSED.sub("", (row.get(column) or "").strip()) for name, column in columns.items()}
    return {**cells, "first": "" if first == columns["amount"] else (row.get(first) or "").strip()}


def _is_named_sum(cells: Mapping[str, str]) -> bool:
    """A row that only adds others up, by what it is called."""
    return any(_TOTAL.fullmatch(cells.get(name, "")) for name in ("first", "date", "model", "kind", "description"))


def _without_sum_words(cells: Mapping[str, str]) -> dict[str, str]:
    return {name: "" if name != "amount" and _TOTAL.fullmatch(cell) else cell for name, cell in cells.items()}


def _without_last_sum(lines: list[InvoiceLine]) -> tuple[list[InvoiceLine], int]:
    """The lines without a last one that says nothing, where the others say a day or a model, but their sum."""
    *others, last = lines
    is_bare = not (last.day or last.model or last.words)
    is_sum = (
        is_bare
        and len(others) > 1
        and all(each.day or each.model for each in others)
        and abs(last.amount - sum(each.amount for each in others)) <= Decimal("0.01")
    )
    return (others, 1) if is_sum else (lines, 0)


def _mark_notes(mark: ColumnMark) -> tuple[str, ...]:
    if not mark.example or mark.is_proven or (mark.mark == "." and "," not in mark.example):
        return ()
    return (f"Amounts such as '{mark.example}' are read as {parsed_amount(mark.example, mark.mark):,f}.",)


def _sum_notes(
    sums: Mapping[int, Mapping[str, str]], found: Mapping[int, InvoiceLine], mark: ColumnMark
) -> tuple[str, ...]:
    """A lone sum must be the sum of the rows above it."""
    if len(sums) != 1 or len({each.currency for each in found.values()}) != 1:
        return ()
    ((number, cells),) = sums.items()
    stated = parsed_amount(cells["amount"], mark.mark)
    above = [line.amount for row, line in found.items() if row < number]
    added = sum(above, Decimal(0))
    if stated is None or not above or abs(stated - added) <= Decimal("0.01") * len(above):
        return ()
    return (f"The sum in row {number} says {stated:,f}, the rows above add up to {added:,f}: rows may be missing.",)


def _columns(path: Path, header: list[str], mapping: Mapping[str, str]) -> dict[str, str]:
    for name, column in mapping.items():
        if name not in MAPPABLE:
            raise InvoiceError(f"--invoice-map {name}=...: no such field of an invoice; known: {', '.join(MAPPABLE)}")
        if column not in header:
            raise InvoiceError(
                f"{path}: --invoice-map {name}={column}: no such column; there are {', '.join(header[:15])}"
            )
    small = {name.strip().lower(): name for name in reversed(header)}
    found = {
        name: next((small[each.lower()] for each in spellings if each.lower() in small), None)
        for name, spellings in _COLUMNS.items()
    }
    columns = {**{name: column for name, column in found.items() if column}, **mapping}
    if "amount" not in columns:
        raise InvoiceError(
            f"{path}: no column of amounts among {', '.join(header[:15])}; name them:"
            " --invoice-map amount=COLUMN --invoice-map date=COLUMN --invoice-map model=COLUMN"
        )
    return columns


def _csv_line(path: Path, number: int, cells: Mapping[str, str], currency: str, mark: ColumnMark) -> InvoiceLine:
    if mark.mark is None and is_ambiguous(cells["amount"]):
        raise InvoiceError(
            f"{path}, row {number}: '{cells['amount'][:40]}' can be read in two ways, and the column has decimal commas"
            " and decimal points; write all amounts in one way"
        )
    amount = parsed_amount(cells["amount"], mark.mark)
    if amount is None:
        raise InvoiceError(f"{path}, row {number}: '{cells['amount'][:40]}' is not an amount")
    day = parsed_day(cells["date"]) if cells.get("date") else None
    if cells.get("date") and day is None:
        raise InvoiceError(f"{path}, row {number}: '{cells['date'][:40]}' is not a date; wanted 2026-11-02 or a time")
    model, said = _model_and_words(cells.get("model", ""))
    words = " ".join(part for part in (said, cells.get("kind", "")) if part)
    description = cells.get("description", "").replace(cells.get("model") or "\0", "")
    told = f"{words} {'' if said else model} {description}"
    kind = kind_of(told, cells.get("category", ""), amount)
    if not said and kind in ("tax", "credit") and (_TAX.search(model) or _CREDIT.search(model)):
        model, words = "", " ".join(part for part in (model, words) if part)
    if kind != "tokens" and not (model or words):
        words = cells.get("description", "")
    provider = cells.get("provider", "")
    return InvoiceLine(amount, (cells.get("currency") or currency).upper(), day, provider, model, kind, words)


def _model_and_words(line_item: str) -> tuple[str, str]:
    """`gpt-5-2025-08-07, cached input` is a model and a kind of token."""
    model, comma, words = line_item.partition(",")
    if not comma and _FEE.search(model):
        return "", model.strip()
    return model.strip(), words.strip()


def _from_json(path: Path, text: str, currency: str) -> Invoice:
    try:
        pages = json.loads(text, parse_float=Decimal)
        pages = pages if isinstance(pages, list) else [pages]
        lines = tuple(line for page in pages for bucket in page["data"] for line in _bucket_lines(bucket, currency))
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvoiceError(
            f"{path}: no cost report of OpenAI or Anthropic ({type(error).__name__}: {str(error)[:60]});"
            " wanted data[] with results[] and an amount each, or a CSV"
        ) from None
    if not lines:
        raise InvoiceError(f"{path}: a cost report without an amount; nothing to compare with")
    return Invoice(path.name, lines)


def _bucket_lines(bucket: Mapping[str, Any], currency: str) -> Iterator[InvoiceLine]:
    """OpenAI gives an object with a value; Anthropic a text in cents."""
    day = parsed_day(str(bucket["starting_at"] if "starting_at" in bucket else bucket["start_time"]))
    for result in bucket["results"]:
        amount = result["amount"]
        if isinstance(amount, Mapping):
            model, words = _model_and_words(result.get("line_item") or "")
            number, unit, provider = Decimal(str(amount["value"])), str(amount.get("currency") or currency), "openai"
        else:
            number, unit, provider = Decimal(str(amount)) / 100, result.get("currency") or currency, "anthropic"
            model = result.get("model") or ""
            parts = (result.get("token_type"), "" if model else result.get("description"))
            words = " ".join(part for part in parts if part)
        if not (number.is_finite() and abs(number) < AMOUNT_MAX):
            raise ValueError(f"{number} is no amount")
        category = result.get("cost_type") or ""
        kind = kind_of(words, category, number)
        yield InvoiceLine(number, unit.upper(), day, provider, model, kind, words or category)


def billed_in_store(bills: Table) -> Invoice:
    """The bills that were imported; of two exports of one provider's costs the more detailed one counts on each day."""
    columns = ("start_time", "source", "provider", "model_key", "request_model", "operation", "cost_usd")
    rows = bills.select(*columns).order_by(*columns).to_pyarrow().to_pylist()
    details = Counter((row["start_time"].date(), row["provider"] or "", row["source"]) for row in rows)
    best: dict[tuple[date, str], str] = {}
    for day, provider, source in sorted(details, key=lambda each: (-details[each], each)):
        best.setdefault((day, provider), source)
    kept = [row for row in rows if best[row["start_time"].date(), row["provider"] or ""] == row["source"]]
    left_out = sorted({row["source"] for row in rows} - {row["source"] for row in kept})
    notes = (f"Costs told twice count once: {', '.join(left_out)} left out.",) if left_out else ()
    return Invoice("bills in the store", tuple(map(_stored_line, kept)), notes)


def _stored_line(row: Mapping[str, Any]) -> InvoiceLine:
    amount = Decimal(repr(row["cost_usd"] or 0.0))
    model, said = _model_and_words(row["model_key"] or row["request_model"] or "")
    words = " ".join(part for part in (said, row["operation"]) if part)
    kind = kind_of(words, "", amount)
    return InvoiceLine(amount, "USD", row["start_time"].date(), row["provider"] or "", model, kind, words)
