"""Call line: one attempt as one JSON line, under the column names of `usage/call.py`.

`breakeven import` reads such lines as they are. What many requests have in common (model, key, task, policy, ...) is
put into words once and kept; a line is then one formatting of bytes. A line never holds a prompt or a key.

Names: `request_model` is what the client asked for, `model_key` is the target's name as policies and price lists know
it, `response_model` is what the upstream says it used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import gmtime, strftime
from typing import Any, Final

import orjson

from breakeven.gateway.attempt import Attempt, TokenCounts
from breakeven.gateway.plan import Key, Plan
from breakeven.gateway.upstream import Target
from breakeven.usage.call import REQUEST_TOKENS_MAX

SOURCE: Final = "breakeven-gateway"
ENDPOINTS: Final[Mapping[str, str]] = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "embeddings": "/v1/embeddings",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "count_tokens": "/v1/messages/count_tokens",
}
OPERATIONS: Final[Mapping[str, str]] = {
    "chat": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
    "responses": "chat",
    "messages": "chat",
    "count_tokens": "count_tokens",
}
"""What the client spoke -> the name OpenTelemetry has for it."""
_OURS: Final = frozenset({"retry", "fallback", "escalation"})
"""Kinds of attempts that ask again what failed before."""
_SHARED_MAX_COUNT: Final = 4096
_BESIDE: Final = frozenset({"shadow", "hedge", "check"})
"""Kinds that run beside another attempt: it is their parent."""
_UNSEEN: Final = frozenset({"shadow", "check"})
"""Kinds whose answers no client gets."""
_GROUPS: Final = frozenset({"system_hash", "schema_hash", "template_id", "prompt_hash"})
"""Groups of a plan that are columns; the others are said by `_shared_words`."""
_shared: dict[tuple[object, ...], tuple[bytes, Target, Key | None]] = {}
"""With the objects whose `id` is part of the name, so that nothing else can get it."""
_seconds: dict[int, str] = {}


def call_line(plan: Plan, attempt: Attempt, record_id: str | None = None, retry_of: str | None = None) -> bytes:
    """One Call as a JSON line. Without a `record_id`: the request's for its first attempt, then `ID-2`, `ID-3`, ..."""
    number = attempt.number
    if record_id is None:
        record_id = plan.request_id if number == 1 else f"{plan.request_id}-{number}"
        if number > 1 and attempt.kind in _OURS:
            retry_of = plan.request_id
    tokens = attempt.tokens
    said: dict[str, Any] = {
        "record_id": record_id,
        "start_time": start_time(attempt.started_unix_s),
        "input_tokens": 0 if tokens is None else tokens.input_tokens,
        "output_tokens": 0 if tokens is None else tokens.output_tokens,
        "cost_usd": attempt.cost_usd,
    }
    if tokens is not None:
        add_tokens(said, tokens)
    started_s, first_s = attempt.started_monotonic_s, attempt.first_byte_monotonic_s
    if attempt.ended_monotonic_s is not None:
        said["duration_s"] = int(max(attempt.ended_monotonic_s - started_s, 0.0) * 1e6 + 0.5) / 1e6
    if first_s is not None:
        said["ttft_s"] = int(max(first_s - started_s, 0.0) * 1e6 + 0.5) / 1e6
    if attempt.outcome_fraction is not None:
        said["outcome"], said["outcome_source"] = attempt.outcome_fraction, "validator"
    if retry_of is not None:
        said["retry_of"] = retry_of
    said.update(origins_of(plan, attempt))
    return json_of(said)[:-1] + _words(plan, attempt)


