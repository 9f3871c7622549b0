"""Present: the present cost of options under any draws: what sensitivity and value of information ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.exact import cash_flows, setting_of
from breakeven.decision.horizon.run import prepare, present_only
from breakeven.decision.horizon.terms import terms_of
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.options.option import Option, Situation

EXACT_UP_TO_DRAWS_COUNT = 64
"""So few futures are costed month by month; more go through the fast form."""


def present_costs_usd(
    situation: Situation,
    options: Mapping[str, Option],
    draw: Callable[[Assumption], Draws],
    estimates: Mapping[str, Assumption] | None = None,
) -> dict[str, Draws]:
    """Present cost of each option over the horizon, shape of the draws; the status quo must be among them.

    `estimates`: facts that the log shows (its growth), under what the scenario sets.
    """
    setting = setting_of(situation, draw, estimates or {})
    in_order = {STATUS_QUO: options[STATUS_QUO], **options}
    if setting.paths.draws_count <= EXACT_UP_TO_DRAWS_COUNT:
        discount = setting.facts.discount()
        flows = cash_flows(setting, in_order)
        return {name: flows[name].present_cost_usd(discount) for name in options}
    found = present_only(prepare(setting, terms_of(setting, in_order)))
    costs = dict(zip(in_order, found, strict=True))
    return {name: np.asarray(costs[name]) for name in options}
