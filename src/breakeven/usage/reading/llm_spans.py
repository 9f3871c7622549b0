"""LLM spans: what a span says of a model call, in the vocabularies that emitters use.

OpenTelemetry GenAI in its current and older names, OpenLLMetry and OpenInference. The names follow
github.com/open-telemetry/semantic-conventions-genai and github.com/Arize-ai/openinference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.usage.reading.nested import first_of, parsed
from breakeven.usage.reading.spans import Attributes, Span, first_event_s
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import flag, mapping, number, said, sequence, whole_counts

_INPUT: Final = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
)
_OUTPUT: Final = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
)
_TOTAL: Final = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")
_READ: Final = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cache_read_tokens",
    "gen_ai.usage.details.cache_read_tokens",
    "llm.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_input",
)
_WRITE: Final = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_write_input_tokens",
    "gen_ai.usage.cache_write_tokens",
    "gen_ai.usage.details.cache_write_tokens",
    "llm.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
)
_REASONING: Final = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.details.reasoning_tokens",
    "llm.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
)
_PLAIN: Final[Mapping[str, tuple[str, ...]]] = {
    "request_model": ("gen_ai.request.model", "llm.model_name", "embedding.model_name"),
    "response_model": ("gen_ai.response.model",),
    "audio_input_tokens": ("gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"),
    "audio_output_tokens": ("gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio"),
    "image_input_tokens": ("gen_ai.usage.image.input_tokens",),
    "cost_usd": ("gen_ai.usage.cost", "llm.cost.total", "operation.cost"),
    "service_tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
    ),
    "session_id": (
        "gen_ai.conversation.id",
        "session.id",
        "traceloop.association.properties.session_id",
        "langfuse.session.id",
    ),
    "unit": ("user.id", "enduser.id", "llm.user", "traceloop.association.properties.user_id"),
    "endpoint": ("gen_ai.workflow.name", "traceloop.workflow.name", "gen_ai.agent.name"),
    "template_id": ("gen_ai.prompt.name", "prompt.id"),
    "http_status": ("http.response.status_code", "http.status_code"),
}
_PROVIDER: Final = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_TTFT: Final = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.server.time_to_first_token",
    "gen_ai.server.ttft",
)
_FIRST_TOKEN_EVENTS: Final = (
    "First Token Stream Event",
    "llm.content.completion.chunk",
    "gen_ai.content.chunk",
    "ai.stream.firstChunk",
)
_ANSWER: Final = ("gen_ai.output.messages", "gen_ai.completion.0.content", "output.value", "traceloop.entity.output")
_OPERATION: Final = "gen_ai.operation.name"
_KIND: Final = "openinference.span.kind"
_OLDER_OPERATIONS: Final = {"completion": "text_completion", "embedding": "embeddings", "llm": "chat"}
_AGENT_WORK: Final = frozenset(
    {"invoke_agent", "create_agent", "invoke_workflow", "plan", "agent", "workflow", "chain"}
)
_OTHER_WORK: Final = frozenset(
    {"execute_tool", "retrieval", "create_memory", "create_memory_store", "delete_memory", "delete_memory_store"}
    | {"search_memory", "update_memory", "upsert_memory", "tool", "task", "retriever", "reranker", "rerank"}
    | {"guardrail", "evaluator", "prompt", "decision"}
)
_PROMPT_PART: Final = re.compile(r"(gen_ai\.prompt|llm\.input_messages)\.(\d+)\.(?:message\.)?(.+)")
_TOOL_SCHEMA: Final = re.compile(r"llm\.tools\.\d+\.tool\.json_schema")
_TOOL_NAME: Final = re.compile(r"(llm\.tools\.\d+\.tool|llm\.request\.functions\.\d+)\.name")
_RESPONSE_ID_CHARACTERS_MIN: Final = 16
"""A shorter id of an answer may be one that a mock or a local server gives to every answer."""


def is_model_call(span: Span) -> bool:
    """True when `span` stands for one call to a model."""
    return not isinstance(_work(span), Unfit)


def carries_tokens(span: Span) -> bool:
    """True when `span` stands for a call to a model and says how many tokens it took."""
    return first_of(span.attributes, *_INPUT, *_OUTPUT) is not None and is_model_call(span)


def call_of(span: Span) -> dict[str, object] | Unfit:
    """`span` as a flat record under the names of a Call's fields, or why it is no call to a model."""
    operation = _work(span)
    if isinstance(operation, Unfit):
        return operation
    found = span.attributes
    parameters = mapping(found.get("llm.invocation_parameters"))
    plain = {name: first_of(found, *names) for name, names in _PLAIN.items()}
    return said(
        {
            **plain,
            **_tokens(found),
            **_failure(span),
            "record_id": _record_id(span),
            "start_time": span.start,
            "end_time": span.end,
            "ttft_s": first_of(found, *_TTFT) or first_event_s(span, _FIRST_TOKEN_EVENTS),
            "operation": operation,
            "provider": str(first_of(found, *_PROVIDER) or "").lower(),
            "finish_reason": _finish_reason(found),
            "stream": _first_flag(found, parameters),
            "max_tokens": first_of(found, "gen_ai.request.max_tokens")
            or first_of(parameters, "max_completion_tokens", "max_tokens", "max_output_tokens"),
            "application": _application(span.resource),
            "trace_id": span.trace_id,
            "parent_id": span.parent_id,
            "prompt_text": _prompt(span),
            "response_text": first_of(found, *_ANSWER),
        }
    )


