"""Columns: from checked numbers and texts to the columns of a Call, with the accounting and redaction rules."""

from __future__ import annotations

from typing import Final

from breakeven.usage.plan import Plan
from breakeven.usage.redact import HASH_HEX_LENGTH
from breakeven.usage.store.fields import Fields, lacks_tokens
from breakeven.usage.store.json_paths import literal
from breakeven.usage.store.redaction import ALREADY_HASHED, LABELS, RAW_HASHED

Constant = str | int | float | bool
TEXTS: Final = ("prompt", "system", "tools", "schema", "response")
"""Texts of a call that the statement hands on as they are; `prompt_reader` takes them out."""
_CALIBRATING_ROWS: Final = 200
_CALIBRATING_STEP: Final = 256
"""Rows whose texts may calibrate estimates: the first of a file, then one in so many."""
PARTS: Final = ("audio_input_tokens", "audio_output_tokens", "image_input_tokens")
"""Token counts that are part of input or output and stored as they are logged."""

_PLAIN: Final = (
    "policy_hash",
    "system_hash",
    "schema_hash",
    "redaction",
)


def default_constants(plan: Plan) -> dict[str, Constant]:
    """Columns whose value is known when the file says nothing."""
    zeros = ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens", *PARTS)
    return {
        "source": plan.importer.name,
        "grain": "request",
        "request_count": 1,
        "weight": _weight_by_default(plan),
        "tokens_source": "reported",
        "usage_estimated": False,
        "status": "ok",
        "is_batch": False,
        **dict.fromkeys(zeros, 0),
        **plan.importer.constants,
    }


def _weight_by_default(plan: Plan) -> float:
    return 1.0 if plan.sampled_fraction is None else 1.0 / plan.sampled_fraction


def sums(fields: Fields) -> str:
    """Token totals by the inclusive rule, and the status, which decides what may be missing."""
    n = fields.number
    five, hour = n("exclusive_cache_write_5m_tokens"), n("exclusive_cache_write_1h_tokens")
    beside_read = n("exclusive_cache_read_tokens")
    beside_write = f"COALESCE({n('exclusive_cache_write_tokens')}, {five} + {hour}, {five}, {hour})"
    read = f"COALESCE({n('cache_read_tokens')}, {beside_read}, 0)"
    write = f"COALESCE({n('cache_write_tokens')}, {beside_write}, 0)"
    beside = {
        "inclusive": "0",
        "exclusive": f"{read} + {write}",
        "by_field": f"CASE WHEN {fields.text('prompt_tokens')} IS NULL"
        f" THEN COALESCE({beside_read}, 0) + COALESCE({beside_write}, 0) ELSE 0 END",
    }[fields.plan.tokens_rule]
    if fields.has("exclusive_input_tokens"):
        beside += f" + COALESCE({n('exclusive_input_tokens')}, 0)"
    totals = {
        "s_input_tokens": f"COALESCE({n('prompt_tokens')}, {n('input_tokens')}) + {beside}",
        "s_cache_read_tokens": read,
        "s_cache_write_tokens": write,
        "s_cache_write_1h_tokens": f"COALESCE({n('cache_write_1h_tokens')}, {hour}, 0)",
        "s_output_tokens": _output(fields),
        "s_reasoning_tokens": f"COALESCE({n('reasoning_tokens')}, {n('exclusive_reasoning_tokens')}, 0)",
        "status": _status(fields),
        **{f"s_{name}": f"COALESCE({n(name)}, 0)" for name in PARTS},
    }
    return ", ".join(f"{expression} AS {name}" for name, expression in totals.items())


def _output(fields: Fields) -> str:
    """Output tokens with the reasoning that a source counts beside them, by its name or by what its total shows."""
    n = fields.number
    output, beside = n("output_tokens"), n("exclusive_reasoning_tokens")
    if fields.has("exclusive_reasoning_tokens"):
        output = f"COALESCE({output} + {beside}, {output}, {beside})"
    if not fields.has("total_tokens") or not fields.has("reasoning_tokens"):
        return output
    told = f"COALESCE({n('prompt_tokens')}, {n('input_tokens')}) + {n('output_tokens')} + {n('reasoning_tokens')}"
    shows = f"{n('reasoning_tokens')} > 0 AND {n('total_tokens')} = {told}"
    return f"{output} + CASE WHEN {shows} THEN {n('reasoning_tokens')} ELSE 0 END"


