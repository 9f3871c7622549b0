"""Reservations: what a request may cost, as far as its body tells, set aside before anything is sent.

The estimate is the input, counted by bytes, and as many output tokens as the request allows, at the dearest price that
they could have. A request that does not say how long its answers may be is taken to allow `OUTPUT_TOKENS_UNSTATED`;
whatever it comes to, the true cost is put in place of the estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from breakeven.gateway.admission.chains import FREE
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.metering.pricing import cost_usd
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.estimates import input_tokens
from breakeven.gateway.wire.request_facts import TOKENS_MAX_COUNT
from breakeven.units import TOKENS_PER_MTOK

OUTPUT_TOKENS_UNSTATED: Final = 4_096


def tokens_at_most(facts: RequestFacts) -> tuple[int, int]:
    """Estimated input tokens of a request, and the output tokens that it allows."""
    operation = facts.operation
    if operation in FREE:
        return 0, 0
    if operation == "embeddings":
        return input_tokens(facts), 0
    limit = facts.output_tokens_max
    if limit is None:
        limit = OUTPUT_TOKENS_UNSTATED
    elif operation == "chat" and "max_completion_tokens" in facts.document:
        limit = max(limit, _stated_count(facts, "max_tokens"))  # servers differ in which of the two they know
    answers_count = facts.answers_count
    if operation == "completions":
        answers_count *= _prompts_count(facts)
    return input_tokens(facts), limit * answers_count


def _stated_count(facts: RequestFacts, name: str) -> int:
    value = facts.document.get(name)
    return min(value, TOKENS_MAX_COUNT) if type(value) is int else 0


def _prompts_count(facts: RequestFacts) -> int:
    """Prompts of one request, each of which gets as many answers: texts, or lists of tokens."""
    prompt = facts.document.get("prompt")
    if type(prompt) is not list or not prompt or type(prompt[0]) is int:
        return 1
    return len(prompt)


def asked_at_once(facts: RequestFacts, first: Target, checker: Target | None) -> tuple[float, int]:
    """USD and tokens that a request comes to at most at whoever is asked first, and at the model asked beside it."""
    input_count, output_count = tokens_at_most(facts)
    usd, tokens_count = usd_at_most(first, input_count, output_count), input_count + output_count
    if checker is None:
        return usd, tokens_count
    return usd + usd_at_most(checker, input_count, output_count), 2 * tokens_count


def usd_at_most(target: Target, input_count: int, output_count: int) -> float:
    """What so many tokens cost at a target at most; 0 where its price is not known (see `Bounds.is_priced`).

    >>> from breakeven.gateway.upstream import TokenPrice, Upstream
    >>> server = Upstream("a", "a.example", 443, True, b"/v1", "openai")
    >>> usd_at_most(Target("m", server, "m", TokenPrice(1.0, 4.0, cache_write_usd_per_mtok=2.0)), 1_000_000, 500_000)
    4.0
    """
    price = target.price
    if price is None:
        return 0.0
    dearest = max(price.input_usd_per_mtok or 0.0, price.cache_write_usd_per_mtok or 0.0)
    total = (input_count * dearest + output_count * (price.output_usd_per_mtok or 0.0)) / TOKENS_PER_MTOK
    return total if price.usd_per_request is None else total + price.usd_per_request


def usd_with(facts: RequestFacts, target: Target, attempts: Sequence[Attempt]) -> float:
    """What a request comes to at most when a target takes over: what was spent on attempts, or may be spent on those
    that are under way, and the target's own part."""
    counts = tokens_at_most(facts)
    total = usd_at_most(target, *counts)
    for each in attempts:
        if each.failure is None and each.tokens is None and not each.is_refused:
            total += usd_at_most(each.target, *counts)
        else:
            total += cost_usd(each.target.price, each.tokens) or 0.0
    return total
