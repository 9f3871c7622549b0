"""Nesting: how many levels deeper a piece of JSON leads; thousands of them are no log, and would fill the memory.

Brackets inside texts are counted too; a piece of a log does not have a thousand that nobody closes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

LEVELS_MAX: Final = 1_000
"""In one piece of at most a few hundred kilobytes."""


def is_too_deep(piece: bytes) -> bool:
    """Whether `piece` opens more than `LEVELS_MAX` levels inside each other.

    >>> is_too_deep(b'[{"a": [1]}]' * 5_000), is_too_deep(b"[" * 5_000)
    (False, True)
    """
    if piece.count(b"[") + piece.count(b"{") <= LEVELS_MAX:
        return False
    seen = np.frombuffer(piece, np.uint8)
    steps = ((seen == ord("[")) | (seen == ord("{"))).astype(np.int32)
    steps -= (seen == ord("]")) | (seen == ord("}"))
    levels = np.concatenate([[0], np.cumsum(steps)])
    return bool((levels - np.minimum.accumulate(levels)).max() > LEVELS_MAX)
