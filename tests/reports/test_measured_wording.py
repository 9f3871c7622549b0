"""What a file of outcomes measured is told as measured, beside what stays assumed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.decision.compare import compare
from breakeven.decision.comparison import Comparison
from breakeven.decision.models import rank_models
from breakeven.decision.recommendation import recommend
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.measured_success import MeasuredSuccess
from breakeven.options.discover import discover_options, select_options
from breakeven.options.option import Situation
from breakeven.reports import models_wording, wording
from costing import demand, pinned, situation
from options.test_measured_success import outcomes

OPEN = {"gpt-oss-120b": {"faq": (900, 1000)}}
BOTH = {**OPEN, "gpt-5": {"faq": (950, 1000)}}
NAMES = ("frontier_api", "brokered", "deepseek_api")


def at(measured: MeasuredSuccess, **facts: float) -> Situation:
    here = situation(demand(40_000), pinned(facts))
    return replace(here, choices=replace(here.choices, outcomes=measured))


def compared(here: Situation, names: tuple[str, ...] = NAMES) -> Comparison:
    return compare(here, select_options(names), DrawSet(draws_log2=7), with_bands=False)


def test_measured_and_assumed_are_told_apart() -> None:
    found = compared(at(outcomes(OPEN)))
    said = wording.quality_detail(found, recommend(found))
    assert said.startswith("Success rates are assumed where nothing else is said: ")
    assert "Measured: gpt-oss-120b 90 % (outcomes outcomes.csv)." in said


def test_where_everything_is_measured_nothing_is_assumed() -> None:
    found = compared(at(outcomes(BOTH)), ("frontier_api", "brokered"))
    said = wording.quality_detail(found, recommend(found))
    assert "assumed" not in said
    assert said.startswith("Success rates: ")
    assert "gpt-5 95 %" in said
    assert "gpt-oss-120b 90 %" in said


@pytest.mark.parametrize(("rates", "asks"), [(BOTH, False), ({"gpt-5": BOTH["gpt-5"]}, True)])
def test_a_measured_model_needs_no_check_before_the_move(
    rates: dict[str, dict[str, tuple[int, int]]], asks: bool
) -> None:
    facts = {"corrected_by_hand_fraction": 0.0, "moe_model_success_fraction": 0.9}
    found = compared(at(outcomes(rates), **facts), ("frontier_api", "brokered"))
    advice = recommend(found)
    assert advice.option.name == "brokered"
    assert advice.needs_quality_check is asks
    assert ("Measure the new model" in wording.quality_detail(found, advice)) is asks
    assert wording.verdict_sentence(advice).endswith("if its answers are good enough.") is asks


def test_a_ranking_of_models_says_which_one_is_measured() -> None:
    here = at(outcomes(OPEN))
    few = {name: here.catalog.models[name] for name in ("gpt-oss-120b", "Llama-3.3-70B")}
    here = replace(here, catalog=replace(here.catalog, models=few))
    ranking = rank_models(here, discover_options(), DrawSet(draws_log2=7), ways=("brokered",))
    details = models_wording.verdict_details(ranking, "gpt-oss-120b")
    assert details[0].startswith("SUCCESS RATES of the 1 model not named below ARE GUESSES")
    assert "Measured: gpt-oss-120b 90 % (outcomes outcomes.csv)." in details
    measured, guessed = ranking.model("gpt-oss-120b"), ranking.model("Llama-3.3-70B")
    assert models_wording.assumed_word(measured.success) == "measured"
    assert models_wording.assumed_word(guessed.success) == "guessed for its class"
    assert "Measure it on your own tasks" not in models_wording.needed_sentence(measured)
