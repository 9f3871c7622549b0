"""Payback and return: against the horizon's own arithmetic, and what may never come."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.decision.horizon import capital
from breakeven.pilot.payback import NEVER, first_year_return_ratio, payback_months
from breakeven.pilot.verdict import Range


@given(st.floats(1.0, 1e5), st.floats(-1e4, 1e4))
def test_agrees_with_the_horizon(migration_usd: float, saved: float) -> None:
    flow = np.array([-migration_usd] + [saved] * 1200)
    expected = float(capital.payback_months(flow))
    found = payback_months(migration_usd, Range(saved, saved, saved)).value
    assert found is not None
    if found > 1200:
        assert expected == NEVER
    else:
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_a_loss_in_the_interval_may_never_pay_back() -> None:
    found = payback_months(1000.0, Range(50.0, -10.0, 200.0))
    assert (found.value, found.low, found.high) == (20.0, 5.0, inf)
    lost = payback_months(1000.0, Range(-50.0, -60.0, -10.0))
    assert (lost.value, lost.low, lost.high) == (NEVER, NEVER, NEVER)


def test_a_free_switch_pays_back_at_once() -> None:
    assert payback_months(0.0, Range(5.0, 1.0, 9.0)).value == 0.0
    free = first_year_return_ratio(0.0, Range(5.0, 1.0, 9.0))
    assert free.value is None and "costs nothing" in free.why_not


def test_what_is_not_stated_has_no_figure() -> None:
    for found in (payback_months(None, Range(5.0, 1.0, 9.0)), first_year_return_ratio(None, Range(5.0, 1.0, 9.0))):
        assert found.value is None and "migration_usd" in found.why_not
    unpriced = Range(None, None, None, why_not="3 requests have no price")
    assert payback_months(5.0, unpriced).why_not == "3 requests have no price"
    assert first_year_return_ratio(5.0, unpriced).value is None


def test_ends_that_are_unknown_stay_unknown() -> None:
    found = first_year_return_ratio(1200.0, Range(200.0, None, None))
    assert (found.value, found.low, found.high) == (1.0, None, None)
