"""Whole file: an export that appears under its name only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from breakeven.errors import OutputError


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; it takes the place of `target` at the end, or is gone after an error.

    A link is followed, and a file that is there keeps its rights. What is no file (`/dev/stdout`, a named pipe), and a
    file in a folder where none may be made, is written to as it stands.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        place = target.resolve()  # of `/dev/stdout` a name that nobody can open
        if target.exists() and (not target.is_file() or not os.access(place.parent, os.W_OK)):
            yield target
            return
        beside = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            yield beside
            with suppress(FileNotFoundError):
                beside.chmod(place.stat().st_mode & 0o777)
            beside.replace(place)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}; give another path") from None
