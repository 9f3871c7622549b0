"""Labels: what people say of answers, in a small file `request_id[, model], success`, joined to a table of outcomes.

Feedback is what users said; gold is careful labels, of a random sample, that may correct a judge. A label of a request
without a model is of the one answer that the table has to it; where it has several nobody knows of which.

A file of feedback may name who says each label (`source`: one of `SOURCES`), as the gateway's does: of several sources
the most trusted counts, of one source the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import OutcomeError
from breakeven.outcomes import cells as cell
from breakeven.outcomes.columns import Columns, read_columns
from breakeven.outcomes.outcome import SOURCES, Floats
from breakeven.outcomes.reading import BAD_SUCCESS, SPELLINGS, ReadOutcomes
from breakeven.outcomes.repeats import TRUST, source_of
from breakeven.usage.ingest_report import Reject

Codes = npt.NDArray[np.int8]

SAME: Final = 1e-9
"""Labels that differ by no more say the same."""
REPLACES: Final = "replaces"
"""Column that is true where a label corrects the one before by the same source."""
_RANKS: Final = np.array([TRUST.index(each) for each in SOURCES])
_SUCCESS: Final = (*SPELLINGS["success"], "label", "feedback", "rating", "thumbs")


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels at their places in a table."""

    success: Floats
    """NaN where there is none; shape (requests, models)."""
    source_codes: Codes
    """Index into `SOURCES` of who says so, -1 where there is none."""
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]

    @property
    def count(self) -> int:
        """Answers with a label."""
        return int(np.sum(~np.isnan(self.success)))


def read_labels(path: Path, read: ReadOutcomes, source: str = "feedback") -> Labels:
    """The labels of a file at their places in the table of `read`.

    `source` is who says so where a row does not; gold labels are gold, whatever a column says.
    """
    wanted = {*SPELLINGS["request_id"], *SPELLINGS["model"], *_SUCCESS, "source", REPLACES}
    columns = read_columns(path, lambda name: name in wanted)
    ids, models = _column(columns, SPELLINGS["request_id"]), _column(columns, SPELLINGS["model"])
    said = _column(columns, _SUCCESS)
    if ids is None or said is None:
        seen = ", ".join(columns.names) or "none that can be used"
        raise OutcomeError(f"{path}: the columns are {seen}; wanted request_id and success (0 to 1), and model")
    values = cell.successes(said, decimal_comma=columns.has_decimal_comma)
    rows = {name: i for i, name in enumerate(read.table.request_ids)}
    places = {name: i for i, name in enumerate(read.table.models)}
    sources = _sources(columns, source)
    replaces = columns.values.get(REPLACES)
    found = np.full(read.table.success.shape, np.nan)
    codes = np.full(found.shape, -1, dtype=np.int8)
    strangers = unclear = again = otherwise = 0
    for i in range(columns.rows_count):
        row = rows.get(cell.name(ids[i]))
        if values.bad[i] or np.isnan(values.values[i]):
            columns.rejects.append(columns.reject(i, BAD_SUCCESS, said[i]))
            continue
        if row is None:
            strangers += 1
            continue
        at = places.get(cell.name(models[i])) if models is not None and cell.name(models[i]) else _only(read, row)
        if at is None or read.tries_count[row, at] == 0:
            unclear += 1
            continue
        if codes[row, at] >= 0 and codes[row, at] != sources[i]:
            if _RANKS[sources[i]] > _RANKS[codes[row, at]]:
                continue  # somebody more trusted has spoken
        elif not (replaces is not None and replaces[i]):
            again += not np.isnan(found[row, at])
            otherwise += abs(found[row, at] - values.values[i]) > SAME
        found[row, at], codes[row, at] = values.values[i], sources[i]
    notes = _notes(path.name, columns, strangers, unclear, again, otherwise)
    return Labels(found, codes, tuple(columns.rejects), tuple(notes))


def labelled_ids(path: Path) -> frozenset[str]:
    """The requests that a file of labels names."""
    columns = read_columns(path, lambda name: name in SPELLINGS["request_id"])
    return frozenset(cell.name(each) for each in _column(columns, SPELLINGS["request_id"]) or ()) - {""}


def with_labels(read: ReadOutcomes, labels: Floats, source: str | Codes) -> ReadOutcomes:
    """The outcomes with `labels` in place of what a less trusted source said, and of nothing.

    `source` is who says all of them, or the code of who says each.
    """
    from dataclasses import replace

    ours = np.full(labels.shape, SOURCES.index(source), dtype=np.int8) if isinstance(source, str) else source
    theirs = np.where(read.source_codes >= 0, _RANKS[np.maximum(read.source_codes, 0)], len(TRUST))
    taken = ~np.isnan(labels) & (_RANKS[ours] <= theirs)
    codes = np.where(taken, ours, read.source_codes).astype(np.int8)
    success = np.where(taken, labels, read.table.success)
    table = replace(read.table, success=success, source=source_of(codes))
    return replace(read, table=table, source_codes=codes, every_try=read.every_try.without(taken))


def _sources(columns: Columns, source: str) -> list[int]:
    """Code of who says each label; a word that is none of `SOURCES` says nothing."""
    said = columns.values.get("source") if source == "feedback" else None
    if said is None:
        return [SOURCES.index(source)] * columns.rows_count
    names = [cell.source_name(each) for each in said]
    known = [
        source if not name or (name == "log" and cell.name(each).casefold() != "log") else name
        for name, each in zip(names, said, strict=True)
    ]
    return [SOURCES.index(each) for each in known]


def _column(columns: Columns, names: Sequence[str]) -> list[Any] | None:
    return next((columns.values[each] for each in names if each in columns.values), None)


def _only(read: ReadOutcomes, row: int) -> int | None:
    """The one model that answered a request."""
    tried = np.flatnonzero(read.tries_count[row] > 0)
    return int(tried[0]) if len(tried) == 1 else None


def _notes(name: str, columns: Columns, strangers: int, unclear: int, again: int, otherwise: int) -> list[str]:
    counted = (
        (len(columns.rejects), "is no label (see the rejects)", "are no labels (see the rejects)"),
        (strangers, "names a request that the outcomes do not have", "name requests that the outcomes do not have"),
        (
            unclear,
            "does not say of which model's answer, or of one that did not answer",
            "do not say of which model's answer, or of one that did not answer",
        ),
        (again, "repeats a label; the last one counts", "repeat labels; the last one counts"),
        (
            otherwise,
            "contradicts an earlier label of the same answer: whoever labels is not sure",
            "contradict earlier labels of the same answers: whoever labels is not sure",
        ),
    )
    return [
        f"{name}: 1 row {one}." if count == 1 else f"{name}: {count:,} rows {many}."
        for count, one, many in counted
        if count
    ]
