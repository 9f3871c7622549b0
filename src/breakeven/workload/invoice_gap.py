"""Invoice gap: our figure beside the bill, by day and by model, and whether they fit.

Tax is taken off the bill before anything is compared (list prices are net); fees and credits stay in it, and show up
as causes. Days and models are compared only where the invoice names them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.errors import InvoiceError
from breakeven.usage.invoice import Invoice, InvoiceLine, LineKind
from breakeven.usage.overlap import canonical
from breakeven.workload.billed_use import BilledUse, BillScope

TOLERANCE_FRACTION: Final = 0.02
"""Two figures this near to each other fit: rounding, and calls near midnight."""
_DUST_FRACTION: Final = 1e-9
"""A difference this small beside the figures is rounding of their sums: none."""
NO_MODEL: Final = "(no model named)"


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """What one unit of the invoice's currency is in USD, and who says so."""

    currency: str
    usd_ratio: float
    words: str
    """Where the rate is from."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """An invoice line in USD."""

    line: InvoiceLine
    amount_usd: float

    @property
    def model(self) -> str:
        """By the price list's name, as far as it knows it."""
        return canonical(self.line.provider, self.line.model)[1] if self.line.model else ""


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice in USD, without tax."""

    invoice: Invoice
    lines: tuple[BilledLine, ...]
    """Tax lines are not among them."""
    tax_usd: float
    rates: tuple[ExchangeRate, ...]
    """Of every currency but USD."""

    @property
    def total_usd(self) -> float:
        """Net of tax, credits taken off."""
        return sum(each.amount_usd for each in self.lines)

    def of_kind(self, kind: LineKind) -> float:
        """What the lines of one kind add up to, in USD."""
        return sum(each.amount_usd for each in self.lines if each.line.kind == kind)

    @property
    def names_each_model(self) -> bool:
        """Whether every line for tokens names its model."""
        tokens = [each for each in self.lines if each.line.kind == "tokens"]
        return bool(tokens) and all(each.model for each in tokens)

    @property
    def scope(self) -> BillScope:
        """The providers and models that it is about, as far as every line for tokens says so."""
        tokens = [each for each in self.lines if each.line.kind == "tokens"]
        says_provider = bool(tokens) and all(each.line.provider for each in tokens)
        providers = {canonical(each.line.provider, each.line.model)[0] for each in tokens} if says_provider else set()
        models = {each.model for each in tokens} if self.names_each_model else set()
        return BillScope(frozenset(providers), frozenset(models))

    def within(self, first: date, last: date) -> Bill:
        """The lines of these days; lines without a day stay."""
        kept = tuple(each for each in self.lines if each.line.day is None or first <= each.line.day <= last)
        return Bill(self.invoice, kept, self.tax_usd, self.rates)


@dataclass(frozen=True, slots=True)
class GapRow:
    """Our figure and the bill for one day or one model; None where one of them has nothing."""

    name: str
    ours_usd: float | None
    billed_usd: float | None
    unpriced_tokens: int = 0

    @property
    def gap_usd(self) -> float:
        """Bill minus ours."""
        return _difference(self.billed_usd or 0.0, self.ours_usd or 0.0)


@dataclass(frozen=True, slots=True)
class Gap:
    """The whole comparison."""

    ours_usd: float
    billed_usd: float
    tolerance_fraction: float
    by_day: tuple[GapRow, ...]
    """Empty where the invoice names no days."""
    by_model: tuple[GapRow, ...]
    """Empty where the invoice names no models."""
    unpriced_tokens: int

    @property
    def gap_usd(self) -> float:
        """Bill minus ours: positive where the bill is higher."""
        return _difference(self.billed_usd, self.ours_usd)

    @property
    def gap_fraction(self) -> float | None:
        """Gap over the bill; None where the bill is zero."""
        return self.gap_usd / self.billed_usd if self.billed_usd else None

    @property
    def fits(self) -> bool:
        """Whether the figures agree within the tolerance, and no token is left without a price."""
        return abs(self.gap_usd) <= self.tolerance_fraction * abs(self.billed_usd) and not self.unpriced_tokens


def exchange_rate(currency: str, stated: Mapping[str, float], catalog: Catalog) -> ExchangeRate:
    """The rate that the user stated, else the catalogue's of its day; raises InvoiceError where there is neither."""
    if currency in stated:
        return ExchangeRate(currency, stated[currency], "as stated")
    fact = catalog.fx.get(currency.lower())
    if fact is None:
        raise InvoiceError(
            f"the invoice is in {currency} and the catalogue has no rate on {catalog.as_of}; say it:"
            f" --usd-per {currency}=RATE"
        )
    words = f"catalogue, {fact.source.title}, read {fact.source.read}, range {fact.low:g} to {fact.high:g}"
    return ExchangeRate(currency, fact.typical, words)


