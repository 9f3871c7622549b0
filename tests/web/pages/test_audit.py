"""The Audit page, its tasks, and labelling: the audit and the labels of the command line, in a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from breakeven.audit.label_skips import read_skips, skip_file
from breakeven.audit.labels import append_label, label_file, read_labels
from breakeven.audit.saved import audit_file, load_audit
from breakeven.cli.main import group
from breakeven.errors import AuditError
from breakeven.reports.safe_text import short
from breakeven.web.audit.kept_texts import shown_calls
from breakeven.web.audit.label_walk import walk
from breakeven.web.jobs import Job
from breakeven.web.page import Desk
from breakeven.web.pages.audit import TASKS_SHOWN_COUNT
from breakeven.web.project import Project
from web.dashboards import client_of
from web.labelled_project import hostile_project
from web.made_project import TODAY, desk_of

from .test_usage import settled

AT = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with an audit that the command line made, on the dashboard's day."""
    project = hostile_project(tmp_path_factory.mktemp("audit") / "team")
    run_audit(project)
    return project


@pytest.fixture
def own(audited: Project, tmp_path: Path) -> Project:
    """A copy of it to label."""
    shutil.copytree(audited.folder, tmp_path / "own")
    return Project.at(tmp_path / "own")


@pytest.fixture
def desk(own: Project) -> Desk:
    return desk_of(own)


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with client_of(desk) as made:
        yield made


def run_audit(project: Project, *more: str) -> dict[str, object]:
    """`breakeven audit --json` of the project; also keeps it."""
    words = ["audit", "--store", str(project.store), "--as-of", TODAY.isoformat(), "--json", *more]
    done = CliRunner().invoke(group, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def fields(page: str) -> dict[str, str]:
    """What the label page's first form sends."""
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("call", "record_id", "seen")}
    return {name: each[1] for name, each in found.items() if each}


def shown(client: TestClient, desk: Desk) -> dict[str, str]:
    return fields(settled(client, desk, "/audit/label"))


