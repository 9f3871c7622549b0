"""A small company's costs, in closed form: an API, a broker, a fleet and a half-way house over six uncertain inputs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.risk.inputs import Draw
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from costing import LOG

Floats = NDArray[np.float64]
OPTIONS = ("api", "broker", "fleet", "half")
FACTS = {
    fact.name: fact
    for fact in (
        Assumption("volume_over_observed_ratio", "ratio", 0.5, 1.0, 2.2, LOG, dimension=6),
        Assumption("api_price_usd_per_mtok", "usd/mtok", 1.6, 2.0, 2.3, LOG, dimension=1),
        Assumption("broker_price_usd_per_mtok", "usd/mtok", 1.2, 1.7, 2.6, LOG, dimension=2),
        Assumption("gpu_rent_usd_per_gpu_hour", "usd/hour", 1.7, 2.4, 3.9, LOG, dimension=3),
        Assumption("engineering_fte_count", "count", 0.1, 0.25, 0.6, LOG, dimension=4),
        Assumption("open_model_success_fraction", "fraction", 0.75, 0.9, 0.97, LOG, dimension=5),
        Assumption("hours_per_month", "hour/month", 730.0, 730.0, 730.0, LOG),
    )
}


def costs_of(values: dict[str, Draws]) -> dict[str, Draws]:
    """Present cost of each option, USD."""
    volume = 10_000.0 * values["volume_over_observed_ratio"]
    success = values["open_model_success_fraction"]
    api = volume * values["api_price_usd_per_mtok"]
    broker = volume * values["broker_price_usd_per_mtok"] * (0.92 / success)
    replicas = np.maximum(np.ceil(volume / 2_500.0), 2.0)
    people = values["engineering_fte_count"] * 25_000.0
    fleet = (replicas * values["gpu_rent_usd_per_gpu_hour"] * values["hours_per_month"] + people) * (0.92 / success)
    return {"api": api, "broker": broker, "fleet": fleet, "half": 0.5 * api + 0.6 * fleet}


def evaluate(draw: Draw, names: object = OPTIONS) -> dict[str, Draws]:
    """What `decision/risk` asks of a model of costs."""
    asked = {name: draw(fact) for name, fact in FACTS.items()}
    found = costs_of(asked)
    return {name: found[name] for name in names}  # type: ignore[attr-defined]


def matrix(draws: DrawSet) -> Floats:
    """Costs of all options, shape ``(options, draws)``."""
    costs = evaluate(draws.of)
    return np.stack([costs[name] for name in OPTIONS])
