"""HTTP client: sends one request and reads its stream; the only file that knows aiohttp.

No failure is retried and no redirect is followed: what happens is what is counted. One thing is no failure: a
connection kept open from an earlier request, which the server drops before it answers a single byte (llama.cpp
promises to keep connections and does not). Then the request is sent again, once, on a fresh connection, timed from
there, and counted as a reconnection. A server that does so often gets fresh connections from then on.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final

import aiohttp

from breakeven.bench.endpoint import Endpoint
from breakeven.bench.event_stream import DONE, EventParser, Garbage, Piece, piece_of
from breakeven.bench.load import Limits
from breakeven.bench.request_record import FailureKind, RequestRecord
from breakeven.bench.watch import Watch

EVENT_STREAM: Final = "text/event-stream"
Observer = Callable[[float, bytes], None]
_FRESH_FROM_COUNT: Final = 3
_FRESH_FROM_FRACTION: Final = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """What one request says, and when it was to start."""

    prompt: str
    input_tokens: int
    output_tokens: int
    scheduled_s: float | None = None
    """On the clock of `time.perf_counter`; None: at once."""


class Client:
    """Keeps connections open between requests, as many as are needed at once, where the server does too."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        fresh: aiohttp.ClientSession,
        limits: Limits,
        observe: Observer | None = None,
        secret: str = "",
    ) -> None:
        self._session, self._fresh = session, fresh
        self._secret = secret
        self._asked_count = 0
        self.reconnections_count = 0
        """Requests sent again because the server had dropped the connection that was kept for them."""
        self._limits = limits
        self._observe = observe
        self.server_name: str = ""
        """The ``Server`` header of the last answer."""

    async def ask(self, endpoint: Endpoint, job: Job) -> RequestRecord:
        """Send one request and read its whole answer. Failures are in the record, never raised."""
        payload = json.dumps(endpoint.body(job.prompt, job.output_tokens), separators=(",", ":")).encode()
        watch = Watch(self._limits)
        started = time.perf_counter()
        record = RequestRecord(
            started, started if job.scheduled_s is None else job.scheduled_s, job.input_tokens, job.output_tokens
        )
        try:
            await self._on_kept_or_fresh(endpoint.url, payload, record, watch)
        except asyncio.CancelledError:
            if watch.verdict is None:
                raise
            _uncancel()
            if not record.is_done:
                record.failure, record.detail = watch.verdict
        except aiohttp.ServerTimeoutError:
            record.failure, record.detail = FailureKind.CONNECT_TIMEOUT, f"none within {self._limits.connect_s:g} s"
        except aiohttp.ClientConnectorError as error:
            record.failure, record.detail = FailureKind.REFUSED, str(error)[:300]
        except Garbage as error:
            record.failure, record.detail = FailureKind.GARBAGE, str(error)
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, ConnectionError) as error:
            if not record.is_done:
                record.failure, record.detail = FailureKind.CLOSED_EARLY, _closed(record, error)
        except (aiohttp.ClientError, ValueError) as error:  # no HTTP at all, a header too long, ...
            record.failure, record.detail = FailureKind.GARBAGE, f"{type(error).__name__}: {error}"[:300]
        finally:
            watch.stop()
            record.ended_s = time.perf_counter()
        _judge(record)
        if self._secret:  # some servers repeat the key that they refuse
            record.detail = record.detail.replace(self._secret, "***")
        return record

    async def _on_kept_or_fresh(self, url: str, payload: bytes, record: RequestRecord, watch: Watch) -> None:
        self._asked_count += 1
        if self.reconnections_count >= max(_FRESH_FROM_COUNT, _FRESH_FROM_FRACTION * self._asked_count):
            await self._exchange(self._fresh, url, payload, record, watch)
            return
        seen = _Attempt()
        try:
            await self._exchange(self._session, url, payload, record, watch, seen)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if not seen.on_kept_connection or seen.answered or isinstance(error, aiohttp.ClientConnectorError):
                raise
            self.reconnections_count += 1
            record.started_s = time.perf_counter()
            await self._exchange(self._fresh, url, payload, record, watch)

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        url: str,
        payload: bytes,
        record: RequestRecord,
        watch: Watch,
        seen: _Attempt | None = None,
    ) -> None:
        async with session.post(url, data=payload, allow_redirects=False, trace_request_ctx=seen) as answer:
            if seen is not None:
                seen.answered = True
            self.server_name = answer.headers.get("Server", self.server_name)[:80]
            if answer.status != 200:
                record.failure = f"http_{answer.status}"
                record.detail = await _start_of(answer) or answer.headers.get("Location", "") or str(answer.reason)
                return
            if answer.content_type != EVENT_STREAM:
                record.failure = FailureKind.NOT_A_STREAM
                record.detail = f"{answer.content_type or 'no content type'}: {await _start_of(answer)}"
                return
            await self._read(answer, record, watch)

    async def _read(self, answer: aiohttp.ClientResponse, record: RequestRecord, watch: Watch) -> None:
        parser = EventParser()
        clock = time.perf_counter
        times = record.text_times_s
        async for block in answer.content.iter_any():
            now = clock()
            if record.is_done:
                continue  # read to the end, so that the connection can be used again
            for data in parser.feed(block):
                if data == DONE:
                    _finish(record, watch)
                    break
                piece = piece_of(data)
                if piece.has_text:
                    times.append(now)
                    watch.progressed()
                if self._observe is not None:
                    self._observe(now, data)
                if _note(record, piece):
                    return
        if not record.is_done and DONE not in parser.rest():
            record.failure, record.detail = FailureKind.CLOSED_EARLY, _closed(record, None)


