"""Task map: each group of requests has its model; a person can read it, and no word of the prompt is looked at.

A request of a group that was not seen takes the model of the nearest group above it; where there is none, the default.
Either way the reason says that the group is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.routing.choice import Weights, open_decision, unknown_incumbent, weights_of
from breakeven.routing.known_groups import KnownGroups, known_groups
from breakeven.routing.policy import Decision, Kind
from breakeven.routing.policy_document import PolicyDocument
from breakeven.routing.request import RouteRequest


@dataclass(frozen=True, slots=True)
class TaskMapPolicy:
    """The model of the request's group."""

    weights: Weights
    groups: KnownGroups
    kind: Kind = "task_map"

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it may choose."""
        return self.weights.models

    def decide(self, request: RouteRequest) -> Decision:
        """The model of the nearest known group."""
        asked = self.groups.asked(request)
        unknown = unknown_incumbent(request, self.weights, asked)
        if unknown is not None:
            return unknown
        group = asked.group  # of a policy without groups, its model is the default
        reason = "default: unknown group" if asked.unknown or not group.known else f"group: {group.label}"
        return open_decision(group.choice.model, reason, request, self.weights, asked, group.success_fractions)


def policy_of(document: PolicyDocument) -> TaskMapPolicy:
    """The policy that a document describes."""
    return TaskMapPolicy(weights_of(document), known_groups(document))
