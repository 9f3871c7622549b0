"""Pilot Markdown: a pilot for a pull request or a wiki: answer, figures, tasks, promises, guards, and limits."""

from __future__ import annotations

from collections.abc import Sequence

from breakeven.reports import pilot_wording as told
from breakeven.reports.markdown_text import bullets, code, escaped, table
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_summary import HASH_SHOWN_COUNT, PilotSummary, pilot_summary

SIGNS = {"good": "✓", "bad": "✗", "open": "○"}


def render_pilot_markdown(document: PilotDocument) -> str:
    """GitHub-flavoured Markdown, ending in a newline."""
    page = pilot_summary(document)
    blocks: list[list[str]] = [
        [f"## {escaped(page.kicker)}"],
        [f"**{escaped(page.answer)}** · " + " · ".join(escaped(each.text) for each in page.badges)],
        [f"**{escaped(page.sentence)}**"],
        _headed("### What limits what may be claimed", bullets(page.alerts)),
        _table(("", "", "", ""), [[t.label, f"**{escaped(t.value)}**", t.range, t.note] for t in page.tiles], raw=1),
        bullets(page.details),
        _headed("### Does the success stay?", _tasks(page)),
        _headed("### What it saves", _money(page)),
        _headed("### What was promised, and what happened", _promises(page)),
        _headed("### What is not claimed", bullets(page.not_claimed)),
        _headed(
            "### Since the rollout", bullets(f"{'ALARM: ' if alarm else ''}{words}" for words, alarm in page.watch)
        ),
        _headed("### Guardrails", _guards(page)),
        _headed("### What was promised before it started", bullets(f"{e.label}: {e.words}" for e in page.design)),
        _headed("### What happened", bullets(f"{when}: {words}" for when, words in page.journal)),
        _headed("### Seen in the data", bullets(page.remarks)),
        [f"<sub>{_footer(page)}</sub>"],
    ]
    return "\n\n".join("\n".join(each) for each in blocks if any(each)) + "\n"


def _headed(title: str, lines: list[str]) -> list[str]:
    return [title, "", *lines] if lines else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], raw: int | None = None) -> list[str]:
    """A table of texts; the column `raw` holds Markdown already."""
    if not rows:
        return []
    cells = [[text if at == raw else escaped(text) for at, text in enumerate(row)] for row in rows]
    return table([escaped(each) for each in head], cells, ["left"] * len(head))


def _tasks(page: PilotSummary) -> list[str]:
    head = ("Task", "Outcomes", "Baseline", "Candidate", "Of the baseline's (95 %)", "Evidence", "State")
    rows = [
        [
            each.name,
            each.outcomes,
            each.baseline,
            each.candidate,
            f"{each.ratio} ({each.ratio_range})" if each.ratio_range else each.ratio,
            each.evidence,
            f"{SIGNS[each.kind]} {each.state}",
        ]
        for each in page.tasks
    ]
    return _table(head, rows)


def _money(page: PilotSummary) -> list[str]:
    head = (f"USD per {told.PER_REQUESTS:,.0f} requests", "Baseline", "Candidate", "")
    found = _table(head, page.money)
    sums = [f"{label}: {value} ({span})" if span else f"{label}: {value}" for label, value, span in page.sums]
    if page.not_stated:
        sums.append(f"Not counted, because nobody stated it: {'; '.join(page.not_stated)}")
    return [*found, *([""] if found and sums else []), *bullets(sums)]


def _promises(page: PilotSummary) -> list[str]:
    rows = [
        [
            each.title,
            f"{each.promised} ({each.promised_range})" if each.promised_range else each.promised,
            f"{each.happened} ({each.happened_range})" if each.happened_range else each.happened,
            f"{SIGNS[each.kind]} {each.words}",
        ]
        for each in page.promises
    ]
    return _table(("Figure", "Promised", "Happened", ""), rows)


def _guards(page: PilotSummary) -> list[str]:
    rows = [[each.title, each.task, each.seen, each.allowed, each.state, each.words] for each in page.guards]
    return _table(("Guard", "Task", "Seen", "Allowed", "State", ""), rows)


def _footer(page: PilotSummary) -> str:
    return "; ".join(
        f"{escaped(label)} {code(value[:HASH_SHOWN_COUNT]) if 'hash' in label else escaped(value)}"
        for label, value in page.footer
    )
