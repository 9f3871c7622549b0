"""Everything that an upstream can do wrong, each under the name of the model that asks for it."""

from __future__ import annotations

import gzip
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from gateway.parts.answers import (
    DONE,
    STREAM_HEAD,
    bill,
    chat_answer,
    chat_chunk,
    chat_events,
    chunk,
    compact,
    event,
    good,
    plain,
    stream,
    usage,
)
from gateway.parts.final_chunks import ENDINGS, cumulative, ending, unreported
from gateway.parts.scripted_upstream import Asked, Script, Step
from gateway.parts.tool_scripts import echo, tool_calls

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MB = 1_000_000
SECRET = "sk-upstream-canary-3141592653"
"""What a careless upstream repeats in its errors."""


def _begun(asked: Asked, pieces_count: int = 4) -> Iterator[bytes]:
    """A stream's head and first words."""
    bill(asked, pieces_count)
    yield STREAM_HEAD
    for each in chat_events(asked, 12)[: pieces_count + 1]:
        yield chunk(each)


def _half(asked: Asked) -> bytes:
    """Half of a plain answer, the whole one's length promised."""
    whole = plain(chat_answer(asked, 12))
    return whole[: len(whole) - 150]


def _started(asked: Asked) -> Iterator[Step]:
    yield from _begun(asked) if asked.is_stream else (_half(asked),)


def reset_before_head(asked: Asked) -> Iterator[Step]:
    """The connection breaks with the request read and no byte answered."""
    yield "reset"


def works_then_resets(asked: Asked) -> Iterator[Step]:
    """It works on the request for a while, then the connection breaks without a byte."""
    yield 0.3
    yield "reset"


def close_before_head(asked: Asked) -> Iterator[Step]:
    """It ends, politely, without an answer."""
    yield "close"


def reset_in_head(asked: Asked) -> Iterator[Step]:
    """It breaks in the middle of a header."""
    yield b"HTTP/1.1 200 OK\r\nContent-Ty"
    yield 0.01
    yield "reset"


def reset_mid_answer(asked: Asked) -> Iterator[Step]:
    """It breaks in the middle of the answer."""
    yield from _started(asked)
    yield 0.02
    yield "reset"


def close_mid_answer(asked: Asked) -> Iterator[Step]:
    """It ends in the middle of the answer."""
    yield from _started(asked)
    yield 0.02
    yield "close"


def end_without_mark(asked: Asked) -> Iterator[Step]:
    """HTTP ends well, the stream has neither finish reason nor [DONE]; a plain answer lacks its last bytes."""
    if asked.is_stream:
        yield from _begun(asked)
        yield b"0\r\n\r\n"
    else:
        yield plain(compact(chat_answer(asked, 12))[:-40])


def stall_before(asked: Asked) -> Iterator[Step]:
    """No byte ever comes."""
    yield "hold"


def stall_in_head(asked: Asked) -> Iterator[Step]:
    """Half a head comes, then nothing."""
    yield b"HTTP/1.1 200 OK\r\nContent-"
    yield "hold"


def stall_mid_answer(asked: Asked) -> Iterator[Step]:
    """The answer begins, then nothing."""
    yield from _started(asked)
    yield "hold"


def drip(asked: Asked, pause_s: float = 0.004) -> Iterator[Step]:
    """Everything comes, a byte or two at a time."""
    whole = b"".join(step for step in good(asked, 3) if isinstance(step, bytes))
    for at in range(0, len(whole), 7):
        yield whole[at : at + 7]
        if at < 700:
            yield pause_s


def status(asked: Asked, code: int) -> Iterator[Step]:
    """An error with a careless body: it names a key and a host of the upstream's own."""
    headers = b"Retry-After: 2\r\nX-Internal-Host: db7.corp.example\r\n" if code == 429 else b"X-Internal-Host: db7\r\n"
    text = f"Trouble {code}: key {SECRET} at http://10.1.2.3:8080/internal?token={SECRET} failed"
    kind = "rate_limit_error" if code == 429 else "server_error" if code >= 500 else "invalid_request_error"
    yield plain({"error": {"message": text, "type": kind, "param": None, "code": None}}, f"{code} Trouble", headers)


def length_too_long(asked: Asked) -> Iterator[Step]:
    """Fewer bytes than promised, then the end."""
    body = compact(chat_answer(asked, 12))
    yield OK + b"Content-Length: %d\r\n\r\n" % (len(body) + 100) + body
    yield "close"


def length_too_short(asked: Asked) -> Iterator[Step]:
    """More bytes than promised: what is left over looks like an answer to somebody else's question."""
    body = compact(chat_answer(asked, 12))
    yield OK + b"Content-Length: %d\r\n\r\n" % len(body) + body + OK + b'Content-Length: 11\r\n\r\n{"evil": 1}'


def two_lengths(asked: Asked) -> Iterator[Step]:
    """Two lengths that differ."""
    body = compact(chat_answer(asked, 12))
    yield OK + b"Content-Length: %d\r\nContent-Length: 5\r\n\r\n" % len(body) + body
    yield "close"