def billed(invoice: Invoice, stated: Mapping[str, float], catalog: Catalog) -> Bill:
    """The invoice in USD, tax apart."""
    names = sorted({each.currency for each in invoice.lines} - {"USD"})
    rates = {name: exchange_rate(name, stated, catalog) for name in names}
    ratio = {"USD": Decimal(1), **{name: Decimal(str(rate.usd_ratio)) for name, rate in rates.items()}}
    lines = [BilledLine(each, float(each.amount * ratio[each.currency])) for each in invoice.lines]
    tax_usd = sum(each.amount_usd for each in lines if each.line.kind == "tax")
    kept = tuple(each for each in lines if each.line.kind != "tax")
    return Bill(invoice, kept, tax_usd, tuple(rates.values()))


def compared(use: BilledUse, bill: Bill, tolerance_fraction: float = TOLERANCE_FRACTION) -> Gap:
    """Put our figure beside the bill."""
    return Gap(
        use.spend_usd,
        bill.total_usd,
        tolerance_fraction,
        _by_day(use, bill) if bill.invoice.has_days else (),
        _by_model(use, bill) if bill.invoice.has_models else (),
        sum(each.unpriced_tokens for each in use.rows),
    )


def _difference(first_usd: float, second_usd: float) -> float:
    """First minus second, without the dust of adding floats up in another order."""
    gap = first_usd - second_usd
    return 0.0 if abs(gap) <= _DUST_FRACTION * max(abs(first_usd), abs(second_usd)) else gap


def _by_day(use: BilledUse, bill: Bill) -> tuple[GapRow, ...]:
    ours = _sums((each.day.isoformat(), each.spend_usd) for each in use.rows)
    theirs = _sums((each.line.day.isoformat(), each.amount_usd) for each in bill.lines if each.line.day)
    unpriced = _tokens((each.day.isoformat(), each.unpriced_tokens) for each in use.rows)
    return _rows(sorted({*ours, *theirs}), ours, theirs, unpriced)


def _by_model(use: BilledUse, bill: Bill) -> tuple[GapRow, ...]:
    """Largest amount first; lines that name no model stand under what they are for."""
    ours = _sums((each.model or NO_MODEL, each.spend_usd) for each in use.rows)
    theirs = _sums((each.model or each.line.words or NO_MODEL, each.amount_usd) for each in bill.lines)
    unpriced = _tokens((each.model or NO_MODEL, each.unpriced_tokens) for each in use.rows)
    names = sorted({*ours, *theirs}, key=lambda name: (-max(ours.get(name, 0.0), theirs.get(name, 0.0)), name))
    return _rows(names, ours, theirs, unpriced)


def _rows(
    names: Sequence[str], ours: Mapping[str, float], theirs: Mapping[str, float], unpriced: Mapping[str, int]
) -> tuple[GapRow, ...]:
    return tuple(GapRow(name, ours.get(name), theirs.get(name), unpriced.get(name, 0)) for name in names)


def _sums(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for name, amount in pairs:
        found[name] += amount
    return dict(found)


def _tokens(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for name, count in pairs:
        found[name] += count
    return dict(found)
