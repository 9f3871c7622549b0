"""The answers part: sentences made from the numbers beside them, with and without a horizon and its risk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from answered import World, bordered, dear_api, world
from breakeven.decision.answers.expected import Expectation, turns_of
from breakeven.decision.scenario import AnswersEntry, Scenario
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.reports.answers_build import ASKED_VALUE, answers_part
from breakeven.reports.answers_part import AnswersPart
from breakeven.reports.risk_part import InformationPart, RiskPart, TornadoPart


@dataclass(frozen=True, slots=True)
class MadeUpHorizon:
    """Present costs typed in."""

    present_cost_usd: Mapping[str, Draws]
    recommended: str


def part_of(here: World, scenario: Scenario | None = None, **beside: Any) -> AnswersPart:
    return answers_part(here.comparison, here.situation, here.options, here.draws, scenario or Scenario(), **beside)


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


CASES = {
    "small": (world, 300.0, Scenario()),
    "middle": (world, 2_000.0, Scenario()),
    "large": (world, 40_000.0, Scenario()),
    "dear": (dear_api, 40_000.0, Scenario(answers=AnswersEntry(mlops_team=True))),
    "eu": (bordered, "eu", Scenario(data_may_not_leave="eu")),
    "gate": (world, 40_000.0, Scenario(answers=AnswersEntry(accuracy=False))),
}


@pytest.fixture(scope="module")
def parts() -> dict[str, AnswersPart]:
    return {name: part_of(make(of), scenario) for name, (make, of, scenario) in CASES.items()}  # type: ignore[operator]


@pytest.mark.parametrize("name", CASES)
def test_the_part_survives_json(parts: dict[str, AnswersPart], name: str) -> None:
    part = parts[name]
    assert AnswersPart.model_validate_json(part.model_dump_json()) == part


@pytest.mark.parametrize("name", CASES)
def test_every_sentence_is_plain_english(parts: dict[str, AnswersPart], name: str) -> None:
    for text in texts(parts[name].model_dump()):
        assert not re.search(r"\bnan\b|\binf\b|None|e[+-]\d\d|-\$|  |\(\)|True|False", text), text
        assert text == text.strip()


@pytest.mark.parametrize("name", CASES)
def test_the_sentence_names_the_money_and_the_odds(parts: dict[str, AnswersPart], name: str) -> None:
    decision = parts[name].decision
    assert "of 100 futures" in decision.sentence and "$" in decision.sentence
    assert len(decision.figures) == 3 and decision.monday
    assert 0 <= decision.probability_fraction <= 1


def test_staying_or_moving_follows_the_money(parts: dict[str, AnswersPart]) -> None:
    assert parts["dear"].decision.sentence.startswith(("Move to", "Probably move to", "Too close to call"))
    small = parts["small"].decision
    assert small.recommended == world(300).comparison.best.name


def test_a_closed_gate_keeps_todays_models_and_says_what_money_alone_would_choose(
    parts: dict[str, AnswersPart],
) -> None:
    free, gated = parts["large"].decision, parts["gate"].decision
    assert free.recommended not in ("frontier_api", "cheaper_tier", "batch_api")
    assert gated.recommended in ("frontier_api", "cheaper_tier", "batch_api", "hybrid")
    assert "Money alone would choose" in gated.sentence and "no open model is good enough" in gated.sentence
    assert "quality gate is closed" in parts["gate"].five_questions.rule_says


def test_where_data_may_not_leave_today_is_no_answer(parts: dict[str, AnswersPart]) -> None:
    part = parts["eu"]
    assert "Staying as today is no answer" in part.decision.sentence
    assert any("data may not leave the EU" in each for each in part.privacy.excluded_by_constraints)
    assert part.five_questions.risk_reason.startswith("Staying is no option")


def test_an_open_question_asks_and_names_the_option_of_the_command_line(parts: dict[str, AnswersPart]) -> None:
    flags = {
        "data_sensitive": "--data-sensitive",
        "fine_tuning": "--fine-tuning",
        "mlops_team": "--mlops-team",
        "accuracy": "--accuracy",
    }
    for each in parts["small"].five_questions.questions:
        assert (each.answer == "unknown") == bool(each.ask)
        if each.key in flags:
            assert flags[each.key] in each.ask
    assert [each.gate for each in parts["small"].five_questions.questions][4]


def test_the_bands_stand_beside_the_guide(parts: dict[str, AnswersPart]) -> None:
    bands = parts["middle"].volume_bands
    assert [each.agrees is None for each in bands] == [not each.guide_says for each in bands]
    for each in bands:
        if each.agrees is False:
            assert "more than" in each.why or "could be costed" in each.why
        assert each.main_driver and each.runner_up


def test_the_premium_is_a_saving_or_a_cut_to_ask_for(parts: dict[str, AnswersPart]) -> None:
    assert "justified only if it cuts the yearly rate" in parts["small"].privacy.premium_sentence
    assert parts["small"].privacy.flip_events_per_year is not None
    assert "need not pay for the move" in parts["dear"].privacy.premium_sentence
    assert parts["dear"].privacy.flip_events_per_year is None


def horizon_of(here: World, cheapest: str) -> MadeUpHorizon:
    """Thirty months of today's bills, with one option at a tenth of the cheapest."""
    costs = {name: 30 * usd for name, usd in here.outlook.costs.items()}
    costs[cheapest] = 0.1 * np.min(np.stack(list(costs.values())), axis=0)
    return MadeUpHorizon(costs, cheapest)


