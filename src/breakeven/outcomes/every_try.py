"""Every try: what became of each try of requests that a model was asked more than once, later tries among them.

Success rates count a request once, and where tries stop at the first success its first try only; how alike tries of one
request are shows in all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EveryTry:
    """Tries in order of request, model and attempt; arrays have shape (tries,)."""

    rows: Codes
    """Request, as a row of the table."""
    columns: Codes
    """Model, as a column of the table."""
    attempt_nos: Counts
    success: Floats

    @classmethod
    def none(cls) -> EveryTry:
        """No request was tried again."""
        nowhere = np.zeros(0, dtype=np.intp)
        return cls(nowhere, nowhere, nowhere.astype(np.int64), np.zeros(0))

    def counts(self, column: int, success: Floats) -> tuple[Counts, Floats]:
        """Tries and successes of a model by request; `success`: of requests that were tried once, NaN for no try."""
        known = ~np.isnan(success)
        tries, won = known.astype(np.int64), np.where(known, success, 0.0)
        mine = self.columns == column
        made = np.bincount(self.rows[mine], minlength=len(success))
        again = made > 0
        tries[again] = made[again]
        won[again] = np.bincount(self.rows[mine], self.success[mine], len(success))[again]
        return tries, won

    def without(self, places: Mask) -> EveryTry:
        """Without the tries at `places` (requests, models), of which somebody more trusted has spoken since."""
        return self._only(~places[self.rows, self.columns]) if len(self.rows) else self

    def part(self, rows: Codes, columns: Codes) -> EveryTry:
        """The tries of some rows and columns of the table, numbered as they are there."""
        if not len(self.rows):
            return self
        row_of = np.full(max(int(self.rows.max()), int(rows.max(initial=0))) + 1, -1, dtype=np.intp)
        column_of = np.full(max(int(self.columns.max()), int(columns.max(initial=0))) + 1, -1, dtype=np.intp)
        row_of[rows], column_of[columns] = np.arange(len(rows)), np.arange(len(columns))
        kept = self._only((row_of[self.rows] >= 0) & (column_of[self.columns] >= 0))
        return EveryTry(row_of[kept.rows], column_of[kept.columns], kept.attempt_nos, kept.success)

    def at(self, row: int, column: int) -> list[tuple[int, float]]:
        """Attempt and success of each try of one request; empty where it was tried once."""
        start, end = np.searchsorted(self.rows, [row, row + 1])
        mine = self.columns[start:end] == column
        numbers, successes = self.attempt_nos[start:end][mine], self.success[start:end][mine]
        return [(int(number), float(success)) for number, success in zip(numbers, successes, strict=True)]

    def _only(self, kept: Mask) -> EveryTry:
        return EveryTry(self.rows[kept], self.columns[kept], self.attempt_nos[kept], self.success[kept])


def tried_again(keys: Codes, attempt_nos: Counts, success: Floats, models_count: int) -> EveryTry:
    """The tries of requests tried more than once, from cells; `keys`: row by row, the place of each in the table.

    Several cells of one attempt are one try, whose success is their mean.

    >>> found = tried_again(np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([0.0, 1.0, 1.0]), 1)
    >>> found.rows.tolist(), found.attempt_nos.tolist(), found.success.tolist()
    ([0, 0], [1, 2], [0.0, 1.0])
    """
    if not len(keys) or not attempt_nos.any():
        return EveryTry.none()
    width = int(attempt_nos.max()) + 1
    tries, of_try = np.unique(keys.astype(np.int64) * width + attempt_nos, return_inverse=True)
    means = np.bincount(of_try, success) / np.bincount(of_try)
    places, numbers = tries // width, tries % width
    again = np.bincount(places)[places] > 1
    place, attempt = places[again].astype(np.intp), numbers[again]
    return EveryTry(place // models_count, place % models_count, attempt, means[again])
