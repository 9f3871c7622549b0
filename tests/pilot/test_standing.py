"""Standing: guards outweigh acceptance, and how days are foretold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.pilot.standing import days_left, days_seen, days_to_proof, points_range, standing, whole_days
from breakeven.pilot.verdict import GuardState, Quality, Range
from pilot.planted import design, paired

NONE = Range(None, None, None)
HALF = np.tile([0.0, 1.0], 100)
SEEN = paired(np.full(200, 0.01), np.full(200, 0.01), HALF, np.ones(200))


def quality(*, is_accepted: bool = False, is_inferior: bool = False) -> Quality:
    return Quality("faq", False, "paired", 9, 0, None, 0.0, 3.0, 0.0, NONE, NONE, NONE, is_accepted, is_inferior)


def test_a_guard_outweighs_an_acceptance() -> None:
    fired = GuardState("faq", "latency_p95", True, "slow")
    calm = GuardState("faq", "inferior", False, "fine")
    assert standing(design(), SEEN, (quality(is_accepted=True),), (calm,)).accepted == ("faq",)
    found = standing(design(), SEEN, (quality(is_accepted=True),), (calm, fired))
    assert (found.accepted, found.stopped, found.open) == ((), ("faq",), ())


def test_open_and_inferior() -> None:
    assert standing(design(), SEEN, (quality(),), ()).open == ("faq",)
    assert standing(design(), SEEN, (quality(is_inferior=True),), ()).stopped == ("faq",)


def test_an_acceptance_without_outcomes_of_both_arms_does_not_count() -> None:
    silent = paired(np.ones(9), np.ones(9), np.ones(9), np.full(9, np.nan))
    found = standing(design(), silent, (quality(is_accepted=True),), ())
    assert found.accepted == ()


def test_points_of_success() -> None:
    told = replace(quality(), ratio=Range(2.0, 1.5, 3.0))
    found = points_range(design(), SEEN, (told,), None)
    assert found.value == pytest.approx(0.5) and found.low < 0.5 < found.high
    silent = replace(quality(), ratio=replace(NONE, why_not="no label by people"))
    assert points_range(design(), SEEN, (silent,), None).why_not == "no label by people"


def test_points_stay_within_a_hundred() -> None:
    few = np.repeat([1.0, 0.0], [30, 30])
    told = replace(quality(), ratio=Range(0.1, 0.0, 9.0))
    found = points_range(design(), paired(few, few, few, 1.0 - few), (told,), None)
    assert -1.0 <= found.low < found.value < found.high <= 1.0


def test_ends_close_in_with_the_root_of_time() -> None:
    assert days_to_proof(Range(2.0, -2.0, 6.0), 5.0) == pytest.approx(15.0)
    assert days_to_proof(Range(-1.0, -2.0, 0.5), 5.0) is None
    assert days_to_proof(Range(0.001, -2.0, 2.0), 5.0) is None, "longer than anybody foretells"
    assert days_to_proof(NONE, 5.0) is None


def test_days() -> None:
    assert days_seen(SEEN) == pytest.approx(199 / 1440)
    assert days_left(design(days_max_days=2.0), SEEN, 86_400.0) == pytest.approx(1.0)
    assert days_left(design(mode="offline"), SEEN, 86_400.0) is None
    nobody = SEEN.where(np.zeros(400, dtype=bool))
    assert days_left(design(), nobody, 86_400.0) is None
    assert days_left(design(days_max_days=2.0), nobody, 3 * 86_400.0, started_unix_s=0.0) == pytest.approx(-1.0)
    assert (whole_days(0.0), whole_days(1.0), whole_days(1.2)) == (1, 1, 2)
