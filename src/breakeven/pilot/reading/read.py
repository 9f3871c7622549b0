"""Read: what one reading of a pilot's sources gave, where it is kept, and the hash that names it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from breakeven.pilot.observations import Evidence, Observations
from breakeven.usage.ingest_report import Reject

LABELS_FOLDER: Final = "labels"
REJECTS_NAME: Final = "rejects.jsonl"


@dataclass(frozen=True, slots=True)
class Read:
    """What was read."""

    evidence: Evidence
    rejects: tuple[Reject, ...] = ()
    """Lines that say nothing; to be written aside."""


def digest_of(seen: Observations) -> str:
    """A hash of what was seen, whatever files it came from."""
    found = blake2b(digest_size=16)
    found.update("\n".join(seen.request_ids).encode("utf-8", "surrogatepass"))
    for name in ("arm", "task", "start_unix_s", "success", "judged", "cost_usd", "is_error"):
        found.update(np.ascontiguousarray(getattr(seen, name)).tobytes())
    return found.hexdigest()


def write_rejects_aside(read: Read, folder: Path) -> None:
    """Write the lines that say nothing beside the design; no file where there are none."""
    from breakeven.outcomes.writing import write_rejects

    if read.rejects:
        write_rejects(folder / REJECTS_NAME, read.rejects)
