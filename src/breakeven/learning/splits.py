"""Split: which requests a policy learns from, and which it is judged on; the same request is never on both sides.

Folds hold every task in equal parts, or whole tasks, so that what is tested was never seen. Requests with one text are
one unit: copies never lie on both sides. A fold number per request, from a seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.outcomes.outcome import Indexes, OutcomeTable

COMMON_FRACTION: Final = 0.02
"""A text of more of the requests than this is what many say (a label, a template without its content), not a copy."""
COMMON_MIN_COUNT: Final = 8


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to learn from and rows to judge by."""

    train: Indexes
    test: Indexes


def mixed_folds(table: OutcomeTable, folds_count: int, seed: int) -> Indexes:
    """Fold of each request: every task in equal parts, copies of a text together.

    >>> import numpy as np
    >>> from breakeven.outcomes.outcome import OutcomeTable
    >>> known = np.ones((4, 1))
    >>> table = OutcomeTable(("a", "b", "c", "d"), ("m",), known, known, ("x", "y", "x", "z"), {"task": ("t",) * 4})
    >>> fold = mixed_folds(table, 2, seed=0)
    >>> bool(fold[0] == fold[2]), sorted(set(fold.tolist()))
    (True, [0, 1])
    """
    rng = np.random.default_rng(seed)
    units = _units(table)
    tasks_of_unit: dict[int, str] = {}
    for unit, task in zip(units.tolist(), table.tasks, strict=True):
        tasks_of_unit.setdefault(unit, task)
    by_task: dict[str, list[int]] = {}
    for unit, task in tasks_of_unit.items():
        by_task.setdefault(task, []).append(unit)
    fold_of_unit = np.zeros(len(tasks_of_unit), dtype=np.intp)
    dealt = 0
    for task in sorted(by_task):
        shuffled = rng.permutation(by_task[task])
        fold_of_unit[shuffled] = (dealt + np.arange(len(shuffled))) % folds_count
        dealt += len(shuffled)
    return fold_of_unit[units]


def task_folds(table: OutcomeTable, folds_count: int, seed: int) -> Indexes:
    """Fold of each request where whole tasks stay together: in random order, each to the fold with the fewest requests.

    A table with fewer tasks than folds has empty folds; `splits` leaves those out.
    """
    rng = np.random.default_rng(seed)
    names, of_row, sizes = np.unique(np.array(table.tasks, dtype=object), return_inverse=True, return_counts=True)
    fold_of_task = np.zeros(len(names), dtype=np.intp)
    load = np.zeros(folds_count)
    for task in rng.permutation(len(names)):
        emptiest = int(np.argmin(load))
        fold_of_task[task] = emptiest
        load[emptiest] += sizes[task]
    return fold_of_task[of_row]


def splits(table: OutcomeTable, fold_of: Indexes) -> Iterator[Split]:
    """For each fold that has requests: the rest to learn from, less what has a text of the fold's."""
    units = _units(table)
    for fold in np.unique(fold_of):
        test = np.flatnonzero(fold_of == fold)
        train = np.flatnonzero((fold_of != fold) & ~np.isin(units, units[test]))
        yield Split(train, test)


def _units(table: OutcomeTable) -> Indexes:
    """Number of each request's text; a request whose text was not kept, or is a common one, is a unit of its own."""
    common = max(COMMON_MIN_COUNT, COMMON_FRACTION * table.requests_count)
    frequent = {text for text, count in Counter(table.prompts).items() if count > common}
    number_of: dict[str, int] = {}
    units = np.zeros(table.requests_count, dtype=np.intp)
    unnamed = 0
    for row, prompt in enumerate(table.prompts):
        if prompt and prompt not in frequent:
            units[row] = number_of.setdefault(prompt, len(number_of) + unnamed)
        else:
            units[row] = len(number_of) + unnamed
            unnamed += 1
    return units
