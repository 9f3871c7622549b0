"""Pairing: every request with an answer of both arms, once, by time."""

from __future__ import annotations

import numpy as np
from tests.pilot.planted_outcomes import observations

from breakeven.pilot.observations import BASELINE, CANDIDATE
from breakeven.pilot.pairing import pairs_of, rows_of_pairs, with_absent


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


def test_a_request_of_one_arm_alone_lacks_an_outcome_of_the_other() -> None:
    rows = observations(("a", "b", "a", "c", "b2"), np.array([0, 0, 1, 1, 0]), np.array([1.0, 1, 0, 1, 0]))
    every, is_absent = with_absent(rows)
    assert every.request_ids == ("a", "b", "a", "c", "b2", "b", "b2", "c")[:5] + every.request_ids[5:]
    assert sorted(every.request_ids[5:]) == ["b", "b2", "c"]
    assert is_absent.tolist() == [False] * 5 + [True] * 3
    arms = dict(zip(every.request_ids[5:], every.arm[5:].tolist(), strict=True))
    assert arms == {"b": CANDIDATE, "b2": CANDIDATE, "c": BASELINE}
    assert np.isnan(every.success[5:]).all()
    assert np.isnan(every.cost_usd[5:]).all()
    assert len(rows_of_pairs(every)) == 4
