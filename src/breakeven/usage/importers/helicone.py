"""Helicone requests: its ClickHouse table `request_response_rmt` (CSV, Parquet, JSON), what its export tool writes
(JSON, JSONL, CSV) and what its API answers.

Source: github.com/Helicone/helicone, clickhouse/migrations and examples/export/typescript, and
docs.helicone.ai/rest/request. Tokens are counted beside each other: `prompt_tokens` leaves out cached and audio tokens,
`completion_tokens` leaves out reasoning; where the answer's body is there, its own usage is taken instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.documents import documents
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.nested import first_of
from breakeven.usage.reading.unpacked import Unfit
from breakeven.usage.reading.values import first_choice, flag, known_cost, mapping, number, said

_TIME: Final = "request_created_at"
_TABLE_COST_UNITS_PER_USD: Final = 1_000_000_000
"""The ClickHouse column `cost` holds whole billionths of a dollar; the API divides it."""
_NO_ID: Final = "00000000-0000-0000-0000-000000000000"
_PROVIDERS: Final = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "vertex": "gcp.vertex_ai",
    "google": "gcp.gemini",
    "google-ai-studio": "gcp.gemini",
}
_NO_MODEL_CALLS: Final = ("tool:", "vector_db", "data:")
"""What the manual logger writes as the model of a tool, a vector database or a data source."""
_OWN_STATUSES: Final = {-1: "error", -3: "cancelled", -4: "error"}
"""Helicone's own: timed out, cancelled, stopped as a threat. (-2: no answer yet.)"""


def _confidence(head: Head) -> float:
    for place in ("", "data[]."):
        has_time = head.has(place + _TIME)
        has_id = head.has(place + "request_id", place + "response_id")
        if has_time and has_id and head.has(place + "prompt_tokens"):
            return 1.0
    return 0.0


def _unpack(packed: Packed) -> Iterator[dict[str, object] | Unfit]:
    for document in documents(packed.log, packed.head):
        if isinstance(document, Unfit):
            yield document
            continue
        inner = document.get("data")
        for row in inner if isinstance(inner, list) else [document]:
            yield _call(row) if isinstance(row, dict) else Unfit("not a request", type(row).__name__)


def _call(row: Mapping[str, Any]) -> dict[str, object] | Unfit:
    model = first_of(row, "request_model", "model", "model_override", "response_model")
    status = number(first_of(row, "response_status", "status"))
    if str(model or "").startswith(_NO_MODEL_CALLS):
        return Unfit("not a call to a model", str(model))
    if status == -2:
        return Unfit("the answer was still awaited")
    sent, answer = _body(row.get("request_body")), _body(row.get("response_body"))
    facts = _properties(row)
    provider = str(row.get("provider") or "").lower()
    tokens, outcome = _tokens(row, answer), _outcome(row, status)
    cost, is_answer = _cost_usd(row), outcome.get("status", "ok") == "ok"
    return said(
        {
            **tokens,
            **outcome,
            **_times(row),
            "record_id": first_of(row, "request_id", "response_id"),
            "operation": "embeddings" if "/embeddings" in str(first_of(row, "target_url", "request_path")) else "chat",
            "provider": _PROVIDERS.get(provider, provider),
            "request_model": model,
            "response_model": first_of(row, "response_model") or answer.get("model"),
            "cost_usd": known_cost(cost, tokens.values()) if is_answer else cost,
            "max_tokens": first_of(sent, "max_tokens", "max_completion_tokens", "max_output_tokens"),
            "stream": flag(sent.get("stream")),
            "service_tier": answer.get("service_tier"),
            "finish_reason": _finish_reason(answer),
            "application": first_of(facts, "application", "app", "appname", "service"),
            "endpoint": first_of(facts, "helicone-session-path"),
            "task": first_of(facts, "task", "feature", "usecase", "use_case", "helicone-session-name"),
            "template_id": first_of(row, "prompt_id") or facts.get("helicone-prompt-id"),
            "session_id": first_of(facts, "helicone-session-id"),
            "unit": first_of(row, "request_user_id", "user_id"),
            "api_key": first_of(row, "proxy_key_id", "auth_hash"),
            "prompt_text": sent or None,
            "response_text": answer or None,
        }
    )


def _tokens(row: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, object]:
    usage = mapping(answer.get("usage"))
    if number(usage.get("prompt_tokens")) is not None or number(usage.get("input_tokens")) is not None:
        return _body_tokens(usage)
    read, write = row.get("prompt_cache_read_tokens"), row.get("prompt_cache_write_tokens")
    heard, spoken = row.get("prompt_audio_tokens"), row.get("completion_audio_tokens")
    reasoning = row.get("reasoning_tokens")
    return {
        "input_tokens": _with(row.get("prompt_tokens"), read, write, heard),
        "output_tokens": _with(row.get("completion_tokens"), reasoning, spoken),
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "reasoning_tokens": reasoning,
        "audio_input_tokens": heard,
        "audio_output_tokens": spoken,
    }


