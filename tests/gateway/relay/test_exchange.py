"""Exchange: attempts until one answers, hedges, escalations, shadows, durability, and the limits of time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.gateway.config.settings import Retries, Shadow, WireLimits
from breakeven.gateway.plan import Plan
from breakeven.gateway.wire.buffered_stream import asked_whole
from breakeven.routing.validators import Verdict
from gateway.parts.answers import chat_answer, good, plain, words
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import RawAnswer, ask, chat, raw_client, request
from gateway.parts.running import run, until
from gateway.parts.scripted_upstream import Asked, Step, closed_port, scripted_upstream
from gateway.parts.settings_for_tests import SHORT, upstream_at
from gateway.relay.relay_parts import Served, served


def kinds(found: Served) -> list[tuple[str, str, str | None]]:
    """Of the only request: target, kind and failure of each attempt."""
    return [(each.target.name, each.kind, each.failure) for each in found.only.attempts]


FALLBACKS = {
    "status:500": "status",
    "status:429": "status",
    "status:503": "status",
    "reset_before_head": "reset",
    "garbage": "bad_answer",
    "invalid_json": "bad_answer",
    "stall_before": "first_byte_timeout",
    "length_too_long": "reset",
    "zipped": "bad_answer",
    "error_event_first": "bad_answer",
}


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("fault", FALLBACKS)
def test_what_fails_before_the_first_byte_is_asked_elsewhere(tmp_path: Path, fault: str, is_stream: bool) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            settings = {"fallbacks": {fault: ("better",)}}
            async with served(tmp_path, upstream.port, fault, "better", **settings) as found:
                answer = await ask(found.url, chat(fault, stream=is_stream))
                assert answer.status == 200 and answer.is_whole
                assert answer.header("x-breakeven-model") == "better"
                if not is_stream or fault != "invalid_json":
                    assert kinds(found) == [(fault, "first", FALLBACKS[fault]), ("better", "fallback", None)]
                assert found.only.delivered
                assert [each.number for each in found.only.attempts] == [1, 2]

    if fault == "invalid_json" and is_stream:
        pytest.skip("in a stream the broken event comes after the first byte")
    run(test())


def test_nobody_listens(tmp_path: Path) -> None:
    async def test() -> None:
        async with served(tmp_path, closed_port(), "a", "b", fallbacks={"a": ("b",)}) as found:
            answer = await ask(found.url, chat("a"))
            assert (answer.status, answer.code) == (502, "upstream_error")
            assert kinds(found) == [("a", "first", "connect"), ("b", "fallback", "connect")]
            assert not any(each.was_sent for each in found.only.attempts)

    run(test())


def test_the_last_status_is_told_where_it_helps_the_client(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            names = ("status:429", "status:500")
            fallbacks = {names[0]: (names[1],), names[1]: (names[0],)}
            async with served(tmp_path, upstream.port, *names, fallbacks=fallbacks) as found:
                answer = await ask(found.url, chat("status:500"))
                assert (answer.status, answer.header("retry-after")) == (429, "2")
                answer = await ask(found.url, chat("status:429"))
                assert (answer.status, answer.code) == (502, "upstream_error")

    run(test())


def test_a_stream_that_has_begun_is_never_continued_by_another(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            fallbacks = {"reset_mid_answer": ("better",)}
            async with served(tmp_path, upstream.port, "reset_mid_answer", "better", fallbacks=fallbacks) as found:
                answer = await ask(found.url, chat("reset_mid_answer", stream=True))
                assert answer.status == 200 and not answer.is_whole
                assert json.loads(answer.events[-1])["error"]["code"] == "upstream_error"
                assert upstream.counts()["better"] == 0
                assert kinds(found) == [("reset_mid_answer", "first", "reset")] and not found.only.delivered

    run(test())


def test_backoff_waits_and_a_client_that_leaves_meanwhile_ends_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"fallbacks": {"status:500": ("better",)}, "admission": {"delay_s": 0.2}}
            async with served(tmp_path, upstream.port, "status:500", "better", **more) as found:
                async with raw_client(found.url) as client:
                    await client.send(request("/v1/chat/completions", chat("status:500")))
                    await until(lambda: bool(found.admission.asked_next))
                    client.abort()
                    await until(lambda: bool(found.admission.finished))
                await asyncio.sleep(0.25)
                assert upstream.counts()["better"] == 0
                found.admission.finished.clear()
                assert (await ask(found.url, chat("status:500"))).status == 200
                first, second = found.only.attempts
                assert second.started_monotonic_s - (first.ended_monotonic_s or 0.0) >= 0.19

    run(test())


def test_no_attempt_begins_after_the_total_time(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"fallbacks": {"status:500": ("better",)}, "admission": {"delay_s": 60.0}}
            async with served(tmp_path, upstream.port, "status:500", "better", **more) as found:
                answer = await ask(found.url, chat("status:500"))
                assert answer.status == 502
                assert upstream.counts()["better"] == 0

    run(test())


@pytest.mark.parametrize("is_stream", [False, True])
def test_total_time(tmp_path: Path, is_stream: bool) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            times = replace(SHORT, total_s=0.3, first_byte_s=9.0, idle_s=9.0)
            async with served(tmp_path, upstream.port, "endless", timeouts=times) as found:
                answer = await ask(found.url, chat("endless", stream=is_stream))
                assert found.only.attempts[0].failure == "total_timeout"
                if is_stream:
                    assert not answer.is_whole
                    assert json.loads(answer.events[-1])["error"]["code"] == "upstream_timeout"
                else:
                    assert (answer.status, answer.code) == (504, "upstream_timeout")
                await until(lambda: not upstream.open_connections)

    run(test())


def test_a_hedge_answers_where_the_first_is_slow(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"fallbacks": {"stall_before": ("better",)}, "retries": Retries(hedge_after_s=0.1)}
            times = replace(SHORT, first_byte_s=9.0)
            async with served(tmp_path, upstream.port, "stall_before", "better", timeouts=times, **more) as found:
                for is_stream in (False, True):
                    answer = await ask(found.url, chat("stall_before", stream=is_stream))
                    assert answer.status == 200 and answer.is_whole
                    slow, quick = found.only.attempts
                    assert (quick.kind, quick.failure) == ("hedge", None)
                    assert slow.failure == "superseded" and not slow.is_aborted, "nobody left"
                    assert slow.tokens is not None and slow.tokens.is_estimated
                    found.admission.finished.clear()
                await until(lambda: all(each.left_monotonic_s for each in upstream.asked_for("stall_before")))
                assert upstream.counts() == {"stall_before": 2, "better": 2}

    run(test())


def test_the_first_may_still_win_against_its_hedge(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[Step]:
        yield 0.25 if asked.model == "slow" else 5.0
        yield from good(asked)

    async def test() -> None:
        async with scripted_upstream(script) as upstream:
            more: dict[str, Any] = {"fallbacks": {"slow": ("slower",)}, "retries": Retries(hedge_after_s=0.1)}
            times = replace(SHORT, first_byte_s=9.0)
            async with served(tmp_path, upstream.port, "slow", "slower", timeouts=times, **more) as found:
                answer = await ask(found.url, chat("slow"))
                assert answer.header("x-breakeven-model") == "slow"
                assert [each.failure for each in found.only.attempts] == [None, "superseded"]

    run(test())


def escalating(*to: str) -> Any:
    """A change of plans: answers are checked, and these are asked when one fails."""

    def change(plan: Plan) -> None:
        by_name = {each.name: each for each in plan.targets}
        plan.escalate_to = tuple(by_name[each] for each in to)
        plan.targets = plan.targets[:1]
        plan.answer_checks = lambda answer: Verdict("plain" not in answer.text, "plain")

    return change


def test_an_answer_that_fails_its_checks_is_asked_for_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"fallbacks": {"good:12": ("good:6", "good:2")}}
            more["admission"] = {"change": escalating("good:6", "good:2")}
            async with served(tmp_path, upstream.port, "good:12", "good:6", "good:2", **more) as found:
                answer = await ask(found.url, chat("good:12"))
                assert answer.status == 200 and answer.header("x-breakeven-model") == "good:2"
                assert kinds(found) == [
                    ("good:12", "first", "rejected"),
                    ("good:6", "escalation", "rejected"),
                    ("good:2", "escalation", None),
                ]
                assert all(each.tokens is not None for each in found.only.attempts), "all of them are billed"

    run(test())


@pytest.mark.parametrize(("limit_bytes", "status"), [(1_000_000, 200), (300, 502)])
def test_an_answer_that_is_checked_for_a_stream_is_never_passed_on_unchecked(
    tmp_path: Path, limit_bytes: int, status: int
) -> None:
    def buffered(plan: Plan) -> None:
        plan.answer_checks = lambda _: Verdict(True)
        plan.facts, plan.is_buffered = asked_whole(plan.facts), True

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"admission": {"change": buffered}}
            more["wire"] = replace(WireLimits(), answer_buffer_max_bytes=limit_bytes)
            async with served(tmp_path, upstream.port, "good:60", **more) as found:
                answer = await ask(found.url, chat("good:60", stream=True))
                assert answer.status == status and answer.is_whole
                assert (answer.header("content-type") == "text/event-stream") is (status == 200)
                assert found.only.attempts[0].failure == (None if status == 200 else "too_large")

    run(test())


def test_where_nobody_does_better_the_answer_is_given_out_after_all(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"fallbacks": {"good:12": ("status:500",)}}
            more["admission"] = {"change": escalating("status:500")}
            async with served(tmp_path, upstream.port, "good:12", "status:500", **more) as found:
                answer = await ask(found.url, chat("good:12"))
                assert answer.status == 200 and "plain" in answer.document["choices"][0]["message"]["content"]
                assert [each.failure for each in found.only.attempts] == ["rejected", "status"]

    run(test())


def shadowed(name: str) -> Any:
    """A change of plans: a copy goes to the second target."""

    def change(plan: Plan) -> None:
        plan.shadow = next(each for each in plan.targets if each.name == name)
        plan.targets = plan.targets[:1]

    return change


@pytest.mark.parametrize("shadow", ["other", "status:500", "stall_before", "huge:3"])
def test_a_shadow_is_recorded_and_never_felt(tmp_path: Path, shadow: str) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"fallbacks": {"good": (shadow,)}, "admission": {"change": shadowed(shadow)}}
            more["shadows"] = (Shadow(shadow, 1.0, in_flight_max_count=1),)
            async with served(tmp_path, upstream.port, "good", shadow, **more) as found:
                answer = await ask(found.url, chat("good"))
                assert answer.status == 200 and answer.header("x-breakeven-model") == "good"
                await until(lambda: len(found.admission.finished) == 2)
                mine = next(each for each in found.admission.finished if each.attempts[0].kind == "shadow")
                assert len(mine.attempts) == 1 and not mine.delivered and mine.plan.reservation is None
                assert upstream.counts() == {"good": 1, shadow: 1}
                assert found.relay.open_requests_count == 0

    run(test())


def test_shadows_are_bounded(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            more: dict[str, Any] = {"fallbacks": {"good": ("endless",)}, "admission": {"change": shadowed("endless")}}
            more["shadows"] = (Shadow("endless", 1.0, in_flight_max_count=2),)
            async with served(
                tmp_path, upstream.port, "good", "endless", timeouts=replace(SHORT, first_byte_s=9.0), **more
            ) as found:
                answers = await asyncio.gather(*(ask(found.url, chat("good")) for _ in range(10)))
                assert [each.status for each in answers] == [200] * 10
                await until(lambda: found.relay.open_requests_count == 2)
                assert upstream.counts()["endless"] == 2

    run(test())


class SlowSink:
    """A disk that takes its time."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[None]] = []

    def put(self, line: bytes) -> None:
        """Not used here."""

    def written(self) -> Awaitable[None]:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        return future


