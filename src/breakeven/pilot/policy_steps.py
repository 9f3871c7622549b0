"""Policy steps: the versions of a policy that a pilot writes: with its trial, a step further, without it, promoted.

Each is a pure function of the policy that is there, the design and the state; writing goes through
`routing.policy_file`, so that a gateway sees a version whole, or not at all. The trial is the only part that a running
pilot touches: whatever else the policy says stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from breakeven.errors import OutputError, PilotError, PolicyError
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.journal import PilotState
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import JSON_NAME, LoadedPolicy, load, save
from breakeven.routing.trial import Trial, TrialPart

WHY_PROMOTED: Final = "promoted by the pilot"
NEXT_FOLDER: Final = "next-policy"
"""In the pilot's folder: the version that a step writes, before it is in force."""


def current_policy(folder: Path) -> LoadedPolicy | None:
    """The policy in a folder; None where there is none yet. PilotError where there is one that cannot be read."""
    if not (folder / JSON_NAME).exists():
        return None
    try:
        return load(folder)
    except PolicyError as error:
        raise PilotError(f"the policy cannot be read: {error}") from None


def first_policy(design: Design) -> PolicyDocument:
    """A policy for a gateway that has none: every request to the baseline, as before."""
    models = dict.fromkeys(name for each in design.tasks for name in (each.baseline_model, each.candidate_model))
    rest = next((each for each in design.tasks if not each.task), design.tasks[0])
    return PolicyDocument(
        kind="single",
        models=tuple(PricedModel(each) for each in models),
        default_model=rest.baseline_model,
        incumbent_model=rest.baseline_model,
        created=design.created[:10],
        made_by=design.made_by,
    )


def trial_of(design: Design, trial_name: str, state: PilotState) -> Trial:
    """What the gateway is told: each task at its share; a task that was stopped rests at 0."""
    assert design.mode != "offline"
    parts = tuple(
        TrialPart(
            task=each.task,
            candidate_model=each.candidate_model,
            mode="canary" if design.mode == "canary" else "shadow",
            share_fraction=0.0 if each.task in state.stopped_why else state.share_by_task.get(each.task, 0.0),
            baseline_model=each.baseline_model,
        )
        for each in design.tasks
    )
    return Trial(trial_name, parts, design.unit, design.checks_by_task, design.audit_fraction)


def watch_trial(design: Design, trial_name: str, tasks: Sequence[str]) -> Trial:
    """After a promotion: the candidate has all of the tasks, and the gateway goes on judging its answers."""
    parts = tuple(
        TrialPart(each.task, each.candidate_model, "canary", 1.0, each.baseline_model)
        for each in design.tasks
        if each.task in tasks
    )
    checks = {task: each for task, each in design.checks_by_task.items() if task in tasks or not task or "" in tasks}
    return Trial(trial_name, parts, design.unit, checks, design.audit_fraction)


def first_share_fraction(design: Design) -> float:
    """The share that a pilot starts with."""
    return design.ramp[0].share_fraction if design.mode == "canary" else design.share_fraction


def with_trial(document: PolicyDocument, trial: Trial | None) -> PolicyDocument:
    """The policy with a trial in place of the one that it has, or with none."""
    return replace(document, trial=trial)


def has_trial(document: PolicyDocument, trial_name: str) -> bool:
    """Whether the trial in a policy is that one."""
    return document.trial is not None and document.trial.pilot == trial_name


def carried_on(document: PolicyDocument, design: Design, trial_name: str, state: PilotState) -> PolicyDocument:
    """The policy with the trial as the state has it; another's policy stays: only `restored` puts the trial into it."""
    return restored(document, design, trial_name, state) if has_trial(document, trial_name) else document


def restored(document: PolicyDocument, design: Design, trial_name: str, state: PilotState) -> PolicyDocument:
    """Whatever policy is there with the trial as the state has it; with none where every task was stopped."""
    is_stopped = all(each.task in state.stopped_why for each in design.tasks)
    return with_trial(document, None if is_stopped else trial_of(design, trial_name, state))


def stopped(document: PolicyDocument, trial_name: str) -> PolicyDocument:
    """The policy without the trial, where it has it."""
    return with_trial(document, None) if has_trial(document, trial_name) else document


