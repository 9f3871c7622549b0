"""Label skips: the calls that somebody put off while labelling; kept beside the labels, in `label_skips.jsonl`.

A skip says nothing of a call, so it is no label: the call comes last, in the browser and in the terminal, for whoever
labels next. Losing this file loses an order, no judgement; a line that cannot be read is passed over.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Final

from breakeven.audit.labels import append_line
from breakeven.errors import AuditError

FILE_NAME: Final = "label_skips.jsonl"


def skip_file(store: Path) -> Path:
    """Where the skips of a store are kept."""
    return store / FILE_NAME


def read_skips(path: Path) -> tuple[str, ...]:
    """Record ids of the calls that are put off, in the order in which they come again; none without a file."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise AuditError(f"{path}: cannot be read as skipped calls ({error}); it may be deleted") from None
    put_off: dict[str, None] = {}
    for line in lines:
        try:
            row = json.loads(line)
            record_id, is_skipped = str(row["record_id"]), bool(row["skipped"])
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
        put_off.pop(record_id, None)
        if is_skipped:
            put_off[record_id] = None
    return tuple(put_off)


def skip(path: Path, record_id: str, now: datetime, person: str) -> None:
    """Put a call off, behind those that were put off before."""
    _append(path, record_id, now, person, is_skipped=True)


def unskip(path: Path, record_id: str, now: datetime, person: str) -> None:
    """The call comes in its turn again; nothing is written where it was not put off."""
    if record_id in read_skips(path):
        _append(path, record_id, now, person, is_skipped=False)


def _append(path: Path, record_id: str, now: datetime, person: str, *, is_skipped: bool) -> None:
    told = {"record_id": record_id, "skipped": is_skipped, "at": now.isoformat(timespec="seconds"), "by": person}
    append_line(path, told)