@pytest.mark.parametrize("is_stream", [False, True])
def test_with_durability_request_the_end_comes_after_the_record(tmp_path: Path, is_stream: bool) -> None:
    async def test() -> None:
        sink = SlowSink()
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "good", sink=sink, durability="request") as found,
        ):
            asking: asyncio.Task[RawAnswer] = asyncio.create_task(ask(found.url, chat("good", stream=is_stream)))
            await until(lambda: bool(sink.waiting))
            assert len(found.admission.finished) == 1, "the Call is handed over before the answer's end"
            await asyncio.sleep(0.05)
            assert not asking.done()
            sink.waiting[0].set_result(None)
            answer = await asking
            assert answer.status == 200 and answer.is_whole

    run(test())


def test_a_client_that_leaves_is_noticed_upstream_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream, served(tmp_path, upstream.port, "endless") as found:
            for is_stream in (False, True):
                async with raw_client(found.url) as client:
                    await client.send(request("/v1/chat/completions", chat("endless", stream=is_stream)))
                    await until(lambda: bool(upstream.asked_for("endless")))
                    if is_stream:
                        await client.head()
                    client.abort()
                    await until(lambda: bool(found.admission.finished))
                took_s = await until(lambda: not upstream.open_connections)
                assert took_s < 2.0
                only = found.only
                assert not only.delivered and only.attempts[0].is_aborted
                assert only.attempts[0].failure == "client_gone"
                tokens = only.attempts[0].tokens
                assert tokens is not None and tokens.is_estimated and tokens.input_tokens > 0
                found.admission.finished.clear()
                upstream.asked.clear()

    run(test())


