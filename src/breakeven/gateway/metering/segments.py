"""Segment: one file of the write-ahead log, whole lines only, written by one process and closed for good once.

An open segment is called `NAME.open.jsonl` and its writer holds a lock on it; a closed one is `NAME.jsonl`, never
changes again, and waits for the compactor. A segment whose lock is free and which is still open was left by a process
that died: it is closed by whoever finds it, without the line at its end that was cut off.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from breakeven.gateway.atomic_file import sync_folder

OPEN_SUFFIX: Final = ".open.jsonl"
CLOSED_SUFFIX: Final = ".jsonl"
_TAIL_BYTES: Final = 1 << 16


class Segment:
    """An open segment. Blocks: only for the writer's thread. Raises OSError as the disk does."""

    __slots__ = ("bytes_count", "fd", "path", "synced_bytes_count")

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}{OPEN_SUFFIX}"
        self.fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.bytes_count = 0
        """Whole lines written."""
        self.synced_bytes_count = 0
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(self.fd).st_nlink:
                raise FileNotFoundError(f"{self.path} was taken for a left one before it was locked")
            sync_folder(folder)
        except OSError:
            os.close(self.fd)
            raise

    def write(self, data: bytes) -> int:
        """Write whole lines; how many bytes of them the file has now, up to the end of a line.

        Fewer than given: the disk is full or failed, and a line that was cut off is taken away again.
        """
        view, written = memoryview(data), 0
        try:
            while written < len(data):
                written += os.write(self.fd, view[written:])
        except OSError:
            whole = data.rfind(b"\n", 0, written) + 1
            self.bytes_count += whole
            if written > whole:
                self._cut()
            return whole
        self.bytes_count += written
        return written

    def _cut(self) -> None:
        with suppress(OSError):  # a tail without a newline is no line to any reader
            os.ftruncate(self.fd, self.bytes_count)

    def sync(self) -> None:
        """What was written is on the disk after this. An error is final: what was not synced may be gone."""
        if self.synced_bytes_count != self.bytes_count:
            if not os.fstat(self.fd).st_nlink:
                raise FileNotFoundError(f"{self.path} was deleted while it was written")
            os.fdatasync(self.fd)
            self.synced_bytes_count = self.bytes_count

    def give_up(self) -> bool:
        """Close after a failed sync, without what was written since the last one; False where that cannot be."""
        try:
            os.ftruncate(self.fd, self.synced_bytes_count)
            self.bytes_count = self.synced_bytes_count
        except OSError:
            return False
        finally:
            os.close(self.fd)
        return True

    def close(self) -> None:
        """Closed for good; an empty one is taken away."""
        try:
            self.sync()
            if self.bytes_count:
                self.path.rename(closed_path(self.path))
            else:
                self.path.unlink()
            sync_folder(self.path.parent)
        finally:
            os.close(self.fd)


def closed_path(path: Path) -> Path:
    """Where an open segment stands once it is closed.

    >>> closed_path(Path("relay-0.open.jsonl")).name
    'relay-0.jsonl'
    """
    return path.with_name(path.name.removesuffix(OPEN_SUFFIX) + CLOSED_SUFFIX)


def closed_segments(folder: Path) -> list[Path]:
    """Segments that wait for the compactor, oldest name first."""
    return sorted(each for each in _files(folder) if not each.name.endswith(OPEN_SUFFIX))


def close_left_segments(folder: Path) -> int:
    """Close what dead processes left open, without torn ends; how many there were."""
    return sum(_close_if_left(each) for each in _files(folder) if each.name.endswith(OPEN_SUFFIX))


def _files(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from (each for each in folder.iterdir() if each.name.endswith(CLOSED_SUFFIX))


def _close_if_left(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # closed meanwhile
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        whole = _whole_bytes_count(fd)
        os.ftruncate(fd, whole)
        os.fsync(fd)
        if whole:
            path.rename(closed_path(path))
        else:
            path.unlink()
        sync_folder(path.parent)
    except OSError:  # its writer lives, or somebody else was faster
        return False
    finally:
        os.close(fd)
    return True


def _whole_bytes_count(fd: int) -> int:
    """Bytes up to the end of the last whole line."""
    end = os.fstat(fd).st_size
    while end > 0:
        start = max(end - _TAIL_BYTES, 0)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
