"""Learning on planted outcomes: what is learnt where tasks decide, words decide, nothing does, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.families import Capacities
from breakeven.learning.judgement import judge_learnt
from breakeven.learning.learn import calibration_count, learn
from breakeven.learning.policy_writing import document_of
from breakeven.learning.serving import drift_of, served
from breakeven.learning.settings import LearnSettings
from breakeven.learning.usable import usable_outcomes
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.answers import Answer
from breakeven.routing.policy_file import LoadedPolicy, load, save
from breakeven.routing.request import RouteRequest

from .planted import nothing_decides, table_of, words_decide


def tasks_decide(rows: int, seed: int) -> OutcomeTable:
    """The small model is as good at faq and much worse at contracts."""
    rng = np.random.default_rng(seed)
    task = rng.choice(["faq", "contract"], rows, p=[0.7, 0.3])
    small = rng.random(rows) < np.where(task == "faq", 0.95, 0.4)
    large = rng.random(rows) < np.where(task == "faq", 0.95, 0.93)
    return table_of(
        np.column_stack([small, large]).astype(float),
        ("",) * rows,  # prompts are not kept: tasks alone can decide
        ("small", "large"),
        task=tuple(task.tolist()),
    )


def written(table: OutcomeTable, folder: Path, settings: LearnSettings | None = None) -> LoadedPolicy:
    learnt = learn(table, settings or LearnSettings())
    judgement = judge_learnt(learnt, resamples_count=500)
    save(document_of(learnt, (), date(2026, 11, 26), "breakeven test", {}, judgement), folder)
    return load(folder)


def test_where_tasks_decide_the_policy_is_a_map_of_tasks(tmp_path: Path) -> None:
    policy = written(tasks_decide(2_000, 1), tmp_path)
    assert policy.kind == "task_map"
    assert policy.route("anything", task="faq").model == "small"
    assert policy.route("anything", task="contract").model == "large"
    assert policy.route("anything", task="never seen").model == "large"
    guarantee = policy.document.guarantee
    assert guarantee is not None
    assert guarantee.holds
    assert guarantee.against_model == "large"


def test_the_promise_holds_on_new_requests(tmp_path: Path) -> None:
    """Twenty policies, each on 4,000 new requests: success stays above the floor but for the stated 5 %."""
    broken = 0
    for seed in range(20):
        learnt = learn(tasks_decide(700, seed), LearnSettings(seed=seed))
        at = learnt.floor.at
        if at is None:
            continue
        fresh = tasks_decide(4_000, 1_000 + seed)
        policy = written(tasks_decide(700, seed), tmp_path / str(seed), LearnSettings(seed=seed))
        answered = served(policy, fresh)
        ratio = fresh.success[np.arange(4_000), answered.choices].mean() / fresh.success[:, 1].mean()
        broken += ratio < 0.95 - 3 * 0.004  # three standard errors of the ratio on the new requests
    assert broken <= 2


def test_where_words_decide_a_scorer_is_used_and_decides_alike_online(tmp_path: Path) -> None:
    table = words_decide(1_600, 3)
    learnt = learn(table, LearnSettings())
    assert learnt.promotion.promoted
    assert learnt.draft.family.kind == "threshold"
    judgement = judge_learnt(learnt, resamples_count=500)
    save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    policy = load(tmp_path)
    assert policy.kind == "threshold"
    answered = served(policy, learnt.calibration)
    assert (answered.choices == judgement.choices).mean() >= 0.999  # a tie may fall either way in another order of sums
    easy = np.array([prompt.startswith("easy") for prompt in learnt.calibration.prompts])
    assert (answered.choices[easy] == 0).mean() > 0.9
    assert (answered.choices[~easy] == 1).mean() > 0.9


def test_where_nothing_decides_the_answer_is_not_to_route(tmp_path: Path) -> None:
    """What the floor allows to lose, a lottery saves as well: that is no routing. Of eight tables one may mislead."""
    routed = 0
    for seed in range(8):
        judgement = judge_learnt(learn(nothing_decides(640, seed), LearnSettings(seed=seed)), resamples_count=300)
        routed += judgement.verdict.answer == "route"
    assert routed <= 1
    table = nothing_decides(640, 9)
    policy = written(table, tmp_path)
    assert policy.kind == "single"
    assert {policy.route(prompt, task="t0").model for prompt in table.prompts[:50]} == {"strong"}


def test_a_cheap_model_that_is_as_good_takes_everything(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    success = (rng.random((2_000, 2)) < [0.93, 0.93]).astype(float)
    table = table_of(success, ("",) * 2_000, ("cheap", "dear"), task=("t",) * 2_000)
    learnt = learn(table, LearnSettings(reference="dear"))
    judgement = judge_learnt(learnt, resamples_count=500)
    assert judgement.verdict.answer == "do not route"
    assert judgement.single == "cheap"
    policy = written(table, tmp_path, LearnSettings(reference="dear"))
    assert policy.kind == "single"
    assert policy.document.default_model == "cheap"
    assert policy.document.guarantee is not None
    assert policy.document.guarantee.holds


def test_few_labels_are_said_to_be_missing() -> None:
    learnt = learn(tasks_decide(60, 6), LearnSettings())
    assert not learnt.floor.holds or judge_learnt(learnt, resamples_count=200).verdict.answer != "route"
    assert learnt.floor.missing_requests_count is None or learnt.floor.missing_requests_count > 0


def test_dear_failures_send_more_to_the_strong_model() -> None:
    table = tasks_decide(2_000, 7)
    shares = []
    for usd in (0.0, 1e6):
        learnt = learn(table, LearnSettings(failure_usd={"": usd}))
        choices = learnt.draft.family.calibration.sweep.choices[learnt.floor.at if learnt.floor.at is not None else 0]
        shares.append(float((choices == 1).mean()))
    assert shares[0] < 0.4
    assert shares[1] > shares[0]


def test_a_capacity_is_kept(tmp_path: Path) -> None:
    settings = LearnSettings(limits=Capacities({"small": 0.3}))
    learnt = learn(tasks_decide(2_000, 8), settings)
    assert learnt.draft.family.kind == "allocation"
    at = learnt.floor.at
    assert at is not None
    assert (learnt.draft.family.calibration.sweep.choices[at] == 0).mean() < 0.95


def test_residency_is_kept_in_every_decision(tmp_path: Path) -> None:
    table = tasks_decide(2_000, 9)
    policy = written(table, tmp_path, LearnSettings(allowed_by_task={"faq": ("large",)}))
    assert policy.route("x", task="faq").model == "large"


def test_latency_leaves_slow_models_out() -> None:
    table = tasks_decide(600, 10)
    slow = replace(table, latency_s=np.tile([9.0, 0.5], (600, 1)))
    learnt = learn(slow, LearnSettings(latency_max_s=1.0))
    assert set(learnt.allowed.values()) == {("large",)}
    other = learn(replace(table, latency_s=np.tile([0.5, 9.0], (600, 1))), LearnSettings(latency_max_s=1.0))
    assert (learnt.reference, other.reference) == ("large", "small"), "nobody is measured by a model that takes nothing"
    with pytest.raises(LearningError, match="add a column `latency_s`"):
        learn(table, LearnSettings(latency_max_s=1.0))
    with pytest.raises(LearningError, match="none answers within"):
        learn(slow, LearnSettings(latency_max_s=0.1))


def test_drift_of_other_tasks_is_seen(tmp_path: Path) -> None:
    policy = written(tasks_decide(2_000, 11), tmp_path)
    same = drift_of(policy, served(policy, tasks_decide(800, 12)))
    assert same is not None
    assert not same.alarm
    fresh = tasks_decide(800, 13)
    other = replace(fresh, groups={"task": tuple("contract" for _ in range(800))})
    moved = drift_of(policy, served(policy, other))
    assert moved is not None
    assert moved.alarm


def test_a_cascade_is_chosen_where_answers_tell(tmp_path: Path) -> None:
    rng = np.random.default_rng(14)
    rows = 1_600
    hard = rng.random(rows)
    success = (rng.random((rows, 3)) < np.array([0.95, 0.95, 0.97]) - hard[:, None] * [0.8, 0.8, 0.05]).astype(float)
    answers = {
        name: tuple(
            f"{name} thinks, so {42 if ok else bad}"
            for ok, bad in zip(success[:, at], rng.integers(100, 9_999, rows), strict=True)
        )
        for at, name in enumerate(("a", "b"))
    }
    table = table_of(
        success, models=("a", "b", "c"), cost_usd=np.tile([0.01, 0.01, 1.0], (rows, 1)), task=("t",) * rows
    )
    learnt = learn(replace(table, responses=answers), LearnSettings())
    assert learnt.draft.family.kind == "cascade"
    judgement = judge_learnt(learnt, resamples_count=500)
    assert judgement.verdict.answer == "route"
    save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    policy = load(tmp_path)
    decision = policy.decide(RouteRequest("x", {"task": "t"}))
    assert decision.escalate_to == ("c",)
    answered = served(policy, learnt.calibration)
    assert (answered.choices == judgement.choices).all()
    assert answered.paid_usd == pytest.approx(judgement.cost_usd)


def test_models_that_cannot_be_weighed_are_named() -> None:
    table = tasks_decide(100, 15)
    rare = table.success.copy()
    rare[30:, 0] = np.nan
    with pytest.raises(LearningError, match=r"small is left out: tried on 30 % of the requests"):
        usable_outcomes(replace(table, success=rare), LearnSettings())
    unpriced = table.cost_usd.copy()
    unpriced[:, 0] = np.nan
    with pytest.raises(LearningError, match="--price small=USD"):
        usable_outcomes(replace(table, cost_usd=unpriced), LearnSettings())
    with pytest.raises(LearningError, match="huge is not among the models"):
        usable_outcomes(table, LearnSettings(reference="huge"))
    with pytest.raises(LearningError, match="10 requests on which small, large were all tried"):
        usable_outcomes(table.rows(np.arange(10)), LearnSettings())


def test_rows_that_lack_a_model_are_counted() -> None:
    table = tasks_decide(100, 16)
    some = table.success.copy()
    some[:7, 1] = np.nan
    usable, notes = usable_outcomes(replace(table, success=some), LearnSettings())
    assert usable.requests_count == 93
    assert notes == ("7 requests are left out: not every model was tried on them",)


@pytest.mark.parametrize(("rows", "kept"), [(40, 20), (600, 300), (900, 300), (4_000, 1_000)])
def test_calibration_gets_its_part(rows: int, kept: int) -> None:
    assert calibration_count(rows) == kept


def test_all_successes_and_all_failures_are_judged_without_a_crash() -> None:
    for value in (0.0, 1.0):
        table = table_of(np.full((120, 2), value), ("",) * 120, ("a", "b"), task=("t",) * 120)
        judgement = judge_learnt(learn(table, LearnSettings()), resamples_count=200)
        assert judgement.verdict.answer in ("do not route", "not enough evidence")


def test_a_cascade_learns_which_answers_to_trust(tmp_path: Path) -> None:
    """A small model that hedges when it is wrong: its words tell, the prompts do not."""
    rng = np.random.default_rng(21)
    rows = 1_600
    success = (rng.random((rows, 2)) < [0.7, 0.95]).astype(float)
    hedges = rng.random(rows) < np.where(success[:, 0] == 1, 0.05, 0.9)
    words = rng.choice(np.array(["lake", "stone", "river", "cloud", "sand", "wood"]), (rows, 5))
    answers = tuple(
        f"{'I am not sure, perhaps' if hedge else 'It is'} {' '.join(each)}"
        for hedge, each in zip(hedges, words, strict=True)
    )
    table = table_of(success, ("",) * rows, ("small", "big"), np.tile([0.01, 1.0], (rows, 1)), task=("t",) * rows)
    settings = LearnSettings(quality_floor_ratio=0.97)
    learnt = learn(replace(table, responses={"small": answers}), settings)
    assert learnt.draft.family.kind == "cascade"
    judgement = judge_learnt(learnt, resamples_count=500)
    assert judgement.verdict.answer == "route"
    save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    policy = load(tmp_path)
    assert policy.accepts(Answer("It is lake stone", "t")).ok
    assert policy.accepts(Answer("I am not sure", "t", confidence_fraction=1.0)).ok
    hedged = [each for each in learnt.calibration.responses["small"] if each.startswith("I am")]
    taken = np.mean([policy.accepts(Answer(each, "t")).ok for each in hedged])
    assert taken < 0.5  # the floor leaves room for some
    assert not policy.accepts(Answer(" ", "t")).ok
    answered = served(policy, learnt.calibration)
    assert (answered.choices == judgement.choices).mean() >= 0.999


@pytest.mark.parametrize(
    "asked",
    [{}, {"floor_by_task": {"t1": 0.9}}, {"limits": Capacities({"small": 0.4})}],
    ids=["plain", "floors", "limits"],
)
def test_calibration_requests_of_groups_that_were_not_learnt_from_are_judged_as_they_are_served(
    asked: dict[str, object], tmp_path: Path
) -> None:
    """One request in ten has a task of its own: such tasks stay with the reference model."""
    rng = np.random.default_rng(0)
    task = np.array([f"t{each}" for each in rng.integers(0, 4, 1_200)], dtype=object)
    rare = np.flatnonzero(rng.random(1_200) < 0.1)
    task[rare] = [f"r{each}" for each in rare]
    success = np.column_stack([rng.random(1_200) < np.where(task == "t3", 0.3, 0.9), rng.random(1_200) < 0.93])
    table = table_of(success.astype(float), None, ("small", "large"), task=tuple(task.tolist()))
    learnt = learn(table, LearnSettings(reference="large", **asked))  # type: ignore[arg-type]
    judgement = judge_learnt(learnt, resamples_count=300)
    assert judgement.single is None
    save(document_of(learnt, (), date(2026, 11, 27), "breakeven test", {}, judgement), tmp_path)
    found = served(load(tmp_path), learnt.calibration)
    assert (found.choices == judgement.choices).all()
    new = ~np.isin(np.array(learnt.calibration.tasks), learnt.train.tasks)
    assert new.sum() > 20
    assert (found.choices[new] == 1).all()
