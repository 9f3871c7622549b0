"""Single: one model for everything, as where a model dominates or evidence for routing is lacking."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.routing.choice import Weights, open_decision, unknown_incumbent, weights_of
from breakeven.routing.known_groups import KnownGroups, known_groups
from breakeven.routing.policy import Decision, Kind
from breakeven.routing.policy_document import PolicyDocument
from breakeven.routing.request import RouteRequest


@dataclass(frozen=True, slots=True)
class SinglePolicy:
    """The default model, always."""

    weights: Weights
    groups: KnownGroups
    """For who may take a request; what is known of them is not looked at."""
    kind: Kind = "single"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it knows."""
        return self.weights.models

    def decide(self, request: RouteRequest) -> Decision:
        """The default model, unless it may not take the request."""
        asked = self.groups.asked(request)
        unknown = unknown_incumbent(request, self.weights, asked)
        return unknown or open_decision(self.weights.default_model, "single", request, self.weights, asked, {})


def policy_of(document: PolicyDocument) -> SinglePolicy:
    """The policy that a document describes."""
    return SinglePolicy(weights_of(document), known_groups(document))
