"""Failure words: what a client hears when an upstream fails; no address, no key, nothing of the upstream's own."""

from __future__ import annotations

from typing import Final

from breakeven.gateway.attempt import Attempt, Failure
from breakeven.gateway.plan import Operation, Refusal

TIMEOUTS: Final = frozenset(("first_byte_timeout", "idle_timeout", "total_timeout"))
NO_CONTROL: Final = Refusal(
    503, "outcomes_unavailable", "The process that keeps outcomes does not answer; give it again in a while.", 5.0
)


def said_of(failure: Failure | None) -> str:
    """What a client hears of a failure."""
    return _WORDS.get(failure or "", "The upstream could not answer.")


def given_up(last: Attempt, operation: Operation | None) -> Refusal:
    """What a client hears when nobody is left to ask after a failure."""
    if operation == "outcomes":
        return NO_CONTROL
    if last.failure in TIMEOUTS:
        return Refusal(504, "upstream_timeout", said_of(last.failure))
    said = f"The upstream answered {last.http_status}." if last.failure == "status" else said_of(last.failure)
    return Refusal(502, "upstream_error", said)


_WORDS: Final = {
    "connect": "The upstream could not be reached.",
    "first_byte_timeout": "The upstream did not begin to answer in time.",
    "idle_timeout": "The upstream stopped in the middle of its answer.",
    "total_timeout": "The answer took longer than is allowed.",
    "reset": "The upstream closed the connection before its answer was whole.",
    "bad_answer": "The upstream's answer was not understood.",
    "too_large": "The upstream's answer is too large to be translated.",
}
