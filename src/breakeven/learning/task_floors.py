"""Task floors: a quality floor of its own for some tasks, each proven on that task's requests.

The requests are cut into parts: each task that has a floor, and all others. Each part has its own setting of the same
family, calibrated on its own requests; the risk that is asked for is shared out among the parts, so all floors hold
together with the confidence asked for. A part whose floor cannot be proven stays with the reference model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.learning.betting import mean_above_zero
from breakeven.learning.families import Family, Side
from breakeven.learning.frontier import Sweep
from breakeven.learning.quality_floor import FloorChoice, choose, expected
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable

Mask = npt.NDArray[np.bool_]

OTHERS: Final = ""
"""The part of all tasks without a floor of their own."""


@dataclass(frozen=True, slots=True)
class Floors:
    """What is asked for: a floor for each part, and the confidence of all together."""

    quality_floor_ratio: float
    by_task: Mapping[str, float]
    confidence_fraction: float
    seed: int

    @property
    def parts(self) -> dict[str, float]:
        """Floor of each part, that of the others under `OTHERS`."""
        return {OTHERS: self.quality_floor_ratio, **self.by_task}

    @property
    def confidence_of_part_fraction(self) -> float:
        """Of each part alone, so that all hold together.

        >>> round(Floors(0.95, {"contract": 0.99}, 0.95, 0).confidence_of_part_fraction, 6)
        0.975
        """
        return 1 - (1 - self.confidence_fraction) / len(self.parts)

    def rows(self, table: OutcomeTable, part: str) -> Mask:
        """The requests of a part."""
        tasks = np.array(table.tasks, dtype=object)
        if part != OTHERS:
            return np.asarray(tasks == part, dtype=bool)
        return ~np.isin(tasks.astype(str), list(self.by_task))


def chosen_by_part(family: Family, reference: int, floors: Floors) -> dict[str, FloorChoice]:
    """The boldest setting of each part that keeps the part's floor."""
    return {part: chosen_of_part(family, reference, floors, part) for part in floors.parts}


def choices_by_part(side: Side, at: Mapping[str, int | None], reference: int, floors: Floors) -> tuple[Indexes, Floats]:
    """The model whose answer each request is given where each part has its setting, and what it costs; None: the
    reference."""
    found = np.full(side.table.requests_count, reference, dtype=np.intp)
    cost = side.table.cost_usd[:, reference].copy()
    for part, setting in at.items():
        rows = floors.rows(side.table, part)
        if setting is not None:
            found[rows], cost[rows] = side.sweep.choices[setting][rows], side.cost_usd[setting][rows]
    return found, cost


def below_some_floor(table: OutcomeTable, reference: int, floors: Floors) -> frozenset[int]:
    """Models that, answering everything alone, are not proven to keep each part's floor on these requests."""
    others = [at for at in range(len(table.models)) if at != reference]
    confidence = 1 - (1 - floors.confidence_of_part_fraction) / max(len(others), 1)
    kept = np.ones(len(others), dtype=bool)
    for part, floor in floors.parts.items():
        rows = np.flatnonzero(floors.rows(table, part))
        success = table.success[np.random.default_rng(floors.seed).permutation(rows)]
        gains = success[:, others] - floor * success[:, [reference]]
        kept &= mean_above_zero(gains, -floor, confidence)
    return frozenset(at for at, is_kept in zip(others, kept.tolist(), strict=True) if not is_kept)


def chosen_of_part(family: Family, reference: int, floors: Floors, part: str) -> FloorChoice:
    """The boldest setting that keeps the floor of one part, by its own requests."""
    floor, confidence = floors.parts[part], floors.confidence_of_part_fraction
    train, calibration = (floors.rows(each.table, part) for each in (family.train, family.calibration))
    if not (train.any() and calibration.any()):
        named = "tasks without a floor of their own" if part == OTHERS else f"the task {part}"
        return stays_for(floors, part, int(calibration.sum()), f"too few requests of {named} to tell")
    first = 0 if part == OTHERS else int(np.argmax(np.isfinite(family.settings)))  # a task's value must be a number
    choices = family.calibration.sweep.choices[first:, calibration]
    learnt = expected(family.train.sweep.choices[first:, train], family.train.table.success[train], reference, floor)
    found = choose(
        Sweep(family.settings[first:], choices),
        family.calibration.table.success[calibration],
        reference,
        floor,
        confidence,
        floors.seed,
        learnt,
    )
    return found if found.at is None else replace(found, at=found.at + first)


def stays_for(floors: Floors, part: str, calibration_requests_count: int, why: str) -> FloorChoice:
    """A part that stays with the reference model, for a reason that no test gives."""
    floor, confidence = floors.parts[part], floors.confidence_of_part_fraction
    return FloorChoice(None, floor, confidence, calibration_requests_count, 0, 0.0, None, None, why)
