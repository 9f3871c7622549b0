"""Lock: one import at a time per store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Final

from breakeven.errors import UsageError

BRIEFLY_HELD_S: Final = 2.0
"""Whoever notes a hash in the manifest, or removes files that were replaced, is done by then."""
_LOOK_EVERY_S: Final = 0.02


@contextmanager
def exclusive(folder: Path, patience_s: float = 0.0) -> Iterator[None]:
    """Hold the lock of `folder`; raise UsageError when another still does after `patience_s`.

    The system frees it after a crash.
    """
    with (folder / ".lock").open("w") as file:
        ends_s = monotonic() + patience_s
        while not _is_taken(file):
            if monotonic() >= ends_s:
                raise UsageError(f"{folder}: another import is writing to this store; wait for it to end")
            sleep(_LOOK_EVERY_S)
        yield


def _is_taken(file: IO[str]) -> bool:
    """Take the lock, where nobody holds it."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system: one import at a time is up to the user
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
