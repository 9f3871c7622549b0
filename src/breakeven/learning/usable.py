"""Usable outcomes: models and requests that can be learnt from, and the models that may take each group's requests."""

from __future__ import annotations

from typing import Final

import numpy as np

from breakeven.errors import LearningError
from breakeven.learning.as_allowed import may_take, with_barred_filled
from breakeven.learning.group_rates import paths_of, task_of
from breakeven.learning.settings import LearnSettings
from breakeven.outcomes.outcome import OutcomeTable

TRIED_MIN_FRACTION: Final = 0.5
"""A model tried on fewer of the requests is left out."""
REQUESTS_MIN_COUNT: Final = 20


def usable_outcomes(table: OutcomeTable, settings: LearnSettings) -> tuple[OutcomeTable, tuple[str, ...]]:
    """Models that were tried on enough requests and whose cost is known, and the requests on which all of them were."""
    notes = []
    known, may = np.isfinite(table.success), may_take(table, {}, settings.allowed_by_task)
    kept = []
    for at, name in enumerate(table.models):
        mine = may[:, at] if may[:, at].any() else np.ones_like(may[:, at])  # what it may not take says nothing of it
        tried_fraction = float(known[mine, at].mean())
        if tried_fraction < TRIED_MIN_FRACTION:
            of_its = "" if mine.all() else " that it may take"
            notes.append(f"{name} is left out: tried on {100 * tried_fraction:.0f} % of the requests{of_its}")
        elif np.isnan(table.cost_usd[known[:, at], at]).all():
            notes.append(f"{name} is left out: unpriced; give a price with --price {name}=USD")
        else:
            kept.append(name)
    if len(kept) < 2:
        raise LearningError(
            f"{'one model' if kept else 'no model'} can be weighed ({'; '.join(notes) or ', '.join(table.models)}): "
            "routing chooses between two or more that were tried on the same requests and have a price"
        )
    for wanted in (settings.reference, settings.incumbent):
        if wanted is not None and wanted not in kept:
            raise LearningError(f"{wanted} is not among the models that can be weighed: {', '.join(kept)}")
    usable = with_barred_filled(table.of_models(tuple(kept)), settings.allowed_by_task)
    tried = np.isfinite(usable.success).all(axis=1)
    priced = np.isfinite(usable.cost_usd).all(axis=1)
    if not tried.all():
        notes.append(f"{int((~tried).sum()):,} requests are left out: not every model was tried on them")
    if (unpriced := int((tried & ~priced).sum())) > 0:
        notes.append(f"{unpriced:,} requests are left out: the cost of some call is not known")
    whole = np.flatnonzero(tried & priced)
    named = {*settings.floor_by_task, *settings.failure_usd, *settings.allowed_by_task, *settings.validators} - {
        "",
        *usable.tasks,
    }
    if named:
        raise LearningError(
            f"no request has the task {', '.join(sorted(named))}; the tasks are "
            f"{', '.join(sorted(set(usable.tasks))[:12]) or 'not named in these outcomes'}"
        )
    if len(whole) < REQUESTS_MIN_COUNT:
        raise LearningError(
            f"{len(whole)} request{'' if len(whole) == 1 else 's'} on which {', '.join(kept)} were all tried; wanted "
            f"{REQUESTS_MIN_COUNT} or more to learn from at all, and some hundreds to promise anything"
        )
    return usable.rows(whole), tuple(notes)


def allowed_models(train: OutcomeTable, settings: LearnSettings) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Groups that not every model may take, by residency and by latency; at least one model must be left."""
    if not settings.allowed_by_task and settings.latency_max_s is None:
        return {}
    for task, names in settings.allowed_by_task.items():
        if unknown := [each for each in names if each not in train.models]:
            raise LearningError(f"task {task!r} may go to {', '.join(unknown)}, which is no model of these outcomes")
    rows: dict[tuple[str, ...], list[int]] = {}
    for at, path in enumerate(paths_of(train)):
        rows.setdefault(path, []).append(at)
    found = {}
    for path, mine in rows.items():
        names = settings.allowed_by_task.get(task_of(train.levels, path), train.models)
        quick = tuple(each for each in names if _is_quick(train, mine, each, settings.latency_max_s))
        if not quick:
            raise LearningError(
                f"no model may take {' / '.join(path) or 'the requests'}: of {', '.join(names)} none answers within "
                f"{settings.latency_max_s:g} s in 95 % of its calls; loosen the latency"
            )
        if len(quick) < len(train.models):
            found[path] = quick
    return found


def _is_quick(train: OutcomeTable, rows: list[int], model: str, most_s: float | None) -> bool:
    if most_s is None:
        return True
    if train.latency_s is None:
        raise LearningError("a limit of latency, and outcomes without any: add a column `latency_s`")
    known = train.latency_s[rows, train.models.index(model)]
    known = known[np.isfinite(known)]
    return bool(len(known)) and float(np.quantile(known, 0.95)) <= most_s
