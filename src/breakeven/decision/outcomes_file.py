"""Outcomes file: which answers of which models succeeded, as a scenario names the file that says it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven.errors import BreakevenError, ScenarioError
from breakeven.options.assembly.measured_success import MeasuredSuccess, measured_success

DIGEST_SHOWN_COUNT: Final = 8
"""Characters of the hash that reports show."""


@dataclass(frozen=True, slots=True)
class OutcomesFile:
    """One file, as it was read."""

    name: str
    """As the scenario names it."""
    digest: str
    """SHA-256 of its content: a report depends on what the file said, not on where it lay."""
    success: MeasuredSuccess
    rejects_count: int
    """Rows that are no outcomes."""
    notes: tuple[str, ...]
    """What was left out, merged or assumed while reading."""


def read_outcomes_file(name: str, folder: Path, aliases: Mapping[str, str], place: str = "") -> OutcomesFile:
    """The file `name`, relative to `folder`; raises ScenarioError, after the `place` in the scenario that names it."""
    from breakeven.outcomes.reading import read_outcomes

    path = folder / name
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found = read_outcomes(path)
    except OSError as error:
        raise ScenarioError(f"{place}outcomes: {path}: {error.strerror}; wanted a file of outcomes") from None
    except BreakevenError as error:
        raise ScenarioError(f"{place}outcomes: {error}") from None
    label = f"{path.name}, sha256 {digest[:DIGEST_SHOWN_COUNT]}"
    return OutcomesFile(name, digest, measured_success(found.table, label, aliases), len(found.rejects), found.notes)
