"""Reference workload: the traffic on which claims are tested where no log is given. Invented, and said so."""

from __future__ import annotations

from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.decision.scenario import Scenario
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.demand import Demand, ModelDemand, TokenMix
from breakeven.options.assembly.offers import model_prices
from breakeven.options.option import Situation
from breakeven.units import HOURS_PER_MONTH

FRONTIER_MODEL: Final = "openai/gpt-5"
INPUT_TOKENS_COUNT: Final = 1_500
OUTPUT_TOKENS_COUNT: Final = 500
REQUESTS_COUNT: Final = 500_000
PEAK_TO_MEAN_RATIO: Final = 3.3
TITLE: Final = "stated reference workload, invented"
WORDS: Final = (
    "an invented reference workload: 500,000 calls a month to gpt-5, each 1,500 tokens in and 500 out (1 B tokens a "
    "month), nothing cached, busiest hour 3.3 times the mean"
)


def reference_demand(catalog: Catalog, scenario: Scenario) -> Demand:
    """A month of the stated calls."""
    source = Source(TITLE, "breakeven.claims.guide.reference_workload", catalog.as_of, Grade.GUESS)
    mix = TokenMix(INPUT_TOKENS_COUNT * REQUESTS_COUNT, 0, 0, OUTPUT_TOKENS_COUNT * REQUESTS_COUNT)
    prices = model_prices(catalog, FRONTIER_MODEL, scenario.contract())
    model = ModelDemand(FRONTIER_MODEL, mix, REQUESTS_COUNT, 0.0, prices, source)
    return Demand((model,), HOURS_PER_MONTH, "month_window_volume_ratio", PEAK_TO_MEAN_RATIO, source)


def reference_situation(catalog: Catalog, scenario: Scenario | None = None) -> Situation:
    """The stated traffic under a scenario (the default one when absent)."""
    chosen = scenario or Scenario()
    return Situation(reference_demand(catalog, chosen), catalog, chosen.choices(), chosen.facts(catalog))
