"""Writing: outcomes as a file in the long format, so that what was judged once can be learnt from; rejects beside it.

JSON lines hold texts as they are. In a CSV a text that a spreadsheet would take for a formula gets an apostrophe,
which reading takes off again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.errors import OutcomeError
from breakeven.outcomes.canaries import CanaryRow
from breakeven.outcomes.cell_marks import marked
from breakeven.outcomes.outcome import SOURCES
from breakeven.outcomes.reading import ReadOutcomes
from breakeven.usage.ingest_report import Reject

SUFFIXES: Final = (".jsonl", ".csv")
_GOLD: Final = SOURCES.index("gold")


def write_outcomes(path: Path, read: ReadOutcomes, others: ReadOutcomes | None = None) -> int:
    """Write the answers that are judged, a row each; how many rows there are.

    Where a careful label stands and `others` (the same answers without such labels) say something too, that is a row
    of its own: the file can then correct its judge when it is read again.
    """
    table = read.table
    has_latency, has_chance = table.latency_s is not None, table.propensity_fraction is not None
    names = ["request_id", *table.levels, "prompt", "model", "success", "cost_usd", "source"]
    names += [*(["latency_s"] if has_latency else []), *(["propensity"] if has_chance else [])]
    names += ["attempt"] if len(read.every_try.rows) else []
    names += ["response"] if table.responses else []
    return _write(path, names, _rows(read, others))


def write_canaries(path: Path, rows: Iterable[CanaryRow]) -> int:
    """Write canaries without a success, which a judge then fills in; how many there are."""
    filled = ({**asdict(each), "success": None, "source": "judge"} for each in rows)
    return _write(path, ["request_id", "task", "prompt", "model", "response", "success", "source"], filled)


def write_rejects(path: Path, rejects: Sequence[Reject]) -> None:
    """Write rejected rows as importers do: no words of theirs, readable by their owner only."""
    from contextlib import closing

    from breakeven.usage.store.reject_file import RejectFile

    with closing(RejectFile(path)) as file:
        for each in rejects:
            file.add(each)


def _rows(read: ReadOutcomes, others: ReadOutcomes | None) -> Iterator[dict[str, Any]]:
    table = read.table
    for row, name in enumerate(table.request_ids):
        for column in np.flatnonzero(~np.isnan(table.success[row])).tolist():
            model = table.models[column]
            code = int(read.source_codes[row, column])
            found: dict[str, Any] = {"request_id": name, "prompt": table.prompts[row], "model": model}
            found |= {level: table.groups[level][row] for level in table.levels}
            found["success"] = float(table.success[row, column])
            found["cost_usd"] = _known(table.cost_usd[row, column])
            found["source"] = SOURCES[code] if code >= 0 else ""
            if table.latency_s is not None:
                found["latency_s"] = _known(table.latency_s[row, column])
            if table.propensity_fraction is not None:
                found["propensity"] = _known(table.propensity_fraction[row, column])
            if model in table.responses:
                found["response"] = _answer(read, model, row)
            yield from _tries(found, read, row, column)
            if others is not None and code == _GOLD:
                yield from _other_word(found, others, row, column)


def _tries(found: dict[str, Any], read: ReadOutcomes, at: int, column: int) -> Iterator[dict[str, Any]]:
    """The row of an answer; where it was tried again a row for each try, the first with the answer itself."""
    tries = read.every_try.at(at, column)
    if not tries:
        yield found
    for later, (attempt, success) in enumerate(tries):
        row = {**found, "success": success, "attempt": attempt}
        yield {**row, "response": None} if later else row


def _other_word(row: dict[str, Any], others: ReadOutcomes, at: int, column: int) -> Iterator[dict[str, Any]]:
    """The row with what somebody else says of the same answer, if anybody does."""
    said, code = float(others.table.success[at, column]), int(others.source_codes[at, column])
    if not np.isnan(said) and code not in (_GOLD, -1):
        yield {**row, "success": said, "source": SOURCES[code]}


def _answer(read: ReadOutcomes, model: str, row: int) -> str | None:
    """An answer's text, "" for an empty answer, None for one that was not kept."""
    text = read.table.responses[model][row]
    return text if text or (model in read.kept and read.kept[model][row]) else None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _write(path: Path, names: Sequence[str], rows: Iterable[dict[str, Any]]) -> int:
    if path.suffix not in SUFFIXES:
        raise OutcomeError(
            f"{path}: cannot write outcomes as '{path.suffix}'; wanted a name that ends in .jsonl or .csv"
        )
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
            if path.suffix == ".jsonl":
                for row in rows:
                    file.write(json.dumps({name: row.get(name) for name in names}, ensure_ascii=False) + "\n")
                    count += 1
                return count
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            for row in rows:
                writer.writerow([_cell(row.get(name)) for name in names])
                count += 1
    except OSError as error:
        raise OutcomeError(f"{path}: cannot be written ({error.strerror})") from None
    return count


def _cell(value: Any) -> Any:
    return "" if value is None else marked(value) if isinstance(value, str) else value
