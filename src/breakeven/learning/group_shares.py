"""Group share: the part of a group's requests that a model takes, where capacity or budget divides the group.

All requests of a group look alike to group rates, so a price of capacity moves all of them or none. The program of
`allocation.py` is therefore solved over groups, each as heavy as it has requests, and a request is given to a share as
the policy will do it online: by a hash of its prompt. Where no prompt was kept the request's id stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from breakeven.learning.allocation import NO_PARTS, Allocation, Limits, PartFloor, allocate
from breakeven.learning.group_rates import Path, paths_of
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable
from breakeven.routing.policies.allocation import AllocationPolicy, policy_of
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.request import RouteRequest

SMALLEST_FRACTION = 1e-9
"""A share below this is none."""

Shares = Mapping[Path, Mapping[str, float]]
"""Group -> model -> its share of the group's requests."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of some requests; arrays of shape (groups, models)."""

    paths: tuple[Path, ...]
    requests_count: Floats
    """Shape (groups,)."""
    scores: Floats
    """Mean predicted success."""
    cost_usd: Floats
    """Mean cost of a call as it was paid: a budget is a limit on these."""
    failure_usd: Floats
    """Shape (groups,)."""


def groups_of(table: OutcomeTable, scores: Floats, failure_usd: Floats) -> Groups:
    """The groups of a table of which all costs are known."""
    paths, of_row = _numbered(paths_of(table))
    count = np.bincount(of_row, minlength=len(paths)).astype(float)

    def mean(values: Floats) -> Floats:
        total = np.zeros((len(paths), values.shape[1]))
        np.add.at(total, of_row, values)
        return np.asarray(total / count[:, None])

    return Groups(paths, count, mean(scores), mean(table.cost_usd), mean(failure_usd[:, None])[:, 0])


def is_by_group(table: OutcomeTable, scores: Floats) -> bool:
    """Whether all requests of each group have the same scores."""
    _, of_row = _numbered(paths_of(table))
    first = np.unique(of_row, return_index=True)[1]
    return bool(np.array_equal(scores, scores[first[of_row]]))


def divided(
    groups: Groups,
    models: tuple[str, ...],
    limits: Limits,
    allowed: np.ndarray,
    part_floors: Mapping[str, PartFloor] = NO_PARTS,
) -> tuple[Shares, Allocation]:
    """Each group's shares by the program of limits, and what else it found; `part_floors` name rows of groups."""
    found = allocate(
        models,
        groups.cost_usd,
        groups.scores,
        limits,
        allowed,
        groups.requests_count,
        groups.failure_usd,
        part_floors,
    )
    shares = {path: _named(models, split) for path, split in zip(groups.paths, found.split_fractions, strict=True)}
    return shares, found


def drawn(shares: Shares, table: OutcomeTable, otherwise: Indexes) -> Indexes:
    """The model of each request as the policy decides online; `otherwise` for requests of other groups."""
    policy, position = _policy(shares, table), {name: at for at, name in enumerate(table.models)}
    keys = draw_keys(table)
    choices = otherwise.copy()
    for row, path in enumerate(paths_of(table)):
        mine = shares.get(path)
        if mine is None:
            continue
        if len(mine) == 1:
            choices[row] = position[next(iter(mine))]
            continue
        request = RouteRequest(keys[row], dict(zip(table.levels, path, strict=True)))
        choices[row] = position[policy.decide(request).model]
    return choices


def draw_keys(table: OutcomeTable) -> tuple[str, ...]:
    """What is hashed to find a request's share: its prompt, or its id where the table holds no prompt at all."""
    return table.prompts if prompts_are_kept(table) else table.request_ids


def prompts_are_kept(table: OutcomeTable) -> bool:
    """Whether any prompt was kept."""
    return any(each.strip() for each in table.prompts)


def _policy(shares: Shares, table: OutcomeTable) -> AllocationPolicy:
    groups = tuple(GroupChoice(path, next(iter(mine)), share_fractions=mine) for path, mine in shares.items())
    models = tuple(PricedModel(name) for name in table.models)
    return policy_of(PolicyDocument("allocation", models, table.models[0], levels=table.levels, groups=groups))


def _named(models: tuple[str, ...], split: Floats) -> dict[str, float]:
    """Shares by name, in the order of the names, in which the policy draws from them."""
    kept = np.where(split > SMALLEST_FRACTION, np.minimum(split, 1.0), 0.0)
    kept = kept / kept.sum()
    return {name: float(kept[models.index(name)]) for name in sorted(models) if kept[models.index(name)] > 0}


def _numbered(paths: tuple[Path, ...]) -> tuple[tuple[Path, ...], Indexes]:
    number: dict[Path, int] = {}
    of_row = np.array([number.setdefault(path, len(number)) for path in paths], dtype=np.intp)
    return tuple(number), of_row
