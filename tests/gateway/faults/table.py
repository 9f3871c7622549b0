"""What each fault of an upstream looks like to the client, and what is recorded: the table of the page, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Seen = Literal["whole", "cut"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one fault, with nobody who could take over."""

    status: int
    code: str | None = None
    """Of the error; in a stream that began, of its last event."""
    call: Literal["ok", "error"] | None = "error"
    """Status of the one Call that is recorded; None: no byte was sent, so no Call."""
    is_cut: bool = False
    """The answer has begun and ends without its end."""


WHOLE = Outcome(200, None, "ok")
FAILED = Outcome(502, "upstream_error")
LATE = Outcome(504, "upstream_timeout")
BROKEN_OFF = Outcome(200, "upstream_error", "error", True)
STOPPED = Outcome(200, "upstream_timeout", "error", True)
BUSY = Outcome(429)


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    plain: Outcome
    stream: Outcome
    takes_over: bool = True
    """Another model answers a plain request when there is one."""


TABLE: dict[str, Row] = {
    "refuse": Row(Outcome(502, "upstream_error", None), Outcome(502, "upstream_error", None)),
    "reset_before_head": Row(FAILED, FAILED),
    "close_before_head": Row(FAILED, FAILED),
    "reset_in_head": Row(FAILED, FAILED),
    "reset_mid_answer": Row(FAILED, BROKEN_OFF),
    "close_mid_answer": Row(FAILED, BROKEN_OFF),
    "end_without_mark": Row(FAILED, BROKEN_OFF),
    "stall_before": Row(LATE, LATE),
    "stall_in_head": Row(LATE, LATE),
    "stall_mid_answer": Row(LATE, STOPPED),
    "drip": Row(WHOLE, WHOLE, takes_over=False),
    "status:408": Row(Outcome(408), Outcome(408)),
    "status:429": Row(BUSY, BUSY),
    "status:500": Row(FAILED, FAILED),
    "status:502": Row(FAILED, FAILED),
    "status:503": Row(FAILED, FAILED),
    "status:504": Row(FAILED, FAILED),
    "status:529": Row(FAILED, FAILED),
    "status:400": Row(Outcome(400), Outcome(400), takes_over=False),
    "status:401": Row(Outcome(401), Outcome(401), takes_over=False),
    "status:404": Row(Outcome(404), Outcome(404), takes_over=False),
    "status:413": Row(Outcome(413), Outcome(413), takes_over=False),
    "status:422": Row(Outcome(422), Outcome(422), takes_over=False),
    "length_too_long": Row(FAILED, FAILED),
    "length_too_short": Row(WHOLE, WHOLE, takes_over=False),
    "two_lengths": Row(FAILED, FAILED),
    "length_and_chunks": Row(FAILED, FAILED),
    "bad_chunk": Row(FAILED, BROKEN_OFF),
    "invalid_json": Row(FAILED, BROKEN_OFF),
    "page": Row(FAILED, FAILED),
    "empty": Row(FAILED, FAILED),
    "no_object": Row(FAILED, FAILED),
    "invalid_utf8": Row(WHOLE, WHOLE, takes_over=False),
    "huge": Row(WHOLE, WHOLE, takes_over=False),
    "huge_event": Row(FAILED, BROKEN_OFF),
    "garbage": Row(FAILED, FAILED),
    "endless_head": Row(FAILED, FAILED),
    "many_headers": Row(FAILED, FAILED),
    "split_header": Row(FAILED, FAILED),
    "interim": Row(WHOLE, WHOLE, takes_over=False),
    "switching": Row(FAILED, FAILED),
    "redirect": Row(FAILED, FAILED),
    "no_content": Row(FAILED, FAILED),
    "zipped": Row(FAILED, FAILED),
    "error_event": Row(FAILED, BROKEN_OFF),
    "error_event_first": Row(FAILED, FAILED),
    "error_in_200": Row(FAILED, FAILED),
    "plain_for_stream": Row(WHOLE, WHOLE, takes_over=False),
    "stream_for_plain": Row(FAILED, WHOLE),
    "until_close": Row(WHOLE, WHOLE, takes_over=False),
    "old_http": Row(WHOLE, WHOLE, takes_over=False),
    "keeps_not": Row(WHOLE, WHOLE, takes_over=False),
    "early_answer": Row(WHOLE, WHOLE, takes_over=False),
}
"""By the name of the model that plays it; `refuse` is a port where nobody listens."""
