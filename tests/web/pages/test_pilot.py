"""Pilot page: the words and figures of the verb, orders that say what they do, a label queue that loses nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.web.pages.pilot_parts import CANDIDATE, PilotProject, offline, pilot_project

from breakeven.routing.policy_file import load, save
from breakeven.web.page import Desk
from breakeven.web.pilot.room import room_of
from web.dashboards import client_of
from web.made_project import desk_of
from web.pages.page_words import until, words


@pytest.fixture
def made(tmp_path: Path) -> PilotProject:
    """A project folder without a pilot."""
    return pilot_project(tmp_path / "team")


@pytest.fixture
def desk(made: PilotProject) -> Desk:
    """Its desk."""
    return desk_of(made.project)


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    """Its client."""
    with client_of(desk) as found:
        yield found


def ordered(client: TestClient, order: str, name: str = "faq", *, query: str = "", **fields: str) -> str:
    """Confirm an order as a person does; where it leads."""
    address = f"/pilot/{name}/order/{order}{query}"
    page = client.get(address).text
    token, keeps = re.findall(r'name="(?:token|keeps_watch)" value="([^"]*)"', page)
    given = {"token": token, "keeps_watch": keeps, "typed": name, **fields}
    answer = client.post(address, data=given, follow_redirects=False)
    assert answer.status_code == 303, words(answer.text)
    return str(answer.headers["location"])


def steady(document: dict[str, object]) -> dict[str, object]:
    """A document without the moment at which it was made."""
    text = re.sub(r'"as_of": "[^"]*"', '"as_of": ""', json.dumps(document))
    return dict(json.loads(text))


def test_a_project_without_pilots_says_how_to_begin(client: TestClient) -> None:
    text = words(client.get("/pilot").text)
    assert "breakeven pilot init faq --baseline" in text and "--outcomes outcomes.csv" in text
    answer = client.get("/api/pilot")
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "PilotError")


def test_the_json_is_that_of_the_verb(made: PilotProject, client: TestClient) -> None:
    made.init()
    made.cli("start", "faq")
    made.serve(1.0, 300)
    told = json.loads(made.cli("status", "faq", "--json"))
    assert steady(client.get("/api/pilot").json()) == steady(told)
    assert steady(client.get("/api/pilot?pilot=faq").json()) == steady(client.get("/api/pilot/faq").json())
    told = json.loads(made.cli("verdict", "faq", "--json", code=None))
    assert told["verdict"]["sentence"] in words(client.get("/pilot").text)


def test_what_the_page_says_changes_with_the_files(made: PilotProject, desk: Desk, client: TestClient) -> None:
    made.init()
    made.cli("start", "faq")
    assert "No request of the trial has been read yet" in words(client.get("/pilot/faq").text)
    first = client.get("/pilot/faq/live")
    assert client.get("/pilot/faq/live", headers={"if-none-match": first.headers["etag"]}).status_code == 304
    made.serve(1.0, 200)
    until(lambda: "200 requests" in client.get("/pilot/faq/live").text)
    assert client.get("/pilot/faq/live", headers={"if-none-match": first.headers["etag"]}).status_code == 200
    until(lambda: "Evidence that the margin is kept" in client.get("/pilot/faq/live").text)
    assert 'role="img"' in client.get("/pilot/faq/live").text, "the charts are drawn"


def test_start_and_stop_say_what_they_do_and_do_it(made: PilotProject, client: TestClient) -> None:
    made.init()
    page = words(client.get("/pilot/faq/order/start").text)
    assert "Clients notice nothing" in page and f"{CANDIDATE} gets copies of 100 % of the requests of faq" in page
    assert "The policy file changes: no policy yet now, version" in page
    foretold = re.search(r"version ([0-9a-f]{12}) afterwards", page)
    assert foretold
    assert not (made.folder / "policy").exists(), "looking changes nothing"
    assert ordered(client, "start") == "/pilot/faq?done=start"
    assert load(made.folder / "policy").hash.startswith(foretold[1])
    assert "Done. Started: qwen3-8b gets copies" in words(client.get("/pilot/faq?done=start").text)
    assert "Nobody watches it" in words(client.get("/pilot/faq").text)
    ordered(client, "stop")
    assert made.trial is None
    text = words(client.get("/pilot/faq").text)
    assert "Ended: it ran from" in text and "order/stop" not in client.get("/pilot/faq").text


def test_a_canary_says_that_clients_notice(made: PilotProject, client: TestClient) -> None:
    made.init("chat", "--unit", "user", "--ramp", "1%,5%,20%", mode="canary")
    page = words(client.get("/pilot/chat/order/start").text)
    assert f"Clients notice it: {CANDIDATE} answers 1 % of the requests of faq, dealt by user" in page
    assert "rises in steps (1 %, 5 %, 20 %)" in page


def test_nothing_happens_without_the_name(made: PilotProject, client: TestClient) -> None:
    made.init()
    answer = client.post("/pilot/faq/order/start", data={"typed": "yes", "token": "x"})
    assert answer.status_code == 400 and "Type the pilot's name" in words(answer.text)
    assert not (made.folder / "policy").exists()
    assert client.post("/pilot/faq/order/nonsense", data={"typed": "faq"}).status_code == 404


def test_an_order_on_an_old_page_does_nothing(made: PilotProject, client: TestClient) -> None:
    made.init()
    page = client.get("/pilot/faq/order/start").text
    token = re.findall(r'name="token" value="([^"]*)"', page)[0]
    made.cli("start", "faq")
    answer = client.post("/pilot/faq/order/start", data={"typed": "faq", "token": token})
    assert answer.status_code == 409 and "runs already" in words(answer.text), "the words of the command line"
    page = client.get("/pilot/faq/order/stop").text
    token = re.findall(r'name="token" value="([^"]*)"', page)[0]
    save(replace(load(made.folder / "policy").document, created="2026-12-01"), made.folder / "policy")
    theirs = load(made.folder / "policy").hash
    answer = client.post("/pilot/faq/order/stop", data={"typed": "faq", "token": token})
    assert answer.status_code == 409 and "changed since you looked" in words(answer.text)
    assert load(made.folder / "policy").hash == theirs
    answer = client.post(
        "/pilot/faq/order/start", data={"typed": "faq", "token": token}, headers={"accept": "application/json"}
    )
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "PilotError")


def test_a_strangers_policy_is_named_and_restored(made: PilotProject, client: TestClient) -> None:
    made.init()
    made.cli("start", "faq")
    assert client.get("/pilot/faq/order/start").status_code == 409
    document = load(made.folder / "policy").document
    save(replace(document, trial=None, created="2026-12-01"), made.folder / "policy")
    until(lambda: "somebody swapped it" in words(client.get("/pilot/faq").text))
    assert 'order/restore"' in client.get("/pilot/faq").text
    assert "The trial goes into the policy that somebody else put in place" in words(
        client.get("/pilot/faq/order/restore").text
    )
    ordered(client, "restore")
    assert made.trial is not None
    made.init("other")
    answer = client.get("/pilot/other/order/start")
    assert answer.status_code == 409 and "has the trial of another pilot" in words(answer.text)


def test_a_yes_is_promoted_and_rolled_back(made: PilotProject, client: TestClient) -> None:
    made.init()
    made.cli("start", "faq")
    before = load(made.folder / "pilots/faq/policy-before").hash
    made.serve(1.0, 800)
    until(lambda: "Promote the candidate" in client.get("/pilot/faq").text)
    page = words(client.get("/pilot/faq/order/promote").text)
    assert f"{CANDIDATE} answers every request of faq in place of" in page
    assert "goes on judging the candidate's answers" in page
    assert "nobody judges" in words(client.get("/pilot/faq/order/promote?keep-watching=no").text)
    ordered(client, "promote")
    assert load(made.folder / "policy").route(task="faq").model == CANDIDATE
    until(lambda: "Promoted on" in client.get("/pilot/faq").text)
    ordered(client, "roll-back")
    assert load(made.folder / "policy").hash == before
    assert [each["event"] for each in client.get("/api/pilot").json()["journal"]] == [
        "started", "promoted", "rolled_back",
    ]  # fmt: skip


def test_watching_stops_a_bad_candidate_and_says_so(made: PilotProject, desk: Desk, client: TestClient) -> None:
    made.init()
    ordered(client, "start", watch="yes")
    until(lambda: "This dashboard watches it" in client.get("/pilot/faq/live").text)
    with pytest.raises(Exception, match="another `breakeven pilot run`"):
        made.cli("run", "faq", "--once")
    made.serve(0.6, 600)
    until(lambda: made.trial is None)
    until(lambda: not room_of(desk).find("faq").is_watched_here())
    until(lambda: "Ended: it ran from" in words(client.get("/pilot/faq").text))
    page = client.get("/pilot/faq").text
    assert "The verdict is no: " in words(page) and "The verdict is no: No" not in words(page)
    assert '<div class="tile muted">' in page and "Pays for itself" not in page


def test_an_order_is_given_while_the_dashboard_watches(made: PilotProject, desk: Desk, client: TestClient) -> None:
    made.init()
    ordered(client, "start", watch="yes")
    until(lambda: room_of(desk).find("faq").is_watched_here())
    ordered(client, "stop")
    assert made.trial is None and not room_of(desk).find("faq").is_watched_here()


def test_to_cancel_the_watch_stops_the_reading_not_the_traffic(
    made: PilotProject, desk: Desk, client: TestClient
) -> None:
    made.init()
    made.cli("start", "faq")
    client.post("/pilot/faq/watch")
    until(lambda: room_of(desk).find("faq").is_watched_here())
    job = room_of(desk).find("faq").watching()
    assert job is not None
    client.post(f"/jobs/{job.key}/cancel")
    until(lambda: job.state == "cancelled")
    assert made.trial is not None, "the trial goes on"
    made.cli("run", "faq", "--once", code=3)


def test_a_watch_elsewhere_is_seen_and_left_alone(made: PilotProject, client: TestClient) -> None:
    made.init()
    made.cli("start", "faq")
    command = [sys.executable, "-m", "breakeven.cli.main", "pilot", "run", "faq", "--every-s", "0.2", "--json"]
    with subprocess.Popen(command, cwd=made.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as other:
        try:
            until(lambda: "Another process watches it" in client.get("/pilot/faq/live").text, 60)
            answer = client.post("/pilot/faq/watch", headers={"accept": "application/json"})
            assert answer.status_code == 409
            token = re.findall(r'name="token" value="([^"]*)"', client.get("/pilot/faq/order/stop").text)[0]
            answer = client.post("/pilot/faq/order/stop", data={"typed": "faq", "token": token})
            assert answer.status_code == 409 and "stop it first (Ctrl-C)" in words(answer.text)
            assert made.trial is not None
        finally:
            other.kill()
    until(lambda: "Nobody watches it" in client.get("/pilot/faq/live").text)


def test_looking_at_files_promises_nothing_until_told_to(made: PilotProject, client: TestClient) -> None:
    offline(made, "evals", 0.7)
    assert "Its files have not been judged yet" in words(client.get("/pilot").text)
    assert not (made.folder / "pilots/evals/promised.json").exists()
    offline(made, "second", 1.0)
    text = words(client.get("/pilot").text)
    assert "2 pilots" in text and text.count("NOT JUDGED") == 2
    assert not (made.folder / "pilots/evals/promised.json").exists(), "a list promises nothing either"
    assert client.post("/pilot/evals/judge", follow_redirects=False).headers["location"] == "/pilot/evals?done=judge"
    assert (made.folder / "pilots/evals/promised.json").exists()
    assert "NO" in words(client.get("/pilot/evals").text)
    assert "Judged from files" in words(client.get("/pilot").text)


def test_a_pilot_that_cannot_be_read_is_named_and_hides_no_other(made: PilotProject, client: TestClient) -> None:
    made.init()
    made.init("second")
    (made.folder / "pilots/second/pilot.json").write_text("{")
    text = words(client.get("/pilot").text)
    assert "is no valid JSON" in text and "Not started" in text
    assert str(made.folder) not in client.get("/pilot").text
    answer = client.get("/pilot/second")
    assert answer.status_code == 400 and "is no valid JSON" in words(answer.text)
    assert str(made.folder) not in answer.text
    assert client.get("/pilot/..%2Fsecret").status_code in (400, 404)
    answer = client.get("/pilot/nobody")
    assert answer.status_code == 400 and "no pilot 'nobody'" in words(answer.text)


@pytest.mark.parametrize(
    ("kind", "begins"), [("html", b"<!doctype"), ("json", b"{"), ("md", b"#"), ("xlsx", b"PK"), ("yaml", b"")]
)
def test_reports_are_those_of_the_verb(kind: str, begins: bytes, made: PilotProject, client: TestClient) -> None:
    offline(made, "evals", 1.0, 300)
    client.post("/pilot/evals/judge")
    answer = client.get(f"/pilot/evals/report.{kind}")
    assert answer.status_code == 200 and answer.content.startswith(begins)
    assert answer.headers["content-disposition"].startswith("attachment;")
    if kind == "json":
        made.cli("report", "evals", "--out", str(made.folder / "told.json"))
        assert steady(answer.json()) == steady(json.loads((made.folder / "told.json").read_text()))
    assert client.get("/pilot/evals/report.exe").status_code == 404


def labels_page(client: TestClient) -> dict[str, str]:
    """The hidden fields of the label form."""
    return dict(
        re.findall(r'<input type="hidden" name="(who|item|again)" value="([^"]*)"', client.get("/pilot/faq/label").text)
    )


def test_labels_are_blind_and_kept_at_once(made: PilotProject, client: TestClient) -> None:
    made.init()
    made.cli("start", "faq")
    made.draw(4, answer="<script>alert(1)</script>\x1b[31m good")
    assert "Who labels?" in client.get("/pilot/faq/label").text
    assert client.post("/pilot/faq/label", data={"who": "  "}).status_code == 409
    client.post("/pilot/faq/label", data={"who": "ann"})
    page = client.get("/pilot/faq/label").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; good" in page and "<script>alert" not in page and "\x1b" not in page
    for secret in ("openai/gpt-5", CANDIDATE, "shadow", ">baseline<", "request_id"):
        assert secret not in page.split("<main")[1], f"{secret} tells whose answer it is"
    fields = labels_page(client)
    client.post("/pilot/faq/label", data={**fields, "success": "good"})
    assert [(each["labeller"], each["success"]) for each in made.labels] == [("ann", 1.0)]
    client.post("/pilot/faq/label", data={**fields, "success": "bad"})
    assert len(made.labels) == 1, "the first label counts"
    skipped = labels_page(client)
    client.post("/pilot/faq/label", data={**skipped, "success": "skip"})
    assert labels_page(client)["item"] not in (fields["item"], skipped["item"])
    assert client.post("/pilot/faq/label", data={"who": "ann", "item": "feed", "success": "good"}).status_code == 409
    assert client.post("/pilot/faq/label", data={**skipped, "success": "maybe"}).status_code == 409
    told = json.loads(made.cli("label", "faq", "--json", "--labeller", "ann"))
    assert client.get("/api/pilot/faq/label?labeller=ann").json() == told
    assert (told["labelled_count"], told["waiting_count"]) == (1, 3)


def test_a_link_puts_no_words_into_the_page(made: PilotProject, client: TestClient) -> None:
    made.init()
    made.draw(2)
    client.cookies.set("breakeven_labeller", "ann")
    assert "Send money" not in client.get("/pilot/faq/label?said=Send+money").text
    assert "Done." not in words(client.get("/pilot/faq?done=Send+money").text)


def test_a_refused_order_leaves_the_watch_as_it_was(made: PilotProject, desk: Desk, client: TestClient) -> None:
    made.init()
    ordered(client, "start", watch="yes")
    place = room_of(desk).find("faq")
    until(place.is_watched_here)
    answer = client.post("/pilot/faq/order/stop", data={"typed": "faq", "token": "of another day"})
    assert answer.status_code == 409
    until(place.is_watched_here)
    assert made.trial is not None


def test_two_people_at_once_lose_no_label(made: PilotProject, desk: Desk) -> None:
    made.init()
    made.cli("start", "faq")
    made.draw(60)
    seen: dict[str, list[str]] = {"ann": [], "bob": []}
    place = room_of(desk).find("faq")

    def work(who: str) -> None:
        while (item := place.labels.next_item(who)) is not None:
            seen[who].append(item.id)
            place.labels.label(who, item.id, 1.0)

    people = [threading.Thread(target=work, args=(who,)) for who in seen]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert set(seen["ann"]) | set(seen["bob"]) == {each.id for each in place.labels.queue().items}
    assert len(made.labels) == len(seen["ann"]) + len(seen["bob"]), "each label is on the disk"
    assert not place.labels.queue().waiting()


def test_an_answer_that_somebody_has_is_offered_to_nobody_else(made: PilotProject, desk: Desk) -> None:
    made.init()
    made.draw(2)
    labels = room_of(desk).find("faq").labels
    first, second = labels.next_item("ann"), labels.next_item("bob")
    assert first is not None and second is not None and first.id != second.id
    assert labels.next_item("cy") is None
    assert labels.label("bob", first.id, 0.0) == "Kept."
    assert "do not agree" in labels.label("ann", first.id, 1.0), "both labels are kept"
    assert len(made.labels) == 2
