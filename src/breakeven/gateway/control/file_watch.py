"""File watch: reads files again when they change, in a thread, and hands over what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

from breakeven.errors import BreakevenError

T = TypeVar("T")
PERIOD_S: Final = 0.2
Mark = tuple[tuple[int, int, int] | None, ...]


class FileWatch(Generic[T]):
    """Watches some files.

    A change is read when the files looked alike at two looks, one period apart, so that a folder that is being copied
    is not read in the middle; it is in force within a second.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        read: Callable[[], T],
        give: Callable[[T], None],
        refuse: Callable[[str], None],
        period_s: float = PERIOD_S,
    ) -> None:
        self._paths = tuple(paths)
        self._read = read
        self._give = give
        self._refuse = refuse
        self._period_s = period_s
        self._stop = threading.Event()
        self._known: Mark = self._mark()
        self._seen: Mark = self._known
        self._thread = threading.Thread(target=self._run, name="file-watch", daemon=True)

    def start(self) -> None:
        """Begin; changes since this object was made are seen."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def look(self) -> None:
        """One look: a change that has settled is read and handed over."""
        mark = self._mark()
        if mark != self._seen:
            self._seen = mark
            return
        if mark == self._known:
            return
        self._known = mark
        try:
            value = self._read()
        except Exception as error:  # whatever a file holds, the watch goes on
            is_ours = isinstance(error, BreakevenError | OSError)
            self._refuse(str(error) if is_ours else f"{type(error).__name__}: {error}")
            return
        self._give(value)

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            self.look()

    def _mark(self) -> Mark:
        return tuple(_mark_of(path) for path in self._paths)


def _mark_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
