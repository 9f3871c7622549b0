"""Orders: what a person tells a pilot to do: start, stop, promote, restore, roll back; and what that will change.

The command line and the dashboard give orders through here, so both do the same and refuse the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal

from breakeven.errors import PilotError
from breakeven.pilot import policy_steps as steps
from breakeven.pilot.design_file import DesignFile, read_design
from breakeven.pilot.journal import Entry, PilotState, state_of
from breakeven.pilot.promise_kept import against_journal
from breakeven.pilot.refusals import check_promote, check_restore, check_roll_back, check_start, check_stop
from breakeven.pilot.running import BEFORE_FOLDER
from breakeven.routing.policy_document import PolicyDocument

if TYPE_CHECKING:
    from breakeven.pilot.running import Pilot
    from breakeven.routing.trial import Trial

Order = Literal["start", "stop", "promote", "restore", "roll_back"]
STOPPED_BY_HAND: Final = "Stopped by hand."


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an order will change: the policy file before and after it."""

    order: Order
    policy_folder: str
    hash_now: str
    """Of the policy in force; "" where there is none yet."""
    hash_next: str
    """Of the version that will be written; the same where nothing is."""
    before: Trial | None
    """The trial in the policy now, whoever put it there."""
    after: Trial | None
    tasks: tuple[str, ...] = ()
    """Those that a promotion gives over."""

    @property
    def token(self) -> str:
        """Names what was looked at: an order given on this footing is refused once something else is there."""
        return f"{self.order}:{self.hash_now[:16]}:{self.hash_next[:16]}"


def give(pilot: Pilot, order: Order, *, keeps_watch: bool = False, expects: str | None = None) -> Entry:
    """Carry out an order; PilotError where it is refused, or where `expects` (a token) is not what is there."""
    _check_known(pilot, order)
    with pilot.alone():
        pilot.settle()
        if expects is not None and outlook(pilot, order, keeps_watch=keeps_watch).token != expects:
            raise PilotError(
                f"{pilot.folder.name}: the pilot or the policy has changed since you looked; nothing was done. Look "
                "again, and decide on what is there now"
            )
        return _carried_out(pilot, order, keeps_watch=keeps_watch)


def outlook(pilot: Pilot, order: Order, *, keeps_watch: bool = False) -> Outlook:
    """What an order would change now; PilotError where it would be refused. Changes nothing."""
    entries = pilot.journal.entries()
    state = state_of(entries)
    found = against_journal(read_design(pilot.folder), state)
    tasks: tuple[str, ...] = ()
    if order == "promote":
        look = pilot.look()
        tasks = look.verdict.accepted_tasks if look.verdict is not None else ()
        check_promote(found, state, entries, tasks)
    else:
        _check(pilot, order, found, state, entries)
    folder = Path(found.design.policy_folder)
    current = steps.current_policy(folder)
    document = steps.first_policy(found.design) if current is None else current.document
    after = _document_after(pilot, order, found, state, document, tasks=tasks, keeps_watch=keeps_watch)
    hash_now = "" if current is None else current.hash
    return Outlook(
        order,
        found.design.policy_folder,
        hash_now,
        hash_now if after is document and current is not None else _hash_of(after),
        None if current is None else current.document.trial,
        after.trial,
        tasks,
    )


def _check_known(pilot: Pilot, order: Order) -> None:
    """What needs no lock to be refused."""
    state = state_of(pilot.journal.entries())
    is_promotion = order == "promote" and state.started_unix_s is not None and not state.promoted_tasks
    if order in ("stop", "promote") and not state.is_running and not is_promotion:
        name = pilot.folder.name
        raise PilotError(f"{name} does not run; `breakeven pilot status {name}` says how it stands")


def _carried_out(pilot: Pilot, order: Order, *, keeps_watch: bool) -> Entry:
    if order == "start":
        return pilot.start()
    if order == "stop":
        return pilot.stop(STOPPED_BY_HAND)
    if order == "promote":
        return pilot.promote(pilot.look(), keeps_watch=keeps_watch)
    return pilot.restore() if order == "restore" else pilot.roll_back()


def _check(pilot: Pilot, order: Order, found: DesignFile, state: PilotState, entries: tuple[Entry, ...]) -> None:
    if order == "start":
        check_start(found, state)
    elif order == "stop":
        check_stop(found, state, entries)
    elif order == "restore":
        check_restore(found, state)
    else:
        place = pilot.folder / BEFORE_FOLDER
        check_roll_back(found, state, steps.current_policy(place), place)


def _document_after(
    pilot: Pilot,
    order: Order,
    found: DesignFile,
    state: PilotState,
    document: PolicyDocument,
    *,
    tasks: tuple[str, ...],
    keeps_watch: bool,
) -> PolicyDocument:
    """The policy as the order would leave it, by the steps that carry it out."""
    design, name = found.design, found.trial_name
    if order == "start":
        share = steps.first_share_fraction(design)
        begun = replace(state, share_by_task={each.task: share for each in design.tasks}, stopped_why={})
        return steps.with_trial(document, steps.trial_of(design, name, begun))
    if order == "stop":
        return steps.stopped(document, name)
    if order == "restore":
        return steps.restored(document, design, name, state)
    if order == "promote":
        return steps.given_over(document, design, name, tasks, keeps_watch=keeps_watch)
    before = steps.current_policy(pilot.folder / BEFORE_FOLDER)
    assert before is not None  # checked before
    return replace(before.document, trial=None)


def _hash_of(document: PolicyDocument) -> str:
    """The hash that the document will have as a file."""
    with TemporaryDirectory() as folder:
        return steps.written(document, Path(folder)).hash
