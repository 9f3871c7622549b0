"""Shelf: documents that were computed once, kept in memory and on disk until what they are made of changes."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven import __version__
from breakeven.web.jobs import Job, Jobs, Say

IN_MEMORY_COUNT: Final = 200


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
        self._texts: OrderedDict[str, str] = OrderedDict()

    def take(self, recipe: Recipe, patience_s: float = 0.25) -> str | Job:
        """The document where it is kept or made within `patience_s`; else the job that makes it."""
        found = self._kept(recipe.name, recipe.key)
        if found is not None:
            return found
        last = self._jobs.last(f"{recipe.name} {recipe.key}")
        if last is not None and last.state in ("failed", "cancelled"):
            return last
        job = self._jobs.start(f"{recipe.name} {recipe.key}", recipe.title, lambda say: self._make(recipe, say))
        if job.wait(patience_s) and job.state == "done":
            return str(job.result)
        return job

    def keep(self, name: str, made_of: tuple[str, ...], make: Callable[[], str]) -> str:
        """A text that is quick to make, e.g. a drawn chart; made here and now where it is not kept."""
        recipe = Recipe(name, "", made_of, lambda _: make())
        found = self._kept(name, recipe.key)
        return found if found is not None else self._make(recipe, lambda _: None)

    def retry(self, recipe: Recipe) -> Job:
        """Make a document again whose making failed or was cancelled."""
        return self._jobs.start(f"{recipe.name} {recipe.key}", recipe.title, lambda say: self._make(recipe, say))

    def _kept(self, name: str, key: str) -> str | None:
        with self._lock:
            if key in self._texts:
                self._texts.move_to_end(key)
                return self._texts[key]
        try:
            text = self._file(name, key).read_text(encoding="utf-8")
        except OSError:
            return None
        self._remember(key, text)
        return text

    def _make(self, recipe: Recipe, say: Say) -> str:
        text = recipe.make(say)
        path = self._file(recipe.name, recipe.key)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        half.write_text(text, encoding="utf-8")
        half.replace(path)
        for old in path.parent.glob(f"{recipe.name}-*.kept"):
            if old != path and len(list(path.parent.glob(f"{recipe.name}-*.kept"))) > IN_MEMORY_COUNT:
                old.unlink(missing_ok=True)
        self._remember(recipe.key, text)
        return text

    def _remember(self, key: str, text: str) -> None:
        with self._lock:
            self._texts[key] = text
            self._texts.move_to_end(key)
            while len(self._texts) > IN_MEMORY_COUNT:
                self._texts.popitem(last=False)

    def _file(self, name: str, key: str) -> Path:
        return self._folder / f"{name}-{key}.kept"
