"""Journal: what happened is read back as it was written, and the state is a function of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.errors import PilotError
from breakeven.pilot.journal import Entry, Journal, PilotState, state_of

AT = "2026-11-02T08:00:00+00:00"
LATER = "2026-11-02T09:00:00+00:00"
STARTED = Entry(
    AT,
    "started",
    "Started.",
    "p1",
    "p0",
    share_fraction=0.1,
    detail={"share_by_task": {"faq": 0.1}, "design_hash": "d"},
)
RAMPED = Entry(LATER, "ramped", "Ramped.", "p2", "p1", share_fraction=0.5, detail={"share_by_task": {"faq": 0.5}})


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.entries() == ()
    for each in (STARTED, RAMPED):
        journal.add(each)
    assert journal.entries() == (STARTED, RAMPED)


def test_a_torn_line_never_happened_and_spoils_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(STARTED)
    with journal.path.open("ab") as file:
        file.write(b'{"at": "2026')
    assert journal.entries() == (STARTED,)
    journal.add(RAMPED)
    assert journal.entries() == (STARTED, RAMPED)


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.path.write_text('nonsense\n{"at": "x"}\n')
    with pytest.raises(PilotError, match="line 1"):
        journal.entries()


def test_the_state_follows_from_the_entries() -> None:
    assert state_of(()) == PilotState()
    state = state_of((STARTED, RAMPED))
    assert state.is_running
    assert state.share_by_task == {"faq": 0.5}
    assert state.share_since_unix_s["faq"] - (state.started_unix_s or 0) == 3600
    assert state.policy_hashes == ("p1", "p2")
    assert (state.policy_hash, state.over_hash, state.design_hash) == ("p2", "p1", "d")
    stopped = Entry(LATER, "stopped_task", "Stopped.", "p3", "p2", tasks=("faq",), detail={"why": "worse"})
    ended = Entry(LATER, "stopped", "The end.", "p4", "p3")
    state = state_of((STARTED, RAMPED, stopped, ended))
    assert not state.is_running
    assert state.stopped_why == {"faq": "worse"}
    promoted = Entry(LATER, "promoted", "Promoted.", "p5", "p4", tasks=("faq",))
    back = Entry(LATER, "rolled_back", "Back.", "p6", "p5")
    assert state_of((STARTED, promoted)).promoted_tasks == ("faq",)
    assert state_of((STARTED, promoted, back)).promoted_tasks == ()


def test_a_share_that_stays_keeps_its_time() -> None:
    again = Entry(LATER, "ramped", "Ramped.", "p2", "p1", detail={"share_by_task": {"faq": 0.1, "mail": 0.5}})
    state = state_of((STARTED, again))
    assert state.share_since_unix_s["faq"] == state.started_unix_s
    assert state.share_since_unix_s["mail"] == (state.started_unix_s or 0) + 3600


@pytest.mark.parametrize(
    "line",
    [
        '{"at": 5, "event": "noted", "words": "x"}',
        '{"at": "yesterday", "event": "noted", "words": "x"}',
        f'{{"at": "{AT}", "event": "ramped", "words": "x", "detail": "q"}}',
        f'{{"at": "{AT}", "event": "ramped", "words": "x", "detail": {{"share_by_task": {{"faq": "x"}}}}}}',
        f'{{"at": "{AT}", "event": "ramped", "words": "x", "detail": {{"share_by_task": {{"faq": 7}}}}}}',
        f'{{"at": "{AT}", "event": "ramped", "words": "x", "detail": {{"share_by_task": 7}}}}',
        f'{{"at": "{AT}", "event": "promoted", "words": "x", "tasks": ["faq"]}}',
        f'{{"at": "{AT}", "event": "noted", "words": ["x"]}}',
    ],
)
def test_a_line_that_no_pilot_writes_is_named(line: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(STARTED)
    with journal.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(PilotError, match="line 2"):
        journal.entries()
