"""Threshold: a scorer predicts each model's success on the prompt, and the best balance of cost and success takes it.

With two models and one ratio of prices this is a threshold on the difference of their predicted successes. Prompts that
are empty, or unlike those it was learnt from, stay with the default model; so do groups that were not seen, where the
policy was learnt to be no good at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from breakeven.errors import PolicyError
from breakeven.routing.choice import Weights, best_model, open_decision, unknown_incumbent, weights_of
from breakeven.routing.known_groups import AskedGroup, KnownGroups, known_groups
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
        asked = self.groups.asked(request)
        unknown = unknown_incumbent(request, self.weights, asked)
        if unknown is not None:
            return unknown
        group = asked.group
        if not request.prompt or request.prompt.isspace():
            return self._default("empty prompt", request, asked)
        if asked.falls_back:
            is_whole = len(group.choice.path) == len(self.groups.levels) and not asked.unknown
            rates, reason = group.success_fractions, f"group: {group.label}" if is_whole else "default: unknown group"
            return open_decision(group.choice.model, reason, request, self.weights, asked, rates)
        judgement = self.scorer.judge(request.prompt, group.rates, group.logits, is_new=asked.unknown)
        if judgement.novel:
            return self._default(judgement.novel, request, asked)
        fractions = judgement.success.tolist()
        if not all(map(isfinite, fractions)):
            return self._default("the scorer gave no number", request, asked)
        task, may_take = request.groups.get("task", ""), asked.may_take
        at = best_model(self.weights, judgement.success, group.usd_per_request, task, may_take)
        success = dict(zip(self.models, fractions, strict=True))
        if at is None:
            default = self.weights.default_model
            return open_decision(default, "default: no cost is known", request, self.weights, asked, success)
        return Decision(self.models[at], "threshold: unknown group" if asked.unknown else "threshold", success)

    def _default(self, why: str, request: RouteRequest, asked: AskedGroup) -> Decision:
        return open_decision(self.weights.default_model, f"default: {why}", request, self.weights, asked, {})


def policy_of(document: PolicyDocument) -> ThresholdPolicy:
    """The policy that a document describes."""
    if document.scorer is None:
        raise PolicyError("a threshold policy needs a scorer, and this one has none: learn it again.")
    return ThresholdPolicy(weights_of(document), known_groups(document), document.scorer)
