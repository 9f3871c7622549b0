"""Choice: the rule that all policies share: the lowest cost + capacity price + value * (1 - success) among open models.

What cannot be weighed is not chosen: a model without a known cost or success, unless it is the default. Where nothing
can be decided the default model takes the request, and the reason says why. A model that is closed, or that the group
does not allow, takes nothing: where no other is left, the request is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np
import numpy.typing as npt

from breakeven.routing.known_groups import AskedGroup
from breakeven.routing.policy import REFUSED, Decision
from breakeven.routing.policy_document import PolicyDocument
from breakeven.routing.request import RouteRequest

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What the rule weighs with."""

    models: tuple[str, ...]
    default_at: int
    """Position of the default model."""
    value_usd_per_success: float | None
    """None: success alone counts."""
    failure_usd_per_request: Mapping[str, float]
    capacity_usd_per_request: Floats
    """Shape (models,); 0 where capacity has no price."""
    value_usd_by_task: Mapping[str, float] = field(default_factory=dict)
    """Of tasks that have a value of their own."""
    capacity_usd_by_task: Mapping[str, Floats] = field(default_factory=dict)
    """Of tasks that have prices of capacity of their own."""

    @property
    def default_model(self) -> str:
        """Its name."""
        return self.models[self.default_at]

    def value_usd(self, task: str) -> float | None:
        """What a success of a task is worth: the policy's value, or the task's own cost of a failure where greater."""
        value = self.value_usd_by_task.get(task, self.value_usd_per_success)
        if value is None:
            return None
        failure = self.failure_usd_per_request
        return max(value, failure.get(task, failure.get("", 0.0)))


def weights_of(document: PolicyDocument) -> Weights:
    """The rule's weights in a document."""
    names = document.model_names

    def priced(capacity: Mapping[str, float]) -> Floats:
        return np.array([capacity.get(name, 0.0) for name in names], dtype=np.float64)

    return Weights(
        models=names,
        default_at=names.index(document.default_model),
        value_usd_per_success=document.value_usd_per_success,
        failure_usd_per_request=document.failure_usd_per_request,
        capacity_usd_per_request=priced(document.capacity_usd_per_request or {}),
        value_usd_by_task=document.value_usd_per_success_by_task,
        capacity_usd_by_task={task: priced(each) for task, each in document.capacity_usd_per_request_by_task.items()},
    )


def best_model(
    weights: Weights, success: Floats, usd_per_request: Floats, task: str, allowed: npt.NDArray[np.bool_]
) -> int | None:
    """Position of the best of the allowed models; None where none of them can be weighed. Arrays: (models,).

    >>> weights = Weights(("small", "big"), 1, 0.10, {}, np.zeros(2))
    >>> best_model(weights, np.array([0.8, 0.9]), np.array([0.001, 0.02]), "", np.array([True, True]))
    0
    >>> best_model(weights, np.array([0.6, 0.9]), np.array([0.001, 0.02]), "", np.array([True, True]))
    1
    """
    value, capacity = weights.value_usd(task), weights.capacity_usd_by_task.get(task, weights.capacity_usd_per_request)
    if value is None:
        # success alone; of equals the cheaper
        burden = usd_per_request + capacity
        at = int(np.lexsort((burden, np.where(allowed & ~np.isnan(success), -success, np.inf)))[0])
        return at if allowed[at] else None
    best, least_usd = None, inf
    each_usd, each_capacity_usd = usd_per_request.tolist(), capacity.tolist()
    for at, (usd, capacity_usd) in enumerate(zip(each_usd, each_capacity_usd, strict=True)):
        burden_usd = usd + capacity_usd + value * (1 - success.item(at))
        if burden_usd < least_usd and allowed[at]:  # what is not known is less than nothing
            best, least_usd = at, burden_usd
    return best


def open_decision(
    wanted: str,
    reason: str,
    request: RouteRequest,
    weights: Weights,
    asked: AskedGroup,
    success_fractions: Mapping[str, float],
) -> Decision:
    """The wanted model where it may take the request, else the default, else the one of those that may that succeeds
    most often; where none may, the request is refused."""
    default, may_take = weights.default_model, asked.may_take
    if may_take[weights.models.index(wanted)]:
        return Decision(wanted, reason, success_fractions)
    barred = _barred(wanted, request)
    if may_take[weights.default_at]:
        return Decision(default, f"default: {wanted} is {barred}", success_fractions)
    open_models = [name for name, may in zip(weights.models, may_take.tolist(), strict=True) if may]
    if not open_models:
        return Decision("", REFUSED, {})
    rates = success_fractions or asked.group.success_fractions
    best = max(open_models, key=lambda name: rates.get(name, 0.0))
    too = _barred(default, request)
    return Decision(
        best, f"open: {wanted} is {barred}, and the default {'too' if too == barred else too}", success_fractions
    )


def _barred(name: str, request: RouteRequest) -> str:
    return "closed" if name in request.closed else "not allowed"


def unknown_incumbent(request: RouteRequest, weights: Weights, asked: AskedGroup) -> Decision | None:
    """The default model, where the client asked for a model that the policy does not know; else None."""
    if request.incumbent is None or request.incumbent in weights.models:
        return None
    return open_decision(weights.default_model, "default: unknown model asked for", request, weights, asked, {})


def safe_decision(document: PolicyDocument, request: RouteRequest, why: str) -> Decision:
    """Where deciding failed: the default, or another open model that every group and task allows; else a refusal."""
    limits = [each.allowed_models for each in document.groups if each.allowed_models]
    limits += document.allowed_by_task.values()
    try:
        names = (document.default_model, *document.model_names)
        free = [name for name in names if name not in request.closed and all(name in each for each in limits)]
    except Exception:  # nobody can say what is closed
        return Decision("", REFUSED, {})
    if not free:
        return Decision("", REFUSED, {})
    return Decision(free[0], f"{'default' if free[0] == document.default_model else 'open'}: {why}", {})