def test_a_horizon_decides_and_todays_answer_is_kept_beside_it() -> None:
    here = world(2_000)
    part = part_of(here, horizon=horizon_of(here, "rented_one_year"))
    assert part.decision.recommended == "rented_one_year" and part.decision.probability_fraction == 1
    assert "over 36 months" in part.decision.sentence and "lowest present cost" in part.decision.sentence
    assert here.comparison.best.cost.title.partition(",")[0].lower() in part.decision.today_alone.lower()
    assert "over the horizon" in part.five_questions.money_says


def test_whoever_stays_is_told_when_to_move(parts: dict[str, AnswersPart]) -> None:
    stays = {name: part.decision.recommended == "frontier_api" for name, part in parts.items()}
    assert {name: part.exit_title == "When to move" for name, part in parts.items()} == stays
    assert set(stays.values()) == {True, False}


@pytest.mark.parametrize(("name", "left"), [("eu", "no option with today's models is allowed"), ("large", "only opt")])
def test_a_model_that_fails_leaves_what_is_allowed(parts: dict[str, AnswersPart], name: str, left: str) -> None:
    (told,) = (each for each in parts[name].decision.change_our_mind if each.startswith("A new model that fails"))
    assert left in told


def test_where_today_is_no_option_no_condition_leads_back_to_it(parts: dict[str, AnswersPart]) -> None:
    assert all("frontier API" not in each.why for each in parts["eu"].exit_criteria)
    assert "frontier API" not in parts["eu"].decision.sentence


def test_a_number_that_turns_the_decision_is_told_with_its_value_and_what_wins() -> None:
    here = world(2_000)
    few = Expectation(here.situation, here.options, here.draws, {})
    names = here.outlook.open_names
    costs = few.costs_usd(here.situation, names)
    best, *others = sorted(names, key=lambda name: float(np.mean(costs[name])))
    risk = risk_of(best, 4_200.0)
    known = risk.information[0].model_copy(update=TURNING)
    turn = risk.tornado[0].model_copy(
        update={name: TURNING[name] for name in ("name", "unit", "low", "typical", "high")}
    )
    horizon = MadeUpHorizon(few.costs_usd(here.situation, names), best)
    part = part_of(here, horizon=horizon, risk=risk.model_copy(update={"information": (known,), "tornado": (turn,)}))
    told = [each for each in part.decision.change_our_mind if "costs less" in each]
    assert told and all(" above " in each or " below " in each for each in told), part.decision.change_our_mind
    fact = Assumption(TURNING["name"], "fraction", TURNING["low"], TURNING["typical"], TURNING["high"], ASKED_VALUE)
    found = turns_of(few, fact, best, others)
    assert len(found) == len(told)
    for each in found:
        for value, wins in ((each.value * 0.98, not each.above), (each.value * 1.02, each.above)):
            there = few.costs_usd(few.with_fact(fact)(value), names)
            assert (min(names, key=lambda name: float(np.mean(there[name]))) == each.option) == wins


TURNING: dict[str, Any] = {
    "name": "frontier_success_fraction",
    "unit": "fraction",
    "low": 0.3,
    "typical": 0.9,
    "high": 0.99,
}


def test_a_horizon_that_agrees_says_nothing_of_today() -> None:
    here = world(2_000)
    assert part_of(here, horizon=horizon_of(here, here.comparison.best.name)).decision.today_alone == ""


def risk_of(recommended: str, evppi_usd: float, is_noise: bool = False) -> RiskPart:
    known = InformationPart(
        name="gpu_rent_usd_per_gpu_hour",
        unit="usd/hour",
        low=1.6,
        typical=2.3,
        high=3.0,
        grade="quoted",
        evppi_usd=evppi_usd,
        evppi_fraction=0.4,
        evsi_usd=None,
        samples_count=None,
        how_to_measure="ask three providers for a quote.",
        is_noise=is_noise,
    )
    turn = TornadoPart(
        name=known.name,
        unit=known.unit,
        low=1.6,
        typical=2.3,
        high=3.0,
        saves_at_low_usd=1.0,
        saves_at_high_usd=-1.0,
        saves_usd=0.5,
        flips=True,
    )
    return RiskPart(
        recommended=recommended,
        rival=None,
        evpi_usd=10_000.0,
        measure_next="",
        information=(known,),
        tornado=(turn,),
        sobol=(),
        breakeven_odds=(),
        correlations=(),
        draws_count=64,
    )


def test_what_is_worth_most_to_know_is_the_figure_and_the_step() -> None:
    part = part_of(world(300), risk=risk_of("frontier_api", 4_200.0))
    figure, *others = part.decision.figures
    assert len(others) == 2 and all("alone it moves the difference by" in each.why for each in others)
    assert (figure.label, figure.value, figure.range) == ("GPU rent", "$2.30/h", "$1.60 to $3.00/h")
    assert "worth $4,200" in figure.why and "the answer changes" in figure.why
    assert any("worth $4,200): ask three providers for a quote." in each for each in part.decision.monday)
    assert not any("elsewhere" in each for each in part.decision.change_our_mind)


def test_what_is_worth_nothing_leaves_the_levers() -> None:
    part = part_of(world(300), risk=risk_of("frontier_api", 4_200.0, is_noise=True))
    assert len(part.decision.figures) == 3
    assert all("alone it moves the difference by" in each.why for each in part.decision.figures)
