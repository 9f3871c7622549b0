"""Design file: `pilot.json` in the folder of a pilot, with a hash of itself; what was promised is what is judged.

Until a pilot starts its file may be edited, and starting it promises what it says then: a copy, `promised.json`, is
kept beside it and its hash goes into the journal. A pilot from files has nothing to start: its first verdict promises.
From then on the copy is judged, and a `pilot.json` that says something else is named, field by field.

Places inside the project (the folder above `pilots/`) are written as seen from it: a project may be moved or copied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from breakeven.errors import PilotError, PolicyError
from breakeven.pilot.design import FORMAT_NAME, FORMAT_VERSION, Design
from breakeven.pilot.design_check import check_design
from breakeven.routing.record import from_plain, to_plain
from breakeven.routing.written import content_hash, no_constant, write_whole

DESIGN_NAME: Final = "pilot.json"
PROMISED_NAME: Final = "promised.json"
PILOTS_NAME: Final = "pilots"
_HEAD: Final = frozenset({"format", "format_version", "hash"})
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_SHOWN_CHARACTERS_COUNT: Final = 60


@dataclass(frozen=True, slots=True)
class DesignFile:
    """A design that was read, and whether it is the one that was promised."""

    design: Design
    """The one to judge by."""
    hash: str
    """Of that design."""
    changes: tuple[str, ...] = ()
    """What the file says otherwise than was promised, a sentence for each field."""
    is_edited: bool = False
    """Before anything was promised: whether the file's own hash is of something else than it says."""

    @property
    def is_changed(self) -> bool:
        """Whether somebody changed it."""
        return bool(self.changes)

    @property
    def trial_name(self) -> str:
        """What the gateway draws arms under."""
        return trial_name(self.design, self.hash)


def trial_name(design: Design, design_hash: str) -> str:
    """The name of a pilot in policy files: its own, with the beginning of its design's hash."""
    return f"{design.name}-{design_hash[:12]}"


def checked_name(name: str) -> str:
    """A name that can be a folder's, a policy's and a metric's; PilotError for any other."""
    if not _NAME.fullmatch(name):
        raise PilotError(
            f"the pilot's name is {name[:80]!r}; wanted letters, digits, '-', '_' and '.', at most 60, such as 'faq'"
        )
    return name


def design_hash(design: Design) -> str:
    """SHA-256 of what a design says."""
    return content_hash(_plain(design))


def write_design(design: Design, folder: Path, name: str = DESIGN_NAME) -> str:
    """Write a design as a file of its own hash; the hash."""
    checked_name(design.name)
    check_design(design)
    plain = _plain(_portable(design, folder))
    plain["hash"] = content_hash(plain)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / name, (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise PilotError(f"{folder / name} cannot be written ({error.strerror}); name another folder") from None
    return cast(str, plain["hash"])


def read_design(folder: Path) -> DesignFile:
    """The design of a pilot: what was promised once it has started, else what its file says now.

    A pilot that has not started may be edited by hand: its hash is then of what the file says now.
    """
    promised = folder / PROMISED_NAME
    if not promised.exists():
        plain = _json(folder / DESIGN_NAME)
        found = content_hash(plain)
        design = _placed(_design(plain, folder / DESIGN_NAME), folder)
        return DesignFile(design, found, is_edited=plain.get("hash") != found)
    kept = _json(promised)
    design = _placed(_design(kept, promised), folder)
    return DesignFile(design, content_hash(kept), _changes(kept, folder))


def promise(folder: Path) -> DesignFile:
    """Keep a copy of the design as it is now: what will be judged."""
    found = read_design(folder)
    if not (folder / PROMISED_NAME).exists():
        write_design(found.design, folder)  # an edited file gets the hash of what it says
        write_design(found.design, folder, PROMISED_NAME)
    return read_design(folder)


def _project_of(folder: Path) -> Path | None:
    """The project of a pilot: the folder above `pilots/`; None for a pilot that lies elsewhere."""
    whole = folder.absolute()
    return whole.parent.parent if whole.parent.name == PILOTS_NAME else None


def _portable(design: Design, folder: Path) -> Design:
    """Places inside the project as seen from it, so that the design means the same wherever the project is moved to."""
    project = _project_of(folder)

    def told(place: str) -> str:
        inside = project is not None and Path(place).is_absolute() and Path(place).is_relative_to(project)
        return str(Path(place).relative_to(project)) if inside and project is not None else place

    return _with_places(design, told)


def _placed(design: Design, folder: Path) -> Design:
    """The same places from anywhere."""
    project = _project_of(folder)
    return _with_places(design, lambda place: place if project is None else str(project / place))


def _with_places(design: Design, told: Callable[[str], str]) -> Design:
    policy = told(design.policy_folder) if design.policy_folder else ""
    return replace(design, policy_folder=policy, sources=tuple(map(told, design.sources)))


def _plain(design: Design) -> dict[str, Any]:
    try:
        said = to_plain(design)
        return {"format": FORMAT_NAME, "format_version": FORMAT_VERSION, **said}
    except PolicyError as error:
        raise PilotError(str(error)) from None


def _design(plain: Mapping[str, Any], path: Path) -> Design:
    if plain.get("format") != FORMAT_NAME:
        raise PilotError(f"{path} is no pilot: its format is {plain.get('format')!r}, wanted {FORMAT_NAME!r}")
    version = plain.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= FORMAT_VERSION:
        raise PilotError(
            f"{path}: format_version is {version!r}; this breakeven reads 1 to {FORMAT_VERSION}: upgrade it"
        )
    said = {key: value for key, value in plain.items() if key not in _HEAD}
    try:
        design = cast(Design, from_plain(Design, said, str(path)))
    except PolicyError as error:
        words = str(error).replace("; learn again.", "; write it again with `breakeven pilot init`")
        raise PilotError(words) from None
    checked_name(design.name)
    check_design(design, str(path))
    return design


def _changes(kept: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    """What `pilot.json` says otherwise than the copy, and whether the copy itself was touched."""
    found = []
    if kept.get("hash") != content_hash(kept):
        found.append(f"{PROMISED_NAME}, the copy of what was promised, was changed after the start.")
    try:
        now = _json(folder / DESIGN_NAME)
    except PilotError as error:
        return (*found, str(error))
    for key in sorted({*kept, *now} - _HEAD):
        if kept.get(key) != now.get(key):
            found.append(f"{key}: promised {_shown(kept.get(key))}, {DESIGN_NAME} now says {_shown(now.get(key))}.")
    return tuple(found)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= _SHOWN_CHARACTERS_COUNT else text[:_SHOWN_CHARACTERS_COUNT] + "..."


def _json(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_bytes().decode("utf-8"), parse_constant=no_constant)
    except OSError as error:
        raise PilotError(
            f"{path} cannot be read ({error.strerror}); `breakeven pilot init NAME` designs a pilot"
        ) from None
    except (ValueError, RecursionError) as error:
        raise PilotError(f"{path} is no valid JSON ({error}); put the file back, or design the pilot again") from None
    if not isinstance(plain, dict):
        raise PilotError(f"{path} is no pilot: it holds a {type(plain).__name__}, wanted a mapping")
    return plain
