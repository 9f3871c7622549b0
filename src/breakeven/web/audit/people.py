"""Labelling people: who is judging which call in the dashboard, so that two at once do not judge the same one.

A person is a browser (a cookie). Who looks at a call has it for some minutes; the next person is shown another.
Nothing here is needed to keep a label: labels are in the store's file, whoever gave them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

HELD_S: Final = 180.0
"""So long a call that is shown is shown to nobody else."""
PEOPLE_KEPT_COUNT: Final = 200


@dataclass(slots=True)
class _Person:
    skipped: list[str] = field(default_factory=list)
    seen_s: float = 0.0


class People:
    """All who label in one dashboard; safe to use from several threads."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._people: dict[str, _Person] = {}
        self._held: dict[str, tuple[str, float]] = {}

    def next_call(self, person: str, record_ids: Sequence[str], judged: Collection[str]) -> str | None:
        """The first call that is neither judged nor in somebody else's hands; skipped ones come last."""
        with self._lock:
            now, me = self._now_s(), self._of(person)
            free = [each for each in record_ids if each not in judged]
            mine = [each for each in free if not self._is_held(each, person, now)]
            ahead = [each for each in mine if each not in me.skipped]
            skipped = [each for each in me.skipped if each in mine]
            found = next(iter((*ahead, *skipped, *free)), None)
            self._held = {each: held for each, held in self._held.items() if held[0] != person}
            if found is not None:
                self._held[found] = (person, now)
            return found

    def skip(self, person: str, record_id: str) -> None:
        """Show it again when the others are done."""
        with self._lock:
            me = self._of(person)
            me.skipped = [each for each in me.skipped if each != record_id] + [record_id]

    def show_next(self, person: str, record_id: str) -> None:
        """A judgement was taken back: the call is this person's again, before the others."""
        with self._lock:
            me = self._of(person)
            me.skipped = [each for each in me.skipped if each != record_id]
            self._held[record_id] = (person, self._now_s())

    def others_count(self, person: str) -> int:
        """How many others look at a call now."""
        with self._lock:
            now = self._now_s()
            return len({who for who, since in self._held.values() if who != person and now - since < HELD_S})

    def _is_held(self, record_id: str, person: str, now_s: float) -> bool:
        who, since = self._held.get(record_id, ("", 0.0))
        return bool(who) and who != person and now_s - since < HELD_S

    def _of(self, person: str) -> _Person:
        if person not in self._people and len(self._people) >= PEOPLE_KEPT_COUNT:
            del self._people[min(self._people, key=lambda name: self._people[name].seen_s)]
        found = self._people.setdefault(person, _Person())
        found.seen_s = self._now_s()
        return found
