"""Shelf: documents that were computed once, kept in memory and on disk until what they are made of changes."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven import __version__
from breakeven.errors import DashboardError
from breakeven.web.jobs import Job, Jobs, Say

IN_MEMORY_COUNT: Final = 200
ON_DISK_COUNT: Final = 400
ON_DISK_MAX_BYTES: Final = 256 * 2**20
KEPT_S: Final = 30 * 86_400.0
"""Nobody has looked at it for a month."""
HALF_KEPT_S: Final = 3_600.0
"""A file that is still being written is younger."""
SUFFIX: Final = ".kept"
AT_ONCE_COUNT: Final = 3
WAITING_COUNT: Final = 40
TURN_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Recipe:
    """A document that takes a while: what it is made of, and how."""

    name: str
    """E.g. "comparison"; also the name of its file and its job."""
    title: str
    """What a person reads while it is made, e.g. "Comparing the options"."""
    made_of: tuple[str, ...]
    """All that the result depends on, e.g. hash of the calls, hash of the catalogue, text of the scenario, the date."""
    make: Callable[[Say], str]
    """Gives the document as text, usually JSON."""

    @property
    def key(self) -> str:
        """Hash of what it is made of and of this version of breakeven."""
        text = "\0".join((self.name, __version__, *self.made_of))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Shelf:
    """The documents of one project; safe to use from several threads."""

    def __init__(self, folder: Path, jobs: Jobs) -> None:
        self._folder, self._jobs = folder, jobs
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(AT_ONCE_COUNT)
        self._texts: OrderedDict[str, str] = OrderedDict()

    def take(self, recipe: Recipe, patience_s: float = 0.25) -> str | Job:
        """The document where it is kept or made within `patience_s`; else the job that makes it."""
        found = self._kept(recipe.name, recipe.key)
        if found is not None:
            return found
        last = self._jobs.last(f"{recipe.name} {recipe.key}")
        if last is not None and last.is_given_up:
            return last
        job = self.retry(recipe)
        if job.wait(patience_s) and job.state == "done":
            return str(job.result)
        return job

    def peek(self, recipe: Recipe) -> str | None:
        """The document where it is kept; nothing is begun where it is not."""
        return self._kept(recipe.name, recipe.key)

    def keep(self, name: str, made_of: tuple[str, ...], make: Callable[[], str]) -> str:
        """A text that is quick to make, e.g. a drawn chart; made here and now where it is not kept."""
        recipe = Recipe(name, "", made_of, lambda _: make())
        found = self._kept(name, recipe.key)
        return found if found is not None else self._make(recipe, lambda _: None)

    def retry(self, recipe: Recipe) -> Job:
        """Make a document, also one whose making failed or was cancelled; raises DashboardError when too many wait."""
        name = f"{recipe.name} {recipe.key}"
        if len(self._jobs.running()) >= WAITING_COUNT:
            raise DashboardError(
                f"{WAITING_COUNT} documents are being made or wait for it; cancel some of them, or come back later"
            )
        return self._jobs.start(name, recipe.title, lambda say: self._make_in_turn(recipe, say))

    def _kept(self, name: str, key: str) -> str | None:
        with self._lock:
            if key in self._texts:
                self._texts.move_to_end(key)
                return self._texts[key]
        text = _read(self._file(name, key))
        if text is not None:
            self._remember(key, text)
        return text

    def _make_in_turn(self, recipe: Recipe, say: Say) -> str:
        """A machine with two cores makes three documents one after another sooner than thirty at once."""
        while not self._turns.acquire(timeout=TURN_S):
            say("waiting for other work to end")
        try:
            return self._make(recipe, say)
        finally:
            self._turns.release()

    def _make(self, recipe: Recipe, say: Say) -> str:
        text = recipe.make(say)
        self._remember(recipe.key, text)
        with suppress(OSError):  # a full or read-only disk: it is made again after the next start
            _write(self._file(recipe.name, recipe.key), text)
            _tidy(self._folder)
        return text

    def _remember(self, key: str, text: str) -> None:
        with self._lock:
            self._texts[key] = text
            self._texts.move_to_end(key)
            while len(self._texts) > IN_MEMORY_COUNT:
                self._texts.popitem(last=False)

    def _file(self, name: str, key: str) -> Path:
        return self._folder / f"{name}-{key}{SUFFIX}"


def _write(path: Path, text: str) -> None:
    """All of it or nothing, with its hash before it; for this user alone, since prompts may be quoted in it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    content = text.encode()
    handle, half = tempfile.mkstemp(dir=path.parent, suffix=".half")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(content) + b"\n" + content)
        Path(half).replace(path)
    except OSError:
        Path(half).unlink(missing_ok=True)
        raise


def _read(path: Path) -> str | None:
    """What was written; None where there is nothing, or where it is damaged, which is then dropped."""
    try:
        digest, _, content = path.read_bytes().partition(b"\n")
        if digest != _digest(content):
            path.unlink(missing_ok=True)
            return None
        os.utime(path)  # the least recently used goes first
    except OSError:
        return None
    return content.decode()


def _tidy(folder: Path) -> None:
    """Drop what was not used for long, and the oldest where there is too much."""
    now_s = time.time()
    with os.scandir(folder) as entries:
        found = sorted(((each.stat(), Path(each)) for each in entries if each.is_file()), key=_by_age)
    kept_count, kept_bytes = 0, 0
    for status, path in found:
        is_half = path.suffix == ".half"
        if not is_half and path.suffix != SUFFIX:
            continue
        kept_count += 1
        kept_bytes += status.st_size
        limit_s = HALF_KEPT_S if is_half else KEPT_S
        if now_s - status.st_mtime > limit_s or kept_count > ON_DISK_COUNT or kept_bytes > ON_DISK_MAX_BYTES:
            path.unlink(missing_ok=True)


def _by_age(found: tuple[os.stat_result, Path]) -> float:
    return -found[0].st_mtime


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
