"""Chunks to events: a stream of chat completion chunks as Anthropic's stream.

Chat completions tell usage at the end only, so `message_start` carries an estimate of the input and the last
`message_delta` the true counts, which clients put in its place. The last events wait for usage, which may come in the
chunk of the finish, after it, or after the end mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.chat_stream import ChatStream
from breakeven.gateway.wire.estimates import input_tokens
from breakeven.gateway.wire.frame import learnt
from breakeven.gateway.wire.translation.plain_answers import message_id, stop_sequence, wants_thinking
from breakeven.gateway.wire.translation.stop_reasons import anthropic_reason
from breakeven.gateway.wire.translation.tool_blocks import ToolBlock, ToolBlocks
from breakeven.gateway.wire.usage_fields import anthropic_usage

_PING = b'event: ping\ndata: {"type":"ping"}\n\n'


class ChunksToEvents(ChatStream):
    """The upstream speaks chat completions, the client messages."""

    __slots__ = (
        "_blocks_count",
        "_facts",
        "_has_calls",
        "_has_refusal",
        "_is_ended",
        "_is_started",
        "_open",
        "_stop",
        "_tools",
    )

    def __init__(self, facts: RequestFacts) -> None:
        super().__init__(strips=False)
        self._facts = facts
        self._blocks_count = 0
        self._open: str | None = None
        """`text` or `thinking`: the block that takes texts now; it is the last one."""
        self._tools = ToolBlocks()
        self._is_started = False
        self._is_ended = False
        self._has_calls = False
        self._has_refusal = False
        self._stop: str | None = None

    def end(self) -> bytes:
        """The rest, and the events that end a message."""
        rest = super().end()
        return rest if self.failure is not None else rest + self._ending()

    def _comment(self, event: bytes) -> bytes:
        return _PING if event.lstrip().startswith(b":") else b""

    def _marked(self, event: bytes) -> bytes:
        del event
        self.is_done = True
        return b"" if self.tokens is None else self._ending()

    def _chunk(self, event: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        super()._chunk(event, data, chunk)
        self._use(None)
        if self._is_ended:
            return b""
        given = [] if self._is_started else [self._opening(chunk)]
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and choice.get("index") in (0, None):
                self._stop = stop_sequence(choice, self._facts) or self._stop
                self._give_choice(given, choice)
        if self._text is not None and len(given) == 1 and self._open is not None:
            name, text = self._text
            key = b'"text":"' if self._open == "text" else b'"thinking":"'
            self._use(learnt(event, b'"%s":"' % name.encode(), text, given[0], key))
        return b"".join(given)

    def _opening(self, chunk: Mapping[str, Any]) -> bytes:
        self._is_started = True
        tokens = self.tokens or TokenCounts(input_tokens(self._facts))
        message: dict[str, Any] = {
            "id": message_id(chunk),
            "type": "message",
            "role": "assistant",
            "model": self.response_model or "",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**anthropic_usage(tokens), "output_tokens": 0},
        }
        return _event("message_start", {"message": message})

    def _give_choice(self, given: list[bytes], choice: Mapping[str, Any]) -> None:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str) and thought and wants_thinking(self._facts):
            self._give_text(given, "thinking", thought)
        self._has_refusal = self._has_refusal or bool(delta.get("refusal"))
        for text in (delta.get("content"), delta.get("refusal")):
            if isinstance(text, str) and text:
                self._give_text(given, "text", text)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict):
                self._give_call(given, call)
        if isinstance(delta.get("function_call"), dict):
            self._give_call(given, {"index": 0, "function": delta["function_call"]})

    def _give_text(self, given: list[bytes], kind: str, text: str) -> None:
        if self._open != kind:
            self._close_text(given)
            self._close_tools(given)
            block = {"type": "text", "text": ""} if kind == "text" else {"type": kind, "thinking": "", "signature": ""}
            given.append(_event("content_block_start", {"index": self._blocks_count, "content_block": block}))
            self._open = kind
            self._blocks_count += 1
        delta = {"type": f"{kind}_delta", kind: text}
        given.append(_event("content_block_delta", {"index": self._blocks_count - 1, "delta": delta}))

    def _give_call(self, given: list[bytes], call: Mapping[str, Any]) -> None:
        self._close_text(given)
        tool = self._tools.of(call)
        self._has_calls = True
        piece = tool.take(call)
        if tool.index is None and tool.name:
            for each in self._tools.whole_ones():
                given.append(_stopped(each))
            tool.index = self._blocks_count
            self._blocks_count += 1
            name = tool.call_id or f"toolu_{tool.index}"
            block = {"type": "tool_use", "id": name, "name": tool.name, "input": {}}
            given.append(_event("content_block_start", {"index": tool.index, "content_block": block}))
            piece = "".join(tool.pieces)
        if tool.index is not None and piece:
            delta = {"type": "input_json_delta", "partial_json": piece}
            given.append(_event("content_block_delta", {"index": tool.index, "delta": delta}))

    def _close_text(self, given: list[bytes]) -> None:
        if self._open is not None:
            given.append(_event("content_block_stop", {"index": self._blocks_count - 1}))
            self._open = None

    def _close_tools(self, given: list[bytes]) -> None:
        for tool in self._tools.open_ones():
            given.append(_stopped(tool))

    def _ending(self) -> bytes:
        if self._is_ended:
            return b""
        self._is_ended = True
        given = [] if self._is_started else [self._opening({})]
        self._close_text(given)
        self._close_tools(given)
        reason = anthropic_reason(self.finish_reason, self._has_calls)
        reason = "stop_sequence" if self._stop else reason
        delta = {"stop_reason": "refusal" if self._has_refusal else reason, "stop_sequence": self._stop}
        given.append(_event("message_delta", {"delta": delta, "usage": anthropic_usage(self.counted(self._facts))}))
        given.append(_event("message_stop", {}))
        return b"".join(given)


def _stopped(tool: ToolBlock) -> bytes:
    tool.is_closed = True
    return _event("content_block_stop", {"index": tool.index})


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: " % name.encode() + orjson.dumps({"type": name, **fields}) + b"\n\n"
