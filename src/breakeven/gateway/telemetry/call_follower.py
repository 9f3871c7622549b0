"""Call follower: reads the lines that relays append to the write-ahead log, as they come and each once.

Files are told apart by inode, so that one that is renamed when it is closed is not read again; one that is removed is
read to its end. Where reading stopped is kept, so that a new start goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

READ_MAX_BYTES: Final = 4 * 2**20
"""Of one file in one look."""
REMOVED_MAX_COUNT: Final = 4
"""Removed files that are kept open to be read to their ends; more than that, and whoever reads is too slow."""


@dataclass(slots=True)
class _Followed:
    descriptor: int
    at_bytes: int


class CallFollower:
    """Reads one folder. For one thread."""

    def __init__(self, folder: Path, positions: Path, left_behind: Callable[[], None] = lambda: None) -> None:
        self._folder = folder
        self._positions = positions
        self._left_behind = left_behind
        self._files: dict[int, _Followed] = {}
        self._begin()

    def lines(self) -> list[bytes]:
        """Whole lines that came since the last look, up to some megabytes."""
        self._find()
        found: list[bytes] = []
        removed = []
        for inode, file in self._files.items():
            lines = self._read(file)
            found += lines
            if not lines and not os.fstat(file.descriptor).st_nlink:
                removed.append(inode)
        for inode in removed:
            self._forget(inode)
        self._bound()
        return found

    def keep(self) -> None:
        """Keep where reading stands; OSError is no reason to stop."""
        plain = {str(inode): file.at_bytes for inode, file in self._files.items()}
        spare = self._positions.with_suffix(".tmp")
        try:
            spare.write_bytes(orjson.dumps(plain))
            spare.replace(self._positions)
        except OSError:
            return

    def close(self) -> None:
        """End."""
        self.keep()
        for inode in list(self._files):
            self._forget(inode)

    def _begin(self) -> None:
        """What was there before anybody followed is not read, unless a follower before stood in it."""
        known = self._known_positions()
        self._find()
        for inode, file in self._files.items():
            size = os.fstat(file.descriptor).st_size
            file.at_bytes = min(known.get(inode, 0 if known else size), size)

    def _known_positions(self) -> dict[int, int]:
        try:
            return {int(inode): int(at) for inode, at in orjson.loads(self._positions.read_bytes()).items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _find(self) -> None:
        try:
            paths = sorted(self._folder.glob("*.jsonl"))
        except OSError:
            return
        for path in paths:
            try:
                inode = path.stat().st_ino
                if inode not in self._files:
                    self._files[inode] = _Followed(os.open(path, os.O_RDONLY | os.O_CLOEXEC), 0)
            except OSError:  # removed meanwhile
                continue

    def _read(self, file: _Followed) -> list[bytes]:
        try:
            piece = os.pread(file.descriptor, READ_MAX_BYTES, file.at_bytes)
        except OSError:
            return []
        whole = piece.rfind(b"\n") + 1
        file.at_bytes += whole
        return piece[:whole].split(b"\n")[:-1] if whole else []

    def _forget(self, inode: int) -> None:
        os.close(self._files.pop(inode).descriptor)

    def _bound(self) -> None:
        gone = [inode for inode, file in self._files.items() if not os.fstat(file.descriptor).st_nlink]
        for inode in gone[:-REMOVED_MAX_COUNT]:
            self._left_behind()
            self._forget(inode)
