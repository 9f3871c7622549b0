"""Kept texts: prompts and answers of single calls as a page may show them: harmless, cut to a length, line by line."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.reports.safe_text import safe, short

if TYPE_CHECKING:
    from breakeven.web.page import Desk

HEAD_CHARACTERS: Final = 4_000
TAIL_CHARACTERS: Final = 800
INDENT_MAX_COUNT: Final = 40
FIRST_MESSAGES_COUNT: Final = 2
LAST_MESSAGES_COUNT: Final = 8
ROLE_TITLES: Final = {"system": "System prompt", "user": "User", "assistant": "Assistant", "tool": "Tool"}
REMEMBERED_COUNT: Final = 100
"""Calls whose texts, cut as they are shown, are kept in memory; never on disk."""
_lock = threading.Lock()


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


_shown: OrderedDict[tuple[tuple[str, int], str], ShownCall | None] = OrderedDict()


def shown_calls(desk: Desk, record_ids: Sequence[str], soon: Sequence[str] = ()) -> dict[str, ShownCall]:
    """The kept texts of these calls, a call without any left out; those wanted `soon` are looked up on the way."""
    stamp = _stamp(desk)
    with _lock:
        known = {each: _shown[stamp, each] for each in record_ids if (stamp, each) in _shown}
    missing = [each for each in record_ids if each not in known]
    if missing:
        wanted = list(dict.fromkeys((*missing, *soon)))
        found = _read(desk, wanted)
        known |= {each: found.get(each) for each in missing}
        with _lock:
            _shown.update({(stamp, each): found.get(each) for each in wanted})
            while len(_shown) > REMEMBERED_COUNT:
                _shown.popitem(last=False)
    return {each: shown for each in record_ids if (shown := known[each]) is not None}


def _read(desk: Desk, record_ids: Sequence[str]) -> dict[str, ShownCall]:
    from breakeven.usage.store import CallStore

    with CallStore(desk.project.store) as store:
        texts, calls = store.texts(), store.calls()
        mine = texts.filter(texts.record_id.isin(list(record_ids)))
        told = calls.filter(calls.record_id.isin(list(record_ids))).select("record_id", "redaction")
        rows = mine.left_join(told, "record_id").to_pyarrow().to_pylist()
    found = {}
    for row in rows:
        shown = tuple(_texts_of(row))
        if shown:
            is_redacted = "redacted" in (row["redaction"] or "")
            found[row["record_id"]] = ShownCall(row["record_id"], shown, is_redacted)
    return found


def _texts_of(row: dict[str, Any]) -> Iterator[ShownText]:
    """System prompt, each message of the prompt, and the answer; of very many messages the first and the last ones."""
    from breakeven.usage.prompts.conversation import answer_text, messages_of

    if row.get("system"):
        yield shown_text("System prompt", row["system"])
    messages = [each for each in messages_of(row["prompt"]) if each.text] if row.get("prompt") else []
    alone = len(messages) == 1
    for at, each in enumerate(messages):
        if FIRST_MESSAGES_COUNT <= at < len(messages) - LAST_MESSAGES_COUNT:
            if at == FIRST_MESSAGES_COUNT:
                left = len(messages) - FIRST_MESSAGES_COUNT - LAST_MESSAGES_COUNT
                yield ShownText(f"{left:,} messages between are left out", "", "", 0)
            continue
        title = "Prompt" if alone else ROLE_TITLES.get(each.role, f"Message of {short(each.role, 20)}")
        yield shown_text(title, each.text)
    if row.get("response"):
        yield shown_text("Answer", answer_text(row["response"]) or row["response"])


def _stamp(desk: Desk) -> tuple[str, int]:
    """Which store it is, as it stands now."""
    from breakeven.usage.store.manifest import MANIFEST_NAME

    return str(desk.project.store), (desk.project.store / MANIFEST_NAME).stat().st_mtime_ns


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
