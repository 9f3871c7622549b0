"""Audit terminal: the tasks of a log as a table, the verdict above it; and a call to be labelled as a page."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.audit.label_choice import CallToLabel
from breakeven.audit.task import Audit, AuditedTask
from breakeven.reports import audit_wording as wording
from breakeven.reports.amounts import counted, fraction, money_short, tokens
from breakeven.reports.safe_text import safe, short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, next_step, print_parts, section

SHOWN_TASKS_COUNT: Final = 20
EXPLAINED_TASKS_COUNT: Final = 8
NAME_COLUMNS: Final = 34
WIDE_FROM_COLUMNS: Final = 110
NARROW_BELOW_COLUMNS: Final = 76
CAN_DO: Final = "A small model\ncan do (80 %)"
COLUMNS: Final = ("Task", "Calls", "of calls", "Tokens", "Spend", "of spend", "Kind", CAN_DO, "Evidence")
LEFT_OUT: Final = ("Tokens", "Kind")
LEFT_OUT_BELOW: Final = (*LEFT_OUT, "of calls", "Evidence")
TEXT_MAX_CHARACTERS: Final = 1_500
SHOWN_TERMS_COUNT: Final = 24
KEYS_LINE: Final = "1 a small model can   2 it cannot   3 cannot tell   s skip   u undo   q quit"


def render_audit(audit: Audit, console: Console, *, warnings: tuple[str, ...] = (), next_command: str = "") -> None:
    """Print the audit."""
    more = len(audit.tasks) - SHOWN_TASKS_COUNT
    print_parts(
        console,
        (
            Paragraph(wording.verdict_sentence(audit), "bold"),
            bullets(wording.verdict_details(audit)),
            _table(audit, console.width),
            Paragraph(f"{more} smaller tasks are in --json.", "dim") if more > 0 else None,
            section("Why", bullets(list(wording.why_lines(audit, EXPLAINED_TASKS_COUNT)))),
            section("The small model", bullets(wording.savings_lines(audit.commodity.savings))),
            section("Excluded", bullets(wording.EXCLUDED) if audit.commodity.savings else None),
            section("Weak spots", bullets([*audit.notes, *warnings]), "bold yellow"),
            next_step(next_command) if next_command else None,
        ),
    )


def render_call(call: CallToLabel, console: Console, number: int, total: int) -> None:
    """Print one call to be judged; whatever is in it cannot steer the terminal."""
    head = f"Call {number} of {total}: {short(call.task.name, 60)}"
    facts = [
        f"{call.model}, {call.start_time:%Y-%m-%d %H:%M} UTC: {counted(call.input_tokens, 'token')} in, "
        f"{counted(call.output_tokens, 'token')} out",
        *(f"{title}: {value}" for title, value in call.details),
    ]
    if call.terms:
        facts.append(f"words: {', '.join(call.terms[:SHOWN_TERMS_COUNT])}")
    if call.prompt is None:
        facts.append("the prompt was dropped on import; --prompts redact or keep would show it")
    print_parts(
        console,
        (
            Text(safe(head), style="bold"),
            bullets(facts),
            *(section(title, _text(text)) for title, text in _texts(call)),
            Paragraph(KEYS_LINE, "dim"),
        ),
    )


def _texts(call: CallToLabel) -> list[tuple[str, str]]:
    kept = (("System", call.system), ("Prompt", call.prompt), ("Answer", call.response))
    return [(title, text) for title, text in kept if text]


def _text(text: str) -> Paragraph:
    cut = text[:TEXT_MAX_CHARACTERS]
    more = f" [... {len(text) - len(cut):,} more characters]" if len(text) > len(cut) else ""
    return Paragraph(safe(cut) + more)


def _table(audit: Audit, width: int) -> Table:
    """One row a task; a narrow console leaves out what the sections below and --json say too."""
    left_out = LEFT_OUT_BELOW if width < NARROW_BELOW_COLUMNS else LEFT_OUT if width < WIDE_FROM_COLUMNS else ()
    shown = [each for each in COLUMNS if each not in left_out]
    table = plain_table()
    table.add_column(shown[0], overflow="fold", max_width=NAME_COLUMNS)
    for header in shown[1:]:
        is_text = header in {"Kind", "Evidence"}
        table.add_column(header, justify="left" if is_text else "right", no_wrap=not is_text)
    for each in audit.tasks[:SHOWN_TASKS_COUNT]:
        cells = _cells(each)
        table.add_row(*(Text(safe(cells[header])) for header in shown))
    return table


def _cells(task: AuditedTask) -> dict[str, str]:
    is_priced = task.spend_usd is not None
    return {
        "Task": short(task.name, 2 * NAME_COLUMNS),
        "Calls": f"{task.calls_count:,}",
        "of calls": fraction(task.calls_fraction),
        "Tokens": tokens(task.tokens).removesuffix(" tokens"),
        "Spend": "UNPRICED" if task.spend_usd is None else money_short(task.spend_usd),
        "of spend": fraction(task.spend_fraction) if is_priced else "",
        "Kind": task.kind.kind,
        CAN_DO: wording.share_range(task.suitability.can_do),
        "Evidence": wording.evidence_words(task),
    }