def length_and_chunks(asked: Asked) -> Iterator[Step]:
    """Both framings at once."""
    body = compact(chat_answer(asked, 12))
    yield OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(body) + b"0\r\n\r\n"
    yield "close"


def bad_chunk(asked: Asked) -> Iterator[Step]:
    """A chunk size that is none, after good ones."""
    yield from _begun(asked)
    yield 0.02
    yield b"xyz\r\nwhat\r\n"
    yield "close"


def invalid_json(asked: Asked) -> Iterator[Step]:
    """200, and the body is no JSON; in a stream one event is none."""
    if asked.is_stream:
        yield from _begun(asked)
        yield chunk(b'data: {"choices": [{"delta": {"content": \n\n') + chunk(DONE) + b"0\r\n\r\n"
    else:
        yield plain(b'{"id": "chatcmpl-1", "choices": [{"message": }]')


def page(asked: Asked) -> Iterator[Step]:
    """200, and the body is somebody's login page."""
    body = b"<!doctype html><title>Log in</title>"
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def empty(asked: Asked) -> Iterator[Step]:
    """200, and nothing."""
    yield OK + b"Content-Length: 0\r\n\r\n"


def no_object(asked: Asked) -> Iterator[Step]:
    """200, valid JSON, and no answer."""
    yield plain(b"[null, 7]")


def invalid_utf8(asked: Asked) -> Iterator[Step]:
    """Bytes that are no text in the middle of a word."""
    if asked.is_stream:
        yield from _begun(asked)
        yield 0.02
        yield chunk(b'data: {"choices":[{"index":0,"delta":{"content":"\xff\xfe\xc3"},"finish_reason":null}]}\n\n')
        yield chunk(event(chat_chunk(asked, {}, "stop", usage=usage(asked, 12)))) + chunk(DONE) + b"0\r\n\r\n"
    else:
        yield plain(compact(chat_answer(asked, 12)).replace("東".encode(), b"\xff\xc3"))


def huge(asked: Asked, megabytes: int = 100) -> Iterator[Step]:
    """A plain answer of 100 MB: its text is mostly spaces."""
    lead, mark, rest = compact(chat_answer(asked, 12)).partition(b'"content":"')
    filling = megabytes * MB // 65_536 * 65_536
    yield OK + b"Content-Length: %d\r\n\r\n" % (len(lead + mark + rest) + filling) + lead + mark
    yield filling
    yield rest


def huge_event(asked: Asked, megabytes: int = 20) -> Iterator[Step]:
    """One event of 20 MB in a stream."""
    filling = megabytes * MB // 65_536 * 65_536
    lead, rest = event(chat_chunk(asked, {"content": "@"})).split(b"@")
    yield from _begun(asked)
    yield b"%x\r\n" % (len(lead) + filling + len(rest)) + lead
    yield filling
    yield rest + b"\r\n" + chunk(event(chat_chunk(asked, {}, "stop"))) + chunk(DONE) + b"0\r\n\r\n"


def garbage(asked: Asked) -> Iterator[Step]:
    """Not HTTP at all."""
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n"
    yield "close"


def endless_head(asked: Asked) -> Iterator[Step]:
    """Headers without end."""
    yield OK
    for _ in range(40):
        yield b"X-Filling: " + b"y" * 60_000 + b"\r\n"
    yield "hold"


def many_headers(asked: Asked) -> Iterator[Step]:
    """Ten thousand headers."""
    body = compact(chat_answer(asked, 12))
    yield OK + b"".join(b"X-%d: 1\r\n" % number for number in range(10_000))
    yield b"Content-Length: %d\r\n\r\n" % len(body) + body


def split_header(asked: Asked) -> Iterator[Step]:
    """A header with a bare carriage return, to smuggle another into the client's answer."""
    body = compact(chat_answer(asked, 12))
    yield OK + b"X-A: b\rSet-Cookie: evil=1\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def interim(asked: Asked) -> Iterator[Step]:
    """100 Continue and 103 Early Hints come first, then a good answer."""
    yield b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    yield from good(asked)


def switching(asked: Asked) -> Iterator[Step]:
    """101: it wants to speak something else."""
    yield b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello"
    yield "hold"


def redirect(asked: Asked) -> Iterator[Step]:
    """A redirect to an address of its choice."""
    yield b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"


def no_content(asked: Asked) -> Iterator[Step]:
    """204."""
    yield b"HTTP/1.1 204 No Content\r\n\r\n"


def zipped(asked: Asked) -> Iterator[Step]:
    """gzip, though identity was asked for."""
    body = gzip.compress(compact(chat_answer(asked, 12)), mtime=0)
    yield OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def error_event(asked: Asked) -> Iterator[Step]:
    """The stream begins well, then an event says error, then it ends well."""
    yield from _begun(asked)
    text = f"overloaded at http://10.1.2.3/ with {SECRET}"
    yield chunk(event({"error": {"message": text, "type": "server_error", "code": 502}}))
    yield chunk(DONE) + b"0\r\n\r\n"


