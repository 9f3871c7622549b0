"""The risk part says what the numbers say: which number to measure next, and never apart from the quantiles."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from breakeven.decision.risk.breakeven_odds import BreakEvenOdds, VolumeRange
from breakeven.decision.risk.risk import Risk, weigh
from breakeven.facts.draws import DrawSet
from breakeven.reports.amounts import money
from breakeven.reports.option_titles import Titles
from breakeven.reports.risk_build import build_risk, measure_next_sentence, odds_sentence
from breakeven.reports.risk_part import RiskPart
from small_company import OPTIONS, evaluate, matrix

TITLES = Titles({"api": "API", "fleet": "Fleet", "broker": "Broker", "half": "Half and half"})
ODDS = BreakEvenOdds(
    "fleet", VolumeRange(1_300.0, 3_400.0, inf), VolumeRange(1_400.0, 3_800.0, inf), 0.14, 0.24, 10.0, 100_000.0
)


def about(usd: float) -> str:
    return money(float(f"{usd:.3g}"))


@pytest.fixture(scope="module")
def risk() -> Risk:
    draws = DrawSet(seed=3, draws_log2=11)
    costs = dict(zip(OPTIONS, matrix(draws), strict=True))
    words = ("a and b: rank correlation 0.7",)
    return weigh(costs, evaluate, draws, recommended="fleet", rival="api", breakeven_odds=(ODDS,), correlations=words)


def test_the_part_carries_every_number(risk: Risk) -> None:
    part = build_risk(risk, TITLES, horizon_months=36)
    assert RiskPart.model_validate_json(part.model_dump_json()) == part
    assert [each.evppi_usd for each in part.information] == [each.evppi_usd for each in risk.information]
    assert part.evpi_usd == risk.evpi_usd
    assert {each.name for each in part.tornado} == {each.of.name for each in risk.swings}
    totals = [each.total_fraction for each in part.sobol]
    assert totals == sorted(totals, reverse=True)
    assert min(totals) >= 0.001
    assert part.correlations == ("a and b: rank correlation 0.7",)
    assert part.draws_count == 2048


def test_the_sentence_names_the_number_its_worth_and_the_way(risk: Risk) -> None:
    found = risk.measure_next
    assert found is not None
    share = f"{100 * found.evppi_fraction:.3g} % of knowing everything"
    assert measure_next_sentence(risk, 36) == (
        f"Measure engineering FTE next: knowing it exactly is worth about {about(found.evppi_usd)} over 36 months "
        f"({share}); write a staffing plan with those who would run it: who, and how many hours a week."
    )


def test_a_sample_is_priced_in_the_sentence_too(risk: Risk) -> None:
    graded = next(each for each in risk.information if each.of.name == "open_model_success_fraction")
    assert graded.evsi_usd is not None
    sentence = measure_next_sentence(replace(risk, information=(graded,)), 24)
    assert sentence.startswith(
        f"Measure open model success next: knowing it exactly is worth about {about(graded.evppi_usd)}"
    )
    assert sentence.endswith(
        f"over 24 months ({100 * graded.evppi_fraction:.2g} % of knowing everything); let it answer 200 calls of your "
        f"own and grade the answers (a pilot), which is worth about {about(graded.evsi_usd)}."
    )


def test_nothing_to_measure_is_said_in_words(risk: Risk) -> None:
    chance = tuple(replace(each, how_to_measure="") for each in risk.information)
    assert "No single number is worth measuring first" in measure_next_sentence(replace(risk, information=chance), 36)
    certain = replace(risk, evpi_usd=0.0)
    assert "the cheapest in every future" in measure_next_sentence(certain, 36)


def test_never_is_null_in_the_quantiles_and_a_share_beside_them(risk: Risk) -> None:
    (found,) = build_risk(risk, TITLES, horizon_months=36).breakeven_odds
    assert (found.first_p50_mtok_per_month, found.first_p90_mtok_per_month) == (3_400.0, None)
    assert found.never_fraction == 0.14
    assert found.sentence == (
        "Fleet costs less than today's API from 3.4 B tokens a month on in the median future (1.3 B tokens to never in "
        "80 % of them), for good above 3.8 B tokens. In 14 % of the futures never, up to 100 B tokens a month. At your "
        "volume it costs less in 24 % of the futures."
    )


@pytest.mark.parametrize(
    ("odds", "words"),
    [
        (replace(ODDS, never_fraction=1.0), "in no future, at any volume up to 100 B tokens a month"),
        (replace(ODDS, first=VolumeRange(900.0, inf, inf), never_fraction=0.6), "in a minority of the futures"),
        (
            replace(ODDS, first=VolumeRange(10, 10, 10), last=VolumeRange(10, 10, 10), never_fraction=0.0),
            "at every volume up to 100 B tokens a month, in at least 9 of 10 futures. At your volume",
        ),
        (replace(ODDS, last=VolumeRange(2_000.0, inf, inf)), "for good at no volume"),
        (replace(ODDS, last=ODDS.first), "of them), and for good. In 14 %"),
    ],
)
def test_each_shape_of_odds_has_its_sentence(odds: BreakEvenOdds, words: str) -> None:
    assert words in odds_sentence(odds, "Fleet")


def test_noise_is_said_so() -> None:
    """A fact of no consequence: below 1 % of the EVPI, and marked."""
    draws = DrawSet(seed=3, draws_log2=11)
    costs = dict(zip(OPTIONS, matrix(draws), strict=True))
    costs["api"] = costs["api"] * 0 + float(np.mean(costs["fleet"]))
    part = build_risk(weigh(costs, evaluate, draws, recommended="fleet", rival="api"), TITLES, horizon_months=36)
    for each in part.information:
        assert each.is_noise == (each.evppi_usd < 0.01 * part.evpi_usd)
    assert any(each.is_noise for each in part.information)
