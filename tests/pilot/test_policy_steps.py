"""Policy steps: what a pilot changes of a policy is the trial; a promotion is what a gateway then decides by."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.errors import PilotError
from breakeven.pilot import policy_steps as steps
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.journal import PilotState
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import LoadedPolicy, load, save

FAQ, MAIL, REST = (TaskPlan(task, "big", "small") for task in ("faq", "mail", ""))


def design(*tasks: TaskPlan, mode: str = "canary") -> Design:
    return Design("faq", mode, tasks or (FAQ,), "2026-11-02T08:00:00+00:00", made_by="test")  # type: ignore[arg-type]


def model_of(policy: LoadedPolicy, task: str) -> str | None:
    return policy.route(task=task).model


def loaded(document: PolicyDocument, folder: Path) -> LoadedPolicy:
    save(document, folder)
    return load(folder)


def test_the_first_policy_serves_the_baseline(tmp_path: Path) -> None:
    policy = loaded(steps.first_policy(design(FAQ)), tmp_path)
    assert policy.kind == "single"
    assert model_of(policy, "faq") == model_of(policy, "other") == "big"


def test_a_trial_goes_in_and_out_without_a_trace(tmp_path: Path) -> None:
    document = PolicyDocument("single", (PricedModel("big", 1.0, 2.0),), "big", created="2026-01-01")
    before = loaded(document, tmp_path / "a")
    state = PilotState(share_by_task={"faq": 0.05})
    trial = steps.trial_of(design(), "faq-0123", state)
    with_it = loaded(steps.with_trial(before.document, trial), tmp_path / "b")
    assert with_it.document.trial == trial
    assert with_it.hash != before.hash
    assert loaded(steps.with_trial(with_it.document, None), tmp_path / "c").hash == before.hash


def test_shares_of_a_trial_follow_the_state() -> None:
    state = PilotState(share_by_task={"faq": 0.2, "mail": 0.2}, stopped_why={"mail": "worse"})
    parts = steps.trial_of(design(FAQ, MAIL), "faq-0123", state).parts
    assert [(each.task, each.share_fraction) for each in parts] == [("faq", 0.2), ("mail", 0.0)]


def test_promotion_of_one_model_for_everything(tmp_path: Path) -> None:
    base = steps.first_policy(design(FAQ, MAIL))
    policy = loaded(steps.promoted(base, design(FAQ, MAIL), ["faq"]), tmp_path)
    assert policy.document.trial is None
    assert (model_of(policy, "faq"), model_of(policy, "mail"), model_of(policy, "x")) == ("small", "big", "big")
    everything = loaded(steps.promoted(base, design(REST), [""]), tmp_path / "all")
    assert (model_of(everything, "faq"), model_of(everything, "")) == ("small", "small")


def test_promotion_of_the_rest_leaves_named_tasks_alone(tmp_path: Path) -> None:
    base = steps.first_policy(design(FAQ, REST))
    both = loaded(steps.promoted(base, design(FAQ, REST), ["", "faq"]), tmp_path)
    assert (model_of(both, "faq"), model_of(both, "x")) == ("small", "small")


def test_promotion_in_a_map_of_tasks_keeps_the_others(tmp_path: Path) -> None:
    groups = (GroupChoice((), "big", is_fallback=True), GroupChoice(("mail",), "mid"), GroupChoice(("faq",), "big"))
    models = tuple(PricedModel(each) for each in ("big", "mid"))
    base = PolicyDocument("task_map", models, "big", groups=groups)
    policy = loaded(steps.promoted(base, design(FAQ), ["faq"]), tmp_path)
    assert (model_of(policy, "faq"), model_of(policy, "mail"), model_of(policy, "x")) == ("small", "mid", "big")
    new = loaded(steps.promoted(base, design(TaskPlan("new", "big", "small")), ["new"]), tmp_path / "b")
    assert (model_of(new, "new"), model_of(new, "faq")) == ("small", "big")


def test_promotion_in_a_map_by_application_and_task(tmp_path: Path) -> None:
    groups = (GroupChoice((), "big"), GroupChoice(("app", "faq"), "big"), GroupChoice(("app", "mail"), "big"))
    base = PolicyDocument("task_map", (PricedModel("big"),), "big", levels=("application", "task"), groups=groups)
    policy = loaded(steps.promoted(base, design(FAQ), ["faq"]), tmp_path)
    assert policy.route(application="app", task="faq").model == "small"
    assert policy.route(application="app", task="mail").model == "big"


def test_promotion_where_something_learnt_decides_gives_the_task_to_the_candidate_alone(tmp_path: Path) -> None:
    models = tuple(PricedModel(each, usd_per_request=usd) for each, usd in (("big", 0.01), ("small", 0.001)))
    known = ({"big": 0.99, "small": 0.5}, {"big": 0.01, "small": 0.001})
    groups = tuple(GroupChoice(path, "big", *known) for path in ((), ("faq",), ("mail",)))
    base = PolicyDocument("allocation", models, "big", groups=groups, value_usd_per_success=1.0)
    before = loaded(base, tmp_path / "before")
    assert (model_of(before, "faq"), model_of(before, "mail")) == ("big", "big")
    policy = loaded(steps.promoted(base, design(FAQ), ["faq"]), tmp_path)
    assert (model_of(policy, "faq"), model_of(policy, "mail")) == ("small", "big")
    with pytest.raises(PilotError, match="learn it again"):
        steps.promoted(base, design(REST), [""])


def test_a_policy_that_cannot_be_read_is_an_error_and_none_is_none(tmp_path: Path) -> None:
    assert steps.current_policy(tmp_path) is None
    (tmp_path / "policy.json").write_text("{}")
    with pytest.raises(PilotError, match="no policy"):
        steps.current_policy(tmp_path)
