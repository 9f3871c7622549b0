"""Edit history: every version of a file that the dashboard saw, in which order, and where in it the file stands now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from breakeven.errors import ScenarioError
from breakeven.web.whole_file import write_whole

ABSENT: Final = "absent"
"""Version of a file that is not there."""
STEPS_COUNT: Final = 200
"""Steps that can be taken back; the oldest are forgotten first."""
OUTSIDE: Final = "Changed outside the dashboard"


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the file."""

    words: str
    """What changed, for a person."""
    before: str
    """Version before it."""
    after: str
    at: str
    """When, ISO 8601 in UTC."""


@dataclass(frozen=True, slots=True)
class History:
    """The steps, oldest first; those from `taken_count` on were undone and can be done again."""

    steps: tuple[Step, ...] = ()
    taken_count: int = 0

    @property
    def last(self) -> Step | None:
        """What undo would take back."""
        return self.steps[self.taken_count - 1] if self.taken_count else None

    @property
    def next(self) -> Step | None:
        """What redo would do again."""
        return self.steps[self.taken_count] if self.taken_count < len(self.steps) else None

    def with_step(self, step: Step) -> History:
        """The history with one step more; what was undone before it can no longer be done again."""
        kept = (*self.steps[: self.taken_count], step)[-STEPS_COUNT:]
        return History(kept, len(kept))

    def moved(self, by_count: int) -> History:
        """The same steps, standing earlier or later."""
        return replace(self, taken_count=self.taken_count + by_count)


def version_of(content: bytes | None) -> str:
    """Which content it is."""
    return ABSENT if content is None else hashlib.sha256(content).hexdigest()[:20]


def content_of(file: Path) -> bytes | None:
    """What stands in the file; None: there is none."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ScenarioError(f"cannot read {file}: {error.strerror}") from None


class Versions:
    """The versions and the history of one file, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One change at a time, of all threads and processes."""
        self._made()
        try:
            import fcntl
        except ImportError:  # not a POSIX system: one server at a time is up to the user
            yield
            return
        with (self._folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def keep(self, content: bytes | None) -> str:
        """Keep a version, so that it can come back; its name."""
        version = version_of(content)
        path = self._folder / f"{version}.version"
        if content is not None and not path.exists():
            self._made()
            write_whole(path, content, ScenarioError)
        return version

    def find(self, version: str) -> bytes | None:
        """The content of a version; None: absent then, or never seen."""
        if not version.isalnum():
            return None
        try:
            return (self._folder / f"{version}.version").read_bytes()
        except OSError:
            return None

    def knows(self, version: str) -> bool:
        """Whether the content of that version can be had."""
        return version == ABSENT or self.find(version) is not None

    def read(self) -> History:
        """The history; an empty one where none can be read."""
        try:
            content = json.loads((self._folder / "history.json").read_text(encoding="utf-8"))
            steps = tuple(Step(**each) for each in content["steps"])
            return History(steps, min(max(int(content["taken_count"]), 0), len(steps)))
        except (OSError, ValueError, KeyError, TypeError):
            return History()

    def write(self, history: History) -> None:
        """Keep the history, and no version that it does not need."""
        content = {"steps": [asdict(each) for each in history.steps], "taken_count": history.taken_count}
        write_whole(self._folder / "history.json", json.dumps(content, indent=1).encode(), ScenarioError)
        self._forget(history.steps)

    def _forget(self, steps: Sequence[Step]) -> None:
        """Versions that people may have a page of stay for a while: the youngest ones that no step names."""
        needed = {name for each in steps for name in (each.before, each.after)}
        others = [each for each in self._folder.glob("*.version") if each.stem not in needed]
        if len(others) > STEPS_COUNT:
            for old in sorted(others, key=lambda each: each.stat().st_mtime_ns)[:-STEPS_COUNT]:
                old.unlink(missing_ok=True)

    def _made(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ScenarioError(f"cannot keep what was changed in {self._folder}: {error.strerror}") from None
