"""Policy desk: learnt beside, put in use, put back; nothing that somebody else wrote meanwhile is lost."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.errors import EditConflict, PolicyError
from breakeven.reports.learn_answer import read_report
from breakeven.routing.policy_file import load, save
from breakeven.routing.trial import Trial, TrialPart
from breakeven.web.plans import policy_desk
from breakeven.web.plans.policy_desk import policy_state
from breakeven.web.project import Project


@pytest.fixture
def staged(own_project: Project) -> str:
    """Another policy was learnt and lies beside; gives its version."""
    target = policy_desk.staged_folder(own_project)
    shutil.copytree(own_project.policy, target)
    saved = save(replace(load(target).document, created="2026-11-27"), target)
    report = read_report(target)
    assert report is not None
    changed = report.model_copy(update={"policy": report.policy.model_copy(update={"hash": saved.hash})})
    (target / "report.json").write_text(changed.model_dump_json(), encoding="utf-8")
    return saved.hash


def in_use(project: Project) -> str:
    return policy_state(project.policy).version


def test_a_policy_with_its_report(project: Project) -> None:
    found = policy_state(project.policy)
    assert found.kind == "ready" and found.report is not None and found.report_words == ""
    assert found.report.policy.hash == found.version


def test_put_in_use_and_back_and_forth(own_project: Project, staged: str) -> None:
    first = in_use(own_project)
    policy_desk.put_in_use(own_project, first, staged)
    assert in_use(own_project) == staged
    report = policy_state(own_project.policy).report
    assert report is not None and report.policy.folder == str(own_project.policy)
    assert not policy_desk.staged_folder(own_project).exists()
    policy_desk.put_back(own_project, staged)
    assert in_use(own_project) == first
    assert policy_state(own_project.policy).report is not None
    policy_desk.put_back(own_project, first)
    assert in_use(own_project) == staged


def test_what_somebody_wrote_meanwhile_stays(own_project: Project, staged: str) -> None:
    seen = in_use(own_project)
    save(replace(load(own_project.policy).document, created="2026-11-25"), own_project.policy)
    by_another = in_use(own_project)
    with pytest.raises(EditConflict, match="wrote it meanwhile"):
        policy_desk.put_in_use(own_project, seen, staged)
    assert in_use(own_project) == by_another
    with pytest.raises(EditConflict, match="another one by now"):
        policy_desk.put_in_use(own_project, by_another, "0" * 64)
    assert policy_state(policy_desk.staged_folder(own_project)).version == staged


def test_a_pilot_is_not_ended_by_a_new_policy(own_project: Project, staged: str) -> None:
    document = load(own_project.policy).document
    small, large = document.models[0].name, document.models[1].name
    trial = Trial("faq-0123", (TrialPart("faq", small, "canary", 0.05, large),))
    save(replace(document, trial=trial), own_project.policy)
    state = policy_state(own_project.policy)
    assert state.report is not None, "the report of the policy without the trial"
    with pytest.raises(PolicyError, match="a pilot runs on this policy"):
        policy_desk.put_in_use(own_project, state.version, staged)
    assert in_use(own_project) == state.version


def test_a_damaged_policy_is_kept_and_replaced(own_project: Project, staged: str) -> None:
    path = own_project.policy / "policy.json"
    path.write_text(path.read_text(encoding="utf-8").replace("contract", "contrakt"), encoding="utf-8")
    state = policy_state(own_project.policy)
    assert state.kind == "damaged" and "changed or damaged" in state.error
    policy_desk.put_in_use(own_project, state.version, staged)
    assert in_use(own_project) == staged
    kept = (policy_desk.former_folder(own_project) / "policy.json").read_text(encoding="utf-8")
    assert "contrakt" in kept
    with pytest.raises(PolicyError, match="changed or damaged"):
        policy_desk.put_back(own_project, staged)
    assert in_use(own_project) == staged, "what cannot be read does not come back"
    assert (policy_desk.former_folder(own_project) / "policy.json").exists()


def test_the_first_policy_has_no_former_one(own_project: Project, staged: str) -> None:
    shutil.rmtree(own_project.policy)
    policy_desk.put_in_use(own_project, "none", staged)
    assert in_use(own_project) == staged
    with pytest.raises(EditConflict, match="no former policy"):
        policy_desk.put_back(own_project, staged)


def test_a_report_of_another_policy_is_not_shown(own_project: Project) -> None:
    save(replace(load(own_project.policy).document, created="2026-11-25"), own_project.policy)
    found = policy_state(own_project.policy)
    assert found.report is None and "of another version" in found.report_words
    (own_project.policy / "report.json").unlink()
    assert "no report.json beside" in policy_state(own_project.policy).report_words
    (own_project.policy / "report.json").write_text("{", encoding="utf-8")
    assert "is not JSON" in policy_state(own_project.policy).report_words


def test_a_newer_policy_is_said_in_the_loaders_words(own_project: Project) -> None:
    path = own_project.policy / "policy.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plain, "format_version": 99}), encoding="utf-8")
    found = policy_state(own_project.policy)
    assert found.kind == "damaged" and "written by a newer breakeven" in found.error


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("a.csv", "request_id,task,prompt,model,success,cost_usd\n", True),
        ("wide.csv", "id,prompt,task,score__a,score__b\n", True),
        ("calls.csv", "start_time,model,input_tokens\n", False),
        ("a.jsonl", '{"request_id": 1, "model": "m", "success": 1}\n', True),
        ("calls.jsonl", '{"model": "m", "input_tokens": 1}\n', False),
        ("broken.jsonl", "{\n", False),
        ("list.jsonl", "[1]\n", False),
        ("empty.csv", "", False),
        ("notes.txt", "request_id,model,success\n", False),
        ("bad.csv.gz", "no gzip", False),
    ],
)
def test_which_files_hold_outcomes(tmp_path: Path, name: str, text: str, is_one: bool) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert (name in policy_desk.outcome_files(Project.at(tmp_path))) is is_one


def test_the_named_file_of_outcomes_comes_first_wherever_it_lies(tmp_path: Path, own_project: Project) -> None:
    elsewhere = shutil.copy(own_project.folder / "outcomes.csv", tmp_path / "zz-later.csv")
    found = policy_desk.outcome_files(replace(own_project, outcomes=Path(elsewhere)))
    assert list(found) == ["zz-later.csv", "outcomes.csv"]
