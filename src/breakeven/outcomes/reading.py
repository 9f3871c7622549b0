"""Reading: files of outcomes, long or wide, into one table; every row that is no outcome is named, none is guessed.

Long: a row per request and model, `request_id, task, prompt, model, success, cost_usd[, response, latency_s, source,
attempt, propensity]`. Wide: a row per request, `id, prompt, task`, then `score__MODEL`, `cost__MODEL`,
`response__MODEL`, `latency_s__MODEL`. Group columns (application, template_id, ...) may stand in either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import OutcomeError
from breakeven.outcomes import cells as cell
from breakeven.outcomes.columns import Columns, read_columns
from breakeven.outcomes.every_try import EveryTry
from breakeven.outcomes.outcome import GROUP_COLUMNS, SOURCES, Floats, OutcomeTable
from breakeven.outcomes.repeats import KEPT, Cells, resolved
from breakeven.usage.ingest_report import Reject

Codes = npt.NDArray[np.intp]

SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "request_id": ("request_id", "id", "record_id", "query_id", "sample_id"),
    "model": ("model", "model_name"),
    "success": ("success", "score", "outcome", "correct"),
    "cost_usd": ("cost_usd", "cost"),
    "latency_s": ("latency_s", "duration_s"),
    "propensity": ("propensity", "propensity_fraction"),
    "prompt": ("prompt", "question", "input"),
    "response": ("response", "answer", "output"),
    "finish_reason": ("finish_reason",),
    "tool_calls": ("tool_calls",),
    "source": ("source", "outcome_source"),
    "attempt": ("attempt", "try", "trial"),
    **{each: (each,) for each in GROUP_COLUMNS},
}
"""Field -> names of its column, the first that a file has."""
_WIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "success": ("score", "success", "outcome", "correct"),
    "cost_usd": ("cost", "cost_usd"),
    "latency_s": ("latency_s", "duration_s"),
    "propensity": ("propensity", "propensity_fraction"),
    "response": ("response", "answer", "output"),
    "finish_reason": ("finish_reason",),
    "tool_calls": ("tool_calls",),
}
_WIDE_STEMS: Final = frozenset(stem for stems in _WIDE.values() for stem in stems)
_NUMBERS: Final = ("cost_usd", "latency_s", "propensity")
_TEXTS: Final = ("response", "finish_reason", "tool_calls")
BAD_SUCCESS: Final = "success is not a number from 0 to 1"
NUMBERS_MAX_COUNT: Final[Mapping[str, float]] = {"cost_usd": 1e6, "latency_s": 1e7}
"""No call costs or lasts more: such a number is in another unit, or damaged, and one alone would decide every mean."""
BAD_ATTEMPT: Final = "attempt is not a whole number from 0 to 1,000,000"


@dataclass(frozen=True, slots=True)
class ReadOutcomes:
    """What files of outcomes held."""

    table: OutcomeTable
    rejects: tuple[Reject, ...]
    """Rows (of the wide format: cells) that are no outcomes; all other rows count."""
    notes: tuple[str, ...]
    """What was left out, merged or assumed, in sentences."""
    rows_count: int
    """Rows read, good or not."""
    tries_count: npt.NDArray[np.int64] = field(repr=False)
    """How often each model tried each request, by the column `attempt`, else 1; shape (requests, models). `success` of
    the table is their mean, so `success * tries_count` of them succeeded."""
    source_codes: npt.NDArray[np.int8] = field(repr=False)
    """Index into `SOURCES` of who judged each answer, -1 where nobody did; shape (requests, models)."""
    endings: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Model -> why each of its answers ended (`finish_reason`), "" where not told."""
    tool_calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Model -> the tool calls of each of its answers, as JSON, "" where there are none."""
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Model -> "1" where its answer is kept, also an empty one; "" where nobody knows it."""
    contradicting_count: int = 0
    """Answers that were told several times, differently, and not as tries."""
    every_try: EveryTry = field(default_factory=EveryTry.none, repr=False)
    """Of requests tried more than once, those behind the first success among them."""


