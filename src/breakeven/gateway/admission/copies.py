"""Copies: which requests a model on trial gets a copy of: by the policy's trial, else by the configuration."""

from __future__ import annotations

from breakeven.gateway.admission.availability import Availability
from breakeven.gateway.admission.chains import Bounds
from breakeven.gateway.admission.choosing import GENERATING, Choosing, Chosen
from breakeven.gateway.admission.reception import Received
from breakeven.gateway.config.settings import Shadow
from breakeven.gateway.upstream import Target
from breakeven.routing.trial_drawing import is_copied


class Copies:
    """Copies under one configuration and one version of a policy."""

    __slots__ = ("_availability", "_choosing", "_shadows")

    def __init__(self, shadows: tuple[Shadow, ...], choosing: Choosing, availability: Availability) -> None:
        self._shadows = shadows
        self._choosing = choosing
        self._availability = availability

    def target(self, received: Received, chosen: Chosen, request_id: str) -> Target | None:
        """A model that gets a copy of a request, if it belongs to that model's sample and the data may go there."""
        if received.facts.operation not in GENERATING:
            return None
        bounds = chosen.bounds._replace(is_priced=False)
        if chosen.copy_to is not None:
            return self._open(chosen.copy_to, bounds)
        trial = self._choosing.trial
        if trial is not None and trial.part_of(received) is not None:
            return None  # it stands in place of the configuration's shadows
        for shadow in self._shadows:
            if shadow.model == chosen.chain[0].name or (shadow.tasks and received.task not in shadow.tasks):
                continue
            if not is_copied(shadow.model, request_id, shadow.share_fraction):
                continue
            if (target := self._open(shadow.model, bounds)) is not None:
                return target
        return None

    def _open(self, model: str, bounds: Bounds) -> Target | None:
        """Where a copy for a model may go now."""
        now_s = self._availability.now()
        for target in self._choosing.chains.own(model, bounds):
            if self._availability.admits(target, now_s) and not self._availability.is_probing(target):
                return target
        return None
