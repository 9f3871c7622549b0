"""Policy fit: whether a gateway can serve what a policy may choose; one that does not fit is never put in force."""

from __future__ import annotations

from collections.abc import Callable, Collection

from breakeven.errors import PolicyError
from breakeven.routing.policy_file import LoadedPolicy

Fit = Callable[[LoadedPolicy], None]
"""Raises PolicyError for a policy that cannot be served here."""


def fits_models(models: Callable[[], Collection[str]]) -> Fit:
    """A check that every model which a policy may choose is served; `models` tells which are, now."""

    def check(policy: LoadedPolicy) -> None:
        served = models()
        missing = [each for each in policy.models if each not in served]
        if missing:
            raise PolicyError(
                f"the policy {policy.hash[:12]} may choose '{missing[0]}', which `models:` does not list; say where it "
                "can be had, or learn a policy without it"
            )

    return check


def fits_always(_policy: LoadedPolicy) -> None:
    """No check."""
