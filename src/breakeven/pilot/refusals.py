"""Refusals: what a pilot may not be told as it stands, in words that say what to do instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from breakeven.errors import PilotError
from breakeven.pilot import policy_steps as steps
from breakeven.pilot.design_file import DesignFile
from breakeven.pilot.journal import Entry, PilotState
from breakeven.routing.policy_file import LoadedPolicy


def check_start(found: DesignFile, state: PilotState) -> None:
    """PilotError where it cannot start."""
    design = found.design
    if state.is_running:
        raise PilotError(f"{design.name} runs already; `breakeven pilot status` says how it stands")
    if state.promoted_tasks or state.ended_unix_s is not None:
        raise PilotError(f"{design.name} has ended; design another pilot with `breakeven pilot init`")
    if design.mode == "offline":
        raise PilotError("an offline pilot has nothing to start; `breakeven pilot verdict` reads its files")
    if not design.policy_folder:
        raise PilotError(
            "the design names no policy folder, so no gateway can be told; design it again with --policy FOLDER "
            "(the `policy:` of gateway.yaml), or --gateway gateway.yaml"
        )
    current = steps.current_policy(Path(design.policy_folder))
    if current is not None and current.document.trial is not None:
        raise PilotError(
            f"the policy in {design.policy_folder} has the trial of another pilot "
            f"({current.document.trial.pilot}); stop that one first"
        )
    if not design.sources:
        raise PilotError(
            "the design names no place to read calls from; design it again with --state FOLDER (the gateway's), "
            "--store FOLDER, or --gateway gateway.yaml"
        )


def check_stop(found: DesignFile, state: PilotState, entries: Sequence[Entry]) -> None:
    """PilotError where there is nothing to stop."""
    if state.is_running:
        return
    ended = [each.at[:19] for each in entries if each.event in ("stopped", "rolled_back")]
    words = f"has ended already, at {ended[-1]}" if ended else "has not started"
    raise PilotError(f"{found.design.name} {words}; there is nothing to stop")


def check_promote(found: DesignFile, state: PilotState, entries: Sequence[Entry], tasks: Sequence[str]) -> None:
    """PilotError where no task is accepted, or the candidate has its tasks already."""
    if not tasks:
        raise PilotError("no task is accepted, so there is nothing to promote; `breakeven pilot verdict` says why")
    if state.promoted_unix_s is not None:
        at = next(each.at[:19] for each in entries if each.event == "promoted")
        raise PilotError(
            f"{found.design.name} was promoted already, at {at}; what came after that is for a new pilot to decide"
        )


def check_restore(found: DesignFile, state: PilotState) -> None:
    """PilotError where its trial belongs in no policy."""
    if not state.is_running:
        raise PilotError(f"{found.design.name} does not run, so its trial belongs in no policy")


def check_roll_back(found: DesignFile, state: PilotState, before: LoadedPolicy | None, before_folder: Path) -> None:
    """PilotError where no promotion is in force that could be undone."""
    if not state.promoted_tasks:
        raise PilotError(
            f"{found.design.name} was not promoted, so there is nothing to roll back; `breakeven pilot stop` ends a "
            "trial"
        )
    if not is_in_force(found, state):
        raise PilotError(f"{found.design.name}: {not_rolled_back()}")
    if before is None:
        raise PilotError(f"{before_folder} is gone, so there is no policy to go back to")


def is_in_force(found: DesignFile, state: PilotState) -> bool:
    """Whether the policy folder holds the version that the pilot wrote last."""
    current = steps.current_policy(Path(found.design.policy_folder))
    return current is not None and current.hash == state.policy_hash


def not_rolled_back() -> str:
    """Why somebody else's policy is not undone."""
    return (
        "Not rolled back: the policy in force is not the one that the promotion wrote, and what came since is not the "
        "pilot's to undo; take the candidate out of it by hand."
    )
