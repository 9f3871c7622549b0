"""Pilot lock: one process at a time watches or changes a pilot, and anybody may ask whether one does."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from breakeven.errors import PilotError

LOCK_NAME: Final = "lock"
PATIENCE_S: Final = 0.2
"""Who only asks has the lock for a moment: longer than that it is waited for."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else changes the pilot in `folder` meanwhile; PilotError where somebody does."""
    folder.mkdir(parents=True, exist_ok=True)
    fd = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _is_got(fd, PATIENCE_S):
            raise PilotError(
                f"{folder}: another `breakeven pilot run` watches this pilot; stop it first (Ctrl-C), or use "
                "`status`, `label` and `verdict`, which only look"
            )
        yield
    finally:
        os.close(fd)


def is_taken(folder: Path) -> bool:
    """Whether somebody watches or changes the pilot in `folder` now."""
    try:
        fd = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _is_got(fd, 0.0)
    finally:
        os.close(fd)


def _is_got(fd: int, patience_s: float) -> bool:
    """Whether the lock was got, at the latest after `patience_s`."""
    give_up_s = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= give_up_s:
                return False
            time.sleep(0.02)
        else:
            return True
