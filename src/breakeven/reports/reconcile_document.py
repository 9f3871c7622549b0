"""Reconcile document: our figure beside the bill as plain data, the one JSON behind every surface."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from breakeven.catalog.load import Catalog
from breakeven.reports import amounts
from breakeven.workload.billed_use import BilledUse
from breakeven.workload.gap_causes import Case, Cause, causes, shifted_days
from breakeven.workload.invoice_gap import Bill, Gap, GapRow, compared

SCHEMA_VERSION: Final = "1.0"
_FACTOR_FROM_RATIO: Final = 1.5
"""From here on a gap is told as a factor, not in percent."""
_HALF_CENT_USD: Final = 0.005


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Everything that a reconciliation found."""

    label: str
    """What our figure is of."""
    first: date | None
    last: date | None
    use: BilledUse
    bill: Bill
    gap: Gap
    causes: tuple[Cause, ...]
    notes: tuple[str, ...]
    catalog: Catalog
    calls_digest: str | None = None
    """None for a stated volume."""


def reconciled(
    label: str,
    use: BilledUse,
    bill: Bill,
    catalog: Catalog,
    *,
    span: tuple[date, date] | None,
    tolerance_fraction: float,
    notes: tuple[str, ...] = (),
    calls_digest: str | None = None,
    logged_fraction: float = 1.0,
) -> Reconciled:
    """Compare, look for causes, and note what a reader must know."""
    gap = compared(use, bill, tolerance_fraction)
    case = Case(use, bill, gap, catalog, logged_fraction)
    shift = shifted_days(case)
    all_notes = (
        *notes,
        *bill.invoice.notes,
        *_left_out(use, bill),
        *(f"1 {each.currency} = {each.usd_ratio:g} USD ({each.words})." for each in bill.rates),
        *((f"Tax of {exact_money(bill.tax_usd)} on the bill is left out: prices are net.",) if bill.tax_usd else ()),
        *((f"Whatever the total, {shift.sentence}.",) if shift else ()),
    )
    first, last = span or (None, None)
    return Reconciled(label, first, last, use, bill, gap, causes(case), all_notes, catalog, calls_digest)


def exact_money(usd: float) -> str:
    """US dollars to the cent, as a bill has them; below one cent in full.

    >>> exact_money(184.5), exact_money(-1234.567), exact_money(0.00341), exact_money(0), exact_money(3_451_000)
    ('$184.50', '-$1,234.57', '$0.00341', '$0', '$3,451,000.00')
    """
    return f"{'-' if usd < 0 else ''}${abs(usd):,.2f}" if abs(usd) >= 0.995 else amounts.money(usd)


def verdict_sentence(found: Reconciled) -> str:
    """Whether it fits, in one sentence."""
    gap = found.gap
    ours, theirs = f"ours {exact_money(gap.ours_usd)}", f"bill {exact_money(gap.billed_usd)}"
    is_to_the_cent = not gap.gap_usd or (abs(gap.gap_usd) < _HALF_CENT_USD and gap.billed_usd >= 1)
    if gap.fits:
        near = "to the cent" if is_to_the_cent else f"within {100 * gap.tolerance_fraction:.0f} %"
        return f"Fits {near}: {ours}, {theirs}."
    if is_to_the_cent:
        return (
            f"Does not fit: {ours} is the bill to the cent, and {amounts.tokens(gap.unpriced_tokens)} have no price:"
            " they would come on top."
        )
    unpriced = f", and {amounts.tokens(gap.unpriced_tokens)} have no price" if gap.unpriced_tokens else ""
    return f"Does not fit: {ours}, {theirs}: {_off_by(gap)}{unpriced}."


def reconcile_document(found: Reconciled) -> dict[str, Any]:
    """Ready for `json.dumps(..., allow_nan=False)`."""
    gap = found.gap
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": "fits" if gap.fits else "does not fit",
        "sentence": verdict_sentence(found),
        "calls": found.label,
        "invoice": found.bill.invoice.name,
        "first_day": found.first.isoformat() if found.first else None,
        "last_day": found.last.isoformat() if found.last else None,
        "ours_usd": gap.ours_usd,
        "billed_usd": gap.billed_usd,
        "gap_usd": gap.gap_usd,
        "gap_fraction": gap.gap_fraction,
        "tolerance_fraction": gap.tolerance_fraction,
        "tax_usd": found.bill.tax_usd,
        "unpriced_tokens": gap.unpriced_tokens,
        "rates": [asdict(each) for each in found.bill.rates],
        "causes": [asdict(each) for each in found.causes],
        "by_model": [_row(each) for each in gap.by_model],
        "by_day": [_row(each) for each in gap.by_day],
        "notes": list(found.notes),
        "calls_digest": found.calls_digest,
        "catalogue": {"as_of": found.catalog.as_of.isoformat(), "digest": found.catalog.digest},
    }


def _row(row: GapRow) -> dict[str, Any]:
    return {**asdict(row), "gap_usd": row.gap_usd}


def _left_out(use: BilledUse, bill: Bill) -> tuple[str, ...]:
    """Whose calls the bill is not about."""
    if not use.left_out_usd:
        return ()
    others = ", ".join(f"{name or 'no named provider'} ({exact_money(usd)})" for name, usd in use.left_out_usd)
    return (
        f"The bill is of {', '.join(sorted(bill.scope.providers))}: calls of {others} are left out; --all-providers"
        " compares them too.",
    )


def _off_by(gap: Gap) -> str:
    """`the bill is 12 % higher`, or `our figure is 9.8 times the bill`."""
    if not gap.billed_usd or not gap.ours_usd or gap.billed_usd < 0:
        return f"the difference is {exact_money(abs(gap.gap_usd))}"
    ratio = gap.billed_usd / gap.ours_usd
    if ratio >= _FACTOR_FROM_RATIO:
        return f"the bill is {ratio:,.3g} times our figure"
    if ratio <= 1 / _FACTOR_FROM_RATIO:
        return f"our figure is {1 / ratio:,.3g} times the bill"
    return f"the bill is {100 * abs(ratio - 1):.1f} % {'higher' if ratio > 1 else 'lower'}"
