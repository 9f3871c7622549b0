"""Whole measurements: against the mock server, and against servers that refuse, fail in part, or fail altogether."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.scripted_server import DONE, STREAM_HEAD, Scripted, Step, answer, plain, scripted, text_event
from breakeven.bench.arrivals import poisson
from breakeven.bench.document import BenchDocument
from breakeven.bench.endpoint import endpoint_at
from breakeven.bench.load import Arrival, ClosedLoop, Lengths, Level, Limits, OpenLoop
from breakeven.bench.measurement import Order, measure_async
from breakeven.bench.mock_server import Exchange, Timetable, port_of, serve
from breakeven.errors import BenchError

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def order(url: str, levels: Sequence[Level], **more: Any) -> Order:
    endpoint = endpoint_at(url, "m", more.pop("api", "chat"))
    given = {"lengths": Lengths(24, 6), "warm_up_count": 0, "nonce": "test", **more}
    return Order(endpoint, lambda _: levels, **given)


def on_mock(timetable: Timetable, levels: Sequence[Level], **more: Any) -> BenchDocument:
    async def run() -> BenchDocument:
        server = await serve(timetable)
        async with server:
            return await measure_async(order(f"127.0.0.1:{port_of(server)}", levels, **more), NOW, lambda _: None)

    return asyncio.run(run())


def on_script(
    script: Callable[[int, dict[str, Any]], Sequence[Step]], levels: Sequence[Level], **more: Any
) -> tuple[BenchDocument, Scripted]:
    async def run() -> tuple[BenchDocument, Scripted]:
        async with scripted(script) as server:
            return await measure_async(order(server.url, levels, **more), NOW, lambda _: None), server

    return asyncio.run(run())


def test_every_request_is_counted_once_and_every_token() -> None:
    document = on_mock(Timetable(0.005, 0.001), [ClosedLoop(users, 12) for users in (1, 3)], warm_up_count=2)
    for level in document.levels:
        assert (level.succeeded_count, level.failed_count, level.unfinished_count) == (12, 0, 0)
        assert (level.input_tokens, level.output_tokens) == (24, 6)
        assert level.whole_output_tok_per_s == pytest.approx(12 * 6 / level.duration_s)
        assert level.ttft_ms is not None
        assert level.ttft_ms.p10_ms >= 5
    assert document.counting.output_tokens == document.counting.input_tokens == "server"
    assert document.plan.ignore_eos
    assert (document.plan.tokens_per_word_ratio, document.plan.template_tokens) == (1.0, 7.0)
    assert document.server == "breakeven-mock"
    assert document.measured_at == "2026-11-25T12:00:00+00:00"


def test_a_closed_loop_keeps_its_users_busy_and_no_more() -> None:
    document = on_mock(Timetable(0.02, 0.002), [ClosedLoop(4, 40)])
    assert document.levels[0].mean_in_flight_count == pytest.approx(4, rel=0.25)
    assert document.levels[0].mean_in_flight_count <= 4


def test_completions() -> None:
    document = on_mock(Timetable(), [ClosedLoop(2, 4)], api="completions")
    assert document.plan.api == "completions"
    assert document.plan.template_tokens == 0
    assert document.levels[0].succeeded_count == 4


def test_an_open_loop_sends_at_its_own_times() -> None:
    loop = poisson(100.0, lambda _: (24, 6), 1, requests_max_count=40, duration_s=None)
    document = on_mock(Timetable(0.05, 0.01), [loop], raw=True)
    level = document.levels[0]
    assert (level.loop, level.concurrency_count, level.rate_req_per_s) == ("open", None, 100.0)
    assert level.requests is not None
    wanted = [each.at_s for each in loop.arrivals]
    assert sorted(each.scheduled_s for each in level.requests) == pytest.approx(wanted)
    assert all(each.started_s >= each.scheduled_s for each in level.requests)
    assert level.mean_in_flight_count > 2  # 100 requests/s of at least 0.1 s, though started one by one


def test_an_open_loop_that_is_full_counts_what_it_did_not_send() -> None:
    arrivals = poisson(1000.0, lambda _: (24, 6), 1, requests_max_count=30, duration_s=None).arrivals
    document = on_mock(Timetable(0.3), [OpenLoop(arrivals, "burst", in_flight_max_count=5)])
    level = document.levels[0]
    assert level.succeeded_count + level.failed_count == 30
    assert [each.kind for each in level.failures] == ["generator_in_flight_limit"]
    assert level.succeeded_count >= 5


def test_a_duration_ends_a_level() -> None:
    document = on_mock(Timetable(0.0, 0.002), [ClosedLoop(2, None, 0.4)])
    level = document.levels[0]
    assert level.steady_s >= 0.4
    assert level.duration_s < 5.0
    assert level.succeeded_count >= 4
    assert level.unfinished_count == 0


def test_prompts_never_repeat() -> None:
    _, server = on_script(lambda _, __: answer(), [ClosedLoop(2, 10), ClosedLoop(3, 10)], warm_up_count=3)
    prompts = [body["messages"][0]["content"] for body in server.bodies]
    assert len(prompts) >= 23
    assert len({prompt[:30] for prompt in prompts}) == len(prompts)


def test_failures_among_answers() -> None:
    """Every third request is refused: counted by kind, and in no latency."""

    def script(number: int, _: object) -> Sequence[Step]:
        if number < 2:
            return answer()
        return {0: [plain("429 Too Many Requests", b"slow down")], 1: [STREAM_HEAD, text_event(), "close"]}.get(
            number % 4, answer()
        )

    document, server = on_script(script, [ClosedLoop(3, 40)])
    level = document.levels[0]
    assert level.succeeded_count + level.failed_count == 40 == len(server.bodies) - 2
    assert {each.kind: each.count for each in level.failures} == {"http_429": 10, "closed_early": 10}
    assert level.ttft_ms is not None
    assert level.ttft_ms.values_count == 20


def test_a_level_that_only_fails_ends_early_and_others_are_kept() -> None:
    def script(number: int, _: object) -> Sequence[Step]:
        return answer() if number < 6 else [plain("503 Service Unavailable", b"overloaded")]

    document, server = on_script(script, [ClosedLoop(1, 4), ClosedLoop(2, 1000)])
    first, second = document.levels
    assert (first.succeeded_count, second.succeeded_count) == (4, 0)
    assert second.gave_up
    assert second.output_tok_per_s is None
    assert len(server.bodies) < 60


def test_an_open_loop_that_only_fails_ends_early() -> None:
    arrivals = poisson(200.0, lambda _: (24, 6), 1, requests_max_count=2000, duration_s=None).arrivals

    def script(number: int, _: object) -> Sequence[Step]:
        return answer() if number < 6 else [plain("503 Service Unavailable", b"overloaded")]

    document, server = on_script(script, [ClosedLoop(1, 4), OpenLoop(arrivals, "burst")])
    assert document.levels[1].gave_up
    assert 20 <= document.levels[1].failed_count < 1000
    assert len(server.bodies) < 1000


def test_counts_by_some_answers_only() -> None:
    def script(number: int, _: object) -> Sequence[Step]:
        return answer() if number % 2 else [STREAM_HEAD, text_event(), text_event(), DONE]

    document, _ = on_script(script, [ClosedLoop(1, 4)])
    assert document.counting.output_tokens == document.counting.input_tokens == "mixed"
    assert document.levels[0].output_tokens == pytest.approx((2 * 3 + 2 * 2) / 4)


def test_a_server_without_the_extensions_is_asked_without_them() -> None:
    def script(_: int, body: dict[str, Any]) -> Sequence[Step]:
        if "ignore_eos" in body:
            return [plain("400 Bad Request", b'{"error": "unknown field ignore_eos"}')]
        if "max_tokens" in body:
            return [plain("422 Unprocessable", b'{"error": "use max_completion_tokens"}')]
        return answer()

    document, server = on_script(script, [ClosedLoop(1, 3)])
    assert not document.plan.ignore_eos
    assert document.plan.include_usage
    assert any("takes no `ignore_eos`" in note for note in document.notes)
    assert all("max_completion_tokens" in body for body in server.bodies[2:])


def test_a_server_that_counts_nothing() -> None:
    script = [STREAM_HEAD, text_event(), text_event(), DONE]
    document, _ = on_script(lambda _, __: script, [ClosedLoop(1, 3)])
    assert document.counting.output_tokens == "estimated from events"
    assert document.counting.input_tokens == "estimated from words"
    assert document.levels[0].output_tokens == 2
    assert any("does not count prompt tokens" in note for note in document.notes)


def test_a_server_whose_count_does_not_grow() -> None:
    document, _ = on_script(lambda _, __: answer(prompt=5), [ClosedLoop(1, 3)])
    assert any("does not grow with the prompt" in note for note in document.notes)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (["close"], "3 x closed_early"),
        ([plain("500 Internal", b"boom")], "3 x http_500 .boom.. The server fails by itself"),
        ([plain("404 Not Found", b"no such model")], "3 x http_404 .no such model.. Is the model's name"),
        ([plain("401 Unauthorized", b"key?")], "Give the key: --api-key-env"),
        ([plain("400 Bad Request", b"context too long")], "4 x http_400 .context too long.. The server refuses"),
        ([plain("200 OK", b"<html>hello", "text/html")], "3 x not_a_stream .text/html: <html>hello"),
        ([STREAM_HEAD, DONE], "3 x no_tokens"),
    ],
)
def test_nothing_worked_says_what_was_seen_and_what_to_do(script: Sequence[Step], said: str) -> None:
    with pytest.raises(BenchError, match=said) as error:
        on_script(lambda _, __: script, [ClosedLoop(1, 3)])
    assert "nothing was measured" in str(error.value)


def test_a_server_that_stops_working_after_the_probe() -> None:
    def script(number: int, _: object) -> Sequence[Step]:
        return answer() if number < 2 else ["close"]

    with pytest.raises(BenchError, match=r"x closed_early"):
        on_script(script, [ClosedLoop(1, 3)])


def test_a_server_that_needs_a_moment() -> None:
    """The first request after a cold start may fail; the measurement goes on when a later one does not."""

    def script(number: int, _: object) -> Sequence[Step]:
        return answer() if number else [plain("503 Service Unavailable", b"loading")]

    document, _ = on_script(script, [ClosedLoop(1, 3)])
    assert document.levels[0].succeeded_count == 3


def test_the_key_is_sent_and_not_kept() -> None:
    document = on_mock(Timetable(), [ClosedLoop(1, 2)], headers={"Authorization": "Bearer sesame"})
    assert "sesame" not in document.model_dump_json()
    with pytest.raises(BenchError, match=r"wrong key \*\*\*") as error:
        on_script(
            lambda _, __: [plain("401 Unauthorized", b"wrong key sesame")],
            [ClosedLoop(1, 2)],
            headers={"Authorization": "Bearer sesame"},
        )
    assert "sesame" not in str(error.value)


def interrupted(timetable: Timetable, levels: Sequence[Level], after_count: int) -> BenchDocument:
    """Ctrl-C once the server has answered so many requests and has another one under way."""
    before, Exchange.active_count = Exchange.answered_count, 0

    async def interrupt() -> None:
        while Exchange.answered_count < before + after_count or not Exchange.active_count:
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    async def run() -> BenchDocument:
        task = asyncio.create_task(interrupt())
        task.add_done_callback(lambda done: done.result())
        server = await serve(timetable)
        async with server:
            return await measure_async(order(f"127.0.0.1:{port_of(server)}", levels), NOW, lambda _: None)

    return asyncio.run(run())


def test_ctrl_c_in_an_open_loop() -> None:
    arrivals = (*(Arrival(at / 100, 24, 6) for at in range(20)), Arrival(3600.0, 24, 6))
    document = interrupted(Timetable(0.02, 0.005), [OpenLoop(arrivals, "trace")], 12)
    level = document.levels[0]
    assert document.interrupted
    assert 0 < level.succeeded_count <= 20
    assert level.succeeded_count + level.unfinished_count <= 20
    assert level.duration_s < 600


def test_ctrl_c_keeps_what_was_finished() -> None:
    document = interrupted(Timetable(0.02, 0.0), [ClosedLoop(2, 10**6), ClosedLoop(4, 10)], 10)
    assert document.interrupted
    assert len(document.levels) == 1
    level = document.levels[0]
    assert level.succeeded_count > 2
    assert level.failed_count == 0
    assert 1 <= level.unfinished_count <= 2


def test_ctrl_c_before_the_first_answer_leaves_nothing() -> None:
    with pytest.raises(BenchError, match="stopped before the first answer"):
        interrupted(Timetable(30.0, 0.0), [ClosedLoop(2, 10)], 0)


def test_limits_apply_to_levels_too() -> None:
    """A server that hangs once it is busy."""

    def script(number: int, _: object) -> Sequence[Step]:
        return answer() if number < 4 else [STREAM_HEAD, 5.0]

    document, _ = on_script(script, [ClosedLoop(1, 3)], limits=Limits(first_token_s=0.8))
    level = document.levels[0]
    assert level.succeeded_count == 2
    assert [each.kind for each in level.failures] == ["stalled_before_first_token"]
