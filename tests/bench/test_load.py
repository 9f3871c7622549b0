"""Impossible wishes are refused in words; addresses are completed."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from breakeven.bench.arrivals import poisson, replay
from breakeven.bench.endpoint import Dialect, Endpoint, dialects, endpoint_at
from breakeven.bench.load import ClosedLoop, Lengths, Limits, OpenLoop
from breakeven.errors import BenchError


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ClosedLoop(0, 10), "concurrency 0; wanted 1 to"),
        (lambda: ClosedLoop(-3, 10), "concurrency -3"),
        (lambda: ClosedLoop(20_000, 10), "concurrency 20000"),
        (lambda: ClosedLoop(1, 0), "0 requests; wanted 1 or more"),
        (lambda: ClosedLoop(1, None), "no end"),
        (lambda: ClosedLoop(1, None, 0.0), "a duration of 0 s"),
        (lambda: ClosedLoop(1, None, math.nan), "a duration of nan s"),
        (lambda: Lengths(output_tokens=0), "output tokens 0; wanted 1 or more"),
        (lambda: Lengths(input_tokens=0), "input tokens 0; wanted 1 or more"),
        (lambda: Lengths(spread_fraction=1.0), "length spread 1"),
        (lambda: Lengths(10, 10, shared_prefix_tokens=10), "shared prefix of 10 tokens in a prompt of 10"),
        (lambda: Limits(idle_s=0.0), "a timeout of 0 s"),
        (lambda: Limits(total_s=math.inf), "a timeout of inf s"),
        (lambda: OpenLoop((), "nothing"), "no request to send"),
        (lambda: _poisson(0.0), "a rate of 0 requests per second"),
        (lambda: _poisson(-1.0), "a rate of -1"),
        (lambda: _poisson(math.nan), "a rate of nan"),
        (lambda: replay("log", [1.0], [5], [0]), "no call with output tokens"),
        (lambda: replay("log", [], [], []), "no call with output tokens"),
        (lambda: replay("log", [1.0], [5], [5], speedup_ratio=0.0), "a speed-up of 0"),
        (lambda: endpoint_at("http://", "m", "chat"), "is no address"),
        (lambda: endpoint_at("ftp://host/v1", "m", "chat"), "is no address"),
        (lambda: endpoint_at("http://host:99999", "m", "chat"), "is no address"),
        (lambda: endpoint_at("http://host", " ", "chat"), "no model"),
    ],
)
def test_impossible(make: Callable[[], object], said: str) -> None:
    with pytest.raises(BenchError, match=said):
        make()


def _poisson(rate: float) -> OpenLoop:
    return poisson(rate, lambda _: (10, 5), 0, requests_max_count=3, duration_s=None)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("localhost:8000", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/completions", "http://localhost:8000/v1/chat/completions"),
        ("https://host/openai/v1beta", "https://host/openai/v1beta/chat/completions"),
        ("https://host/api/v3?key=1", "https://host/api/v3/chat/completions?key=1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1/chat/completions"),
    ],
)
def test_addresses(address: str, url: str) -> None:
    assert endpoint_at(address, "m", "chat").url == url


def test_secrets_in_the_address_are_not_shown() -> None:
    endpoint = endpoint_at("https://user:secret@host:8443/v1?key=secret", "m", "chat")
    assert endpoint.shown_url == "https://host:8443/v1/chat/completions"


def test_what_a_request_says() -> None:
    chat = Endpoint("http://x", "m", "chat").body("hello", 7)
    assert chat["messages"] == [{"role": "user", "content": "hello"}]
    assert (chat["max_tokens"], chat["min_tokens"], chat["ignore_eos"], chat["stream"]) == (7, 7, True, True)
    assert chat["stream_options"] == {"include_usage": True}
    plain = Endpoint("http://x", "m", "completions", Dialect(False, False, "max_completion_tokens")).body("hello", 7)
    assert plain == {"model": "m", "prompt": "hello", "max_completion_tokens": 7, "stream": True}


def test_dialects_go_from_rich_to_plain() -> None:
    assert dialects(True)[0].ignore_eos
    assert not any(each.ignore_eos for each in dialects(False))
    assert not dialects(True)[-1].include_usage


def test_poisson_arrivals_have_the_rate_and_the_spread_of_poisson() -> None:
    loop = poisson(50.0, lambda _: (10, 5), 3, requests_max_count=20_000, duration_s=None)
    times = [each.at_s for each in loop.arrivals]
    gaps = [after - before for before, after in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(1 / 50, rel=0.03)  # standard error 0.7 %
    assert variance**0.5 / mean == pytest.approx(1.0, rel=0.04)
    again = poisson(50.0, lambda _: (10, 5), 3, requests_max_count=20_000, duration_s=None)
    assert again == loop


def test_poisson_ends_with_the_duration() -> None:
    loop = poisson(100.0, lambda _: (10, 5), 0, requests_max_count=None, duration_s=2.0)
    assert all(each.at_s < 2.0 for each in loop.arrivals)
    assert 140 < len(loop.arrivals) < 260


def test_a_trace_keeps_distances_and_lengths() -> None:
    loop = replay("log", [105.0, 100.0, 103.0, 109.0], [5, 0, 7, 9], [2, 3, 0, 4], speedup_ratio=2.0)
    assert [(each.at_s, each.input_tokens, each.output_tokens) for each in loop.arrivals] == [
        (0.0, 1, 3),
        (2.5, 5, 2),
        (4.5, 9, 4),
    ]
    assert len(replay("log", [0.0, 1.0, 2.0], [1] * 3, [1] * 3, duration_s=1.5).arrivals) == 2
    assert len(replay("log", [0.0, 1.0, 2.0], [1] * 3, [1] * 3, requests_max_count=1).arrivals) == 1
