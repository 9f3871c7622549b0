"""Routing terminal: what `learn` found, and what `evaluate` found, as a page: the answer first, then why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.learning.evaluation_document import EvaluationDocument
from breakeven.reports.amounts import counted
from breakeven.reports.routing_document import ExamplePart, GroupPart, LearnDocument
from breakeven.reports.routing_rows import (
    NAME_MAX_COUNT,
    PER,
    cost_heading,
    curve_words,
    details,
    money_words,
    percent_words,
    price_words,
    ranges,
    savings_lines,
    steps_words,
    way_rows,
)
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Bullets, Paragraph, bullets, next_step, print_parts, section

SHOWN_GROUPS_COUNT: Final = 12
NARROW_COLUMNS: Final = 90


def render_learnt(
    document: LearnDocument, console: Console, *, explain: bool, next_command: str, warnings: Sequence[str] = ()
) -> None:
    """Print what was learnt."""
    routes = document.policy.kind != "single"
    print_parts(
        console,
        (
            Paragraph(document.verdict.sentence, "bold"),
            bullets(list(details(document))),
            _ways(document.evaluation, console.width, "this policy" if routes else "router tried, not used"),
            section(
                "Savings" if routes else "Savings of the router tried", bullets(savings_lines(document.evaluation))
            ),
            section("Who takes what", _groups(document.groups, document.floor.against_model, console.width)),
            section("Why", bullets(list(_why(document)))) if explain else None,
            section("Examples", _examples(document)) if explain else None,
            section("Prices", bullets([price_words(document, each.model) for each in document.prices])),
            section("Weak spots", bullets([*document.notes, *warnings]), "bold yellow"),
            next_step(next_command) if next_command else None,
        ),
    )


def render_evaluation(
    document: EvaluationDocument,
    console: Console,
    *,
    title: str,
    details: Sequence[str] = (),
    warnings: Sequence[str] = (),
    next_command: str = "",
) -> None:
    """Print how a policy did on outcomes."""
    print_parts(
        console,
        (
            Paragraph(title, "bold"),
            bullets([*ranges(document), *details]),
            _ways(document, console.width, "this policy"),
            section("Savings", bullets(savings_lines(document))),
            section("Models", _models(document)),
            section("Curve", bullets(list(curve_words(document)))),
            section("Weak spots", bullets([*document.notes, *warnings]), "bold yellow"),
            next_step(next_command) if next_command else None,
        ),
    )


def _ways(document: EvaluationDocument, width: int, own_name: str) -> Table:
    """The policy among everything it is compared with."""
    table = plain_table()
    table.add_column("Way", overflow="fold")
    money, is_wide = document.cost_basis == "usd", width >= NARROW_COLUMNS
    headings = [cost_heading(document), "Success"]
    headings += [f"USD per {PER:,.0f} successes"] if money else []
    headings += ["APGR", "AIQ"] if is_wide else []
    for heading in headings:
        table.add_column(heading, justify="right")
    for at, each in enumerate(way_rows(document, own_name)):
        cells = [each.name, each.cost, each.success]
        cells += [each.per_success] if money else []
        cells += [each.apgr, each.aiq] if is_wide else []
        table.add_row(*(Text(safe(cell), style="" if at else "bold") for cell in cells))
    return table


def _groups(groups: Sequence[GroupPart], reference: str, width: int) -> Table | None:
    """The groups with the most requests."""
    shown = sorted(groups, key=lambda each: -each.requests)[:SHOWN_GROUPS_COUNT]
    if not shown:
        return None
    table = plain_table()
    table.add_column(" / ".join(shown[0].group) or "Group", overflow="fold")
    for name in ("Requests", "Model", "Its success", *(("Reference's",) if width >= 70 else ())):
        table.add_column(name, justify="left" if name == "Model" else "right", overflow="fold")
    for each in shown:
        cells = [
            short(" / ".join(each.group.values()) or "all", NAME_MAX_COUNT),
            f"{each.requests:,}",
            short(each.model, NAME_MAX_COUNT),
            f"{100 * each.success[each.model]:.1f} %" if each.model in each.success else "not known",
        ]
        if width >= 70:
            cells.append(f"{100 * each.success[reference]:.1f} %" if reference in each.success else "not known")
        table.add_row(*(Text(safe(cell)) for cell in cells))
    if len(groups) > len(shown):
        table.caption = f"{len(groups) - len(shown)} smaller groups are in policy.json"
        table.caption_justify = "left"
    return table


def _why(document: LearnDocument) -> Iterable[str]:
    scorer = document.scorer
    yield f"A scorer of prompts: {scorer.why}."
    yield from steps_words(document)
    for each in document.drafts:
        mark = "taken to calibration" if each.calibrated else "dearer at the floor, by the requests learnt from"
        failures = (
            f" and {PER * each.failures_usd_per_request:.4g} USD of failures" if each.failures_usd_per_request else ""
        )
        yield (
            f"{each.name}: {PER * each.usd_per_request:.4g} USD{failures} per {PER:,.0f} requests, success "
            f"{100 * each.success_fraction:.1f} %: {mark}."
        )
    yield from curve_words(document.evaluation)


def _models(document: EvaluationDocument) -> Table:
    table = plain_table()
    for name in ("Model", "Share", "Success of its requests", "Success alone"):
        table.add_column(name, justify="left" if name == "Model" else "right", overflow="fold")
    for each in document.models:
        table.add_row(
            Text(safe(short(each.model, NAME_MAX_COUNT))),
            "not known" if each.share_fraction is None else f"{100 * each.share_fraction:.1f} %",
            percent_words(each.success),
            f"{100 * each.alone_success_fraction:.1f} %",
        )
    return table


def _examples(document: LearnDocument) -> Bullets | None:
    return bullets([_example(each, document.floor.against_model) for each in document.examples])


def _example(each: ExamplePart, reference: str) -> str:
    names = dict.fromkeys((each.model, reference))
    best = ", ".join(
        f"{short(name, 24)} {100 * each.predicted[name]:.0f} %" for name in names if name in each.predicted
    )
    what = f'"{each.prompt}"' if each.prompt else f"request {each.request_id}"
    return f"{each.model} takes {each.group or 'all'}: {what} (predicted: {best})"


def evaluation_words(document: EvaluationDocument) -> str:
    """One line of an evaluation, where no verdict is passed."""
    cost = money_words(document.usd_per_request)
    return (
        f"{counted(document.requests, 'request')}: {cost} USD per {PER:,.0f}, success {percent_words(document.success)}"
        if document.cost_basis == "usd"
        else f"{counted(document.requests, 'request')}: success {percent_words(document.success)}"
    )
