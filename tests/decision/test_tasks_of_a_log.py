"""From the bytes of a log that names its tasks to the demand of each task and to the hybrid of the comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.decision.baseline import TASKS_KNOWN_MIN_FRACTION, demand_of
from breakeven.decision.compare import compare
from breakeven.decision.comparison import Comparison
from breakeven.decision.scenario import Scenario
from breakeven.errors import UsageError
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.task_split import split_by_task
from breakeven.options.discover import select_options
from breakeven.options.option import Situation
from breakeven.usage.store import CallStore
from breakeven.workload.profile import TASK_USES_MAX_COUNT, profile_workload
from workload.typed_calls import call, table

CATALOG = load_catalog(date(2026, 11, 23))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
START = datetime(2026, 10, 5, tzinfo=UTC)
FAQ = {"model": "gpt-5-mini", "task": "FAQ bot", "input_tokens": 1000, "cache_read_tokens": 400, "output_tokens": 100}
DRAFT = {"model": "gpt-5", "task": "Draft a reply", "input_tokens": 4000, "cache_read_tokens": 0, "output_tokens": 2000}
HARD_FAQ = {**FAQ, "model": "gpt-5"}


def row(number: int, **fields: object) -> dict[str, object]:
    time = (START + timedelta(hours=number)).isoformat()
    return {"id": f"call-{number}", "timestamp": time, "provider": "openai", **fields}


def two_tasks() -> list[dict[str, object]]:
    """Thirty days of one call an hour: 360 FAQ, of which 120 by the larger model, and 360 drafts."""
    kinds = (FAQ, DRAFT, HARD_FAQ, DRAFT, FAQ, DRAFT)
    return [row(number, **kinds[number % 6]) for number in range(720)]


READ: dict[str, CallStore] = {}
"""Text of a log -> its calls, read once for all that asks about them."""


@pytest.fixture(scope="module", autouse=True)
def stores_are_closed() -> Iterator[None]:
    yield
    for store in READ.values():
        store.close()
    READ.clear()


def demand_from(path: Path, rows: list[dict[str, object]], scenario: Scenario) -> Demand:
    text = "".join(json.dumps(each) + "\n" for each in rows)
    if text not in READ:
        path.write_text(text)
        READ[text] = CallStore.temporary()
        READ[text].ingest(path, now=NOW)
    calls = READ[text].calls()
    return demand_of(calls, profile_workload(calls, catalog=CATALOG), CATALOG, scenario, "log")


def compared(path: Path, rows: list[dict[str, object]], **keys: object) -> Comparison:
    scenario = Scenario(**keys)  # type: ignore[arg-type]
    demand = demand_from(path, rows, scenario)
    here = Situation(demand, CATALOG, scenario.choices(), scenario.facts(CATALOG))
    return compare(here, select_options(("frontier_api", "rented_on_demand", "hybrid")), DrawSet(draws_log2=7))


def nameless(rows: list[dict[str, object]], every: int = 1) -> list[dict[str, object]]:
    return [{**each, "task": None} if number % every == 0 else each for number, each in enumerate(rows)]


def test_the_hybrid_moves_whole_tasks_with_their_own_tokens(tmp_path: Path) -> None:
    result = compared(tmp_path / "log.jsonl", two_tasks())
    hybrid = result.option("hybrid")
    tokens = {"faq": 360 * 1100, "drafts": 360 * 6000}
    facts = {fact.name: float(fact.value.flat[0]) for fact in hybrid.cost.facts}
    assert facts["moved_tokens_fraction"] == pytest.approx(tokens["faq"] / sum(tokens.values()), rel=1e-12)
    assert facts["moved_requests_fraction"] == 0.5
    assert "for FAQ bot (15 % of the tokens, 50 % of the calls); the rest openai/gpt-5" in hybrid.cost.buys
    assert "mini" not in hybrid.cost.buys  # all of its calls move
    api = next(line.line.usd_per_month for line in hybrid.lines if line.line.name == "api_tokens")
    volume = api.inputs[0].value  # 720 hours observed, stretched to 730, times how far a month may stand from it
    ratio = volume / (tokens["drafts"] / 1e6 * 730 / 720)
    drafts_usd = 360 * (4000 * 1.25 + 2000 * 10) / 1e6 * 730 / 720
    assert np.allclose(api.value, drafts_usd * ratio, rtol=1e-12)
    assert 0.8 < ratio.min() < 1 < ratio.max() < 1.25
    today = result.option("frontier_api").cost
    bill = next(line.usd_per_month.value for line in today.breakdown.lines if line.name == "tokens")
    faq_usd = (240 * (600 * 0.25 + 400 * 0.025 + 100 * 2) + 120 * (600 * 1.25 + 400 * 0.125 + 100 * 10)) / 1e6
    assert np.allclose(bill - api.value, faq_usd * 730 / 720 * ratio, rtol=1e-9)


def test_the_demand_holds_each_task_of_each_model(tmp_path: Path) -> None:
    demand = demand_from(tmp_path / "log.jsonl", two_tasks(), Scenario())
    found = {
        (model.label, each.task): (each.requests_count, each.mix.uncached_input_tokens, each.mix.cache_read_tokens)
        for model in demand.models
        for each in model.by_task
    }
    assert found == {
        ("openai/gpt-5", "Draft a reply"): (360, 1_440_000, 0),
        ("openai/gpt-5", "FAQ bot"): (120, 72_000, 48_000),
        ("openai/gpt-5-mini", "FAQ bot"): (240, 144_000, 96_000),
    }
    assert demand.tasks == ("Draft a reply", "FAQ bot")


def test_the_scenario_says_which_tasks_move(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    result = compared(path, two_tasks(), commodity_tasks=("draft",))
    assert "for Draft a reply (85 % of the tokens, 50 % of the calls); the rest" in result.option("hybrid").cost.buys
    (none,) = compared(path, two_tasks(), commodity_tasks=("poetry",)).unavailable
    assert none.name == "hybrid"
    assert "none of the log's tasks (Draft a reply, FAQ bot) is one of the commodity tasks (poetry)" in none.reason


def test_a_log_without_tasks_is_costed_as_if_there_were_no_such_thing(tmp_path: Path) -> None:
    """To the last bit: no task of the scenario, known or unknown, touches it, and no call has a task to begin with."""
    path = tmp_path / "log.jsonl"
    demand = demand_from(path, nameless(two_tasks()), Scenario())
    assert all(model.by_task == () for model in demand.models)
    known = demand_from(path, two_tasks(), Scenario())
    assert demand == replace(known, models=tuple(replace(model, by_task=()) for model in known.models))
    one, two = (compared(path, nameless(two_tasks()), commodity_tasks=tasks) for tasks in (("faq",), ("poetry",)))
    assert one.options[0].usd_per_month == two.options[0].usd_per_month
    assert "for 60 % of the tokens; the rest" in one.option("hybrid").cost.buys


@pytest.mark.parametrize(("every", "knows"), [(3, True), (2, True), (1, False)])
def test_tasks_count_when_enough_calls_name_one(tmp_path: Path, every: int, knows: bool) -> None:
    """Of every third, every second, every call the task is missing: two thirds, half, none are named."""
    demand = demand_from(tmp_path / "log.jsonl", nameless(two_tasks(), every), Scenario())
    assert bool(demand.tasks) is knows


def test_just_below_the_least_share_the_tasks_are_not_taken(tmp_path: Path) -> None:
    rows = two_tasks()
    named = round(TASKS_KNOWN_MIN_FRACTION * len(rows)) - 1
    rows = rows[:named] + nameless(rows[named:])
    assert demand_from(tmp_path / "log.jsonl", rows, Scenario()).tasks == ()


def test_calls_that_name_no_model_have_tasks_too(tmp_path: Path) -> None:
    rows = [{key: value for key, value in each.items() if key not in ("provider", "model")} for each in two_tasks()]
    demand = demand_from(tmp_path / "log.jsonl", rows, Scenario())
    (model,) = demand.models
    assert model.assumed
    assert {each.task: each.requests_count for each in model.by_task} == {"FAQ bot": 360, "Draft a reply": 360}


def test_calls_without_a_price_are_in_neither_part(tmp_path: Path) -> None:
    private = {**FAQ, "provider": "acme", "model": "acme-private-7b"}
    rows = [*two_tasks(), *(row(720 + number, **private) for number in range(24))]
    demand = demand_from(tmp_path / "log.jsonl", rows, Scenario())
    split = split_by_task(demand, ("faq",))
    assert split.moved.demand.requests_count == 360
    assert split.moved.demand.mix.tokens + split.kept.demand.mix.tokens == demand.mix.tokens


def test_sampled_calls_lose_no_token_between_the_parts() -> None:
    """Weights that are no whole numbers: each task is rounded to whole tokens, and still nothing is lost."""
    names = [f"faq {number}" for number in range(9)] + ["draft"]
    calls = table(call(n, n / 7, weight=1 / 0.3, input_tokens=101 + n, task=names[n % 10]) for n in range(400))
    workload = profile_workload(calls, catalog=CATALOG)
    demand = demand_of(calls, workload, CATALOG, Scenario(), "log")
    split = split_by_task(demand, ("faq",))
    assert len(split.tasks) == 9
    assert split.moved.demand.mix.tokens + split.kept.demand.mix.tokens == demand.mix.tokens
    assert split.moved.demand.requests_count + split.kept.demand.requests_count == demand.requests_count


def test_names_that_are_all_different_are_ids_and_not_tasks() -> None:
    count = 2 * TASK_USES_MAX_COUNT + 10
    calls = table(call(n, n / 20, task=f"faq {n}") for n in range(count))
    workload = profile_workload(calls, catalog=CATALOG)
    assert demand_of(calls, workload, CATALOG, Scenario(), "log").tasks == ()


def test_what_the_callers_own_cache_answered_is_no_demand(tmp_path: Path) -> None:
    """Neither today's model nor another one sees such a call; the rest of the demand stays as it is."""
    rows = two_tasks()
    hits = [
        row(1000 + number, **{**DRAFT, **name}, status="cache_hit")
        for number, name in enumerate(({}, {"model": "acme-7b"}, {"model": None}))
    ]
    plain, beside = (
        demand_from(tmp_path / f"{name}.jsonl", calls, Scenario())
        for name, calls in (("plain", rows), ("hits", [*rows, *hits]))
    )
    assert replace(beside, observed_hours=0.0, source=plain.source, hourly_peak_to_mean_ratio=0.0) == replace(
        plain, observed_hours=0.0, hourly_peak_to_mean_ratio=0.0
    )
    with pytest.raises(UsageError, match="cache_hit"):
        demand_from(tmp_path / "only.jsonl", hits[:2], Scenario())
