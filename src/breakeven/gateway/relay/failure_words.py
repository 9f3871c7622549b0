"""Failure words: what a client hears when an upstream fails; no address, no key, nothing of the upstream's own."""

from __future__ import annotations

from typing import Final

from breakeven.gateway.attempt import Attempt, Failure
from breakeven.gateway.plan import Operation, Refusal
from breakeven.gateway.relay.dispatch import Dispatch
from breakeven.gateway.wire.errors import stream_error

TIMEOUTS: Final = frozenset(("first_byte_timeout", "idle_timeout", "total_timeout"))
NO_CONTROL: Final = Refusal(
    503, "outcomes_unavailable", "The process that keeps outcomes does not answer; give it again in a while.", 5.0
)
OVERLOADED: Final = Refusal(
    503, "overloaded", "As many requests as this gateway takes are under way. Try again in a second.", 1.0
)
BROKEN: Final = Refusal(500, "internal_error", "The gateway could not go on with this request; it may have been sent.")


def said_of(failure: Failure | None) -> str:
    """What a client hears of a failure."""
    return _WORDS.get(failure or "", "The upstream could not answer.")


def break_off_event(dispatch: Dispatch, operation: Operation) -> bytes:
    """The event by which a client hears that its stream does not go on."""
    failure, reader = dispatch.attempt.failure, dispatch.reader
    code = "upstream_timeout" if failure in TIMEOUTS else "upstream_error"
    return stream_error(operation, code, (reader.failure_message if reader is not None else None) or said_of(failure))


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
    "too_large": "The upstream's answer is larger than this gateway can hold.",
}
