"""Call: one LLM call as it happened, or one bucket of calls where the source only has buckets.

Data only: names, types, units, the OpenTelemetry GenAI names, and the invariants. The gateway writes this record
and the importers produce it, so this module imports nothing but the standard library.

Tokens are stored **inclusive**: `input_tokens` contains cache reads and cache writes, `output_tokens` contains
reasoning. Every importer states the rule of its source and converts. Times are UTC, in microseconds. No price is
kept here: money is computed later, at the price of the day (`cost_usd` is what somebody else billed or reported).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

Grain = Literal["request", "bucket", "bill"]
"""One call; a span of time in which calls were counted; an amount billed for a span of time, no call counted."""
TokensSource = Literal["reported", "tokenizer", "estimated", "missing"]
CostSource = Literal["billed", "reported", "computed"]
Status = Literal["ok", "error", "cancelled", "cache_hit"]
ColumnType = Literal["text", "int", "float", "bool", "time", "ints"]


@dataclass(frozen=True, slots=True)
class Call:
    """One LLM call. Fields in the order of `CALL_COLUMNS`, which says what each of them is."""

    record_id: str
    source: str
    start_time: datetime
    source_file: str | None = None
    source_line: int | None = None
    grain: Grain = "request"
    request_count: int | None = 1
    weight: float = 1.0
    end_time: datetime | None = None
    tz_assumed: bool = False
    duration_s: float | None = None
    ttft_s: float | None = None
    operation: str | None = None
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    model_key: str | None = None
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_input_tokens: int = 0
    tokens_source: TokensSource = "reported"
    tokens_error_fraction: float | None = None
    usage_estimated: bool = False
    cost_usd: float | None = None
    cost_source: CostSource | None = None
    status: Status = "ok"
    http_status: int | None = None
    error_type: str | None = None
    finish_reason: str | None = None
    stream: bool | None = None
    max_tokens: int | None = None
    service_tier: str | None = None
    is_batch: bool = False
    application: str | None = None
    endpoint: str | None = None
    task: str | None = None
    task_source: str | None = None
    template_id: str | None = None
    trace_id: str | None = None
    parent_id: str | None = None
    retry_of: str | None = None
    unit_hash: str | None = None
    api_key_hash: str | None = None
    session_id: str | None = None
    arm: str | None = None
    propensity: float | None = None
    policy_hash: str | None = None
    outcome: float | None = None
    outcome_source: str | None = None
    prompt_hash: str | None = None
    system_hash: str | None = None
    schema_hash: str | None = None
    has_tools: bool | None = None
    prompt_words: tuple[int, ...] | None = None
    prompt_terms: tuple[int, ...] | None = None
    prompt_counts: tuple[int, ...] | None = None
    prefix_hashes: tuple[int, ...] | None = None
    redaction: str | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the Call record."""

    name: str
    type: ColumnType
    unit: str
    """Empty for names and flags."""
    meaning: str
    otel: str = ""
    """The OpenTelemetry GenAI attribute this column holds, where there is one."""
    is_content: bool = True
    """False for provenance: where a row was read does not change what was called, so digests leave it out."""