def test_a_run_from_the_page_is_the_run_of_the_terminal(own: Project, desk: Desk, client: TestClient) -> None:
    audit_file(own.store).unlink()
    page = client.get("/audit").text
    assert "not audited yet" in page and "breakeven audit" in page
    answer = client.post("/audit/run", data={"small_model": "", "seed": "3"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit")
    settled(client, desk, "/audit")
    assert json.loads(settled(client, desk, "/api/audit")) == run_audit(own, "--seed", "3")


def test_settings_that_make_no_sense_are_refused_before_any_work(client: TestClient, desk: Desk) -> None:
    for form in ({"small_model": "no-such-model-9z"}, {"seed": "-1"}, {"seed": "9" * 40}):
        answer = client.post("/audit/run", data=form)
        assert answer.status_code == 400, form
        assert not desk.jobs.running()


def test_the_page_says_the_answer_and_every_box_leads_to_its_task(client: TestClient, desk: Desk, own: Project) -> None:
    text = settled(client, desk, "/audit")
    audit = load_audit(own.store)
    assert audit is not None
    assert "of calls and" in text and "THIS IS A GUESS" in text
    assert "<img src=x" not in text and "\u202e" not in text
    for task in audit.tasks:
        page = client.get("/audit/task", params={"name": task.name})
        assert page.status_code == 200, task.name
    links = set(re.findall(r'href="(/audit/task[?]name=[^"]+)"', text))
    assert len(links) == len(audit.tasks)
    assert all(client.get(each).status_code == 200 for each in links)


def test_a_task_that_is_not_there_says_so_and_which_ones_are(client: TestClient, desk: Desk, own: Project) -> None:
    settled(client, desk, "/audit")
    audit = load_audit(own.store)
    assert audit is not None
    answer = client.get("/audit/task", params={"name": "<b>no such task"})
    assert answer.status_code == 404
    words = html.unescape(answer.text)
    assert "No task of this audit is named '<b>no such task'." in words
    assert "There is no page" not in words and "<b>no such task" not in answer.text
    assert len(audit.tasks) <= TASKS_SHOWN_COUNT
    assert all(short(task.name, 200) in words for task in audit.tasks)


def test_a_task_shows_its_evidence_and_harmless_examples(client: TestClient, desk: Desk) -> None:
    audit = load_audit(desk.project.store)
    assert audit is not None
    name = next(each.name for each in audit.tasks if each.name.startswith("reply"))
    path = f"/audit/task?name={quote(name)}"
    settled(client, desk, path)
    text = settled(client, desk, path)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text and "\x1b" not in text and "\u202e" not in text
    assert "Mostly a guess" in text and "Found by the name in the log" in text
    assert "    indented mail" in text


def test_dropped_prompts_have_no_examples_and_the_page_says_how_to_keep_them(tmp_path: Path) -> None:
    project = hostile_project(tmp_path / "dropped", "drop")
    run_audit(project)
    desk = desk_of(project)
    with client_of(desk) as client:
        text = settled(client, desk, "/audit/task?name=write+SQL")
        label = settled(client, desk, "/audit/label")
    assert "--prompts redact" in text and "There are none" in text
    assert "dropped on import" in label


def test_the_walk_is_that_of_the_terminal(client: TestClient, desk: Desk, own: Project) -> None:
    settled(client, desk, "/audit/label")
    words = ["audit", "label", "--store", str(own.store), "--as-of", TODAY.isoformat(), "--json"]
    told = CliRunner().invoke(group, words, catch_exceptions=False)
    wanted = [each["record_id"] for each in json.loads(told.stdout)]
    found = []
    for _ in range(12):
        form = shown(client, desk)
        assert client.post("/audit/label", data=form | {"key": "1"}).status_code == 200
        found.append(read_labels(label_file(own.store))[-1].record_id)
    assert found == wanted[:12]


def test_labels_change_the_answer_at_once_and_as_the_terminal_would_say(
    client: TestClient, desk: Desk, own: Project
) -> None:
    for key in "112131223111":
        client.post("/audit/label", data=shown(client, desk) | {"key": key})
    assert "12 labels so far" in settled(client, desk, "/audit/label")
    client.post("/audit/label/use")
    settled(client, desk, "/audit")
    used = json.loads(client.get("/api/audit").text)
    assert used == run_audit(own)
    assert sum(each["suitability"]["labels_count"] for each in used["tasks"]) == 10  # two could not be told


def test_a_label_of_the_terminal_shows_here_and_can_be_taken_back(client: TestClient, desk: Desk, own: Project) -> None:
    before = shown(client, desk)
    told = CliRunner().invoke(
        group, ["audit", "label", "--store", str(own.store), "--count", "1", "--as-of", TODAY.isoformat()], input="2\n"
    )
    assert told.exit_code == 0, told.output
    assert len(read_labels(label_file(own.store))) == 1
    listed = settled(client, desk, "/audit/labels")
    assert "it cannot" in listed and re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d, terminal", listed)
    assert fields(listed)["call"] == before["call"]
    client.post("/audit/label/take-back", data={"call": before["call"]})
    assert read_labels(label_file(own.store)) == ()


def test_undo_takes_back_the_own_last_and_skip_comes_again(client: TestClient, desk: Desk, own: Project) -> None:
    first = shown(client, desk)
    client.post("/audit/label/skip", data=first)
    second = shown(client, desk)
    assert second["call"] != first["call"]
    client.post("/audit/label", data=second | {"key": "2"})
    append_label(label_file(own.store), "somebody-else", "can", AT)
    client.post("/audit/label/undo")
    assert [each.record_id for each in read_labels(label_file(own.store))] == ["somebody-else"]
    assert shown(client, desk)["call"] == second["call"]
    client.post("/audit/label/undo")
    assert len(read_labels(label_file(own.store))) == 1
    client.post("/audit/label", data=second | {"key": "2"})
    client.post("/audit/label", data=(third := shown(client, desk)) | {"key": "1"})
    append_label(label_file(own.store), third["record_id"], "cannot", AT, "terminal")
    assert "Nothing of yours to undo" in client.get("/audit/label").text
    before = read_labels(label_file(own.store))
    client.post("/audit/label/undo")
    assert read_labels(label_file(own.store)) == before


def test_a_restart_and_the_terminal_know_what_was_skipped(client: TestClient, desk: Desk, own: Project) -> None:
    first = shown(client, desk)
    client.post("/audit/label/skip", data=first)
    second = shown(client, desk)
    with client_of(again := desk_of(own)) as later:
        page = settled(later, again, "/audit/label")
        assert fields(page)["call"] == second["call"]
        assert "1 skipped so far; it comes last, here and in the terminal." in page
    options = ["--store", str(own.store), "--as-of", TODAY.isoformat()]
    told = CliRunner().invoke(group, ["audit", "label", *options, "--count", "2"], input="s\n1\nq\n")
    assert told.exit_code == 0, told.output
    (label,) = read_labels(label_file(own.store))
    assert label.record_id == first["record_id"]  # both were put off; this one first
    assert read_skips(skip_file(own.store)) == (first["record_id"], second["record_id"])


def test_only_calls_of_the_store_are_skipped(client: TestClient, own: Project) -> None:
    assert client.post("/audit/label/skip", data={"record_id": "no such call"}).status_code == 400
    assert read_skips(skip_file(own.store)) == ()


def test_an_audit_that_fails_says_why_in_lines(client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from breakeven.reports import audit_answer

    def fail(*_: object) -> None:
        raise AuditError("labels.jsonl:3: not a label\n  {oops\n  ^")

    monkeypatch.setattr(audit_answer, "audit_answer", fail)
    client.post("/audit/run")
    text = settled(client, desk, "/audit")
    assert '<p class="said in-file">labels.jsonl:3: not a label\n  {oops\n  ^</p>' in text


def test_two_people_are_shown_two_calls_and_lose_nothing(desk: Desk, own: Project) -> None:
    with client_of(desk) as client:
        settled(client, desk, "/audit/label")
        app = client.app
        people = [TestClient(app, base_url="http://127.0.0.1", headers=client.headers) for _ in range(2)]
        first = [fields(each.get("/audit/label").text)["call"] for each in people]
        assert first[0] != first[1]
        assert "others labelling now" in people[0].get("/audit/label").text
        assert fields(people[0].get("/audit/label").text)["call"] == first[0]  # a call stays with who looks at it

        def judge(person: TestClient) -> int:
            return sum(
                person.post("/audit/label", data=fields(person.get("/audit/label").text) | {"key": "1"}).status_code
                == 200
                for _ in range(10)
            )

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(judge, people)) == [10, 10]
    labels = read_labels(label_file(own.store))
    assert len(labels) == 20
    assert len({each.person for each in labels}) == 2


def test_what_somebody_else_said_meanwhile_is_shown_not_overwritten(
    client: TestClient, desk: Desk, own: Project
) -> None:
    form = shown(client, desk)
    append_label(label_file(own.store), form["record_id"], "cannot", AT)
    answer = client.post("/audit/label", data=form | {"key": "1"})
    assert answer.status_code == 409
    assert "it cannot" in answer.text and "a small model can" in answer.text
    assert [each.judgement for each in read_labels(label_file(own.store))] == ["cannot"]
    again = client.post("/audit/label", data=form | {"key": "1", "replace": "yes"})
    assert again.status_code == 200
    assert [each.judgement for each in read_labels(label_file(own.store))] == ["can"]


def test_ids_with_line_breaks_are_labelled_like_others(client: TestClient, desk: Desk, own: Project) -> None:
    for _ in range(6):
        page = settled(client, desk, "/audit/label")
        assert "<script>alert" not in page and "\x1b" not in page and "\u202e" not in page
        client.post("/audit/label", data=fields(page) | {"key": "3"})
    ids = [each.record_id for each in read_labels(label_file(own.store))]
    assert len(ids) == 6
    assert any("\n" in each for each in ids)


def test_a_walk_that_is_done_says_so(client: TestClient, desk: Desk, own: Project) -> None:
    settled(client, desk, "/audit/label")
    found = walk(desk)
    assert not isinstance(found, Job)
    for each in found.document.calls:
        append_label(label_file(own.store), each.record_id, "can", AT)
    page = settled(client, desk, "/audit/label")
    assert "All 50 calls of this walk are judged" in page
    client.post("/audit/label/use")
    assert "Call 1 of 50" in settled(client, desk, "/audit/label")


def test_a_prompt_of_a_megabyte_is_cut(own: Project, desk: Desk) -> None:
    long = "c7\nnext"
    (text,) = shown_calls(desk, [long])[long].texts
    assert text.left_out_count > 900_000
    assert len(text.head) + len(text.tail) < 6_000


def test_forged_forms_change_nothing(client: TestClient, desk: Desk, own: Project) -> None:
    form = shown(client, desk)
    assert client.post("/audit/label", data=form | {"key": "9"}).status_code == 400
    assert client.post("/audit/label", data={"record_id": "nobody", "key": "1"}).status_code == 400
    assert client.post("/audit/label", data={"key": "1"}).status_code == 400
    token = client.headers.pop("x-breakeven-csrf")
    assert client.post("/audit/label", data=form | {"key": "1"}).status_code == 403
    client.headers["x-breakeven-csrf"] = token
    assert not label_file(own.store).exists()


def test_no_text_of_a_prompt_is_written_into_what_the_dashboard_keeps(
    client: TestClient, desk: Desk, own: Project
) -> None:
    settled(client, desk, "/audit/label")
    settled(client, desk, "/audit/task?name=write+SQL")
    kept = [each for each in own.kept.rglob("*") if each.is_file()]
    assert kept
    assert not any(b"jane.doe" in each.read_bytes() or b"mail to" in each.read_bytes() for each in kept)


def test_an_audit_of_other_calls_says_so(client: TestClient, desk: Desk, own: Project) -> None:
    path = audit_file(own.store)
    path.write_text(path.read_text().replace('"calls_digest": "', '"calls_digest": "x'), encoding="utf-8")
    settled(client, desk, "/audit/label")
    assert "This audit is of other calls" in settled(client, desk, "/audit")


def test_a_damaged_audit_says_so_and_can_be_run_again(client: TestClient, desk: Desk, own: Project) -> None:
    audit_file(own.store).write_text("{}", encoding="utf-8")
    text = settled(client, desk, "/audit")
    assert "cannot be read" in text and "Run the audit" in text
    assert str(own.folder) not in text


def test_nothing_yet_teaches(empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        assert "breakeven import" in client.get("/audit").text
        assert "breakeven import" in client.get("/audit/label").text
        assert client.get("/api/audit").status_code == 400
