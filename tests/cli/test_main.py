"""main: what a verb prints reaches a file or a pipe in any locale."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from breakeven.cli import main
from breakeven.errors import UsageError

PROGRAM = "import sys; sys.argv[0] = 'breakeven'; from breakeven.cli.main import main; main()"


LOG = [f'{{"timestamp": "2026-11-0{day}T10:00:00Z", "model": "gpt-5-nano", "input_tokens": 9, "output_tokens": 9}}'
       for day in (1, 2, 3)]  # fmt: skip


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "calls.jsonl"
    path.write_text("\n".join(LOG) + "\n", encoding="utf-8")
    return path


def printed(log: Path, **environment: str) -> bytes:
    """What `breakeven profile` writes to a pipe: tables and bars of signs that no one-byte locale has."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "profile", "--usage", str(log)],
        capture_output=True,
        env={**os.environ, "PYTHONUTF8": "0", **environment},
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("locale", ["C", "en_US.ISO-8859-1"])
def test_a_pipe_gets_utf_8_in_a_locale_of_one_byte(locale: str, log: Path) -> None:
    usual = printed(log, PYTHONUTF8="1")
    assert "█".encode() in usual
    assert printed(log, LC_ALL=locale, PYTHONCOERCECLOCALE="0") == usual


def test_a_sign_that_a_chosen_encoding_lacks_is_replaced(log: Path) -> None:
    text = printed(log, PYTHONIOENCODING="latin-1").decode("latin-1")
    assert "?" in text
    assert "3 calls" in text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_the_machine_refuses_is_one_line(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number), "demo-support")

    monkeypatch.setattr(main.group, "main", refuse)
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 2
    assert capsys.readouterr().err == f"demo-support cannot be written or read: {os.strerror(number)}\n"


def test_any_other_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(main.group, "main", fail)
    with pytest.raises(OSError, match="Invalid argument"):
        main.main()


def test_each_problem_of_a_file_stands_on_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("unheard: 1\nnever: 2\n")
    monkeypatch.setattr(sys, "argv", ["breakeven", "compare", "--scenario", str(scenario)])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("ScenarioError: ")
    assert "line 1: unknown key 'unheard'" in first
    assert second.startswith("  ")
    assert "line 2: unknown key 'never'" in second


def test_a_line_end_and_a_control_character_in_a_name_forge_no_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise UsageError("no model 'a\n\x1b[31mAll is well: b'")

    monkeypatch.setattr(main.group, "main", refuse)
    with pytest.raises(SystemExit):
        main.main()
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert all(line.startswith("  ") for line in said.splitlines()[1:])