CALL_COLUMNS: Final[tuple[Column, ...]] = (
    Column(
        "record_id",
        "text",
        "",
        "id of the request, else a hash of where and what it was",
        "gen_ai.response.id",
    ),
    Column("source", "text", "", "name of the log format or producer; 'synthetic' for made-up calls"),
    Column("source_file", "text", "", "file the row came from", is_content=False),
    Column("source_line", "int", "count", "line (or Parquet row) it stood on, from 1", is_content=False),
    Column("grain", "text", "", "'request': one call; 'bucket': a span of time; 'bill': an amount for a span of time"),
    Column("request_count", "int", "request", "calls in the row: 1 for a request; null where a bucket gives none"),
    Column("weight", "float", "ratio", "1 / sampling rate: how many calls like this one the row stands for"),
    Column("start_time", "time", "", "when the request was sent, or the bucket begins", "span start"),
    Column("end_time", "time", "", "when the last token arrived, or the bucket ends", "span end"),
    Column("tz_assumed", "bool", "", "the source gave no time zone (UTC assumed) or no date (anchor assumed)"),
    Column("duration_s", "float", "s", "end minus start", "gen_ai.client.operation.duration"),
    Column("ttft_s", "float", "s", "time to the first token", "gen_ai.response.time_to_first_chunk"),
    Column("operation", "text", "", "chat, embeddings, text_completion, ...", "gen_ai.operation.name"),
    Column("provider", "text", "", "who served it: openai, anthropic, aws.bedrock, ...", "gen_ai.provider.name"),
    Column("request_model", "text", "", "model asked for, as logged", "gen_ai.request.model"),
    Column("response_model", "text", "", "model that answered, as logged", "gen_ai.response.model"),
    Column("model_key", "text", "", "name to look the price up by, where the source knows better"),
    Column("input_tokens", "int", "token", "all input, cache reads and writes included", "gen_ai.usage.input_tokens"),
    Column(
        "cache_read_tokens", "int", "token", "part of input read from a cache", "gen_ai.usage.cache_read.input_tokens"
    ),
    Column(
        "cache_write_tokens",
        "int",
        "token",
        "part of input written to a cache, any lifetime",
        "gen_ai.usage.cache_creation.input_tokens",
    ),
    Column("cache_write_1h_tokens", "int", "token", "part of cache_write_tokens kept for an hour"),
    Column("output_tokens", "int", "token", "all output, reasoning included", "gen_ai.usage.output_tokens"),
    Column(
        "reasoning_tokens", "int", "token", "part of output spent on reasoning", "gen_ai.usage.reasoning.output_tokens"
    ),
    Column("audio_input_tokens", "int", "token", "part of input that is audio", "gen_ai.usage.audio.input_tokens"),
    Column("audio_output_tokens", "int", "token", "part of output that is audio", "gen_ai.usage.audio.output_tokens"),
    Column("image_input_tokens", "int", "token", "part of input that is images", "gen_ai.usage.image.input_tokens"),
    Column("tokens_source", "text", "", "reported, tokenizer, estimated or missing"),
    Column("tokens_error_fraction", "float", "fraction", "half width of the 80 % band of counts that are estimated"),
    Column("usage_estimated", "bool", "", "the producer says its token counts are estimates"),
    Column("cost_usd", "float", "usd", "what the source says this call cost"),
    Column("cost_source", "text", "", "billed, reported or computed"),
    Column("status", "text", "", "ok, error, cancelled or cache_hit"),
    Column("http_status", "int", "count", "HTTP status code", "http.response.status_code"),
    Column("error_type", "text", "", "kind of error", "error.type"),
    Column("finish_reason", "text", "", "why the answer ended", "gen_ai.response.finish_reasons"),
    Column("stream", "bool", "", "the answer was streamed", "gen_ai.request.stream"),
    Column("max_tokens", "int", "token", "limit set by the caller", "gen_ai.request.max_tokens"),
    Column(
        "service_tier", "text", "", "priority, flex, default, ...: part of the price", "openai.response.service_tier"
    ),
    Column("is_batch", "bool", "", "sent through a batch interface: part of the price"),
    Column("application", "text", "", "which program called"),
    Column("endpoint", "text", "", "route, function or URL path that made the call"),
    Column("task", "text", "", "kind of work"),
    Column("task_source", "text", "", "who named the task: log, rule, cluster, person"),
    Column("template_id", "text", "", "prompt template"),
    Column("trace_id", "text", "", "one piece of work made of several calls", "trace id"),
    Column("parent_id", "text", "", "the call or span that caused this one", "parent span id"),
    Column("retry_of", "text", "", "record_id of the call this one repeats"),
    Column("unit_hash", "text", "", "hash of the user or session, the unit a pilot randomises", "user.id"),
    Column("api_key_hash", "text", "", "hash of the API key"),
    Column("session_id", "text", "", "conversation", "gen_ai.conversation.id"),
    Column("arm", "text", "", "arm of a pilot"),
    Column("propensity", "float", "fraction", "probability with which that arm was chosen"),
    Column("policy_hash", "text", "", "hash of the routing policy in force"),
    Column("outcome", "float", "fraction", "success at the task, 0 to 1"),
    Column("outcome_source", "text", "", "who judged: log, rule, person, model"),
    Column("prompt_hash", "text", "", "hash of the prompt; the prompt itself is not kept"),
    Column("system_hash", "text", "", "hash of the system prompt"),
    Column("schema_hash", "text", "", "hash of the answer's schema and the tools on offer"),
    Column("has_tools", "bool", "", "tools were on offer"),
    Column("prompt_words", "ints", "", "chained hashes of the last user message's first words, for templates"),
    Column("prompt_terms", "ints", "", "hashed terms of the prompt, for clusters and learning"),
    Column("prompt_counts", "ints", "", "how many characters, words, lines, ... the prompt has; order in features.py"),
    Column("prefix_hashes", "ints", "", "hashes of the prompt's leading blocks, for prefix-cache reuse"),
    Column("redaction", "text", "", "what was dropped or hashed before the row was stored"),
)
"""The columns of the store, in order."""