def test_a_stale_connection_is_replaced_once_and_nobody_hears_of_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            scripted_upstream(Repertoire()) as upstream,
            served(tmp_path, upstream.port, "early_answer", "good", "reset_before_head") as found,
        ):
            for _ in range(5):
                assert (await ask(found.url, chat("early_answer"))).status == 200
                await asyncio.sleep(0.01)
            assert [len(each.attempts) for each in found.admission.finished] == [1] * 5
            assert (await ask(found.url, chat("good"))).status == 200
            assert (await ask(found.url, chat("reset_before_head"))).status == 502, "twice is a failure"
            assert upstream.counts()["reset_before_head"] == 2

    run(test())


def test_connections_are_used_again_and_waited_for(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            few = upstream_at(upstream.port, connections_max_count=2)
            times = replace(SHORT, connect_s=5.0)
            async with served(tmp_path, upstream.port, "good:3", upstream=few, timeouts=times) as found:
                answers = await asyncio.gather(*(ask(found.url, chat("good:3")) for _ in range(20)))
                assert [each.status for each in answers] == [200] * 20
                assert upstream.connections_count == 2 == found.relay.upstream_connections_count

    run(test())


def test_who_waits_too_long_for_a_connection_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            few = upstream_at(upstream.port, connections_max_count=1)
            times = replace(SHORT, connect_s=0.1, first_byte_s=9.0)
            async with served(tmp_path, upstream.port, "endless", upstream=few, timeouts=times) as found:
                first = asyncio.create_task(ask(found.url, chat("endless")))
                await until(lambda: bool(upstream.asked))
                second = await ask(found.url, chat("endless"))
                assert (second.status, second.code) == (502, "upstream_error")
                assert found.only.attempts[0].failure == "connect" and not found.only.attempts[0].was_sent
                first.cancel()

    run(test())


def test_a_request_that_was_taken_is_not_sent_again_in_silence(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[Step]:
        if asked.model == "good":
            yield from good(asked)
        else:
            yield 0.6
            yield "reset"

    async def test() -> None:
        times = replace(SHORT, first_byte_s=9.0)
        async with (
            scripted_upstream(script) as upstream,
            served(tmp_path, upstream.port, "good", "dies", timeouts=times) as found,
        ):
            assert (await ask(found.url, chat("good"))).status == 200
            found.admission.finished.clear()
            assert (await ask(found.url, chat("dies"))).status == 502
            assert upstream.counts()["dies"] == len(found.only.attempts) == 1
            assert upstream.connections_count == 1, "it went over the connection that was open"

    run(test())


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
def test_without_usage_plain_and_streamed_answers_are_estimated_alike(tmp_path: Path, pause_s: float) -> None:
    def script(asked: Asked) -> Iterator[Step]:
        if asked.is_stream:
            yield from good(asked)
        else:
            document = {each: value for each, value in chat_answer(asked, 12).items() if each != "usage"}
            answer = plain(document)
            yield answer[:-20]
            if pause_s:
                yield pause_s
            yield answer[-20:]

    async def test() -> None:
        async with scripted_upstream(script) as upstream, served(tmp_path, upstream.port, "m") as found:
            assert (await ask(found.url, chat("m"))).status == 200
            tokens = found.only.attempts[0].tokens
            said = "".join(words(12)).encode()
            assert tokens is not None and tokens.is_estimated
            assert tokens.output_tokens == -(-len(said) // 4) and tokens.input_tokens > 0

    run(test())


def test_what_our_own_control_process_says_is_passed_on(tmp_path: Path) -> None:
    def script(asked: Asked) -> Iterator[Step]:
        code = asked.document["code"]
        yield plain({"error": {"code": f"own_{code}", "message": "see /admin"}}, f"{code} Own")

    def to_control(plan: Plan) -> None:
        plan.targets = plan.targets[:1]

    async def test() -> None:
        async with (
            scripted_upstream(script) as control,
            served(tmp_path, control.port, "", admission={"change": to_control}) as found,
        ):
            for code in (200, 409, 503):
                answer = await ask(found.url, {"code": code}, "/v1/outcomes")
                assert (answer.status, answer.code) == (code, f"own_{code}")
            assert control.asked[0].path == "/v1/outcomes"
        async with served(tmp_path, closed_port(), "", admission={"change": to_control}) as found:
            answer = await ask(found.url, {"code": 200}, "/v1/outcomes")
            assert (answer.status, answer.code) == (503, "outcomes_unavailable")

    run(test())
