"""Label: a person's word on one Call: can a small model do it? Kept in `labels.jsonl` of the store, append-only.

The last word on a call counts; an undo is a line too. A CSV of labels (``record_id,label``) may stand in for the file.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, get_args

from breakeven.errors import AuditError

FILE_NAME: Final = "labels.jsonl"
Judgement = Literal["can", "cannot", "unsure"]
JUDGEMENTS: Final[tuple[Judgement, ...]] = get_args(Judgement)
WITHDRAWN: Final = "withdrawn"
_SPELLINGS: Final[dict[str, Judgement]] = {
    **dict.fromkeys(("1", "can", "yes", "true", "small"), "can"),
    **dict.fromkeys(("2", "cannot", "can't", "no", "false", "0", "large"), "cannot"),
    **dict.fromkeys(("3", "unsure", "cannot tell", "?", ""), "unsure"),
}


@dataclass(frozen=True, slots=True)
class Label:
    """One judgement."""

    record_id: str
    judgement: Judgement
    person: str = field(default="", compare=False)
    """Who said so, as the dashboard tells people apart, or `terminal`; empty: a table, or a terminal of old."""
    at: str = field(default="", compare=False)
    """When, as the file has it."""


@dataclass(frozen=True, slots=True)
class OwnLast:
    """The youngest judgement that one person gave and did not take back."""

    label: Label | None
    """None where there is none, or where it is lost."""
    is_lost: bool = False
    """Somebody else changed it, or took it back."""


def label_file(store: Path) -> Path:
    """Where the labels of a store are kept."""
    return store / FILE_NAME


def bytes_of(path: Path) -> int:
    """How long the file is now; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def read_labels(path: Path) -> tuple[Label, ...]:
    """The labels that count, oldest first; none when there is no file. A cut last line is left out."""
    said: dict[str, Label] = {}
    for each, word in _lines(path):
        said.pop(each.record_id, None)
        if word != WITHDRAWN:
            said[each.record_id] = each
    return tuple(said.values())


def own_last(path: Path, person: str) -> OwnLast:
    """What an undo of this person takes back: an older one never stands in for one that somebody else changed."""
    own: dict[str, Label | None] = {}
    for each, word in _lines(path):
        if person and each.person == person:
            own.pop(each.record_id, None)
            if word != WITHDRAWN:
                own[each.record_id] = each
        elif each.record_id in own:
            own[each.record_id] = None
    if not own:
        return OwnLast(None)
    last = next(reversed(own.values()))
    return OwnLast(last, is_lost=last is None)


def append_label(
    path: Path,
    record_id: str,
    judgement: Judgement | Literal["withdrawn"],
    now: datetime,
    person: str = "",
    unless_judged_since: int | None = None,
) -> bool:
    """Write one line at the end of the file, whole, whoever else writes there at the same time.

    `unless_judged_since`: bytes of the file as its writer last saw it; False, and nothing is written, where a line
    behind them judges the same call.
    """
    told = {"record_id": record_id, "label": judgement, "at": now.isoformat(timespec="seconds")}

    def is_judged(file: IO[bytes]) -> bool:
        return unless_judged_since is not None and record_id in _judged_since(file, unless_judged_since)

    return append_line(path, told | ({"by": person} if person else {}), is_judged)


def append_line(path: Path, told: Mapping[str, object], unless: Callable[[IO[bytes]], bool] | None = None) -> bool:
    """Write one line of JSON, whole, whoever else writes there; False where `unless` says so of the file as it is."""
    line = json.dumps(told) + "\n"
    try:
        with path.open("a+b") as file, _held(file):
            if unless is not None and unless(file):
                return False
            _drop_cut_line(file)
            file.write(line.encode())
            file.flush()
    except OSError as error:
        raise AuditError(f"{path}: cannot keep labels there ({error.strerror})") from None
    return True


def read_label_table(path: Path) -> tuple[Label, ...]:
    """The labels of a CSV with the columns ``record_id`` and ``label`` (1/can, 2/cannot, 3/unsure)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{path}: cannot be read as a table of labels ({error})") from None
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = csv.DictReader(text.splitlines(), delimiter=separator)
    if not {"record_id", "label"} <= set(rows.fieldnames or ()):
        seen = ", ".join(rows.fieldnames or ()) or "nothing"
        raise AuditError(f"{path}: the columns are {seen}; wanted record_id and label (1 can, 2 cannot, 3 unsure)")
    found = {row["record_id"]: _label(row, path, number) for number, row in enumerate(rows, start=2)}
    return tuple(found.values())


def counts(labels: Sequence[Label], task_of: Mapping[str, str]) -> dict[str, dict[Judgement, int]]:
    """Labels by task and judgement; those of calls that the store does not have are left out."""
    found: dict[str, dict[Judgement, int]] = {}
    for each in labels:
        if (task := task_of.get(each.record_id)) is not None:
            by = found.setdefault(task, dict.fromkeys(JUDGEMENTS, 0))
            by[each.judgement] += 1
    return found


@contextmanager
def _held(file: IO[bytes]) -> Iterator[None]:
    """The file is nobody else's meanwhile, where the system can see to that."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    yield  # closing the file frees it


def _drop_cut_line(file: IO[bytes]) -> None:
    """Take out what a crash left of a last line: nothing may stand behind it; a whole one gets the end it lacks."""
    file.seek(0)
    body = file.read()
    if not body or body.endswith(b"\n"):
        return
    start = body.rfind(b"\n") + 1
    try:
        is_whole = isinstance(json.loads(body[start:]), dict)
    except (ValueError, RecursionError):
        is_whole = False
    if is_whole:
        file.write(b"\n")
    else:
        file.truncate(start)


def _judged_since(file: IO[bytes], seen_bytes: int) -> set[str]:
    """Calls that the lines behind the first `seen_bytes` speak of."""
    file.seek(seen_bytes)
    found = set()
    for line in file.read().splitlines():
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            found.add(str(json.loads(line)["record_id"]))
    return found


def _lines(path: Path) -> Iterator[tuple[Label, str]]:
    """Every line that says something, oldest first, with its word: a judgement or `withdrawn`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{path}: cannot be read as labels ({error})") from None
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        is_cut = number == len(lines) and not text.endswith("\n")
        row = _row(line, path, number, is_cut=is_cut)
        if row is None:
            continue
        word = str(row["label"])
        judgement = "unsure" if word == WITHDRAWN else _judgement(word, path, number)
        yield Label(str(row["record_id"]), judgement, str(row.get("by", "")), str(row.get("at", ""))), word


def _label(row: dict[str, Any], path: Path, number: int) -> Label:
    return Label(row["record_id"] or "", _judgement(row["label"] or "", path, number))


def _row(line: str, path: Path, number: int, *, is_cut: bool) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if isinstance(row, dict) and {"record_id", "label"} <= row.keys():
        return row
    if is_cut:
        return None
    raise AuditError(f'{path}:{number}: not a label; wanted a line like {{"record_id": "...", "label": "can"}}')


def _judgement(text: str, path: Path, number: int) -> Judgement:
    found = _SPELLINGS.get(text.strip().lower())
    if found is None:
        raise AuditError(f"{path}:{number}: label '{text[:40]}'; wanted 1 or can, 2 or cannot, 3 or unsure")
    return found
