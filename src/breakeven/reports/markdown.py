"""Markdown: the comparison for a pull request: verdict, what changed, the options, what to measure next, its scope."""

from __future__ import annotations

from breakeven.reports import amounts, findings
from breakeven.reports.decide_page import DecidePage, decide_page, horizon_option, payback_words
from breakeven.reports.document import Document, OptionPart
from breakeven.reports.markdown_text import bullets, code, escaped, table
from breakeven.reports.price_watch_part import PriceWatchPart
from breakeven.reports.price_watch_wording import (
    cause_lines,
    causes_title,
    change_lines,
    difference_lines,
    move_cells,
    moves_note,
    moves_shown,
    since,
)
from breakeven.reports.safe_text import short
from breakeven.reports.shortlist import main_options, other_options

HASH_SHOWN_COUNT = 12


def render_markdown(document: Document, watch: PriceWatchPart | None = None) -> str:
    """GitHub-flavoured Markdown, ending in a newline; `watch` adds what changed since a baseline."""
    page = decide_page(document)
    blocks = [
        [f"## breakeven: {escaped(page.title)}"],
        [f"**{escaped(page.sentence)}**"],
        [" · ".join(f"**{escaped(each.text)}**" for each in findings.comparison_badges(document))],
        _figures(page),
        *(_watch(watch) if watch else []),
        ["### Options", "", *_options(document, page)],
        [escaped(_note(document))],
        _headed("### What to measure next", [page.measure_next]),
        _headed(f"### {page.turns_title}", page.change_our_mind),
        _headed(f"### {page.exit_title}", page.exits_apart),
        _headed("### Read with this in mind", (*page.missing, *page.beside, *page.details)),
        _folded("Included and excluded", _scope(document)),
        [f"<sub>{_footer(document)}</sub>"],
    ]
    return "\n\n".join("\n".join(each) for each in blocks if any(each)) + "\n"


def _headed(title: str, lines: tuple[str, ...] | list[str]) -> list[str]:
    found = bullets(each for each in lines if each)
    return [title, "", *found] if found else []


def _folded(title: str, lines: list[str]) -> list[str]:
    return ["<details>", f"<summary>{escaped(title)}</summary>", "", *lines, "", "</details>"]


def _figures(page: DecidePage) -> list[str]:
    rows = [
        [escaped(each.label), f"**{escaped(each.value)}**", escaped(each.range), escaped(each.note)]
        for each in page.tiles
    ]
    return table(("", "", "P10 to P90", ""), rows, ("left", "left", "left", "left"))


def _options(document: Document, page: DecidePage) -> list[str]:
    scale = findings.successes_shown_count(document)
    per = "success" if scale == 1 else f"{scale:,} successes"
    head = ("Option", "USD a month (P10-P90)", f"USD per {per}", "cheapest in futures", "present value", "payback")
    rows = [_option(document, each, scale, each.name == page.recommended) for each in main_options(document)]
    return table(head, rows, ("left", "right", "right", "right", "right", "right"))


def _option(document: Document, option: OptionPart, scale_count: int, chosen: bool) -> list[str]:
    bill, ahead = option.usd_per_month, horizon_option(document, option.name)
    title = escaped(short(option.title, findings.TITLE_MAX_COUNT))
    remarks = "".join(f"<br>{escaped(each)}" for each in findings.option_remarks(document, option))
    return [
        (f"**{title}** (recommended)" if chosen else title) + remarks,
        escaped(amounts.money_range(bill.p50, bill.p10, bill.p90)),
        escaped(amounts.money(option.usd_per_success.p50 * scale_count)),
        escaped(amounts.odds(option.probability_cheapest_fraction)),
        escaped(amounts.difference(ahead.saves_usd.mean)) if ahead and ahead.payback else "-",
        escaped(payback_words(ahead.payback)) if ahead and ahead.payback else "-",
    ]


def _note(document: Document) -> str:
    others = len(other_options(document))
    more = f"{amounts.counted(others, 'more option')} in the HTML report. " if others else ""
    volume = amounts.volume(document.breakeven.volume_mtok_per_month)
    horizon = document.horizon
    months = amounts.counted(horizon.months_count, "month") if horizon else ""
    over = f"expected present value over {months} against staying; " if horizon else ""
    lost = f"{amounts.counted(len(document.unavailable), 'option')} not costed. " if document.unavailable else ""
    return f"{more}{lost}At {volume} a month; {over}sorted by cost per successful outcome.".strip()


def _watch(watch: PriceWatchPart) -> list[list[str]]:
    title = next((each.title for each in watch.moves if each.option == watch.explained), watch.explained)
    rows = [[escaped(each.title), *map(escaped, move_cells(each))] for each in moves_shown(watch)]
    head = ("Option", "before", "now", "move", "bound")
    moves = table(head, rows, ("left", "right", "right", "right", "right")) if rows else []
    causes = bullets(cause_lines(watch))
    changes = bullets(change_lines(watch))
    return [
        [f"### {escaped(since(watch))}"],
        [f"**{escaped(watch.sentence)}**"],
        bullets(difference_lines(watch)),
        moves,
        [escaped(moves_note(watch))] if rows else [],
        [f"**{escaped(causes_title(watch, title))}**", "", *causes] if causes else [],
        ["**Prices and facts that changed**", "", *changes] if changes else [],
    ]


def _scope(document: Document) -> list[str]:
    lines = ["**Included**", "", escaped("; ".join(document.included)) or "-", "", "**Excluded**", ""]
    return [*lines, *bullets(document.excluded)]


def _footer(document: Document) -> str:
    rows = findings.footer_findings(document)
    return "; ".join(
        f"{escaped(label)} {code(value[:HASH_SHOWN_COUNT]) if 'hash' in label else escaped(value)}"
        for label, value in rows
    )
