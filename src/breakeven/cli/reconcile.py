"""reconcile: our figure beside the provider's bill, by model and day, and what may be behind a gap."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from breakeven.cli.usage_source import UsageSource, opened_calls, pairs, source_options

if TYPE_CHECKING:
    from breakeven.catalog.contract import ContractPrice
    from breakeven.catalog.load import Catalog
    from breakeven.reports.reconcile_document import Reconciled
    from breakeven.usage.invoice import Invoice
    from breakeven.usage.store import CallStore
    from breakeven.workload.billed_use import BilledUse

STORE: Final = "store"
_DAY: Final = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared."""

    invoice: str
    currency: str | None
    columns: dict[str, str]
    usd_per: dict[str, float]
    first: date | None
    last: date | None
    tolerance_fraction: float
    scenario: Path | None
    all_providers: bool


@click.command(
    epilog="Example: breakeven reconcile --invoice costs.csv   |   breakeven reconcile --calls 420000"
    " --input-tokens 3800 --output-tokens 600 --model gpt-4-turbo --invoice 2080EUR --usd-per EUR=1.08"
)
@source_options
@click.option("--invoice", required=True, metavar="FILE|AMOUNT|store", help="The bill; 'store': bills in the store.")
@click.option("--currency", metavar="EUR", help="Currency of amounts that name none; USD when absent.")
@click.option("--usd-per", "rates", multiple=True, metavar="EUR=1.08", help="Exchange rate, else the catalogue's.")
@click.option("--invoice-map", "columns", multiple=True, metavar="date=COLUMN", help="Columns of the invoice file.")
@click.option("--from", "first", type=_DAY, help="First day (UTC) to compare; else what the bill covers.")
@click.option("--to", "last", type=_DAY, help="Last day (UTC) to compare.")
@click.option("--all-providers", is_flag=True, help="Also compare calls of providers that the bill does not name.")
@click.option(
    "--tolerance", type=click.FloatRange(0, 1), default=0.02, show_default=True, help="Share that may differ."
)
@click.option("--scenario", type=click.Path(dir_okay=False, path_type=Path), help="Scenario file with contract prices.")
@click.option("--calls", "calls_count", type=click.IntRange(1), help="A stated volume instead of a log: calls.")
@click.option("--input-tokens", type=click.IntRange(0), help="Stated input tokens of one call, cached ones included.")
@click.option("--output-tokens", type=click.IntRange(0), help="Stated output tokens of one call.")
@click.option("--cached-tokens", type=click.IntRange(0), default=0, help="Of the stated input, read from a cache.")
@click.option("--model", help="Stated model.")
@click.option("--provider", help="Stated provider, where the model alone does not say it.")
@click.option("--batch", is_flag=True, help="The stated calls were sent as a batch.")
@click.option("--date", "day", type=_DAY, help="Day of the stated calls; today when absent.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.pass_context
def command(ctx: click.Context, /, source: UsageSource, as_json: bool, **given: Any) -> None:
    """Compare the log (or a stated volume) with a bill: OpenAI or Anthropic costs, FOCUS, any CSV, or one amount.

    Exit code 0: they fit within the tolerance. 1: they do not. 2: something could not be read.
    """
    from breakeven.cli.console import progress, stdout_console

    asked = _asked(given)
    with progress(as_json) as say:
        found = _stated(asked, given, source) if given["calls_count"] else _logged(asked, source, say)
    if as_json:
        from breakeven.reports.reconcile_document import reconcile_document

        click.echo(json.dumps(reconcile_document(found), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from breakeven.reports.reconcile_terminal import render_reconciled

        render_reconciled(found, stdout_console())
    ctx.exit(0 if found.gap.fits else 1)


def _asked(given: dict[str, Any]) -> Asked:
    rates: dict[str, float] = {}
    for name, text in pairs(given["rates"], "--usd-per", "EUR=1.08"):
        try:
            rates[name.upper()] = float(text)
        except ValueError:
            raise click.UsageError(f"--usd-per {name}={text}: '{text}' is not a number") from None
        if not 0 < rates[name.upper()] < 1e6:
            raise click.UsageError(f"--usd-per {name}={text}: wanted a rate above 0")
    columns = dict(pairs(given["columns"], "--invoice-map", "amount=Total"))
    first, last = _day(given["first"]), _day(given["last"])
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}")
    currency = given["currency"].upper() if given["currency"] else None
    return Asked(
        given["invoice"],
        currency,
        columns,
        rates,
        first,
        last,
        given["tolerance"],
        given["scenario"],
        given["all_providers"],
    )


def _day(time: datetime | None) -> date | None:
    return time.date() if time else None


def _stated(asked: Asked, given: dict[str, Any], source: UsageSource) -> Reconciled:
    """The bill beside a volume that somebody states."""
    from breakeven.catalog.load import load_catalog
    from breakeven.clock import today
    from breakeven.errors import UnknownPrice
    from breakeven.reports.reconcile_document import reconciled
    from breakeven.workload.billed_use import billed_use
    from breakeven.workload.invoice_gap import billed
    from breakeven.workload.stated_volume import StatedVolume

    if source.usage or source.store:
        raise click.UsageError("--calls states a volume instead of a log; leave out --usage and --store")
    missing = [name for name in ("input_tokens", "output_tokens", "model") if given[name] is None]
    if missing:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in missing)
        raise click.UsageError(f"--calls states a volume: say {options} as well")
    day = _day(given["day"]) or today()
    volume = StatedVolume(
        given["calls_count"],
        given["input_tokens"],
        given["output_tokens"],
        given["model"],
        day,
        given["provider"],
        given["cached_tokens"],
        given["batch"],
    )
    catalog = load_catalog(day)
    bill = billed(_invoice(asked, None), asked.usd_per, catalog)
    use = billed_use(volume.calls(), *_prices(asked, catalog))
    if any(each.unpriced_tokens for each in use.rows):
        who = f" of {volume.provider}" if volume.provider else ""
        raise UnknownPrice(f"no price is known for '{volume.model}'{who} on {day}; try --provider, or another --date")
    label = f"{volume.calls_count:,} calls of {volume.input_tokens:,} + {volume.output_tokens:,} tokens, {volume.model}"
    notes = (f"List prices of {day}.",)
    return reconciled(label, use, bill, catalog, span=None, tolerance_fraction=asked.tolerance_fraction, notes=notes)


def _logged(asked: Asked, source: UsageSource, say: Any) -> Reconciled:
    """The bill beside the calls of a log or store."""
    from breakeven.catalog.load import load_catalog
    from breakeven.clock import today
    from breakeven.errors import InvoiceError
    from breakeven.reports.reconcile_document import reconciled
    from breakeven.workload.bill_months import MONTH_DAYS_COUNT, has_one_date_a_month, whole_months, without_days
    from breakeven.workload.billed_use import billed_use
    from breakeven.workload.invoice_gap import billed

    with opened_calls(source, say) as opened:
        say("reading the invoice")
        invoice = _invoice(asked, opened.store)
        calls = opened.store.calls()
        logged = _span(calls)
        first, last, notes = _window(asked, invoice, logged)
        catalog = load_catalog(min(last, today()))
        bill = billed(invoice, asked.usd_per, catalog)
        scope = replace(bill.scope, providers=frozenset()) if asked.all_providers else bill.scope

        def used(first: date, last: date) -> BilledUse:
            return billed_use(_within(calls, first, last), *_prices(asked, catalog), scope)

        say("pricing the calls of these days")
        days = {each.line.day for each in bill.lines if each.line.kind == "tokens" and each.line.day}
        if not (asked.first or asked.last):
            months = whole_months(days, bill.of_kind("tokens"), lambda *span: used(*span).spend_usd)
            if months is not None:
                bill = without_days(bill)
                first, last, notes = _window(replace(asked, first=months.first, last=months.last), invoice, logged)
                notes = (months.sentence, *notes)
        bill = bill.within(first, last)
        if not bill.lines:
            raise InvoiceError(
                f"{invoice.name} has nothing from {first} to {last}; say other days with --from and --to"
            )
        if (last - first).days + 1 >= MONTH_DAYS_COUNT and has_one_date_a_month(days):
            bill = without_days(bill)
        use = used(first, last)
        return reconciled(
            opened.label,
            use,
            bill,
            catalog,
            span=(first, last),
            tolerance_fraction=asked.tolerance_fraction,
            notes=(*opened.warnings, *notes),
            calls_digest=opened.store.digest(),
            logged_fraction=_covered(first, last, logged) / ((last - first).days + 1),
        )


def _invoice(asked: Asked, store: CallStore | None) -> Invoice:
    from breakeven.errors import InvoiceError
    from breakeven.usage.invoice import billed_in_store, read_invoice, stated_amount

    if asked.invoice == STORE:
        if store is None or not store.bills_count:
            raise InvoiceError("there are no bills in the store; import the provider's cost export, or name its file")
        return billed_in_store(store.bills())
    path = Path(asked.invoice)
    if not path.exists() and (stated := stated_amount(asked.invoice, asked.currency)):
        return stated
    return read_invoice(path, asked.columns, asked.currency)


def _span(calls: Any) -> tuple[date, date]:
    row = calls.aggregate(first=calls.start_time.min(), last=calls.start_time.max()).to_pyarrow().to_pylist()[0]
    return row["first"].date(), row["last"].date()


def _window(asked: Asked, invoice: Invoice, logged: tuple[date, date]) -> tuple[date, date, tuple[str, ...]]:
    """The days to compare, and what to know about them."""
    days = sorted(each.day for each in invoice.lines if each.day is not None)
    first, last = asked.first or (days[0] if days else logged[0]), asked.last or (days[-1] if days else logged[1])
    notes: list[str] = []
    if not invoice.has_days and not (asked.first and asked.last):
        notes.append(
            f"The bill names no days: it is compared with {first} to {last}; --from and --to say which it covers."
        )
    covered, wanted = _covered(first, last, logged), (last - first).days + 1
    if covered < wanted:
        notes.append(f"The log reaches from {logged[0]} to {logged[1]}: {covered:,} of the {wanted:,} days.")
    return first, last, tuple(notes)


def _covered(first: date, last: date, logged: tuple[date, date]) -> int:
    """Days of a window that the log reaches over."""
    return max((min(last, logged[1]) - max(first, logged[0])).days + 1, 0)


def _within(calls: Any, first: date, last: date) -> Any:
    import ibis

    start, end = (ibis.timestamp(f"{day} 00:00:00", timezone="UTC") for day in (first, last + timedelta(days=1)))
    return calls.filter((calls.start_time >= start) & (calls.start_time < end))


def _prices(asked: Asked, catalog: Catalog) -> tuple[Catalog, tuple[ContractPrice, ...]]:
    """The catalogue with the scenario's names of models, and the scenario's contract."""
    from breakeven.catalog.load import with_model_aliases
    from breakeven.cli.scenario_options import scenario_from

    scenario = scenario_from(asked.scenario, (), None, None, None)
    return with_model_aliases(catalog, scenario.aliases()), scenario.contract()