COLUMN_BY_NAME: Final[Mapping[str, Column]] = MappingProxyType({each.name: each for each in CALL_COLUMNS})

REQUEST_TOKENS_MAX: Final = 100_000_000
"""More tokens than this in one request are absurd: the longest context on sale is 10 million tokens."""
BUCKET_TOKENS_MAX: Final = 10_000_000_000_000
"""More tokens than this in one bucket are absurd."""

INVARIANTS: Final[tuple[str, ...]] = (
    "0 <= tokens <= 1e8 for a request, 1e13 for a bucket",
    "cache_read_tokens + cache_write_tokens <= input_tokens",
    "cache_write_1h_tokens <= cache_write_tokens",
    "reasoning_tokens <= output_tokens",
    "audio_input_tokens + image_input_tokens <= input_tokens",
    "audio_output_tokens <= output_tokens",
    "start_time <= end_time <= import time + 1 day",
    "weight > 0; request_count >= 0",
    "0 <= outcome <= 1; 0 <= propensity <= 1",
)
"""Checked on import; a row that breaks one of the first eight is rejected, a value that breaks the last is dropped."""


def broken_invariant(call: Call) -> str | None:
    """The first invariant that `call` breaks, or None. For producers; importers check whole columns at once.

    >>> from datetime import UTC, datetime
    >>> broken_invariant(Call("a", "gateway", datetime(2026, 1, 1, tzinfo=UTC), input_tokens=5, cache_read_tokens=9))
    'cache_read_tokens + cache_write_tokens <= input_tokens'
    """
    limit = REQUEST_TOKENS_MAX if call.grain == "request" else BUCKET_TOKENS_MAX
    tokens = (
        call.input_tokens,
        call.cache_read_tokens,
        call.cache_write_tokens,
        call.cache_write_1h_tokens,
        call.output_tokens,
        call.reasoning_tokens,
        call.audio_input_tokens,
        call.audio_output_tokens,
        call.image_input_tokens,
    )
    holds = (
        all(0 <= each <= limit for each in tokens),
        call.cache_read_tokens + call.cache_write_tokens <= call.input_tokens,
        call.cache_write_1h_tokens <= call.cache_write_tokens,
        call.reasoning_tokens <= call.output_tokens,
        call.audio_input_tokens + call.image_input_tokens <= call.input_tokens,
        call.audio_output_tokens <= call.output_tokens,
        call.end_time is None or call.start_time <= call.end_time,
        call.weight > 0 and (call.request_count is None or call.request_count >= 0),
        all(each is None or 0 <= each <= 1 for each in (call.outcome, call.propensity)),
    )
    return next((INVARIANTS[i] for i, ok in enumerate(holds) if not ok), None)
