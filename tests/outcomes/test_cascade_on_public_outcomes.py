"""The cascade's formulas against counts of public outcomes: what both models fail at is counted, never multiplied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breakeven.outcomes.cascade import (
    big_success_after_failure_fraction,
    cascade_success_fraction,
    cascade_usd_per_request,
    escalated_failure_fraction,
    escalated_fraction,
    false_accept_fraction,
)
from breakeven.outcomes.reading import read_outcomes

PAIRS = [
    ("gsm8k_routellm", "mixtral-8x7b-instruct", "gpt-4-1106-preview"),
    ("routerbench_subset", "zero-one-ai/Yi-34B-Chat", "gpt-4-1106-preview"),
    ("routerbench_subset", "mistralai/mixtral-8x7b-chat", "gpt-4-1106-preview"),
]


@pytest.mark.parametrize(("name", "small_name", "big_name"), PAIRS)
@pytest.mark.parametrize(("sees", "alarm"), [(1.0, 0.0), (0.7, 0.1)])
def test_success_and_cost_are_those_of_the_counts(
    shared_data: Path, name: str, small_name: str, big_name: str, sees: float, alarm: float
) -> None:
    table = read_outcomes(shared_data / "routing" / f"{name}.csv.gz").table.of_models((small_name, big_name))
    known = np.isfinite(table.success).all(axis=1)
    small, big = (table.success[known, at] >= 0.5 for at in (0, 1))
    flagged = np.where(small, alarm, sees)  # the expected share of each answer that the verifier flags
    counted = float(np.mean(flagged * big + (1 - flagged) * small))
    s, after_failure, after_success = small.mean(), big[~small].mean(), big[small].mean()
    failing = escalated_failure_fraction(s, sees, alarm, after_failure, after_success)
    lost = false_accept_fraction(s, sees)
    assert float(cascade_success_fraction(lost, failing)) == pytest.approx(counted, abs=1e-12)
    spent = float(cascade_usd_per_request(0.001, 0.0005, 0.01, escalated_fraction(s, sees, alarm)))
    assert spent == pytest.approx(float(np.mean(0.0015 + flagged * 0.01)), rel=1e-12)
    claimed = float(cascade_success_fraction(lost, escalated_failure_fraction(s, sees, alarm, big.mean(), big.mean())))
    assert claimed > counted
    lowest, independent = (float(big_success_after_failure_fraction(s, big.mean(), each)) for each in (1.0, 0.0))
    assert lowest < after_failure < independent
