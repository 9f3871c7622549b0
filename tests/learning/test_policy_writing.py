"""Policy writing: restrictions and unseen groups, from learning to the decisions of the written policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.families import Capacities
from breakeven.learning.judgement import judge_learnt
from breakeven.learning.learn import learn
from breakeven.learning.policy_writing import document_of
from breakeven.learning.serving import drift_of, served
from breakeven.learning.settings import LearnSettings
from breakeven.learning.usable import usable_outcomes
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.policy import REFUSED, Decision
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import LoadedPolicy, save
from breakeven.routing.request import RouteRequest

from .planted import table_of, words_decide

RESIDENT = {"legal": ("big",), "faq": ("small",)}
BIG_CLOSED, SMALL_CLOSED = frozenset({"big"}), frozenset({"small"})
REFUSAL = Decision("", REFUSED, {})


def tasks_decide(rows: int, seed: int) -> OutcomeTable:
    """The small model is as good but for contracts; an application says nothing."""
    rng = np.random.default_rng(seed)
    task = rng.choice(["faq", "legal", "contract", "chat"], rows)
    small = rng.random(rows) < np.where(task == "contract", 0.4, 0.95)
    large = rng.random(rows) < 0.95
    success = np.column_stack([small, large]).astype(float)
    application = rng.choice(["shop", "desk"], rows)
    return table_of(
        success, ("",) * rows, ("small", "big"), application=tuple(application.tolist()), task=tuple(task.tolist())
    )


def written(table: OutcomeTable, folder: Path, settings: LearnSettings) -> LoadedPolicy:
    learnt = learn(table, settings)
    judgement = judge_learnt(learnt, resamples_count=200)
    return save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), folder)


@pytest.fixture(scope="module")
def by_task(tmp_path_factory: pytest.TempPathFactory) -> LoadedPolicy:
    folder = tmp_path_factory.mktemp("policy")
    return written(tasks_decide(1_600, 1), folder, LearnSettings(reference="big", allowed_by_task=RESIDENT))


@pytest.mark.parametrize("application", ["shop", "desk", "never seen", ""])
def test_residency_holds_in_every_group_seen_or_not(by_task: LoadedPolicy, application: str) -> None:
    for task, model, closed in (("legal", "big", BIG_CLOSED), ("faq", "small", SMALL_CLOSED)):
        request = RouteRequest("x", {"application": application, "task": task})
        assert by_task.decide(request).model == model
        for incumbent in (None, "gpt-99"):
            assert by_task.decide(RouteRequest("x", request.groups, incumbent, closed)) == REFUSAL


def test_a_group_that_was_not_seen_is_said_to_be_unknown(by_task: LoadedPolicy) -> None:
    """It goes to the reference model; where that is closed, to the other: that is no restriction."""
    assert by_task.kind == "task_map"
    for groups in ({"application": "shop", "task": "poems"}, {"application": "new", "task": "contract"}):
        found = by_task.decide(RouteRequest("x", groups))
        assert (found.model, found.reason) == ("big", "default: unknown group")
        assert by_task.decide(RouteRequest("x", groups, None, BIG_CLOSED)).model == "small"
    seen = by_task.route("x", application="shop", task="contract")
    assert (seen.model, seen.reason) == ("big", "group: application=shop, task=contract")


def test_what_is_promised_is_what_can_be_served(by_task: LoadedPolicy, tmp_path: Path) -> None:
    """Contracts may go to the small model alone, which fails at most of them: no figure pretends otherwise."""
    table = tasks_decide(1_600, 7)
    settings = LearnSettings(reference="big", allowed_by_task={"contract": ("small",)})
    learnt = learn(table, settings)
    judgement = judge_learnt(learnt, resamples_count=200)
    policy = save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    answered = served(policy, learnt.calibration)
    of_contracts = np.array(learnt.calibration.tasks) == "contract"
    assert (answered.choices[of_contracts] == learnt.train.models.index("small")).all()
    assert answered.barred_requests_count == of_contracts.sum()
    rows, one = np.arange(len(answered.choices)), judgement.single
    at = judgement.choices if one is None else np.full(len(rows), learnt.train.models.index(one))
    measured = learnt.calibration.success[rows, at]
    assert (measured == answered.table.success[rows, answered.choices]).all(), "as measured, so it is served"
    assert measured.mean() < 0.9, "a quarter of the requests fails at 60 %"
    # as anybody could have it: what the reference cannot do is not promised, and is no loss either
    alone = np.where(of_contracts, 0, 1)
    raw = table.rows(np.flatnonzero(np.isin(table.request_ids, learnt.calibration.request_ids)))
    assert raw.request_ids == learnt.calibration.request_ids
    reference = learnt.calibration.success[:, 1]
    assert (reference == raw.success[rows, alone]).all()
    assert any("may not go to every model" in each for each in learnt.notes)


def test_a_model_that_never_saw_a_task_need_not_have_been_tried_on_it() -> None:
    """Data that may not leave were never sent to the big model: they are learnt from all the same, and as before."""
    whole = tasks_decide(1_600, 7)
    settings = LearnSettings(reference="big", allowed_by_task={"contract": ("small",)})
    of_contracts = np.array(whole.tasks) == "contract"
    success, cost_usd = whole.success.copy(), whole.cost_usd.copy()
    success[of_contracts, 1] = cost_usd[of_contracts, 1] = np.nan
    unseen = replace(whole, success=success, cost_usd=cost_usd)
    one, other = learn(whole, settings), learn(unseen, settings)
    assert other.train.requests_count == one.train.requests_count
    assert (one.train.success == other.train.success).all() and (one.train.cost_usd == other.train.cost_usd).all()
    assert one.floor == other.floor
    without = learn(unseen, LearnSettings(reference="big"))
    assert without.train.requests_count < one.train.requests_count
    assert any("not every model was tried" in each for each in without.notes)


@pytest.mark.parametrize("is_priced", [True, False])
def test_a_model_counts_by_the_requests_that_it_may_take(is_priced: bool) -> None:
    """What stands in for it elsewhere says nothing of it: hardly tried (or unpriced), it is left out as ever."""
    table, rng = tasks_decide(1_600, 7), np.random.default_rng(3)
    of_chat = np.array(table.tasks) == "chat"
    tried = of_chat & ((rng.random(1_600) < 0.1) | (not is_priced))
    success = np.column_stack([table.success, np.where(tried, 1.0, np.nan)])
    cost_usd = np.column_stack([table.cost_usd, np.where(tried & is_priced, 0.0001, np.nan)])
    more = replace(table, models=("small", "big", "new"), success=success, cost_usd=cost_usd)
    both = ("small", "big")
    settings = LearnSettings(allowed_by_task={"contract": both, "faq": both, "legal": both})
    usable, notes = usable_outcomes(more, settings)
    assert usable.models == both and usable.requests_count == 1_600
    assert [each for each in notes if each.startswith("new is left out: ")] == list(notes)
    seen = replace(more, success=success.copy(), cost_usd=np.where(of_chat[:, None], 0.001, cost_usd))
    seen.success[of_chat, 2] = 1.0  # all that it may take, a quarter of everything
    usable, notes = usable_outcomes(seen, settings)
    assert usable.models == (*both, "new") and usable.requests_count == 1_600 and not notes


@pytest.mark.parametrize("seed", range(4))
def test_a_family_chooses_nobody_who_may_not_take_a_request(seed: int) -> None:
    """Whatever a success is worth, also without limit."""
    table = tasks_decide(800, seed)
    learnt = learn(table, LearnSettings(reference="big", allowed_by_task={"contract": ("small",), "faq": ("big",)}))
    for side in (learnt.draft.family.train, learnt.draft.family.calibration):
        tasks = np.array(side.table.tasks)
        assert (side.sweep.choices[:, tasks == "contract"] == 0).all()
        assert (side.sweep.choices[:, tasks == "faq"] == 1).all()


def test_one_model_for_everything_keeps_residency(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    success = (rng.random((1_000, 2)) < 0.93).astype(float)
    task = tuple(rng.choice(["legal", "chat"], 1_000, p=[0.02, 0.98]).tolist())
    table = table_of(success, ("",) * 1_000, ("small", "big"), task=task)
    settings = LearnSettings(reference="big", allowed_by_task={"legal": ("big",)})
    policy = written(table, tmp_path, settings)
    assert policy.route("x", task="legal").model == "big"
    assert policy.decide(RouteRequest("x", {"task": "legal"}, None, BIG_CLOSED)) == REFUSAL
    assert policy.decide(RouteRequest("x", {"task": "chat"}, None, BIG_CLOSED)).model == "small"


def test_each_groups_own_model_is_one_that_may_take_it(by_task: LoadedPolicy) -> None:
    restricted = [each for each in by_task.document.groups if each.allowed_models]
    assert len(restricted) == 4  # two tasks in two applications
    assert all(each.model in each.allowed_models for each in restricted)
    assert {each.is_fallback for each in restricted} == {False}
    assert {each.is_fallback for each in by_task.document.groups if len(each.path) < 2} == {True}


def test_a_scorer_that_is_no_good_at_new_tasks_is_not_asked_of_them(tmp_path: Path) -> None:
    table = words_decide(1_600, 3)
    learnt = learn(table, LearnSettings())
    assert not learnt.unseen.promoted
    judgement = judge_learnt(learnt, resamples_count=200)
    policy = save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    assert policy.kind == "threshold"
    prompt = next(each for each in table.prompts if each.startswith("easy"))
    found = policy.route(prompt, **dict.fromkeys(table.levels, "new"))
    assert (found.model, found.reason) == (learnt.reference, "default: unknown group")


def test_a_refused_request_has_no_cost_to_tell(tmp_path: Path) -> None:
    group = GroupChoice(("legal",), "small", allowed_models=("small",))
    models = (PricedModel("small"), PricedModel("big"))
    plain = PolicyDocument("task_map", models, "big", groups=(group,), allowed_by_task={"legal": ("big",)})
    policy = save(plain, tmp_path)
    with pytest.raises(LearningError, match="lets no model take request"):
        served(policy, tasks_decide(40, 2))


@pytest.mark.parametrize(("seed", "kind"), [(1, "task_map"), (2, "allocation"), (3, "task_map"), (4, "allocation")])
def test_under_any_restriction_it_is_served_as_it_was_measured(tmp_path: Path, seed: int, kind: str) -> None:
    """Three models, residency for some tasks, stated failures, for even seeds a capacity."""
    rng = np.random.default_rng(seed)
    rows, models = 2_000, ("small", "mid", "big")
    task = rng.choice(["easy", "hard", "home", "away"], rows)
    right = {"easy": (0.96, 0.96, 0.96), "hard": (0.2, 0.6, 0.96), "home": (0.4, 0.9, 0.96), "away": (0.3, 0.96, 0.9)}
    success = (rng.random((rows, 3)) < np.array([right[each] for each in task])).astype(float)
    table = table_of(success, ("",) * rows, models, task=tuple(task.tolist()))
    settings = LearnSettings(
        reference="big",
        allowed_by_task={"home": ("small", "mid"), "away": ("big", "small")},
        failure_usd={"": 0.5} if seed > 2 else {},
        limits=Capacities({"small": 0.35} if seed % 2 == 0 else {}),
        seed=seed,
    )
    learnt = learn(table, settings)
    judgement = judge_learnt(learnt, resamples_count=100)
    policy = save(document_of(learnt, (), date(2026, 11, 26), "t", {}, judgement), tmp_path)
    assert policy.kind == kind and judgement.single is None
    answered, at = served(policy, learnt.calibration), np.arange(learnt.calibration.requests_count)
    measured = learnt.calibration.success[at, judgement.choices]
    assert (measured == answered.table.success[at, answered.choices]).all()
    assert answered.paid_usd == pytest.approx(judgement.cost_usd)
    tasks = np.array(learnt.calibration.tasks)
    assert not (answered.choices[tasks == "home"] == 2).any() and not (answered.choices[tasks == "away"] == 1).any()


def test_a_capacity_counts_who_answers_where_a_model_may_not(tmp_path: Path) -> None:
    """`home` is half of the requests and may go to the small model alone, which has room for a third of them."""
    rng = np.random.default_rng(1)
    task = rng.choice(["home", "chat"], 800)
    success = (rng.random((800, 2)) < 0.9).astype(float)
    table = table_of(success, ("",) * 800, ("small", "big"), task=tuple(task.tolist()))
    told = LearnSettings(reference="big", allowed_by_task={"home": ("small",)}, limits=Capacities({"small": 0.33}))
    with pytest.raises(LearningError, match=r"capacit"):
        document_of(learnt := learn(table, told), (), date(2026, 11, 26), "t", {}, judge_learnt(learnt))
    roomy = replace(told, limits=Capacities({"small": 0.9, "big": 0.7}))
    policy = written(table, tmp_path, roomy)
    answered = served(policy, table)
    assert (answered.choices[task == "home"] == 0).all() and (answered.choices == 1).mean() <= 0.7


def answers_tell(seed: int) -> OutcomeTable:
    """Words of the prompt tell something of who succeeds, and the weak model's answers all of it."""
    table, rng = words_decide(1_600, seed), np.random.default_rng(seed + 100)
    weak = rng.random(1_600) < [0.85 if each.startswith("easy") else 0.4 for each in table.prompts]
    success = np.column_stack([weak, rng.random(1_600) < 0.98]).astype(float)
    return replace(table, success=success, responses={"weak": tuple("right" if each else "wrong" for each in weak)})


