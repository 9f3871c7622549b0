"""Bundled: the published cases that ship with the package, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from breakeven.claims.file import ClaimFile, parse_claim
from breakeven.errors import ClaimError, nearest

PUBLISHED: Final = Path(__file__).parent / "published"


def bundled_names() -> tuple[str, ...]:
    """Names of the published cases, in alphabetical order: the folder is the registry."""
    return tuple(sorted(path.stem for path in PUBLISHED.glob("*.yaml")))


def bundled_claim(name: str) -> ClaimFile:
    """The published case `name`; raises ClaimError with the nearest one."""
    if name not in bundled_names():
        raise ClaimError(f"no published case '{name}'; {nearest(name, list(bundled_names()))}")
    return parse_claim((PUBLISHED / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")
