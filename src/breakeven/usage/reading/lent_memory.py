"""LentMemory: arrays of one size whose memory serves again once nobody looks at it any more.

The system clears fresh memory before it hands it out, page by page; for blocks of a large log that costs as much as to
read them.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LentMemory:
    """Lends arrays of bytes. Several threads may ask for them and let go of them."""

    def __init__(self, bytes_count: int) -> None:
        self._bytes_count = bytes_count
        self._spare: deque[NDArray[np.uint8]] = deque()

    def array(self) -> NDArray[np.uint8]:
        """An array with whatever was in it before. Its memory comes back with the last view of it, Arrow's included."""
        try:
            memory = self._spare.pop()
        except IndexError:
            memory = np.empty(self._bytes_count, np.uint8)
        return np.asarray(_Loan(memory, self._spare))


class _Loan:
    """What NumPy keeps as long as a view of the memory is there."""

    __slots__ = ("__array_interface__", "_home", "_memory")

    def __init__(self, memory: NDArray[np.uint8], home: deque[NDArray[np.uint8]]) -> None:
        self.__array_interface__: dict[str, Any] = memory.__array_interface__
        self._memory = memory
        self._home = home

    def __del__(self) -> None:
        self._home.append(self._memory)
