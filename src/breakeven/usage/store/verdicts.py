"""Verdicts: every reason for which a row of a log is no Call, in the order in which they are looked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from breakeven.usage.call import BUCKET_TOKENS_MAX, REQUEST_TOKENS_MAX
from breakeven.usage.store.fields import TIMES, TOKENS, Fields, lacks_tokens

LACKS_TOKENS: Final = ("input_tokens is missing", "output_tokens is missing")
"""Reasons that another row of the same request can heal."""
_YEAR_2000_US: Final = 946_684_800_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """One reason to reject a row."""

    reason: str
    condition: str
    """SQL over the `sums` layer of the statement; NULL counts as no."""
    value: str = ""
    """Expression for the text that was seen."""


def verdicts(fields: Fields) -> list[Verdict]:
    """The reasons that can apply to a file with `fields`; the first that applies wins."""
    return [
        *_no_row(fields),
        *_bad_times(fields),
        *_bad_tokens(fields),
        *_bad_relations(fields),
        *_bad_weights(fields),
        *_bad_cost(fields),
    ]


def is_call(fields: Fields) -> str:
    """SQL that is true for a row that no verdict applies to. Cheaper than asking for each verdict."""
    wanted = ["is_row"] if fields.plan.head.shape == "jsonl" else []
    wanted.append(f"us_start_time BETWEEN {_YEAR_2000_US} AND {fields.latest_us}")
    if fields.has("end_time"):
        wanted.append(f"(t_end_time IS NULL OR us_end_time BETWEEN us_start_time AND {fields.latest_us})")
    limit = _tokens_limit(fields)
    for name in TOKENS:
        if fields.has(name) and not fields.has_counts:
            wanted.append(f"(t_{name} IS NULL OR n_{name} BETWEEN 0 AND {limit} AND n_{name} = floor(n_{name}))")
    is_missing = " OR ".join(f"COALESCE({each.condition}, false)" for each in _missing_tokens(fields))
    wanted.append(
        f"CASE WHEN s_input_tokens + s_output_tokens >= 0 THEN {_has_cost(fields)} ELSE NOT ({is_missing}) END"
    )
    bad = (*_bad_relations(fields), *_bad_weights(fields), *_bad_cost(fields))
    wanted += [f"NOT COALESCE({each.condition}, false)" for each in bad]
    return " AND ".join(wanted)


def _no_row(fields: Fields) -> Iterator[Verdict]:
    if fields.plan.head.shape == "jsonl":
        yield Verdict("not valid JSON", "NOT is_row AND NOT json_valid(text)")
        yield Verdict("not a JSON object", "NOT is_row")
        is_other = "CASE WHEN t_start_time IS NULL THEN json_type(text) <> 'OBJECT' END"
        yield Verdict("not a JSON object", is_other)


def _bad_times(fields: Fields) -> Iterator[Verdict]:
    yield Verdict("start_time is missing", "t_start_time IS NULL")
    for name in TIMES:
        if fields.has(name):
            seen = f"t_{name}"
            yield Verdict(f"{name} is not a time", f"{seen} IS NOT NULL AND us_{name} IS NULL", seen)
            yield Verdict(f"{name} is before the year 2000", f"us_{name} < {_YEAR_2000_US}", seen)
            yield Verdict(f"{name} is more than a day in the future", f"us_{name} > {fields.latest_us}", seen)
    if fields.has("end_time"):
        yield Verdict("end_time is before start_time", "us_end_time < us_start_time", "t_end_time")


def _bad_tokens(fields: Fields) -> Iterator[Verdict]:
    limit = _tokens_limit(fields)
    for name in TOKENS:
        if fields.has(name):
            seen, number = f"t_{name}", f"n_{name}"
            yield Verdict(f"{name} is not a number", f"{seen} IS NOT NULL AND {number} IS NULL", seen)
            yield Verdict(f"{name} is not a finite number", f"NOT isfinite({number})", seen)
            yield Verdict(f"{name} is negative", f"{number} < 0", seen)
            yield Verdict(f"{name} is absurdly large", f"{number} > {limit}", seen)
            yield Verdict(f"{name} is not a whole number", f"{number} <> floor({number})", seen)
    yield from _missing_tokens(fields)


def _tokens_limit(fields: Fields) -> str:
    if not fields.has("grain"):
        return str(REQUEST_TOKENS_MAX)
    return f"CASE WHEN lower(t_grain) IN ('bucket', 'bill') THEN {BUCKET_TOKENS_MAX} ELSE {REQUEST_TOKENS_MAX} END"


def _missing_tokens(fields: Fields) -> Iterator[Verdict]:
    is_bill = f"COALESCE(lower({fields.text('grain')}) = 'bill', false)"
    told = f"({lacks_tokens(fields, 'input')})"
    is_missing = f"s_input_tokens IS NULL AND status = 'ok' AND NOT {is_bill} AND NOT {told}"
    yield Verdict("input_tokens is missing", is_missing)
    is_embedding = f"COALESCE({fields.text('operation')} ILIKE '%embed%', false)"
    may_lack = f"({is_embedding} OR {is_bill})"
    told = f"({lacks_tokens(fields, 'output')})"
    is_missing = f"s_output_tokens IS NULL AND status = 'ok' AND NOT {may_lack} AND NOT {told}"
    yield Verdict("output_tokens is missing", is_missing)
    yield Verdict("cost_usd is missing on a bill", f"NOT {_has_cost(fields)}")


def _has_cost(fields: Fields) -> str:
    """SQL that is false for a bill without an amount."""
    if not fields.has("grain"):
        return "true"
    return f"NOT (COALESCE(lower(t_grain) = 'bill', false) AND {fields.text('cost_usd')} IS NULL)"


def _bad_relations(fields: Fields) -> Iterator[Verdict]:
    """What is 0 because the file has none of it can break no relation."""
    beside = [f"exclusive_cache_{part}_tokens" for part in ("read", "write", "write_5m", "write_1h")]
    read_or_written = ("cache_read_tokens", "cache_write_tokens", *beside)
    if fields.has(*read_or_written, "exclusive_input_tokens"):
        too_many = f"s_input_tokens > {_tokens_limit(fields)}"
        yield Verdict("input_tokens and cache tokens beside them are absurdly many", too_many)
        yield Verdict(
            "cache_read_tokens + cache_write_tokens is more than input_tokens",
            "s_cache_read_tokens + s_cache_write_tokens > COALESCE(s_input_tokens, 0)",
            "concat_ws(' + ', s_cache_read_tokens::BIGINT, s_cache_write_tokens::BIGINT)"
            " || ' > ' || COALESCE(s_input_tokens, 0)::BIGINT",
        )
    if fields.has("cache_write_1h_tokens", beside[-1]):
        yield Verdict(
            "cache_write_1h_tokens is more than cache_write_tokens", "s_cache_write_1h_tokens > s_cache_write_tokens"
        )
    if fields.has("reasoning_tokens", "exclusive_reasoning_tokens"):
        yield Verdict(
            "reasoning_tokens is more than output_tokens",
            "s_reasoning_tokens > COALESCE(s_output_tokens, 0)",
            "s_reasoning_tokens::BIGINT || ' > ' || COALESCE(s_output_tokens, 0)::BIGINT",
        )
    if fields.has("audio_input_tokens", "image_input_tokens"):
        yield Verdict(
            "audio_input_tokens + image_input_tokens is more than input_tokens",
            "s_audio_input_tokens + s_image_input_tokens > COALESCE(s_input_tokens, 0)",
        )
    if fields.has("audio_output_tokens"):
        yield Verdict(
            "audio_output_tokens is more than output_tokens",
            "s_audio_output_tokens > COALESCE(s_output_tokens, 0)",
        )


def _bad_weights(fields: Fields) -> Iterator[Verdict]:
    for name, valid in (
        ("weight", "n_weight > 0 AND n_weight <= 1e9"),
        ("sampling_rate", "n_sampling_rate BETWEEN 1e-9 AND 1"),
        ("request_count", "n_request_count BETWEEN 0 AND 1e13 AND n_request_count = floor(n_request_count)"),
    ):
        if fields.has(name):
            bad = f"t_{name} IS NOT NULL AND NOT COALESCE({valid}, false)"
            yield Verdict(f"{name} is not possible", bad, f"t_{name}")


def _bad_cost(fields: Fields) -> Iterator[Verdict]:
    if fields.has("cost_usd"):
        bad = "t_cost_usd IS NOT NULL AND NOT COALESCE(n_cost_usd BETWEEN 0 AND 1e9, false)"
        yield Verdict("cost_usd is not an amount", bad, "t_cost_usd")
