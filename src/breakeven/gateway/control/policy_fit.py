"""Policy fit: whether a gateway can serve what a policy may choose; one that does not fit is never put in force."""

from __future__ import annotations

from collections.abc import Callable, Collection

from breakeven.errors import PolicyError, nearest
from breakeven.routing.policy_file import LoadedPolicy
from breakeven.routing.trial import Trial

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
        for name in trial_models(policy.document.trial):
            if name not in served:
                raise PolicyError(
                    f"the trial of the policy {policy.hash[:12]} names '{name}', which `models:` does not list; "
                    f"{nearest(name, sorted(served))}. Say where it can be had, or stop the pilot"
                )

    return check


def fits_always(_policy: LoadedPolicy) -> None:
    """No check."""


def trial_models(trial: Trial | None) -> tuple[str, ...]:
    """The models that a trial names, each once."""
    parts = () if trial is None else trial.parts
    named = [each for part in parts for each in (part.candidate_model, part.baseline_model) if each is not None]
    return tuple(dict.fromkeys(named))
