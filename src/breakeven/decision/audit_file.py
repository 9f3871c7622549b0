"""Audit file: what `breakeven audit` wrote of a log, as a scenario names it, or as the store of the calls keeps it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven.audit.saved import from_json
from breakeven.audit.task import Audit
from breakeven.decision.last_few import LastFew
from breakeven.errors import AuditError, ScenarioError
from breakeven.options.assembly.audited_work import AuditedWork


@dataclass(frozen=True, slots=True)
class AuditFile:
    """One file, as it was read."""

    name: str
    """As the scenario names it."""
    digest: str
    """SHA-256 of its content: a report depends on what the file said, not on where it lay."""
    audit: Audit
    work: AuditedWork


_kept: Final = LastFew[AuditFile](4)
"""Files as they were read, by their content: a dashboard asks for the same one with every page."""


def read_audit(name: str, folder: Path, place: str = "") -> AuditFile:
    """The file `name`, relative to `folder`; raises ScenarioError, after the `place` in the scenario that names it."""
    path = folder / name
    try:
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        known = (str(path), name, digest)
        if (kept := _kept.get(known)) is not None:
            return kept
        audit = from_json(content, str(path))
    except OSError as error:
        raise ScenarioError(f"{place}audit: {path}: {error.strerror}; run `breakeven audit` to write it") from None
    except AuditError as error:
        raise ScenarioError(f"{place}audit: {error}") from None
    return _kept.keep(known, AuditFile(name, digest, audit, AuditedWork.of(audit, path.name)))
