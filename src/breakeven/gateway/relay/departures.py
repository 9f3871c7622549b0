"""Departures: pieces of streams that came in one turn of the loop, and leave together after it.

Reading all that is there, and then writing all of it, keeps each of the two paths through the loop and the kernel warm,
and a client that is woken by its piece finds those of its other streams, too. Nothing waits for a time to pass.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol


class Departing(Protocol):
    """What has a piece to write."""

    waiting: bytes
    """Empty where the piece has left already, or nobody wants it any longer."""
    write: Callable[[bytes], None]
    """To the client; raises nothing while the client's connection is not closed."""


class Departures:
    """Of one process."""

    __slots__ = ("_loop", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.waiting: deque[Departing] = deque()
        """Whoever comes first calls `begin`."""

    def begin(self) -> None:
        """Has all that will wait written, when the loop has read what there is."""
        self._loop.call_soon(self._leave)

    def _leave(self) -> None:
        waiting = self.waiting
        try:
            while waiting:
                each = waiting.popleft()
                data = each.waiting
                if data:
                    each.waiting = b""
                    each.write(data)
        finally:
            if waiting:
                self.begin()
