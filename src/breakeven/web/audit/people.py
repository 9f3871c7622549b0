"""Labelling people: who is judging which call in the dashboard, so that two at once do not judge the same one.

A person is a browser (a cookie). Who looks at a call has it for some minutes; the next person is shown another.
Nothing here is needed to keep a label: labels are in the store's file, whoever gave them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

HELD_S: Final = 180.0
"""So long a call that is shown is shown to nobody else."""


class People:
    """All who label in one dashboard; safe to use from several threads."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._held: dict[str, tuple[str, float]] = {}

    def next_call(
        self, person: str, record_ids: Sequence[str], judged: Collection[str], skipped: Sequence[str] = ()
    ) -> str | None:
        """The first call that is neither judged nor in somebody else's hands; skipped ones come last, oldest first."""
        with self._lock:
            now = self._now_s()
            free = [each for each in record_ids if each not in judged]
            mine = [each for each in free if not self._is_held(each, person, now)]
            ahead = [each for each in mine if each not in set(skipped)]
            put_off = [each for each in skipped if each in set(mine)]
            found = next(iter((*ahead, *put_off, *free)), None)
            self._held = {each: held for each, held in self._held.items() if self._is_held(each, person, now)}
            if found is not None:
                self._held[found] = (person, now)
            return found

    def show_next(self, person: str, record_id: str) -> None:
        """A judgement was taken back: the call is this person's again, before the others."""
        with self._lock:
            self._held[record_id] = (person, self._now_s())

    def others_count(self, person: str) -> int:
        """How many others look at a call now."""
        with self._lock:
            now = self._now_s()
            return len({who for who, since in self._held.values() if who != person and now - since < HELD_S})

    def _is_held(self, record_id: str, person: str, now_s: float) -> bool:
        who, since = self._held.get(record_id, ("", 0.0))
        return bool(who) and who != person and now_s - since < HELD_S
