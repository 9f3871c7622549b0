"""Journal: what a pilot did and when, as append-only JSON lines beside its design; its state is a function of it.

A step that changes the policy is written here before the policy is, with the hash that the policy will have and that
of the version it stands in place of. So whoever starts again knows whether the step was carried out, and every version
of the policy that the pilot ever wrote is known by its hash.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from breakeven.errors import PilotError

JOURNAL_NAME: Final = "journal.jsonl"
POLICY_EVENTS: Final = ("started", "ramped", "stopped_task", "promoted", "stopped", "rolled_back", "restored")
"""Events that write a version of the policy."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    at: str
    """ISO time, UTC."""
    event: str
    """One of `POLICY_EVENTS`, `promised`, `verdict`, `alarm` or `noted`."""
    words: str
    """One sentence for people."""
    policy_hash: str = ""
    """Of the version that it writes, "" where it writes none."""
    over_hash: str = ""
    """Of the version that it stands in place of; "" where there was none."""
    tasks: tuple[str, ...] = ()
    """The tasks it is said of; none: all."""
    share_fraction: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    """`design_hash` of a start, `answer` of a verdict, ..."""

    def plain(self) -> dict[str, Any]:
        """As JSON values; what is empty is left out."""
        said = {
            "at": self.at,
            "event": self.event,
            "words": self.words,
            "policy_hash": self.policy_hash,
            "over_hash": self.over_hash,
            "tasks": list(self.tasks),
            "share_fraction": self.share_fraction,
            "detail": dict(self.detail),
        }
        return {key: value for key, value in said.items() if value not in (None, "", [], {})}


@dataclass(frozen=True, slots=True)
class PilotState:
    """Where a pilot stands, by its journal."""

    started_unix_s: float | None = None
    """None: it has not."""
    ended_unix_s: float | None = None
    """When its trial was taken out of the policy for good, or its promotion was undone."""
    share_by_task: Mapping[str, float] = field(default_factory=dict)
    """Task -> share of the ramp's step that it is at, or of the requests copied."""
    share_since_unix_s: Mapping[str, float] = field(default_factory=dict)
    stopped_why: Mapping[str, str] = field(default_factory=dict)
    """Task -> why its candidate was taken out."""
    promoted_tasks: tuple[str, ...] = ()
    promoted_unix_s: float | None = None
    policy_hashes: tuple[str, ...] = ()
    """Versions of the policy that it wrote, in order."""
    over_hash: str = ""
    """The version that the last of them stands in place of."""
    design_hash: str = ""
    """Of the design that it started with."""
    answer: str = ""
    """The last verdict that was noted."""
    alarms_count: int = 0

    @property
    def is_running(self) -> bool:
        """Whether its trial is in the policy, or ought to be."""
        return self.started_unix_s is not None and self.ended_unix_s is None

    @property
    def policy_hash(self) -> str:
        """The version that it wrote last."""
        return self.policy_hashes[-1] if self.policy_hashes else ""


class Journal:
    """The journal of one pilot. One process writes it at a time (`running.alone`)."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_NAME

    def entries(self) -> tuple[Entry, ...]:
        """All that happened, oldest first. A line that a crash left unfinished never happened."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise PilotError(f"{self.path} cannot be read ({error.strerror})") from None
        lines = content.split(b"\n")
        return tuple(_entry(line, self.path, number) for number, line in enumerate(lines[:-1], 1) if line.strip())

    def add(self, entry: Entry) -> None:
        """Write an entry down; it is on the disk when this returns."""
        line = json.dumps(entry.plain(), ensure_ascii=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._cut_torn_end()
            with self.path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise PilotError(f"{self.path} cannot be written ({error.strerror}); nothing was changed") from None

    def _cut_torn_end(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)


def state_of(entries: Sequence[Entry]) -> PilotState:
    """What the entries come to."""
    found: dict[str, Any] = {"share_by_task": {}, "share_since_unix_s": {}, "stopped_why": {}, "policy_hashes": ()}
    for each in entries:
        _take(found, each)
    return PilotState(**found)


def unix_s(at: str) -> float:
    """An ISO time of the journal as seconds."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        raise PilotError(f"the journal has the time {at!r}; wanted an ISO time") from None


def _take(found: dict[str, Any], entry: Entry) -> None:
    at_s = unix_s(entry.at)
    if entry.event in POLICY_EVENTS and entry.policy_hash:
        found["policy_hashes"] = (*found["policy_hashes"], entry.policy_hash)
        found["over_hash"] = entry.over_hash
    if entry.event in ("started", "ramped"):
        for task, share in entry.detail.get("share_by_task", {}).items():
            if found["share_by_task"].get(task) != share:
                found["share_since_unix_s"][task] = at_s
            found["share_by_task"][task] = float(share)
    if entry.event == "started":
        found.setdefault("started_unix_s", at_s)
        found["ended_unix_s"] = None
        found["design_hash"] = str(entry.detail.get("design_hash", ""))
    elif entry.event == "promised":
        found["design_hash"] = str(entry.detail.get("design_hash", ""))
    elif entry.event == "stopped_task":
        found["stopped_why"].update({task: str(entry.detail.get("why", "")) for task in entry.tasks})
    elif entry.event == "promoted":
        found["promoted_tasks"], found["promoted_unix_s"] = entry.tasks, at_s
    elif entry.event == "rolled_back":
        found["promoted_tasks"], found["ended_unix_s"] = (), at_s
    elif entry.event == "stopped":
        found["ended_unix_s"] = at_s
    elif entry.event == "verdict":
        found["answer"] = str(entry.detail.get("answer", ""))
    elif entry.event == "alarm":
        found["alarms_count"] = found.get("alarms_count", 0) + 1


def _entry(line: bytes, path: Path, number: int) -> Entry:
    try:
        said = json.loads(line)
        entry = Entry(**{**said, "tasks": tuple(said.get("tasks", ()))})
        _check(entry)
    except (ValueError, TypeError, AttributeError, PilotError) as error:
        raise PilotError(
            f"{path}, line {number}: no entry of a journal ({error}); put the file back as it was: what a pilot "
            "promised and did is read from it"
        ) from None
    return entry


def _check(entry: Entry) -> None:
    """ValueError, TypeError or PilotError where a value is of another kind than the journal writes."""
    texts = (entry.at, entry.event, entry.words, entry.policy_hash, entry.over_hash, *entry.tasks)
    if not all(isinstance(each, str) for each in texts):
        raise TypeError("wanted texts for at, event, words, hashes and tasks")
    if not isinstance(entry.detail, dict):
        raise TypeError("wanted a mapping for detail")
    unix_s(entry.at)
    for name in ("share_by_task", "floor_by_task"):
        numbers = entry.detail.get(name, {})
        if not isinstance(numbers, dict):
            raise TypeError(f"wanted a mapping for {name}")
        for task, value in numbers.items():
            if not 0 <= float(value) <= 1:
                raise ValueError(f"{name} of {task!r} is {value}")
    if entry.event == "promoted" and not set(entry.tasks) <= set(entry.detail.get("floor_by_task", {})):
        raise ValueError("a promotion without a floor for each of its tasks")
