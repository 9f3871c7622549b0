"""Kept texts: prompts and answers of single calls as a page may show them: harmless, cut to a length, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.reports.safe_text import safe

if TYPE_CHECKING:
    from breakeven.web.page import Desk

HEAD_CHARACTERS: Final = 4_000
TAIL_CHARACTERS: Final = 800
INDENT_MAX_COUNT: Final = 40
TITLES: Final = (("system", "System prompt"), ("prompt", "Prompt"), ("response", "Answer"))


@dataclass(frozen=True, slots=True)
class ShownText:
    """One text of a call."""

    title: str
    head: Any
    """Markup that was escaped here."""
    tail: Any
    """Its end, where the middle was left out; else empty."""
    left_out_count: int
    """Characters left out between."""


@dataclass(frozen=True, slots=True)
class ShownCall:
    """The kept texts of one call."""

    record_id: str
    texts: tuple[ShownText, ...]
    is_redacted: bool
    """What was recognised as personal was taken out before anything was stored."""


def shown_calls(desk: Desk, record_ids: Sequence[str]) -> dict[str, ShownCall]:
    """The kept texts of these calls; a call without any is left out."""
    from breakeven.usage.store import CallStore

    if not record_ids:
        return {}
    with CallStore(desk.project.store) as store:
        texts, calls = store.texts(), store.calls()
        rows = texts.filter(texts.record_id.isin(list(record_ids))).to_pyarrow().to_pylist()
        told = calls.filter(calls.record_id.isin([row["record_id"] for row in rows])) if rows else None
        notes = told.select("record_id", "redaction").to_pyarrow().to_pylist() if told is not None else []
    redacted = {row["record_id"]: "redacted" in (row["redaction"] or "") for row in notes}
    found = {}
    for row in rows:
        shown = tuple(shown_text(title, row[name]) for name, title in TITLES if row.get(name))
        if shown:
            found[row["record_id"]] = ShownCall(row["record_id"], shown, redacted.get(row["record_id"], False))
    return found


def shown_text(title: str, text: str) -> ShownText:
    r"""A text of any length and content.

    >>> found = shown_text("Prompt", "<b>\x1b[31mred\u202e</b>\n  second")
    >>> str(found.head), found.left_out_count
    ('&lt;b&gt;red&lt;/b&gt;\n  second', 0)
    """
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return ShownText(title, harmless(text), "", 0)
    head, tail = text[:HEAD_CHARACTERS], text[-TAIL_CHARACTERS:]
    return ShownText(title, harmless(head), harmless(tail), len(text) - len(head) - len(tail))


def harmless(text: str) -> Any:
    """Lines with their indentation, without controls, invisible and direction-changing characters; as markup."""
    from markupsafe import escape

    return escape("\n".join(_line(each) for each in text.splitlines()))


def _line(line: str) -> str:
    indent = min(len(line) - len(line.lstrip(" \t")), INDENT_MAX_COUNT)
    return " " * indent + safe(line)