def columns(fields: Fields, *, keeps_texts: bool = False) -> dict[str, str]:
    """Column -> expression, for the columns this file supplies. Answers are only handed on where texts are kept."""
    found = _times_and_tokens(fields)
    found |= _provenance(fields)
    found |= _measurements(fields)
    found |= {name: f"t_{name}" for name in _PLAIN if fields.has(name)}
    found |= _unredacted(fields)
    found |= {f"raw_{name}": f"t_{name}_text" for name in TEXTS if fields.has(f"{name}_text")}
    if fields.has("prompt_text", "response_text"):
        found |= _estimable(fields)
    if "raw_response" in found and not keeps_texts:
        found["raw_response"] = f"CASE WHEN {found['lacks_output']} OR {found['calibrates']} THEN t_response_text END"
    found |= _judgements(fields)
    return found


def _estimable(fields: Fields) -> dict[str, str]:
    """Whether tokens are missing that a text can tell, and whether the row can calibrate such estimates."""
    is_whole = "status = 'ok' AND s_input_tokens > 0 AND s_output_tokens > 0"
    is_sampled = f"(row_no <= {_CALIBRATING_ROWS} OR row_no % {_CALIBRATING_STEP} = 0)"
    return {
        "lacks_input": f"({lacks_tokens(fields, 'input')})",
        "lacks_output": f"({lacks_tokens(fields, 'output')})",
        "calibrates": f"COALESCE({is_whole} AND {is_sampled}, false)",
    }


def _status(fields: Fields) -> str:
    if not fields.has("status", "http_status", "error_type"):
        return "'ok'"
    text = fields.text("status")
    code = f"COALESCE({fields.number('http_status')}, TRY_CAST({text} AS DOUBLE))"
    return (
        f"CASE WHEN {text} = '200' OR {text} = 'ok' THEN 'ok'"
        f" WHEN {_is_one_of(text, '200|ok|success|succeeded|completed')} THEN 'ok'"
        f" WHEN {_is_one_of(text, 'error|failure|failed|fail|timeout')} THEN 'error'"
        f" WHEN {_is_one_of(text, 'cancelled|canceled|aborted')} THEN 'cancelled'"
        f" WHEN {_is_one_of(text, 'cache_hit')} THEN 'cache_hit'"
        f" WHEN {code} >= 400 OR {fields.text('error_type')} IS NOT NULL THEN 'error' ELSE 'ok' END"
    )


def _is_one_of(text: str, words: str) -> str:
    """Whether `text` is one of `words`. (DuckDB makes a hash join of an IN with five constants.)"""
    return f"contains('|{words}|', CAST('|' || lower({text}) || '|' AS VARCHAR))"


def _times_and_tokens(fields: Fields) -> dict[str, str]:
    seconds = f"COALESCE({fields.valid('duration_s')}, {fields.valid('duration_ms')} / 1000)"
    found = {"start_time": "us_start_time", "input_tokens": _whole("s_input_tokens")}
    found["output_tokens"] = _whole("s_output_tokens")
    if fields.has("duration_s", "duration_ms"):
        added = f"us_start_time + CAST(round({seconds} * 1e6) AS BIGINT)"
        later = f"CASE WHEN {added} <= {fields.latest_us} THEN {added} END"
        found["end_time"] = f"COALESCE(us_end_time, {later})" if fields.has("end_time") else later
        found["duration_s"] = seconds
    if fields.has("end_time"):
        between = "(us_end_time - us_start_time) / 1e6"
        found.setdefault("end_time", "us_end_time")
        found["duration_s"] = f"COALESCE({seconds}, {between})" if "duration_s" in found else between
    found["tz_assumed"] = _tz_assumed(fields)
    cached = ("cache_read_tokens", "exclusive_cache_read_tokens")
    written = tuple(f"exclusive_cache_write{part}_tokens" for part in ("", "_5m", "_1h"))
    for name, sources in (
        ("cache_read_tokens", cached),
        ("cache_write_tokens", ("cache_write_tokens", *written)),
        ("cache_write_1h_tokens", ("cache_write_1h_tokens", written[2])),
        ("reasoning_tokens", ("reasoning_tokens", "exclusive_reasoning_tokens")),
        *((part, (part,)) for part in PARTS),
    ):
        if fields.has(*sources):
            found[name] = _whole(f"s_{name}")
    return found


def _whole(number: str) -> str:
    return f"TRY_CAST(COALESCE({number}, 0) AS BIGINT)"


def _tz_assumed(fields: Fields) -> str:
    """A text without a zone behind its time of day. Numbers since 1970 are UTC by definition."""
    if fields.plan.importer.relative_time:
        return "true"
    said = f"TRY_CAST({fields.text('tz_assumed')} AS BOOLEAN)"
    return f"COALESCE({said}, has_no_zone)" if fields.has("tz_assumed") else "has_no_zone"


