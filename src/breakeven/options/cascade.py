"""Cascade: an open model answers every call, a verifier looks at each answer, what it flags goes to today's models.

Every call pays the small model and the verifier. Today's models are given what the small one failed at (and what the
verifier flagged for nothing), where they succeed less often than over all calls. How well answers can be checked is
nobody's general figure: without the scenario's own verifier there is no cascade.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from breakeven.catalog.model import ModelSpec
from breakeven.costs import tokens
from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.line import CostLine
from breakeven.errors import UnknownPrice
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder, Node
from breakeven.options.assembly.broker import broker_offer, ended_words
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.log_models import log_providers
from breakeven.options.assembly.mix import bind_mix_price, describe
from breakeven.options.assembly.offers import pick, token_offer_prices
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines
from breakeven.options.assembly.retries import TRIES
from breakeven.options.assembly.success import bind_open_model_success, bind_todays_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)
from breakeven.outcomes import cascade
from breakeven.units import TOKENS_PER_MTOK

SENSITIVITY: Final = "verifier_sensitivity_fraction"
FALSE_ALARM: Final = "verifier_false_alarm_fraction"
AFTER_FAILURE: Final = "big_success_after_failure_fraction"
VERIFIER: Final = "verifier_usd_per_request"
SUCCESS: Final = "success_fraction"


@formula
def verifier_usd_per_request(tokens_per_request: Draws, judge_usd_per_mtok: Draws) -> Draws:
    """A judge model reads the request and its answer.

    >>> float(verifier_usd_per_request(2000.0, 1.5))
    0.003
    """
    return tokens_per_request * judge_usd_per_mtok / TOKENS_PER_MTOK


@formula
def verifier_usd_per_month(requests_per_month: Draws, verifier_usd_per_request: Draws) -> Draws:
    """Every answer of the small model is verified.

    >>> float(verifier_usd_per_month(1000.0, 0.003))
    3.0
    """
    return requests_per_month * verifier_usd_per_request


@formula
def cascade_breach_exposure_ratio(
    brokered_breach_exposure_ratio: Draws, api_breach_exposure_ratio: Draws, escalated_fraction: Draws
) -> Draws:
    """All data lies with the broker, what is escalated with today's providers as well.

    >>> float(cascade_breach_exposure_ratio(1.0, 1.0, 0.25))
    1.25
    """
    return brokered_breach_exposure_ratio + escalated_fraction * api_breach_exposure_ratio


@dataclass(frozen=True, slots=True)
class Cascade:
    """A brokered open model first, today's models for what a verifier flags; each tries once."""

    name: str = "cascade"
    title: str = "Cascade (open model, verifier, API)"
    family: Family = "api"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost small model and verifier on every call, today's models on the escalated ones."""
        missing = [name for name in (SENSITIVITY, FALSE_ALARM) if name not in situation.scenario]
        if missing:
            raise UnknownPrice(
                f"needs your verifier: set {' and '.join(missing)} under overrides in the scenario, the shares of the "
                f"wrong and of the right answers that it flags; nobody can tell them for your work"
            )
        for provider in log_providers(situation.demand):
            check_provider(situation, provider)
        once = replace(situation, scenario={k: v for k, v in situation.scenario.items() if k != TRIES})
        choices, catalog = once.choices, once.catalog
        model = pick(catalog.models, choices.open_model, "model")
        offer, chosen = broker_offer(once)
        prices = token_offer_prices(catalog, offer.name, choices.contract)

        small = binder_for(once, evaluation, prices.facts)
        small.evaluate(tokens.token_usd_per_mtok)
        right = bind_open_model_success(small, model, once)
        whole = binder_for(once, evaluation, _given_failure(once, model))
        bind_per_token(whole, exposure="brokered_breach_exposure_ratio")
        escalated = _bind_success(whole, right, bind_todays_success(whole, once, "no outcome measured yet: assumed"))
        whole.evaluate(cascade_breach_exposure_ratio, name="breach_exposure_ratio")
        big = binder_for(once, evaluation, {}, escalated)
        bind_mix_price(big, once.demand)

        if VERIFIER not in whole.scenario:
            whole.evaluate(verifier_usd_per_request)
        breakdown = CostBreakdown(
            (
                replace(tokens.line(small), name="small_tokens", title="Tokens (open model, every call)"),
                CostLine("verifier", "Verifier, every call", whole.evaluate(verifier_usd_per_month)),
                replace(tokens.line(big), name="big_tokens", title="Tokens (API, escalated calls)"),
                *per_token_lines(whole),
            )
        )
        buys = f"{prices.label}{chosen}{ended_words(once, offer)}; what is flagged: {describe(once.demand)}"
        return option_cost(self, whole, breakdown, buys, facts=(escalated,))


def _given_failure(situation: Situation, model: ModelSpec) -> dict[str, Assumption]:
    """What the outcomes say of today's model on what `model` failed at; nothing where several models answer today."""
    outcomes, catalog = situation.choices.outcomes, situation.catalog
    if outcomes is None:
        return {}
    small = outcomes.open_model(catalog, model)
    today = {outcomes.log_model(catalog, each.label) for each in situation.demand.models}
    big = today.pop() if len(today) == 1 else None
    if small is None or big is None:
        return {}
    fact = outcomes.after_failure_fact(AFTER_FAILURE, small, big, situation.demand.source.read)
    return {AFTER_FAILURE: fact} if fact else {}


def _bind_success(whole: Binder, right: Node, big: Node) -> Node:
    """Bind success of the whole from that of both models; the share of the calls that is escalated comes back."""
    whole.derive("small_success_fraction", right.value, "the open model, on every call", right)
    whole.derive("big_success_fraction", big.value, "today's models, if they had every call", big)
    escalated = whole.evaluate(cascade.escalated_fraction)
    if AFTER_FAILURE not in whole.scenario and AFTER_FAILURE not in whole.offer:
        whole.evaluate(cascade.big_success_after_failure_fraction)
    whole.evaluate(cascade.big_success_after_success_fraction)
    whole.evaluate(cascade.false_accept_fraction)
    whole.evaluate(cascade.escalated_failure_fraction)
    if SUCCESS not in whole.scenario:
        whole.evaluate(cascade.cascade_success_fraction, name=SUCCESS)
    return escalated


OPTIONS = (Cascade(),)
