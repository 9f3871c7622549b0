"""Terminal: the comparison as text: verdict, table, break-even, levers, what is missing, scope, next step, footer.

Colour is added where the console is a terminal, and nothing is said by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports import amounts, findings, terminal_decision
from breakeven.reports.document import Amount, Document, OptionPart
from breakeven.reports.safe_text import short
from breakeven.reports.shortlist import main_options, other_options
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, badges, bullets, next_step, print_parts, section
from breakeven.reports.terminal_trace import render_trace
from breakeven.reports.terminal_workload import render_workload

__all__ = ["render_comparison", "render_trace", "render_workload"]

WIDE_FROM_COLUMNS: Final = 116
"""From this width on, what an option buys has a column of its own and ranges stand beside their medians."""
LEVERS_SHOWN_COUNT: Final = 3
HASH_SHOWN_COUNT: Final = 12


def render_comparison(document: Document, console: Console) -> None:
    """Print the whole comparison."""
    wide = console.width >= WIDE_FROM_COLUMNS
    print_parts(
        console,
        (
            badges(findings.comparison_badges(document)),
            Paragraph(document.verdict.sentence, "bold"),
            bullets(document.verdict.details),
            _main_table(document, console.width),
            Paragraph(_table_note(document), "dim"),
            _made_of(document),
            terminal_decision.months(document, console.width),
            terminal_decision.measure_next(document),
            section(findings.others_title(document), _others_table(document, console.width)),
            section(_not_costed_title(document), bullets(findings.unavailable_findings(document)), "bold yellow"),
            None if wide else section("What each of the first options buys", bullets(_purchases(document))),
            section(_breakeven_title(document), _breakeven(document, console.width)),
            terminal_decision.bands(document, console.width),
            terminal_decision.questions(document),
            terminal_decision.go_back(document),
            section(_levers_title(document), bullets(_lever_lines(document))),
            section("UNPRICED, in no figure above", bullets(findings.unpriced_lines(document.workload)), "bold red"),
            section("Included", bullets(["; ".join(document.included)] if document.included else [])),
            section("Excluded", bullets(document.excluded)),
            section("Warnings", bullets(document.warnings), "bold yellow"),
            next_step(document.verdict.next_command),
            _prices_age(document),
            Paragraph(_footer(document), "dim"),
        ),
    )


def _main_table(document: Document, width: int) -> Table:
    """The status quo, the recommended option and the best of each family; a narrow console drops what matters less."""
    table, columns = _empty_table(_columns(document, width), width)
    for option in main_options(document):
        recommended = option.name == document.verdict.recommended
        marker = Text(">" if recommended else "")
        table.add_row(marker, *(each.cell(option) for each in columns), style="bold" if recommended else "")
    return table


def _others_table(document: Document, width: int) -> Table | None:
    """All the other options, one line each where the names are short enough; None when there are none."""
    others = other_options(document)
    table, columns = _empty_table(_compact_columns(document), width)
    for option in others:
        table.add_row(Text(""), *(each.cell(option) for each in columns))
    return table if others else None


def _empty_table(columns: Sequence[_Column], width: int) -> tuple[Table, list[_Column]]:
    """A table with the columns that `width` has room for: never half a number."""
    shown = [each for each in columns if width >= each.from_width]
    table = plain_table()
    table.add_column("", width=1)
    for each in shown:
        table.add_column(each.header, justify=each.justify, overflow="fold", no_wrap=each.justify == "right")
    return table, shown


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the table of options."""

    header: str
    cell: Callable[[OptionPart], Text]
    justify: Literal["left", "right"] = "right"
    from_width: int = 0


def _columns(document: Document, width: int) -> tuple[_Column, ...]:
    scale = findings.successes_shown_count(document)
    beside = width >= WIDE_FROM_COLUMNS
    successes = "USD per\nsuccess" if scale == 1 else f"USD / {scale:,}\nsuccesses"
    return (
        _Column("Option", lambda each: _title_with_remarks(document, each), "left"),
        _Column("Buys", lambda each: Text(short(each.buys, 90), style="dim not bold"), "left", WIDE_FROM_COLUMNS),
        _Column("USD a month\nP50 (P10-P90)", lambda each: _spread(each.usd_per_month, beside=beside)),
        _Column("USD per\nMtok", lambda each: _spread(each.usd_per_mtok), from_width=92),
        _Column(successes, lambda each: _spread(each.usd_per_success, scale)),
        _Column("total /\nGPU rent", lambda each: _over_rent(each), from_width=64),
        _Column("cheapest\nin futures", lambda each: Text(amounts.odds(each.probability_cheapest_fraction))),
    )


