"""Advice: what a kind of failure means, and what to do about it, when nothing worked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from breakeven.bench.document import Failures
from breakeven.bench.endpoint import Endpoint
from breakeven.bench.request_record import FailureKind
from breakeven.errors import BenchError

ADVICE: Final[Mapping[str, str]] = {
    FailureKind.REFUSED: "Is the server running there, and are host and port right?",
    FailureKind.CONNECT_TIMEOUT: "Is the host right, and a firewall in between? --connect-timeout waits longer.",
    FailureKind.NO_FIRST_TOKEN: "Is the model loaded? A cold start needs a longer --first-token-timeout.",
    FailureKind.STALLED: "The server hangs in mid-answer: look at its log. --idle-timeout waits longer.",
    FailureKind.TOO_LONG: "Ask for fewer --output-tokens or a longer --timeout.",
    FailureKind.NOT_A_STREAM: "Is this the address of the API (…/v1), not of a page? A gateway may hold streams back.",
    FailureKind.GARBAGE: "Is this an OpenAI-compatible endpoint? Something between you and it may change the stream.",
    FailureKind.ERROR_EVENT: "The server fails after it began to answer: look at its log; try a lower --concurrency.",
    FailureKind.CLOSED_EARLY: "The server or a proxy ends connections: look at its log and its timeouts.",
    FailureKind.NO_TOKENS: "The model says nothing: is it a chat model? Try --completions.",
    FailureKind.IMPOSSIBLE_USAGE: "The server's count of tokens is wrong; nothing can be said per token.",
    FailureKind.IN_FLIGHT_LIMIT: "The server is slower than the arrivals: ask for a lower rate.",
    "http_400": "The server refuses the request: do --model and --input-tokens fit the model's context?",
    "http_401": "Give the key: --api-key-env NAME, with the key in that environment variable.",
    "http_403": "The key may not use this model: --api-key-env NAME names the variable that holds it.",
    "http_404": "Is the model's name as the server calls it, and the address that of the API? Try --completions.",
    "http_405": "Is this the address of the API (…/v1)?",
    "http_429": "The server limits the rate: ask for less, or raise its limit.",
    "http_503": "The server is overloaded or not ready yet: wait, or ask for less.",
}


def nothing_worked(endpoint: Endpoint, seen: Sequence[Failures]) -> BenchError:
    """The error for a measurement without one answer."""
    kinds = "; ".join(
        f"{each.count} x {each.kind}" + (f" ({each.example})" if each.example else "") for each in seen[:4]
    )
    what = f" Seen: {kinds}. {advice(seen[0].kind)}" if seen else ""
    return BenchError(f"no answer from {endpoint.shown_url} for model {endpoint.model!r}: nothing was measured.{what}")


def advice(kind: str) -> str:
    """What to do about a kind of failure."""
    if kind in ADVICE:
        return ADVICE[kind]
    if kind.startswith("http_5"):
        return "The server fails by itself: look at its log."
    return "Look at the server's log, and send it one request by hand."