def given_over(
    document: PolicyDocument, design: Design, trial_name: str, tasks: Sequence[str], *, keeps_watch: bool
) -> PolicyDocument:
    """The policy in which the candidate has these tasks; PilotError where another pilot's trial is in it."""
    if document.trial is not None and not has_trial(document, trial_name):
        raise PilotError(f"the policy has the trial of another pilot ({document.trial.pilot}); stop that one first")
    plain = promoted(document, design, tasks)
    return with_trial(plain, watch_trial(design, trial_name, tasks)) if keeps_watch else plain


def promoted(document: PolicyDocument, design: Design, tasks: Sequence[str]) -> PolicyDocument:
    """The policy without a trial, in which the candidate takes the requests of these tasks.

    Where the policy decides by groups alone they get the candidate; where a scorer, a cascade or shares decide, the
    tasks are given to the candidate alone (`allowed_by_task`), since nothing that was learnt is trusted more than this.
    """
    plans = [each for each in design.tasks if each.task in tasks]
    found = replace(document, trial=None)
    for each in plans:
        found = _with_model(found, each.candidate_model)
    if found.kind == "single":
        return _single_promoted(found, plans)
    if found.kind == "task_map":
        return _map_promoted(found, plans)
    return _restricted(found, plans)


def written(document: PolicyDocument, folder: Path) -> LoadedPolicy:
    """Write a policy; the same document gives the same bytes and the same hash."""
    try:
        return save(document, folder)
    except PolicyError as error:
        raise PilotError(f"the policy with the trial would be refused: {error}") from None
    except OutputError as error:
        raise PilotError(f"{error} Nothing was changed.") from None


def _single_promoted(document: PolicyDocument, plans: Sequence[TaskPlan]) -> PolicyDocument:
    """One model for everything becomes a map of tasks; for all requests it becomes another one model."""
    rest = next((each for each in plans if not each.task), None)
    named = [each for each in plans if each.task]
    default = document.default_model if rest is None else rest.candidate_model
    if not named:
        return replace(document, default_model=default, groups=_everywhere(document.groups, default))
    groups = tuple(GroupChoice((each.task,), each.candidate_model, why=WHY_PROMOTED) for each in named)
    kept = [each for each in document.groups if document.levels == ("task",)]
    paths = {each.path for each in groups}
    others = tuple(
        replace(each, model=default if each.model == document.default_model else each.model)
        for each in kept
        if each.path not in paths
    )
    whole = () if () in {each.path for each in others} else (GroupChoice((), default, is_fallback=True),)
    return replace(
        document, kind="task_map", levels=("task",), default_model=default, groups=(*whole, *others, *groups)
    )


def _everywhere(groups: Sequence[GroupChoice], model: str) -> tuple[GroupChoice, ...]:
    return tuple(replace(each, model=model, why=WHY_PROMOTED) for each in groups)


def _map_promoted(document: PolicyDocument, plans: Sequence[TaskPlan]) -> PolicyDocument:
    """Groups of the tasks get the candidate; a task without a group gets one, where tasks are what groups go by."""
    if "task" not in document.levels:
        return _restricted(document, plans)
    at = document.levels.index("task")
    by_task = {each.task: each.candidate_model for each in plans}
    groups = []
    for each in document.groups:
        model = by_task.get(each.path[at]) if len(each.path) > at else by_task.get("") if not each.path else None
        groups.append(each if model is None else replace(each, model=model, why=WHY_PROMOTED, is_fallback=False))
    have = {each.path for each in document.groups}
    if at == 0:
        groups += [
            GroupChoice((task,), model, why=WHY_PROMOTED)
            for task, model in by_task.items()
            if task and (task,) not in have
        ]
    default = by_task.get("", document.default_model)
    return replace(document, default_model=default, groups=tuple(groups))


def _restricted(document: PolicyDocument, plans: Sequence[TaskPlan]) -> PolicyDocument:
    if any(not each.task for each in plans):
        raise PilotError(
            f"the policy is a {document.kind}: which requests the candidate would take in it is decided by learning; "
            "learn it again with the pilot's outcomes (`breakeven learn`), or pilot named tasks (`--task NAME`)"
        )
    allowed = {**document.allowed_by_task, **{each.task: (each.candidate_model,) for each in plans}}
    return replace(document, allowed_by_task=allowed)


def _with_model(document: PolicyDocument, model: str) -> PolicyDocument:
    if model in document.model_names:
        return document
    if document.scorer is not None:
        raise PilotError(
            f"the policy's scorer does not know {model!r}, so it cannot choose it; learn the policy again with "
            "outcomes of that model (`breakeven learn`)"
        )
    return replace(document, models=(*document.models, PricedModel(model)))
