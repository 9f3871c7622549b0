"""Requests that were over, for the tests of what is counted and told of them."""

from __future__ import annotations

from breakeven.gateway.attempt import Attempt, Failure, TokenCounts
from breakeven.gateway.plan import Head, Plan, RequestFacts
from breakeven.gateway.upstream import Target, TokenPrice, Upstream

CANARY = "canary-c0ffee"
"""Stands wherever a prompt or a secret may stand; nothing that is told may hold it."""


def target(model: str = "small", upstream: str = "vendor") -> Target:
    secret = ((b"authorization", f"Bearer {CANARY}".encode()),)
    return Target(
        model, Upstream(upstream, "127.0.0.1", 1, False, b"/v1", "openai", secret), model, TokenPrice(1.0, 2.0)
    )


def plan(task: str | None = "faq", model: str = "small") -> Plan:
    body = f'{{"messages": [{{"role": "user", "content": "{CANARY}"}}]}}'.encode()
    facts = RequestFacts("chat", {"messages": CANARY}, body, model, False, False, None)
    head = Head(b"POST", b"/v1/chat/completions", b"", [(b"authorization", CANARY.encode())])
    return Plan(
        "0123456789abcdef", head, facts, None, (target(model),), "policy", task=task, received_monotonic_s=100.0
    )


def attempt(
    model: str = "small",
    upstream: str = "vendor",
    failure: Failure | None = None,
    *,
    number: int = 1,
    kind: str = "first",
    spent_s: float = 0.3,
    first_byte_s: float | None = 0.03,
    cost_usd: float | None = 0.25,
    tokens: TokenCounts | None = None,
    is_aborted: bool = False,
) -> Attempt:
    made = Attempt(
        target(model, upstream),
        number,
        first_byte_monotonic_s=None if first_byte_s is None else 100.0 + first_byte_s,
        ended_monotonic_s=100.0 + spent_s,
        http_status=503 if failure == "status" else 200,
        failure=failure,
        tokens=TokenCounts(10, 5, 3, 1, 0, 2) if tokens is None and failure is None else tokens,
        was_sent=True,
        is_aborted=is_aborted,
        cost_usd=cost_usd,
    )
    made.kind = kind  # type: ignore[assignment]
    return made
