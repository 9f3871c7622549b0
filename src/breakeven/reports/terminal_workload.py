"""Terminal workload: the log alone, for `breakeven profile`: volumes, spend, rhythm, what it allows to conclude."""

from __future__ import annotations

from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports import amounts, findings, stability_wording
from breakeven.reports.document import DayPart, HourPart, ModelUsePart, WorkloadPart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, badges, bullets, print_parts, section

DAYS_SHOWN_COUNT: Final = 14
MODELS_SHOWN_COUNT: Final = 12
BARS_FROM_WIDTH_COUNT: Final = 72
"""Characters of a line; below it the days have no bars."""
PARTS_FROM_WIDTH_COUNT: Final = 56
"""Characters of a line; below it tokens are one column, and an hour of the week is one character wide."""
_SHADES: Final = (" .", "░░", "▒▒", "▓▓", "██")
"""Five steps of darkness; an hour is two characters wide."""


def render_workload(workload: WorkloadPart, console: Console) -> None:
    """Print what the log holds."""
    print_parts(
        console,
        (
            badges(findings.workload_badges(workload)),
            _verdict(workload),
            Paragraph(f"{short(workload.label, 200)}: {findings.data_finding(workload)}", "bold"),
            bullets(_summary(workload)),
            *_stability(workload),
            section("UNPRICED, in no spend below", bullets(findings.unpriced_lines(workload)), "bold red"),
            section("Models", _models_table(workload, console.width)),
            section(_days_title(workload), _days_table(workload, console.width)),
            section("Tokens by hour of the week, UTC", _heat_map(workload.hours_of_week, console.width)),
            section("The data allow to conclude", bullets(workload.may_conclude)),
            section("They do not allow to conclude", bullets(workload.may_not_conclude)),
        ),
    )


def _verdict(workload: WorkloadPart) -> Paragraph | None:
    """Is the log steady enough to decide on? First of all."""
    part = workload.stability
    return Paragraph(part.sentence, "bold green" if part.answer == "yes" else "bold yellow") if part else None


def _stability(workload: WorkloadPart) -> tuple[RenderableType | None, ...]:
    """What the verdict rests on."""
    part = workload.stability
    if part is None:
        return ()
    checks = bullets(stability_wording.check_findings(part))
    return (
        section("How steady", bullets(stability_wording.stability_findings(part))),
        section("Stable enough to decide?", checks),
    )


def _summary(workload: WorkloadPart) -> list[str]:
    """Stretch, totals, month, size of a request, peak, and how rows became calls."""
    uncached = workload.input_tokens - workload.cache_read_tokens
    first, last = amounts.date_text(workload.first_time), amounts.date_text(workload.last_time)
    lines = [
        f"From {first} to {last} ({amounts.hours(workload.observed_hours)} observed).",
        f"{amounts.tokens(workload.input_tokens + workload.output_tokens)}: {amounts.magnitude(uncached)} input, "
        f"{amounts.magnitude(workload.cache_read_tokens)} cached input, {amounts.magnitude(workload.output_tokens)} "
        f"output. {_spend(workload)}",
        _per_month(workload),
        f"A request: input {_quantiles(workload.input_tokens_quantiles)}; output "
        f"{_quantiles(workload.output_tokens_quantiles)} tokens.",
        findings.peak_finding(workload),
    ]
    read = findings.import_finding(workload)
    return [*lines, read] if read else lines


def _spend(workload: WorkloadPart) -> str:
    """What the window cost, or why nobody can say."""
    if workload.spend_usd is not None:
        return f"Spend {amounts.money(workload.spend_usd)} at each day's own prices."
    unnamed = workload.unnamed_tokens_fraction
    why = f"{amounts.fraction(unnamed)} of the tokens name no model" if unnamed else "no model has a known price"
    return f"Spend UNPRICED: {why}."


def _per_month(workload: WorkloadPart) -> str:
    since = workload.extrapolated_from_hours
    basis = f"extrapolated from {amounts.hours(since)}, no growth assumed" if since is not None else "as observed"
    spend = workload.spend_usd_per_month
    bill = "spend UNPRICED" if spend is None else amounts.money(spend)
    known = workload.requests_count or not workload.tokens_per_month
    requests = f"{workload.requests_per_month:,.0f} requests" if known else "requests not known"
    return f"Per month, {basis}: {requests}, {amounts.tokens(workload.tokens_per_month)}, {bill}."


def _quantiles(found: dict[str, float]) -> str:
    return ", ".join(f"{safe(name).upper()} {value:,.0f}" for name, value in found.items()) or amounts.NOT_KNOWN


