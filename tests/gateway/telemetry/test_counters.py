"""What a process counts: exact sums, bounded labels, totals that never fall, and no words of anybody."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.telemetry.told import CANARY, attempt, plan, target

from breakeven.gateway.attempt import Attempt, TokenCounts
from breakeven.gateway.plan import Plan
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.merged import Merged, merged
from breakeven.gateway.telemetry.metric_table import CELLS_MAX_COUNT, DURATION_BOUNDS_S, LABELS_MAX_COUNT


def numbers(*counters: Counters) -> Merged:
    plain = {f"relay-{i}": orjson.loads(each.snapshot()) for i, each in enumerate(counters)}
    return merged(plain, next(iter(plain.values()))["written_unix_s"])


def test_a_request_is_counted_once_and_its_attempts_each() -> None:
    counters = Counters()
    first, second = attempt("big", "a", "status", cost_usd=None), attempt("small", "b", number=2, kind="fallback")
    counters.finished(plan(), [first, second], True)
    found = numbers(counters).numbers
    assert found["requests_total"] == {("chat", "delivered"): 1}
    assert found["calls_total"] == {
        ("big", "a", "faq", "first", "http_503"): 1,
        ("small", "b", "faq", "fallback", "ok"): 1,
    }
    assert found["tokens_total"][("small", "faq", "input")] == 10
    assert found["tokens_total"][("small", "faq", "cache_read")] == 3
    assert found["tokens_total"][("small", "faq", "reasoning")] == 2
    assert found["cost_usd_total"] == {("big", "faq"): 0, ("small", "faq"): 0.25}
    assert found["unpriced_calls_total"][("big", "faq")] == 0  # no usage, so nothing that a price would be of


@pytest.mark.parametrize(
    ("delivered", "is_aborted", "result"),
    [(True, False, "delivered"), (False, True, "cancelled"), (False, False, "failed")],
)
def test_how_a_request_ended(delivered: bool, is_aborted: bool, result: str) -> None:
    counters = Counters()
    counters.finished(plan(), [attempt(is_aborted=is_aborted)], delivered)
    assert numbers(counters).numbers["requests_total"] == {("chat", result): 1}


def test_a_4xx_of_the_upstream_is_not_ok_and_has_no_duration() -> None:
    counters = Counters()
    told: list[bool] = []
    counters.on_trouble = lambda _plan, _attempts, delivered: told.append(delivered)
    refused = attempt(tokens=TokenCounts())
    refused.http_status = 400
    counters.finished(plan(), [refused], False)  # as the relay tells it: no answer went out
    found = numbers(counters)
    assert found.numbers["requests_total"] == {("chat", "rejected"): 1}
    assert found.numbers["calls_total"] == {("small", "vendor", "faq", "first", "http_400"): 1}
    assert sum(found.histograms["request_duration_seconds"][("small", "faq")].buckets) == 0
    assert told == [False]


def test_only_delivered_answers_have_a_duration() -> None:
    counters = Counters()
    counters.finished(plan(), [attempt(failure="reset", spent_s=9.0)], False)
    counters.finished(plan(), [attempt(spent_s=0.3, first_byte_s=None)], True)
    found = numbers(counters).histograms
    assert sum(found["request_duration_seconds"][("small", "faq")].buckets) == 1
    assert found["request_duration_seconds"][("small", "faq")].sum_s == pytest.approx(0.3)
    assert sum(found["first_byte_seconds"][("small", "faq")].buckets) == 0


def test_a_shadow_is_a_call_and_no_request() -> None:
    counters = Counters()
    counters.finished(plan(), [attempt(kind="shadow")], False)
    found = numbers(counters)
    assert found.numbers["calls_total"] == {("small", "vendor", "faq", "shadow", "ok"): 1}
    assert "requests_total" not in found.numbers
    assert sum(found.histograms["request_duration_seconds"][("small", "faq")].buckets) == 0


def test_an_unpriced_call_is_counted_and_costs_nothing_known() -> None:
    counters = Counters()
    counters.finished(plan(), [attempt(cost_usd=None, tokens=TokenCounts(7, 1, is_estimated=True))], True)
    found = numbers(counters).numbers
    assert found["unpriced_calls_total"] == {("small", "faq"): 1}
    assert found["estimated_calls_total"] == {("small", "faq"): 1}
    assert found["cost_usd_total"] == {("small", "faq"): 0}


@pytest.mark.parametrize("label", ["model", "task"])
def test_labels_are_bounded_and_nothing_is_lost(label: str) -> None:
    counters = Counters()
    asked_count = LABELS_MAX_COUNT + 30
    for i in range(asked_count):
        name = f"name-{i}"
        told = plan(task=name) if label == "task" else plan()
        counters.finished(told, [attempt(name if label == "model" else "small")], True)
    calls = numbers(counters).numbers["calls_total"]
    values = {labels[0 if label == "model" else 2] for labels in calls}
    assert len(values) == LABELS_MAX_COUNT + 1 and "other" in values
    assert sum(calls.values()) == asked_count


def test_combinations_are_bounded_too() -> None:
    counters = Counters()
    asked_count = 0
    for i in range(60):
        for j in range(60):
            counters.finished(plan(task=f"task-{i}"), [attempt(f"model-{j}")], True)
            asked_count += 1
    calls = numbers(counters).numbers["calls_total"]
    assert len(calls) <= CELLS_MAX_COUNT + 1
    assert sum(calls.values()) == asked_count


def test_a_process_that_starts_again_goes_on() -> None:
    before = Counters()
    before.finished(plan(), [attempt()], True)
    before.refused("invalid_api_key")
    before.gauge("requests_in_flight", 7)
    after = Counters(previous=before.snapshot())
    after.finished(plan(), [attempt()], True)
    after.refused("invalid_api_key")
    found = numbers(after)
    assert found.numbers["requests_total"] == {("chat", "delivered"): 2}
    assert found.numbers["refusals_total"] == {("invalid_api_key",): 2}
    assert found.numbers["cost_usd_total"] == {("small", "faq"): 0.5}
    assert sum(found.histograms["request_duration_seconds"][("small", "faq")].buckets) == 2
    assert "requests_in_flight" not in found.numbers, "a gauge is of a living process"


@given(
    st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b'{"version":1}', b'{"version":1,"counts":1,"cells":[]}'])
)
def test_whatever_was_left_it_starts(previous: bytes) -> None:
    assert Counters(previous=previous).refusals() == {}


def test_unknown_names_become_events() -> None:
    counters = Counters()
    counters.count("no_such_metric", 2)
    counters.count("calls_total", 1)  # has labels of its own: not countable by hand
    counters.gauge("no_such_gauge", 1)
    assert numbers(counters).numbers["events_total"] == {("no_such_metric",): 2, ("calls_total",): 1}


def test_trouble_is_told_and_smooth_requests_are_not() -> None:
    told: list[tuple[int, bool]] = []

    def note(_plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        told.append((len(attempts), delivered))

    counters = Counters()
    counters.on_trouble = note
    counters.finished(plan(), [attempt()], True)
    counters.finished(plan(), [attempt(failure="connect"), attempt(number=2, kind="retry")], True)
    counters.finished(plan(), [attempt(failure="reset")], False)
    check = attempt("other", number=2, kind="check")
    counters.finished(plan(), [check, attempt()], True)
    counters.finished(plan(), [check, attempt(failure="rejected"), attempt("big", number=3, kind="escalation")], True)
    assert told == [(2, True), (1, False), (3, True)]


def test_an_answer_that_waited_for_a_check_took_so_long() -> None:
    counters = Counters()
    counters.finished(plan(), [attempt("other", number=2, kind="check", spent_s=4.0), attempt(spent_s=0.3)], True)
    found = numbers(counters)
    (spent_s,) = [each.sum_s for each in found.histograms["request_duration_seconds"].values() if each.sum_s]
    assert spent_s == pytest.approx(4.0)
    assert found.numbers["requests_total"] == {("chat", "delivered"): 1}


def test_no_word_of_a_client_is_in_a_snapshot() -> None:
    counters = Counters()
    counters.finished(plan(), [attempt(failure="connect"), attempt(number=2)], True)
    assert CANARY.encode() not in counters.snapshot()


@given(st.lists(st.floats(0, 1e4), max_size=40))
def test_buckets_hold_every_observation_at_its_place(spent_s: list[float]) -> None:
    counters = Counters()
    for each in spent_s:
        counters.finished(plan(), [attempt(spent_s=each)], True)
    if not spent_s:
        return
    found = numbers(counters).histograms["request_duration_seconds"][("small", "faq")]
    edges = (*DURATION_BOUNDS_S, float("inf"))
    observed = [(100.0 + each) - 100.0 for each in spent_s]
    wanted = [sum(low < each <= high for each in observed) for low, high in zip((-1.0, *edges), edges, strict=False)]
    assert found.buckets == wanted


def cells(counters: Counters) -> list[dict[str, Any]]:
    return list(orjson.loads(counters.snapshot())["cells"])


def test_a_snapshot_in_another_thread_does_not_disturb() -> None:
    import threading

    counters = Counters()
    stop = threading.Event()
    taken: list[bytes] = []

    def take() -> None:
        while not stop.is_set():
            taken.append(counters.snapshot())

    thread = threading.Thread(target=take)
    thread.start()
    for i in range(3_000):
        counters.finished(plan(task=f"task-{i % 97}"), [attempt()], True)
        counters.count("events_total", 1, f"event-{i % 50}")
    stop.set()
    thread.join()
    assert sum(sum(each["durations"]) for each in cells(counters)) == 3_000
    assert all(orjson.loads(each) for each in taken)


def test_many_answers_at_once_are_counted_like_one_after_another() -> None:
    """What lanes tell in one call, against the same requests told one by one."""
    single, many = Counters(), Counters()
    told: list[tuple[float, float, int, int, float | None, TokenCounts | None]] = []
    for spent_s, waited_s, counts, cost_usd in (
        (0.001, 0.001, TokenCounts(7, 2), 0.5),
        (0.3, 0.002, TokenCounts(10, 5, 3, 1, 0, 2), None),
        (500.0, 500.0, TokenCounts(9, 4, is_estimated=True), 0.25),
    ):
        single.finished(
            plan(), [attempt(spent_s=spent_s, first_byte_s=waited_s, cost_usd=cost_usd, tokens=counts)], True
        )
        is_simple = counts == TokenCounts(counts.input_tokens, counts.output_tokens)
        spent_s, waited_s = 100.0 + spent_s - 100.0, 100.0 + waited_s - 100.0
        more = None if is_simple else counts
        told.append((spent_s, waited_s, counts.input_tokens, counts.output_tokens, cost_usd, more))
    many.delivered(target(), "faq", "chat", told)
    found, expected = (orjson.loads(each.snapshot())["cells"] for each in (many, single))
    assert found == expected