def dear_stand_ins(seed: int) -> OutcomeTable:
    """The cheapest model may not take two tasks; who answers them costs more than the second cheapest."""
    table, rng = tasks_decide(1_600, seed), np.random.default_rng(seed)
    success = np.column_stack([table.success[:, 0], rng.random(1_600) < 0.7, table.success[:, 1]])
    return replace(
        table, models=("small", "mid", "big"), success=success, cost_usd=np.tile([1.0, 1.5, 20.0], (1_600, 1))
    )


@pytest.mark.parametrize(
    ("kind", "table", "settings"),
    [
        ("threshold", words_decide(1_600, 21), LearnSettings(reference="strong")),
        ("cascade", answers_tell(22), LearnSettings(reference="strong")),
        ("single", words_decide(1_600, 23), LearnSettings(reference="strong", quality_floor_ratio=1.0)),
        ("task_map", tasks_decide(1_600, 24), LearnSettings(reference="big")),
        (
            "task_map",
            dear_stand_ins(25),
            LearnSettings(
                reference="big",
                quality_floor_ratio=0.8,
                allowed_by_task=dict.fromkeys(("contract", "legal"), ("mid", "big")),
            ),
        ),
    ],
)
def test_drift_is_measured_against_what_the_policy_itself_predicts(
    kind: str, table: OutcomeTable, settings: LearnSettings, tmp_path: Path
) -> None:
    """Whatever else was tried: of the very requests that it is a reference of there is no shift at all."""
    learnt = learn(table, settings)
    policy = save(
        document_of(learnt, (), date(2026, 11, 26), "t", {}, judge_learnt(learnt, resamples_count=200)), tmp_path
    )
    assert policy.kind == kind
    found = drift_of(policy, served(policy, learnt.calibration))
    assert found is not None
    assert found.inputs.psi_ratio < 0.02 and found.mix.psi_ratio < 1e-9