def _compact_columns(document: Document) -> tuple[_Column, ...]:
    """One line for one option."""
    scale = findings.successes_shown_count(document)
    successes = "USD per\nsuccess" if scale == 1 else f"USD / {scale:,}\nsuccesses"
    return (
        _Column("Option", lambda each: _title_with_remarks(document, each), "left"),
        _Column("USD\na month", lambda each: Text(amounts.money(each.usd_per_month.p50))),
        _Column("P10-P90", lambda each: _span(each.usd_per_month), from_width=56),
        _Column(successes, lambda each: Text(amounts.money(each.usd_per_success.p50 * scale)), from_width=48),
        _Column("total /\nGPU rent", lambda each: _over_rent(each), from_width=72),
        _Column("cheapest\nin futures", lambda each: _odds(each), from_width=64),
    )


def _title_with_remarks(document: Document, option: OptionPart) -> Text:
    found = Text(short(option.title, findings.TITLE_MAX_COUNT))
    for each in findings.option_remarks(document, option):
        found.append(f"\n{each}", style="dim not bold")
    return found


def _span(amount: Amount) -> Text:
    return Text(amounts.money_span(amount.p10, amount.p90), style="dim")


def _odds(option: OptionPart) -> Text:
    """An option that costs what another costs has its odds there; one with a condition has odds of its own."""
    if option.same_as:
        return Text("see there", style="dim")
    return Text(amounts.odds(option.probability_cheapest_fraction))


def _spread(amount: Amount, scale: int = 1, *, beside: bool = False) -> Text:
    """Median with range: beside it, or below it where columns are dear."""
    span = amounts.money_span(amount.p10 * scale, amount.p90 * scale)
    median = Text(amounts.money(amount.p50 * scale))
    if not span:
        return median
    return median.append(f" ({span})" if beside else f"\n{span}", style="dim not bold")


def _over_rent(option: OptionPart) -> Text:
    over_rent = option.total_over_rent_ratio
    return Text(amounts.ratio(over_rent.p50)) if over_rent else Text("-", style="dim not bold")


def _table_note(document: Document) -> str:
    now = "One month at today's volume and prices. " if document.horizon else ""
    first = "The best of each way to buy, and today's. " if other_options(document) else ""
    order = "Sorted by cost per successful outcome; > is recommended. Ranges are P10-P90 over the futures drawn."
    notes = (order, findings.conditional_odds_finding(document), findings.ratio_finding(document))
    return f"{now}{first}{' '.join(each for each in notes if each)}"


def _made_of(document: Document) -> Paragraph | None:
    said = findings.made_of_finding(document)
    return Paragraph(said) if said else None


def _purchases(document: Document) -> list[str]:
    return [
        f"{short(each.title, findings.TITLE_MAX_COUNT)}: {short(each.buys, 240)}" for each in main_options(document)
    ]


def _levers_title(document: Document) -> str:
    """The two options between which the gap is measured."""
    title = f"What moves the answer: {findings.contest(document)}, one assumption at a time"
    return f"{title}, one month" if document.horizon else title


def _breakeven_title(document: Document) -> str:
    return (
        "Break-even with today's API over the futures, one month at today's prices" if document.risk else "Break-even"
    )


def _breakeven(document: Document, width: int) -> RenderableType | None:
    """Where options cross over the futures; at typical values where the document does not say."""
    table = terminal_decision.crossings(document, width)
    if table is None:
        return bullets(_breakeven_lines(document))
    note = f"{terminal_decision.here(document)} {terminal_decision.hidden_options(document)}".strip()
    return Group(table, Paragraph(note, "dim"))


def _breakeven_lines(document: Document) -> list[str]:
    """You are here, then each pair, then every change of the cheapest option."""
    here = f"You are at {amounts.volume(document.breakeven.volume_mtok_per_month)} a month."
    changes = findings.changes_finding(document)
    hidden = len(findings.other_pair_sentences(document))
    more = [f"{amounts.counted(hidden, 'more option')}: in the HTML report and the JSON document."] if hidden else []
    return [here, *findings.main_pair_sentences(document), *([changes] if changes else []), *more]


def _not_costed_title(document: Document) -> str:
    return f"NOT COSTED ({len(document.unavailable)})"


def _lever_lines(document: Document) -> list[str]:
    """The biggest levers in words, and any other that can turn the answer."""
    biggest = document.levers[:LEVERS_SHOWN_COUNT]
    turning = [each for each in document.levers[LEVERS_SHOWN_COUNT:] if each.flips]
    return [findings.lever_finding(each) for each in (*biggest, *turning)]


def _prices_age(document: Document) -> Paragraph | None:
    age = findings.prices_age_finding(document)
    return Paragraph(age, "dim") if age else None


def _footer(document: Document) -> str:
    rows = findings.footer_findings(document)
    return "; ".join(f"{label} {value[:HASH_SHOWN_COUNT]}" for label, value in rows)
