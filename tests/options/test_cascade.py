"""The cascade option: every call pays the open model and the verifier, success is that of the formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.decision.compare import typical
from breakeven.decision.horizon.price_of_line import price_of
from breakeven.errors import UnknownPrice
from breakeven.options.assembly.measured_success import MeasuredSuccess, measured_success
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from breakeven.outcomes import cascade
from breakeven.outcomes.outcome import OutcomeTable
from costing import demand, pinned, situation
from options.test_measured_success import outcomes

OPTIONS = discover_options()
VERIFIER = {"verifier_sensitivity_fraction": 0.7, "verifier_false_alarm_fraction": 0.1}


def cost(**facts: float) -> OptionCost:
    at = situation(demand(300), pinned({**VERIFIER, **facts}))
    return OPTIONS["cascade"].cost(at, Evaluation(typical))


def plain(name: str, **facts: float) -> OptionCost:
    return OPTIONS[name].cost(situation(demand(300), pinned(facts)), Evaluation(typical))


def line_usd(found: OptionCost, name: str) -> float:
    return next(float(each.usd_per_month.value.flat[0]) for each in found.breakdown.lines if each.name == name)


def success(found: OptionCost) -> float:
    return float(found.success.value.flat[0])


def test_without_a_verifier_there_is_none() -> None:
    with pytest.raises(UnknownPrice, match="set verifier_sensitivity_fraction and verifier_false_alarm_fraction"):
        OPTIONS["cascade"].cost(situation(demand(300)), Evaluation(typical))


def test_the_open_model_is_paid_on_every_call_and_the_api_on_what_is_flagged() -> None:
    found = cost(moe_model_success_fraction=0.8)
    assert line_usd(found, "small_tokens") == pytest.approx(line_usd(plain("brokered"), "tokens"), rel=1e-9)
    assert line_usd(found, "big_tokens") == pytest.approx(0.22 * line_usd(plain("frontier_api"), "tokens"), rel=1e-9)


def test_success_is_that_of_both_given_what_they_share() -> None:
    facts = {"moe_model_success_fraction": 0.8, "frontier_success_fraction": 0.95}
    measured = success(cost(**facts, big_success_after_failure_fraction=0.8))
    assert measured == pytest.approx(0.911, abs=1e-9)
    after = cascade.big_success_after_failure_fraction(0.8, 0.95, 0.75)
    assert float(after) == pytest.approx(0.8)
    assert success(cost(**facts, shared_failure_fraction=0.75)) == pytest.approx(measured, rel=1e-9)
    assert success(cost(**facts, shared_failure_fraction=0.0)) > measured
    assert success(cost(**facts, success_fraction=0.5)) == 0.5


@pytest.mark.parametrize(("sees", "alarm", "like"), [(0.0, 0.0, "brokered"), (1.0, 1.0, "frontier_api")])
def test_a_verifier_that_flags_nothing_or_everything_is_one_of_the_models(sees: float, alarm: float, like: str) -> None:
    found = cost(verifier_sensitivity_fraction=sees, verifier_false_alarm_fraction=alarm)
    assert success(found) == pytest.approx(success(plain(like)), rel=1e-9)


def test_measured_outcomes_enter_the_cascade() -> None:
    rates = {"gpt-oss-120b": {"faq": (8_000, 10_000)}, "gpt-5": {"faq": (9_500, 10_000)}}
    at = situation(demand(300), pinned({**VERIFIER, "big_success_after_failure_fraction": 0.8}))
    at = replace(at, choices=replace(at.choices, outcomes=outcomes(rates)))
    assert success(OPTIONS["cascade"].cost(at, Evaluation(typical))) == pytest.approx(0.911, abs=0.002)


def test_a_free_verifier_costs_nothing_and_a_judge_its_tokens() -> None:
    assert line_usd(cost(verifier_usd_per_request=0.0), "verifier") == 0.0
    judge = cost(judge_usd_per_mtok=2.0)
    assert line_usd(judge, "verifier") == pytest.approx(float(judge.volume.value.flat[0]) * 2.0, rel=1e-9)


def test_retries_are_not_read() -> None:
    assert success(cost(tries_max_count=3)) == success(cost())


def test_each_part_follows_its_own_price() -> None:
    found = cost()
    prices = {line.name: price_of(line, found) for line in found.breakdown.lines}
    assert (prices["small_tokens"], prices["big_tokens"]) == ("open_token_price", "api_list_price")
    assert prices["verifier"] == "today"


def joint(both: int, only_small: int, only_big: int, neither: int) -> MeasuredSuccess:
    """Outcomes of the same requests for both models."""
    pairs = [(1.0, 1.0)] * both + [(1.0, 0.0)] * only_small + [(0.0, 1.0)] * only_big + [(0.0, 0.0)] * neither
    success = np.array(pairs)
    ids = tuple(map(str, range(len(pairs))))
    unknown = np.full_like(success, np.nan)
    return measured_success(
        OutcomeTable(ids, ("gpt-oss-120b", "gpt-5"), success, unknown, ("",) * len(ids), {}), "outcomes.csv", {}
    )


def test_success_after_a_failure_is_counted_where_both_were_tried() -> None:
    at = situation(demand(300), pinned(VERIFIER))
    measured = joint(both=7_900, only_small=100, only_big=1_600, neither=400)
    at = replace(at, choices=replace(at.choices, outcomes=measured))
    found = OPTIONS["cascade"].cost(at, Evaluation(typical))
    assert success(found) == pytest.approx(0.911, abs=0.002)
    leaves = found.total.leaves()
    fact = leaves["big_success_after_failure_fraction"]
    assert fact.source is not None
    assert fact.source.title == "outcomes outcomes.csv: gpt-5, 2,000 requests at which gpt-oss-120b failed"
    assert "shared_failure_fraction" not in leaves
    said = pinned({**VERIFIER, "big_success_after_failure_fraction": 0.0})
    assert success(OPTIONS["cascade"].cost(replace(at, scenario=said), Evaluation(typical))) < 0.85


def test_of_several_models_today_what_they_share_is_assumed() -> None:
    (one,) = demand(300).models
    of = replace(demand(300), models=(one, replace(one, label="anthropic/claude-sonnet-4-5")))
    at = situation(of, pinned(VERIFIER))
    at = replace(at, choices=replace(at.choices, outcomes=joint(7_900, 100, 1_600, 400)))
    assert "shared_failure_fraction" in OPTIONS["cascade"].cost(at, Evaluation(typical)).total.leaves()
