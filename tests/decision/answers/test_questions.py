"""Five questions: the counting against enumeration, the break-even against a walk, and nothing guessed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from answered import World, bordered, dear_api, world, world_of
from breakeven.decision.answers.outlook import outlook_of
from breakeven.decision.answers.questions import (
    FiveQuestions,
    at_least_fraction,
    behind_the_gate,
    best_fleet,
    five_questions,
    last_crossing_mtok,
    poisson_binomial,
    risk_level,
)
from breakeven.decision.compare import compare
from breakeven.decision.scenario import AnswersEntry, Scenario
from breakeven.errors import ScenarioError
from costing import demand, demand_by_task, pinned, situation

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


def asked(here: World, scenario: Scenario | None = None) -> FiveQuestions:
    chosen = scenario or Scenario()
    outlook = here.outlook.without(behind_the_gate(here.comparison, chosen))
    return five_questions(here.comparison, here.situation, here.options, here.draws, chosen, outlook)


def replies(found: FiveQuestions) -> dict[str, str]:
    return {each.key: each.reply for each in found.questions}


def test_worked_example_twelve() -> None:
    odds = (0.9, 0.7, 0.2, 0.6, 0.85)
    expected = (0.00144, 0.027, 0.1661, 0.3953, 0.3459, 0.06426)
    assert poisson_binomial(odds) == pytest.approx(expected, abs=1e-12)
    assert float(np.arange(6) @ poisson_binomial(odds)) == pytest.approx(3.25)
    assert at_least_fraction(odds, 3) == pytest.approx(0.80546)


@given(SHARES, st.integers(0, 6))
def test_counting_is_the_sum_over_all_outcomes(odds: list[float], wanted: int) -> None:
    exact = sum(
        float(np.prod([p if yes else 1 - p for p, yes in zip(odds, outcome, strict=True)]))
        for outcome in product((True, False), repeat=len(odds))
        if sum(outcome) >= wanted
    )
    assert at_least_fraction(odds, wanted) == pytest.approx(exact, abs=1e-12)


def test_what_two_questions_have_in_common_is_kept() -> None:
    """Two questions that are always a yes together are not two independent ones."""
    together = np.array([1.0, 0.0])
    assert at_least_fraction([together, together, 1.0], 3) == pytest.approx(0.5)
    assert at_least_fraction([together, 1 - together, 1.0], 3) == 0
    assert at_least_fraction([0.5, 0.5, 1.0], 3) == pytest.approx(0.25)


@settings(max_examples=60)
@given(st.lists(st.lists(st.floats(-5, 5).filter(bool), min_size=4, max_size=4), min_size=2, max_size=6))
def test_the_last_crossing_is_after_the_last_dear_point(rows: list[list[float]]) -> None:
    gaps, grid = np.array(rows), np.arange(1.0, len(rows) + 1)
    for column, found in enumerate(last_crossing_mtok(grid, gaps)):
        dear = [at for at, gap in zip(grid, gaps[:, column], strict=True) if gap >= 0]
        if not dear:
            assert found == grid[0]
        elif dear[-1] == grid[-1]:
            assert np.isinf(found)
        else:
            assert dear[-1] <= found <= dear[-1] + 1


def test_volume_is_answered_by_our_own_break_even() -> None:
    small, large = asked(world(300)), asked(world(40_000))
    assert replies(small)["volume"] == "no" and replies(large)["volume"] == "yes"
    assert (small.questions[0].probability_fraction or 0) < 0.1
    assert 0.5 < (large.questions[0].probability_fraction or 0) <= 1
    fleet = best_fleet(world(40_000).comparison)
    assert fleet is not None and large.volume.option == fleet.name
    assert large.volume.crossing_mtok is not None and large.volume.crossing_mtok < 40_000
    assert large.volume.crossing_p10_mtok <= large.volume.crossing_p50_mtok <= large.volume.crossing_p90_mtok


def test_the_break_even_over_the_futures_lies_about_the_typical_one() -> None:
    seen = asked(world(40_000)).volume
    assert seen.crossing_mtok is not None
    assert seen.crossing_p10_mtok < seen.crossing_mtok < seen.crossing_p90_mtok


def test_nothing_is_guessed_for_the_user() -> None:
    found = asked(world(300))
    for key in ("data_sensitive", "fine_tuning", "mlops_team", "accuracy"):
        question = next(each for each in found.questions if each.key == key)
        assert (question.reply, question.probability_fraction) == ("unknown", None)
    assert found.unknown_count == 4 and found.rule == "unknown" and found.agree


def test_an_unknown_counts_as_one_half() -> None:
    found = asked(world(300))
    p = found.questions[0].probability_fraction or 0.0
    assert found.three_or_more_fraction == pytest.approx(at_least_fraction([p, 0.5, 0.5, 0.5, 0.5], 3))


def test_the_user_answers() -> None:
    said = AnswersEntry(data_sensitive=True, fine_tuning=True, mlops_team=True, accuracy=True)
    found = asked(world(300), Scenario(answers=said))
    assert found.yes_count == 4 and found.rule == "yes"
    assert not found.money_on_gpus and not found.agree, "three yes, but the money stays at the API: flagged"
    assert found.three_or_more_fraction == 1


def test_enough_no_decide_the_rule() -> None:
    said = AnswersEntry(data_sensitive=False, fine_tuning=False, mlops_team=False)
    found = asked(world(300), Scenario(answers=said))
    assert found.rule == "no" and found.three_or_more_fraction == 0


def test_accuracy_is_a_gate_and_not_a_point() -> None:
    said = AnswersEntry(data_sensitive=True, fine_tuning=True, mlops_team=True, accuracy=False)
    found = asked(world(40_000), Scenario(answers=said))
    assert found.gate_closed and found.yes_count >= 3 and found.rule == "no"
    closed = behind_the_gate(world(40_000).comparison, Scenario(answers=said))
    assert {"brokered", "rented_on_demand", "managed_together", "deepseek_api"} <= closed
    assert not closed & {"frontier_api", "cheaper_tier", "batch_api"}
    assert world(40_000).outlook.without(closed).recommended not in closed


def test_a_part_of_the_work_moves_past_the_gate_on_more_than_a_guess() -> None:
    """What nobody judged of the easier calls opens no gate that the user closed; what is stated of them does."""
    said, mixes = Scenario(answers=AnswersEntry(accuracy=False)), {"hybrid", "routed"}
    assert mixes <= behind_the_gate(world(40_000).comparison, said)
    stated = situation(demand(40_000), pinned({"open_model_commodity_success_fraction": 0.9}))
    assert not mixes & behind_the_gate(world_of(stated, 7).comparison, said)
    assert not mixes & behind_the_gate(world(40_000).comparison, Scenario())


def test_a_mix_that_leaves_nothing_to_todays_models_is_an_open_model_for_everything() -> None:
    """Whatever is stated of it: as the broker alone, it stays behind the gate."""
    said, mixes = Scenario(answers=AnswersEntry(accuracy=False)), {"hybrid", "routed"}
    success = {"open_model_commodity_success_fraction": 0.9}
    every = situation(demand(40_000), pinned({**success, "hybrid_commodity_share_fraction": 1.0}))
    assert mixes <= behind_the_gate(world_of(every, 7).comparison, said)
    prices = {f"{kind}_usd_per_mtok": 2.0 for kind in ("input", "cache_read", "cache_write", "output")}
    tasks = [{"task": each, "volume_mtok_per_month": 9_000.0, "tokens_per_request": 900} for each in ("faq", "poetry")]
    for some, closed in ((tasks[:1], mixes), (tasks, set[str]())):
        of_tasks = situation(demand_by_task(some, prices), pinned(success))
        assert mixes & behind_the_gate(world_of(of_tasks, 7).comparison, said) == closed


def test_without_a_fleet_a_broker_says_how_good_an_open_model_may_be() -> None:
    here = world(2_000)
    few = {name: here.options[name] for name in ("frontier_api", "brokered", "cheaper_tier")}
    comparison = compare(here.situation, few, here.draws, with_bands=False)
    found = five_questions(comparison, here.situation, few, here.draws, Scenario(), outlook_of(comparison))
    assert found.volume.option is None and replies(found)["volume"] == "no"
    assert found.accuracy.option == "brokered" and found.accuracy.odds_fraction is not None


def test_an_answer_that_leaves_nothing_is_refused() -> None:
    said = Scenario(data_may_not_leave="own_vpc", answers=AnswersEntry(accuracy=False))
    with pytest.raises(ScenarioError, match=r"no open model is good enough.*rented_on_demand"):
        behind_the_gate(bordered("own_vpc").comparison, said)


@pytest.mark.parametrize(("success", "reply"), [(0.9, "yes"), (0.6, "no")])
def test_a_stated_success_rate_answers_accuracy(success: float, reply: str) -> None:
    facts = pinned({"open_model_success_fraction": success, "frontier_success_fraction": 0.9})
    found = asked(world_of(situation(demand(2_000), facts), 7))
    assert replies(found)["accuracy"] == reply


def test_what_the_scenario_implies_is_taken_as_said() -> None:
    found = asked(
        bordered("eu"),
        Scenario(data_may_not_leave="eu", team="new_hires", overrides={"fine_tune_campaigns_events_per_year": 4}),
    )
    assert replies(found) == {
        "volume": "no",
        "data_sensitive": "yes",
        "fine_tuning": "yes",
        "mlops_team": "no",
        "accuracy": "unknown",
    }
    assert found.questions[1].gate


def test_risk_is_made_of_odds_and_regret() -> None:
    found = asked(world(300))
    outlook = world(300).outlook
    assert found.loses_fraction == pytest.approx(float(np.mean(outlook.saves(outlook.recommended) < 0)))
    assert found.regret_p90_usd == pytest.approx(float(np.quantile(outlook.regret(outlook.recommended), 0.9)))
    assert found.risk == risk_level(found.loses_fraction, found.regret_p90_usd / found.today_usd)


def test_where_staying_is_no_option_nothing_is_lost_against_it() -> None:
    found = asked(bordered("own_vpc"), Scenario(data_may_not_leave="own_vpc"))
    assert found.loses_fraction == 0 and found.money_on_gpus


def test_gpus_that_win_by_far_agree_with_a_full_house() -> None:
    said = AnswersEntry(data_sensitive=True, mlops_team=True)
    found = asked(dear_api(40_000), Scenario(answers=said))
    assert replies(found)["volume"] == replies(found)["accuracy"] == "yes"
    assert found.rule == "yes"