def _provenance(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    whole_row = (
        f"concat_ws(chr(31), {literal(fields.plan.importer.name)}, base, row_no, rtrim(text, chr(13) || chr(10)))"
    )
    made_up = f"'row-' || md5({whole_row})"
    found["record_id"] = f"COALESCE(t_record_id, {made_up})" if fields.has("record_id") else made_up
    if fields.has("source"):
        found["source"] = f"COALESCE(t_source, {literal(fields.plan.importer.name)})"
    if fields.has("grain"):
        found["grain"] = "CASE WHEN lower(t_grain) IN ('bucket', 'bill') THEN lower(t_grain) ELSE 'request' END"
        assumed = "CASE WHEN lower(t_grain) IN ('bucket', 'bill') THEN NULL ELSE 1 END"
        found["request_count"] = f"TRY_CAST(COALESCE({fields.number('request_count')}, {assumed}) AS BIGINT)"
    elif fields.has("request_count"):
        found["request_count"] = "TRY_CAST(COALESCE(n_request_count, 1) AS BIGINT)"
    if fields.has("weight", "sampling_rate"):
        told = f"{fields.number('weight')}, 1 / {fields.number('sampling_rate')}"
        found["weight"] = f"COALESCE({told}, CAST({_weight_by_default(fields.plan)!r} AS DOUBLE))"
    if fields.has("tokens_source", "status", "http_status", "error_type"):
        missing = "CASE WHEN s_input_tokens IS NULL AND s_output_tokens IS NULL THEN 'missing' ELSE 'reported' END"
        known = f"CASE WHEN {fields.text('tokens_source')} IN ('reported', 'tokenizer', 'estimated', 'missing')"
        found["tokens_source"] = f"{known} THEN {fields.text('tokens_source')} ELSE {missing} END"
    return found


def _measurements(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    if fields.has("ttft_s", "ttft_ms"):
        found["ttft_s"] = f"COALESCE({fields.valid('ttft_s')}, {fields.valid('ttft_ms')} / 1000)"
    if fields.has("status", "http_status", "error_type"):
        found["status"] = "status"
        code = f"TRY_CAST({fields.text('status')} AS DOUBLE)"
        named = f"CASE WHEN {code} BETWEEN 100 AND 999 THEN {code} END"
        found["http_status"] = f"TRY_CAST(COALESCE({fields.valid('http_status')}, {named}) AS BIGINT)"
    if fields.has("max_tokens"):
        found["max_tokens"] = f"TRY_CAST({fields.valid('max_tokens')} AS BIGINT)"
    if fields.has("cost_usd"):
        found["cost_usd"] = "n_cost_usd"
        told = f"CASE WHEN {fields.text('cost_source')} IN ('billed', 'reported', 'computed') THEN"
        found["cost_source"] = f"{told} {fields.text('cost_source')} WHEN t_cost_usd IS NOT NULL THEN 'reported' END"
    for name in ("stream", "has_tools", "prefix_hashes", "prompt_words", "prompt_terms", "prompt_counts"):
        if fields.has(name):
            found[name] = fields.valid(name)
    if fields.has("tokens_error_fraction"):
        found["tokens_error_fraction"] = fields.valid("tokens_error_fraction")
    for name in ("is_batch", "usage_estimated"):
        if fields.has(name):
            found[name] = f"COALESCE(n_{name}, false)"
    return found


def _judgements(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("propensity", "outcome"):
        if fields.has(name):
            found[name] = fields.valid(name)
    for name in ("task", "outcome"):
        if fields.has(name):
            told = fields.text(f"{name}_source")
            found[f"{name}_source"] = f"CASE WHEN t_{name} IS NOT NULL THEN COALESCE({told}, 'log') END"
        elif fields.has(f"{name}_source"):
            found[f"{name}_source"] = "CAST(NULL AS VARCHAR)"  # of a judgement that is not there
    return found


def _unredacted(fields: Fields) -> dict[str, str]:
    """Users, keys and labels as logged: `redaction` hashes or hides them."""
    found = {raw: f"t_{raw.removeprefix('raw_')}" for raw in RAW_HASHED if fields.has(raw.removeprefix("raw_"))}
    found |= {name: f"t_{name}" for name in (*ALREADY_HASHED, *LABELS) if fields.has(name)}
    if fields.has("prompt_hash", "prompt_text"):
        salted = f"{literal(fields.plan.salt)} || {fields.text('prompt_text')}"
        made = f"substr(sha256({salted}), 1, {HASH_HEX_LENGTH})"
        found["prompt_hash"] = f"COALESCE({fields.text('prompt_hash')}, {made})"
    return found
