"""Floors within limits: floors of single tasks where capacity and budget are finite, one part after the other.

All parts draw on the same capacity, so a part is given what the parts before it left. The linear program divides that
between all parts still open, each with its floor as a line of its own (as predicted), a success being worth at least
what one costs where nothing but the limits holds; how much of each floor's slack may be spent is the setting, from
little to a fifth too much. The settings of the part in hand are calibrated on its own
requests (`task_floors.py`), and what it takes then is no longer free. A part whose floor cannot be shown stays with the
reference model and leaves the others what it would have taken. No calibration request is in two parts, so what was
shown for one may decide what is tried for the next: each promise holds as it does alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from breakeven.errors import LearningError
from breakeven.learning.allocation import Allocation, PartFloor, allocate
from breakeven.learning.families import (
    ALLOCATION_ROWS_MAX_COUNT,
    NEVER_USD,
    Capacities,
    Family,
    Flags,
    Judged,
    Side,
    drawn_side,
    left_to,
    program_limits,
    ruled,
    tightened,
)
from breakeven.learning.frontier import Sweep
from breakeven.learning.group_rates import Path, paths_of, task_of
from breakeven.learning.group_shares import Groups, Shares, divided, groups_of, is_by_group
from breakeven.learning.quality_floor import FloorChoice
from breakeven.learning.task_floors import OTHERS, Floors, chosen_of_part, stays_for
from breakeven.outcomes.outcome import Floats, Indexes

SPENT_FRACTIONS: Final = tuple(each / 20 for each in range(1, 25))
"""Of a floor's slack that the predicted success may spend, by setting: predictions may be too low, so past 1."""
SLACK_MIN_RATIO: Final = 0.02
"""Slack of a floor at or above the reference's own success: its settings lie around the floor itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be calibrated."""

    name: str
    """That of the family."""
    train: Judged
    calibration: Judged
    limits: Capacities
    floors: Floors
    reference: int
    abstains: Flags
    """Calibration requests that the policy leaves to the reference model, whatever is predicted; shape (requests,)."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts in the order in which they are given their room: the rarest first, the others last."""
        rare = {each: int(self.floors.rows(self.train.table, each).sum()) for each in self.floors.by_task}
        return (*sorted(rare, key=lambda each: (rare[each], each)), OTHERS)


@dataclass(frozen=True, slots=True)
class _Room:
    """What is left for the requests of the parts that are still open."""

    requests_count: int
    requests_of: Mapping[str, float]
    """Model with a limit -> requests that it can still take."""
    usd: float | None

    @property
    def limits(self) -> Capacities:
        """The same as shares of the requests that are left."""
        count = max(self.requests_count, 1)
        shares = {name: max(left, 0.0) / count for name, left in self.requests_of.items()}
        return Capacities(shares, None if self.usd is None else max(self.usd, 0.0) / count)

    def less(self, models: Sequence[str], taken: Floats, usd: float) -> _Room:
        """What is left where some requests, `taken` by each model, cost `usd` together."""
        left = {name: count - float(taken[models.index(name)]) for name, count in self.requests_of.items()}
        return _Room(
            self.requests_count - round(float(taken.sum())), left, None if self.usd is None else self.usd - usd
        )


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting of the part in hand."""

    value_usd: float
    price_usd: Floats
    shares: Shares
    """Of the part's groups; none where requests are decided one by one."""
    usd: float
    """What the part's requests would cost."""


def calibrated_within_limits(asked: Asked) -> tuple[Family | None, dict[str, FloorChoice]]:
    """The settings that were tried, and the boldest of each part that keeps its floor; a setting is its part's alone.

    None where no part had any. Raises LearningError where no division keeps the limits, whatever the floors.
    """
    models, total = asked.train.table.models, asked.train.table.requests_count
    worth_usd = _usd_per_success(asked)
    budget = asked.limits.budget_usd_per_request
    capacity = {name: share * total for name, share in asked.limits.capacity_fraction.items()}
    room = _Room(total, capacity, None if budget is None else budget * total)
    tried, found, count = list[Family](), dict[str, FloorChoice](), 0
    for number, part in enumerate(asked.parts):
        family = _of_part(asked, asked.parts[number:], room, worth_usd)
        at = None
        if family is None:
            rows = int(asked.floors.rows(asked.calibration.table, part).sum())
            why = "no division of what the limits leave is predicted to keep every floor"
            found[part] = stays_for(asked.floors, part, rows, why)
        else:
            choice = chosen_of_part(family, asked.reference, asked.floors, part)
            at = choice.at
            found[part] = choice if at is None else replace(choice, at=at + count)
            tried.append(family)
            count += len(family.settings)
        room = room.less(models, *_taken(asked, part, family, at))
    return _joined(tried), found


