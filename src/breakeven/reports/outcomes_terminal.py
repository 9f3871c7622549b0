"""Terminal outcomes: the verdict, success and its cost by model, then by task, who says so, what to be wary of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from breakeven.reports.amounts import money, money_span
from breakeven.reports.outcomes_document import CorrectedPart, OutcomesDocument, RatePart
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, next_step, print_parts, section

NARROW_CHARACTERS_COUNT: Final = 76
"""Below this width a table leaves out the cost of calls, and names are shorter."""
WIDE_CHARACTERS_COUNT: Final = 100
"""From this width on a table has the range of a success's cost too."""
PER_COUNT: Final = 1000
"""Calls, and successes, that a page gives the cost of: one costs a fraction of a cent."""
ROWS_SHOWN_COUNT: Final = 60
"""Rows by task that a page shows unless all are asked for."""
_SOURCE_WORDS: Final = {
    "feedback": "users' feedback",
    "validator": "validators",
    "retry": "nobody asked again",
    "agreement": "agreement with a reference",
    "judge": "a judge model",
    "gold": "careful labels",
    "log": "the log",
    "": "the file, which does not say who judged",
}


def render_outcomes(
    document: OutcomesDocument, console: Console, *, every_task: bool = False, next_command: str = ""
) -> None:
    """Print an outcomes document, verdict first."""
    whole = [each for each in document.rates if not each.group]
    print_parts(
        console,
        (
            Paragraph(document.verdict, "bold"),
            Paragraph(_what(document, whole)),
            section("By model", _table([whole], console.width)) if whole else None,
            _by_group(document, console.width, every_task),
            section("With the judge's errors taken out", bullets([*_corrected(document)]))
            if document.corrected
            else None,
            section("Canaries", bullets([*_canaries(document)])) if document.canaries else None,
            section("Tries of one request", bullets([*_repeated(document)])) if document.repeated else None,
            section("Checks", bullets([*_checks(document)])) if document.checks else None,
            section("Be wary", bullets(document.warnings), "bold yellow") if document.warnings else None,
            section("Worth knowing", bullets([*_remarks(document)])),
            next_step(next_command) if next_command else None,
        ),
    )


def _what(document: OutcomesDocument, whole: Sequence[RatePart]) -> str:
    names = list(dict.fromkeys(name for each in whole for name in each.sources))
    said = " and ".join(_SOURCE_WORDS[each] for each in names) or "nobody"
    kind = "model" if len(document.models) == 1 else "models"
    is_pooled = any(each.is_pooled for each in document.rates)
    pooled = "; ~ marks rates of few answers, drawn towards the model's other tasks" if is_pooled else ""
    corrected = ""
    if any(each.is_corrected for each in document.rates):
        groups = f"; by {document.by} they are not" if document.by else ""
        corrected = f" Of rates marked * the judge's errors are taken out{groups}."
    return (
        f"{document.requests_count:,} requests, {len(document.models)} {kind}; success according to {said}. "
        f"Ranges hold the truth in 9 of 10 cases{pooled}.{corrected}"
    )


def _table(groups: Sequence[Sequence[RatePart]], width: int) -> Table:
    """Rows of models; a group that has a name stands above its rows."""
    table = plain_table()
    is_wide = width >= WIDE_CHARACTERS_COUNT
    is_narrow = width < NARROW_CHARACTERS_COUNT
    name_width = 30 if is_wide else max(8, min(22, width - 44)) if is_narrow else 22
    names = short_names([each.model for rates in groups for each in rates], name_width - 2)
    table.add_column("model", no_wrap=True, max_width=name_width)
    headings = ["answers", "success", "range", *([] if is_narrow else ["$/1k calls"]), "$/1k succ."]
    for heading in headings + (["range"] if is_wide else []):
        table.add_column(heading, justify="right", no_wrap=True)
    for rates in groups:
        name = rates[0].group
        if name:
            table.add_row(Text(short(name, name_width), style="italic"))
        for each in sorted(rates, key=_order):
            row = [
                f"{each.tries_count:,}",
                f"{'~' if each.is_pooled else '*' if each.is_corrected else ''}{_percent(each.success_fraction.value)}",
                f"{_digits(each.success_fraction.low)}-{_digits(each.success_fraction.high)}",
                *([] if is_narrow else [_per_call(each)]),
                _per_success(each),
            ]
            label = Text(("  " if name else "") + names[each.model])  # a name is no markup
            table.add_row(label, *row, *([_span(each)] if is_wide else []))
    return table


def short_names(models: Sequence[str], length_max_count: int) -> dict[str, str]:
    """A name for each model that fits, without its vendor where that is not needed to tell models apart.

    >>> short_names(["mistralai/mistral-7b-chat", "mistralai/mixtral-8x7b-chat"], 20)
    {'mistralai/mistral-7b-chat': 'mistral-7b-chat', 'mistralai/mixtral-8x7b-chat': 'mixtral-8x7b-chat'}
    """
    distinct = list(dict.fromkeys(models))
    bare = {each: short(each.rpartition("/")[2], length_max_count) for each in distinct}
    fits = all(len(safe(each)) <= length_max_count for each in distinct)
    if fits or len(set(bare.values())) < len(distinct) or not all(bare.values()):
        return {each: short(each, length_max_count) for each in distinct}
    return bare


