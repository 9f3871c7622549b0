"""Threshold: a scorer predicts each model's success on the prompt, and the best balance of cost and success takes it.

With two models and one ratio of prices this is a threshold on the difference of their predicted successes. Prompts that
are empty, or unlike those it was learnt from, stay with the default model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from breakeven.errors import PolicyError
from breakeven.routing.choice import Weights, best_model, open_decision, unknown_incumbent, weights_of
from breakeven.routing.known_groups import KnownGroups, known_groups
from breakeven.routing.policy import Decision, Kind
from breakeven.routing.policy_document import PolicyDocument
from breakeven.routing.request import RouteRequest
from breakeven.routing.scorer import Scorer


@dataclass(frozen=True, slots=True)
class ThresholdPolicy:
    """The rule on predicted success."""

    weights: Weights
    groups: KnownGroups
    scorer: Scorer
    kind: Kind = "threshold"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it may choose."""
        return self.weights.models

    def decide(self, request: RouteRequest) -> Decision:
        """The model with the lowest cost + value * (1 - predicted success)."""
        unknown = unknown_incumbent(request, self.weights)
        if unknown is not None:
            return unknown
        if not request.prompt or request.prompt.isspace():
            return self._default("empty prompt", request)
        group = self.groups.find(request.groups)
        judgement = self.scorer.judge(request.prompt, group.rates)
        if judgement.novel:
            return self._default(judgement.novel, request)
        if not np.isfinite(judgement.success).all():
            return self._default("the scorer gave no number", request)
        allowed = group.allowed
        if request.closed:
            allowed = allowed & np.array([name not in request.closed for name in self.models])
        at = best_model(self.weights, judgement.success, group.usd_per_request, request.groups.get("task", ""), allowed)
        success = dict(zip(self.models, judgement.success.tolist(), strict=True))
        if at is None:
            return open_decision(
                self.weights.default_model, "default: no cost is known", request, self.weights, success
            )
        return Decision(self.models[at], "threshold", success)

    def _default(self, why: str, request: RouteRequest) -> Decision:
        return open_decision(self.weights.default_model, f"default: {why}", request, self.weights, {})


def policy_of(document: PolicyDocument) -> ThresholdPolicy:
    """The policy that a document describes."""
    if document.scorer is None:
        raise PolicyError("a threshold policy needs a scorer, and this one has none: learn it again.")
    return ThresholdPolicy(weights_of(document), known_groups(document), document.scorer)
