"""Capital arithmetic against the worked examples, closed forms and an amortisation done month by month."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.decision.horizon.capital import (
    NEVER,
    discount_ratio,
    irr_fraction_per_month,
    payback_months,
    present_value_usd,
    value_of_waiting_usd,
)

YEARLY = 0.10


def test_worked_example_2() -> None:
    flow = [-60_000.0] + [4_000.0] * 36
    assert present_value_usd(flow, YEARLY) == pytest.approx(64_745.83376887, abs=5e-9)
    assert irr_fraction_per_month(flow) == pytest.approx(0.05786919736696745, rel=1e-12)
    assert float(payback_months(np.array(flow))) == 15.0


def test_worked_example_2_with_shrinking_savings_never_pays_back() -> None:
    flow = np.array([-60_000.0] + [4_000.0 * 0.92**k for k in range(1, 37)])
    assert present_value_usd(flow, YEARLY) == pytest.approx(-19_731.50969513, abs=5e-9)
    assert float(payback_months(flow)) == NEVER


def test_worked_example_3() -> None:
    """The first month's bill is due now, at today's volume and price."""
    bills = 0.8 * 40_000 * (1.04 * 0.96) ** np.arange(36)
    assert present_value_usd(bills, YEARLY) == pytest.approx(979_603.91267812, abs=5e-8)


@pytest.mark.parametrize(("falls_by", "months"), [(1.0, 31.4351), (10.0, 5.5169), (2.0, 14.2483)])
def test_worked_example_3_in_months_of_bill(falls_by: float, months: float) -> None:
    bills = falls_by ** (-np.arange(36) / 12)
    assert present_value_usd(bills, YEARLY) == pytest.approx(months, abs=5e-5)


def test_worked_example_5() -> None:
    now = [-60_000 + 36 * 5_000.0, -60_000 + 36 * 500.0]
    later = [-60_000 + 30 * 5_000.0, -60_000 + 30 * 500.0]
    assert np.mean(now) == 39_000
    assert np.mean(np.maximum(later, 0)) == 45_000
    assert value_of_waiting_usd(now, later, [0.5, 0.5]) == 6_000


def test_payback_is_the_last_crossing() -> None:
    """Back after two months, under water again when hardware is bought, back for good in month 5."""
    flow = np.array([-10.0, 10.0, 5.0, -20.0, 10.0, 10.0])
    assert float(payback_months(flow)) == pytest.approx(4.5)


def test_payback_without_anything_paid_first_is_at_once() -> None:
    assert float(payback_months(np.array([0.0, 5.0, 5.0]))) == 0.0


def test_payback_of_several_futures_at_once() -> None:
    flow = np.array([[-10.0, -10.0, 0.0], [4.0, 1.0, -1.0], [8.0, 1.0, 3.0]])
    assert payback_months(flow).tolist() == [1.75, NEVER, pytest.approx(1 + 1 / 3)]


def test_no_rate_where_the_sign_changes_twice_or_never() -> None:
    assert irr_fraction_per_month([-1.0, 3.0, -2.5]) is None
    assert irr_fraction_per_month([1.0, 1.0]) is None


@given(st.lists(st.floats(0.1, 1e6), min_size=2, max_size=60), st.floats(1.0, 1e7))
def test_a_cash_flow_is_worth_nothing_at_its_own_rate(income: list[float], price: float) -> None:
    flow = [-price, *income]
    rate = irr_fraction_per_month(flow)
    if rate is None:  # beyond e^5 a month, up or down
        far = np.exp([-5.0, 5.0])
        worth = [sum(a * f**-m for m, a in enumerate(flow)) for f in far]
        assert worth[0] * worth[1] > 0
        return
    worth = sum(amount / (1 + rate) ** month for month, amount in enumerate(flow))
    scale = sum(abs(amount) / (1 + rate) ** month for month, amount in enumerate(flow))
    assert abs(worth) <= 1e-8 * scale


@given(st.floats(0.0, 2.0), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_present_value_by_compounding_forward(yearly: float, flow: list[float]) -> None:
    """What a bank account would hold at the end, brought back to today."""
    ratio = float(discount_ratio(yearly))
    balance = 0.0
    for amount in flow:
        balance = balance / ratio + amount
    expected = balance * ratio ** (len(flow) - 1)
    assert present_value_usd(flow, yearly) == pytest.approx(expected, rel=1e-9, abs=1e-6 * max(map(abs, flow)) + 1e-9)
