"""Routing policy: a pure function from a request to a model; versioned, hashed, read from a folder.

A policy predicts each model's success (its group's rate, or a scorer's), and takes the model with the lowest

    cost + capacity price + value of a success * (1 - success)

among those that may take the request; where it cannot decide it takes the default model and says why. A model that may
not take a request never gets it: where none may, the decision names none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, runtime_checkable

from breakeven.routing.answers import Answer
from breakeven.routing.request import RouteRequest
from breakeven.routing.validators import Verdict

Kind = Literal["single", "task_map", "threshold", "cascade", "allocation"]

REFUSED: Final = "refused: no open model may take it"
"""Reason of a decision that names no model."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy chose.

    A request that no open model may take (every one closed, or not allowed) is refused: `model` is empty, and `reason`
    begins with `refused`. Whoever calls models must look for that, and send such a request nowhere.
    """

    model: str
    """Empty where no model may take the request."""
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
