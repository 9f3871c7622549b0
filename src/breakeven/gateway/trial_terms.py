"""Trial terms: how the answers to a request in a trial are judged, and whether they are kept for people to label."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.routing.trial import Trial
from breakeven.routing.trial_drawing import is_audited
from breakeven.routing.validators import Validator, validators_of


@dataclass(frozen=True, slots=True)
class TrialTerms:
    """The terms of one task's requests; shared by all of them."""

    trial: Trial
    checks: tuple[Validator, ...]
    """None: nobody judges here."""

    def is_audited(self, request_id: str) -> bool:
        """Whether the answers to a request are kept for people."""
        return is_audited(self.trial.pilot, request_id, self.trial.audit_fraction)

    def candidate_of(self, task: str | None) -> str | None:
        """The model on trial for a task."""
        part = self.trial.part_of(task)
        return None if part is None else part.candidate_model

    def is_heard(self, request_id: str) -> bool:
        """Whether anybody wants to know what was answered."""
        return bool(self.checks) or self.is_audited(request_id)


def terms_of(trial: Trial, task: str) -> TrialTerms:
    """The terms of a task; "" is every task that no checks name."""
    declared = trial.checks_by_task.get(task)
    if declared is None:
        declared = trial.checks_by_task.get("", {})
    return TrialTerms(trial, validators_of(declared))