@asynccontextmanager
async def connected(
    limits: Limits, headers: Mapping[str, str], observe: Observer | None = None
) -> AsyncIterator[Client]:
    """A client whose connections are closed afterwards. No cookies, no proxies from the environment."""
    async with _session(limits, headers, keep=True) as kept, _session(limits, headers, keep=False) as fresh:
        yield Client(kept, fresh, limits, observe, secret=headers.get("Authorization", "").rpartition(" ")[2])


@dataclass(slots=True)
class _Attempt:
    """What is known of one attempt on a connection that may have been kept open."""

    on_kept_connection: bool = False
    answered: bool = False


def _session(limits: Limits, headers: Mapping[str, str], *, keep: bool) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(_note_kept)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, force_close=not keep),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=limits.connect_s, sock_read=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Content-Type": "application/json", "Accept": EVENT_STREAM, "Accept-Encoding": "identity", **headers},
        read_bufsize=2**18,
        trace_configs=[trace] if keep else [],
    )


async def _note_kept(_session: aiohttp.ClientSession, context: SimpleNamespace, _: object) -> None:
    seen = context.trace_request_ctx
    if isinstance(seen, _Attempt):
        seen.on_kept_connection = True


def _note(record: RequestRecord, piece: Piece) -> bool:
    """Keep what a piece says besides its text; True when nothing good can follow."""
    if piece.error is not None:
        record.failure, record.detail = FailureKind.ERROR_EVENT, piece.error
        return True
    if piece.finish_reason is not None:
        record.finish_reason = piece.finish_reason
    if piece.prompt_tokens is not None:
        record.prompt_tokens = piece.prompt_tokens
    if piece.cached_tokens is not None:
        record.cached_tokens = piece.cached_tokens
    if piece.completion_tokens is not None:
        record.completion_tokens = piece.completion_tokens
    return False


def _finish(record: RequestRecord, watch: Watch) -> None:
    record.is_done = True
    watch.answered()


def _judge(record: RequestRecord) -> None:
    """An answer that ended well may still be none."""
    if record.failure is not None:
        return
    if not record.text_times_s:
        said = f"; the server counts {record.completion_tokens} tokens" if record.completion_tokens else ""
        record.failure, record.detail = FailureKind.NO_TOKENS, f"a complete answer without text{said}"
    elif (record.completion_tokens or 0) > record.wanted_output_tokens:
        record.failure = FailureKind.IMPOSSIBLE_USAGE
        record.detail = f"{record.completion_tokens} tokens counted, {record.wanted_output_tokens} asked for at most"


def _closed(record: RequestRecord, error: BaseException | None) -> str:
    why = f" ({type(error).__name__})" if error is not None else ""
    return f"the connection ended after {len(record.text_times_s)} events with text, before [DONE]{why}"


async def _start_of(answer: aiohttp.ClientResponse) -> str:
    """The first words of a body that is no stream."""
    start = await answer.content.read(400)
    return " ".join(start.decode("utf-8", "replace").split())[:200]


def _uncancel() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