def _usd_per_success(asked: Asked) -> float:
    """The lowest cost of a predicted success within the limits; LearningError says which of them cannot be kept."""
    groups, allowed = _groups(asked.train)
    _, found = divided(groups, asked.train.table.models, program_limits(asked.limits, None), allowed)
    return found.usd_per_success


def _groups(judged: Judged) -> tuple[Groups, Flags]:
    """Groups of requests, and the models that may take them."""
    expected = groups_of(judged.table, judged.expected_usd, judged.failure_usd).scores
    return groups_of(judged.table, judged.scores, judged.failure_usd), expected < NEVER_USD / 2


def _of_part(asked: Asked, parts: Sequence[str], room: _Room, worth_usd: float) -> Family | None:
    """The first of these parts at each of its settings, from little of its slack spent to more than all; None: none."""
    open_rows = np.any([asked.floors.rows(asked.train.table, each) for each in parts], axis=0)
    mine = _only(asked.train, np.flatnonzero(open_rows))
    if not mine.table.requests_count:
        return None
    by_group = is_by_group(asked.calibration.table, asked.calibration.scores)
    found = [] if by_group else _cheaper_and_cheaper(_by_request(asked, mine, parts, room.limits, worth_usd))
    found = found or _cheaper_and_cheaper(_by_group(asked, mine, parts, room.limits, worth_usd))
    if not found:
        return None
    values, prices = np.array([each.value_usd for each in found]), np.stack([each.price_usd for each in found])
    shares = tuple(each.shares for each in found)
    sides = [drawn_side(each, values, prices, shares) for each in (asked.train, asked.calibration)]
    family = Family("allocation", asked.name, sides[0], sides[1], prices, shares)
    return left_to(family, asked.reference, asked.abstains)


def _by_group(
    asked: Asked, mine: Judged, parts: Sequence[str], limits: Capacities, worth_usd: float
) -> Iterator[_Setting]:
    groups, allowed = _groups(mine)
    part_of = [_part(asked, mine, path) for path in groups.paths]
    rows = {part: np.array([each == part for each in part_of]) for part in parts}
    weight = groups.requests_count
    of_part = {path: at for at, path in enumerate(groups.paths) if part_of[at] == parts[0]}
    for floors in _part_floors(asked, groups.scores, allowed, rows, weight):
        try:
            shares, split = divided(groups, mine.table.models, program_limits(limits, worth_usd), allowed, floors)
        except LearningError:
            continue  # more of the slack must be spent for the limits' sake
        cost = (split.split_fractions * groups.cost_usd).sum(axis=1) * weight
        usd = float(sum(cost[at] for at in of_part.values()))
        price = np.asarray(split.capacity_usd_per_request)
        yield _Setting(_value(split, parts[0]), price, {path: shares[path] for path in of_part}, usd)