def _models_table(workload: WorkloadPart, width: int) -> RenderableType:
    """Models, largest spend first as in the document; an unpriced one says so where its spend would stand."""
    table = _table("Model", "calls", *_token_heads(width), "spend")
    for each in workload.models[:MODELS_SHOWN_COUNT]:
        spend = Text("UNPRICED", style="bold red") if each.spend_usd is None else Text(amounts.money(each.spend_usd))
        table.add_row(
            Text(findings.model_label(each), overflow="fold"),
            _calls(each),
            *_tokens(each, width),
            spend,
        )
    _say_hidden(table, len(workload.models) - MODELS_SHOWN_COUNT, "model")
    return table


def _days_title(workload: WorkloadPart) -> str:
    shown = min(len(workload.days), DAYS_SHOWN_COUNT)
    last = f", last {shown} of {len(workload.days)} days" if shown < len(workload.days) else " by day"
    return f"Tokens{last}, UTC (* a day seen in part)"


def _days_table(workload: WorkloadPart, width: int) -> RenderableType:
    """The latest days with a bar of their tokens, where there is room for it."""
    days = workload.days[-DAYS_SHOWN_COUNT:]
    most = max((each.input_tokens + each.output_tokens for each in days), default=0) or 1
    with_bars = width >= BARS_FROM_WIDTH_COUNT
    table = _table("Day", "calls", *_token_heads(width), "spend", *([""] if with_bars else []))
    table.columns[-1].justify = "left" if with_bars else "right"
    for each in days:
        bar = Text("█" * round(10 * (each.input_tokens + each.output_tokens) / most), style="cyan")
        table.add_row(
            Text(amounts.date_text(each.day) + ("" if each.complete else " *"), overflow="fold"),
            _calls(each),
            *_tokens(each, width),
            _day_spend(each),
            *([bar] if with_bars else []),
        )
    return table


def _token_heads(width: int) -> tuple[str, ...]:
    return ("input", "cached", "output") if width >= PARTS_FROM_WIDTH_COUNT else ("tokens",)


def _tokens(part: ModelUsePart | DayPart, width: int) -> tuple[str, ...]:
    """Uncached input, cached input and output; one sum where a line has no room for three."""
    if width < PARTS_FROM_WIDTH_COUNT:
        return (amounts.magnitude(part.input_tokens + part.output_tokens),)
    return (
        amounts.magnitude(part.input_tokens - part.cache_read_tokens),
        amounts.magnitude(part.cache_read_tokens),
        amounts.magnitude(part.output_tokens),
    )


def _calls(part: ModelUsePart | DayPart) -> str:
    """A question mark where the source counts tokens and no calls."""
    return f"{part.requests_count:,}" if part.requests_count or not part.input_tokens + part.output_tokens else "?"


def _day_spend(day: DayPart) -> Text:
    """Spend of the priced calls; a plus says that there were unpriced ones."""
    text = Text(amounts.money(day.spend_usd))
    return text.append(" + UNPRICED", style="bold red") if day.unpriced_tokens and not day.spend_usd else text


def _heat_map(hours: tuple[HourPart, ...], width: int) -> RenderableType | None:
    """A row per day, an hour two characters wide (one on a narrow line); the darkest is the busiest hour.

    None below a week of data.
    """
    if not hours:
        return None
    load = {each.hour_of_week: each.tokens_per_hour for each in hours}
    most = max(load.values()) or 1.0
    signs = slice(0, 2) if width >= PARTS_FROM_WIDTH_COUNT else slice(1, 2)
    each_width = signs.stop - signs.start
    rows = [Text("    " + "".join(f"{hour:<{3 * each_width}d}" for hour in range(0, 24, 3)), style="dim")]
    for day, name in enumerate(amounts.DAYS_OF_WEEK):
        cells = (_shade(load.get(day * 24 + hour, 0.0) / most)[signs] for hour in range(24))
        rows.append(Text(f"{name} ").append("".join(cells), style="cyan"))
    darkest = f"{_SHADES[-1][signs]} {amounts.tokens(most)} an hour"
    rows.append(Text(f"    {_SHADES[0][signs]} less than 5 % of the busiest, {darkest}", style="dim"))
    return Text("\n").join(rows)


def _shade(share: float) -> str:
    """Below 5 % of the busiest hour, then four equal steps."""
    return _SHADES[0] if share < 0.05 else _SHADES[min(4, 1 + int(share * 4))]


def _table(first: str, *others: str) -> Table:
    table = plain_table()
    table.add_column(first, overflow="fold")
    for each in others:
        table.add_column(each, justify="right", no_wrap=True)
    return table


def _say_hidden(table: Table, hidden_count: int, noun: str) -> None:
    """A cut list says that it was cut."""
    if hidden_count > 0:
        table.add_row(Text(f"and {amounts.counted(hidden_count, f'more {noun}')}", style="dim"))