def _work(span: Span) -> str | Unfit:
    """The operation in OpenTelemetry's word, or why the span is not one call to a model."""
    found = span.attributes
    word = first_of(found, _OPERATION, _KIND, "traceloop.span.kind", "llm.request.type")
    if word is None:
        has_model = first_of(found, "gen_ai.request.model", "llm.model_name") is not None
        if has_model and first_of(found, *_PROVIDER, *_INPUT) is not None:
            return "chat"
        return Unfit("not a call to a model", span.name)
    name = str(word).lower()
    if name in _AGENT_WORK:
        return Unfit("an agent's or a chain's span, which sums up those inside it", f"{name}: {span.name}")
    if name in _OTHER_WORK or name == "unknown":
        return Unfit("not a call to a model", f"{name}: {span.name}")
    return _OLDER_OPERATIONS.get(name, name)


def _tokens(found: Attributes) -> dict[str, object]:
    """Counts by the inclusive rule of both conventions, repaired where an emitter breaks it."""
    output, total = first_of(found, *_OUTPUT), first_of(found, *_TOTAL)
    read, write, reasoning = first_of(found, *_READ), first_of(found, *_WRITE), first_of(found, *_REASONING)
    sent, got = whole_counts((first_of(found, *_INPUT), (read, write)), (output, (reasoning,)), total, holds_parts=True)
    return {
        "input_tokens": sent,
        "output_tokens": got,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "reasoning_tokens": reasoning,
    }


def _failure(span: Span) -> dict[str, object]:
    kind = span.attributes.get("error.type")
    if span.status != "error" and kind is None:
        return {}
    if kind is None:
        raised = (each.attributes.get("exception.type") for each in span.events() if each.name == "exception")
        kind = next(raised, None)
    code = number(kind)
    return {"status": "error", "error_type": kind, **({"http_status": code} if code and 100 <= code <= 999 else {})}


def _record_id(span: Span) -> str | None:
    """The answer's id, which a span logged twice or by two instrumentations shares; else the span's own."""
    answer = first_of(span.attributes, "gen_ai.response.id", "llm.response.id")
    if isinstance(answer, str) and len(answer) >= _RESPONSE_ID_CHARACTERS_MIN:
        return answer
    return f"{span.trace_id}:{span.span_id}" if span.span_id else None


