"""Choice: the rule that all policies share: the lowest cost + capacity price + value * (1 - success) among open models.

What cannot be weighed is not chosen: a model without a known cost or success, unless it is the default. Where nothing
can be decided the default model takes the request, and the reason says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.routing.policy import Decision
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

    @property
    def default_model(self) -> str:
        """Its name."""
        return self.models[self.default_at]

    def value_usd(self, task: str) -> float | None:
        """What a success of a task is worth: the policy's value, or the task's own cost of a failure where greater."""
        if self.value_usd_per_success is None:
            return None
        failure = self.failure_usd_per_request
        return max(self.value_usd_per_success, failure.get(task, failure.get("", 0.0)))


def weights_of(document: PolicyDocument) -> Weights:
    """The rule's weights in a document."""
    names = document.model_names
    capacity = document.capacity_usd_per_request or {}
    return Weights(
        models=names,
        default_at=names.index(document.default_model),
        value_usd_per_success=document.value_usd_per_success,
        failure_usd_per_request=document.failure_usd_per_request,
        capacity_usd_per_request=np.array([capacity.get(name, 0.0) for name in names], dtype=np.float64),
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
    burden = usd_per_request + weights.capacity_usd_per_request
    value = weights.value_usd(task)
    if value is None:
        # success alone; of equals the cheaper
        at = int(np.lexsort((burden, np.where(allowed & ~np.isnan(success), -success, np.inf)))[0])
        return at if allowed[at] else None
    burden = burden + value * (1 - success)
    burden = np.where(allowed & ~np.isnan(burden), burden, np.inf)
    at = int(np.argmin(burden))
    return at if np.isfinite(burden[at]) else None


def open_decision(
    wanted: str, reason: str, request: RouteRequest, weights: Weights, success_fractions: Mapping[str, float]
) -> Decision:
    """The wanted model where it is open, else the default, else the open model that succeeds most often."""
    closed = request.closed
    if wanted not in closed:
        return Decision(wanted, reason, success_fractions)
    if weights.default_model not in closed:
        return Decision(weights.default_model, f"default: {wanted} is closed", success_fractions)
    open_models = [name for name in weights.models if name not in closed]
    if not open_models:
        return Decision(weights.default_model, "default: every model is closed", success_fractions)
    best = max(open_models, key=lambda name: success_fractions.get(name, 0.0))
    return Decision(best, f"open: {wanted} is closed, and the default too", success_fractions)


def unknown_incumbent(request: RouteRequest, weights: Weights) -> Decision | None:
    """The default model, where the client asked for a model that the policy does not know; else None."""
    if request.incumbent is None or request.incumbent in weights.models:
        return None
    return open_decision(weights.default_model, "default: unknown model asked for", request, weights, {})
