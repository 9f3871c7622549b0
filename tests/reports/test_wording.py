"""The verdict in words: sign, odds and hedges follow the numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from breakeven.audit.task import Evidence, Interval, Suitability
from breakeven.decision.compare import compare
from breakeven.decision.comparison import Comparison, Range
from breakeven.decision.recommendation import Recommendation, recommend
from breakeven.facts.draws import DrawSet
from breakeven.facts.source import Grade
from breakeven.options.assembly.audited_work import AuditedWork
from breakeven.options.discover import select_options
from breakeven.reports import usage_rows, wording
from breakeven.reports.stability_part import CheckPart, StabilityPart, TrialPart, stability_part
from breakeven.reports.stability_wording import check_finding, stability_findings, trial_finding
from breakeven.workload.stability import stability
from costing import PRICES, demand, demand_by_task, pinned, situation
from reports.sample_document import sample_workload
from workload.planted_days import log_of

FLEETS = ("frontier_api", "hybrid", "rented_on_demand", "rented_spot")


def comparison(volume_mtok: float, names: tuple[str, ...] = FLEETS, **facts: float) -> Comparison:
    return compare(situation(demand(volume_mtok), pinned(facts)), select_options(names), DrawSet(draws_log2=8))


@pytest.fixture(scope="module")
def staying() -> Comparison:
    return comparison(300)


@pytest.fixture(scope="module")
def moving() -> Comparison:
    return comparison(40_000, corrected_by_hand_fraction=0.0005, moe_model_success_fraction=0.9)


def with_odds(advice: Recommendation, odds_fraction: float, confidence: str) -> Recommendation:
    return replace(advice, odds_fraction=odds_fraction, confidence=confidence)  # type: ignore[arg-type]


def test_staying_says_what_moving_would_cost(staying: Comparison) -> None:
    sentence = wording.verdict_sentence(recommend(staying))
    assert sentence.startswith("Stay on the API: rented GPUs (spot) would cost about $")
    assert "a month more for the same successful work (staying: saves $" in sentence
    assert sentence.endswith("of 100 futures.")
    assert "-$" not in sentence


def test_moving_says_what_it_saves_and_under_which_condition(moving: Comparison) -> None:
    sentence = wording.verdict_sentence(recommend(moving))
    assert sentence.startswith("Move to rented GPUs (spot): about $")
    assert "a month less than today for the same successful work" in sentence
    assert sentence.endswith("if its answers are good enough.")


def test_hedges_follow_the_odds(staying: Comparison, moving: Comparison) -> None:
    assert wording.verdict_sentence(with_odds(recommend(staying), 0.7, "likely")).startswith("Probably stay on the API")
    assert wording.verdict_sentence(with_odds(recommend(moving), 0.7, "likely")).startswith("Probably move to rented")
    open_question = wording.verdict_sentence(with_odds(recommend(moving), 0.41, "open"))
    assert open_question.startswith("Too close to call: rented GPUs (spot) has the lowest expected cost per success")
    assert "only 41 of 100 futures" in open_question


def test_a_median_against_the_mean_keeps_its_sign(staying: Comparison) -> None:
    """Expected cheapest, but dearer in the median: the sentence must not say 'more' for a saving."""
    advice = replace(recommend(staying), saves_usd_per_month=Range(-900.0, -100.0, 5000.0, 400.0))
    assert "would cost about $100" in wording.verdict_sentence(advice)
    assert "a month less" in wording.verdict_sentence(advice)


def test_alone_there_is_nothing_to_compare() -> None:
    only = comparison(300, ("frontier_api",))
    assert "only option that could be costed" in wording.verdict_sentence(recommend(only))


def test_pairs_say_always_above_or_never(staying: Comparison) -> None:
    sentences = {pair.option: wording.pair_sentence(staying, pair) for pair in staying.pairs}
    assert "is always cheaper than today's API above" in sentences["rented_spot"]
    assert "You are below it, at 300 M tokens" in sentences["rented_spot"]
    never = comparison(300, ("frontier_api", "rented_on_demand"), gpu_rent_usd_per_gpu_hour=5000.0)
    (pair,) = never.pairs
    assert "never becomes cheaper than today's API up to" in wording.pair_sentence(never, pair)


def test_the_same_models_need_no_check_and_are_promised_none() -> None:
    batch = recommend(comparison(300, ("frontier_api", "batch_api"), batch_share_fraction=1.0))
    assert batch.option.name == "batch_api"
    sentence = wording.verdict_sentence(batch)
    assert "ove to batch API for what can wait" in sentence
    assert "good enough" not in sentence
    assert "Measure" not in wording.quality_detail(comparison(300, ("frontier_api", "batch_api")), batch)


def test_success_rates_are_told_by_who_answers() -> None:
    found = comparison(
        300, ("frontier_api", "batch_api", "cheaper_tier", "deepseek_api", "brokered", "small_gpu", "hybrid"),
        frontier_success_fraction=0.92, cheaper_tier_success_fraction=0.86, moe_model_success_fraction=0.87,
        small_model_success_fraction=0.72, open_model_commodity_success_fraction=0.9,
        hybrid_commodity_share_fraction=0.5,
    )  # fmt: skip
    told = wording.quality_detail(found, recommend(found))
    assert "today's models 92 %" in told
    assert "open models 72 % to 87 %" in told
    assert "cheaper API tier 86 %" in told
    assert "DeepSeek's own API 87 %" in told
    assert "the hybrid's mix 91 %" in told
    assert told.count("batch") == 0


def audited_comparison(grade: Grade, *evidence: Evidence, labels_count: int = 0) -> Comparison:
    """A hybrid that moves one of two tasks, by an audit."""
    tasks = [{"task": name, "volume_mtok_per_month": 1000, "tokens_per_request": 1000} for name in ("t-1", "t-2")]
    found = Suitability(Interval(0.7, 0.86, 0.95), evidence, grade, labels_count=labels_count)
    asked = situation(demand_by_task(tasks, PRICES))
    work = AuditedWork(("t-1",), {"t-1": found}, "audit.json")
    asked = replace(asked, choices=replace(asked.choices, audited=work))
    return compare(asked, select_options(("frontier_api", "hybrid")), DrawSet(draws_log2=6))


def test_a_success_rate_by_labels_says_who_judged_it() -> None:
    found = audited_comparison(Grade.EXPERT, "labels", "prior", labels_count=50)
    told = wording.quality_detail(found, recommend(found))
    assert told.startswith("Success rates are assumed where nothing else is said: ")
    assert "not measured" not in told
    assert (
        "An open model on the work that moves 86 % is judged by people (audit audit.json: 50 labels, a guess by kind "
        "of work)." in told
    )


def test_an_audit_without_labels_is_called_a_guess() -> None:
    found = audited_comparison(Grade.GUESS, "prior")
    assert "86 % is guessed (audit audit.json: a guess by kind of work)." in wording.quality_detail(
        found, recommend(found)
    )


def test_rates_of_the_catalogue_are_assumed_and_nothing_else_is_said() -> None:
    found = compare(situation(demand(300)), select_options(FLEETS), DrawSet(draws_log2=6))
    told = wording.quality_detail(found, recommend(found))
    assert told.startswith("Success rates are assumed, not measured: ")
    assert not any(word in told for word in ("judged", "guessed", "stated", "is measured"))


def test_rates_that_all_come_from_the_scenario_are_not_called_assumed() -> None:
    told = wording.quality_detail(
        found := comparison(300, ("frontier_api", "cheaper_tier"), frontier_success_fraction=0.92,
                            cheaper_tier_success_fraction=0.86), recommend(found)
    )  # fmt: skip
    assert told.startswith("Success rates: ")
    assert "today's models 92 % and cheaper tier 86 % are measured (a typed-in log)" in told.lower()


def test_breach_losses_of_one_month_are_told_only_where_no_months_are(moving: Comparison) -> None:
    advice = replace(recommend(moving), disagreements=("with_losses",), months_count=None)
    assert len(wording.disagreement_details(advice, moving)) == 1
    assert wording.disagreement_details(replace(advice, months_count=36), moving) == []


def test_one_month_is_one(staying: Comparison) -> None:
    sentence = wording.verdict_sentence(replace(recommend(staying), months_count=1))
    assert "futures over 1 month." in sentence


def test_an_old_log_is_said_first_and_a_young_one_is_not() -> None:
    log = log_of(np.full(40, 1e6))  # ends on 10 Jul 2026
    for age, said in ((30, False), (118, True)):
        part = stability_part(stability(log, log.days[-1].day + timedelta(days=age)))
        told = wording.data_details(sample_workload(synthetic=False).model_copy(update={"stability": part}))
        assert any("The log ended 118 days before 5 Nov 2026" in each for each in told) == said


def test_a_rule_on_age_is_cured_by_newer_days_and_not_by_waiting() -> None:
    old = CheckPart(name="age", passed=False, finding="the log ended 31 days before", more_days_count=None)
    assert check_finding(old) == "FAILS: the log ended 31 days before; import newer days"
    wandering = old.model_copy(update={"name": "wandering"})
    assert check_finding(wandering).endswith("more days alone may not cure it")


def steadiness(daily_tokens: np.ndarray) -> StabilityPart:
    log = log_of(daily_tokens)
    return stability_part(stability(log, log.days[-1].day + timedelta(days=1)))


def test_a_log_that_fell_silent_is_told_no_next_quarter() -> None:
    told = stability_findings(steadiness(np.where(np.arange(119) < 70, 1e6 + 1e5 * (np.arange(119) % 5), 0.0)))
    assert told[0] == "Nothing can be said of next quarter: the log fell silent on 10 Aug 2026."
    assert not any("80 %" in each or "taken as zero" in each for each in told)
    assert told[-1] == (
        "49 days without a call where calls are usual: 10 Aug 2026 (49 days). "
        "Outages of a week or more are left out of level, growth and forecast."
    )


def test_equal_days_are_told_no_interval_and_no_wide_guess() -> None:
    few = stability_findings(steadiness(np.full(14, 33_000.0)))[0]
    assert few.startswith("What few equal days show: The quarter after the log, ")
    assert "3 M tokens (no interval: the days are all but equal)" in few and "80 %" not in few
    differing = stability_findings(steadiness(33_000.0 + 9_000.0 * (np.arange(14) % 3)))[0]
    assert differing.startswith("A wide guess from few days: ") and "(80 %: " in differing


def test_short_gaps_count_as_zero_and_outages_do_not() -> None:
    amounts = np.full(120, 1e6)
    amounts[[100, 101]] = 0
    short = stability_findings(steadiness(amounts))[-1]
    assert short.startswith("2 days without a call where calls are usual, taken as zero: ") and "Outages" not in short
    amounts[40:60] = 0
    assert stability_findings(steadiness(amounts))[-1].endswith(
        "Outages of a week or more are left out of level, growth and forecast; shorter gaps count as zero."
    )


def test_the_trial_says_that_its_weeks_are_taken_together() -> None:
    trial = TrialPart(
        model="mean of all weeks", origins_count=7, horizon_days=28, days_wape_fraction=0.5, total_wape_fraction=0.378,
        naive_days_wape_fraction=0.5, naive_total_wape_fraction=85.57,
    )  # fmt: skip
    assert trial_finding(trial) == (
        "Forecast by: mean of all weeks. Tried from 7 past weeks, each time for the next 4 weeks, it was off by 37.8 % "
        "of all their tokens together (last week repeated: 86 times)."
    )
    far = trial_finding(trial.model_copy(update={"total_wape_fraction": 42.79}))
    assert "it was off by 43 times all their tokens together (last week repeated: 86 times)." in far


def test_days_of_the_rule_on_the_interval_are_told_with_their_range() -> None:
    width = CheckPart(name="interval", passed=False, finding="known within 40 %", more_days_count=42)
    length = CheckPart(name="length", passed=False, finding="only 55 whole days", more_days_count=35)
    assert check_finding(width) == "FAILS: known within 40 %; about 42 more days (21 to 126)"
    log = log_of(np.full(40, 1e6))
    part = stability_part(stability(log, log.days[-1].day)).model_copy(
        update={"answer": "not yet", "checks": (width, length), "more_days_count": 42, "come_back": "2026-08-22"}
    )
    told = usage_rows._waiting(part)
    assert (told.value, told.basis) == (
        "Not yet: about 42 more days",
        "on about 22 Aug 2026; 35 to 126 days, by how fast the interval narrows",
    )
    alone = usage_rows._waiting(part.model_copy(update={"checks": (length,), "more_days_count": 35}))
    assert (alone.value, alone.basis) == ("Not yet: 35 more days", "on 22 Aug 2026 at the earliest")
