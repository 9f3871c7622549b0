"""Lock: one import at a time per store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from breakeven.errors import UsageError


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`; raise UsageError when another process does. The system frees it after a crash."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system: one import at a time is up to the user
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{folder}: another import is writing to this store; wait for it to end") from None
        yield
