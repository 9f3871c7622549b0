"""Pilot folders: the pilots of a project, and which of them a name means."""

from __future__ import annotations

from pathlib import Path

from breakeven.errors import PilotError, nearest
from breakeven.pilot.design_file import DESIGN_NAME


def known_pilots(pilots_folder: Path) -> tuple[str, ...]:
    """Names of the pilots in a folder of pilots."""
    return tuple(sorted(each.parent.name for each in pilots_folder.glob(f"*/{DESIGN_NAME}")))


def which_pilot(name: str | None, pilots_folder: Path) -> Path:
    """The folder of the pilot of that name, or of the only one; PilotError in words for any other."""
    known = known_pilots(pilots_folder)
    if name is None:
        if len(known) == 1:
            return pilots_folder / known[0]
        there = f"there are {', '.join(known)}" if known else "there is none here"
        raise PilotError(f"which pilot? {there}; `breakeven pilot init NAME` designs one")
    if name in known:
        return pilots_folder / name
    words = nearest(name, list(known)) if known else "`breakeven pilot init NAME` designs one"
    raise PilotError(f"no pilot '{name}': neither a folder with {DESIGN_NAME} nor a name in {pilots_folder}/; {words}")
