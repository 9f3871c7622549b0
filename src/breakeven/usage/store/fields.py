"""Fields: which fields of a Call a file supplies, and the SQL names of their texts and numbers.

In every layer of the statement `t_NAME` is the text of a field, `n_NAME` the number in it, `us_NAME` its time in
microseconds; a field that the file lacks is a typed NULL, so that formulas need not ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.usage.plan import Plan

TOKENS: Final = (
    "input_tokens",
    "prompt_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "exclusive_cache_read_tokens",
    "exclusive_cache_write_tokens",
    "exclusive_cache_write_5m_tokens",
    "exclusive_cache_write_1h_tokens",
    "reasoning_tokens",
    "exclusive_reasoning_tokens",
    "exclusive_input_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "image_input_tokens",
)
NEEDED_NUMBERS: Final = ("request_count", "weight", "sampling_rate", "cost_usd", "total_tokens")
TIMES: Final = ("start_time", "end_time")


@dataclass(frozen=True, slots=True)
class Dispensable:
    """A field that a call can do without: an unreadable value is dropped and counted, the row is kept."""

    name: str
    type: str
    valid: str
    """Condition on `{v}`, the value that was read."""


_NO_GAPS: Final = "len({v}) = list_count({v})"
DISPENSABLE: Final = (
    Dispensable("duration_s", "DOUBLE", "{v} BETWEEN 0 AND 1e7"),
    Dispensable("duration_ms", "DOUBLE", "{v} BETWEEN 0 AND 1e10"),
    Dispensable("ttft_s", "DOUBLE", "{v} BETWEEN 0 AND 1e7"),
    Dispensable("ttft_ms", "DOUBLE", "{v} BETWEEN 0 AND 1e10"),
    Dispensable("http_status", "DOUBLE", "{v} BETWEEN 100 AND 999 AND {v} = floor({v})"),
    Dispensable("max_tokens", "DOUBLE", "{v} BETWEEN 0 AND 1e13 AND {v} = floor({v})"),
    Dispensable("propensity", "DOUBLE", "{v} BETWEEN 0 AND 1"),
    Dispensable("outcome", "DOUBLE", "{v} BETWEEN 0 AND 1"),
    Dispensable("stream", "BOOLEAN", "true"),
    Dispensable("is_batch", "BOOLEAN", "true"),
    Dispensable("usage_estimated", "BOOLEAN", "true"),
    Dispensable("tokens_error_fraction", "DOUBLE", "{v} BETWEEN 0 AND 10"),
    Dispensable("has_tools", "BOOLEAN", "true"),
    Dispensable("prompt_words", "BIGINT[]", _NO_GAPS),
    Dispensable("prompt_terms", "BIGINT[]", _NO_GAPS),
    Dispensable("prompt_counts", "BIGINT[]", _NO_GAPS),
    Dispensable("prefix_hashes", "BIGINT[]", "true"),
)
"""The position in this tuple is the bit in the statement's `dropped`."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What the file of a plan supplies."""

    plan: Plan
    names: frozenset[str]
    latest_us: int
    """No time may be later than this, in microseconds since 1970 UTC."""
    has_counts: bool = False
    """All tokens are whole numbers in `BIGINT`, within the limit of a request."""

    def has(self, *names: str) -> bool:
        """True when the file supplies one of `names`."""
        return any(name in self.names for name in names)

    def text(self, name: str) -> str:
        """The text of a field."""
        return f"t_{name}" if name in self.names else "CAST(NULL AS VARCHAR)"

    def number(self, name: str) -> str:
        """The number in a field."""
        kind = "BIGINT" if self.has_counts and name in TOKENS else "DOUBLE"
        return f"n_{name}" if name in self.names else f"CAST(NULL AS {kind})"

    def valid(self, name: str) -> str:
        """The value of a dispensable field, NULL when it is not a valid one."""
        if name not in self.names:
            return "NULL"
        condition = next(each.valid for each in DISPENSABLE if each.name == name)
        return f"CASE WHEN {condition.format(v=f'n_{name}')} THEN n_{name} END"


def lacks_tokens(fields: Fields, side: str) -> str:
    """SQL that is true where the log tells no tokens of a side and there is a text to estimate them from."""
    text = fields.text("prompt_text" if side == "input" else "response_text")
    return f"s_{side}_tokens IS NULL AND status = 'ok' AND {text} IS NOT NULL"