def error_event_first(asked: Asked) -> Iterator[Step]:
    """200, and the first event is an error."""
    yield STREAM_HEAD
    yield chunk(event({"error": {"message": "overloaded", "type": "overloaded_error", "code": 529}})) + b"0\r\n\r\n"


def error_in_200(asked: Asked) -> Iterator[Step]:
    """200, and the plain body is an error."""
    yield plain({"error": {"message": "overloaded", "type": "server_error", "code": 502}})


def plain_for_stream(asked: Asked) -> Iterator[Step]:
    """A stream was asked for, a plain answer comes."""
    yield plain(chat_answer(asked, 12))


def stream_for_plain(asked: Asked) -> Iterator[Step]:
    """A plain answer was asked for, a stream comes."""
    yield from stream(chat_events(asked, 12))


def until_close(asked: Asked) -> Iterator[Step]:
    """A good answer without length, ended by the end of the connection."""
    if asked.is_stream:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + b"".join(chat_events(asked, 12))
    else:
        yield OK + b"\r\n" + compact(chat_answer(asked, 12))
    yield "close"


def old_http(asked: Asked) -> Iterator[Step]:
    """A good answer in HTTP/1.0."""
    yield plain(chat_answer(asked, 12)).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    yield "close"


def keeps_not(asked: Asked) -> Iterator[Step]:
    """A good answer, `Connection: close`."""
    yield plain(chat_answer(asked, 12), headers=b"Connection: close\r\n")
    yield "close"


def early_answer(asked: Asked) -> Iterator[Step]:
    """A good answer, and then the connection breaks: the next request meets a dead one."""
    yield plain(chat_answer(asked, 12))
    yield "reset"


FAULTS: dict[str, Script] = {
    each.__name__: each
    for each in (
        reset_before_head,
        close_before_head,
        reset_in_head,
        reset_mid_answer,
        close_mid_answer,
        end_without_mark,
        stall_before,
        stall_in_head,
        stall_mid_answer,
        drip,
        length_too_long,
        length_too_short,
        two_lengths,
        length_and_chunks,
        bad_chunk,
        invalid_json,
        page,
        empty,
        no_object,
        invalid_utf8,
        huge,
        huge_event,
        garbage,
        endless_head,
        many_headers,
        split_header,
        interim,
        switching,
        redirect,
        no_content,
        zipped,
        error_event,
        error_event_first,
        error_in_200,
        plain_for_stream,
        stream_for_plain,
        until_close,
        old_http,
        keeps_not,
        early_answer,
    )
}


class Repertoire:
    """Plays what the name of the model says, `NAME` or `NAME:NUMBER`; unknown names are good models.

    `flaky_status:503` fails every second time, `first_fails` the first time of each prompt only.
    """

    def __init__(self, more: dict[str, Script] | None = None) -> None:
        self.more = more or {}
        self.counts: Counter[str] = Counter()

    def __call__(self, asked: Asked) -> Iterator[Step]:
        name, _, argument = asked.model.partition(":")
        number = int(argument) if argument.isdigit() else None
        self.counts[asked.model] += 1
        return iter(self._script(name, number, argument)(asked))

    def _script(self, name: str, number: int | None, argument: str) -> Callable[[Asked], Iterator[Step]]:
        if name in self.more:
            return self.more[name]  # type: ignore[return-value]
        if name in FAULTS:
            fault: Any = FAULTS[name]
            return fault if number is None else lambda asked: fault(asked, number)  # type: ignore[no-any-return]
        if name == "status":
            return partial(status, code=number or 500)
        if name == "flaky_status":
            return partial(status, code=number or 500) if self.counts[f"{name}:{argument}"] % 2 else good
        if name == "flaky":
            return FAULTS[argument] if self.counts[f"{name}:{argument}"] % 2 else good  # type: ignore[return-value]
        if name == "tools":
            return partial(tool_calls, count=number or 1)
        if name == "unreported":
            return unreported
        if name == "works_then_resets":
            return works_then_resets
        if name == "echo":
            return echo
        if name == "ending":
            return cumulative if argument == "cumulative" else partial(ending, name=argument)
        if name == "slow":
            return partial(good, count=40, pause_s=(number or 5) / 1000)
        if name == "endless":
            return _endless
        return partial(good, count=number or 12)


def _endless(asked: Asked) -> Iterator[Step]:
    """Words until somebody leaves."""
    if not asked.is_stream:
        yield "hold"
        return
    yield STREAM_HEAD
    bill(asked, 0)
    for _ in itertools.count():
        asked.output_tokens += 1
        yield chunk(event(chat_chunk(asked, {"content": "word "})))
        yield 0.002


def all_endings() -> list[str]:
    """Names of models, one for each way to end a stream."""
    return [f"ending:{name}" for name in (*ENDINGS, "cumulative")]
