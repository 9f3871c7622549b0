"""Trial: the part of a policy file that puts a candidate model to the test on some of the traffic.

A pilot writes it, the gateway carries it out, and a policy without it ends it: the policy file stays the only thing
that goes down. In a canary the candidate answers the share of units whose hash falls below `share_fraction`, so that a
larger share keeps the units of a smaller one; in a shadow it gets copies of that share of requests, and nobody sees its
answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

TrialMode = Literal["shadow", "canary"]
BASELINE_ARM: Final = "baseline"
CANDIDATE_ARM: Final = "candidate"
SHADOW_ARM: Final = "shadow"
"""Arms as Calls name them; `shadow` is a candidate's answer that nobody saw."""


@dataclass(frozen=True, slots=True)
class TrialPart:
    """The trial of one task's requests."""

    task: str
    """"" is every task that no other part names, also requests without one."""
    candidate_model: str
    mode: TrialMode
    share_fraction: float
    """Of units (canary) or of requests (shadow); 0 rests."""
    baseline_model: str | None = None
    """Who answers otherwise; None: whoever the policy says."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A pilot's instructions to a gateway."""

    pilot: str
    """Name of the pilot, with the first 12 characters of its design's hash: `faq-4f0c...`; arms are drawn under it."""
    parts: tuple[TrialPart, ...]
    unit: str = "request"
    """What is dealt to arms: `request`, `key`, `session`, `user` (of the body) or `header:NAME`."""
    checks_by_task: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Task -> validators (`validators.validators_of`) by which the gateway judges answers of every arm, once they are
    out; "" is all others. The Call's `outcome` says what came of it, `outcome_source` is `validator`."""
    audit_fraction: float = 0.0
    """Of the requests (of pairs, in a shadow) whose answers are kept for people to label; drawn by hash of the request,
    so before anybody has seen an answer."""
    shadows_in_flight_max_count: int = 8
    """More copies than so many at once in a process are left out (and counted)."""

    def part_of(self, task: str | None) -> TrialPart | None:
        """The part that a task's requests belong to; None where they are in no trial."""
        rest = None
        for each in self.parts:
            if each.task == (task or ""):
                return each
            if not each.task:
                rest = each
        return rest
