"""IdHashes: whether any request id comes twice among the Calls of a step, told while they pass.

To read the ids back from the files that were just written takes as long as writing a twentieth of them. Hashes that
differ belong to ids that differ; of those that are equal the merge finds out more.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from breakeven.usage.store.line_code import loaded_code

SORTED_ROWS_MAX: Final = 20_000_000
"""Hashes of so many ids are sorted in memory to see whether any repeats, which is quicker than groups."""


class IdHashes:
    """Is told ids with `add`, by one thread. Only where the compiled code is there anyway, and not of too many ids."""

    def __init__(self) -> None:
        self._hashes: list[NDArray[np.uint64]] = []
        self._rows = 0
        self._is_complete = True

    def add(self, ids: pa.ChunkedArray) -> None:
        """Note the ids of some Calls."""
        code = loaded_code()
        self._rows += len(ids)
        self._is_complete &= code is not None and self._rows <= SORTED_ROWS_MAX and ids.type == pa.string()
        if code is None or not self._is_complete:
            self._hashes = []
            return
        for piece in ids.chunks:
            _, starts, texts = piece.buffers()
            if piece.null_count or not texts:
                self._is_complete &= not len(piece)
                continue
            offsets = np.frombuffer(starts, np.int32)[piece.offset : piece.offset + len(piece) + 1]
            hashes = np.empty(len(piece), np.uint64)
            code.hash_texts(np.frombuffer(texts, np.uint8), offsets, hashes)
            self._hashes.append(hashes)

    def may_repeat(self) -> bool:
        """False where no id that was noted came twice; true where that is not known. Then begin again."""
        hashes, is_complete = self._hashes, self._is_complete
        self._hashes, self._rows, self._is_complete = [], 0, True
        return not is_complete or (bool(hashes) and has_twins(np.concatenate(hashes)))


def has_twins(hashes: NDArray[np.uint64]) -> bool:
    """Whether two are equal."""
    in_order = np.sort(hashes)
    return bool((in_order[1:] == in_order[:-1]).any())