def _body_tokens(usage: Mapping[str, Any]) -> dict[str, object]:
    """The provider's own usage: OpenAI's names hold cached tokens inside, Anthropic's beside."""
    into = mapping(first_of(usage, "prompt_tokens_details", "input_tokens_details"))
    out = mapping(first_of(usage, "completion_tokens_details", "output_tokens_details"))
    beside_read, beside_write = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    counted = first_of(usage, "prompt_tokens", "input_tokens")
    is_beside = "prompt_tokens" not in usage
    return {
        "input_tokens": _with(counted, beside_read, beside_write) if is_beside else counted,
        "output_tokens": first_of(usage, "completion_tokens", "output_tokens"),
        "cache_read_tokens": into.get("cached_tokens") if beside_read is None else beside_read,
        "cache_write_tokens": beside_write,
        "cache_write_1h_tokens": mapping(usage.get("cache_creation")).get("ephemeral_1h_input_tokens"),
        "reasoning_tokens": out.get("reasoning_tokens"),
        "audio_input_tokens": into.get("audio_tokens"),
        "audio_output_tokens": out.get("audio_tokens"),
    }


def _with(counted: object, *parts: object) -> object:
    """`counted` and what was counted beside it; what is no number is handed on, to be rejected with its reason."""
    base = number(counted)
    return counted if base is None or base < 0 else base + sum(number(each) or 0 for each in parts)


def _outcome(row: Mapping[str, Any], status: float | None) -> dict[str, object]:
    original = first_of(row, "cache_reference_id")
    if original is not None and str(original) != _NO_ID:
        return {"status": "cache_hit", "http_status": status if status and status > 0 else None}
    if status is None:
        return {}
    if status < 0:
        return {"status": _OWN_STATUSES.get(int(status), "error")}
    return {"status": "error" if status >= 400 else "ok", "http_status": status}


def _times(row: Mapping[str, Any]) -> dict[str, object]:
    """ClickHouse writes UTC without a zone. A time to the first token of 0 means that nothing was streamed."""
    latency = first_of(row, "latency", "delay_ms")
    ttft = number(row.get("time_to_first_token"))
    return {
        "start_time": row.get(_TIME),
        "end_time": row.get("response_created_at") if latency is None else None,
        "duration_ms": latency,
        "ttft_ms": ttft if ttft and ttft > 0 else None,
        "tz_assumed": False,
    }


def _cost_usd(row: Mapping[str, Any]) -> object:
    cost = first_of(row, "cost", "costUSD")
    is_table = "response_status" not in row and "cost" in row
    units = number(cost)
    return units / _TABLE_COST_UNITS_PER_USD if is_table and units is not None else cost


def _body(value: object) -> Mapping[str, Any]:
    """A logged body; Helicone writes a message of its own where the body lies elsewhere."""
    found = mapping(value)
    return {} if "helicone_message" in found else found


def _properties(row: Mapping[str, Any]) -> dict[str, Any]:
    """Custom properties, by lower-case name."""
    found = mapping(first_of(row, "request_properties", "properties"))
    return {str(name).lower(): value for name, value in found.items()}


def _finish_reason(answer: Mapping[str, Any]) -> object:
    return first_choice(answer).get("finish_reason") or answer.get("stop_reason")


_FIELDS: Final = (
    *("record_id", "start_time", "end_time", "duration_ms", "ttft_ms", "tz_assumed", "operation", "provider"),
    *("request_model", "response_model", "input_tokens", "cache_read_tokens", "cache_write_tokens"),
    *("cache_write_1h_tokens", "output_tokens", "reasoning_tokens", "audio_input_tokens", "audio_output_tokens"),
    *("cost_usd", "status", "http_status", "finish_reason", "stream", "max_tokens", "service_tier", "application"),
    *("endpoint", "task", "template_id", "session_id", "unit", "api_key", "prompt_text", "response_text"),
)

IMPORTER = Importer(
    name="helicone",
    title="Helicone requests (ClickHouse table, export tool, API)",
    shapes=frozenset({"csv", "parquet", "json", "jsonl"}),
    fields={name: (name,) for name in _FIELDS},
    wanted=(("start_time",), ("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    holds=Holds("request", prompts="optional", latency=True, first_token=True, cost=True),
    concludes=(
        "Requests with tokens, latency, time to the first token and Helicone's own cost. Bodies only for three months, "
        "and only if exported with them; not what the provider billed; which requests were retries of which."
    ),
    unpack=_unpack,
)
