"""What an audit says comes next: labels, more labels, then the comparison that uses them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.test_saved import small_audit
from breakeven.audit.task import Audit, Interval, Suitability
from breakeven.facts.source import Grade
from breakeven.reports.audit_wording import next_command


def labelled(count: int, guessed_fraction: float, can_do: float = 0.9) -> Audit:
    audit = small_audit()
    found = Suitability(Interval(0.0, can_do, 1.0), ("labels", "prior"), Grade.EXPERT, labels_count=count)
    resting = {"prior": guessed_fraction, "labels": 1 - guessed_fraction}
    commodity = replace(audit.commodity, resting_on=resting)
    return replace(audit, tasks=(replace(audit.tasks[0], suitability=found),), commodity=commodity)


@pytest.mark.parametrize(
    ("audit", "said"),
    [
        (small_audit(), "breakeven audit label --store logs"),
        (labelled(3, 0.77), "breakeven audit label --store logs  (3 labels so far; 77 % is still a guess)"),
        (
            labelled(50, 0.17),
            "breakeven compare --store logs  (routing and a hybrid move these tasks, with the success that 50 labels "
            "of yours show)",
        ),
        (
            labelled(50, 0.17, can_do=0.2),
            "breakeven compare --store logs  (no task moves as a whole, so neither routing nor a hybrid is costed)",
        ),
    ],
)
def test_the_next_step_follows_the_labels(audit: Audit, said: str) -> None:
    assert next_command(audit, " --store logs") == said


def test_outcomes_of_the_log_need_no_labels() -> None:
    audit = labelled(0, 0.0)
    assert next_command(audit, "").startswith("breakeven compare  (routing and a hybrid move these tasks")
    assert "outcomes of the log" in next_command(audit, "")
