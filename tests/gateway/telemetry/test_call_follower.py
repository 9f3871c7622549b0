"""The follower: every line once, whatever happens to the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.gateway.telemetry.call_follower import REMOVED_MAX_COUNT, CallFollower


def test_lines_come_once_over_renames_and_removals(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    follower = CallFollower(folder, tmp_path / "positions.json")
    opened = folder / "a.open.jsonl"
    with opened.open("ab", buffering=0) as file:
        file.write(b"1\n2")
        assert follower.lines() == [b"1"]
        file.write(b"2\n3\n")
        opened.rename(folder / "a.jsonl")
        assert follower.lines() == [b"22", b"3"]
        file.write(b"4\n")
    (folder / "a.jsonl").unlink()
    assert follower.lines() == [b"4"]
    assert follower.lines() == []
    follower.close()


def test_what_was_there_before_is_not_told_and_a_new_start_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    log = folder / "a.jsonl"
    log.write_bytes(b"old\n")
    first = CallFollower(folder, tmp_path / "positions.json")
    assert first.lines() == []
    first.close()
    log.write_bytes(b"old\nnew\n")
    (folder / "b.jsonl").write_bytes(b"other\n")
    second = CallFollower(folder, tmp_path / "positions.json")
    assert second.lines() == [b"new", b"other"]
    second.close()


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    follower = CallFollower(tmp_path / "log", tmp_path / "positions.json")
    assert follower.lines() == []
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.jsonl").write_bytes(b"1\n")
    assert follower.lines() == [b"1"]
    follower.close()


def test_removed_files_are_not_held_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breakeven.gateway.telemetry.call_follower.READ_MAX_BYTES", 2)
    left = []
    follower = CallFollower(tmp_path, tmp_path / "positions.json", lambda: left.append(1))
    for i in range(REMOVED_MAX_COUNT + 3):
        (tmp_path / f"{i}.jsonl").write_bytes(b"1\n" * 50)
    follower.lines()
    for i in range(REMOVED_MAX_COUNT + 3):
        (tmp_path / f"{i}.jsonl").unlink()
    follower.lines()
    assert len(left) == 3
    follower.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=0, max_size=6).filter(lambda each: b"\n" not in each), max_size=12), st.data())
def test_any_pieces_give_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, told: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    whole = b"".join(each + b"\n" for each in told)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    follower = CallFollower(folder, folder / "positions.json")
    found: list[bytes] = []
    with (folder / "a.jsonl").open("ab", buffering=0) as file:
        for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            file.write(whole[start:end])
            found += follower.lines()
    assert found == told
    follower.close()
