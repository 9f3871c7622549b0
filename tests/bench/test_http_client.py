"""One request against a server that misbehaves in every way there is: each is a failure with its own kind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from bench.scripted_server import DONE, STREAM_HEAD, Step, answer, event, plain, scripted, text_event, usage_event
from breakeven.bench.endpoint import endpoint_at
from breakeven.bench.http_client import Job, connected
from breakeven.bench.load import Limits
from breakeven.bench.mock_server import Timetable, port_of, serve
from breakeven.bench.request_record import FailureKind, RequestRecord

PATIENT = Limits()
SHORT = {
    FailureKind.NO_FIRST_TOKEN: Limits(first_token_s=0.25),
    FailureKind.STALLED: Limits(idle_s=0.25),
    FailureKind.TOO_LONG: Limits(total_s=0.5),
}
"""The one limit that is to strike."""
ROLE = event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
WORD = text_event()


def asked(url: str, limits: Limits = PATIENT, output_tokens: int = 8) -> RequestRecord:
    """What happens to one request."""

    async def ask() -> RequestRecord:
        async with connected(limits, {}) as client:
            return await client.ask(endpoint_at(url, "m", "chat"), Job("hello", 5, output_tokens))

    return asyncio.run(ask())


def asked_of(steps: Sequence[Step], limits: Limits = PATIENT, output_tokens: int = 8) -> RequestRecord:
    """What happens to one request that is answered with `steps`."""

    async def ask() -> RequestRecord:
        async with scripted(lambda _, __: steps) as server, connected(limits, {}) as client:
            return await client.ask(endpoint_at(server.url, "m", "chat"), Job("hello", 5, output_tokens))

    return asyncio.run(ask())


BAD: dict[str, tuple[Sequence[Step], str]] = {
    "500": ([plain("500 Internal Server Error", b'{"error": "out of memory"}')], "http_500"),
    "429": ([plain("429 Too Many Requests", b"{}")], "http_429"),
    "404": ([plain("404 Not Found", b'{"error": {"message": "no such model"}}')], "http_404"),
    "redirect": ([b"HTTP/1.1 307 x\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"], "http_307"),
    "html": ([plain("200 OK", b"<html><title>Welcome</title>", "text/html")], FailureKind.NOT_A_STREAM),
    "json, not streamed": ([plain("200 OK", b'{"choices": []}')], FailureKind.NOT_A_STREAM),
    "no content type": ([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], FailureKind.NOT_A_STREAM),
    "stalls before the head": ([5.0], FailureKind.NO_FIRST_TOKEN),
    "stalls before the first token": ([STREAM_HEAD, ROLE, 5.0], FailureKind.NO_FIRST_TOKEN),
    "only pings": ([STREAM_HEAD, *[b": ping\n\n", 0.05] * 20], FailureKind.NO_FIRST_TOKEN),
    "stalls in mid-stream": ([STREAM_HEAD, WORD, 5.0], FailureKind.STALLED),
    "drips for ever": ([STREAM_HEAD, *[WORD, 0.1] * 50], FailureKind.TOO_LONG),
    "garbage in mid-stream": ([STREAM_HEAD, WORD, b"\x00\xff\xfe garbage\n\n", DONE], FailureKind.GARBAGE),
    "half an object": ([STREAM_HEAD, WORD, b'data: {"choices": [\n\n', DONE], FailureKind.GARBAGE),
    "HTML in a stream": ([STREAM_HEAD, b"<html>\n\n"], FailureKind.GARBAGE),
    "no HTTP": ([b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "close"], FailureKind.GARBAGE),
    "error in the stream": (
        [STREAM_HEAD, WORD, event({"error": {"message": "out of blocks"}})],
        FailureKind.ERROR_EVENT,
    ),
    "closes without a word": (["close"], FailureKind.CLOSED_EARLY),
    "closes after the head": ([STREAM_HEAD, "close"], FailureKind.CLOSED_EARLY),
    "closes in mid-stream": ([STREAM_HEAD, WORD, WORD, "close"], FailureKind.CLOSED_EARLY),
    "closes without [DONE]": ([STREAM_HEAD, WORD, usage_event(3, 1), "close"], FailureKind.CLOSED_EARLY),
    "breaks the connection": ([STREAM_HEAD, WORD, "reset"], FailureKind.CLOSED_EARLY),
    "empty answer": ([STREAM_HEAD, ROLE, usage_event(3, 0), DONE], FailureKind.NO_TOKENS),
    "counts tokens, sends none": ([STREAM_HEAD, ROLE, usage_event(3, 7), DONE], FailureKind.NO_TOKENS),
    "counts more than asked for": ([STREAM_HEAD, WORD, usage_event(3, 9), DONE], FailureKind.IMPOSSIBLE_USAGE),
}


@pytest.mark.parametrize("name", BAD)
def test_each_way_to_fail_has_a_kind(name: str) -> None:
    steps, kind = BAD[name]
    record = asked_of(steps, SHORT.get(FailureKind(kind), PATIENT) if kind in set(FailureKind) else PATIENT)
    assert record.failure == kind, record.detail
    assert not record.succeeded
    assert record.detail


def test_the_servers_own_words_are_kept() -> None:
    assert "out of memory" in asked_of(BAD["500"][0]).detail
    assert "out of blocks" in asked_of(BAD["error in the stream"][0]).detail
    assert "Welcome" in asked_of(BAD["html"][0]).detail


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    record = asked(f"http://127.0.0.1:{port}")
    assert record.failure == FailureKind.REFUSED


def test_tls_where_there_is_none() -> None:
    async def ask() -> RequestRecord:
        async with scripted(lambda _, __: answer()) as server, connected(Limits(connect_s=0.3), {}) as client:
            endpoint = endpoint_at(server.url.replace("http:", "https:"), "m", "chat")
            return await client.ask(endpoint, Job("hello", 5, 8))

    assert asyncio.run(ask()).failure == FailureKind.CONNECT_TIMEOUT


def test_a_good_answer() -> None:
    record = asked_of(answer(tokens=3, prompt=10))
    assert record.succeeded
    assert (record.prompt_tokens, record.output_tokens, len(record.text_times_s)) == (10, 3, 3)
    assert not record.is_estimated


def test_tokens_are_estimated_when_the_server_does_not_count() -> None:
    record = asked_of([STREAM_HEAD, ROLE, WORD, WORD, DONE])
    assert record.succeeded
    assert record.is_estimated
    assert record.output_tokens == 2


@pytest.mark.parametrize("odd", [-4, 2.5, "3", None, True])
def test_odd_counts_are_no_counts(odd: object) -> None:
    record = asked_of([STREAM_HEAD, WORD, WORD, usage_event(odd, odd), DONE])
    assert record.succeeded
    assert record.is_estimated
    assert record.output_tokens == 2
    assert record.prompt_tokens is None


def test_done_needs_no_blank_line_behind_it() -> None:
    assert asked_of([STREAM_HEAD, WORD, b"data: [DONE]"]).succeeded


def test_what_follows_done_does_not_matter() -> None:
    assert asked_of([STREAM_HEAD, WORD, DONE, b"garbage\n\n"]).succeeded


def test_a_connection_left_open_after_done_does_not_fail_the_answer() -> None:
    record = asked_of([STREAM_HEAD, WORD, DONE, 3.0])
    assert record.succeeded
    assert record.ended_s - record.started_s < 2.9


def test_times_are_not_shorter_than_the_server_takes() -> None:
    async def ask() -> RequestRecord:
        server = await serve(Timetable(ttft_s=0.05, tpot_s=0.02))
        async with server, connected(Limits(), {}) as client:
            endpoint = endpoint_at(f"127.0.0.1:{port_of(server)}", "mock", "chat")
            return await client.ask(endpoint, Job("hello", 5, 6))

    record = asyncio.run(ask())
    assert record.ttft_ms >= 50
    assert record.e2e_ms >= 50 + 5 * 20
    assert record.tpot_ms is not None
    assert record.tpot_ms >= 20 * 0.95  # timers tick in milliseconds
    assert sum(record.gaps_ms) == pytest.approx(record.e2e_ms - record.ttft_ms)


def test_a_kept_connection_that_the_server_dropped_is_asked_again_on_a_fresh_one() -> None:
    """llama.cpp promises to keep the connection after a stream, and closes it."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = WORD + usage_event(3, 1) + DONE
    whole = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    def script(number: int, _: object) -> Sequence[Step]:
        return ["close"] if number == 1 else [whole]

    script.keeps = True  # type: ignore[attr-defined]

    async def ask() -> tuple[list[RequestRecord], int, int]:
        async with scripted(script) as server, connected(PATIENT, {}) as client:
            endpoint = endpoint_at(server.url, "m", "chat")
            records = [await client.ask(endpoint, Job("hello", 5, 8)) for _ in range(3)]
            return records, client.reconnections_count, server.connections

    records, reconnections, connections = asyncio.run(ask())
    assert [each.failure for each in records] == [None, None, None]
    assert reconnections == 1
    assert connections == 2 + 1  # the third request: the first kept connection is gone, so one more


def test_a_fresh_connection_that_is_dropped_is_a_failure() -> None:
    async def ask() -> tuple[RequestRecord, int]:
        async with scripted(lambda _, __: ["close"]) as server, connected(PATIENT, {}) as client:
            record = await client.ask(endpoint_at(server.url, "m", "chat"), Job("hello", 5, 8))
            return record, client.reconnections_count

    record, reconnections = asyncio.run(ask())
    assert record.failure == FailureKind.CLOSED_EARLY
    assert reconnections == 0


def test_cancelling_from_outside_is_no_failure_of_the_server() -> None:
    async def ask() -> None:
        async with scripted(lambda _, __: [STREAM_HEAD, 5.0]) as server, connected(Limits(), {}) as client:
            task = asyncio.create_task(client.ask(endpoint_at(server.url, "m", "chat"), Job("hello", 5, 8)))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(ask())
