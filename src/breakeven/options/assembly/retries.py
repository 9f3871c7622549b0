"""Retries: an answer that a check finds wrong is asked for again, up to a cap that the scenario sets.

Without `tries_max_count` in the scenario each request is tried once, as everywhere in this product. With it, success is
that of all tries together, and every try is work: tokens are paid for each, and a replica carries fewer requests. The
log's calls are taken for requests, retries not among them. What checks an answer is taken to see every failure; it
costs `check_usd_per_request`, nothing unless the scenario says so.
"""

from __future__ import annotations

from typing import Final

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder, Node
from breakeven.outcomes.tries import all_tries_fail_fraction, expected_tries_count

TRIES: Final = "tries_max_count"
CHECK: Final = "check_usd_per_request"
SUCCESS: Final = "success_fraction"


@formula
def resolved_fraction(all_tries_fail_fraction: Draws) -> Draws:
    """Requests that one of the tries resolves.

    >>> float(resolved_fraction(0.25))
    0.75
    """
    return 1 - all_tries_fail_fraction


@formula
def tried_usd_per_mtok(token_usd_per_mtok: Draws, expected_tries_count: Draws) -> Draws:
    """Price of a million tokens of the requests, each paid as often as it is tried.

    >>> float(tried_usd_per_mtok(4.0, 1.5))
    6.0
    """
    return token_usd_per_mtok * expected_tries_count


@formula
def tried_capacity_req_per_s(replica_capacity_req_per_s: Draws, expected_tries_count: Draws) -> Draws:
    """Requests per second of a replica that works on each as often as it is tried.

    >>> float(tried_capacity_req_per_s(3.0, 1.5))
    2.0
    """
    return replica_capacity_req_per_s / expected_tries_count


@formula
def tried_unit_tok_per_s(provisioned_unit_tok_per_s: Draws, expected_tries_count: Draws) -> Draws:
    """Tokens of requests that a unit carries when it works on each request as often as it is tried.

    >>> float(tried_unit_tok_per_s(300.0, 1.5))
    200.0
    """
    return provisioned_unit_tok_per_s / expected_tries_count


@formula
def checks_usd_per_month(requests_per_month: Draws, expected_tries_count: Draws, check_usd_per_request: Draws) -> Draws:
    """Checking every try.

    >>> float(checks_usd_per_month(1000.0, 1.5, 0.01))
    15.0
    """
    return requests_per_month * expected_tries_count * check_usd_per_request


def retries(binder: Binder) -> bool:
    """Whether the scenario allows more tries than one."""
    return TRIES in binder.scenario


def bind_tries(binder: Binder) -> Node:
    """Make the bound `success_fraction`, of one try, that of all tries; nothing changes without `tries_max_count`."""
    one = binder.node(SUCCESS)
    if not retries(binder):
        return one
    binder.derive("try_success_fraction", one.value, "of one try", one)
    binder.evaluate(expected_tries_count)
    failing = binder.evaluate(all_tries_fail_fraction)
    return binder.apply(resolved_fraction, failing, name=SUCCESS)


def bind_tried_tokens(binder: Binder) -> None:
    """Pay the tokens of every try; call it when price and success are bound, before the token line."""
    if retries(binder):
        price, tries = binder.node("token_usd_per_mtok"), binder.node(expected_tries_count.name)
        binder.apply(tried_usd_per_mtok, price, tries, name="token_usd_per_mtok")


def check_lines(binder: Binder) -> tuple[CostLine, ...]:
    """One line where tries are checked at a price that the scenario sets."""
    if not retries(binder) or CHECK not in binder.scenario:
        return ()
    return (CostLine("checks", "Checking answers before a retry", binder.evaluate(checks_usd_per_month)),)
