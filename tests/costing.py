"""What tests of options share: a demand typed in by hand, and Facts pinned to single values."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

from breakeven.catalog.load import load_catalog
from breakeven.decision.scenario import Scenario
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.demand import Demand, ModelDemand, TaskDemand, TokenMix
from breakeven.options.assembly.offers import fixed_fact
from breakeven.options.option import Situation
from breakeven.units import unit_of

AS_OF = date(2026, 11, 23)
LOG = Source("a typed-in log", "tests", AS_OF, Grade.MEASURED)
LIST = Source("a price list", "tests", AS_OF, Grade.OFFICIAL)
PRICES = {
    "input_usd_per_mtok": 1.25,
    "cache_read_usd_per_mtok": 0.125,
    "cache_write_usd_per_mtok": 1.25,
    "output_usd_per_mtok": 10.0,
}


def pinned(facts: dict[str, float]) -> dict[str, Assumption]:
    """Facts without a range."""
    return {name: fixed_fact(name, float(value), LOG) for name, value in facts.items() if unit_of(name)}


def demand(
    volume_mtok: float,
    tokens_per_request: int = 2000,
    *,
    output_fraction: float = 0.2,
    cache_read_fraction: float = 0.0,
    prices: dict[str, float] | None = None,
    hours: float = 730.0,
) -> Demand:
    """A month of calls of one model."""
    tokens = round(volume_mtok * 1e6)
    output, read = round(tokens * output_fraction), round(tokens * cache_read_fraction)
    mix = TokenMix(tokens - output - read, read, 0, output)
    facts = tuple(fixed_fact(name, value, LIST) for name, value in (prices or PRICES).items())
    model = ModelDemand("openai/gpt-5", mix, tokens // tokens_per_request, 0.0, facts, LIST)
    return Demand((model,), hours, "month_window_volume_ratio", None, LOG)


def demand_by_task(tasks: list[dict[str, Any]], prices: dict[str, float]) -> Demand:
    """A month of calls of one model, the sum of typed-in tasks: the keys of `demand`, and `task` (empty: none)."""
    parts = []
    for each in tasks:
        keys = {name: value for name, value in each.items() if name not in ("task", "volume_mtok_per_month")}
        (model,) = demand(each["volume_mtok_per_month"], **keys).models
        parts.append(TaskDemand(each["task"], model.mix, model.requests_count, 0.0))
    facts = tuple(fixed_fact(name, value, LIST) for name, value in prices.items())
    mix = TokenMix(*(sum(getattr(part.mix, field.name) for part in parts) for field in fields(TokenMix)))
    requests, named = sum(part.requests_count for part in parts), tuple(part for part in parts if part.task)
    model = ModelDemand("openai/gpt-5", mix, requests, 0.0, facts, LIST, by_task=named)
    return Demand((model,), 730.0, "month_window_volume_ratio", None, LOG)


def situation(of: Demand, scenario: dict[str, Assumption] | None = None, **choices: object) -> Situation:
    """The catalogue of a fixed day with a demand and overrides."""
    return Situation(of, load_catalog(AS_OF), Scenario(**choices).choices(), scenario or {})


VERIFIER = {"verifier_sensitivity_fraction": 0.8, "verifier_false_alarm_fraction": 0.1}
"""A typed-in verifier."""
QUOTE = {
    "provisioned_usd_per_unit_hour": 2.0,
    "provisioned_unit_tok_per_s": 500.0,
    "provisioned_units_min_count": 2.0,
    **VERIFIER,
}
"""What only a user knows: a quote of provisioned throughput, a verifier; typed in."""
NEEDS: dict[str, tuple[dict[str, float], dict[str, object]]] = {
    "provisioned": (QUOTE, {}),
    "cascade": (VERIFIER, {}),
    "brokered_deepinfra": ({}, {"open_model": "Llama-3.3-70B"}),
    "brokered_siliconflow": ({}, {"open_model": "Qwen3-30B-A3B"}),
}
"""Option -> overrides and choices without which it cannot be had."""


def situation_of(name: str, of: Demand, scenario: dict[str, Assumption] | None = None, **chosen: object) -> Situation:
    """A situation in which the option `name` can be had."""
    facts, choices = NEEDS.get(name, ({}, {}))
    return situation(of, {**pinned(facts), **(scenario or {})}, **{**choices, **chosen})
