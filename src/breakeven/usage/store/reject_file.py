"""RejectFile: every row that is no Call, as JSON lines: file, row, reason, value, raw (shortened).

Rows of a log may hold anything, so the file is readable by its owner only; unless prompts are kept as they are, it
holds the names, numbers and times of a row and none of its words.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

from breakeven.errors import UsageError
from breakeven.usage.ingest_report import EXAMPLES_MAX, Reject
from breakeven.usage.redact import without_secrets, without_words


class RejectFile:
    """Created when the first reject comes; keeps a few examples of each reason."""

    def __init__(self, path: Path, *, keeps_words: bool = False) -> None:
        self.path = path
        self._keeps_words = keeps_words
        self.count = 0
        self._by_reason: dict[str, list[Reject]] = {}
        self._file: IO[str] | None = None

    @property
    def examples(self) -> tuple[Reject, ...]:
        """The first rejects of each reason."""
        return tuple(each for some in self._by_reason.values() for each in some)

    def add(self, reject: Reject) -> None:
        """Write one reject."""
        raw = reject.raw if self._keeps_words else without_words(reject.raw)
        reject = replace(reject, value=without_secrets(reject.value), raw=raw)
        if self._file is None:
            self._file = self._opened()
        self._file.write(json.dumps(asdict(reject)) + "\n")
        self.count += 1
        some = self._by_reason.setdefault(reject.reason, [])
        if len(some) < EXAMPLES_MAX:
            some.append(reject)

    def _opened(self) -> IO[str]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise UsageError(f"{self.path}: cannot write rejected rows there ({error.strerror})") from None
        return os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace")

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._file is not None:
            self._file.close()
