"""Request head: the headers that decide something, found in one walk; what a header says twice is not guessed at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

AUTHORIZATION: Final = b"authorization"
API_KEY: Final = b"x-api-key"
TASK: Final = b"x-breakeven-task"
MODEL: Final = b"x-breakeven-model"
TEMPLATE: Final = b"x-breakeven-template"
APPLICATION: Final = b"x-breakeven-application"
SESSION: Final = b"x-breakeven-session"
TRACE: Final = b"traceparent"
KNOWN: Final = frozenset({AUTHORIZATION, API_KEY, TASK, MODEL, TEMPLATE, APPLICATION, SESSION, TRACE})
WORD_MAX_COUNT: Final = 200
"""Characters of a task, a template, an application, a session, a model."""
_TRACE: Final = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?", re.DOTALL)
_KEPT_MAX_COUNT: Final = 4_096
_words: dict[bytes, str | None] = {}
_NO_TRACE: Final = (b"0" * 32, b"0" * 16)

Told = dict[bytes, list[bytes]]


def told_of(headers: Iterable[tuple[bytes, bytes]], wanted: frozenset[bytes]) -> Told:
    """The wanted headers of a request, each as often as it stands there.

    >>> told_of([(b"host", b"a"), (b"x-api-key", b"k")], KNOWN)
    {b'x-api-key': [b'k']}
    """
    told: Told = {}
    for name, value in headers:
        if name in wanted:
            if name in told:
                told[name].append(value)
            else:
                told[name] = [value]
    return told


def word(told: Told, name: bytes) -> str | None:
    """What a header names, as text; None where it is not there, empty, too long or no printable text.

    >>> word({b"x-breakeven-task": [b" faq "]}, TASK), word({b"x-breakeven-task": [b"a", b"b"]}, TASK)
    ('faq', None)
    """
    values = told.get(name)
    if values is None or len(values) > 1:
        return None
    value = values[0]
    if value in _words:
        return _words[value]
    found = _word(value)
    if len(value) <= WORD_MAX_COUNT:
        if len(_words) >= _KEPT_MAX_COUNT:
            _words.clear()
        _words[value] = found
    return found


def _word(value: bytes) -> str | None:
    try:
        text = value.decode("utf-8").strip()
    except UnicodeDecodeError:
        text = value.decode("latin-1").strip()
    return text if text and len(text) <= WORD_MAX_COUNT and text.isprintable() else None


def trace_of(told: Told) -> tuple[str | None, str | None]:
    """Trace and parent span that the client is in (W3C `traceparent`).

    >>> trace_of({b"traceparent": [b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]})
    ('0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331')
    """
    values = told.get(TRACE)
    found = _TRACE.fullmatch(values[0]) if values and len(values) == 1 and len(values[0]) <= WORD_MAX_COUNT else None
    if found is None or found[1] == _NO_TRACE[0] or found[2] == _NO_TRACE[1]:
        return None, None
    return found[1].decode(), found[2].decode()
