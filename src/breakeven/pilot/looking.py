"""Looking: one look at a pilot now, and one whenever a file changes; and when there is nothing left to watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from breakeven.errors import PilotError

if TYPE_CHECKING:
    from breakeven.pilot.journal import Entry
    from breakeven.pilot.running import Look, Pilot

LOOK_AGAIN_S: Final = 60.0
"""Time alone changes a verdict (outcomes become missing, days pass): at least so often it is looked again."""
REST_RATIO: Final = 3.0
"""Rest after a look, over how long it took: of one core it uses at most a quarter."""


def looks(
    pilot: Pilot, every_s: float, *, is_once: bool = False, rest: Callable[[float], None] = time.sleep
) -> Iterator[Look]:
    """One look now, and (unless once) one whenever a file changes, at least every minute.

    `rest` waits between looks; what it raises ends them.
    """
    _, signature = pilot.changed_since(None)
    began_s = time.monotonic()
    yield pilot.look()
    looked_s = time.monotonic()
    while not is_once:
        rest(max(every_s, (looked_s - began_s) * REST_RATIO))
        has_changed, signature = pilot.changed_since(signature)
        if has_changed or time.monotonic() - looked_s >= LOOK_AGAIN_S:
            began_s = time.monotonic()
            yield pilot.look()
            looked_s = time.monotonic()


@dataclass(frozen=True, slots=True)
class Step:
    """A look, and what followed from it."""

    look: Look
    entries: tuple[Entry, ...]


def watch(
    pilot: Pilot,
    every_s: float,
    *,
    promotes: bool = False,
    rolls_back: bool = False,
    until_decided: bool = False,
    is_once: bool = False,
    rest: Callable[[float], None] = time.sleep,
) -> Iterator[Step]:
    """Look, act, say so, again and again, alone, until there is nothing left to watch; PilotError before a start."""
    with pilot.alone():
        pilot.settle()
        for look in looks(pilot, every_s, is_once=is_once, rest=rest):
            if look.state.started_unix_s is None:
                raise PilotError(
                    f"{look.design.name} has not started; `breakeven pilot start {pilot.folder.name}` first"
                )
            entries = pilot.act(look, promotes=promotes, rolls_back=rolls_back)
            is_decided = until_decided and pilot.is_decided(look)
            yield Step(look, entries)
            if _is_done(look, entries, is_decided=is_decided, promotes=promotes):
                break


def _is_done(look: Look, entries: Sequence[Entry], *, is_decided: bool, promotes: bool) -> bool:
    """Whether there is nothing left to watch."""
    ended = any(each.event in ("stopped", "rolled_back") for each in entries)
    was_over = not look.state.is_running and not look.state.promoted_tasks
    is_yes = look.verdict is not None and look.verdict.answer == "yes"
    has_promoted = bool(look.state.promoted_tasks) or any(each.event == "promoted" for each in entries)
    return ended or was_over or (is_decided and is_yes and (has_promoted or not promotes))
