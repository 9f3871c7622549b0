"""Measured files: what `breakeven calibrate` wrote of deployments of one's own, as a scenario names it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from breakeven.errors import CalibrationError, ScenarioError
from breakeven.serving.calibrate import Correction
from breakeven.serving.measured_facts import MeasuredFacts, read_facts


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """One file, as it was read."""

    name: str
    """As the scenario names it."""
    digest: str
    """SHA-256 of its content: a report depends on what the file said, not on where it lay."""
    facts: MeasuredFacts

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """Of each figure that was measured."""
        return tuple(self.facts.corrections.values())


def read_measured(names: Sequence[str], folder: Path, places: Mapping[str, str]) -> tuple[MeasuredFile, ...]:
    """The files `names`, relative to `folder`; raises ScenarioError with the line of the scenario in `places`."""
    found: dict[str, MeasuredFile] = {}
    for index, name in enumerate(names):
        place = places.get(f"measured.{index}", "")
        prefix = f"{place}: " if place else ""
        try:
            facts = read_facts(folder / name)
        except CalibrationError as error:
            raise ScenarioError(f"{prefix}measured: {error}") from None
        earlier = next((each.name for each in found.values() if each.facts.key == facts.key), None)
        if earlier is not None:
            raise ScenarioError(f"{prefix}measured: {name} and {earlier} are of one deployment; keep one")
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        found[name] = MeasuredFile(name, digest, facts)
    return tuple(found.values())
