"""Label desk: the audit's answers handed out to people one at a time, so that two of them do not judge the same one.

Labels themselves are lines of a file, each on the disk before the next answer is shown; what is kept here (who has
which answer before them) may be lost without loss.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from breakeven.clock import now
from breakeven.errors import PilotError
from breakeven.pilot.design_file import read_design
from breakeven.pilot.label_queue import AUDIT_FOLDER, Item, Queue, add_labels, read_queue
from breakeven.pilot.reading.read import LABELS_FOLDER

LEASE_S: Final = 600.0
"""An answer that somebody has before them is offered to nobody else for so long."""
SUCCESS: Final = {"good": 1.0, "bad": 0.0}
NAME_MAX_COUNT: Final = 60
KEPT: Final = "Kept."
SKIPPED: Final = "Skipped."
AGREED: Final = "Kept. Somebody else had judged it, too: you agree."
NOT_AGREED: Final = "Kept. Somebody else had judged it, too: you do not agree."
SAID_BEFORE: Final = "You had said so before."
FIRST_COUNTS: Final = "You had judged this one before; the first label counts."
EVERYTHING_SAID: Final = frozenset({KEPT, SKIPPED, AGREED, NOT_AGREED, SAID_BEFORE, FIRST_COUNTS})


@dataclass(slots=True)
class _Person:
    has: str = ""
    """The item before them."""
    until_s: float = 0.0
    skipped: set[str] = field(default_factory=set)


class LabelDesk:
    """The queue of one pilot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._people: dict[str, _Person] = {}
        self._kept: tuple[object, Queue] | None = None

    def queue(self) -> Queue:
        """The queue now; read again only where a file has changed."""
        found = read_design(self._folder)
        sources = [Path(each) for each in found.design.sources]
        stamp = _stamp(sources, self._folder, found.trial_name)
        kept = self._kept
        if kept is None or kept[0] != stamp:
            kept = self._kept = (stamp, read_queue(sources, self._folder, found.trial_name))
        return kept[1]

    def next_item(self, who: str, *, again: bool = False) -> Item | None:
        """The next answer for a person; None where none is left that nobody else has before them."""
        waiting = self.queue().waiting(who, again=again)
        with self._lock:
            me = self._people.setdefault(who, _Person())
            taken = {each.has for name, each in self._people.items() if name != who and each.until_s > time.monotonic()}
            free = [each for each in waiting if each.has_text and each.id not in taken]
            mine = next((each for each in free if each.id == me.has), None)
            chosen = mine or next((each for each in free if each.id not in me.skipped), None)
            me.has, me.until_s = (chosen.id, time.monotonic() + LEASE_S) if chosen else ("", 0.0)
            return chosen

    def skip(self, who: str, item_id: str) -> None:
        """Leave an answer for later, or for somebody else."""
        with self._lock:
            me = self._people.setdefault(who, _Person())
            me.skipped.add(item_id)
            me.has = ""

    def label(self, who: str, item_id: str, success_fraction: float) -> str:
        """Keep a label; what there is to say of it. PilotError where the answer is none of this audit."""
        with self._lock:
            queue = self.queue()
            item = next((each for each in queue.items if each.id == item_id), None)
            if item is None:
                raise PilotError(f"{item_id[:40]!r} is no answer of this audit; nothing was kept")
            said = queue.labelled.get(item_id, ())
            mine = next((each for each in said if each.who == who), None)
            self._people.setdefault(who, _Person()).has = ""
            if mine is not None:
                same = mine.success_fraction == success_fraction
                return SAID_BEFORE if same else FIRST_COUNTS
            add_labels(self._folder, [(item, success_fraction)], who, now().isoformat(timespec="seconds"))
        others = [each for each in said if each.who != who]
        if others:
            agree = all(each.success_fraction == success_fraction for each in others)
            return AGREED if agree else NOT_AGREED
        return KEPT


def checked_labeller(name: str) -> str:
    """A name that can stand in a file of labels; PilotError for none."""
    from breakeven.reports.safe_text import safe

    clean = safe(name)[:NAME_MAX_COUNT].strip()
    if not clean:
        raise PilotError("say who labels: a name is written beside each label, and tells how far people agree")
    return clean


def _stamp(sources: list[Path], folder: Path, trial_name: str) -> object:
    files = [each for source in sources for each in (source / AUDIT_FOLDER / trial_name).glob("*.jsonl")]
    files += (folder / LABELS_FOLDER).glob("*.jsonl")
    found = []
    for each in sorted(files):
        try:
            stat = each.stat()
        except FileNotFoundError:
            continue
        found.append((str(each), stat.st_mtime_ns, stat.st_size))
    return tuple(found)
