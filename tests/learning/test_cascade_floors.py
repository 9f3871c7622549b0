"""Cascades with floors by task: each task has its own trust in answers, or asks the last model alone; online alike."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from breakeven.learning.cascades import agreement_cascades, applied
from breakeven.learning.families import cascade
from breakeven.learning.judgement import judge_learnt
from breakeven.learning.learn import Learnt, learn
from breakeven.learning.policy_writing import document_of
from breakeven.learning.serving import served
from breakeven.learning.settings import LearnSettings
from breakeven.learning.task_floors import OTHERS, Floors, chosen_by_part
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.answers import Answer
from breakeven.routing.policy_file import LoadedPolicy, load, save

from .planted import table_of

MODELS = ("small", "mid", "big")


def sums(rows: int, seed: int, slips: dict[str, float]) -> OutcomeTable:
    """Answers that end in a number; in a task's share of slips the two small models give the same wrong one."""
    rng = np.random.default_rng(seed)
    tasks = rng.choice(list(slips), rows)
    slip = rng.random(rows) < np.array([slips[each] for each in tasks])
    success = (rng.random((rows, 3)) < [0.75, 0.8, 0.95]).astype(float)
    success[slip, :2] = 0.0
    answers, right, same = {}, *rng.integers(10_000, 1_000_000, (2, rows))
    for at, name in enumerate(MODELS):
        said = np.where(success[:, at] == 1, right, np.where(slip, same, rng.integers(10_000, 1_000_000, rows)))
        answers[name] = tuple(f"so {each}." for each in said)
    return _with_answers(table_of(success, ("How much?",) * rows, MODELS, task=tuple(tasks.tolist())), answers)


def _with_answers(table: OutcomeTable, answers: dict[str, tuple[str, ...]]) -> OutcomeTable:
    return OutcomeTable(
        table.request_ids, table.models, table.success, table.cost_usd, table.prompts, table.groups, answers
    )


def learnt_of(table: OutcomeTable, floors: dict[str, float], floor: float = 0.9, seed: int = 0) -> Learnt:
    settings = LearnSettings(reference="big", quality_floor_ratio=floor, floor_by_task=floors, seed=seed)
    return learn(table, settings)


def written(learnt: Learnt, folder: Path) -> LoadedPolicy:
    judgement = judge_learnt(learnt, resamples_count=300)
    assert judgement.single is None
    save(document_of(learnt, (), date(2026, 11, 27), "breakeven test", {}, judgement), folder)
    loaded = load(folder)
    assert loaded.kind == "cascade"
    again = served(loaded, learnt.calibration)
    assert (again.choices == judgement.choices).all()  # as online
    assert again.paid_usd == pytest.approx(judgement.cost_usd)
    return loaded


def test_a_task_whose_agreement_misleads_asks_the_last_model_alone(tmp_path: Path) -> None:
    learnt = learnt_of(sums(3_000, 1, {"plain": 0.0, "contract": 0.2}), {"contract": 0.95})
    assert learnt.draft.family.kind == "cascade"
    assert learnt.task_floors["contract"].at is None
    policy = written(learnt, tmp_path)
    assert policy.document.format_version == 3
    plain, contract, new = (policy.route("How much?", task=each) for each in ("plain", "contract", "never seen"))
    assert (plain.model, plain.escalate_to) == (plain.model, ("big",))
    assert plain.model != "big"
    assert (contract.model, contract.escalate_to) == ("big", ())
    assert (new.model, new.escalate_to) == ("big", ())
    fresh = served(policy, sums(4_000, 99, {"plain": 0.0, "contract": 0.2}))
    rows = np.array(fresh.table.tasks) == "contract"
    assert (fresh.choices[rows] == 2).all()
    assert fresh.paid_usd[rows] == pytest.approx(fresh.table.cost_usd[rows, 2])
    assert (fresh.choices[~rows] == 2).mean() < 0.6


def test_where_every_floor_is_shown_new_tasks_are_answered_by_the_cascade_too(tmp_path: Path) -> None:
    learnt = learnt_of(sums(4_000, 2, {"plain": 0.0, "contract": 0.02}), {"contract": 0.9})
    assert learnt.task_floors["contract"].holds
    policy = written(learnt, tmp_path)
    assert policy.document.cascade is not None
    assert not policy.document.cascade.order_by_task
    assert policy.route("How much?", task="never seen").escalate_to == ("big",)


def test_each_floor_of_a_cascade_is_broken_no_more_often_than_promised() -> None:
    """Agreeing answers of contracts are wrong a little too often for their floor of 0.93: 6 +- 2.4 of 120."""
    truth = sums(60_000, 12_345, {"plain": 0.0, "contract": 0.12})
    task, big = np.array(truth.tasks), truth.success[:, 2]
    numbers = np.array([truth.responses["small"], truth.responses["mid"]])
    kept = np.where(numbers[0] == numbers[1], truth.success[:, 0], big)
    ratio = {each: kept[task == each].mean() / big[task == each].mean() for each in ("plain", "contract")}
    assert 0.9 < ratio["contract"] < 0.93 < ratio["plain"]
    moved, broken, floors = 0, 0, Floors(0.9, {"contract": 0.93}, 0.95, 0)
    for seed in range(120):
        train, calibration = (
            sums(rows, 2 * seed + at, {"plain": 0.0, "contract": 0.12}) for at, rows in enumerate((600, 500))
        )
        mine = next(iter(agreement_cascades(train, 2)))
        family = cascade(mine, applied(mine.plan, calibration, {}), (train, calibration), 0.0)
        found = chosen_by_part(family, 2, floors)
        broken += found["contract"].holds
        moved += found[OTHERS].holds
    assert broken <= 6 + 3 * 2.4
    assert moved > 90


def test_each_task_has_its_own_confidence(tmp_path: Path) -> None:
    """The first words of an answer say how sure it is: contracts, with the stricter floor, believe the surest alone."""
    rng = np.random.default_rng(5)
    rows, sure = 5_000, rng.integers(0, 4, 5_000)
    tasks = tuple(rng.choice(["plain", "contract"], rows).tolist())
    success = np.column_stack(
        [rng.random(rows) < np.array([0.3, 0.7, 0.88, 0.97])[sure], rng.random(rows) < 0.95]
    ).astype(float)
    words = ("perhaps maybe", "probably likely", "rather certainly", "definitely surely")
    table = table_of(success, ("How much?",) * rows, ("small", "big"), task=tasks)
    said = tuple(f"{words[each]} it is number {row}" for row, each in enumerate(sure))
    table = _with_answers(table, {"small": said})
    learnt = learnt_of(table, {"contract": 0.975}, floor=0.9)
    policy = written(learnt, tmp_path)
    plan = policy.document.cascade
    assert plan is not None
    assert plan.confidence_min_fraction is not None
    assert plan.confidence_min_fraction_by_task["contract"] > plan.confidence_min_fraction
    accepted = {
        task: [policy.accepts(Answer(f"{each} it is number 3", task)).ok for each in words]
        for task in ("plain", "contract")
    }
    assert sum(accepted["contract"]) < sum(accepted["plain"])
    assert accepted["contract"][-1]
