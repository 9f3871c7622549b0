"""Responses stream: events of OpenAI's `/v1/responses`, passed on byte for byte; usage stands in the last of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.gateway.wire.errors import error_in
from breakeven.gateway.wire.stream_reader import StreamReader, utf8_count
from breakeven.gateway.wire.usage_fields import openai_counts

_BACKSLASH: Final = 92
_LAST: Final = ("response.completed", "response.incomplete", "response.failed")
_KEY: Final = b'"delta":"'


class ResponsesStream(StreamReader):
    """Of `/v1/responses`."""

    __slots__ = ()

    def feed(self, data: bytes) -> bytes:
        """What may go to the client now."""
        if (
            self.has_begun
            and not self.held
            and data.startswith(b"event: response.")
            and data.find(b"\n\n") == len(data) - 2
            and data.find(b".delta\ndata: {", 16, 80) > 0
            and (start := data.find(_KEY)) > 0
        ):
            stop = data.find(b'"', start + 9)
            if data[stop - 1] != _BACKSLASH:
                self.text_bytes_count += stop - start - 9
                return data
        return StreamReader.feed(self, data)

    def _chunk(self, event: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        del data
        kind = chunk.get("type")
        if type(kind) is not str:
            return event
        if kind.endswith(".delta"):
            self.text_bytes_count += utf8_count(chunk.get("delta"))
            self.has_begun = True
        response = chunk.get("response")
        if type(response) is dict:
            self._note(response)
        if kind in _LAST:
            self.is_done = True
        if kind == "response.failed":
            self._fail("bad_answer", _why(response))
            return b""
        return event

    def _note(self, response: dict[str, Any]) -> None:
        self.tokens = openai_counts(response.get("usage")) or self.tokens
        if type(response.get("model")) is str:
            self.response_model = response["model"]
        if type(response.get("service_tier")) is str:
            self.service_tier = response["service_tier"]
        self.finish_reason = response_reason(response) or self.finish_reason

    def _is_whole(self) -> bool:
        return self.is_done


def response_reason(response: Mapping[str, Any]) -> str | None:
    """Why a response ended: its status, or why it is incomplete; None while it is under way.

    >>> response_reason({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}})
    'max_output_tokens'
    """
    details = response.get("incomplete_details")
    if type(details) is dict and type(details.get("reason")) is str:
        return str(details["reason"])
    status = response.get("status")
    return status if status in ("completed", "incomplete", "failed", "cancelled") else None


def _why(response: object) -> str:
    return (error_in(response).message if type(response) is dict else "") or "The upstream's response failed."
