"""breakeven's own rows, as JSONL, CSV or Parquet: one row per call, canonical names or the usual others.

Understood without a mapping: the names of `usage/call.py`, the OpenTelemetry GenAI names, OpenAI's `usage` object
(cached tokens inside the prompt tokens), Anthropic's (cache tokens beside the input tokens), DeepSeek's (cache hits
inside the prompt tokens) and Gemini's `usageMetadata` (thoughts beside the candidates, tool use beside the prompt),
alone or in the answer that a log keeps beside its request (`response.usage`). Where the total of a row shows that
reasoning stands beside the completion tokens (Grok), it is added to them. Anything else with ``--map field=column``.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.importers.importer import Holds, Importer
from breakeven.usage.reading.head import Head

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "record_id": ("id", "request_id", "gen_ai.response.id", "generation_id", "requestId", "response.id"),
    "start_time": ("timestamp", "created_at", "time", "created", "startTime", "start", "ts", "datetime", "date"),
    "end_time": ("endTime", "end", "completed_at"),
    "duration_s": ("latency_s", "gen_ai.client.operation.duration"),
    "duration_ms": ("latency_ms", "request_duration_ms", "generation_time_ms", "response_time_ms"),
    "ttft_s": ("time_to_first_token_s", "gen_ai.response.time_to_first_chunk"),
    "ttft_ms": ("time_to_first_token_ms",),
    "operation": ("gen_ai.operation.name", "call_type"),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "provider_name", "custom_llm_provider", "vendor"),
    "request_model": ("model", "gen_ai.request.model", "model_name", "modelId", "request.model", "request_body.model"),
    "response_model": ("gen_ai.response.model", "response.model", "response_body.model"),
    "input_tokens": ("gen_ai.usage.input_tokens", "usage.input_tokens"),
    "prompt_tokens": (
        "usage.prompt_tokens",
        "gen_ai.usage.prompt_tokens",
        "tokens_prompt",
        "usageMetadata.promptTokenCount",
    ),
    "output_tokens": (
        "completion_tokens",
        "usage.completion_tokens",
        "usage.output_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "tokens_completion",
        "usageMetadata.candidatesTokenCount",
    ),
    "cache_read_tokens": (
        "cached_tokens",
        "input_cached_tokens",
        "cached_input_tokens",
        "prompt_tokens_details.cached_tokens",
        "usage.prompt_tokens_details.cached_tokens",
        "usage.input_tokens_details.cached_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "tokens_cached",
        "prompt_cache_hit_tokens",
        "usage.prompt_cache_hit_tokens",
        "usageMetadata.cachedContentTokenCount",
    ),
    "cache_write_tokens": ("input_cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens"),
    "exclusive_cache_read_tokens": ("cache_read_input_tokens", "usage.cache_read_input_tokens"),
    "exclusive_cache_write_tokens": ("cache_creation_input_tokens", "usage.cache_creation_input_tokens"),
    "exclusive_cache_write_5m_tokens": (
        "cache_creation.ephemeral_5m_input_tokens",
        "usage.cache_creation.ephemeral_5m_input_tokens",
    ),
    "exclusive_cache_write_1h_tokens": (
        "cache_creation.ephemeral_1h_input_tokens",
        "usage.cache_creation.ephemeral_1h_input_tokens",
    ),
    "reasoning_tokens": (
        "completion_tokens_details.reasoning_tokens",
        "usage.completion_tokens_details.reasoning_tokens",
        "usage.output_tokens_details.reasoning_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "tokens_reasoning",
    ),
    "exclusive_reasoning_tokens": ("usageMetadata.thoughtsTokenCount",),
    "exclusive_input_tokens": ("usageMetadata.toolUsePromptTokenCount",),
    "total_tokens": ("usage.total_tokens",),
    "audio_input_tokens": (
        "input_audio_tokens",
        "prompt_tokens_details.audio_tokens",
        "usage.prompt_tokens_details.audio_tokens",
    ),
    "audio_output_tokens": (
        "output_audio_tokens",
        "completion_tokens_details.audio_tokens",
        "usage.completion_tokens_details.audio_tokens",
    ),
    "image_input_tokens": ("input_image_tokens", "usage.prompt_tokens_details.image_tokens"),
    "cost_usd": ("cost", "response_cost", "spend", "cost_total"),
    "status": ("status_code", "outcome_status"),
    "error_type": ("error.type",),
    "finish_reason": ("finish_reason_normalized",),
    "stream": ("gen_ai.request.stream", "streamed", "request.stream"),
    "max_tokens": ("gen_ai.request.max_tokens", "request.max_tokens"),
    "service_tier": ("usage.service_tier", "openai.response.service_tier", "response.service_tier"),
    "is_batch": ("batch",),
    "application": ("app", "app_name", "service", "service.name"),
    "endpoint": ("route", "url_path", "url.path"),
    "task": ("task_name", "tag"),
    "session_id": ("gen_ai.conversation.id", "conversation_id"),
    "unit": ("user", "user_id", "end_user", "user.id"),
    "api_key": ("api_key_id", "api_key_name"),
    "prompt_text": (
        *("prompt", "messages", "gen_ai.input.messages", "request.messages", "request_body", "contents"),
        *("request.input", "request.contents", "request.prompt"),
    ),
    "system_text": (
        *("system", "system_prompt", "gen_ai.system_instructions", "request.system", "request.instructions"),
    ),
    "tools_text": ("tools", "gen_ai.tool.definitions", "request.tools"),
    "schema_text": ("response_format", "output_config", "request.response_format"),
    "response_text": ("response", "completion", "output", "gen_ai.output.messages", "response_body", "choices"),
    "sampling_rate": (),
}


_USAGES: Final = ("usage.", "usageMetadata.")
"""Where a provider's answer has its counts."""
_ANSWERS: Final = ("response.", "response_body.")
"""Where a log keeps the whole answer beside the request."""
_BESIDE_ANSWERS: Final = frozenset(
    {
        *("request.model", "request_body.model", "response.model", "response_body.model", "response.id"),
        *("request.stream", "request.max_tokens", "response.service_tier"),
        *("request.input", "request.contents", "request.prompt", "request.instructions"),
    }
)
_SNAKE: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _everywhere(name: str) -> tuple[str, ...]:
    """A name of a provider's usage as it stands alone, in a logged answer and in the spelling of Gemini's Python SDK.

    >>> _everywhere("usage.prompt_tokens")
    ('usage.prompt_tokens', 'response.usage.prompt_tokens', 'response_body.usage.prompt_tokens')
    >>> _everywhere("usageMetadata.promptTokenCount")[-1], _everywhere("model")
    ('response_body.usage_metadata.prompt_token_count', ('model',))
    """
    if not name.startswith(_USAGES):
        return (name,)
    spellings = dict.fromkeys((name, _SNAKE.sub("_", name).lower()))
    return tuple(place + each for each in spellings for place in ("", *_ANSWERS))


