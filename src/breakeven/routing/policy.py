"""Routing policy: a pure function from a request to a model; versioned, hashed, read from a folder.

A policy predicts each model's success (its group's rate, or a scorer's), and takes the model with the lowest

    cost + capacity price + value of a success * (1 - success)

among those that the evidence allows; where it cannot decide it takes the default model and says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from breakeven.routing.answers import Answer
from breakeven.routing.request import RouteRequest
from breakeven.routing.validators import Verdict

Kind = Literal["single", "task_map", "threshold", "cascade", "allocation"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy chose."""

    model: str
    reason: str
    """A short code, the rest after a colon: `group: task=faq`, `threshold`, `default: novel prompt`, ..."""
    success_fractions: Mapping[str, float]
    """Predicted success by model; empty where the policy did not look."""
    escalate_to: tuple[str, ...] = ()
    """Of a cascade: the models to try next, in order, when the check of an answer fails."""


class RoutingPolicy(Protocol):
    """A policy."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        ...

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it may choose."""
        ...

    def decide(self, request: RouteRequest) -> Decision:
        """The model for one request; never raises for any text."""
        ...


@runtime_checkable
class Accepting(Protocol):
    """A policy that looks at answers too: a cascade."""

    def accepts(self, answer: Answer) -> Verdict:
        """Whether an answer may be given out; never raises."""
        ...