def call_lines(plan: Plan, attempts: Sequence[Attempt]) -> list[bytes]:
    """All Calls of a request: every attempt that was sent, once.

    The attempt whose answer the client got (the last that did not fail, else the last whose answer only failed its
    checks; never a shadow or a check) has the request's id, so that an outcome given for the request is said of the
    model that answered; the others are `ID-1`, `ID-2`, ... by their number. Only a request that nobody answered gives
    its id to its last attempt.
    """
    sent = [each for each in attempts if each.was_sent]
    if len(sent) == 1 and sent[0].kind not in _UNSEEN:
        return [call_line(plan, sent[0], plan.request_id)]
    asked = [each for each in sent if each.kind not in _UNSEEN]
    good = [each for each in asked if each.failure is None and not (each.is_aborted or each.is_refused)]
    good = good or [each for each in asked if each.failure == "rejected"] or asked
    answering = good[-1] if good else None
    lines, before = [], None
    for each in sent:
        record_id = plan.request_id if each is answering else f"{plan.request_id}-{each.number}"
        lines.append(call_line(plan, each, record_id, before if each.kind in _OURS else None))
        if each.kind not in _UNSEEN:
            before = record_id
    return lines


def json_of(said: dict[str, Any]) -> bytes:
    """As JSON, whatever is in it."""
    try:
        return orjson.dumps(said)
    except TypeError:  # a lone surrogate, an integer past 64 bits
        return orjson.dumps({name: _sayable(value) for name, value in said.items()})


def _sayable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return min(value, 2**63 - 1) if isinstance(value, int) else value


def start_time(unix_s: float) -> str:
    """A time as lines say it.

    >>> start_time(1_790_000_000.25)
    '2026-09-21T14:13:20.250000Z'
    """
    micros = int(unix_s * 1e6 + 0.5)
    whole_s = micros // 1_000_000
    return f"{_seconds.get(whole_s) or _second(whole_s)}.{micros - whole_s * 1_000_000:06d}Z"


def _second(whole_s: int) -> str:
    """ISO date and time of a second, kept for the calls of the same second."""
    if len(_seconds) > 64:
        _seconds.clear()
    found = _seconds[whole_s] = strftime("%Y-%m-%dT%H:%M:%S", gmtime(whole_s))
    return found


def add_tokens(said: dict[str, Any], tokens: TokenCounts) -> None:
    """Rarer kinds of tokens. Counts that contradict themselves are mended: a Call must not be rejected later."""
    if (
        tokens.cache_read_tokens
        or tokens.cache_write_tokens
        or tokens.cache_write_1h_tokens
        or tokens.reasoning_tokens
        or tokens.audio_input_tokens
        or tokens.audio_output_tokens
        or not 0 <= tokens.input_tokens <= REQUEST_TOKENS_MAX
        or not 0 <= tokens.output_tokens <= REQUEST_TOKENS_MAX
    ):
        said.update(_mended(tokens))


