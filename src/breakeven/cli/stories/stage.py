"""Stage: a story's folder and date, and the verbs run in it as a user would type them."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from breakeven import clock
from breakeven.errors import StoryError

COLUMNS: Final = 100


@dataclass
class Stage:
    """Where a story is played. Relative paths of commands and of chapters are below `folder`."""

    folder: Path
    now: datetime
    """The story's date: what every verb takes for now."""
    seed: int = 0
    commands: list[str] = field(default_factory=list)
    """As typed, since the chapter began."""

    def path(self, *parts: str) -> Path:
        """A place in the folder."""
        return self.folder.joinpath(*parts)

    def breakeven(self, *words: str, codes: tuple[int, ...] = (0,), keys: str | None = None) -> str:
        """What `breakeven WORDS` prints; StoryError where it ends otherwise than with one of `codes`."""
        self.commands.append(shlex.join(["breakeven", *words]))
        return self._run(words, codes, keys)[0]

    def document(self, *words: str, codes: tuple[int, ...] = (0,)) -> Any:
        """The JSON of `breakeven WORDS --json`."""
        self.commands.append(shlex.join(["breakeven", *words]))
        return self._json(words, codes)

    def ends(self, *words: str, codes: tuple[int, ...] = (0,)) -> int:
        """The exit code of `breakeven WORDS`, of which no reader is told."""
        return self._run(words, codes, None)[1]

    def quietly(self, *words: str) -> Any:
        """The same, where a reader would have read it on the page that was printed already."""
        return self._json(words, (0,))

    def _json(self, words: tuple[str, ...], codes: tuple[int, ...]) -> Any:
        return json.loads(self._run((*words, "--json"), codes, None)[0])

    def _run(self, words: tuple[str, ...], codes: tuple[int, ...], keys: str | None) -> tuple[str, int]:
        from breakeven.cli.main import group

        printed, code = io.StringIO(), 0
        with self.on(), contextlib.redirect_stdout(printed), _typed(keys):
            try:
                code = group.main(list(words), standalone_mode=False) or 0
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 1
        if code not in codes:
            raise StoryError(f"`{shlex.join(['breakeven', *words])}` ended with {code}: {printed.getvalue()[-800:]}")
        return printed.getvalue(), code

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """In the story's folder, at the story's date."""
        with contextlib.chdir(self.folder), clock.pinned(self.now):
            yield


@contextlib.contextmanager
def _typed(keys: str | None) -> Iterator[None]:
    """What somebody types, line by line; nobody types where it is None."""
    before, sys.stdin = sys.stdin, io.StringIO(keys or "")
    try:
        yield
    finally:
        sys.stdin = before
