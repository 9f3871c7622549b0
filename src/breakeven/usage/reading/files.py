"""Files: which files a user meant by a path, with names that tell them apart in reports."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from breakeven.errors import UsageError


def log_files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Every file below `paths`, folders walked in sorted order, each with a name that is unique among them.

    Names are paths below the folder that was given; hidden files, those that begin with `_`, and pipes are left out.
    """
    found = [each for path in paths for each in _below(path)]
    names = [name for _, name in found]
    is_unique = len(set(names)) == len(names)
    return found if is_unique else [(path, str(path)) for path in dict.fromkeys(path for path, _ in found)]


def _below(path: Path) -> Iterator[tuple[Path, str]]:
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    if not path.is_dir():
        if not path.is_file():
            raise UsageError(f"{path}: not a regular file; write it to disk first")
        yield path, path.name
        return
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(each for each in inner if not each.startswith((".", "_")))
        for name in sorted(names):
            file = Path(folder) / name
            if not name.startswith((".", "_")) and file.is_file():
                yield file, file.relative_to(path).as_posix()
