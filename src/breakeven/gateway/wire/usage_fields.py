"""Usage fields: token counts as vendors report them, read into inclusive counts, and written again for clients.

OpenAI's `prompt_tokens` hold the cached ones, Anthropic's `input_tokens` do not; counts are kept inclusive, like the
Call's.
Reports in streams are cumulative: a later one takes the place of an earlier one, they are never added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.gateway.attempt import TokenCounts

TOKENS_MAX_COUNT: Final = 100_000_000
"""More in one request is absurd; such a report is cut down to it."""
_FIELDS_COUNT: Final = 2
"""Fewer fields than input, output and one more hold no cache."""
_NONE: Final[Mapping[str, Any]] = {}


def openai_counts(usage: object) -> TokenCounts | None:
    """Counts out of a `usage` object of chat completions, completions, embeddings or responses; None where it is none.

    A total above input plus output means that reasoning is reported beside the output (Gemini, xAI): it is billed, so
    it counts. Cached tokens above the input mean that the input was reported without them.

    >>> openai_counts({"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 4}).cache_read_tokens
    4
    >>> openai_counts({"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 500}).output_tokens
    480
    """
    if type(usage) is not dict:
        return None
    given = usage.get("prompt_tokens", usage.get("input_tokens"))
    made = usage.get("completion_tokens", usage.get("output_tokens"))
    if given is None and made is None:
        return None
    counts = TokenCounts(_count(given), _count(made))
    heard = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    spoken = usage.get("completion_tokens_details") or usage.get("output_tokens_details")
    if heard or len(usage) > 2 + ("total_tokens" in usage):
        _note_cache(counts, usage, heard if type(heard) is dict else _NONE)
    total = usage.get("total_tokens")
    if type(total) is int and counts.output_tokens < total - counts.input_tokens <= TOKENS_MAX_COUNT:
        counts.output_tokens = total - counts.input_tokens
    if spoken or "reasoning_tokens" in usage:
        _note_spoken(counts, usage, spoken if type(spoken) is dict else _NONE)
    return counts


def _note_cache(counts: TokenCounts, usage: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    """Cached input, by the names in use: OpenAI; DeepSeek; Moonshot; Anthropic behind a proxy."""
    read = _count(details.get("cached_tokens"))
    if not read and len(usage) > _FIELDS_COUNT:
        read = _first(usage, ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"))
    write = _count(details.get("cache_write_tokens")) or _count(usage.get("cache_creation_input_tokens"))
    if read + write > counts.input_tokens:
        counts.input_tokens += read + write
    counts.cache_read_tokens, counts.cache_write_tokens = read, write
    if "audio_tokens" in details:
        counts.audio_input_tokens = min(_count(details["audio_tokens"]), counts.input_tokens)


def _note_spoken(counts: TokenCounts, usage: Mapping[str, Any], details: Mapping[str, Any]) -> None:
    reasoning = _count(details.get("reasoning_tokens")) or _count(usage.get("reasoning_tokens"))
    if reasoning > counts.output_tokens:
        counts.output_tokens += reasoning
    counts.reasoning_tokens = reasoning
    if "audio_tokens" in details:
        counts.audio_output_tokens = min(_count(details["audio_tokens"]), counts.output_tokens)


def timings_counts(timings: object) -> TokenCounts | None:
    """Counts out of llama.cpp's `timings`, for servers that report no usage in streams.

    >>> timings_counts({"prompt_n": 1, "cache_n": 21, "predicted_n": 8}).input_tokens
    22
    """
    if type(timings) is not dict or "predicted_n" not in timings:
        return None
    cached = _count(timings.get("cache_n"))
    return TokenCounts(_count(timings.get("prompt_n")) + cached, _count(timings["predicted_n"]), cached)


ANTHROPIC_FIELDS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)


def merged_anthropic(earlier: Mapping[str, Any], later: object) -> dict[str, Any]:
    """Usage of Anthropic's stream so far: each count is cumulative, so the greater one holds, whichever event told it.

    >>> merged_anthropic({"input_tokens": 9, "output_tokens": 1}, {"input_tokens": 0, "output_tokens": 5})
    {'input_tokens': 9, 'output_tokens': 5}
    """
    merged = dict(earlier)
    for name, value in _object(later).items():
        if name in ANTHROPIC_FIELDS:
            merged[name] = max(_count(merged.get(name)), _count(value))
        elif value is not None:
            merged[name] = value
    return merged


def anthropic_counts(usage: object) -> TokenCounts | None:
    """Counts out of Anthropic's `usage`; None where it is none.

    >>> anthropic_counts({"input_tokens": 1, "cache_read_input_tokens": 21, "output_tokens": 8}).input_tokens
    22
    """
    if type(usage) is not dict or ("input_tokens" not in usage and "output_tokens" not in usage):
        return None
    read = _count(usage.get("cache_read_input_tokens"))
    lifetimes = _object(usage.get("cache_creation"))
    hour = _count(lifetimes.get("ephemeral_1h_input_tokens"))
    minutes = _count(lifetimes.get("ephemeral_5m_input_tokens"))
    write = max(_count(usage.get("cache_creation_input_tokens")), hour + minutes)
    into, output = _count(usage.get("input_tokens")) + read + write, _count(usage.get("output_tokens"))
    thinking = min(_count(_object(usage.get("output_tokens_details")).get("thinking_tokens")), output)
    return TokenCounts(into, output, read, write, hour, thinking)


def openai_usage(counts: TokenCounts) -> dict[str, Any]:
    """Counts as a `usage` of chat completions.

    >>> openai_usage(TokenCounts(22, 8, 21))["prompt_tokens_details"]["cached_tokens"]
    21
    """
    return {
        "prompt_tokens": counts.input_tokens,
        "completion_tokens": counts.output_tokens,
        "total_tokens": counts.input_tokens + counts.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": counts.cache_read_tokens,
            "cache_write_tokens": counts.cache_write_tokens,
            "audio_tokens": counts.audio_input_tokens,
        },
        "completion_tokens_details": {
            "reasoning_tokens": counts.reasoning_tokens,
            "audio_tokens": counts.audio_output_tokens,
        },
    }


def anthropic_usage(counts: TokenCounts) -> dict[str, Any]:
    """Counts as Anthropic's `usage`: input without what came from a cache or went to one.

    >>> anthropic_usage(TokenCounts(22, 8, 21))["input_tokens"]
    1
    """
    return {
        "input_tokens": counts.input_tokens - counts.cache_read_tokens - counts.cache_write_tokens,
        "cache_creation_input_tokens": counts.cache_write_tokens,
        "cache_read_input_tokens": counts.cache_read_tokens,
        "output_tokens": counts.output_tokens,
    }


def _count(value: object) -> int:
    """A count of tokens; what is no count is none."""
    if type(value) is int:
        return min(max(value, 0), TOKENS_MAX_COUNT)
    if type(value) is float and 0 <= value <= TOKENS_MAX_COUNT:
        return int(value)
    return 0


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> int:
    return next((count for name in names if (count := _count(fields.get(name)))), 0)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else _NONE
