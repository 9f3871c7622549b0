"""Pairing: every request with an answer of both arms, once, by time."""

from __future__ import annotations

import numpy as np
from tests.pilot.planted_outcomes import observations

from breakeven.pilot.pairing import pairs_of, rows_of_pairs


def test_requests_with_both_arms_are_pairs() -> None:
    rows = observations(
        ("a", "b", "c", "b", "a", "d", "a"),
        np.array([0, 1, 0, 0, 1, 1, 1]),
        np.array([1, 0, 1, 1, np.nan, 1, 1]),
        start_unix_s=np.array([5.0, 2, 1, 2, 5, 1, 9]),
    )
    assert rows_of_pairs(rows).tolist() == [[3, 1], [0, 4]]  # the first answer of an arm, in order of time
    pairs = pairs_of(rows)
    assert pairs.rows.tolist() == [[3, 1]]
    assert (pairs.baseline.tolist(), pairs.candidate.tolist()) == ([1.0], [0.0])


def test_nothing_gives_no_pairs() -> None:
    rows = observations((), np.zeros(0, dtype=np.intp), np.zeros(0))
    assert rows_of_pairs(rows).shape == (0, 2)
    assert len(pairs_of(rows).baseline) == 0
