"""Repeats: several rows about one model's answer to one request become one outcome.

The most trusted source counts (`TRUST`). Rows of different `attempt` are tries: success is their mean. Rows of one
attempt (or without such a column) that agree are one told twice; where they contradict each other their mean is kept,
because it does not depend on the order of the rows, and the first of them are named.

Where tries of a model stop at the first success, their mean would count failures of hard requests again and again: only
the first try of each request counts there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.outcomes.every_try import EveryTry, tried_again
from breakeven.outcomes.outcome import SOURCES, Floats, OutcomeTable
from breakeven.outcomes.request_list import RequestList, request_list

Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]

TRUST: Final = ("gold", "feedback", "validator", "log", "retry", "", "judge", "agreement")
"""Sources, the most trusted first."""
_RANK: Final = np.array([TRUST.index(each) for each in SOURCES])
KEPT: Final = "kept"
"""Name of the texts that are "1" where an answer is kept, be it empty."""
_SAME: Final = 1e-9
_NAMED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Cells:
    """The outcomes of one file. Request ids, prompts and groups go by row of the file, the rest by cell."""

    file: str
    sha256: str
    row_nos: Counts
    request_ids: Sequence[str]
    prompts: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    rows: Codes
    """Row of each cell."""
    models: Sequence[str]
    success: Floats
    """NaN where the answer is not judged yet."""
    numbers: Mapping[str, Floats]
    """`cost_usd`, `latency_s`, `propensity`: those the file has."""
    source_codes: npt.NDArray[np.int8]
    texts: Mapping[str, Sequence[str]]
    """`response`, `finish_reason`, `tool_calls`: those the file has; `KEPT` beside `response`."""
    attempts: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """One outcome per request and model."""

    table: OutcomeTable
    notes: tuple[str, ...]
    tries_count: Counts
    source_codes: npt.NDArray[np.int8]
    endings: Mapping[str, tuple[str, ...]]
    tool_calls: Mapping[str, tuple[str, ...]]
    kept: Mapping[str, tuple[str, ...]]
    contradicting_count: int
    every_try: EveryTry


def resolved(files: Sequence[Cells], only_sources: frozenset[str] = frozenset()) -> Resolved:
    """The cells of all `files` in one table."""
    requests = request_list(files)
    models = {name: i for i, name in enumerate(dict.fromkeys(name for each in files for name in each.models))}
    all_cells = _Joined.of(files, requests, models, only_sources)
    shape = (len(requests.ids), len(models))
    judged = _Judged.of(all_cells, shape[0], tuple(models))
    costs = judged.mean(all_cells.numbers["cost_usd"], all_cells).reshape(shape)
    costs, free = _without_free(costs, tuple(models))
    table = OutcomeTable(
        request_ids=requests.ids,
        models=tuple(models),
        success=judged.success.reshape(shape),
        cost_usd=costs,
        prompts=tuple(requests.prompts),
        groups={name: tuple(values) for name, values in requests.groups.items()},
        responses=_texts("response", all_cells, judged, tuple(models), shape),
        latency_s=_known(judged.mean(all_cells.numbers["latency_s"], all_cells).reshape(shape)),
        propensity_fraction=_known(judged.mean(all_cells.numbers["propensity"], all_cells).reshape(shape)),
        source=source_of(judged.source_codes),
        label=", ".join(f"{each.file} ({each.sha256[:12]})" for each in files),
    )
    notes = [*requests.notes(), *judged.notes(all_cells), *free, *unjudged(table, judged.tries_count.reshape(shape))]
    return Resolved(
        table,
        tuple(notes),
        judged.tries_count.reshape(shape),
        judged.source_codes.reshape(shape),
        _texts("finish_reason", all_cells, judged, tuple(models), shape),
        _texts("tool_calls", all_cells, judged, tuple(models), shape),
        _texts(KEPT, all_cells, judged, tuple(models), shape),
        len(np.unique(all_cells.keys[judged.contradicting])),
        judged.every_try,
    )


@dataclass(frozen=True, slots=True)
class _Joined:
    """The cells of all files, one behind the other."""

    keys: Codes
    """Place of the cell in the table, row by row."""
    success: Floats
    numbers: Mapping[str, Floats]
    source_codes: npt.NDArray[np.int8]
    attempts: Codes
    """Code of the attempt within the whole, 0 where there is no such column."""
    attempt_nos: Codes
    """Its number, 0 where there is none."""
    texts: Mapping[str, Sequence[str]]
    places: Sequence[tuple[str, int]]
    """File and row, for messages."""

    @classmethod
    def of(
        cls, files: Sequence[Cells], requests: RequestList, models: Mapping[str, int], only: frozenset[str]
    ) -> _Joined:
        attempts: dict[str, int] = {"": 0}
        keys, codes, places = [], [], []
        names = sorted({name for each in files for name in each.texts})
        texts: dict[str, list[str]] = {name: [] for name in names}
        for each, of_row in zip(files, requests.of_rows, strict=True):
            keys += (
                of_row[each.rows] * len(models) + np.array([models[m] for m in each.models], dtype=np.intp)
            ).tolist()
            codes += [attempts.setdefault(name, len(attempts)) for name in each.attempts or [""] * len(each.rows)]
            for name in names:
                texts[name] += each.texts.get(name) or [""] * len(each.rows)
            places += [(each.file, int(row)) for row in each.row_nos[each.rows]]
        success = np.concatenate([each.success for each in files])
        sources = np.concatenate([each.source_codes for each in files])
        if only:
            success = np.where(np.isin(sources, [SOURCES.index(each) for each in only]), success, np.nan)
        return cls(
            np.array(keys, dtype=np.intp),
            success,
            {key: _number(files, key) for key in ("cost_usd", "latency_s", "propensity")},
            sources,
            np.array(codes, dtype=np.intp),
            np.array([int(name) if name else 0 for name in attempts], dtype=np.intp)[codes],
            texts,
            places,
        )


@dataclass(frozen=True, slots=True)
class _Judged:
    """Places of the table, flat, and which cells count there."""

    success: Floats
    counts_there: npt.NDArray[np.bool_]
    """Cells that count: of the most trusted source of their place."""
    tries_count: Counts
    source_codes: npt.NDArray[np.int8]
    contradicting: Codes
    """Cells in the first contradiction of each place that has one."""
    repeated_count: int
    outranked_count: int
    every_try: EveryTry
    later: Mapping[str, int]
    """Model whose tries stop at the first success -> rows of later tries, which do not count."""

    @classmethod
    def of(cls, cells: _Joined, requests_count: int, models: Sequence[str]) -> _Judged:
        places_count = requests_count * len(models)
        known = ~np.isnan(cells.success)
        rank = np.where(known, _RANK[cells.source_codes], len(TRUST))
        best = np.full(places_count, len(TRUST) + 1)
        np.minimum.at(best, cells.keys, rank)
        trusted = rank == best[cells.keys]
        later = _later_tries(cells, trusted, places_count, len(models))
        counts, said = trusted & ~later, trusted & known
        tried = cells.keys * (int(cells.attempts.max(initial=0)) + 1) + cells.attempts
        tries, of_try = np.unique(tried[counts], return_inverse=True)
        values = cells.success[counts]
        rows_of_try = np.bincount(of_try, minlength=len(tries))
        mean_of_try = np.bincount(of_try, np.nan_to_num(values), minlength=len(tries)) / np.maximum(rows_of_try, 1)
        place_of_try = tries // (int(cells.attempts.max(initial=0)) + 1)
        tries_count = np.bincount(place_of_try, minlength=places_count)
        total = np.bincount(place_of_try, mean_of_try, minlength=places_count)
        is_judged = np.asarray(best < len(TRUST))
        off = np.abs(np.nan_to_num(values) - mean_of_try[of_try]) > _SAME
        codes = np.full(places_count, -1, dtype=np.int8)
        codes[is_judged] = np.array([SOURCES.index(each) for each in TRUST], dtype=np.int8)[best[is_judged]]
        return cls(
            np.where(is_judged, total / np.maximum(tries_count, 1), np.nan),
            counts,
            tries_count.astype(np.int64),
            codes,
            np.flatnonzero(counts)[off],
            int(np.sum(rows_of_try - 1)),
            int(np.sum(known & ~trusted)),
            tried_again(cells.keys[said], cells.attempt_nos[said], cells.success[said], len(models)),
            {name: n for at, name in enumerate(models) if (n := int(np.sum(later & (cells.keys % len(models) == at))))},
        )

    def mean(self, values: Floats, cells: _Joined) -> Floats:
        """Mean of what is known of `values` at each place."""
        known = self.counts_there & ~np.isnan(values)
        counts = np.bincount(cells.keys[known], minlength=len(self.success))
        totals = np.bincount(cells.keys[known], values[known], minlength=len(self.success))
        return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)

    def notes(self, cells: _Joined) -> list[str]:
        """What was merged."""
        found = []
        places = np.unique(cells.keys[self.contradicting])
        same_count = self.repeated_count - (len(self.contradicting) - len(places))
        if len(places):
            named = "; ".join(self._named(cells, int(key)) for key in places[:_NAMED_MAX])
            told = (
                "1 answer is told several times and contradicts itself; the mean is kept"
                if len(places) == 1
                else f"{len(places):,} answers are told several times and contradict themselves; their means are kept"
            )
            more = ", ..." if len(places) > _NAMED_MAX else ""
            found.append(f"{told}: {named}{more}. If these are repeated tries, number them in a column `attempt`.")
        if same_count > 0:
            told = "1 row repeats" if same_count == 1 else f"{same_count:,} rows repeat"
            found.append(f"{told} an outcome that is told already; it counts once.")
        if self.later:
            left_out = sum(self.later.values())
            found.append(
                f"Tries of {', '.join(self.later)} stop at the first success, so only the first try of each request "
                f"counts: {left_out:,} later {'try is' if left_out == 1 else 'tries are'} left out."
            )
        if self.outranked_count:
            order = ", ".join(each for each in TRUST if each)
            told = "1 row is" if self.outranked_count == 1 else f"{self.outranked_count:,} rows are"
            found.append(f"{told} outranked by a more trusted source of the same answer ({order}).")
        return found

    def _named(self, cells: _Joined, key: int) -> str:
        mine = [int(i) for i in self.contradicting if cells.keys[i] == key]
        file, row = cells.places[mine[0]]
        others = ", ".join(f"{row:,}" for _, row in (cells.places[i] for i in mine[1:4]))
        values = " and ".join(f"{cells.success[i]:g}" for i in mine[:4])
        return f"{file}, rows {row:,}, {others} ({values})"


def _later_tries(
    cells: _Joined, trusted: npt.NDArray[np.bool_], places_count: int, models_count: int
) -> npt.NDArray[np.bool_]:
    """Cells behind the first try, of models that are never asked again after a success and stop early for one."""
    if not cells.attempts.any():
        return np.zeros(len(cells.keys), dtype=bool)
    keys, numbers = cells.keys[trusted], cells.attempt_nos[trusted]
    won = np.nan_to_num(cells.success[trusted]) >= 0.5
    never = int(cells.attempt_nos.max()) + 1
    first, last, success = np.full(places_count, never), np.full(places_count, -1), np.full(places_count, never)
    np.minimum.at(first, keys, numbers)
    np.maximum.at(last, keys, numbers)
    np.minimum.at(success, keys[won], numbers[won])
    tries = np.bincount(np.unique(keys * (never + 1) + numbers) // (never + 1), minlength=places_count)
    by_model = tries.reshape(-1, models_count)
    goes_on = (last > success).reshape(by_model.shape).any(axis=0)
    early = ((success < never) & (last == success)).reshape(by_model.shape) & (by_model < by_model.max(axis=0))
    stops = ~goes_on & early.any(axis=0)
    return np.asarray(trusted & stops[cells.keys % models_count] & (cells.attempt_nos > first[cells.keys]), dtype=bool)


def _number(files: Sequence[Cells], key: str) -> Floats:
    return np.concatenate([each.numbers.get(key, np.full(len(each.rows), np.nan)) for each in files])


def _known(values: Floats) -> Floats | None:
    return None if np.isnan(values).all() else values


def _without_free(costs: Floats, models: Sequence[str]) -> tuple[Floats, list[str]]:
    """Costs, and a note: a model all of whose calls cost 0 is one whose price nobody knew, not a free one."""
    known = ~np.isnan(costs)
    free = np.atleast_1d(known.any(axis=0) & ~((costs > 0) & known).any(axis=0))
    if not free.any():
        return costs, []
    named = ", ".join(models[int(i)] for i in np.flatnonzero(free))
    note = f"Every call of {named} costs 0 in the file: taken as not known, because logs write 0 for unknown prices."
    return np.where(free[np.newaxis, :], np.nan, costs), [note]


def _texts(
    key: str, cells: _Joined, judged: _Judged, models: Sequence[str], shape: tuple[int, int]
) -> dict[str, tuple[str, ...]]:
    """The last text told at each place, of models of which any is."""
    told = cells.texts.get(key)
    if told is None:
        return {}
    flat = [""] * (shape[0] * shape[1])
    for i in np.flatnonzero(judged.counts_there).tolist():
        if told[i]:
            flat[cells.keys[i]] = told[i]
    by_model = {name: tuple(flat[j :: shape[1]]) for j, name in enumerate(models)}
    return {name: texts for name, texts in by_model.items() if any(texts)}


def source_of(codes: npt.NDArray[np.int8]) -> str:
    """Those who judged, joined by "+"."""
    return "+".join(SOURCES[int(each)] for each in np.unique(codes[codes >= 0]) if SOURCES[int(each)])


UNJUDGED: Final = "not judged yet; validators, feedback or gold labels can (breakeven outcomes --help)."
"""How the note ends that says how many answers are not judged."""


def unjudged(table: OutcomeTable, tries_count: Counts) -> list[str]:
    """How many answers nobody judged, in a sentence, where there are any."""
    missing = int(np.sum((tries_count > 0) & np.isnan(table.success)))
    if not missing:
        return []
    return [f"{missing:,} of {int(np.sum(tries_count > 0)):,} answers {'is' if missing == 1 else 'are'} {UNJUDGED}"]
