"""The command in the process of the test: what a user would see, without another start of Python."""

from __future__ import annotations

import contextlib
import io
import subprocess
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from breakeven.cli.main import main


def run_here(arguments: Sequence[str | Path], *, cwd: Path, columns: int = 100) -> subprocess.CompletedProcess[str]:
    """What `breakeven ARGUMENTS` prints from `cwd`, and its exit code; neither stream is a terminal."""
    told, out, complaint, code = ["breakeven", *map(str, arguments)], io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd),
        mock.patch.dict("os.environ", {"COLUMNS": str(columns)}),
        mock.patch("sys.argv", told),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(complaint),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
    return subprocess.CompletedProcess(told, code, out.getvalue(), complaint.getvalue())
