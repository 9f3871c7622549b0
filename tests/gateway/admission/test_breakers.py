"""Breakers and the retry budget: when an upstream is left alone, how it comes back, how often it is asked again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.gateway.admission.breakers import Breakers
from breakeven.gateway.admission.retry_budget import RetryBudget
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.config.settings import Breaker
from gateway.admission.admission_parts import (
    BIG,
    BIG_NEAR,
    FAR,
    SMALL,
    attempt,
    body,
    failed,
    plan,
    refusal,
    room,
)
from gateway.admission.admission_parts import settings as gateway_settings

RULE = Breaker(failures_count=3, failing_fraction=0.5, window_count=10, open_s=10.0)
BAD, GOOD = failed(BIG), attempt(BIG)


def _told(attempts: list[Attempt], at_s: float = 0.0) -> Breakers:
    breakers = Breakers(RULE, ["far"])
    for each in attempts:
        breakers.tell(each, at_s)
    return breakers


def test_failures_in_a_row_open_it() -> None:
    assert _told([BAD, BAD, GOOD, BAD, BAD]).states(0.0) == {"far": "closed"}
    assert _told([BAD, BAD, BAD]).states(0.0) == {"far": "open"}


def test_so_does_a_part_of_the_last_attempts() -> None:
    assert _told([BAD, GOOD, GOOD, BAD] * 2 + [GOOD] + [BAD]).states(0.0)["far"] == "open"
    assert _told([BAD, GOOD, GOOD] * 6).states(0.0)["far"] == "closed"
    assert _told([BAD, GOOD] * 4).states(0.0)["far"] == "closed"  # fewer than the window holds


@pytest.mark.parametrize(
    "harmless",
    [
        failed(BIG, failure="client_gone", status=None),
        failed(BIG, failure="too_large"),
        failed(BIG, status=429),
        attempt(BIG, 1, "rejected"),
        attempt(BIG, status=400),
    ],
)
def test_what_says_nothing_bad_of_an_upstream_does_not_open_it(harmless: Attempt) -> None:
    assert _told([harmless] * 30).states(0.0)["far"] == "closed"


def test_it_is_tried_with_one_request_and_waits_twice_as_long_each_time() -> None:
    breakers = _told([BAD] * 3)
    of, now_s = breakers.of("far"), 0.0
    for wait_s in (10.0, 20.0, 40.0, 80.0, 160.0, 160.0):
        assert not breakers.admits("far", now_s + wait_s - 0.01)
        now_s += wait_s
        assert breakers.admits("far", now_s)
        assert of.take(now_s)
        assert not breakers.admits("far", now_s)  # one probe
        breakers.tell(BAD, now_s)
    assert breakers.not_closed_count == 1
    now_s += 160.0
    assert of.take(now_s)
    breakers.tell(GOOD, now_s)
    assert (breakers.states(now_s)["far"], breakers.not_closed_count) == ("closed", 0)
    for _ in range(3):
        breakers.tell(BAD, now_s)
    assert of.wait_s(now_s) == 10.0


def test_a_probe_that_was_never_sent_or_never_heard_of_gives_its_place_back() -> None:
    of = _told([BAD] * 3).of("far")
    assert of.take(10.0)
    of.give_back()
    assert of.admits(10.0)
    assert of.take(10.0)
    assert not of.admits(19.9)
    assert of.admits(20.0)


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 30.0)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_counts_hold_whatever_happens(steps: list[tuple[bool, float]]) -> None:
    breakers, now_s = Breakers(RULE, ["far"]), 0.0
    for is_good, wait_s in steps:
        now_s += wait_s
        if breakers.admits("far", now_s):
            breakers.of("far").take(now_s)
        breakers.tell(GOOD if is_good else BAD, now_s)
        is_open = breakers.states(now_s)["far"] != "closed"
        assert breakers.not_closed_count == int(is_open)
        assert breakers.of("far").wait_s(now_s) <= 160.0
        assert not (is_good and is_open)


def test_the_engine_goes_round_an_open_breaker_and_refuses_when_all_are_open() -> None:
    of = room(gateway_settings(models={"big": (BIG, BIG_NEAR), "lone": (SMALL,)}, breaker=RULE))
    for _ in range(3):
        of.engine.next_target(plan(of), failed(BIG))
    assert of.engine.breaker_states()["far"] == "open"
    assert of.kept.gauges["breaker_state", "far"] == 2
    assert plan(of).targets == (BIG_NEAR, BIG)
    for _ in range(3):
        of.engine.finish(plan(of), [failed(BIG_NEAR)], False)
    gone = refusal(of)
    assert (gone.http_status, gone.code, gone.retry_after_s) == (503, "no_upstream", 10.0)
    assert refusal(of, None, body(model="lone")).code == "no_upstream"
    of.clock.at_s += 10.0
    probe, other = plan(of), plan(of)
    assert (probe.targets[0], other.targets[0]) == (BIG, BIG_NEAR)
    assert refusal(of).code == "no_upstream"
    of.engine.finish(probe, [], False)  # the client left before it was sent
    assert plan(of).targets[0] is BIG
    of.engine.finish(other, [attempt(BIG_NEAR)], True)
    assert plan(of).targets[0] is BIG_NEAR
    assert of.kept.gauges["breaker_state", "near"] == 0


def test_an_aborted_probe_gives_its_place_back() -> None:
    of = room(gateway_settings(models={"big": (BIG,)}, breaker=RULE))
    for _ in range(3):
        of.engine.finish(plan(of), [failed(BIG)], False)
    of.clock.at_s += 10.0
    probe = plan(of)
    of.engine.finish(probe, [failed(BIG, 1, "client_gone", None, is_aborted=True)], False)
    assert plan(of).targets == (BIG,)


def test_a_reload_keeps_what_breakers_learnt() -> None:
    of = room(gateway_settings(models={"big": (BIG,)}, breaker=RULE))
    for _ in range(3):
        of.engine.finish(plan(of), [failed(BIG)], False)
    of.engine.reload(gateway_settings(models={"big": (BIG,), "small": (SMALL,)}, breaker=RULE))
    assert refusal(of).code == "no_upstream"
    of.engine.reload(gateway_settings(models={"big": (BIG_NEAR,)}, upstreams={"near": BIG_NEAR.upstream}, breaker=RULE))
    assert plan(of).targets == (BIG_NEAR,)
    assert of.engine.breaker_states() == {"near": "closed"}
    assert FAR.name not in of.engine.breaker_states()


def test_retries_are_ten_and_a_part_of_the_requests() -> None:
    budget = RetryBudget(0.2)
    assert sum(budget.take(0.0) for _ in range(50)) == 10
    for _ in range(100):
        budget.request(1.0)
    assert sum(budget.take(1.0) for _ in range(50)) == 20
    assert not budget.take(15.0)  # the last ten seconds count too
    assert sum(budget.take(31.0) for _ in range(50)) == 10


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.floats(0.0, 4.0)), max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_span_of_ten_seconds_has_more_retries_than_that(steps: list[tuple[int, int, float]]) -> None:
    budget, now_s, requests, retries = RetryBudget(0.2), 0.0, [], []
    for requests_count, tries_count, wait_s in steps:
        now_s += wait_s
        requests += [now_s] * requests_count
        for _ in range(requests_count):
            budget.request(now_s)
        retries += [now_s for _ in range(tries_count) if budget.take(now_s)]
        recent = sum(each > now_s - 10.0 for each in retries)
        assert recent <= 10 + 0.2 * sum(each > now_s - 20.0 for each in requests)


def test_retries_of_one_upstream_stop_when_the_budget_is_spent_and_fallbacks_do_not() -> None:
    of = room(gateway_settings(fallbacks={"small": ("big",)}))
    small_only = room(gateway_settings(models={"small": (SMALL,)}))
    got = [
        small_only.engine.next_target(plan(small_only, None, body(model="small")), failed(SMALL, status=429))
        for _ in range(40)
    ]
    assert sum(each is not None for each in got) == 18  # ten, and a fifth of forty
    assert small_only.kept.counted["retry_budget_exhausted_total"] == 40 - 18
    got = [of.engine.next_target(plan(of, None, body(model="small")), failed(SMALL, status=429)) for _ in range(40)]
    assert got == [(BIG, 0.0)] * 40
