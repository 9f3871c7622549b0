"""Write: put all files of a refresh in place, or none: tried as a whole first, then renamed over the old ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import breakeven
from breakeven.catalog.files import read_files
from breakeven.catalog.overlay import read_overlay, read_token_list, with_overlay
from breakeven.errors import RefreshError


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Put `files` below `folder`; raises RefreshError, with the folder as it was, when they cannot stand there."""
    package = Path(breakeven.__file__).parent
    if folder.resolve().is_relative_to(package):
        raise RefreshError(f"{folder}: inside the installed package; name another folder with --into.")
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".refresh-", dir=folder) as trial:
            _try(files, folder, Path(trial) / "whole")
            _replace_all(files, folder, Path(trial) / "old")
    except OSError as error:
        raise RefreshError(f"{folder}: cannot write ({error.strerror}); nothing was changed.") from None
    finally:
        if is_new and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


def _try(files: Mapping[str, bytes], folder: Path, trial: Path) -> None:
    """The folder as it will be, read the way every later command will read it."""
    trial.mkdir()
    for part in ("offers", "models", "tokens"):
        if (folder / part).is_dir():
            shutil.copytree(folder / part, trial / part)
    for name, content in files.items():
        _save(trial / name, content)
    overlay = read_overlay(trial)
    with_overlay(read_files(), overlay)
    for edition in overlay.token_lists:
        read_token_list(edition)


def _replace_all(files: Mapping[str, bytes], folder: Path, kept: Path) -> None:
    """Rename file by file; put the old ones back when a rename fails."""
    staged = {name: folder / Path(name).parent / f".{Path(name).name}.new" for name in files}
    done: list[str] = []
    try:
        for name, content in files.items():
            _save(staged[name], content)
            if (folder / name).exists():
                _save(kept / name, (folder / name).read_bytes())
        for name in files:
            staged[name].replace(folder / name)
            done.append(name)
    except OSError:
        for name in done:
            if (kept / name).exists():
                (kept / name).replace(folder / name)
            else:
                (folder / name).unlink()
        raise
    finally:
        for path in staged.values():
            path.unlink(missing_ok=True)
            if path.parent != folder and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()


def _save(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
