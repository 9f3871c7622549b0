"""Trail: what admission remembers of one request beyond its plan: probes held, breakers told, more reserved."""

from __future__ import annotations

from dataclasses import dataclass, field

from breakeven.gateway.admission.breakers import UpstreamBreaker
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.plan import Plan, Reservation
from breakeven.gateway.upstream import Target


@dataclass(slots=True)
class Trail:
    """Of one request."""

    probes: dict[str, UpstreamBreaker] = field(default_factory=dict)
    """Upstream -> the breaker whose probe this request is."""
    told: list[Attempt] = field(default_factory=list)
    """Attempts that breakers have heard of."""
    more: list[Reservation] = field(default_factory=list)
    """Set aside for dearer models that took over."""
    is_over: bool = False
    """The request has ended: nothing may be set aside for it any longer."""
    handed_out: list[Target] = field(default_factory=list)
    """Given to the relay after the first."""

    def paid_for(self, plan: Plan, failed: Attempt) -> list[Attempt]:
        """What the request has cost or may cost so far: its attempts, and the check beside them."""
        attempts = [*self.told, *([] if any(each is failed for each in self.told) else [failed])]
        return attempts if plan.check is None else [*attempts, plan.check]


def trail_of(plan: Plan) -> Trail:
    """What is remembered of a request, from when there is something to remember."""
    if plan.notes is None:
        plan.notes = Trail()
    return plan.notes  # type: ignore[no-any-return]