def _fields() -> dict[str, tuple[str, ...]]:
    """Every canonical name first, then the names other tools use."""
    known = {name: tuple(each for alias in found for each in _everywhere(alias)) for name, found in _ALIASES.items()}
    found = {column.name: (column.name, *known.get(column.name, ())) for column in CALL_COLUMNS}
    del found["source_file"], found["source_line"]
    for name, aliases in known.items():
        found.setdefault(name, aliases if name == "unit" else (name, *aliases))
    taken = {alias for names in found.values() for alias in names}
    for column in CALL_COLUMNS:
        if "." in column.otel and column.otel not in taken:
            found[column.name] = (*found[column.name], column.otel)
    return found


def _rare_names() -> frozenset[str]:
    """Names that only logs with whole requests and answers have."""
    known = {alias for aliases in _ALIASES.values() for alias in aliases}
    return frozenset(each for alias in known for each in _everywhere(alias)) - known | _BESIDE_ANSWERS


def _confidence(head: Head) -> float:
    """Sure with canonical names; a guess with aliases of a time and of both token counts."""
    if head.names >= {"start_time", "input_tokens", "output_tokens"}:
        return 0.9
    present = [IMPORTER.fields[each] for group in IMPORTER.wanted for each in group if head.has(*IMPORTER.fields[each])]
    return 0.5 if len(present) >= len(IMPORTER.wanted) and not IMPORTER.missing(head.present(IMPORTER.fields)) else 0.0


IMPORTER = Importer(
    name="breakeven",
    title="breakeven rows (JSON, CSV or Parquet)",
    shapes=frozenset({"jsonl", "json", "csv", "parquet"}),
    fields=MappingProxyType(_fields()),
    wanted=(
        ("start_time",),
        ("input_tokens", "prompt_tokens", "prompt_text"),
        ("output_tokens", "response_text"),
    ),
    tokens_rule="by_field",
    confidence=_confidence,
    takes_mapping=True,
    rare_names=_rare_names(),
    holds=Holds("request", prompts="optional", latency=True, first_token=True, cost=True),
    concludes="Whatever its columns hold; only a time and the two token counts are required.",
)
