"""Runs the tutorials and writes what their commands print into the pages: python docs/run_tutorials.py [PAGE...]

A page is played from top to bottom in an empty folder. A block under a line that ends with the name of a file in back
ticks and a colon is written to that file. A `console` block holds commands after `$ `, each followed by what it
printed. Commands are the real ones: `breakeven` and `python` with what a shell would do for `&`, `| head`, `| tail`,
`| grep`, `<`, `>`, `kill`, `echo $?`, `cat`. The gateway and other programs in the background are processes of their
own; the verbs run in this process, where a comment `<!-- today: 2026-11-24 -->` sets what they take for today.

What changes from run to run is put right in `steady` and nowhere else.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from unittest import mock

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "tutorials"
COLUMNS: Final = 100
READY_WITHIN_S: Final = 60.0
_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND: Final = re.compile(r"^\$ (?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE)
"""Lines that go on are one command."""
_FILE: Final = re.compile(r"`([\w./-]+)`:\s*$")
_TODAY: Final = re.compile(r"<!-- today: (\d{4}-\d\d-\d\d|now) -->")
_PORT: Final = re.compile(r"""(?:(?<=127\.0\.0\.1:)|(?<="127\.0\.0\.1",\ )|(?<=--port\ ))\d{4}\b""")
_STEADY: Final = (
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "0123456789ab"),  # hashes of designs and policies hold the folder's name
    (re.compile(r"\breq-[0-9a-f]+\b"), "req-0123456789ab"),
    (re.compile(r"\bprocess \d+\b"), "process 4321"),
    (re.compile(r"(?<=as of )\d+ \w{3} \d{4} \d\d:\d\d UTC"), "24 Nov 2026 09:00 UTC"),
    (re.compile(r"(?<=^Designed {13})\d+ \w{3} \d{4} \d\d:\d\d UTC", re.MULTILINE), "24 Nov 2026 09:00 UTC"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), "2026-11-24 09:00:00"),
)


def steady(text: str, folder: Path, ports: dict[str, str]) -> str:
    """What was printed, without what no two runs have in common: the folder, its ports, hashes, processes."""
    for given, drawn in ports.items():
        text = re.sub(rf"\b{drawn}\b", given, text)
    text = text.replace(f"{folder.resolve()}/", "").replace(str(folder.resolve()), ".")
    for pattern, instead in _STEADY:
        text = pattern.sub(instead, text)
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


@dataclass
class Shell:
    """The commands of one page, run one after the other in a folder."""

    folder: Path
    today: datetime | None = None
    code: int = 0
    """How the last command ended."""
    environment: dict[str, str] = field(default_factory=dict)
    """What the page exports."""
    ports: dict[str, str] = field(default_factory=dict)
    """Port as the page writes it -> one that was free."""
    _running: list[tuple[subprocess.Popen[str], threading.Thread]] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """A file of the page."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._with_ports(text), encoding="utf-8")

    def run(self, line: str) -> str:
        """What a command prints."""
        command = self._with_ports(line)
        if command.endswith(" &"):
            return self._steady(self._start(shlex.split(command.removesuffix(" &"))))
        command, *filters = (each.strip() for each in command.split(" | "))
        given = None
        if command.startswith("tr "):
            given = _translated(self.folder, shlex.split(command))
            command, *filters = filters
        text = self._plain(command, given)
        for each in filters:
            text = _filtered(text, shlex.split(each))
        return self._steady(text)

    def end(self) -> None:
        """Nothing stays in the background."""
        for process, _ in self._running:
            process.terminate()
        for process, reader in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
            reader.join(5)
        self._running.clear()

    def _with_ports(self, text: str) -> str:
        def drawn(found: re.Match[str]) -> str:
            return self.ports.setdefault(found[0], _free_port())

        return _PORT.sub(drawn, text)

    def _steady(self, text: str) -> str:
        return steady(text, self.folder, self.ports)

    def _plain(self, command: str, given: str | None = None) -> str:
        written = None
        words = shlex.split(command)
        if ">" in words:
            at = words.index(">")
            written, words = self.folder / words[at + 1], words[:at]
        if "<" in words:
            at = words.index("<")
            given, words = (self.folder / words[at + 1]).read_text(encoding="utf-8"), words[:at]
        if words == ["echo", "$?"]:
            return str(self.code)
        if words[0] == "export":
            self.environment.update(dict(each.split("=", 1) for each in words[1:]))
            return ""
        if words[0] == "kill":
            self.end()
            return ""
        if words[0] == "cat":
            text = (self.folder / words[1]).read_text(encoding="utf-8")
        elif words[0] == "breakeven":
            text = self._verb(words, given)
        else:
            text = self._program(words)
        if written is None:
            return text
        written.write_text(text, encoding="utf-8")
        return ""

    def _verb(self, words: list[str], given: str | None) -> str:
        """`breakeven` in this process, where it takes no second to start and the date can be set."""
        from breakeven import clock
        from breakeven.cli.main import main

        printed = io.StringIO()
        self.code = 0
        with (
            contextlib.chdir(self.folder),
            clock.pinned(self.today) if self.today else contextlib.nullcontext(),
            mock.patch.dict("os.environ", _environment(self.environment)),
            mock.patch("sys.argv", words),
            mock.patch("sys.stdin", io.StringIO(given or "")),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            try:
                main()
            except SystemExit as stop:
                self.code = stop.code if isinstance(stop.code, int) else 1
        return printed.getvalue()

    def _program(self, words: list[str]) -> str:
        done = subprocess.run(
            _real(words),
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=_environment(self.environment),
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{shlex.join(words)} ended with {done.returncode}: {done.stderr}")
        self.code = 0
        return done.stdout + done.stderr

    def _start(self, words: list[str]) -> str:
        """A program in the background, and what it said until it was ready."""
        complaints = self.folder / ".background.txt"
        with complaints.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(
                _real(words),
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env=_environment(self.environment),
            )
        said: list[str] = []
        reader = threading.Thread(target=_listen, args=(process, said), daemon=True)
        reader.start()
        self._running.append((process, reader))
        until_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until_s and all(each.startswith("Mind:") for each in said):
            if process.poll() is not None:
                raise RuntimeError(f"{shlex.join(words)} ended: {complaints.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        time.sleep(0.5)  # lines that come with the first
        return "".join(said)


def _listen(process: subprocess.Popen[str], said: list[str]) -> None:
    assert process.stdout is not None
    with process.stdout:
        said.extend(process.stdout)


def _filtered(text: str, words: list[str]) -> str:
    """`head`, `tail` and `grep`."""
    lines = text.splitlines()
    if words[0] in ("head", "tail"):
        count = int(words[-1].lstrip("-n"))
        lines = lines[:count] if words[0] == "head" else lines[-count:]
    elif words[0] == "grep":
        lines = [each for each in lines if words[-1] in each]
    else:
        raise ValueError(f"no filter '{words[0]}' here; wanted head, tail or grep")
    return "\n".join(lines)


def _real(words: list[str]) -> list[str]:
    """The program in this environment."""
    if words[0] == "breakeven":
        return [sys.executable, "-m", "breakeven.cli.main", *words[1:]]
    return [sys.executable, *words[1:]] if words[0] == "python" else words


def _environment(exported: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "COLUMNS": str(COLUMNS), "BREAKEVEN_CATALOGUE": "", "PYTHONUNBUFFERED": "1", **exported}


def _translated(folder: Path, words: list[str]) -> str:
    """`tr A B < FILE`."""
    _, old, new, _, name = words
    return (folder / name).read_text(encoding="utf-8").replace(old, new.replace("\\n", "\n"))


def _free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def played(page: str, folder: Path) -> Iterator[tuple[re.Match[str], str]]:
    """Each console block of a page, and what it reads after it was run."""
    shell, at = Shell(folder), 0
    try:
        for block in _BLOCK.finditer(page):
            before, at = page[at : block.start()], block.end()
            if days := _TODAY.findall(before):
                shell.today = _moment(days[-1])
            named = _FILE.search(before)
            if named and block[1] != "console":
                shell.write(named[1], block[2])
            elif block[1] == "console":
                yield block, _block(block[2], shell)
    finally:
        shell.end()


def _moment(day: str) -> datetime | None:
    """Nine in the morning of a day; None: whatever time it is, as for programs in the background."""
    return None if day == "now" else datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)


def _block(text: str, shell: Shell) -> str:
    """A console block with what its commands print now."""
    parts = []
    for shown in _COMMAND.findall(text):
        printed = shell.run(" ".join(shown.removeprefix("$ ").replace("\\\n", " ").split()))
        parts.append(f"{shown}\n{printed}\n" if printed else f"{shown}\n")
    return "".join(parts)


def rewritten(page: str, folder: Path) -> str:
    """The page with what its commands print now."""
    parts, at = [], 0
    for block, text in played(page, folder):
        parts += [page[at : block.start(2)], text]
        at = block.end(2)
    return "".join((*parts, page[at:]))


def main(names: list[str]) -> None:
    """Rewrite the pages."""
    for path in [Path(each).resolve() for each in names] or sorted(FOLDER.glob("*.md")):
        with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
            began_s = time.monotonic()
            page = path.read_text(encoding="utf-8")
            path.write_text(rewritten(page, Path(folder)), encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {time.monotonic() - began_s:.0f} s")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
