"""Whole file: a file is replaced in one step, or stays as it was."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from breakeven.errors import BreakevenError


def write_whole(file: Path, content: bytes | None, error_type: type[BreakevenError]) -> None:
    """Replace the file, or remove it (None); links and rights stay. Raises `error_type` where that cannot be."""
    place = file.resolve()
    fresh = place.with_name(f".{place.name}.{uuid4().hex}.new")
    try:
        if content is None:
            place.unlink(missing_ok=True)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(OSError):
            fresh.chmod(place.stat().st_mode & 0o777)
        fresh.replace(place)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise error_type(f"cannot write {file}: {error.strerror}; nothing was changed") from None