def _mended(tokens: TokenCounts) -> dict[str, int]:
    """The counts, or the least ones that keep the invariants of `usage/call.py`."""

    def within(count: int, limit: int = REQUEST_TOKENS_MAX // 4) -> int:
        return min(max(count, 0), limit)

    read, write = within(tokens.cache_read_tokens), within(tokens.cache_write_tokens)
    reasoning = within(tokens.reasoning_tokens)
    audio_in, audio_out = within(tokens.audio_input_tokens), within(tokens.audio_output_tokens)
    return {
        "input_tokens": max(within(tokens.input_tokens, REQUEST_TOKENS_MAX), read + write, audio_in),
        "output_tokens": max(within(tokens.output_tokens, REQUEST_TOKENS_MAX), reasoning, audio_out),
        "cache_read_tokens": read,
        "cache_write_tokens": write,
        "cache_write_1h_tokens": within(tokens.cache_write_1h_tokens, write),
        "reasoning_tokens": reasoning,
        "audio_input_tokens": audio_in,
        "audio_output_tokens": audio_out,
    }


def origins_of(plan: Plan, attempt: Attempt) -> dict[str, Any]:
    """What the call belongs to."""
    said: dict[str, Any] = {}
    if attempt.kind in _BESIDE:
        said["parent_id"] = plan.request_id
    elif plan.parent_id is not None:
        said["parent_id"] = plan.parent_id
    if plan.trace_id is not None:
        said["trace_id"] = plan.trace_id
    if plan.session_id is not None:
        said["session_id"] = plan.session_id
    if plan.unit_hash is not None:
        said["unit_hash"] = plan.unit_hash
    if plan.propensity is not None and attempt.kind != "shadow":  # whose arm is not the client's
        said["propensity"] = plan.propensity
    for group, told in plan.groups.items():
        if group in _GROUPS and told:
            said[group] = told
    return said


def _words(plan: Plan, attempt: Attempt) -> bytes:
    """What many calls have in common, put into words once."""
    target, facts, key, tokens = attempt.target, plan.facts, plan.key, attempt.tokens
    has_tools = "tools" in facts.document
    named = (
        id(target),
        id(key),
        facts.operation,
        facts.model,
        facts.is_stream,
        facts.output_tokens_max,
        has_tools,
        plan.task,
        plan.task_source,
        plan.application,
        plan.policy_hash,
        plan.arm,
        attempt.kind,
        attempt.http_status,
        attempt.failure,
        attempt.is_aborted,
        attempt.finish_reason,
        attempt.response_model,
        attempt.service_tier,
        attempt.cost_usd is None,
        None if tokens is None else tokens.is_estimated,
        plan.groups.get("api_key_hash"),
    )
    found = _shared.get(named)
    if found is None:
        if len(_shared) >= _SHARED_MAX_COUNT:
            _shared.clear()
        found = _shared[named] = (shared_words(plan, attempt, has_tools), target, key)
    return found[0]


def shared_words(plan: Plan, attempt: Attempt, has_tools: bool) -> bytes:
    """The end of a line: what many calls have in common."""
    facts, key, target = plan.facts, plan.key, attempt.target
    key_hash = plan.groups.get("api_key_hash") or (None if key is None else key.key_hash.hex()[:16])
    told: dict[str, Any] = {
        "source": SOURCE,
        "operation": OPERATIONS.get(facts.operation, facts.operation),
        "endpoint": ENDPOINTS.get(facts.operation),
        "provider": provider_of(target),
        "request_model": facts.model,
        "response_model": attempt.response_model or target.model,
        "model_key": target.name,
        "stream": facts.is_stream,
        "has_tools": has_tools,
        "finish_reason": attempt.finish_reason,
        "service_tier": attempt.service_tier,
        "application": plan.application or (None if key is None else key.application),
        "api_key_hash": key_hash or None,
        "task": plan.task,
        "task_source": plan.task_source if plan.task else None,
        "http_status": attempt.http_status,
        "max_tokens": facts.output_tokens_max,
        "policy_hash": plan.policy_hash,
        "cost_source": None if attempt.cost_usd is None else "computed",
        "arm": "shadow" if attempt.kind == "shadow" else plan.arm,
    }
    told.update(_status(attempt))
    said = {name: value for name, value in told.items() if value is not None}
    return b"," + json_of(said)[1:] + b"\n"


def _status(attempt: Attempt) -> dict[str, Any]:
    """Status, and where the token counts come from."""
    failure, tokens = attempt.failure, attempt.tokens
    said: dict[str, Any] = {"status": "ok"}
    if failure == "superseded":
        said = {"status": "cancelled", "error_type": failure}
    elif attempt.is_aborted or failure == "client_gone":
        said = {"status": "cancelled", "error_type": "client_gone"}
    elif failure == "rejected":  # answered and billed
        said = {"status": "ok", "error_type": failure}
    elif failure is not None:
        said = {"status": "error", "error_type": f"http_{attempt.http_status}" if failure == "status" else failure}
    elif attempt.is_refused:  # the request's own fault: passed on
        said = {"status": "error", "error_type": f"http_{attempt.http_status}"}
    if tokens is None:
        said["tokens_source"] = "missing"
    elif tokens.is_estimated:
        said["tokens_source"], said["usage_estimated"] = "estimated", True
    return said


def provider_of(target: Target) -> str:
    """Who served it: the vendor, or `own:` and the upstream's name where the server is ours or nobody knows its vendor.

    So no vendor's list price is ever found for a model of our own, whatever its upstream is called.
    """
    upstream = target.upstream
    if target.price is not None and target.price.source == "amortised":
        return f"own:{upstream.name}"
    if upstream.quirks == "openai" and not upstream.host.endswith("openai.com"):
        return f"own:{upstream.name}"
    return upstream.quirks