def _by_request(
    asked: Asked, mine: Judged, parts: Sequence[str], limits: Capacities, worth_usd: float
) -> Iterator[_Setting]:
    """The rule with prices, made so tight that it keeps the limits on the requests learnt from."""
    rows = np.random.default_rng(asked.floors.seed).permutation(mine.table.requests_count)[:ALLOCATION_ROWS_MAX_COUNT]
    allowed = mine.expected_usd[rows] < NEVER_USD / 2
    of_part = {part: asked.floors.rows(mine.table, part) for part in parts}
    sampled = {part: each[rows] for part, each in of_part.items()}
    for floors in _part_floors(asked, mine.scores[rows], allowed, sampled, np.ones(len(rows))):
        try:
            found = allocate(
                mine.table.models, mine.expected_usd[rows], mine.scores[rows], program_limits(limits, worth_usd),
                allowed, None, mine.failure_usd[rows], floors,
            )  # fmt: skip
        except LearningError:
            continue
        value = np.zeros(mine.table.requests_count)
        for part, each in of_part.items():
            value[each] = _value(found, part)
        tight = tightened(mine, value, np.asarray(found.capacity_usd_per_request), limits)
        if tight is None:
            continue
        at = np.flatnonzero(of_part[parts[0]])
        choices = ruled(mine, tight[0] * value, tight[1])[at]
        usd = float(mine.table.cost_usd[at, choices].sum())
        yield _Setting(tight[0] * _value(found, parts[0]), tight[1], {}, usd)


def _part_floors(
    asked: Asked, scores: Floats, allowed: Flags, rows: Mapping[str, Flags], weight: Floats
) -> Iterator[dict[str, PartFloor]]:
    """The floors of the open parts as predicted success, where more and more of their slack may be spent."""
    best = np.where(allowed, scores, -np.inf).max(axis=1)
    for spent in SPENT_FRACTIONS:
        found = {}
        for part, mine in rows.items():
            if not mine.any():
                continue
            floor = asked.floors.parts[part]
            ratio = floor + max(1 - floor, SLACK_MIN_RATIO) * (1 - spent)
            least = ratio * float(np.average(scores[mine, asked.reference], weights=weight[mine]))
            reach = float(np.average(best[mine], weights=weight[mine]))
            found[part] = PartFloor(mine, min(least, reach - 1e-9))
        yield found


def _value(split: Allocation, part: str) -> float:
    return split.value_usd_by_part.get(part, split.value_usd_per_success)


def _part(asked: Asked, judged: Judged, path: Path) -> str:
    named = task_of(judged.table.levels, path)
    return named if named in asked.floors.by_task else OTHERS


def _only(judged: Judged, rows: Indexes) -> Judged:
    return Judged(judged.table.rows(rows), judged.scores[rows], judged.expected_usd[rows], judged.failure_usd[rows])


def _cheaper_and_cheaper(settings: Iterator[_Setting]) -> list[_Setting]:
    """The settings at which the part costs less than at all before."""
    kept: list[_Setting] = []
    for each in settings:
        if not kept or each.usd < kept[-1].usd * (1 - 1e-9):
            kept.append(each)
    return kept


def _taken(asked: Asked, part: str, family: Family | None, at: int | None) -> tuple[Floats, float]:
    """Of a part's requests learnt from, those that each model takes, and what they cost together."""
    table = asked.train.table
    rows = np.flatnonzero(asked.floors.rows(table, part))
    split = np.zeros((len(rows), len(table.models)))
    if family is None or at is None:
        split[:, asked.reference] = 1.0
    else:
        split[np.arange(len(rows)), family.train.sweep.choices[at][rows]] = 1.0
        shares = {} if family.shares is None else family.shares[at]
        for row, path in enumerate(paths_of(table.rows(rows))):
            if (mine := shares.get(path)) is not None:
                split[row] = [mine.get(name, 0.0) for name in table.models]
    return split.sum(axis=0), float((split * table.cost_usd[rows]).sum())


def _joined(families: Sequence[Family]) -> Family | None:
    """The settings of all parts, one after the other."""
    if not families:
        return None
    sides = [_joined_side([each.train for each in families]), _joined_side([each.calibration for each in families])]
    prices = np.concatenate([each.capacity_usd for each in families if each.capacity_usd is not None])
    shares = [share for each in families for share in each.shares or ()]
    return replace(families[0], train=sides[0], calibration=sides[1], capacity_usd=prices, shares=tuple(shares))


def _joined_side(sides: Sequence[Side]) -> Side:
    settings = np.concatenate([each.sweep.settings for each in sides])
    choices = np.concatenate([each.sweep.choices for each in sides])
    return Side(sides[0].table, Sweep(settings, choices), np.concatenate([each.cost_usd for each in sides]))
