"""The routing page: the report of the verb, what it promises, a box to try, and learning with a way back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from breakeven.cli.main import group
from breakeven.errors import OutputError
from breakeven.reports.learn_answer import read_report, report_text
from breakeven.routing.policy_file import load
from breakeven.web.plans import policy_desk
from breakeven.web.plans.policy_desk import policy_state
from breakeven.web.project import Project
from web.dashboards import client_of
from web.made_project import LARGE, SMALL, TODAY, desk_of, verb
from web.pages.page_words import main_words, when_done

LEARN = ("learn", "--outcomes", "outcomes.csv", "--out", "policy", "--incumbent", LARGE)


@pytest.fixture
def own(own_project: Project) -> Iterator[TestClient]:
    with client_of(desk_of(own_project)) as made:
        yield made


def test_the_json_is_what_the_verb_printed(client: TestClient, project: Project) -> None:
    report = read_report(project.policy)
    assert report is not None
    text = client.get("/api/routing").text
    assert text == report_text(report)
    assert json.loads(text)["policy"]["hash"] == load(project.policy).hash
    assert client.get("/api/routing/policy").text == (project.policy / "policy.json").read_text(encoding="utf-8")


def test_the_page_says_what_to_send_where_first(client: TestClient) -> None:
    said = main_words(when_done(client, "/routing"))
    sentence = re.search(rf"Send [\d.]+ % of the requests to {SMALL}: saves [\d.]+ % .*? with 95 % confidence\.", said)
    assert sentence is not None
    assert said.index(sentence[0]) < said.index("Cost against quality")
    for words in (
        "measured on your outcomes", "models mixed by chance", "oracle: has seen the answers", "Which task goes where",
        f"{SMALL} moved predicted to succeed in", "Does it know what it does not know?", "What is promised",
        "learn-then-test", "What ran before : against openai/gpt-5: saves", "Not charged, because nobody stated it",
        "Try it", "Prices it decides by", "26 Nov 2026, today", "On other outcomes",
    ):  # fmt: skip
        assert words in said, words


def test_the_curves_are_there_in_both_widths(client: TestClient) -> None:
    text = when_done(client, "/routing")
    for name in ("cost-quality", "calibration"):
        figure = text[text.index(f'id="chart-{name}"') :].partition("</figure>")[0]
        assert figure.count('<svg class="chart" viewBox') == 2


def test_curves_that_cannot_be_drawn_say_why(own: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_report: object) -> None:
        raise OutputError("made to fail")

    monkeypatch.setattr("breakeven.reports.routing_curves.cost_quality_chart", refuse)
    for kept in own.app.state.desk.project.kept.glob("routing-charts*"):  # type: ignore[attr-defined]
        kept.unlink()
    said = main_words(when_done(own, "/routing"))
    assert "Drawing the curves: it did not work made to fail" in said
    assert "Try again" in said


def test_the_box_decides_as_the_policy_does_and_keeps_nothing(client: TestClient, project: Project) -> None:
    secret = "zebra-4711-lighthouse"
    for task, model in (("faq", SMALL), ("contract", LARGE)):
        fields = {"prompt": secret, "group_task": task}
        found = client.post("/routing/try", data=fields, headers={"accept": "application/json"}).json()
        assert found["model"] == model == load(project.policy).route(secret, task=task).model
        assert found["words"][0] == f"{model} takes it."
        assert secret not in json.dumps(found)
    token = client.headers["x-breakeven-csrf"]
    shown = client.post("/routing/try", data={"csrf": token, "prompt": secret, "group_task": "faq"})
    assert shown.status_code == 200 and f"{SMALL} takes it." in shown.text
    kept = [path for path in project.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert kept == []
    assert secret not in client.get("/routing").text and secret not in client.get("/api/jobs").text


def test_the_box_says_what_it_does_not_take(client: TestClient) -> None:
    found = client.post("/routing/try", data={"prompt": "x" * 100_001}, headers={"accept": "application/json"})
    assert found.status_code == 400 and "100,001 characters" in found.json()["error"]["message"]


def test_an_evaluation_is_that_of_the_verb(client: TestClient, project: Project) -> None:
    text = when_done(client, "/api/routing/evaluation?outcomes=outcomes.csv")
    options = ["--policy", str(project.policy), "--outcomes", str(project.folder / "outcomes.csv")]
    printed = CliRunner().invoke(
        group, ["evaluate", *options, "--as-of", TODAY.isoformat(), "--json"], catch_exceptions=False
    )
    assert text == printed.stdout
    said = main_words(when_done(client, "/routing?evaluate=outcomes.csv"))
    assert "the policy was learnt from this very file" in said
    assert "No drift that matters" in said and "why it chose so: group 100 %" in said


@pytest.mark.parametrize("name", ["calls.jsonl", "../outcomes.csv", "/etc/passwd", "nothing.csv"])
def test_only_files_of_outcomes_in_the_project_are_read(client: TestClient, name: str) -> None:
    found = client.get("/api/routing/evaluation", params={"outcomes": name})
    assert found.status_code == 400 and "no file of outcomes is called" in found.json()["error"]["message"]
    assert "there is no file of outcomes called" in client.get("/routing", params={"evaluate": name}).text


def test_without_a_policy_the_page_teaches(empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        said = main_words(client.get("/routing").text)
        assert "No policy yet" in said and "breakeven learn --outcomes outcomes.csv --out policy" in said
        assert "request_id,task,prompt,model,success,cost_usd" in said
        assert client.get("/api/routing").status_code == 400


def test_a_damaged_policy_is_said_in_the_loaders_words(own: TestClient, own_project: Project) -> None:
    path = own_project.policy / "policy.json"
    path.write_text(path.read_text(encoding="utf-8").replace("contract", "contrakt"), encoding="utf-8")
    said = main_words(own.get("/routing").text)
    assert "policy/policy.json was changed or damaged after it was written" in said
    assert str(own_project.folder) not in said
    assert "Learn a policy" in said, "and how to go on"


def test_a_policy_without_its_report_shows_what_it_says_itself(own: TestClient, own_project: Project) -> None:
    (own_project.policy / "report.json").unlink()
    said = main_words(own.get("/routing").text)
    assert "no report beside this policy" in said and "Which group goes where" in said and "faq" in said
    assert own.get("/api/routing").json()["format"] == "breakeven-policy"


def learnt(client: TestClient, project: Project, **fields: str) -> str:
    """Learn from the page; the version that lies beside then."""
    answer = client.post("/routing/learn", data={"outcomes": "outcomes.csv", **fields}, follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"] == "/routing#learning"
    when_done(client, "/routing")
    return policy_state(policy_desk.staged_folder(project)).version


def test_learn_put_in_use_and_go_back(own: TestClient, own_project: Project) -> None:
    before = policy_state(own_project.policy).version
    version = learnt(own, own_project, incumbent=LARGE, quality_floor="0.9")
    assert policy_state(own_project.policy).version == before, "nothing changes by learning"
    said = main_words(own.get("/routing").text)
    assert "A policy was learnt and is not in use" in said and version[:12] in said
    unsure = own.post("/routing/use", data={"version": before, "staged": version})
    assert unsure.status_code == 400 and "tick the box" in unsure.text
    other = own.post("/routing/use", data={"version": "0" * 64, "staged": version, "confirm": "yes"})
    assert other.status_code == 409
    done = own.post(
        "/routing/use", data={"version": before, "staged": version, "confirm": "yes"}, follow_redirects=False
    )
    assert done.status_code == 303
    assert policy_state(own_project.policy).version == version
    report = own.get("/api/routing").json()
    assert report["policy"]["hash"] == version and report["floor"]["quality_floor_ratio"] == 0.9
    assert "The policy before this one" in main_words(own.get("/routing").text)
    own.post("/routing/undo", data={"version": version, "confirm": "yes"})
    assert policy_state(own_project.policy).version == before


def test_the_page_learns_what_the_verb_learns(own: TestClient, own_project: Project) -> None:
    learnt(own, own_project, incumbent=LARGE)
    staged = policy_desk.staged_folder(own_project)
    mine, verbs = json.loads((staged / "policy.json").read_text()), json.loads(own.get("/api/routing/policy").text)
    for each in (mine, verbs):
        for name in ("created", "hash"):
            del each[name]
    assert mine == verbs
    own.post("/routing/discard")
    assert policy_state(staged).kind == "none"


def test_a_floor_of_a_task_is_learnt_as_the_verb_does_and_stays_in_the_form(
    own: TestClient, own_project: Project
) -> None:
    learnt(own, own_project, incumbent=LARGE, floors="contract = 0.99\r\n\r\n")
    staged = policy_desk.staged_folder(own_project)
    verb(own_project.folder, *LEARN, "--floor", "contract=0.99")
    mine, verbs = (json.loads((each / "policy.json").read_text()) for each in (staged, own_project.policy))
    assert mine["guarantee"] == verbs["guarantee"] and mine["groups"] == verbs["groups"]
    assert [each["task"] for each in verbs["guarantee"]["by_task"]] == ["contract"]
    with client_of(desk_of(own_project)) as later:  # another day: the form shows the floors of the policy in use
        text = later.get("/routing").text
    for page in (own.get("/routing").text, text):
        assert re.search(r'name="floors"[^>]*>contract ?= ?0.99', page)
    assert "Floor of contract: 99 %" in main_words(text)


def test_a_floor_of_a_task_that_nobody_knows_is_said_and_nothing_typed_is_lost(own: TestClient) -> None:
    data = {"outcomes": "outcomes.csv", "floors": "poems=0.9\nfaq=0.95", "quality_floor": "0.91", "incumbent": "<b>"}
    own.post("/routing/learn", data={**data, "incumbent": ""})
    text = when_done(own, "/routing")
    assert "no request has the task poems; the tasks are contract, faq" in main_words(text)
    assert text.index('id="learning"') < text.index("no request has the task poems") < text.index('href="#learn"')
    assert ">poems=0.9\nfaq=0.95</textarea>" in text and re.search(r'name="quality_floor"[^>]* value="0.91"', text)
    own.post("/routing/learn", data=data)
    assert 'value="&lt;b&gt;"' in when_done(own, "/routing")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"floors": "contract"}, "floors of tasks: saw 'contract', wanted TASK=PART"),
        ({"floors": "contract=99"}, "saw 'contract=99'"),
        ({"floors": "=0.9"}, "saw '=0.9'"),
        ({"floors": "contract=0.9\ncontract=0.99"}, "contract is named twice"),
        ({"outcomes": "calls.jsonl"}, "no file of outcomes is called 'calls.jsonl'"),
        ({"quality_floor": "2"}, "the floor: saw '2'"),
        ({"confidence": "x"}, "the confidence: saw 'x'"),
        ({"failure_usd": "-1"}, "what a failed answer costs: saw '-1'"),
        ({"prices": "nonsense"}, "nonsense"),
    ],
)
def test_what_cannot_be_learnt_is_said(client: TestClient, fields: dict[str, str], said: str) -> None:
    data = {"outcomes": "outcomes.csv", **fields}
    found = client.post("/routing/learn", data=data, headers={"accept": "application/json"})
    assert found.status_code == 400 and said in found.json()["error"]["message"]


def test_without_the_library_the_page_says_what_to_install(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from breakeven.reports import learn_answer

    monkeypatch.setattr(learn_answer, "find_spec", lambda _: None)
    said = main_words(client.get("/routing").text)
    assert "Learning is not installed here." in said and "pip install 'breakeven[learning]'" in said
    found = client.post("/routing/learn", data={"outcomes": "outcomes.csv"}, headers={"accept": "application/json"})
    assert found.status_code == 400 and "scikit-learn" in found.json()["error"]["message"]


def test_prompts_are_read_for_the_page_alone_when_asked_for(own: TestClient, own_project: Project) -> None:
    path = own_project.folder / "outcomes.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"^(\d+),(\w+),,", r"\1,\2,Where is parcel \1?,", text, flags=re.M), encoding="utf-8")
    assert "Where is parcel" not in own.get("/routing").text
    assert "Where is parcel" in own.get("/routing?examples=prompts").text
    kept = (own_project.folder / "policy").rglob("*")
    assert not any("Where is parcel" in each.read_text(encoding="utf-8") for each in kept if each.is_file())


def test_every_change_wants_the_token(client: TestClient) -> None:
    for path in ("try", "learn", "use", "undo", "discard"):
        assert client.post(f"/routing/{path}", headers={"x-breakeven-csrf": "no"}).status_code == 403


def test_a_router_that_was_tried_and_is_not_used_is_never_shown_as_if_it_were(
    own: TestClient, own_project: Project
) -> None:
    from breakeven.reports.learn_answer import write_report
    from breakeven.routing.policy_file import save

    report = read_report(own_project.policy)
    assert report is not None
    saved = save(replace(load(own_project.policy).document, kind="single", default_model=LARGE), own_project.policy)
    policy = report.policy.model_copy(update={"kind": "single", "hash": saved.hash, "default_model": LARGE})
    write_report(report.model_copy(update={"policy": policy}), own_project.policy)
    said = main_words(when_done(own, "/routing"))
    assert "What the router that was tried would have done" in said and f"{LARGE} takes every request." in said
    assert "Would have gone to" in said and "had it been used" in said
    assert "Requests on both sides of the line that was tried" in said
    assert " moved " not in said and "Which task goes where" not in said


def test_a_pilot_on_the_policy_is_said(own: TestClient, own_project: Project) -> None:
    from breakeven.routing.policy_file import save
    from breakeven.routing.trial import Trial, TrialPart

    document = load(own_project.policy).document
    trial = Trial("faq-0123", (TrialPart("faq", SMALL, "canary", 0.05, LARGE),))
    save(replace(document, trial=trial), own_project.policy)
    said = main_words(own.get("/routing").text)
    assert "a pilot runs on it" in said and "measured on your outcomes" in said