def read_outcomes(path: Path | Sequence[Path], *, only_sources: Iterable[str] = ()) -> ReadOutcomes:
    """The outcomes in one or several files, as one table; `only_sources` leaves out what others judged.

    Raises OutcomeError for what is no file of outcomes, and where no row of it can be used.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    wanted = frozenset(only_sources)
    files = [_file(each) for each in paths]
    found = resolved([each.cells for each in files], wanted)
    rejects = tuple(each for file in files for each in file.rejects)
    if not found.table.request_ids:
        first = f"; the first is {rejects[0]}" if rejects else ""
        raise OutcomeError(f"{', '.join(map(str, paths))}: no row is an outcome ({len(rejects):,} rejected{first})")
    notes = [note for each in files for note in each.notes]
    rows_count = sum(each.rows_count for each in files)
    return ReadOutcomes(
        found.table,
        rejects,
        (*notes, *found.notes),
        rows_count,
        found.tries_count,
        found.source_codes,
        found.endings,
        found.tool_calls,
        found.kept,
        found.contradicting_count,
        found.every_try,
    )


@dataclass(frozen=True, slots=True)
class _File:
    cells: Cells
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]
    rows_count: int


def is_wide(column: str) -> bool:
    """True for a column of the wide format that belongs to one model."""
    stem, mark, model = column.partition("__")
    return bool(mark and model.strip()) and stem in _WIDE_STEMS


def _wanted(column: str) -> bool:
    return is_wide(column) or any(column in names for names in SPELLINGS.values())


def _file(path: Path) -> _File:
    columns = read_columns(path, _wanted)
    rows_count = columns.rows_count + len(columns.rejects)
    names = {key: next((each for each in spelt if each in columns.values), "") for key, spelt in SPELLINGS.items()}
    wide = [each for each in columns.names if is_wide(each)]
    if not wide and not names["model"]:
        raise OutcomeError(
            f"{path}: no outcomes; of the columns that can be used it has {', '.join(columns.names) or 'none'}. Wanted "
            "one row per request and model with request_id, model, success (and task, prompt, cost_usd), or one row "
            "per request with id, score__MODEL, ... for each model"
        )
    reader = _Reader(columns, names)
    made = reader.wide(wide) if wide else reader.long()
    rejects = sorted(columns.rejects, key=lambda each: each.row)
    return _File(made, tuple(rejects), tuple(reader.notes), rows_count)


class _Reader:
    """One file's cells; bad rows go to the rejects of its columns, what else was found to `notes`."""

    def __init__(self, columns: Columns, names: Mapping[str, str]) -> None:
        self.columns = columns
        self.names = names
        self.notes = [f"{columns.name}: the column {each} stands twice; the first counts." for each in columns.doubled]
        self._dropped: dict[str, int] = {}
        self._ids = self._request_ids()
        self._good = np.array([bool(each) for each in self._ids], dtype=bool)
        for i in np.flatnonzero(~self._good):
            columns.rejects.append(columns.reject(int(i), "request_id is missing"))

    def long(self) -> Cells:
        """A cell per row."""
        models = [cell.name(each) for each in self._column("model")]
        read = cell.successes(self._column("success"), decimal_comma=self.columns.has_decimal_comma)
        for i, model in enumerate(models):
            if self._good[i] and (not model or read.bad[i]):
                seen = None if not model else self._column("success")[i]
                self.columns.rejects.append(self.columns.reject(i, BAD_SUCCESS if model else "model is missing", seen))
                self._good[i] = False
        attempts = self._attempts()
        numbers = {key: self._numbers(key, self.names[key]) for key in _NUMBERS if self.names[key]}
        for key, values in numbers.items():
            self._good &= ~self._beyond(key, values, self.names[key])
        rows = np.flatnonzero(self._good)
        numbers = {key: values[rows] for key, values in numbers.items()}
        return self._cells(
            rows,
            [models[i] for i in rows],
            read.values[rows],
            numbers,
            {key: [said[i] for i in rows] for key, said in self._texts(self.names).items()},
            [attempts[i] for i in rows] if attempts else None,
        )

    def _attempts(self) -> list[str]:
        """Number of the try on each row, empty without such a column; a row with what is none is rejected."""
        said = self._column("attempt") if self.names["attempt"] else []
        read = [cell.attempt_name(each) for each in said]
        for i, each in enumerate(read):
            if each is None and self._good[i]:
                self.columns.rejects.append(self.columns.reject(i, BAD_ATTEMPT, said[i]))
                self._good[i] = False
        return [each or "" for each in read]

    def wide(self, columns: Sequence[str]) -> Cells:
        """A cell per row and model of which anything is said."""
        by_model: dict[str, dict[str, str]] = {}
        for each in columns:
            stem, _, model = each.partition("__")
            key = next(key for key, stems in _WIDE.items() if stem in stems)
            by_model.setdefault(model.strip(), {}).setdefault(key, each)
        parts = [self._of_model(model, names) for model, names in by_model.items()]
        rows = np.concatenate([part.rows for part in parts])
        numbers = {
            key: np.concatenate([part.numbers.get(key, np.full(len(part.rows), np.nan)) for part in parts])
            for key in _NUMBERS
            if any(key in part.numbers for part in parts)
        }
        texts = {
            key: [each for part in parts for each in part.texts.get(key) or [""] * len(part.rows)]
            for key in (*_TEXTS, KEPT)
            if any(key in part.texts for part in parts)
        }
        models = [model for part, model in zip(parts, by_model, strict=True) for _ in range(len(part.rows))]
        return self._cells(rows, models, np.concatenate([part.success for part in parts]), numbers, texts, None)

    def _of_model(self, model: str, names: Mapping[str, str]) -> _ModelColumn:
        count = self.columns.rows_count
        scores = self.columns.values[names["success"]] if "success" in names else [None] * count
        read = cell.successes(scores, decimal_comma=self.columns.has_decimal_comma)
        for i in np.flatnonzero(read.bad & self._good):
            self.columns.rejects.append(self.columns.reject(int(i), BAD_SUCCESS, scores[i], of=model))
        texts = self._texts(names)
        numbers = {key: self._numbers(key, names[key]) for key in _NUMBERS if key in names}
        tried = ~np.isnan(read.values)
        if "response" in texts:
            tried |= np.array([bool(each) for each in texts["response"]], dtype=bool) & ~read.bad
        for key, values in numbers.items():
            tried &= ~self._beyond(key, values, names[key], of=model)
        rows = np.flatnonzero(tried & self._good)
        return _ModelColumn(
            rows,
            read.values[rows],
            {key: values[rows] for key, values in numbers.items()},
            {key: [said[i] for i in rows] for key, said in texts.items()},
        )

    def _cells(
        self,
        rows: Codes,
        models: list[str],
        success: Floats,
        numbers: dict[str, Floats],
        texts: dict[str, list[str]],
        attempts: list[str] | None,
    ) -> Cells:
        sources = [cell.source_name(each) for each in self._column("source")] if self.names["source"] else []
        codes = [SOURCES.index(sources[i]) if sources else len(SOURCES) - 1 for i in rows]
        for key, count in self._dropped.items():
            rows_words = "1 row" if count == 1 else f"{count:,} rows"
            self.notes.append(f"{self.columns.name}: {key} is unreadable in {rows_words} and was left out there.")
        return Cells(
            file=self.columns.name,
            sha256=self.columns.sha256,
            row_nos=np.array(self.columns.row_nos, dtype=np.int64),
            request_ids=self._ids,
            prompts=[cell.text(each) for each in self._column("prompt")],
            groups={each: [cell.name(v) for v in self._column(each)] for each in GROUP_COLUMNS if self.names[each]},
            rows=rows,
            models=models,
            success=success,
            numbers=numbers,
            source_codes=np.array(codes, dtype=np.int8),
            texts=texts,
            attempts=attempts,
        )

    def _texts(self, names: Mapping[str, str]) -> dict[str, list[str]]:
        """By row, of the columns that are there; `KEPT` tells an empty answer from none."""
        columns = {key: self.columns.values[names[key]] for key in _TEXTS if names.get(key)}
        found = {key: [cell.text(each) for each in values] for key, values in columns.items()}
        if "response" in found:
            nothing = (None, "") if self.columns.is_csv else (None,)
            found[KEPT] = ["" if each in nothing else "1" for each in columns["response"]]
        return found

    def _numbers(self, key: str, column: str) -> Floats:
        read_as = cell.probabilities if key == "propensity" else cell.amounts
        read = read_as(self.columns.values[column], decimal_comma=self.columns.has_decimal_comma)
        if bad := int(read.bad.sum()):
            self._dropped[key] = self._dropped.get(key, 0) + bad
        return read.values

    def _beyond(self, key: str, values: Floats, column: str, of: str = "") -> npt.NDArray[np.bool_]:
        """Rows whose number is above what any call costs or lasts; they are rejected."""
        most = NUMBERS_MAX_COUNT.get(key, np.inf)
        beyond = values > most
        for i in np.flatnonzero(beyond & self._good):
            seen, reason = self.columns.values[column][i], f"{key} is above {most:,.0f}"
            self.columns.rejects.append(self.columns.reject(int(i), reason, seen, of=of))
        return np.asarray(beyond)

    def _column(self, key: str) -> list[Any]:
        name = self.names[key]
        return self.columns.values[name] if name else [None] * self.columns.rows_count

    def _request_ids(self) -> list[str]:
        if self.names["request_id"]:
            return [cell.name(each) for each in self._column("request_id")]
        if self.names["prompt"]:
            from breakeven.usage.redact import hash_of

            self.notes.append(f"{self.columns.name} names no request_id: requests are told apart by their prompts.")
            return [hash_of(text) if (text := cell.text(each)) else "" for each in self._column("prompt")]
        raise OutcomeError(
            f"{self.columns.path}: neither request_id (or id) nor prompt tells which request a row is of"
        )


@dataclass(frozen=True, slots=True)
class _ModelColumn:
    rows: Codes
    success: Floats
    numbers: dict[str, Floats]
    texts: dict[str, list[str]]
