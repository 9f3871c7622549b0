"""Conditions: what a rule asks of a request, made ready, so that a request is asked only what some rule needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from breakeven.gateway.admission.outgoing_text import OutgoingText, outgoing_text
from breakeven.gateway.admission.request_head import TASK, Told
from breakeven.gateway.admission.text_pattern import TextPattern
from breakeven.gateway.config.settings import Condition
from breakeven.gateway.plan import Key
from breakeven.gateway.wire.request_facts import OPERATIONS


@dataclass(slots=True)
class Asked:
    """One request, as rules see it; its text is gathered once, and only where a rule looks for words."""

    path: bytes
    told: Told
    document: Mapping[str, Any]
    body: bytes
    key: Key | None
    task: str | None = None
    system_hash: str | None = None
    schema_hash: str | None = None
    _text: OutgoingText | None = field(default=None, repr=False)

    @property
    def text(self) -> OutgoingText:
        """Everything that it would send out."""
        if self._text is None:
            self._text = outgoing_text(self.document, self.body)
        return self._text


class Rule:
    """A condition, ready to be asked."""

    __slots__ = ("_condition", "_header_value", "_path", "_pattern")

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._pattern = None if condition.pattern is None else TextPattern(condition.pattern)
        self._path = None if condition.path is None else _operation_or_path(condition.path.encode("utf-8", "replace"))
        value = "" if condition.header is None else condition.header[1].strip()
        self._header_value = value.encode("utf-8", "replace").lower()

    def holds(self, asked: Asked, if_unreadable: bool) -> bool:
        """Whether a request has all that is asked; `if_unreadable` is the answer where its text cannot be searched.

        A task of "" asks for requests whose task nobody told.
        """
        of = self._condition
        if of.task is not None and of.task != (asked.task or "") and not _names(asked.told, of.task):
            return False
        if of.key_id is not None and (asked.key is None or asked.key.id != of.key_id):
            return False
        if self._path is not None and self._path != _operation_or_path(asked.path):
            return False
        if of.header is not None and not self._has_header(asked.told, of.header[0]):
            return False
        for wanted, seen in ((of.system_hash, asked.system_hash), (of.schema_hash, asked.schema_hash)):
            if wanted is not None and wanted != seen and not (if_unreadable and asked.text.has_twins):
                return False
        return self._pattern is None or self._has_text(asked, self._pattern, if_unreadable)

    def _has_header(self, told: Told, name: bytes) -> bool:
        """Whether any header of that name has the value, alone or in a list, in small or capital letters."""
        values = told.get(name)
        if values is None:
            return False
        return self._header_value == b"*" or self._header_value in _said(values)

    def _has_text(self, asked: Asked, pattern: TextPattern, if_unreadable: bool) -> bool:
        text = asked.text
        found = pattern.is_in(text.texts, text.characters_count)
        if found is None:
            return if_unreadable
        return found or (if_unreadable and not text.is_readable)


def _names(told: Told, task: str) -> bool:
    """Whether one of several headers names a task: they name none together, and hide none either."""
    values = told.get(TASK, ())
    if len(values) < 2 and not any(b"," in each for each in values):
        return False
    return task.encode("utf-8", "replace").lower() in _said(values)


def _said(values: Iterable[bytes]) -> set[bytes]:
    """What headers of one name say: each value, and what stands between its commas."""
    whole = [each.strip().lower() for each in values]
    return {*whole, *(part.strip() for each in whole if b"," in each for part in each.split(b","))}


def _operation_or_path(path: bytes) -> str | bytes:
    """What is asked for: one operation has several paths."""
    return OPERATIONS.get(path, path)
