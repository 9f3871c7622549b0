"""Events to chunks: Anthropic's stream as a stream of chat completion chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.frame import learnt
from breakeven.gateway.wire.messages_stream import MessagesStream
from breakeven.gateway.wire.translation.stop_reasons import openai_reason
from breakeven.gateway.wire.translation.tool_arguments import as_text
from breakeven.gateway.wire.usage_fields import openai_usage

_DELTAS = {"text": b'"content":"', "thinking": b'"reasoning_content":"', "partial_json": b'"arguments":"'}


class EventsToChunks(MessagesStream):
    """The upstream speaks messages, the client chat completions."""

    __slots__ = ("_block", "_blocks", "_calls_count", "_created_unix_s", "_facts", "_id", "_is_ended", "_parts")

    def __init__(self, facts: RequestFacts, created_unix_s: int) -> None:
        super().__init__()
        self._facts = facts
        self._created_unix_s = created_unix_s
        self._id = "chatcmpl-"
        self._blocks: dict[int, dict[str, Any]] = {}
        """Blocks that are open, by their index."""
        self._block: dict[str, Any] = {}
        self._calls_count = 0
        self._is_ended = False
        self._parts = self._part_bytes()

    def end(self) -> bytes:
        """The rest; an answer that is whole gets its end mark even where the upstream left it out."""
        rest = super().end()
        return rest if self.failure is not None else rest + self._ending()

    def _comment(self, event: bytes) -> bytes:
        return b": ping\n" if event.lstrip().startswith(b":") else b""

    def _marked(self, event: bytes) -> bytes:
        del event
        self.is_done = True
        return self._ending()

    def _chunk(self, event: bytes, data: bytes, chunk: dict[str, Any]) -> bytes:
        del data
        self.note(chunk)
        given = self._given(chunk)
        if self._text is not None and given:
            name, text = self._text
            self._use(learnt(event, b'"%s":"' % name.encode(), text, given, _DELTAS[name]))
        return given

    def _given(self, chunk: dict[str, Any]) -> bytes:
        kind = chunk.get("type")
        if kind == "content_block_delta":
            return self._delta(chunk)
        if kind == "content_block_start":
            return self._start(chunk)
        if kind == "content_block_stop":
            return self._stop(chunk)
        if kind == "message_start":
            return self._opening(chunk.get("message"))
        if kind == "message_delta":
            return self._written({}, openai_reason(self.finish_reason)) if self.finish_reason is not None else b""
        if kind == "message_stop":
            return self._ending()
        return b": ping\n" if kind == "ping" else b""

    def _opening(self, message: object) -> bytes:
        if isinstance(message, dict):
            self._id = "chatcmpl-" + str(message.get("id", ""))
        self._parts = self._part_bytes()
        return self._written({"role": "assistant", "content": "", "refusal": None})

    def _start(self, chunk: Mapping[str, Any]) -> bytes:
        block = chunk.get("content_block")
        if not isinstance(block, dict):
            return b""
        self._blocks[_index(chunk)] = block
        kind = block.get("type")
        if kind == "tool_use":
            block["place"], block["is_told"] = self._calls_count, False
            self._calls_count += 1
            function = {"name": str(block.get("name", "")), "arguments": ""}
            call = {"index": block["place"], "id": str(block.get("id", "")), "type": "function", "function": function}
            return self._written({"tool_calls": [call]})
        if kind == "text" and block.get("text"):
            return self._written({"content": block["text"]})
        if kind == "thinking":
            block["signature"] = str(block.get("signature") or "")
            if block.get("thinking"):
                return self._written({"reasoning_content": block["thinking"]})
        return b""

    def _delta(self, chunk: Mapping[str, Any]) -> bytes:
        delta, block = chunk.get("delta"), self._blocks.get(_index(chunk), {})
        if not isinstance(delta, dict):
            return b""
        kind = delta.get("type")
        if kind == "text_delta":
            return self._written({"content": delta.get("text", "")})
        if kind == "thinking_delta":
            block["thinking"] = str(block.get("thinking") or "") + str(delta.get("thinking", ""))
            self._text = None  # the whole thought is kept for its signed block, so each piece of it is looked at
            return self._written({"reasoning_content": delta.get("thinking", "")})
        if kind == "signature_delta":
            block["signature"] = str(block.get("signature") or "") + str(delta.get("signature", ""))
        if kind == "input_json_delta" and delta.get("partial_json"):
            block["is_told"] = True
            return self._arguments(block, str(delta["partial_json"]))
        return b""

    def _stop(self, chunk: Mapping[str, Any]) -> bytes:
        """Input that came with the start and in no delta; a thought with the signature that proves it."""
        block = self._blocks.pop(_index(chunk), {})
        kind = block.get("type")
        if kind == "tool_use" and not block.get("is_told"):
            return self._arguments(block, as_text(block.get("input")))
        if kind == "thinking" and block.get("signature"):
            kept = {name: block.get(name) or "" for name in ("type", "thinking", "signature")}
            return self._written({"thinking_blocks": [kept]})
        if kind == "redacted_thinking":
            return self._written({"thinking_blocks": [{"type": kind, "data": block.get("data")}]})
        return b""

    def _arguments(self, block: Mapping[str, Any], text: str) -> bytes:
        call = {"index": block.get("place", 0), "function": {"arguments": text}}
        return self._written({"tool_calls": [call]})

    def _ending(self) -> bytes:
        if self._is_ended:
            return b""
        self._is_ended = True
        if not self._facts.is_usage_asked:
            return b"data: [DONE]\n\n"
        usage = openai_usage(self.counted(self._facts))
        chunk = {**self._head(), "choices": [], "usage": usage}
        return b"data: " + orjson.dumps(chunk) + b"\n\ndata: [DONE]\n\n"

    def _head(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created_unix_s,
            "model": self.response_model or "",
        }

    def _part_bytes(self) -> tuple[bytes, bytes]:
        """What stands before and after the delta of every chunk."""
        before = b"data: " + orjson.dumps(self._head())[:-1] + b',"choices":[{"index":0,"delta":'
        after = b',"usage":null}\n\n' if self._facts.is_usage_asked else b"}\n\n"
        return before, after

    def _written(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        before, after = self._parts
        ending = b',"logprobs":null,"finish_reason":' + orjson.dumps(reason) + b"}]"
        return before + orjson.dumps(delta) + ending + after


def _index(chunk: Mapping[str, Any]) -> int:
    index = chunk.get("index")
    return index if isinstance(index, int) else 0
