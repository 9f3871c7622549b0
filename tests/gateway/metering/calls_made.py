"""Plans and attempts for tests of metering."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from breakeven.gateway.attempt import Attempt, TokenCounts
from breakeven.gateway.plan import Head, Key, Plan, RequestFacts
from breakeven.gateway.upstream import Target, TokenPrice, Upstream

STARTED_UNIX_S = 1_795_694_400.123456  # 2026-11-26T12:00:00.123456Z
OPENAI = Upstream("openai", "api.openai.com", 443, True, b"/v1", "openai", ((b"authorization", b"Bearer sk-canary"),))
MINI = Target("mini", OPENAI, "gpt-5-mini", TokenPrice(0.25, 2.0, cache_read_usd_per_mtok=0.025))
RACK = Upstream("rack", "10.0.0.5", 8000, False, b"/v1", "openai")
OURS = Target("llama", RACK, "llama-8b", TokenPrice(0.1, 0.1, source="amortised"))
USUAL = TokenCounts(100, 20)
KEY = Key("team-a", bytes(range(32)), application="bot")


def plan(request_id: str = "req-1", document: dict[str, Any] | None = None, **changes: Any) -> Plan:
    """A plan for one chat request."""
    body = document or {"model": "mini", "messages": [{"role": "user", "content": "canary-prompt"}]}
    facts = RequestFacts("chat", body, b"{}", "mini", False, False, changes.pop("output_tokens_max", 64))
    head = Head(b"POST", b"/v1/chat/completions", b"", [(b"authorization", b"Bearer canary-key")])
    made = Plan(request_id, head, facts, KEY, (MINI,), "policy", task="faq", task_source="header", policy_hash="p1")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def attempt(number: int = 1, tokens: TokenCounts | None = USUAL, **changes: Any) -> Attempt:
    """An attempt that went well, but for the changes."""
    made = Attempt(MINI, number, "first" if number == 1 else "fallback", STARTED_UNIX_S, 10.0, 10.25, 11.5, 200)
    made.was_sent, made.finish_reason, made.response_model = True, "stop", "gpt-5-mini-2026-08-07"
    made.tokens = replace(tokens) if tokens is not None else None
    made.cost_usd = 0.000065
    for name, value in changes.items():
        setattr(made, name, value)
    return made
