"""ReadAhead: the blocks of a large file, read and hashed by a thread of their own before anybody asks for them.

So an import begins to read while it is still finding out what there is to read, and reads the file once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Semaphore
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.usage.reading.lent_memory import LentMemory
from breakeven.usage.reading.log_file import size_of_lines

AHEAD_BYTES: Final = 8 << 20
"""Of a block. Larger than those of other files: with each the reading thread must wait for its turn."""
_BLOCKS_AHEAD_MAX: Final = 4


class ReadAhead:
    """Begins at once. Iterate over it once, then ask for the hash; `close` ends it before that."""

    def __init__(self, path: Path, worker: Executor) -> None:
        """`worker` has a thread to spare until the file is read or `close` was called."""
        self._path = path
        self._memory = LentMemory(AHEAD_BYTES)
        self._sha256 = hashlib.sha256()
        self._room = Semaphore(_BLOCKS_AHEAD_MAX)
        self._blocks: SimpleQueue[NDArray[np.uint8] | None] = SimpleQueue()
        self._is_closed = Event()
        self._done = worker.submit(self._read)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """The bytes of the file, most blocks ending with a line."""
        while (block := self._blocks.get()) is not None:
            self._room.release()
            yield block
            del block  # so that its memory may serve again
        self._done.result()

    def hexdigest(self) -> str:
        """SHA-256 of the file, once all blocks were taken."""
        self._done.result()
        return self._sha256.hexdigest()

    def close(self) -> None:
        """Read no further."""
        self._is_closed.set()
        self._room.release()

    def _read(self) -> None:
        try:
            with self._path.open("rb", buffering=0) as file:
                while self._has_room() and len(block := self._filled_block(file)):
                    self._sha256.update(block.data)
                    self._blocks.put(block)
                    del block
        finally:
            self._blocks.put(None)

    def _has_room(self) -> bool:
        """Wait for room; false once nobody wants more."""
        self._room.acquire()
        return not self._is_closed.is_set()

    def _filled_block(self, file: IO[bytes]) -> NDArray[np.uint8]:
        block = self._memory.array()[: size_of_lines(file, AHEAD_BYTES)]
        return block[: _filled(file, block)]


def _filled(file: IO[bytes], block: NDArray[np.uint8]) -> int:
    """Fill `block`; how many bytes there were."""
    view, count = block.data, 0
    while count < len(view) and (more := file.readinto(view[count:])):  # type: ignore[attr-defined]
        count += more
    return count
