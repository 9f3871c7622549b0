"""Routed: the commodity tasks move to an open model at a broker, the rest stays at the API; a gateway tells them apart.

What an audit promises, a policy does and a pilot proves, as one way to serve. Nothing is rented and nothing idles: what
it costs beyond the tokens is a second provider, the policy that must be kept, and the gateway that all calls pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from breakeven.costs import migration
from breakeven.costs.breakdown import CostBreakdown
from breakeven.costs.drains import engineering_labour, incident_response, mlops_infrastructure, opportunity_cost
from breakeven.costs.line import CostLine
from breakeven.costs.tokens import token_usd_per_mtok
from breakeven.facts.trace import Binder
from breakeven.options.assembly.broker import broker_offer, ended_words
from breakeven.options.assembly.commodity_cut import (
    EXPOSURE,
    audited_success,
    bind_kept_success,
    bind_moved_success,
    bind_success_of_both,
    commodity_cut,
    commodity_split,
    part_breach_exposure_ratio,
    part_lines,
    scale,
    split_downtime,
    without_the_whole,
)
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.log_models import log_providers
from breakeven.options.assembly.mix import bind_mix_price, describe
from breakeven.options.assembly.offers import pick, token_offer_prices
from breakeven.options.assembly.per_token import bind_per_token, per_token_lines, token_line
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)


@dataclass(frozen=True, slots=True)
class Routed:
    """Commodity calls to a brokered open model, the others where they are."""

    name: str = "routed"
    title: str = "Routing (API + broker)"
    family: Family = "routed"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Cost both parts at their share of the volume, each with its own lines, and beside them what routing takes."""
        choices, catalog = situation.choices, situation.catalog
        for provider in log_providers(situation.demand):
            check_provider(situation, provider)
        model = pick(catalog.models, choices.open_model, "model")
        split = commodity_split(situation)
        whole = binder_for(situation, evaluation, {})
        cut = commodity_cut(situation, whole, split)
        offer, chosen = broker_offer(replace(situation, demand=cut.moved or situation.demand))
        prices = token_offer_prices(catalog, offer.name, choices.contract)

        part = without_the_whole(situation)
        facts = {**prices.facts, **audited_success(situation, split)}
        at_broker = binder_for(part, evaluation, facts, cut.share, cut.moved)
        at_broker.evaluate(token_usd_per_mtok)
        bind_per_token(at_broker, exposure="brokered_breach_exposure_ratio")
        at_broker.derive("engineering_fte_count", 0.0, "inside the people who keep the routing")
        at_broker.derive("monitoring_usd_per_month", 0.0, "traced by the tool that traces the calls that stay")
        bind_moved_success(at_broker, model, situation, cut)
        scale(at_broker, EXPOSURE, part_breach_exposure_ratio, cut.share)
        at_api = binder_for(part, evaluation, {}, cut.rest, cut.kept)
        bind_mix_price(at_api, cut.kept or situation.demand)
        bind_per_token(at_api, exposure="api_breach_exposure_ratio")
        bind_kept_success(at_api, situation, cut)
        scale(at_api, EXPOSURE, part_breach_exposure_ratio, cut.rest)
        split_downtime(whole, situation, cut.requests, at_broker, at_api)
        bind_success_of_both(whole, cut, at_broker, at_api)

        breakdown = CostBreakdown(
            (
                *part_lines((token_line(at_api), *per_token_lines(at_api, moves=False)), "api", "API"),
                *part_lines((token_line(at_broker), *per_token_lines(at_broker)), "broker", "broker"),
                *part_lines(_routing_lines(whole), "routing", "routing"),
            )
        )
        stays = f"the rest {describe(cut.kept or situation.demand)}" if np.any(cut.rest.value) else "nothing stays"
        buys = f"{prices.label}{ended_words(situation, offer)} for {cut.moves}{chosen}; {stays}"
        return option_cost(self, whole, breakdown, buys, facts=cut.facts)


def _routing_lines(whole: Binder) -> tuple[CostLine, ...]:
    """The policy and the gateway; people, tools and incidents that the scenario sets as a whole stand here, once."""
    whole.derive("gpus_count", 0.0, "nothing is rented or owned")
    whole.rename("engineering_fte_count", "routing_engineering_fte_count", "a second provider, the policy, the gateway")
    whole.rename("monitoring_usd_per_month", "routing_gateway_usd_per_month", "machines of the gateway")
    whole.supply("incident_events_per_month", 0.0, "inside the people who keep the gateway")
    whole.rename("incident_hours_per_event", "api_outage_hours_per_event", "engineer hours per outage")
    whole.derive("on_call_usd_per_month", 0.0, "nobody is on call for the gateway alone")
    whole.rename("downtime_hours_per_month", "routing_downtime_hours_per_month", "the gateway's own, for all calls")
    whole.rename("migration_hours", "routing_setup_hours", "tasks, policy, gateway and a pilot")
    labour, incidents = engineering_labour.line(whole), incident_response.line(whole)
    tools, premium = mlops_infrastructure.line(whole), opportunity_cost.line(whole)
    return (labour, incidents, premium, tools, migration.line(whole))


OPTIONS = (Routed(),)
