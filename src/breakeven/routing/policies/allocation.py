"""Allocation: several models under finite capacity; the prices of capacity decide, request by request.

Success is the scorer's prediction where there is one, else the group's rate. Where the limits divide a group between
models, a hash of the prompt says which share a request belongs to, so the same request always goes the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from breakeven.routing.choice import Floats, Weights, best_model, open_decision, unknown_incumbent, weights_of
from breakeven.routing.known_groups import AskedGroup, KnownGroups, known_groups
from breakeven.routing.policy import Decision, Kind
from breakeven.routing.policy_document import PolicyDocument
from breakeven.routing.request import RouteRequest
from breakeven.routing.scorer import Scorer
from breakeven.routing.words import capped

_HASHES_COUNT = 2**64


@dataclass(frozen=True, slots=True)
class AllocationPolicy:
    """The rule with prices of capacity."""

    weights: Weights
    groups: KnownGroups
    scorer: Scorer | None
    kind: Kind = "allocation"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it may choose."""
        return self.weights.models

    def decide(self, request: RouteRequest) -> Decision:
        """The model with the lowest cost + capacity price + value * (1 - success)."""
        asked = self.groups.asked(request)
        unknown = unknown_incumbent(request, self.weights, asked)
        if unknown is not None:
            return unknown
        group = asked.group
        if not group.known or asked.falls_back:
            rates, reason = group.success_fractions, "default: unknown group"
            return open_decision(group.choice.model, reason, request, self.weights, asked, rates)
        drawn = _drawn(asked, request.prompt, self.models)
        if drawn is not None:
            return Decision(drawn, f"share: {asked.label}", group.success_fractions)
        return self._weighed(asked, request)

    def _weighed(self, asked: AskedGroup, request: RouteRequest) -> Decision:
        group = asked.group
        success, novel = self._success(asked, request)
        if novel:
            return self._default(novel, request, asked)
        weighable = asked.may_take if self.scorer is not None else asked.may_take & group.rates_known
        at = best_model(self.weights, success, group.usd_per_request, request.groups.get("task", ""), weighable)
        if at is None:
            return self._default("no model can be weighed", request, asked)
        return Decision(
            self.models[at], f"allocation: {asked.label}", dict(zip(self.models, success.tolist(), strict=True))
        )

    def _success(self, asked: AskedGroup, request: RouteRequest) -> tuple[Floats, str]:
        """Success of each model, and why it cannot be told."""
        group = asked.group
        if self.scorer is None:
            return group.rates, ""
        if not request.prompt or request.prompt.isspace():
            return group.rates, "empty prompt"
        judgement = self.scorer.judge(request.prompt, group.rates, group.logits, is_new=asked.unknown)
        if not np.isfinite(judgement.success).all():
            return group.rates, "the scorer gave no number"
        return judgement.success, judgement.novel

    def _default(self, why: str, request: RouteRequest, asked: AskedGroup) -> Decision:
        return open_decision(self.weights.default_model, f"default: {why}", request, self.weights, asked, {})


def _drawn(asked: AskedGroup, prompt: str, models: tuple[str, ...]) -> str | None:
    """The model of the share that a request belongs to, of those that may take it; None where there is no share."""
    shares = asked.group.choice.share_fractions
    shares = {name: share for name, share in shares.items() if asked.may_take[models.index(name)]}
    total = sum(shares.values())
    if total <= 0:
        return None
    drawn = int.from_bytes(blake2b(capped(prompt), digest_size=8).digest(), "big")
    at = drawn / _HASHES_COUNT * total
    for name, share in shares.items():
        at -= share
        if at < 0:
            return name
    return name


def policy_of(document: PolicyDocument) -> AllocationPolicy:
    """The policy that a document describes."""
    return AllocationPolicy(weights_of(document), known_groups(document), document.scorer)
