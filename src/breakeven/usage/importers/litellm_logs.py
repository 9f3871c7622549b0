"""LiteLLM's two logs of calls: the proxy's table `LiteLLM_SpendLogs` (CSV, JSON or Parquet), and the standard logging
payload that its callbacks write to S3, GCS or a file, one JSON object a call.

Source: github.com/BerriAI/litellm, schema.prisma and docs.litellm.ai/docs/proxy/logging_spec. Both name an answer by
the same id. LiteLLM counts cached tokens inside `prompt_tokens`; rows of old versions and of pass-through routes do
not, which their totals give away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.nested import first_of, parsed
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import (
    epoch_s,
    first_choice,
    flag,
    known_cost,
    mapping,
    number,
    said,
    seconds_between,
    sequence,
    whole_counts,
)

_BOTH: Final = frozenset({"call_type", "startTime", "endTime", "prompt_tokens", "completion_tokens", "model"})
_SPEND_LOGS: Final = frozenset({"request_id", "spend"})
_PAYLOAD: Final = frozenset({"id", "response_cost"})
_NAMES: Final = (
    *_BOTH,
    *_SPEND_LOGS,
    *_PAYLOAD,
    *("completionStartTime", "total_tokens", "request_duration_ms", "metadata", "cache_hit", "request_tags"),
    *("model_group", "custom_llm_provider", "api_key", "user", "end_user", "team_id", "session_id", "status"),
    *("messages", "response", "proxy_server_request", "agent_id"),
)
_PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
}
_OPERATIONS: Final = {
    "completion": "chat",
    "responses": "chat",
    "anthropic_messages": "chat",
    "embedding": "embeddings",
    "generate_content_stream": "generate_content",
}
_HOUSEKEEPING: Final = re.compile(
    r"(create|retrieve|list|delete|cancel|get|upload|update)_\w+|file_\w+|vector_store_\w+|call_mcp_tool"
)
"""Files, batches, assistants and tools: no call to a model, unless they carry tokens."""
_ASYNC: Final = re.compile(r"a(?!nthropic|dd_|udio|ssist)")
"""Call types of asynchronous functions bear the synchronous name behind an `a`."""


def _confidence(head: Head) -> float:
    if not all(head.has(name) for name in _BOTH):
        return 0.0
    if all(head.has(name) for name in _SPEND_LOGS):
        return 1.0 if head.has("api_key", "cache_key", "custom_llm_provider", "cache_hit") else 0.9
    if all(head.has(name) for name in _PAYLOAD):
        return 1.0 if head.has("model_map_information", "saved_cache_cost", "hidden_params") else 0.9
    return 0.0


def _unpack(packed: Packed) -> Iterator[dict[str, object] | Unfit]:
    known = {name.casefold(): name for name in _NAMES}
    spelling = {name: known[name.casefold()] for name in packed.head.names if name.casefold() in known}
    is_table = packed.head.shape in ("csv", "parquet")
    for row in documents(packed.log, packed.head):
        if isinstance(row, Unfit):
            yield row
        else:
            yield _call({spelling.get(name, name): value for name, value in row.items()} if is_table else row)


def _call(row: Mapping[str, Any]) -> dict[str, object] | Unfit:
    meta, response = mapping(row.get("metadata")), parsed(row.get("response"))
    usage = _usage(row, meta, response)
    operation = str(row.get("call_type") or "")
    kind = _ASYNC.sub("", operation, count=1) if _ASYNC.match(operation) else operation
    is_housekeeping = _HOUSEKEEPING.fullmatch(kind) is not None
    if is_housekeeping and not any(number(usage.get(name)) for name in ("input_tokens", "output_tokens")):
        return Unfit("not a call to a model", operation)
    outcome, cost = _outcome(row, meta), first_of(row, "spend", "response_cost")
    return said(
        {
            **usage,
            **_times(row),
            **_names(row, meta),
            **outcome,
            **_content(row, response),
            "record_id": first_of(row, "request_id", "id"),
            "grain": "bucket" if is_housekeeping else None,
            "is_batch": True if is_housekeeping and "batch" in kind else None,
            "operation": _OPERATIONS.get(kind, kind),
            "cost_usd": cost if outcome else known_cost(cost, usage.values()),
        }
    )


def _usage(row: Mapping[str, Any], meta: Mapping[str, Any], response: object) -> dict[str, object]:
    """Tokens from the row, their parts from the usage object beside it."""
    answered = mapping(response).get("usage")
    parts = {
        **mapping(answered),
        **mapping(meta.get("additional_usage_values")),
        **mapping(meta.get("usage_object")),
    }
    into, out = mapping(parts.get("prompt_tokens_details")), mapping(parts.get("completion_tokens_details"))
    read = parts.get("cache_read_input_tokens") or into.get("cached_tokens")
    write = parts.get("cache_creation_input_tokens") or into.get("cache_creation_tokens")
    thought, total = out.get("reasoning_tokens"), row.get("total_tokens")
    sent, got = (row.get("prompt_tokens"), (read, write)), (row.get("completion_tokens"), (thought,))
    whole_sent, whole_got = whole_counts(sent, got, total, holds_parts=True)
    return {
        "input_tokens": whole_sent,
        "output_tokens": whole_got,
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": mapping(into.get("cache_creation_token_details")).get("ephemeral_1h_input_tokens"),
        "reasoning_tokens": thought,
        "audio_input_tokens": into.get("audio_tokens"),
        "audio_output_tokens": out.get("audio_tokens"),
        "image_input_tokens": into.get("image_tokens"),
        "service_tier": parts.get("service_tier") or mapping(response).get("service_tier"),
    }


def _times(row: Mapping[str, Any]) -> dict[str, object]:
    """Times are UTC: the table's have no zone, the payload's are seconds since 1970.

    An answer that was not streamed has its first token, says LiteLLM, when it ends.
    """
    start, begun, end = row.get("startTime"), row.get("completionStartTime"), row.get("endTime")
    first_s, end_s = epoch_s(begun), epoch_s(end)
    is_streamed = first_s is not None and end_s is not None and first_s < end_s
    told = flag(row.get("stream"))
    return {
        "start_time": start,
        "end_time": end,
        "tz_assumed": False,
        "ttft_s": seconds_between(start, begun) if is_streamed else None,
        "stream": told if told is not None else is_streamed or None,
    }


def _names(row: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, object]:
    model, provider = row.get("model"), str(row.get("custom_llm_provider") or "")
    tags = (each for each in sequence(row.get("request_tags")) if isinstance(each, str))
    card = mapping(first_of(row, "model_map_information") or meta.get("model_map_information"))
    key = card.get("model_map_key") if card.get("model_map_value") else None
    session = first_of(row, "session_id", "trace_id")
    return {
        "request_model": first_of(row, "model_group") or model,
        "response_model": model,
        "model_key": key if key != model else None,
        "provider": _PROVIDERS.get(provider, provider),
        "application": first_of(meta, "user_api_key_alias", "user_api_key_team_alias") or row.get("team_id"),
        "endpoint": meta.get("user_api_key_request_route") or row.get("agent_id"),
        "task": next((tag for tag in tags if not tag.startswith("User-Agent:")), None),
        "template_id": mapping(meta.get("prompt_management_metadata")).get("prompt_id"),
        "trace_id": first_of(row, "trace_id", "session_id"),
        "session_id": session,
        "unit": first_of(row, "end_user")
        or _person(row.get("user"))
        or first_of(meta, "user_api_key_end_user_id", "user_api_key_user_id"),
        "api_key": first_of(row, "api_key") or meta.get("user_api_key_hash"),
    }


def _person(user: object) -> object:
    """Nobody in particular is LiteLLM's `default_user_id`."""
    return None if user == "default_user_id" else user


