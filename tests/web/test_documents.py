"""Documents: what the command line gives, made again exactly when something that they are made of changes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from breakeven.clock import now
from breakeven.errors import ScenarioError, UsageError
from breakeven.reports.document import Document, to_json
from breakeven.usage.store import CallStore
from breakeven.usage.store.manifest import read_manifest, write_manifest
from breakeven.web import documents
from breakeven.web.facts.edits import Edits
from breakeven.web.jobs import Job
from breakeven.web.page import Desk
from breakeven.web.project import Project
from breakeven.web.shelf import Recipe
from web.made_project import desk_of, verb

CALL = '{"id": "%s", "timestamp": "2026-11-02T10:00:00Z", "model": "gpt-5", "input_tokens": 10, "output_tokens": 1}\n'


def key_of(desk: Desk) -> str:
    for _ in range(3):
        found = documents.comparison_recipe(desk)
        if isinstance(found, Recipe):
            return found.key
        assert found.wait(60)
    raise AssertionError("the calls were never read")


def test_the_document_is_that_of_the_command_line_to_the_byte(compared: Project) -> None:
    told = verb(compared.folder, "compare", "--scenario", "scenario.yaml", "--json")
    found = documents.comparison_text(desk_of(compared))
    assert found == told
    assert str(compared.folder) not in str(found), "a page says nothing of where the project lies"


def test_a_document_is_read_once_and_stays_the_same_object(compared: Project) -> None:
    desk = desk_of(compared)
    found = documents.comparison(desk)
    assert isinstance(found, Document)
    assert documents.comparison(desk) is found
    assert documents.latest_comparison(desk) is found
    assert to_json(found) == documents.comparison_text(desk)


def test_made_up_calls_stay_marked(compared: Project) -> None:
    found = documents.comparison(desk_of(compared))
    assert isinstance(found, Document)
    assert found.workload.synthetic
    assert documents.look(desk_of(compared)).is_synthetic


def _more_calls(project: Project) -> None:
    log = project.folder / "more.jsonl"
    log.write_text(CALL % "new")
    with CallStore(project.store) as store:
        store.ingest(log, now=now())


def _other_audit(project: Project) -> None:
    path = project.store / "audit.json"
    content = json.loads(path.read_text())
    content["left_out_count"] += 1
    path.write_text(json.dumps(content))


def _appended(text: str) -> Callable[[Project], object]:
    return lambda project: project.scenario.write_text(project.scenario.read_text() + text)


def _moved_lines(project: Project) -> None:
    """Lines stand in what a comparison says, so it is another one."""
    project.scenario.write_text("# one line more\n" + project.scenario.read_text())


def _edited(project: Project) -> None:
    edits = Edits(desk_of(project))
    edits.set("pue_ratio", "1.31", edits.version)


@pytest.mark.parametrize(
    "change",
    [_more_calls, _other_audit, _moved_lines, _edited, lambda project: (project.store / "audit.json").unlink()],
)
def test_another_key_when_something_changes(own_project: Project, change: Callable[[Project], None]) -> None:
    before = key_of(desk_of(own_project))
    change(own_project)
    assert key_of(desk_of(own_project)) != before


def _same_calls(project: Project) -> None:
    with CallStore(project.store) as store:
        store.ingest(project.folder / "calls.jsonl", now=now())


def _hash_forgotten(project: Project) -> None:
    manifest = read_manifest(project.store)
    bare = tuple(replace(each, digest=None) for each in manifest.stored)
    write_manifest(project.store, replace(manifest, stored=bare))


@pytest.mark.parametrize(
    "change",
    [
        lambda project: None,
        _same_calls,
        _hash_forgotten,
        _appended("# a word at the end\n"),
        lambda project: os.utime(project.scenario, (1, 1)),
        lambda project: (project.folder / "notes.txt").write_text("x"),
    ],
)
def test_the_same_key_when_nothing_that_counts_changes(
    own_project: Project, change: Callable[[Project], object]
) -> None:
    before = key_of(desk_of(own_project))
    change(own_project)
    assert key_of(desk_of(own_project)) == before


def test_outcomes_date_and_version_are_in_the_key(own_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(own_project)
    keys = [key_of(desk)]
    keys.append(key_of(replace(desk, today=lambda: date(2026, 11, 27))))
    with_outcomes = replace(own_project, outcomes=own_project.folder / "outcomes.csv")
    keys.append(key_of(replace(desk, project=with_outcomes)))
    text = (own_project.folder / "outcomes.csv").read_text()
    (own_project.folder / "outcomes.csv").write_text(text.replace(",1,", ",0,", 1))
    keys.append(key_of(replace(desk, project=with_outcomes)))
    monkeypatch.setattr("breakeven.web.shelf.__version__", "99.0")
    keys.append(key_of(desk))
    assert len(set(keys)) == len(keys)


def test_another_catalogue_is_another_key(own_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of(desk_of(own_project))
    monkeypatch.setattr(documents, "_catalog_digest", lambda desk, said: "another")
    assert key_of(desk_of(own_project)) != before


def test_without_calls_it_is_said_what_brings_them(empty_project: Project) -> None:
    desk = desk_of(empty_project)
    state = documents.store_state(desk)
    assert (state.kind, state.has_calls, documents.has_calls(desk)) == ("no store", False, False)
    assert "breakeven import" in state.next_command
    assert not empty_project.store.exists()
    with pytest.raises(UsageError, match="breakeven import"):
        documents.comparison(desk)
    empty_project.store.mkdir()
    log = empty_project.folder / "bad.jsonl"
    log.write_text((CALL % "one").replace("10", "-10"))
    with CallStore(empty_project.store) as store:
        store.ingest(log, now=now())
    assert documents.store_state(desk).kind == "no calls"
    assert documents.scenario(desk).overrides == {}


def test_a_damaged_store_and_a_broken_scenario_are_named(own_project: Project) -> None:
    desk = desk_of(own_project)
    own_project.scenario.write_text("gpu: [\n")
    with pytest.raises(ScenarioError, match=r"scenario\.yaml"):
        documents.comparison(desk)
    (own_project.store / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        documents.store_state(desk)


def test_calls_that_change_while_a_document_is_made_are_noticed(own_project: Project) -> None:
    desk = desk_of(own_project)
    key_of(desk)

    def make(asked: object, say: object) -> str:
        _more_calls(own_project)
        return "{}"

    asked = documents.recipe(desk, "probe", "Probing", make)
    assert isinstance(asked, Recipe)
    found = desk.shelf.take(asked, patience_s=60)
    assert isinstance(found, Job)
    assert found.state == "failed"
    assert "changed meanwhile" in found.error
    assert not list(own_project.kept.glob("probe-*.kept"))


def test_a_store_that_cannot_be_written_is_read_all_the_same(own_project: Project) -> None:
    _hash_forgotten(own_project)
    desk = desk_of(own_project)
    key = key_of(desk)
    _hash_forgotten(own_project)  # as where the hash could not be kept
    assert key_of(desk) == key


def test_an_import_waits_for_those_who_read(own_project: Project) -> None:
    desk = desk_of(own_project)
    with documents.question(desk):
        assert not documents.wait_for_readers(desk, 0.01)
    assert documents.wait_for_readers(desk, 0.01)


def test_two_projects_do_not_share_documents(compared: Project, tmp_path: Path) -> None:
    shutil.copytree(compared.folder, tmp_path / "two")
    other = desk_of(Project.at(tmp_path / "two"))
    assert documents.latest_comparison(other) is None
    assert key_of(other) != key_of(desk_of(compared))