def _order(rate: RatePart) -> tuple[float, float]:
    """The cheapest success first; where none has a price, the most successful."""
    cost = rate.usd_per_success.value
    return (inf if cost is None else cost, -(rate.success_fraction.value or 0.0))


def _by_group(document: OutcomesDocument, width: int, every_task: bool) -> RenderableType | None:
    """The models of each task, most requests first."""
    names = list(dict.fromkeys(each.group for each in document.rates if each.group))
    groups = [[each for each in document.rates if each.group == name] for name in names]
    shown, rows_count = 0, 0
    while shown < len(groups) and (every_task or not shown or rows_count + len(groups[shown]) <= ROWS_SHOWN_COUNT):
        rows_count += len(groups[shown])
        shown += 1
    if not groups:
        return None
    parts: list[RenderableType] = [Text(f"By {document.by}", style="bold"), _table(groups[:shown], width)]
    if shown < len(groups):
        parts.append(Text(f"... and {len(groups) - shown} more; --all shows them, --json has them."))
    return Group(*parts)


def _corrected(document: OutcomesDocument) -> Iterator[str]:
    for each in document.corrected:
        passes = (
            ""
            if each.false_accept_fraction is None
            else f"; it passes {100 * each.false_accept_fraction:.0f} % of bad answers"
        )
        rate = each.success_fraction
        yield (
            f"{each.model}: {_percent(rate.value)} ({_digits(rate.low)}-{_digits(rate.high)}); the judge says "
            f"{_percent(each.judged_fraction)} of {_judged_words(each)}"
            f"{passes}{_corrected_cost(each)}"
        )


def _judged_words(part: CorrectedPart) -> str:
    """How many answers the judge's rate is of."""
    if part.false_accept_fraction is None:
        return f"{part.judged_count:,}, and its errors are known from {part.gold_count:,} other answers"
    return f"{part.judged_count + part.gold_count:,}"


def _corrected_cost(part: CorrectedPart) -> str:
    cost = part.usd_per_success
    return "" if cost.value is None else f"; {money(PER_COUNT * cost.value)} per thousand successes"


def _canaries(document: OutcomesDocument) -> Iterator[str]:
    for each in document.canaries:
        rate = each.false_accept_fraction
        ends = f"{_digits(rate.low)}-{_digits(rate.high)}"
        yield f"{each.kind}: {_percent(rate.value)} of {each.judged_count:,} passed ({ends})"


def _repeated(document: OutcomesDocument) -> Iterator[str]:
    for each in document.repeated:
        known = each.correlation
        middle = each.correlation_fraction if known is None or known.value is None else known.value
        ends = "" if known is None else f"90 %: {known.low:.2f}-{known.high:.2f}; "
        yield (
            f"{each.model}: correlation {middle:.2f} ({ends}Beta {each.alpha_count:.3g}, {each.beta_count:.3g}) over "
            f"{each.requests_count:,} requests tried again; 0 would be independent tries, 1 another try in vain"
        )


def _checks(document: OutcomesDocument) -> Iterator[str]:
    checks = document.checks
    assert checks is not None
    yield f"{checks.failed_count:,} of {checks.checked_count:,} answers fail their checks"
    if checks.overruled_count:
        yield f"{checks.overruled_count:,} of these were called a success before"
    if checks.unkept_count:
        yield f"{checks.unkept_count:,} answers are not kept in the file, so not checked; what it says of them stands"
    yield from (f"{count:,} {why}" for why, count in checks.reasons.items())


def _remarks(document: OutcomesDocument) -> list[str]:
    found = [f"price of {each.model}: {each.words}" for each in document.prices]
    found += document.notes
    rejects = document.rejects
    if rejects.rows_count:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in list(rejects.reasons.items())[:3])
        where = f"; all of them are in {rejects.path}" if rejects.path else ""
        what = "rows were rejected"
        if rejects.cells_count > rejects.rows_count:
            what = f"rows hold {rejects.cells_count:,} cells that were rejected"
        found.append(f"{rejects.rows_count:,} of {document.rows_count:,} {what} ({reasons}){where}.")
        found += rejects.examples
    elif rejects.labels_count and rejects.path:
        found.append(f"Rows that are no labels: {rejects.labels_count:,}; all of them are in {rejects.path}.")
    return [*found, f"read from {document.files}"]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _digits(value: float) -> str:
    return f"{100 * value:.1f}"


def _per_call(rate: RatePart) -> str:
    return "-" if rate.usd_per_request is None else money(PER_COUNT * rate.usd_per_request)


def _per_success(rate: RatePart) -> str:
    cost = rate.usd_per_success
    if cost.value is not None:
        return money(PER_COUNT * cost.value)
    return f"> {money(PER_COUNT * cost.low)}" if cost.low is not None else "-"


def _span(rate: RatePart) -> str:
    cost = rate.usd_per_success
    if cost.value is None or cost.low is None or cost.high is None:
        return ""
    return money_span(PER_COUNT * cost.low, PER_COUNT * cost.high)
