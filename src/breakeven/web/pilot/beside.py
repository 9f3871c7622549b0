"""Beside: on the page of the comparison what the pilots say, on the page of a pilot what the comparison says.

Neither page waits for the other: what is not there at once is told from the pilot's journal, or left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from breakeven.errors import BreakevenError
from breakeven.reports import pilot_beside
from breakeven.reports.pilot_beside import Beside
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.reports.pilot_summary import ANSWERS
from breakeven.web import documents
from breakeven.web.pilot.room import PilotPlace, path_of, room_of

if TYPE_CHECKING:
    from breakeven.reports.document import Document
    from breakeven.web.page import Desk

SHOWN_COUNT: Final = 3


@dataclass(frozen=True, slots=True)
class PilotLine:
    """One pilot on the page of the comparison."""

    name: str
    path: str
    beside: Beside


@dataclass(frozen=True, slots=True)
class PilotLines:
    """The pilots on the page of the comparison."""

    shown: tuple[PilotLine, ...]
    more_count: int


def pilot_lines(desk: Desk, comparison: Document) -> PilotLines:
    """What the pilots say that have something to say; those that differ from the comparison first."""
    room = room_of(desk)
    found = [line for name in room.names() if (line := _line(room.find(name), comparison)) is not None]
    found.sort(key=lambda each: not each.beside.differs)
    return PilotLines(tuple(found[:SHOWN_COUNT]), max(len(found) - SHOWN_COUNT, 0))


def comparison_line(desk: Desk, pilot: PilotDocument) -> Beside | None:
    """What the comparison says, where it is kept; its own errors are told on its own page."""
    try:
        found = documents.kept_comparison(desk)
    except BreakevenError:
        return None
    return None if found is None else pilot_beside.comparison_beside(found, pilot)


def _line(place: PilotPlace, comparison: Document) -> PilotLine | None:
    """None for a pilot that was not begun, or cannot be read: its own page says so."""
    try:
        _, state = place.brief()
        if not state.design_hash:  # not started, or files that nobody has had judged
            return None
        known = place.known_now()
    except BreakevenError:
        return None
    if known is None:
        answer = ANSWERS.get(state.answer, "")
        said = f"{answer} when it was looked at last; it is being read again." if answer else "it is being read."
        return PilotLine(place.name, path_of(place), Beside(said, "", differs=False))
    return PilotLine(place.name, path_of(place), pilot_beside.pilot_beside(comparison, known.document))
