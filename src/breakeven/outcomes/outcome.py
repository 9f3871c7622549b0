"""Outcome: whether a model's answer succeeded at its task; a table of them holds each model's outcome of each request.

One file format (`request_id, task, prompt, model, success, cost_usd[, response, latency_s, source]`, a row per request
and model) and a wide one (`id, prompt, task, score__MODEL, cost__MODEL, response__MODEL`); `reading.py` makes either a
table. What was not tried or is not known is NaN, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

GROUP_COLUMNS: Final = (
    "application",
    "api_key_hash",
    "endpoint",
    "system_hash",
    "schema_hash",
    "template_id",
    "task",
)
"""What names the group of a request, coarse to fine; a file has some of them, `task` nearly always."""

SOURCES: Final = ("feedback", "validator", "retry", "agreement", "judge", "gold", "log", "")
"""Who says so: a person's feedback, a declared validator, that nobody asked again, agreement with a reference model,
a judge model, a careful human label, the log itself, not said."""


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """Requests by models. Arrays have shape (requests, models)."""

    request_ids: tuple[str, ...]
    models: tuple[str, ...]
    success: Floats
    """0 to 1; NaN where the model was not tried."""
    cost_usd: Floats
    """Of that call; NaN where not known (unpriced)."""
    prompts: tuple[str, ...]
    """Empty texts where prompts were not kept."""
    groups: Mapping[str, tuple[str, ...]]
    """Column of `GROUP_COLUMNS` -> value for each request, "" where it has none; only columns that the file has."""
    responses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Model -> its answer for each request, "" where not kept; only models whose answers the file has."""
    latency_s: Floats | None = None
    propensity_fraction: Floats | None = None
    """Probability with which that model was chosen for that request, where the log knows."""
    source_codes: npt.NDArray[np.int8] | None = None
    """Index into `SOURCES` of who judged each answer, -1 where nobody did; None: as if nobody asked."""
    judged_success: Floats | None = None
    """What others than gold say, also where a careful label stands; known with `source_codes`."""
    source: str = ""
    """One of `SOURCES`, or several joined by "+": who says that an answer succeeded."""
    label: str = ""
    """File and hash, for reports."""

    @property
    def requests_count(self) -> int:
        """Requests, tried by at least one model."""
        return len(self.request_ids)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task of each request, "" where it has none."""
        return self.groups.get("task", ("",) * len(self.request_ids))

    @property
    def levels(self) -> tuple[str, ...]:
        """The group columns that this table has, coarse to fine."""
        return tuple(each for each in GROUP_COLUMNS if each in self.groups)

    def path(self, row: int) -> tuple[str, ...]:
        """The group of a request: its value at each level."""
        return tuple(self.groups[each][row] for each in self.levels)

    def rows(self, indexes: Indexes) -> OutcomeTable:
        """The requests at `indexes`, in that order."""
        at = [int(i) for i in indexes]
        return replace(
            self,
            request_ids=tuple(self.request_ids[i] for i in at),
            success=self.success[indexes],
            cost_usd=self.cost_usd[indexes],
            prompts=tuple(self.prompts[i] for i in at),
            groups={name: tuple(values[i] for i in at) for name, values in self.groups.items()},
            responses={name: tuple(values[i] for i in at) for name, values in self.responses.items()},
            latency_s=None if self.latency_s is None else self.latency_s[indexes],
            propensity_fraction=None if self.propensity_fraction is None else self.propensity_fraction[indexes],
            source_codes=None if self.source_codes is None else self.source_codes[indexes],
            judged_success=None if self.judged_success is None else self.judged_success[indexes],
        )

    def of_models(self, names: tuple[str, ...]) -> OutcomeTable:
        """The columns `names`, in that order."""
        at = [self.models.index(each) for each in names]
        return replace(
            self,
            models=names,
            success=self.success[:, at],
            cost_usd=self.cost_usd[:, at],
            responses={name: values for name, values in self.responses.items() if name in names},
            latency_s=None if self.latency_s is None else self.latency_s[:, at],
            propensity_fraction=None if self.propensity_fraction is None else self.propensity_fraction[:, at],
            source_codes=None if self.source_codes is None else self.source_codes[:, at],
            judged_success=None if self.judged_success is None else self.judged_success[:, at],
        )

    def without(self, column: str) -> OutcomeTable:
        """The same without one group column, as where nobody names the task."""
        return replace(self, groups={name: values for name, values in self.groups.items() if name != column})
