"""Which files a path means."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.errors import UsageError
from breakeven.usage.reading.files import log_files


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_a_folder_is_walked_in_order(tmp_path: Path) -> None:
    for name in ("b/2.csv", "b/10.csv", "a.csv", ".hidden", "_x", ".git/x", "_spark/x"):
        touch(tmp_path / name)
    assert [name for _, name in log_files([tmp_path])] == ["a.csv", "b/10.csv", "b/2.csv"]


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    one, two = touch(tmp_path / "1" / "a"), touch(tmp_path / "2" / "a")
    assert log_files([one, two]) == [(one, str(one)), (two, str(two))]


def test_the_same_file_twice_is_one_file(tmp_path: Path) -> None:
    one = touch(tmp_path / "a")
    assert log_files([one, one]) == [(one, str(one))]


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        log_files([tmp_path / "nothing"])
