"""main: what a verb prints reaches a file or a pipe in any locale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
