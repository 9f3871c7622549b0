"""What-if session: whatever was asked before, an answer is that of a fresh computation, to the bit."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven.cli import main
from breakeven.decision.compare import compare
from breakeven.decision.horizon.paths import LOG_GROWTH
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.repeated import Repeated
from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.decision.standings import Standings, standings_of
from breakeven.errors import ScenarioError, UnknownName
from breakeven.facts.assumption import Assumption
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.reports.answer import Question
from breakeven.reports.sliders import Slider
from breakeven.reports.whatif_document import to_json
from breakeven.reports.whatif_session import Changes, WhatIfSession
from breakeven.reports.whatif_state import State, state_of
from breakeven.usage.store import CallStore
from breakeven.workload.forecast import GROWTH
from stored_log import stored_log

TODAY = date(2026, 11, 24)
OPTIONS = (
    "frontier_api",
    "cheaper_tier",
    "batch_api",
    "brokered",
    "hybrid",
    "routed",
    "managed_huggingface_scale_to_zero",
    "managed_together",
    "owned_gpus",
    "rented_on_demand",
    "rented_one_year",
    "rented_spot",
    "small_gpu",
    "sunk_gpus",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored_log(tmp_path_factory.mktemp("calls"), 2_000)


def opened(folder: Path, scenario: Scenario) -> WhatIfSession:
    with CallStore(folder) as store:
        return WhatIfSession.open(Question(store, str(folder), scenario, TODAY))


@pytest.fixture(scope="module")
def session(folder: Path) -> WhatIfSession:
    """Its store is closed already."""
    return opened(folder, Scenario(as_of=TODAY, draws_log2=7, options=OPTIONS))


@pytest.fixture(scope="module")
def sliders(session: WhatIfSession) -> dict[str, Slider]:
    return {each.name: each for each in session.sliders()}


def fresh(session: WhatIfSession) -> WhatIfSession:
    """A session of the same log that was asked nothing yet."""
    scenario = session.question.scenario
    draws = DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(session.catalog))
    return WhatIfSession(
        session.question,
        session.catalog,
        session.workload,
        session.demand,
        session.estimates,
        scenario.choices(),
        Repeated(select_options(scenario.options), draws),
        None,
    )


def plainly(state: State) -> tuple[Standings, dict[str, np.ndarray]]:
    """The same with nothing remembered: standings and present costs."""
    scenario, situation = state.scenario, state.situation
    draws = DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(situation.catalog))
    options = select_options(scenario.options)
    standings = standings_of(situation, options, draws.of, draws.draws_count, draws.seed)
    usable = {each.name: options[each.name] for each in standings.options}
    return standings, present_costs_usd(situation, usable, draws.of, state.expected.estimates)


def assert_as_computed_plainly(state: State) -> None:
    standings, present = plainly(state)
    assert [each.name for each in state.comparison.options] == [each.name for each in standings.options]
    for mine, plain in zip(state.comparison.options, standings.options, strict=True):
        assert mine.equal_success_usd_per_month == plain.equal_success_usd_per_month
        assert np.array_equal(mine.cost.total.value, plain.cost.total.value)
        assert mine.cost.buys == plain.cost.buys and mine.same_as == plain.same_as
    for mine, plain in zip(state.comparison.pairs, standings.pairs, strict=True):
        assert mine.option == plain.option
        assert mine.report.crossings == plain.report.crossings
        assert mine.report.b_always_above_mtok == plain.report.b_always_above_mtok
    assert state.comparison.unavailable == standings.unavailable
    assert state.outlook.costs.keys() == present.keys()
    for name, usd in state.outlook.costs.items():
        assert np.array_equal(usd, present[name]), name
        assert state.odds_fractions[name] == state.outlook.odds_fraction(name)


MOVES: dict[str, tuple[str, ...]] = {
    "volume": ("5B", "300M", "40B", "60B"),
    "growth": ("0.08", "-0.01"),
    "utilisation": ("40%", "10%"),
    "gpu_rents": ("0.5", "1.7"),
    "gpu_usd_per_hour": ("1.65",),
    "fte": ("0.5", "2"),
    "engineering_fte_cluster_count": ("0.2", "0.9"),
    "api_price": ("0.4", "3"),
    "commodity_share": ("0.3", "0.8"),
    "success": ("0.9",),
    "small_model_success_fraction": ("0.9", "0.6"),
    "moe_model_success_fraction": ("0.95",),
    "open_model_commodity_success_fraction": ("0.8", "0.97"),
    "horizon": ("12", "60"),
    "salary": ("90000",),
    "team": ("new_hires",),
    "region": ("de",),
    "success_fraction": ("0.9",),
    "replica_capacity_req_per_s": ("3",),
}
"""The sliders, facts that change what an option looks at, and choices."""
CHANGES = st.lists(st.sampled_from(sorted(MOVES)), unique=True, max_size=3).flatmap(
    lambda names: st.tuples(*(st.tuples(st.just(name), st.sampled_from(MOVES[name])) for name in names))
)


@settings(max_examples=9, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(CHANGES, min_size=3, max_size=4))
def test_whatever_was_asked_before_an_answer_is_that_of_a_fresh_computation(
    session: WhatIfSession, asked: list[Changes]
) -> None:
    for changes in asked:
        session.answer(changes)
    assert_as_computed_plainly(session.state(asked[-1]))


@pytest.mark.parametrize("name", sorted(MOVES))
def test_one_thing_after_another_is_as_computed_plainly(session: WhatIfSession, name: str) -> None:
    for text in MOVES[name]:
        session.answer(((name, text),))
    assert_as_computed_plainly(session.state(((name, MOVES[name][-1]),)))


def test_more_draws_go_on_two_threads_to_the_same_bits(folder: Path) -> None:
    few = ("frontier_api", "brokered", "rented_one_year", "owned_gpus", "managed_huggingface_scale_to_zero")
    session = opened(folder, Scenario(as_of=TODAY, draws_log2=13, options=few))
    for changes in ((), (("volume", "20B"),), (("gpu_rents", "0.6"), ("growth", "0.05"))):
        assert_as_computed_plainly(session.state(changes))


def test_standings_are_those_of_a_comparison(session: WhatIfSession) -> None:
    state = session.state((("volume", "30B"),))
    told = compare(state.situation, select_options(OPTIONS), DrawSet(0, 7), with_bands=False)
    for each in told.options:
        mine = state.comparison.option(each.name)
        assert mine.equal_success_usd_per_month == each.equal_success_usd_per_month and mine.same_as == each.same_as
    assert {each.option: each.report.b_always_above_mtok for each in told.pairs} == {
        each.option: each.report.b_always_above_mtok for each in state.comparison.pairs
    }


def test_the_order_does_not_matter(session: WhatIfSession) -> None:
    one, two = ("volume", "5B"), ("gpu_rents", "0.5")
    there, back = session.answer((one, two)), session.answer((two, one))
    assert there.options == back.options and there.after == back.after


def test_going_back_gives_the_first_answer_bit_for_bit(session: WhatIfSession) -> None:
    again = fresh(session)
    first = again.answer((("volume", "5B"),))
    for name, texts in MOVES.items():
        again.answer(((name, texts[0]),))
    assert again.answer((("volume", "5B"),)) == first == session.answer((("volume", "5B"),))
    assert again.answer(()) == session.answer(())


def test_practice_makes_room_and_changes_no_answer(session: WhatIfSession) -> None:
    practised, asked = fresh(session), (("volume", "2B"),)
    before_bytes = practised.repeated.held_bytes
    practised.practise()
    assert practised.repeated.held_bytes > before_bytes
    assert practised.answer(asked) == fresh(session).answer(asked)


def test_eight_threads_get_what_one_gets(session: WhatIfSession) -> None:
    asked: list[Changes] = [((name, text),) for name, texts in MOVES.items() for text in texts[:1]] * 2
    alone = fresh(session)
    expected = [alone.answer(each) for each in asked]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(session.answer, asked)) == expected


def test_the_verb_says_the_same(session: WhatIfSession, folder: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(f"draws_log2: 7\nas_of: {TODAY}\noptions: [{', '.join(OPTIONS)}]\n", encoding="utf-8")
    changes: Changes = (("volume", "5B"), ("api_price", "0.7"), ("utilisation", "30%"))
    words = [f"{name}={text}" for name, text in changes]
    told = CliRunner().invoke(
        main.group, ["whatif", *words, "--store", str(folder), "--scenario", str(scenario), "--json"]
    )
    assert told.exit_code == 0, told.output
    here, there = json.loads(to_json(session.answer(changes))), json.loads(told.stdout)
    for document in (here, there):
        del document["warnings"]  # those about the store are the verb's
    assert here == there


@pytest.mark.parametrize(
    "changes",
    [(("volume", "7B"), ("api_price", "1.5")), (("gpu_rents", "0.6"), ("utilisation", "35%"), ("horizon", "24"))],
)
def test_a_saved_scenario_tells_the_same_numbers_to_the_cent(
    session: WhatIfSession, folder: Path, tmp_path: Path, changes: Changes
) -> None:
    path = tmp_path / "saved.yaml"
    said = session.scenario(changes).model_dump(mode="json", exclude_defaults=True)
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    assert load_scenario(path) == session.scenario(changes)
    told = CliRunner().invoke(main.group, ["compare", "--store", str(folder), "--scenario", str(path), "--json"])
    assert told.exit_code == 0, told.output
    compared, moved = json.loads(told.stdout), session.answer(changes)
    assert compared["verdict"]["recommended"] == moved.after.option
    months = {each["name"]: each["equal_success_usd_per_month"] for each in compared["options"]}
    ahead = {each["option"]: each for each in compared["horizon"]["options"]}
    for each in moved.options:
        assert each.after_usd_per_month is not None and each.after_present_cost_usd is not None
        for key in ("p10", "p50", "p90", "mean"):
            assert getattr(each.after_usd_per_month, key) == pytest.approx(months[each.option][key], abs=0.005)
            present = ahead[each.option]["present_cost_usd"][key]
            assert getattr(each.after_present_cost_usd, key) == pytest.approx(present, abs=0.005)


def test_a_log_that_is_closed_cannot_be_priced_anew_unless_it_is_opened_again(folder: Path) -> None:
    scenario = Scenario(as_of=TODAY, draws_log2=7, options=("frontier_api", "brokered"))

    class Again:
        def __enter__(self) -> Question:
            self.store = CallStore(folder).__enter__()
            return Question(self.store, str(folder), scenario, TODAY)

        def __exit__(self, *_: object) -> None:
            self.store.__exit__(None, None, None)

    with CallStore(folder) as store:
        session = WhatIfSession.open(Question(store, str(folder), scenario, TODAY), reopen=Again)
    found = session.answer((("frontier_model", "anthropic/claude-sonnet-4-5"),))
    assert found.changes[0].after == "anthropic/claude-sonnet-4-5"


def test_sliders_stand_where_things_are_and_reach_both_ends(session: WhatIfSession, sliders: dict[str, Slider]) -> None:
    assert {"volume", "growth", "utilisation", "gpu_rents", "api_price", "commodity_share", "horizon"} <= set(sliders)
    assert sum(each.endswith("success_fraction") for each in sliders) == 3
    assert sum("engineering_fte" in each for each in sliders) == 1
    for each in sliders.values():
        assert each.low <= each.typical <= each.high and each.low < each.high and each.step > 0, each
        assert each.scale == "linear" or each.low > 0
        assert each.about.endswith(".") and each.source and each.grade and not each.disabled
        for value in (each.low, each.high):
            moved = session.answer(((each.name, repr(float(value))),))
            assert moved.changes[0].said == each.name and not moved.changes[0].note.startswith("changed nothing")


def test_a_slider_that_nobody_reads_says_so(folder: Path) -> None:
    session = opened(folder, Scenario(as_of=TODAY, draws_log2=7, options=("frontier_api", "cheaper_tier")))
    disabled = {each.name: each.disabled for each in session.sliders() if each.disabled}
    assert disabled["utilisation"] == disabled["gpu_rents"] == "no option that could be costed reads it"
    assert disabled["commodity_share"] == "neither routing nor a hybrid could be costed"
    assert {"volume", "growth", "api_price", "horizon"}.isdisjoint(disabled)


def test_slider_values_of_the_scenario_are_where_the_slider_stands(folder: Path) -> None:
    said = {"volume_growth_fraction_per_month": 0.05, "gpu_rent_usd_per_gpu_hour": 2.0}
    scenario = Scenario(
        as_of=TODAY, draws_log2=7, options=OPTIONS, overrides=said, api_price_ratio=2.0, volume_mtok_per_month=5e3
    )
    found = {each.name: each for each in opened(folder, scenario).sliders()}
    assert found["volume"].typical == pytest.approx(5e3) and found["api_price"].typical == 2.0
    assert found["growth"].typical == 0.05 and found["gpu_usd_per_hour"].typical == 2.0
    growth = found["growth"]
    assert (growth.scale, growth.low, growth.high) == ("linear", -0.1, 0.1), "a workload may also shrink"


def test_growth_that_the_log_shows_is_what_a_change_of_it_begins_from(session: WhatIfSession) -> None:
    shown = replace(session.catalog.assumptions[GROWTH], low=0.02, typical=0.026, high=0.03)
    made = fresh(session)
    made.estimates = {**session.estimates, GROWTH: shown, LOG_GROWTH: replace(shown, name=LOG_GROWTH)}
    for name, months in (("log_lead_months", 1.0), ("log_length_months", 6.0)):
        made.estimates[name] = Assumption(name, "month", months, months, months, shown.source)
    (told,) = made.answer((("growth", "0.05"),)).changes
    assert told.before == "2.6 % per month (2 % to 3 %)"


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ((("utilisation", "95%"),), ScenarioError, "wanted more than zero and at most"),
        ((("gpu_rents", "0"),), ScenarioError, "wanted more than zero"),
        ((("volume", "-1"),), ScenarioError, "wanted more than zero"),
        ((("no_such_fact", "1"),), UnknownName, "no fact or choice is named"),
        ((("horizon", "12.5"),), ScenarioError, "whole number"),
    ],
)
def test_an_impossible_change_is_refused_and_leaves_the_session_as_it_was(
    session: WhatIfSession, changes: Changes, error: type[Exception], told: str
) -> None:
    before = session.answer(())
    with pytest.raises(error, match=told):
        session.answer(changes)
    assert session.answer(()) == before


def test_one_thread_computes_whoever_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it frees, it finds again; memory that another thread freed would be new to it."""
    threads = set()

    def watched(*given: Any) -> State:
        threads.add(get_ident())
        return state_of(*given)

    monkeypatch.setattr("breakeven.reports.whatif_session.state_of", watched)
    session = opened(folder, Scenario(as_of=TODAY, draws_log2=7, options=OPTIONS[:2]))
    session.practise()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda volume: session.answer((("volume", volume),)), ("1B", "2B", "3B", "4B")))
    assert len(threads) == 1
    assert get_ident() not in threads
    with pytest.raises(ScenarioError):
        session.answer((("volume_growth_fraction_per_month", "9"), ("horizon", "60")))
