"""Limit check: whether a policy keeps capacity and budget on requests that it was not learnt from, but for their luck.

A share or a mean cost may pass its limit by three standard errors: so much the requests learnt from and those measured
differ by chance. What is farther off is refused, and so is one model for everything that a limit forbids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np

from breakeven.errors import LearningError
from breakeven.learning.families import Capacities
from breakeven.learning.learn import Learnt
from breakeven.outcomes.outcome import Floats, Indexes, OutcomeTable

ERRORS_MAX = 3.0
"""Standard errors by which a measured figure may pass its limit."""


def barred_models(
    table: OutcomeTable, limits: Capacities, answering: Callable[[Indexes], Indexes] = lambda choices: choices
) -> frozenset[int]:
    """The models that may not take all requests alone; `answering` says who answers where a model may not."""
    every = (np.full(table.requests_count, at, dtype=np.intp) for at in range(len(table.models)))
    return frozenset(at for at, each in enumerate(every) if broken(table, answering(each), limits))


def mixes_within(models: tuple[str, ...], capacity_fraction: Mapping[str, float]) -> Floats:
    """Shares that models mixed by chance may have, the extreme ones: capped models full or empty, one takes the rest.

    >>> mixes_within(("small", "big"), {"small": 0.25}).tolist()
    [[0.0, 1.0], [0.25, 0.75]]
    """
    most = [min(capacity_fraction.get(each, 1.0), 1.0) for each in models]
    found = set()
    for full in product(*([0.0, each] if each < 1 else [0.0] for each in most)):
        rest = 1 - sum(full)
        for at, each in enumerate(most):
            if rest >= 0 and full[at] == 0 and rest <= each:
                found.add((*full[:at], rest, *full[at + 1 :]))
    return np.array(sorted(found)) if found else np.eye(len(models))


def broken(table: OutcomeTable, choices: Indexes, limits: Capacities, learnt_count: int | None = None) -> list[str]:
    """The limits that these choices pass, in words. `learnt_count`: requests that the shares were learnt from."""
    one = len(set(choices.tolist())) == 1
    found = []
    for at, name in enumerate(table.models):
        most, share = limits.capacity_fraction.get(name, 1.0), float((choices == at).mean())
        error = 0.0 if one else ERRORS_MAX * _error((choices == at).astype(float), learnt_count)
        if share > most + error + 1e-9:
            found.append(
                f"{name} would take {100 * share:.1f} % of the requests, and its capacity is {100 * most:.1f} %"
            )
    budget = limits.budget_usd_per_request
    paid = table.cost_usd[np.arange(len(choices)), choices]
    if budget is not None and paid.mean() > budget * (1 + 1e-9) + ERRORS_MAX * _error(paid, learnt_count):
        found.append(f"a request would cost {paid.mean():.6g} USD, and the budget is {budget:.6g} USD")
    return found


def refuse_broken(learnt: Learnt, one: str | None) -> None:
    """Raise LearningError where the policy to be written passes a limit: `one` model for all, or the setting chosen."""
    limits, table = learnt.settings.limits, learnt.calibration
    if not limits:
        return
    if one is None:
        choices, _ = learnt.choices(learnt.draft.family.calibration)
    else:
        choices = np.full(table.requests_count, table.models.index(one), dtype=np.intp)
    words = broken(table, learnt.answering(choices), limits, learnt.train.requests_count)
    if not words:
        return
    if one is None:
        parts = {"what has no floor of its own": learnt.floor, **learnt.task_floors} if learnt.task_floors else {}
        stays = ", ".join(part for part, choice in sorted(parts.items()) if choice.at is None)
        told = f" ({stays} stays with {learnt.reference}, for its floor could not be shown)" if stays else ""
        raise LearningError(
            f"the policy would pass a limit on the calibration requests: {'; '.join(words)}{told}. Give limits with "
            "some room, or outcomes of more requests with distinct prompts (requests are divided by a hash of the "
            "prompt)"
        )
    not_better = "what was tried keeps the floor, and is not shown to do better than one model or a mix by chance"
    raise LearningError(
        f"no policy keeps the limits: no division within them is shown to be worth it and to keep "
        f"{100 * learnt.settings.quality_floor_ratio:.0f} % of {learnt.reference}'s success "
        f"({learnt.floor.why if learnt.moves_nothing else not_better}), and with "
        f"{one} alone {'; '.join(words)}. Loosen the capacity or the budget, lower the quality "
        "floor, or bring outcomes of more requests"
    )


def _error(values: Floats, learnt_count: int | None) -> float:
    """Standard error of a mean, and of its difference from that of the requests learnt from where there are some."""
    return float(values.std() * np.sqrt(1 / len(values) + (1 / learnt_count if learnt_count else 0.0)))
