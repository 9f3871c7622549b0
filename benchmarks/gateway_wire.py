"""How long the gateway's wire takes: read_request with outgoing_body, and feed for one piece of a stream.

    python benchmarks/gateway_wire.py [--json]

Prints the least CPU time of many runs in microseconds. Targets: 4 us for a body of 300 bytes, 8 us for 2 KB, 0.4 us
a piece.
"""

from __future__ import annotations

import argparse
import json
import time
import timeit
from collections.abc import Callable

import orjson

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Dialect, Target, Upstream
from breakeven.gateway.wire.answers import reader_for
from breakeven.gateway.wire.outgoing import outgoing_body, outgoing_path
from breakeven.gateway.wire.request_facts import read_request

CHAT = b"/v1/chat/completions"


def target(dialect: Dialect = "openai") -> Target:
    """A model under another name at its upstream."""
    return Target("small", Upstream("u", "127.0.0.1", 9000, False, b"/v1", dialect), "vendor/small-2026")


def body(bytes_count: int, **more: object) -> bytes:
    """A chat request of about so many bytes."""
    messages = [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": ""}]
    document = {"model": "auto", "messages": messages, "temperature": 0.2, "max_tokens": 200, **more}
    words = "the customer says that the parcel never came and asks what to do now; "
    messages[1]["content"] = (words * 100)[: bytes_count - len(orjson.dumps(document))]
    return orjson.dumps(document)


def microseconds(statement: Callable[[], object], repeats_count: int = 1_500, runs_count: int = 200) -> float:
    """CPU time of one run, the least of all repeats: what other programs do to the machine is left out."""
    times = timeit.repeat(statement, number=runs_count, repeat=repeats_count, timer=time.thread_time)
    return min(times) / runs_count * 1e6


def facts_of(path: bytes, data: bytes) -> RequestFacts:
    """Facts of a request that is one."""
    facts = read_request(path, data)
    assert isinstance(facts, RequestFacts)
    return facts


def request_us(data: bytes, to: Target) -> float:
    """read_request, outgoing_path and outgoing_body of one request."""

    def once() -> None:
        facts = facts_of(CHAT, data)
        outgoing_path(facts, to)
        outgoing_body(facts, to)

    return microseconds(once)


def piece_us(path: bytes, data: bytes, to: Target, opening: bytes, piece: bytes) -> float:
    """feed of one piece in the middle of a stream."""
    reader = reader_for(facts_of(path, data), to, True)
    reader.feed(opening)
    assert reader.feed(piece)
    return microseconds(lambda: reader.feed(piece))


def chunk(text: str, tail: str = "") -> bytes:
    """One chunk of a chat stream, as OpenAI writes it."""
    start = '{"id":"chatcmpl-9x8y7z","object":"chat.completion.chunk","created":1790000000,"model":"small-2026",'
    choice = f'"choices":[{{"index":0,"delta":{{"content":"{text}"}},"logprobs":null,"finish_reason":null}}]'
    return f"data: {start}{choice}{tail}}}\n\n".encode()


def anthropic_delta(text: str) -> bytes:
    """One delta of Anthropic's stream."""
    data = '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"' + text + '"}}'
    return f"event: content_block_delta\ndata: {data}\n\n".encode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    is_json = parser.parse_args().json
    small, large = body(300), body(2_048)
    asked = body(300, stream=True, stream_options={"include_usage": True})
    unasked = body(300, stream=True)
    openai, anthropic = target(), target("anthropic")
    rows = {
        "read_request + outgoing, 300 bytes": request_us(small, openai),
        "read_request + outgoing, 300 bytes, streamed": request_us(unasked, openai),
        "read_request + outgoing, 2 KB": request_us(large, openai),
        "read_request + outgoing, 2 KB, chat to messages": request_us(large, anthropic),
        "feed, chat chunk": piece_us(CHAT, asked, openai, chunk("a"), chunk(" word")),
        "feed, chat chunk, usage null taken out": piece_us(
            CHAT, unasked, openai, chunk("a", ',"usage":null'), chunk(" word", ',"usage":null')
        ),
        "feed, messages delta": piece_us(
            b"/v1/messages", small, anthropic, anthropic_delta("a"), anthropic_delta(" word")
        ),
        "feed, chat chunk from messages": piece_us(
            CHAT, unasked, anthropic, anthropic_delta("a"), anthropic_delta(" word")
        ),
    }
    if is_json:
        print(json.dumps({name: round(value, 3) for name, value in rows.items()}))
        return
    for name, value in rows.items():
        print(f"{value:8.2f} us  {name}")


if __name__ == "__main__":
    main()
