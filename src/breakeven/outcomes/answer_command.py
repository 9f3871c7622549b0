"""Answer command: a unit test of answers, a program of the team's own that gets one answer and says yes by exit code 0.

It gets the answer on stdin, and what is known of the request as JSON in `BREAKEVEN_REQUEST`. It runs in an empty
folder without the caller's environment, for a limited time, processor time and file size, without a network where the
system can take it away; when its time is over its whole group of processes is killed. This keeps accidents in; it is
no jail for hostile code.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from breakeven.errors import OutcomeError

TIMEOUT_DEFAULT_S: Final = 10.0
TIMEOUT_MAX_S: Final = 600.0
FILE_KIB_MAX: Final = 64 << 10
MEMORY_KIB_MAX: Final = 4 << 20
_SEARCH_PATH: Final = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True)
class AnswerCommand:
    """A command and the time it has."""

    words: tuple[str, ...]
    timeout_s: float
    folder: Path
    """Paths in the command that exist below this folder, that of the declaration, are made absolute."""

    @classmethod
    def of(cls, command: Any, timeout_s: Any, folder: Path, place: str) -> AnswerCommand:
        """From a declaration; a command is a list of words, so that no shell reads it."""
        if not isinstance(command, list) or not command or not all(isinstance(each, str) and each for each in command):
            raise OutcomeError(f"{place}: command must be a list of words, such as [python3, tests/check.py]")
        limit = TIMEOUT_DEFAULT_S if timeout_s is None else timeout_s
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit <= TIMEOUT_MAX_S:
            raise OutcomeError(f"{place}: timeout_s is {limit!r}; wanted seconds, over 0 and at most {TIMEOUT_MAX_S:g}")
        words = tuple(str(folder / each) if (folder / each).exists() else each for each in command)
        if shutil.which(words[0]) is None:
            raise OutcomeError(f"{place}: there is no program '{words[0]}'")
        return cls((str(shutil.which(words[0])), *words[1:]), float(limit), folder)

    def problem(self, answer: str, about: Mapping[str, str]) -> str:
        """Why an answer does not pass; "" where it does."""
        with tempfile.TemporaryDirectory(prefix="breakeven-answer-") as place:
            environment = {"PATH": _SEARCH_PATH, "HOME": place, "TMPDIR": place, "LANG": "C.UTF-8"}
            environment["BREAKEVEN_REQUEST"] = json.dumps({name: text[:20_000] for name, text in about.items()})
            process = subprocess.Popen(
                [*_without_network(), "/bin/sh", "-c", _limits(self.timeout_s), "sh", *self.words],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=place,
                env=environment,
                start_new_session=True,
            )
            try:
                process.communicate(answer.encode("utf-8", "replace"), timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                return f"the command took longer than {self.timeout_s:g} s"
            finally:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return "" if process.returncode == 0 else f"the command says no (exit code {process.returncode})"


def network_is_closed() -> bool:
    """Whether commands run without a network here."""
    return bool(_without_network())


def _limits(timeout_s: float) -> str:
    """A shell that sets limits and becomes the command; what a system does not know it leaves out."""
    limits = {"t": int(timeout_s) + 1, "f": 2 * FILE_KIB_MAX, "v": MEMORY_KIB_MAX}
    return " ".join(f"ulimit -{name} {value} 2>/dev/null;" for name, value in limits.items()) + ' exec "$@"'


@cache
def _without_network() -> tuple[str, ...]:
    """The prefix that takes the network away, where the system allows it to an ordinary user."""
    program = shutil.which("unshare")
    if program is None:
        return ()
    words = (program, "--map-root-user", "--net", "--")
    tried = subprocess.run([*words, "/bin/true"], capture_output=True, check=False, timeout=10)
    return words if tried.returncode == 0 else ()
