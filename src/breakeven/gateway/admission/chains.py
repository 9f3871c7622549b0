"""Chains: for each model, who may serve it, in the order of trial, under whatever restrictions a request has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.metering.pricing import cost_usd
from breakeven.gateway.plan import Operation, Refusal, RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.outgoing import PATH_BY_OPERATION, outgoing_path
from breakeven.gateway.wire.quirks import quirks_of
from breakeven.gateway.wire.translation.untranslatable import Untranslatable

_KEPT_MAX_COUNT: Final = 8_192
_SAME_MODEL_ONLY: Final[frozenset[Operation]] = frozenset({"embeddings", "count_tokens"})
"""What another model answers to these is no substitute: its vectors lie in another space, its tokens are others."""
FREE: Final[frozenset[Operation]] = frozenset({"count_tokens", "outcomes"})
"""What costs nothing wherever it is asked."""
_CHAT: Final = "Send it to `/v1/chat/completions`, which every model here takes, or ask for another model."
_INSTEAD: Final[Mapping[Operation, str]] = {"responses": _CHAT, "completions": _CHAT}
"""What to do where an upstream cannot be asked that."""


class Bounds(NamedTuple):
    """Where a request may go."""

    operation: Operation
    upstreams: frozenset[str] | None = None
    """By residency; None: anywhere."""
    policy_models: frozenset[str] | None = None
    """The only models that the policy lets take it; None: any."""
    key_models: frozenset[str] | None = None
    """The only models of its key; None: any."""
    is_priced: bool = False
    """Only to models whose price is known: somebody's budget depends on it."""

    def hold(self, target: Target) -> bool:
        """Whether a request may go to a target."""
        return self.refusal(target) is None

    def refusal(self, target: Target) -> Refusal | None:
        """Why a request may not go to a target."""
        if not can_serve(self.operation, target):
            return Refusal(
                400,
                "unsupported_operation",
                f"The upstream of '{target.name}' has no `/v1{PATH_BY_OPERATION[self.operation].decode()}`. "
                f"{_INSTEAD.get(self.operation, 'Ask for another model.')} Nothing was sent.",
            )
        if self.key_models is not None and target.name not in self.key_models:
            return Refusal(
                403,
                "model_not_allowed",
                f"This key may not use the model '{target.name}'. GET /v1/models lists those it may use.",
            )
        if (self.upstreams is not None and target.upstream.name not in self.upstreams) or (
            self.policy_models is not None and target.name not in self.policy_models
        ):
            return Refusal(
                403,
                "residency",
                "The data of this request may not go to any server that has the model. Nothing was sent.",
            )
        if self.is_priced and not is_priced(self.operation, target):
            return Refusal(
                403,
                "unpriced_model",
                f"Nobody knows what '{target.name}' costs, and this key has a budget. Give the model a price in the "
                "gateway's configuration, or ask for another model.",
            )
        return None


class Chains:
    """All chains of one configuration."""

    __slots__ = ("_by_bounds", "_fallbacks", "_models", "_own")

    def __init__(self, settings: GatewaySettings) -> None:
        self._models: Mapping[str, tuple[Target, ...]] = settings.models
        self._fallbacks = settings.fallbacks
        self._by_bounds: dict[tuple[str, Bounds], tuple[Target, ...]] = {}
        self._own: dict[tuple[str, Bounds], tuple[Target, ...]] = {}

    def of(self, model: str, bounds: Bounds) -> tuple[Target, ...]:
        """The targets of a model, then those of its fallbacks; empty where none may take the request."""
        named = (model, bounds)
        chain = self._by_bounds.get(named)
        if chain is None:
            if len(self._by_bounds) >= _KEPT_MAX_COUNT:
                self._by_bounds.clear()
            chain = self._by_bounds[named] = tuple(filter(bounds.hold, self._targets(model, bounds.operation)))
        return chain

    def own(self, model: str, bounds: Bounds) -> tuple[Target, ...]:
        """The targets of the model itself that may take the request."""
        named = (model, bounds)
        chain = self._own.get(named)
        if chain is None:
            if len(self._own) >= _KEPT_MAX_COUNT:
                self._own.clear()
            chain = self._own[named] = tuple(filter(bounds.hold, self._models.get(model, ())))
        return chain

    def refusal(self, model: str, bounds: Bounds) -> Refusal:
        """Why nobody may take a request for a model: what stands in the way of the target that comes closest."""
        found = [bounds.refusal(each) for each in self._targets(model, bounds.operation)]
        why = [each for each in found if each is not None]
        return max(why, key=lambda each: _CLOSENESS[each.code]) if why else unknown_model(model)

    def _targets(self, model: str, operation: Operation) -> list[Target]:
        names = [model]
        if operation not in _SAME_MODEL_ONLY:
            names += self._fallbacks.get(model, ())
        return [target for name in dict.fromkeys(names) for target in self._models.get(name, ())]


_CLOSENESS: Final = {"unsupported_operation": 0, "model_not_allowed": 1, "unpriced_model": 2, "residency": 3}


def unknown_model(model: str) -> Refusal:
    """Nobody has such a model."""
    return Refusal(
        404, "model_not_found", f"There is no model '{model[:100]}' here. GET /v1/models lists those there are."
    )


def is_priced(operation: Operation, target: Target) -> bool:
    """Whether what a call costs there is known."""
    if operation in FREE:
        return True
    output_tokens = 0 if operation == "embeddings" else 1
    return cost_usd(target.price, TokenCounts(input_tokens=1, output_tokens=output_tokens)) is not None


def can_serve(operation: Operation, target: Target) -> bool:
    """Whether the target's upstream can be asked that at all."""
    try:
        outgoing_path(RequestFacts(operation, {}, b"", "", False, False, None), target)
    except Untranslatable:
        return False
    return operation != "responses" or quirks_of(target.upstream.quirks).has_responses
