"""Task split: a demand cut in two by the tasks that the log names, each part with its own tokens and lengths.

What a part is comes from the log alone. Which tasks are commodity work is the scenario's `commodity_tasks`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Final

from breakeven.errors import CatalogError
from breakeven.options.assembly.demand import Demand, ModelDemand, TokenMix
from breakeven.workload.lengths import together

SHOWN_TASKS_MAX_COUNT = 6
KINDS: Final = tuple(field.name for field in fields(TokenMix))
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the calls of a demand."""

    demand: Demand
    """The calls. Of a part without any: the whole demand's, for a mix and lengths, and nothing of its volume."""
    tokens_fraction: float
    """Share of the whole demand's tokens."""
    requests_fraction: float
    """Share of the whole demand's requests."""


@dataclass(frozen=True, slots=True)
class TaskSplit:
    """The tasks that move, and all other calls, those that name no task among them."""

    tasks: tuple[str, ...]
    """The tasks of the log that move, most tokens first."""
    moved: Part
    kept: Part


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """The words of a task's name between blanks, without case and punctuation.

    >>> plain("Ticket-Classification_v2")
    ' ticket classification v2 '
    """
    return f" {' '.join(_WORD.findall(name.casefold()))} "


def matches(task: str, wanted: str) -> bool:
    """Whether the words of `wanted` stand one after the other in the name `task`.

    >>> matches("ticket-classification", "Classification"), matches("declassify", "classify")
    (True, False)
    """
    return bool(plain(wanted).strip()) and plain(wanted) in plain(task)


def named_tasks(demand: Demand, commodity_tasks: Sequence[str]) -> tuple[str, ...]:
    """The tasks of the log that `commodity_tasks` names, most tokens first."""
    return tuple(each for each in demand.tasks if any(matches(each, one) for one in commodity_tasks))


def audited_by_name(demand: Demand, audited_tasks: Sequence[str]) -> tuple[str, ...]:
    """The tasks of the log with exactly the names `audited_tasks`, most tokens first."""
    return tuple(each for each in demand.tasks if each in frozenset(audited_tasks))


def split_by_task(demand: Demand, commodity_tasks: Sequence[str]) -> TaskSplit:
    """Cut `demand` into the tasks that `commodity_tasks` names and the rest.

    Raises CatalogError, naming the log's tasks, when no call of the log belongs to one of them.
    """
    return _split(demand, named_tasks(demand, commodity_tasks), commodity_tasks)


def split_by_audit(demand: Demand, audited_tasks: Sequence[str]) -> TaskSplit:
    """Cut `demand` into the tasks with exactly the names `audited_tasks` and the rest.

    Raises CatalogError when the audit found no commodity work, or no call of the log belongs to it.
    """
    if not audited_tasks:
        raise CatalogError(
            "the audit finds no task of which a small model can do enough to move it as a whole; name tasks that may "
            "move as commodity_tasks in the scenario, or label calls (`breakeven audit label`)"
        )
    return _split(demand, audited_by_name(demand, audited_tasks), audited_tasks)


def _split(demand: Demand, found: Sequence[str], commodity_tasks: Sequence[str]) -> TaskSplit:
    tasks = tuple(found)
    moved = _moved(demand, frozenset(tasks))
    if not moved.mix.tokens:
        raise CatalogError(
            f"none of the log's tasks ({_listed(demand.tasks)}) is one of the commodity tasks "
            f"({_listed(commodity_tasks)}): name those that may move as commodity_tasks in the scenario"
        )
    return TaskSplit(tasks, _part(demand, moved), _part(demand, _without(demand, moved)))


def _moved(demand: Demand, tasks: frozenset[str]) -> Demand:
    return replace(demand, models=tuple(_only(each, tasks) for each in demand.models))


def _only(model: ModelDemand, tasks: frozenset[str]) -> ModelDemand:
    """The calls of `model` for `tasks`, never more than it has: the log's sums are rounded to whole tokens."""
    mine = [each for each in model.by_task if each.task in tasks]
    mix = TokenMix(*(min(sum(getattr(each.mix, kind) for each in mine), getattr(model.mix, kind)) for kind in KINDS))
    return replace(
        model,
        mix=mix,
        requests_count=min(sum(each.requests_count for each in mine), model.requests_count),
        spend_usd=min(sum(each.spend_usd for each in mine), model.spend_usd),
        by_task=tuple(mine),
        lengths=together(each.lengths for each in mine),
    )


def _without(demand: Demand, moved: Demand) -> Demand:
    """All calls but the moved ones: what is left of each model, so that nothing is lost or counted twice."""
    return replace(
        demand, models=tuple(_rest(whole, part) for whole, part in zip(demand.models, moved.models, strict=True))
    )


def _rest(whole: ModelDemand, moved: ModelDemand) -> ModelDemand:
    mix = TokenMix(*(getattr(whole.mix, kind) - getattr(moved.mix, kind) for kind in KINDS))
    gone = {each.task for each in moved.by_task}
    return replace(
        whole,
        mix=mix,
        requests_count=whole.requests_count - moved.requests_count,
        spend_usd=whole.spend_usd - moved.spend_usd,
        by_task=tuple(each for each in whole.by_task if each.task not in gone),
        lengths=whole.lengths.without(moved.lengths),
    )


def _part(demand: Demand, part: Demand) -> Part:
    tokens, requests = part.mix.tokens / demand.mix.tokens, part.requests_count / max(demand.requests_count, 1)
    if not tokens:
        return Part(demand, 0.0, requests)
    used = tuple(each for each in part.models if each.mix.tokens or each.requests_count)
    return Part(replace(part, models=used), tokens, requests)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_TASKS_MAX_COUNT
    return ", ".join(names[:SHOWN_TASKS_MAX_COUNT]) + (f" and {more} more" if more > 0 else "") or "no names"
