"""Last few: what was made lately, by its key; the one that was asked for the longest time ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")


class LastFew(Generic[Made]):
    """At most so many things; any thread may ask.

    >>> few = LastFew[str](2)
    >>> few.keep("a", "A"), few.keep("b", "B"), few.get("a"), few.keep("c", "C")
    ('A', 'B', 'A', 'C')
    >>> few.get("a"), few.get("b")
    ('A', None)
    """

    def __init__(self, most_count: int) -> None:
        self._most_count = most_count
        self._kept: OrderedDict[Hashable, Made] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Made | None:
        """What was kept under `key`; None: nothing, or not any more."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Hashable, made: Made) -> Made:
        """`made`, kept."""
        with self._lock:
            self._kept[key] = made
            self._kept.move_to_end(key)
            while len(self._kept) > self._most_count:
                self._kept.popitem(last=False)
        return made
