"""Risk over the horizon: the doubt in a `Horizon`, weighed with its own costs and its own draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon.horizon import Horizon
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.risk.breakeven_odds import breakeven_odds
from breakeven.decision.risk.inputs import Draw
from breakeven.decision.risk.risk import Risk, weigh
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.option import Option, Situation


def risk_over_horizon(
    situation: Situation,
    options: Mapping[str, Option],
    horizon: Horizon,
    draws: DrawSet,
    *,
    axis_mtok_per_month: tuple[float, float],
    estimates: Mapping[str, Assumption] | None = None,
    correlations: Sequence[str] = (),
) -> Risk:
    """Weigh the decision that `horizon` leads to; `options`, `draws` and `estimates` are those it was made with.

    `axis_mtok_per_month`: lowest and highest volume of the break-even odds; `correlations`: the scenario's, in words.
    """

    def evaluate(draw: Draw, names: Sequence[str]) -> dict[str, Draws]:
        asked = {name: options[name] for name in dict.fromkeys((STATUS_QUO, *names))}
        return present_costs_usd(situation, asked, draw, estimates)

    return weigh(
        {name: cost for name, cost in horizon.present_cost_usd.items() if name in horizon.open_to_all},
        evaluate,
        draws,
        recommended=horizon.recommended,
        rival=horizon.rival,
        breakeven_odds=breakeven_odds(situation, options, draws, *axis_mtok_per_month),
        correlations=correlations,
    )
