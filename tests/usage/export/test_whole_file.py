"""Whole file: after an error what was there before is as it was; links, rights and what is no file are respected."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from breakeven.errors import OutputError
from breakeven.usage.export.whole_file import whole_file


def test_after_an_error_the_file_of_before_stays_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("before")

    def fill_the_disk() -> None:
        with whole_file(target) as place:
            place.write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"cannot write .*report\.json: No space left on device"):
        fill_the_disk()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("report.json", "before")]


def test_a_link_is_followed_and_rights_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("before")
    real.chmod(0o600)
    link.symlink_to(real)
    with whole_file(link) as place:
        place.write_text("after")
    assert link.is_symlink()
    assert real.read_text() == "after"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


def test_a_named_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with whole_file(pipe) as place:
        place.write_text("all")
    reader.join(timeout=10)
    assert read == ["all"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Is a directory"), whole_file(tmp_path) as place:
        place.write_text("no")


def test_standard_output_is_written_to(tmp_path: Path) -> None:
    caught = tmp_path / "caught"
    with caught.open("wb") as stream:
        program = "from pathlib import Path; from breakeven.usage.export.whole_file import whole_file\n"
        program += "with whole_file(Path('/dev/stdout')) as place: place.write_text('all')"
        subprocess.run([sys.executable, "-c", program], stdout=stream, check=True)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as piped:
        assert piped.stdout is not None
        assert (caught.read_text(), piped.stdout.read()) == ("all", b"all")