def _outcome(row: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, object]:
    """`cache_hit` is text in the table ('True', 'False', 'None'); such an answer cost nothing at the provider."""
    if flag(row.get("cache_hit")):
        return {"status": "cache_hit"}
    if str(row.get("status") or meta.get("status") or "success").lower() != "failure":
        return {}
    error = mapping(row.get("error_information") or meta.get("error_information"))
    return {"status": "error", "error_type": error.get("error_class"), "http_status": number(error.get("error_code"))}


def _content(row: Mapping[str, Any], response: object) -> dict[str, object]:
    """The request's body where it is stored, else the messages and what the parameters say of tools and answer."""
    parameters, body = mapping(row.get("model_parameters")), mapping(row.get("proxy_server_request"))
    limit = first_of(parameters, "max_tokens", "max_completion_tokens") or first_of(body, "max_tokens")
    sent: object = body
    if not body:
        messages = parsed(row.get("messages"))
        shape = {name: parameters[name] for name in ("tools", "response_format") if parameters.get(name)}
        sent = {"messages": messages, **shape} if messages else None
    return {
        "prompt_text": sent or None,
        "response_text": response or None,
        "max_tokens": limit,
        "finish_reason": first_choice(mapping(response)).get("finish_reason"),
    }


_FIELDS: Final = (
    *("record_id", "start_time", "end_time", "tz_assumed", "ttft_s", "grain", "is_batch", "operation", "provider"),
    *("request_model", "response_model", "model_key", "input_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "audio_input_tokens", "audio_output_tokens"),
    *("image_input_tokens", "service_tier", "cost_usd", "status", "error_type", "http_status", "finish_reason"),
    *("stream", "max_tokens", "application", "endpoint", "task", "template_id", "trace_id", "session_id", "unit"),
    *("api_key", "prompt_text", "response_text"),
)

IMPORTER = Importer(
    name="litellm",
    title="LiteLLM spend logs and standard logging payload",
    shapes=frozenset({"csv", "parquet", "json", "jsonl"}),
    fields={name: (name,) for name in _FIELDS},
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    holds=Holds("request", prompts="optional", latency=True, first_token=True, cost=True),
    concludes=(
        "Calls with tokens, latency, cost by LiteLLM's own price list, keys and teams. Not what the provider billed; "
        "prompts only where storing them was switched on; which failures were retries of which call."
    ),
    unpack=_unpack,
)
