"""Savings are signed, charged, and said in words that never turn a loss into a saving."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.learning.savings import Charges, lost_cache_usd_per_request, savings

MODELS = ("cheap", "dear", "odd")
ROWS = 200
RNG = np.random.default_rng(5)
SUCCESS = np.column_stack([RNG.random(ROWS) < 0.6, RNG.random(ROWS) < 0.9, RNG.random(ROWS) < 0.3]).astype(float)
COST = np.tile([0.001, 0.010, 0.020], (ROWS, 1))
HALF = np.arange(ROWS) % 2


def test_savings_are_against_what_ran_before_the_best_and_the_dearest() -> None:
    before = np.where(np.arange(ROWS) < 50, 2, 1)
    found = savings(HALF, SUCCESS, COST, MODELS, incumbent=before, best_single=1)
    after = 0.5 * 0.001 + 0.5 * 0.010
    bills = {"incumbent": 0.25 * 0.020 + 0.75 * 0.010, "best_single": 0.010, "dearest": 0.020}
    assert [each.against for each in found] == list(bills)
    for each in found:
        assert each.before_usd_per_request == pytest.approx(bills[each.against])
        assert each.after_usd_per_request == pytest.approx(after)
        assert each.saved_usd_per_request.value == pytest.approx(bills[each.against] - after)
        assert each.saved_fraction.value == pytest.approx(1 - after / bills[each.against])
        assert each.saved_fraction.low is not None
        assert each.saved_fraction.high is not None
        assert each.saved_fraction.low <= each.saved_fraction.value <= each.saved_fraction.high
    assert found[0].model == "dear 75 %, odd 25 %"
    assert found[2].model == "odd"


def test_charges_are_taken_off_and_those_not_stated_are_named() -> None:
    charges = Charges(judge_usd_per_request=0.002, router_usd_per_request=0.0)
    plain, charged = (savings(HALF, SUCCESS, COST, MODELS, best_single=1, charges=each)[0] for each in (None, charges))
    assert charges.not_stated == ("lost prompt-cache hits", "shadow calls")
    assert charged.after_usd_per_request == pytest.approx((plain.after_usd_per_request or 0.0) + 0.002)
    assert charged.saved_usd_per_request.value == pytest.approx((plain.saved_usd_per_request.value or 0.0) - 0.002)


def test_a_loss_is_said_as_a_cost() -> None:
    charges = Charges(shadow_usd_per_request=0.05)
    lost = savings(HALF, SUCCESS, COST, MODELS, best_single=1, charges=charges)[0]
    assert lost.saved_usd_per_request.value is not None
    assert lost.saved_usd_per_request.value < 0
    assert "costs 45.5 USD more per 1,000 requests" in lost.sentence
    assert "saves" not in lost.sentence
    assert "-" not in lost.sentence.split(";")[0]


def test_a_saving_names_its_range_and_what_it_does_to_success() -> None:
    saved = savings(HALF, SUCCESS, COST, MODELS, best_single=1)[0]
    assert saved.sentence.startswith("against dear: saves 4.5 USD per 1,000 requests, 45 % (")
    assert "points" in saved.sentence
    change = SUCCESS[np.arange(ROWS), HALF].mean() - SUCCESS[:, 1].mean()
    assert saved.success_change_fraction.value == pytest.approx(change)


def test_without_costs_there_is_no_money_but_success() -> None:
    partly = COST.copy()
    partly[3, 0] = np.nan
    for cost in (None, partly):
        found = savings(HALF, SUCCESS, cost, MODELS, best_single=1)
        assert [each.against for each in found] == ["best_single"]
        assert found[0].before_usd_per_request is None
        assert found[0].saved_usd_per_request.value is None
        assert "not known" in found[0].saved_usd_per_request.why
        assert found[0].success_change_fraction.value is not None
        assert "no money figure" in found[0].sentence


def test_free_calls_before_leave_no_share_to_save() -> None:
    free = COST * [1.0, 0.0, 1.0]
    found = savings(HALF, SUCCESS, free, MODELS, best_single=1)[0]
    assert found.saved_fraction.value is None
    assert found.saved_usd_per_request.value == pytest.approx(-0.0005)


def test_lost_cache_hits_are_the_moved_tokens_at_the_difference_of_prices() -> None:
    assert lost_cache_usd_per_request(0.25, 4000.0, 3.0, 0.3) == pytest.approx(0.25 * 4000 * 2.7 / 1e6)
