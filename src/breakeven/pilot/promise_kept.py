"""Promise kept: whether the design and the policy are those that a pilot promised and wrote; what is not is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from breakeven.errors import PilotError
from breakeven.pilot import policy_steps as steps
from breakeven.pilot.design_file import DesignFile
from breakeven.pilot.journal import Entry, PilotState
from breakeven.pilot.observations import Problem

IS_EDITED: Final = "is_edited"
"""In the journal's detail of what was promised: whether its file had been edited by hand."""


def against_journal(found: DesignFile, state: PilotState) -> DesignFile:
    """The design, with a word where its copy is not the one that the journal says was started."""
    if not state.design_hash or state.design_hash == found.hash:
        return found
    words = f"the design that was started has the hash {state.design_hash[:12]}, the copy of it {found.hash[:12]}."
    return replace(found, changes=(*found.changes, words), hash=state.design_hash)


def edited_problems(entries: tuple[Entry, ...]) -> tuple[Problem, ...]:
    """A design that was written by hand after `init` and before it was promised."""
    if not any(each.detail.get(IS_EDITED) for each in entries):
        return ()
    words = (
        "pilot.json was edited by hand before it was promised: its own hash was of another text. It may be, and is "
        "judged as it was then; sizes, days and costs in it are of the text before, unless they were edited, too."
    )
    return (Problem("design_edited", words, 1),)


def journal_problems(found: DesignFile) -> tuple[Problem, ...]:
    """A pilot that has not started by its journal, though its trial is in the policy."""
    try:
        current = steps.current_policy(Path(found.design.policy_folder)) if found.design.policy_folder else None
    except PilotError:
        return ()
    if current is None or current.document.trial is None or current.document.trial.pilot != found.trial_name:
        return ()
    words = (
        f"The trial is in the policy ({found.design.policy_folder}), and the journal knows of no start: journal.jsonl "
        "is gone or was emptied. Put it back: what the pilot promised and did is read from it."
    )
    return (Problem("journal_lost", words, 1, "Nothing is claimed without the journal."),)


def policy_problems(found: DesignFile, state: PilotState) -> tuple[Problem, ...]:
    """A policy folder that holds another version than the pilot wrote."""
    if not state.is_running or not found.design.policy_folder:
        return ()
    try:
        current = steps.current_policy(Path(found.design.policy_folder))
    except PilotError as error:
        words, shown = f"The policy folder cannot be read: {error}", ""
    else:
        shown = "no policy" if current is None else f"version {current.hash[:12]}"
        if current is not None and current.hash == state.policy_hash:
            return ()
        words = f"The policy folder holds {shown}, which this pilot did not write: somebody swapped it."
    limits = "Nothing is claimed of requests from then on; `breakeven pilot restore` puts the trial into that policy."
    return (Problem("policy_swapped", words, 0, limits),)
