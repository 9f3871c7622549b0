"""Limits of capacity and budget on planted outcomes: they hold in the policy that is written, or learning refuses."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.families import Capacities
from breakeven.learning.judgement import judge_learnt
from breakeven.learning.learn import Learnt, learn
from breakeven.learning.limits import barred_models, broken
from breakeven.learning.policy_writing import document_of
from breakeven.learning.serving import Served, served
from breakeven.learning.settings import LearnSettings
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.policy_file import load, save

from .planted import table_of, words_decide

USD = {"small": 0.001, "mid": 0.004, "big": 0.01}
RATES = {"faq": (0.95, 0.955, 0.96), "code": (0.30, 0.80, 0.90), "legal": (0.60, 0.90, 0.95)}
ROWS = 1_200


def three_tasks(
    rows: int, seed: int, models: tuple[str, ...] = ("small", "big"), *, with_prompts: bool = True
) -> OutcomeTable:
    """Half of the requests suit the small model as well as the big one, three in ten hardly, two in ten somewhat."""
    rng = np.random.default_rng(seed)
    task = rng.choice(list(RATES), rows, p=[0.5, 0.3, 0.2])
    columns = [list(USD).index(each) for each in models]
    chance = np.array([RATES[each] for each in task])[:, columns]
    prompts = tuple(f"{each} question {seed}-{row}" for row, each in enumerate(task)) if with_prompts else ("",) * rows
    cost = np.tile([USD[each] for each in models], (rows, 1))
    return table_of((rng.random(chance.shape) < chance).astype(float), prompts, models, cost, task=tuple(task.tolist()))


def answered(table: OutcomeTable, limits: Capacities, folder: Path, **asked: float) -> tuple[Learnt, Served]:
    """Learnt on a table, written, read, and served on fresh requests."""
    learnt = learn(table, LearnSettings(reference="big", limits=limits, **asked))
    judgement = judge_learnt(learnt, resamples_count=500)
    save(document_of(learnt, (), date(2026, 11, 26), "breakeven test", {}, judgement), folder)
    fresh = three_tasks(4_000, 99, table.models)
    return learnt, served(load(folder), fresh)


def share_of(found: Served, model: str) -> float:
    return float((found.choices == found.table.models.index(model)).mean())


def error_of(fraction: float, rows: int = 4_000) -> float:
    """Three standard errors of a share, of the fresh requests and of those learnt from."""
    return 3 * float(np.sqrt(fraction * (1 - fraction) * (1 / rows + 1 / (0.75 * ROWS))))


@pytest.mark.parametrize("most", [0.2, 0.45])
def test_a_capacity_is_filled_and_not_passed(most: float, tmp_path: Path) -> None:
    """Below the half of the requests that suit the small model its capacity divides a group."""
    learnt, found = answered(three_tasks(ROWS, 1), Capacities({"small": most}), tmp_path)
    assert learnt.floor.holds
    assert share_of(found, "small") == pytest.approx(most, abs=error_of(most))
    faq = np.array(found.table.tasks) == "faq"
    assert (found.choices[~faq] == 1).mean() > 0.95
    at = learnt.floor.at
    assert at is not None
    assert learnt.draft.family.capacity_usd is not None
    assert learnt.draft.family.capacity_usd[at, 0] > 0


def test_of_three_models_the_middle_one_is_filled_too(tmp_path: Path) -> None:
    table = three_tasks(ROWS, 2, ("small", "mid", "big"))
    _, found = answered(table, Capacities({"mid": 0.1}), tmp_path)
    assert share_of(found, "mid") == pytest.approx(0.1, abs=error_of(0.1))
    assert share_of(found, "small") > 0.4


def test_a_budget_is_kept_in_the_policy_that_is_written(tmp_path: Path) -> None:
    """0.007 USD leaves the big model two requests of three."""
    _, found = answered(three_tasks(ROWS, 3), Capacities(budget_usd_per_request=0.007), tmp_path)
    assert found.paid_usd.mean() <= 0.007 + 0.009 * error_of(0.33)
    assert share_of(found, "small") > 0.3


@pytest.mark.parametrize(
    ("limits", "floor", "words"),
    [
        (Capacities(budget_usd_per_request=0.003), 0.95, "no policy keeps the limits.*the budget is 0.003 USD"),
        (Capacities({"big": 0.2}), 0.95, "no policy keeps the limits.*its capacity is 20.0 %"),
        (Capacities({"small": 0.3, "big": 0.2}), 0.95, "the capacities hold 50 %"),
        (Capacities(budget_usd_per_request=0.0005), 0.95, "is below the cheapest split"),
    ],
)
def test_limits_that_no_policy_keeps_are_refused(limits: Capacities, floor: float, words: str, tmp_path: Path) -> None:
    with pytest.raises(LearningError, match=words):
        answered(three_tasks(ROWS, 4), limits, tmp_path, quality_floor_ratio=floor)


def test_a_division_that_is_no_better_than_chance_is_refused_for_that_reason(tmp_path: Path) -> None:
    """Requests that are all alike: whatever the shares, a division of them is a mix by chance."""
    success = (np.random.default_rng(1).random((1_600, 2)) < (0.95, 0.96)).astype(float)
    table = table_of(success, models=("small", "big"), task=("one",) * 1_600)
    with pytest.raises(LearningError, match=r"not shown to do better than .*a mix by chance.*with big alone .* 7 USD"):
        answered(table, Capacities({"small": 0.5}, 7.0), tmp_path, quality_floor_ratio=0.9)


def test_a_small_budget_is_kept_where_the_floor_allows_it(tmp_path: Path) -> None:
    _, found = answered(
        three_tasks(ROWS, 5), Capacities(budget_usd_per_request=0.003), tmp_path, quality_floor_ratio=0.75
    )
    assert found.paid_usd.mean() <= 0.003 + 0.009 * error_of(0.22)
    assert share_of(found, "big") > 0.1


def test_the_choices_that_are_judged_are_those_that_are_served(tmp_path: Path) -> None:
    """A group is divided offline by the same hash as online."""
    learnt, _ = answered(three_tasks(ROWS, 6), Capacities({"small": 0.3}), tmp_path)
    at = learnt.floor.at
    assert at is not None
    again = served(load(tmp_path), learnt.calibration)
    assert (again.choices == learnt.draft.family.calibration.sweep.choices[at]).all()


def test_without_prompts_ids_divide_and_the_policy_says_so(tmp_path: Path) -> None:
    learnt, found = answered(three_tasks(ROWS, 7, with_prompts=False), Capacities({"small": 0.3}), tmp_path)
    at = learnt.floor.at
    assert at is not None
    share = float((learnt.draft.family.calibration.sweep.choices[at] == 0).mean())
    assert share == pytest.approx(0.3, abs=error_of(0.3, 300))
    assert share_of(found, "small") == pytest.approx(0.3, abs=error_of(0.3))  # fresh requests have prompts
    whys = [each.why for each in load(tmp_path).document.groups if len(each.share_fractions) > 1]
    assert whys == [
        "divided by a hash of the prompt, which these outcomes do not hold: they were judged by a hash of their ids"
    ]


@pytest.mark.parametrize("limits", [Capacities({"weak": 0.3}), Capacities(budget_usd_per_request=7.0)])
def test_a_scorer_keeps_limits_as_well(limits: Capacities, tmp_path: Path) -> None:
    """The weak model takes the easy half for 1 USD, the strong one costs 10."""
    learnt = learn(words_decide(1_600, 3), LearnSettings(limits=limits))
    assert learnt.draft.scorer is not None
    judgement = judge_learnt(learnt, resamples_count=500)
    save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    found = served(load(tmp_path), words_decide(3_000, 77))
    assert share_of(found, "weak") > 0.2
    assert not broken(found.table, found.choices, limits, learnt.train.requests_count)


def test_what_one_model_alone_may_not_do() -> None:
    table = three_tasks(200, 8)
    assert barred_models(table, Capacities({"small": 0.9})) == {0}
    assert barred_models(table, Capacities(budget_usd_per_request=0.005)) == {1}
    assert barred_models(table, Capacities({"small": 1.0})) == frozenset()


def test_a_limit_may_be_passed_by_luck_alone() -> None:
    table = three_tasks(400, 9)
    choices = np.where(np.arange(400) < 130, 0, 1).astype(np.intp)
    assert broken(table, choices, Capacities({"small": 0.3})) == []
    assert broken(table, choices, Capacities({"small": 0.2})) == [
        "small would take 32.5 % of the requests, and its capacity is 20.0 %"
    ]
    assert "the budget is 0.005 USD" in broken(table, choices, Capacities(budget_usd_per_request=0.005))[0]


def test_a_model_that_would_do_alone_is_not_named_where_its_capacity_is_too_small() -> None:
    rng = np.random.default_rng(10)
    success = (rng.random((2_000, 2)) < 0.93).astype(float)
    table = table_of(success, ("",) * 2_000, ("cheap", "dear"), task=("t",) * 2_000)
    free = judge_learnt(learn(table, LearnSettings(reference="dear")), resamples_count=300)
    held = judge_learnt(
        learn(table, LearnSettings(reference="dear", limits=Capacities({"cheap": 0.3}))), resamples_count=300
    )
    assert free.single == "cheap"
    assert held.single != "cheap"


def test_residency_and_the_cost_of_failures_hold_beside_a_capacity(tmp_path: Path) -> None:
    learnt = learn(
        three_tasks(ROWS, 11),
        LearnSettings(
            reference="big",
            limits=Capacities({"small": 0.3}),
            allowed_by_task={"code": ("big",)},
            failure_usd={"legal": 10.0},
        ),
    )
    judgement = judge_learnt(learnt, resamples_count=500)
    save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    found = served(load(tmp_path), three_tasks(4_000, 99))
    assert share_of(found, "small") == pytest.approx(0.3, abs=error_of(0.3))
    assert (found.choices[np.array(found.table.tasks) != "faq"] == 1).all()