def _finish_reason(found: Attributes) -> object:
    reasons = first_of(found, "gen_ai.response.finish_reasons", "gen_ai.response.finish_reason")
    several = sequence(reasons)
    if several:
        return several[0]
    if reasons is not None:
        return reasons
    return first_of(found, "llm.response.finish_reason", "gen_ai.completion.0.finish_reason", "llm.finish_reason")


def _first_flag(found: Attributes, parameters: Mapping[str, Any]) -> bool | None:
    told = first_of(found, "gen_ai.request.stream", "llm.is_streaming", "gen_ai.is_streaming")
    return flag(told if told is not None else parameters.get("stream"))


def _application(resource: Attributes) -> object:
    name = first_of(resource, "service.name", "openinference.project.name")
    return None if str(name).startswith("unknown_service") else name


def _prompt(span: Span) -> object:
    """What was sent, as a request body that `prompts/conversation` takes apart; None when the span has no content."""
    found = span.attributes
    messages = first_of(found, "gen_ai.input.messages", "llm.input_messages") or _events_messages(span)
    messages = _messages(parsed(messages)) if messages else list(_numbered(found))
    if not messages:
        return first_of(found, "input.value", "traceloop.entity.input")
    body = {
        "messages": messages,
        "system": parsed(found.get("gen_ai.system_instructions")),
        "tools": parsed(first_of(found, "gen_ai.tool.definitions", "llm.tools")) or _numbered_tools(found),
    }
    return {name: value for name, value in body.items() if value}


def _messages(value: Any) -> Any:
    """OpenInference's `message.role` and `message.content` as plain names; other messages as they are."""
    if not isinstance(value, list):
        return value
    return [
        {str(key).removeprefix("message."): inner for key, inner in each.items()} if isinstance(each, dict) else each
        for each in value
    ]


def _numbered(found: Attributes) -> Iterator[dict[str, Any]]:
    """Messages that stand in attributes numbered from 0, a name each."""
    parts: dict[int, dict[str, Any]] = {}
    for name, value in found.items():
        if name.startswith(("gen_ai.prompt.", "llm.input_messages.")) and (match := _PROMPT_PART.fullmatch(name)):
            parts.setdefault(int(match[2]), {})[match[3]] = value
    for _, part in sorted(parts.items()):
        yield {"role": part.get("role", "user"), "content": part.get("content") or _contents(part)}


def _numbered_tools(found: Attributes) -> list[Any]:
    """Tools on offer that stand in attributes numbered from 0."""
    schemas = [parsed(value) for name, value in found.items() if _TOOL_SCHEMA.fullmatch(name)]
    return schemas or [{"name": value} for name, value in found.items() if _TOOL_NAME.fullmatch(name)]


def _contents(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Parts of one OpenInference message."""
    texts = [value for name, value in part.items() if name.endswith("message_content.text")]
    images = sum(name.endswith("message_content.image.image.url") for name in part)
    return [{"type": "text", "text": text} for text in texts] + [{"type": "image_url"}] * images


def _events_messages(span: Span) -> object:
    """Messages that older conventions put into events of the span."""
    messages: list[dict[str, Any]] = []
    for each in span.events():
        told = first_of(each.attributes, "gen_ai.input.messages", "gen_ai.prompt")
        if told is not None:
            return told
        role = each.name.removeprefix("gen_ai.").removesuffix(".message")
        if each.name == f"gen_ai.{role}.message":
            messages.append({"role": role, "content": first_of(each.attributes, "content", "gen_ai.event.content")})
    return messages


CALL_FIELDS: Final = (
    *("record_id", "start_time", "end_time", "ttft_s", "operation", "provider", "request_model", "response_model"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"),
    *("audio_input_tokens", "audio_output_tokens", "image_input_tokens", "cost_usd", "status", "error_type"),
    *("http_status", "finish_reason", "stream", "max_tokens", "service_tier", "application", "endpoint"),
    *("template_id", "trace_id", "parent_id", "session_id", "unit", "prompt_text", "response_text"),
)
"""The names that `call_of` gives."""
