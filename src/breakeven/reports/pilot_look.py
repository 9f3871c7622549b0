"""Pilot look: a look at a pilot as its document, what a user does next, and what was measured as a scenario."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from breakeven.errors import PilotError
from breakeven.reports.pilot_document import pilot_document
from breakeven.reports.pilot_parts import PilotDocument

if TYPE_CHECKING:
    from breakeven.pilot.design import Design
    from breakeven.pilot.running import Look


def document_of(look: Look, *, with_history: bool = False) -> PilotDocument:
    """The one JSON of a pilot."""
    from breakeven.pilot.running import IN_FORCE

    points: Any = ()
    if with_history and look.verdict is not None:
        from breakeven.pilot.history import history

        points = history(look.design, look.evidence.observations)
    journal = [each.plain() for each in look.entries if each.event != IN_FORCE]
    return pilot_document(
        look.design,
        look.evidence,
        look.verdict,
        history=points,
        journal=journal,
        design_hash=look.found.hash,
        watch=look.watch,
    )


def first_command(design: Design, name: str) -> str:
    """What follows the design of a pilot that was not judged; one that names no gateway's policy cannot start."""
    if design.mode == "offline":
        return f"breakeven pilot verdict {quote(name)}"
    if design.policy_folder:
        return f"breakeven pilot start {quote(name)}"
    first = design.tasks[0]
    models = f"--baseline {quote(first.baseline_model)} --candidate {quote(first.candidate_model)}"
    tasks = (f"{each.task}={each.candidate_model}" if each is not first else each.task for each in design.tasks)
    said = " ".join(f"--task {quote(each)}" for each in tasks)
    return f"breakeven pilot init {quote(name)} --again {models} {said} --gateway gateway.yaml"


def next_command(look: Look, folder: Path) -> str:
    """What a user does next."""
    if look.verdict is None:
        return first_command(look.design, folder.name)
    name = quote(folder.name)
    if look.verdict.answer == "yes" and look.state.started_unix_s is not None and not look.state.promoted_tasks:
        return f"breakeven pilot stop {name} --promote"
    if look.verdict.answer == "not_yet" and look.state.is_running:
        return f"breakeven pilot run {name}"
    return f"breakeven pilot report {name} --out {name}.html"


def measured_scenario(look: Look, today: date) -> str:
    """A scenario of what was measured, for `compare --scenario`."""
    from breakeven.pilot.recalibration import recalibrated

    if look.verdict is None:
        raise PilotError(f"{look.design.name} has measured nothing yet; `breakeven pilot start` first")
    return recalibrated(look.design, look.verdict.forecast, today)
