"""Request list: the requests of one or several outcome files, each once, with its prompt and groups.

The first text that says something is a request's prompt or group. The same id with another prompt in another file is
another request: files count their rows from 1, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from breakeven.outcomes.outcome import GROUP_COLUMNS

Codes = npt.NDArray[np.intp]


class RowsOfRequests(Protocol):
    """What is needed of a file; ids, prompts and groups go by row."""

    @property
    def file(self) -> str: ...
    @property
    def request_ids(self) -> Sequence[str]: ...
    @property
    def prompts(self) -> Sequence[str]: ...
    @property
    def groups(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def rows(self) -> Codes: ...


@dataclass(slots=True)
class RequestList:
    """Requests in order of appearance."""

    place_of: dict[str, int] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    of_rows: list[Codes] = field(default_factory=list)
    """Of each file: place of the request of each row, -1 for rows that are not used."""
    _other_prompts: set[int] = field(default_factory=set)
    _other_groups: set[int] = field(default_factory=set)
    _apart_count: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids; that of a request whose id another file uses for another one has its file's name behind it."""
        return tuple(self.place_of)

    def notes(self) -> list[str]:
        """What was found to disagree."""
        found = []
        for what, places in (("prompts", self._other_prompts), ("tasks or groups", self._other_groups)):
            if places:
                told = "1 request has" if len(places) == 1 else f"{len(places):,} requests have"
                found.append(f"{told} several {what}, the first counts (request {self.ids[min(places)][:60]!r}).")
        if self._apart_count:
            found.append(
                f"{self._apart_count:,} ids stand in several files with other prompts: taken for different requests."
            )
        return found

    def add(self, file: RowsOfRequests, is_first: bool) -> None:
        """The requests of one more file."""
        known_before = len(self.prompts)
        of_row = np.full(len(file.request_ids), -1, dtype=np.intp)
        for row in np.unique(file.rows).tolist():
            name, prompt = file.request_ids[row], file.prompts[row]
            at = self.place_of.get(name)
            if not is_first and at is not None and at < known_before and self._is_another(at, prompt):
                name = f"{name} ({file.file})"
                self._apart_count += name not in self.place_of
            of_row[row] = self._place(name)
            self._describe(int(of_row[row]), prompt, file.groups, row)
        self.of_rows.append(of_row)

    def _is_another(self, at: int, prompt: str) -> bool:
        return bool(prompt and self.prompts[at] and prompt != self.prompts[at])

    def _place(self, name: str) -> int:
        at = self.place_of.setdefault(name, len(self.place_of))
        if at == len(self.prompts):
            self.prompts.append("")
            for values in self.groups.values():
                values.append("")
        return at

    def _describe(self, at: int, prompt: str, groups: Mapping[str, Sequence[str]], row: int) -> None:
        if self._is_another(at, prompt):
            self._other_prompts.add(at)
        self.prompts[at] = self.prompts[at] or prompt
        for name, said in groups.items():
            if text := said[row]:
                if self.groups[name][at] and self.groups[name][at] != text:
                    self._other_groups.add(at)
                self.groups[name][at] = self.groups[name][at] or text


def request_list(files: Sequence[RowsOfRequests]) -> RequestList:
    """The requests of all files."""
    found = RequestList(groups={each: [] for each in GROUP_COLUMNS if any(each in file.groups for file in files)})
    for i, file in enumerate(files):
        found.add(file, is_first=i == 0)
    return found
