"""Group rate: how often each model succeeds in a group of requests, drawn towards the rate of the group above it.

A group is a path of values (application, endpoint, ..., task). Its rate is (successes + k * rate of its parent) /
(tries + k): a beta-binomial posterior mean. k says how alike the groups of a level are; it is the value under which the
groups' own counts are likeliest (empirical Bayes, for each level and model), or 20 where fewer than three groups tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.learning.digits import rounded
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable

DEFAULT_STRENGTH_COUNT: Final = 20.0
"""Tries that the parent's rate is worth, where the data cannot tell."""
FEWEST_GROUPS: Final = 3
STRENGTHS_COUNT: Final = np.geomspace(1.0, 4000.0, 49)
"""Strengths tried; at the last, groups of ordinary size do not differ."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupRates:
    """Success of each model in each group and in each group above it."""

    levels: tuple[str, ...]
    models: tuple[str, ...]
    node_of: Mapping[Path, int]
    """Path, or the beginning of one, -> row of `node_rates`; the empty path is everything."""
    node_rates: Floats
    """Shrunk success fractions, shape (nodes, models)."""
    node_tries: Floats
    """Outcomes known, shape (nodes, models)."""
    strengths_count: Floats
    """k of each level and model, shape (levels, models)."""

    def nodes(self, paths: Sequence[Path]) -> Indexes:
        """The nearest known group of each path."""
        return np.array([self._nearest(path) for path in paths], dtype=np.intp)

    def rates(self, paths: Sequence[Path]) -> Floats:
        """Success fractions of each path, shape (paths, models); of the nearest known group where it is new."""
        return self.node_rates[self.nodes(paths)]

    def known(self, paths: Sequence[Path]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each path was seen as it is, to its last value."""
        return np.array([path in self.node_of for path in paths], dtype=bool)

    def unknown(self, paths: Sequence[Path]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each path says more of its group than was seen, as a policy asks online."""
        return np.array([self._is_unknown(path) for path in paths], dtype=bool)

    def groups(self) -> tuple[Path, ...]:
        """The whole paths seen, in order."""
        return tuple(sorted(path for path in self.node_of if len(path) == len(self.levels)))

    def _is_unknown(self, path: Path) -> bool:
        length = next(each for each in range(len(path), -1, -1) if path[:each] in self.node_of)
        return any(path[length:])

    def _nearest(self, path: Path) -> int:
        for length in range(len(path), 0, -1):
            found = self.node_of.get(path[:length])
            if found is not None:
                return found
        return self.node_of[()]


def paths_of(table: OutcomeTable) -> tuple[Path, ...]:
    """Group of each request: its value at each level of the table."""
    columns = [table.groups[each] for each in table.levels]
    return tuple(zip(*columns, strict=True)) if columns else ((),) * table.requests_count


def task_of(levels: tuple[str, ...], path: Path) -> str:
    """The task in a group's path, or in the beginning of one; "" where it says none.

    >>> task_of(("application", "task"), ("support", "faq")), task_of(("application", "task"), ("support",))
    ('faq', '')
    """
    return dict(zip(levels, path, strict=False)).get("task", "")


def group_name(path: Path) -> str:
    """A group as a report names it.

    >>> group_name(("support", "faq"))
    'support / faq'
    """
    return " / ".join(path)


def fit_group_rates(table: OutcomeTable) -> GroupRates:
    """Rates of all groups of a table, coarse to fine, each level shrunk towards the one above.

    >>> import numpy as np
    >>> from breakeven.outcomes.outcome import OutcomeTable
    >>> success = np.array([[1.0], [1.0], [0.0], [0.0]])
    >>> table = OutcomeTable(tuple("abcd"), ("m",), success, success, ("",) * 4, {"task": ("t", "t", "u", "u")})
    >>> rates = fit_group_rates(table)
    >>> rates.rates([("t",), ("u",), ("new",)]).round(3).ravel().tolist()
    [0.545, 0.455, 0.5]
    """
    paths = paths_of(table)
    tried = ~np.isnan(table.success)
    successes = np.where(tried, table.success, 0.0)
    node_of: dict[Path, int] = {(): 0}
    wins, tries = [successes.sum(axis=0)], [tried.sum(axis=0).astype(float)]
    rates = [rounded((wins[0] + 0.5) / (tries[0] + 1.0))]
    strengths = np.full((len(table.levels), len(table.models)), DEFAULT_STRENGTH_COUNT)
    for level in range(len(table.levels)):
        names = sorted({path[: level + 1] for path in paths})
        number = {name: at for at, name in enumerate(names)}
        of_row = np.array([number[path[: level + 1]] for path in paths], dtype=np.intp)
        won, known = _totals(successes, of_row, len(names)), _totals(tried.astype(float), of_row, len(names))
        above = np.array([rates[node_of[name[:-1]]] for name in names])
        strengths[level] = _likeliest_strengths(won, known, above)
        shrunk = rounded((won + strengths[level] * above) / (known + strengths[level]))
        for name in names:
            node_of[name] = len(node_of)
        wins.extend(won)
        tries.extend(known)
        rates.extend(shrunk)
    return GroupRates(table.levels, table.models, node_of, np.array(rates), np.array(tries), strengths)


def _totals(values: Floats, of_row: Indexes, groups_count: int) -> Floats:
    totals = np.zeros((groups_count, values.shape[1]))
    np.add.at(totals, of_row, values)
    return totals


def _likeliest_strengths(won: Floats, tries: Floats, above: Floats) -> Floats:
    """The k of each model under which its groups' counts are likeliest (beta-binomial around the parents' rates)."""
    from scipy.special import betaln

    strengths = np.full(won.shape[1], DEFAULT_STRENGTH_COUNT)
    for model in range(won.shape[1]):
        tell = tries[:, model] > 1
        if tell.sum() < FEWEST_GROUPS:
            continue
        n, s = tries[tell, model], won[tell, model]
        rate = np.clip(above[tell, model], 1e-3, 1 - 1e-3)
        alpha, beta = STRENGTHS_COUNT[:, None] * rate, STRENGTHS_COUNT[:, None] * (1 - rate)
        likelihood = (betaln(alpha + s, beta + n - s) - betaln(alpha, beta)).sum(axis=1)
        strengths[model] = STRENGTHS_COUNT[int(np.argmax(likelihood))]
    return strengths
