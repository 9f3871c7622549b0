"""Road: a lane as the relay goes it: the head that goes out, the pool, and heads of answers that are known by sight."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import Final

from breakeven.gateway.admission.lane import Lane
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.relay.answers_of_ours import answer_start
from breakeven.gateway.relay.heads import AnswerHead, BadMessage, read_answer_head
from breakeven.gateway.relay.state import RelayState

PIECE_MAX_BYTES: Final = 65_536
"""Of a request, or of an answer: larger ones take the ordinary way."""
HEAD_MAX_BYTES: Final = 4_096
"""Of an answer's head that is kept."""
_ID_HERE: Final = token_hex(16)
_OK: Final = 200
LENGTH: Final = b"\r\ncontent-length:"


class Road:
    """What requests of one lane and their answers have in common, as bytes."""

    __slots__ = (
        "_answer",
        "_attempt",
        "_lane",
        "_stream_date_line",
        "_stream_end",
        "_stream_headers",
        "_stream_start",
        "after",
        "after_bytes_count",
        "answer_max_bytes",
        "before",
        "date_line",
        "digits_at",
        "end",
        "out",
        "pool",
        "start",
    )

    def __init__(self, lane: Lane, state: RelayState) -> None:
        outgoing = state.outgoing(lane.target.upstream)
        self._lane = lane
        self._attempt = Attempt(lane.target, 1)
        self._answer: AnswerHead | None = None
        self.pool = outgoing.pool
        self.answer_max_bytes = min(PIECE_MAX_BYTES, state.settings.wire.answer_buffer_max_bytes)
        self.out = outgoing.head(lane.plan, lane.target, 0).removesuffix(b"0\r\n\r\n")
        """The head that goes out, up to the digits of its length."""
        self.before, self.after = b"\0", b""
        """What stands before and after the digits of the last answer's length; nothing begins like this."""
        self.digits_at = self.after_bytes_count = 0
        self.date_line = b""
        self._stream_date_line = self._stream_start = self._stream_end = b""
        self._stream_headers: list[tuple[bytes, bytes]] = []
        self.start, self.end = b"", b""
        """What the client gets before and after the request's id, up to the digits of the length."""

    def learn(self, data: bytes) -> bool:
        """Takes the head of an answer for those to come; False where it is not a usual one."""
        stop = data.find(b"\r\n\r\n", 0, HEAD_MAX_BYTES)
        if stop < 0:
            return False
        raw = data[:stop]
        small = raw.lower()
        at = small.find(LENGTH) + len(LENGTH)
        try:
            answer = read_answer_head(raw)
        except BadMessage:
            return False
        if answer.body_bytes_count is None or small.count(LENGTH) != 1 or not _is_usual(answer):
            return False
        at += raw[at] == 0x20
        end = at + len(b"%d" % answer.body_bytes_count)
        self.before, self.after = raw[:at], data[end : stop + 4]
        if not self.after.startswith(b"\r\n"):
            self.before = b"\0"
            return False
        self.digits_at, self.after_bytes_count = at, len(self.after)
        self._answer = answer
        self.date_line = b""
        return True

    def word(self, state: RelayState) -> None:
        """Puts into words what the client gets around the id of its request, in this second."""
        assert self._answer is not None
        self.start, end = self._around_id(self._answer, state)
        self.end = end + b"content-length: "
        self.date_line = state.date_line

    def stream_head(self, answer: AnswerHead, request_id: str, state: RelayState) -> bytes:
        """The head of a stream as the client gets it."""
        if self._stream_date_line is not state.date_line or self._stream_headers != answer.headers:
            start, end = self._around_id(answer, state)
            self._stream_start, self._stream_end = start, end + b"transfer-encoding: chunked\r\n\r\n"
            self._stream_date_line, self._stream_headers = state.date_line, answer.headers
        return b"%b%b%b" % (self._stream_start, request_id.encode(), self._stream_end)

    def _around_id(self, answer: AnswerHead, state: RelayState) -> tuple[bytes, bytes]:
        """What stands before and after the id of the request in the head of a good answer, up to its framing."""
        plan = replace(self._lane.plan, request_id=_ID_HERE)
        ours = state.admission.response_headers(plan, self._attempt)
        head = b"".join(answer_start(answer, state.date_line, ours, closes=False, is_open=False))
        start, _, end = head.partition(_ID_HERE.encode())
        return start, end


def _is_usual(answer: AnswerHead) -> bool:
    is_event_stream = answer.content_type[:17].lower() == b"text/event-stream"
    is_whole = answer.is_kept_alive and not answer.is_chunked and not answer.is_encoded
    return answer.http_status == _OK and is_whole and not is_event_stream
