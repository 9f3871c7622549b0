"""PassingHash: the hash of bytes that somebody else reads, made by another thread, so that they are read once."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Executor, Future
from typing import Final

_BLOCKS_BEHIND_MAX: Final = 4


class PassingHash:
    """Is told block after block with `add`, and a few blocks later has hashed it."""

    def __init__(self, worker: Executor) -> None:
        """`worker` has one thread: the blocks must stay in order."""
        self._worker = worker
        self._sha256 = hashlib.sha256()
        self._waiting: deque[Future[None]] = deque()

    def add(self, block: bytes) -> None:
        """Hash `block` in a while."""
        self._waiting.append(self._worker.submit(self._sha256.update, block))
        while len(self._waiting) > _BLOCKS_BEHIND_MAX:
            self._waiting.popleft().result()

    def hexdigest(self) -> str:
        """The hash of all blocks."""
        while self._waiting:
            self._waiting.popleft().result()
        return self._sha256.hexdigest()
