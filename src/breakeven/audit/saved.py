"""Saved audit: `audit.json` in the store: the audit as it was found, for `compare` and for the next look.

The pydantic edge: what is read is checked; a file of a newer version is refused with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from breakeven.audit.task import Audit, Interval
from breakeven.errors import AuditError

FILE_NAME: Final = "audit.json"
VERSION: Final = 1
_Saved: Final = TypeAdapter(dict[str, object])


def audit_file(store: Path) -> Path:
    """Where the audit of a store is kept."""
    return store / FILE_NAME


def to_json(audit: Audit) -> str:
    """The audit as JSON, with its version."""
    body = _adapter().dump_python(audit, mode="json")
    return _Saved.dump_json({"version": VERSION, **body}, indent=1).decode() + "\n"


def from_json(text: str | bytes, place: str = FILE_NAME) -> Audit:
    """The audit that `to_json` wrote; raises AuditError for anything else."""
    try:
        body = _Saved.validate_json(text)
        version = body.pop("version", None)
        if version != VERSION:
            raise AuditError(
                f"{place}: written as version {version}, this program reads {VERSION}; run the audit again"
            )
        audit = _adapter().validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"]) or "the file"
        raise AuditError(f"{place}: {where}: {first['msg']}; run `breakeven audit` again to write it anew") from None
    for what, found, most in _intervals(audit):
        if not 0 <= found.low <= found.typical <= found.high <= most:
            wanted = "0 <= low <= typical <= high" + (f" <= {most:g}" if most < inf else "")
            raise AuditError(
                f"{place}: {what}: low {found.low:g}, typical {found.typical:g}, high {found.high:g}; wanted {wanted}; "
                "run `breakeven audit` again to write it anew"
            )
    return audit


def _intervals(audit: Audit) -> Iterator[tuple[str, Interval, float]]:
    """What each is of, and the largest that it can be."""
    for each in audit.tasks:
        yield f"can_do of task {each.name}", each.suitability.can_do, 1.0
        if each.saves_usd_per_month:
            yield f"saving of task {each.name}", each.saves_usd_per_month, inf
    yield "share of calls", audit.commodity.calls, 1.0
    yield "share of spend", audit.commodity.spend, 1.0
    if audit.commodity.savings:
        yield "saving", audit.commodity.savings.usd_per_month, inf


def save_audit(audit: Audit, store: Path) -> Path:
    """Write the audit into the store, whole or not at all."""
    target = audit_file(store)
    beside = target.with_suffix(".json.new")
    try:
        beside.write_text(to_json(audit), encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        raise AuditError(f"{target}: cannot be written ({error.strerror})") from None
    return target


def load_audit(store: Path) -> Audit | None:
    """The audit kept in a store; None when there is none."""
    path = audit_file(store)
    try:
        return from_json(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AuditError(f"{path}: cannot be read ({error.strerror})") from None


def _adapter() -> TypeAdapter[Audit]:
    return TypeAdapter(Audit)
