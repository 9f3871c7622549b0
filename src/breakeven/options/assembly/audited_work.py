"""Audited work: which tasks of a log a hybrid moves by an audit, and how often a small model does them right.

The audit gives, for each task, the share of its calls that a small model can do, with an 80 % interval. A task moves as
a whole, so that share is the success rate of the open model on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from breakeven.facts.assumption import HIGH_QUANTILE, Assumption
from breakeven.facts.source import Grade, Source

if TYPE_CHECKING:
    from breakeven.audit.task import Audit, Suitability
    from breakeven.options.assembly.demand import Demand

SUCCESS: Final = "open_model_commodity_success_fraction"
_AUDITED_QUANTILE: Final = 0.9
"""Upper end of an audit's intervals; those of Assumptions are `HIGH_QUANTILE`."""
_WIDER_RATIO: Final = NormalDist().inv_cdf(HIGH_QUANTILE) / NormalDist().inv_cdf(_AUDITED_QUANTILE)
_EDGE_FRACTION: Final = 1e-4
_GRADES: Final = (Grade.GUESS, Grade.EXPERT, Grade.MEASURED)
"""Of an audit's evidence, weakest first."""


@dataclass(frozen=True, slots=True)
class AuditedWork:
    """The part of an audit that Options ask for."""

    tasks: tuple[str, ...]
    """Commodity tasks, by name."""
    suitability: Mapping[str, Suitability]
    """Of every task of the audit, by name."""
    label: str
    """The file."""

    @classmethod
    def of(cls, audit: Audit, label: str) -> AuditedWork:
        """The commodity tasks of `audit` and what a small model can do of each task."""
        commodity = tuple(each.name for each in audit.tasks if each.is_commodity)
        return cls(commodity, {each.name: each.suitability for each in audit.tasks}, label)

    def success(self, prior: Assumption, moved: Demand, tasks: Sequence[str]) -> Assumption:
        """Success of the open model on `tasks`, weighed by the calls that `moved` has of each.

        The ends are weighed like the middle: tasks are judged by the same rules, so they err together. The source's
        grade is that of the weakest evidence among the tasks. `prior` comes back when the audit knows none of them.
        """
        calls = {name: 0 for name in tasks if name in self.suitability}
        for model in moved.models:
            for each in model.by_task:
                if each.task in calls:
                    calls[each.task] += each.requests_count
        total = sum(calls.values())
        if not total:
            return prior
        found = {name: self.suitability[name] for name, count in calls.items() if count}
        low, middle, high = (
            sum(getattr(each.can_do, end) * calls[name] for name, each in found.items()) / total
            for end in ("low", "typical", "high")
        )
        grade = min((each.grade for each in found.values()), key=_GRADES.index)
        source = Source(f"audit {self.label}: {_evidence_words(found.values())}", self.label, moved.source.read, grade)
        note = "Share of the moved tasks' calls that a small model can do, by the audit, weighed by calls."
        return replace(
            prior, low=_moved_out(low, middle), typical=middle, high=_moved_out(high, middle), source=source, note=note
        )


def _evidence_words(found: Iterable[Suitability]) -> str:
    """What the shares rest on, what weighs most in the weakest of them first.

    >>> from breakeven.audit.task import Interval, Suitability
    >>> _evidence_words([Suitability(Interval(0.6, 0.8, 0.9), ("labels", "prior"), Grade.EXPERT, labels_count=50)])
    '50 labels, a guess by kind of work'
    """
    tasks = sorted(found, key=lambda each: _GRADES.index(each.grade))
    labels, outcomes = (sum(getattr(each, name) for each in tasks) for name in ("labels_count", "outcomes_count"))
    words = {
        "labels": f"{labels:,} label{'s' * (labels != 1)}",
        "measured outcomes": f"{outcomes:,} outcome{'s' * (outcomes != 1)} of the log",
        "prior": "a guess by kind of work",
    }
    return ", ".join(words[kind] for kind in dict.fromkeys(kind for each in tasks for kind in each.evidence))


def _moved_out(end: float, middle: float) -> float:
    """An end of an 80 % interval moved out to the ends of an Assumption, on the scale of log odds.

    >>> round(_moved_out(0.8, 0.9), 3), _moved_out(0.9, 0.9)
    (0.761, 0.9)
    """
    if end == middle:
        return end
    return 1 / (1 + math.exp(-(_log_odds(middle) + (_log_odds(end) - _log_odds(middle)) * _WIDER_RATIO)))


def _log_odds(fraction: float) -> float:
    inside = min(max(fraction, _EDGE_FRACTION), 1 - _EDGE_FRACTION)
    return math.log(inside / (1 - inside))
