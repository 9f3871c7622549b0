"""The application: pages at their paths, jobs that show how far they are, errors in the words of the command line."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from breakeven.errors import EditConflict, ScenarioError
from breakeven.web import app as app_module
from breakeven.web.app import discover_pages
from breakeven.web.frame import url_of
from breakeven.web.guard import is_local_path
from breakeven.web.jobs import Job, Say
from breakeven.web.page import Ask, Desk, Page, View
from breakeven.web.project import Project
from breakeven.web.readiness import COMPILES, words_of_first_time
from breakeven.web.replies import api_route, page_reply
from breakeven.web.shelf import Recipe
from web.dashboards import client_of
from web.made_project import desk_of

PAGES = discover_pages()
Probe = Callable[[Ask], View | Job]


@pytest.fixture
def new_desk(empty_project: Project) -> Desk:
    return desk_of(empty_project)


def probing(view: Probe, *routes: Route) -> pytest.MonkeyPatch:
    """One more page, at /probe."""
    patch = pytest.MonkeyPatch()
    page = Page("probe", "Probe", 50, "what a test asks", view, routes)
    patch.setattr(app_module, "discover_pages", lambda: (*PAGES, page))
    return patch


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """Lets work go on; in the end in any case."""
    event = threading.Event()
    yield event
    event.set()


def test_every_page_of_the_folder_is_in_the_navigation_and_answers(new_desk: Desk) -> None:
    with client_of(new_desk) as client:
        for page in PAGES:
            answer = client.get(url_of(PAGES, page.name))
            assert answer.status_code == 200
            assert f"<title>{page.title}" in answer.text or page.title in answer.text
            assert answer.text.count('aria-current="page"') == 1
            for other in PAGES:
                assert f'href="{url_of(PAGES, other.name)}"' in answer.text


def test_names_of_pages_are_places(new_desk: Desk) -> None:
    names = [page.name for page in PAGES]
    assert len(set(names)) == len(names)
    assert names[0] == "verdict"
    assert url_of(PAGES, "verdict", volume="5B", gpu=None) == "/?volume=5B"
    assert url_of(PAGES, "usage", tab="days & nights") == "/usage?tab=days+%26+nights"


def test_made_up_calls_are_said_to_be_on_every_page(client: TestClient, new_desk: Desk) -> None:
    assert "Synthetic data." in client.get("/no-such-page").text
    with client_of(new_desk) as other:
        assert "Synthetic data." not in other.get("/no-such-page").text


def test_a_page_that_is_not_there_says_so(new_desk: Desk) -> None:
    with client_of(new_desk) as client:
        answer = client.get("/prices")
        assert answer.status_code == 404
        assert "There is no page /prices here." in answer.text
        assert client.get("/api/prices").json()["error"]["message"] == "There is no page /api/prices here."


@pytest.mark.parametrize(
    ("error", "status"), [(ScenarioError("SEEN/scenario.yaml:3: no such fact"), 400), (EditConflict("two edits"), 409)]
)
def test_errors_speak_as_the_command_line_does(new_desk: Desk, error: Exception, status: int) -> None:
    folder = str(new_desk.project.folder)
    error.args = tuple(str(each).replace("SEEN", folder) for each in error.args)

    def view(_ask: Ask) -> View:
        raise error

    patch = probing(view, api_route("/api/probe", lambda _: view(_) and ""))
    with patch.context(), client_of(new_desk) as client:
        page, script = client.get("/probe"), client.get("/api/probe")
    patch.undo()
    words = str(error).replace(f"{folder}/", "")
    assert (page.status_code, script.status_code) == (status, status)
    assert words in page.text
    assert script.json() == {"error": {"type": type(error).__name__, "message": words}}
    assert folder not in page.text + script.text


def test_hostile_words_stay_words(new_desk: Desk) -> None:
    def view(_ask: Ask) -> View:
        raise ScenarioError("<script>alert(1)</script>\u202e\x1b[31m")

    patch = probing(view)
    with client_of(new_desk) as client:
        text = client.get("/probe").text + client.get("/<script>alert(2)</script>").text
    patch.undo()
    assert "<script>alert" not in text
    assert "\u202e" not in text and "\x1b" not in text


def waits_for(desk: Desk, go: threading.Event, said: threading.Event) -> Probe:
    """A page whose document takes until `go`."""

    def make(say: Say) -> str:
        say("reading 12 of 400 files")
        said.set()
        while not go.wait(0.01):
            say("reading 12 of 400 files")
        if go.is_set() and getattr(go, "fails", False):
            raise ScenarioError(f"{desk.project.scenario}:3: no such fact")
        return "the document"

    recipe = Recipe("probe", "Comparing the options", ("calls",), make)

    def view(ask: Ask) -> View | Job:
        found = ask.desk.shelf.take(recipe, 0)
        if isinstance(found, Job):
            return found
        return View("empty.html.j2", {"title": found})

    return view


def test_long_work_says_how_far_it_is_and_the_page_comes_back(new_desk: Desk, go: threading.Event) -> None:
    said = threading.Event()
    patch = probing(waits_for(new_desk, go, said))
    with client_of(new_desk) as client:
        first = client.get("/probe")
        assert said.wait(10)
        text = client.get("/probe").text
        assert "Comparing the options" in first.text
        assert "reading 12 of 400 files" in text
        assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in text
        (job,) = client.get("/api/jobs").json()["jobs"]
        assert (job["state"], job["words"], job["name"]) == ("running", "reading 12 of 400 files", "probe")
        assert client.get(f"/api/jobs/{job['key']}").json()["title"] == "Comparing the options"
        assert f'data-job="{job["key"]}"' in client.get("/no-such-page").text  # the strip is on every page
        go.set()
        assert new_desk.jobs.find(job["key"]).wait(10)  # type: ignore[union-attr]
        done = client.get("/probe").text
        assert "the document" in done
        assert "data-wait" not in done and "data-job" not in done
    patch.undo()


def test_work_can_be_cancelled_and_tried_again(new_desk: Desk, go: threading.Event) -> None:
    said = threading.Event()
    patch = probing(waits_for(new_desk, go, said))
    with client_of(new_desk) as client:
        client.get("/probe?x=1")
        assert said.wait(10)
        (job,) = new_desk.jobs.running()
        answer = client.post(f"/jobs/{job.key}/cancel", data={"next": "/probe?x=1"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/probe?x=1")
        assert job.wait(10)
        text = client.get("/probe?x=1").text
        assert "cancelled" in text and f"/jobs/{job.key}/retry" in text and 'value="/probe?x=1"' in text
        said.clear()
        again = client.post(f"/jobs/{job.key}/retry", headers={"accept": "application/json"}).json()
        assert again["key"] != job.key
        assert said.wait(10)
        go.set()
        assert new_desk.jobs.find(again["key"]).wait(10)  # type: ignore[union-attr]
        assert "the document" in client.get("/probe").text
    patch.undo()


def test_work_that_failed_says_why_and_what_next(new_desk: Desk, go: threading.Event) -> None:
    go.fails = True  # type: ignore[attr-defined]
    go.set()
    view = waits_for(new_desk, go, threading.Event())

    def document(ask: Ask) -> str | Job:
        shown = view(ask)
        assert isinstance(shown, Job)
        shown.wait(10)
        return shown

    patch = probing(view, api_route("/api/probe", document))
    with client_of(new_desk) as client:
        script = client.get("/api/probe")
        page = client.get("/probe")
    patch.undo()
    assert (page.status_code, script.status_code) == (400, 400)
    assert "scenario.yaml:3: no such fact" in page.text
    assert "ScenarioError" not in page.text
    assert "Try again" in page.text
    assert script.json()["job"]["error"] == "scenario.yaml:3: no such fact"
    assert str(new_desk.project.folder) not in page.text + script.text


def test_work_that_failed_by_a_mistake_of_ours_is_no_fault_of_who_asks(new_desk: Desk) -> None:
    def work(_say: Say) -> str:
        raise ZeroDivisionError("a slip")

    def view(ask: Ask) -> Job:
        job = ask.desk.jobs.start("slip", "Slipping", work)
        job.wait(10)
        return job

    patch = probing(view, api_route("/api/probe", view))
    with client_of(new_desk) as client:
        page, script = client.get("/probe"), client.get("/api/probe")
    patch.undo()
    assert (page.status_code, script.status_code) == (500, 500)


def test_work_that_failed_is_told_in_the_lines_of_its_error(new_desk: Desk) -> None:
    said = "checks.yaml:3: no such check\n  - regex: <b>\n          ^"

    def work(_say: Say) -> str:
        raise ScenarioError(said)

    def view(ask: Ask) -> Job:
        job = ask.desk.jobs.start("lines", "Reading the checks", work)
        job.wait(10)
        return job

    patch = probing(view)
    with client_of(new_desk) as client:
        page = client.get("/probe").text
    patch.undo()
    assert f'<p class="said in-file">{html.escape(said)}</p>' in page


def test_a_script_is_told_that_work_was_cancelled(new_desk: Desk) -> None:
    job = Job("rows", "Reading the rows", state="cancelled", is_refused=True)
    patch = probing(lambda _: job, api_route("/api/probe", lambda _: job))
    with client_of(new_desk) as client:
        script = client.get("/api/probe")
    patch.undo()
    assert script.status_code == 409
    assert script.json()["error"]["message"] == "Reading the rows: cancelled before it was done"
    assert script.json()["job"]["key"] == job.key


def test_work_that_is_done_while_its_page_is_written_is_not_said_to_be_cancelled(new_desk: Desk) -> None:
    def view(ask: Ask) -> View | Job:
        job = ask.desk.jobs.start("quick", "Drawing the curves", lambda _: "drawn")
        job.wait(10)
        return job

    patch = probing(view)
    with client_of(new_desk) as client:
        text = client.get("/probe").text
    patch.undo()
    assert "cancelled" not in text
    assert "data-wait" in text


@pytest.mark.parametrize("path", ["/usage", "/audit", "/fleet", "/routing", "/pilot"])
def test_an_empty_page_says_where_to_see_a_filled_one(path: str, empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        page = client.get(path).text
    assert "breakeven ui --story support" in page
    assert page.index("breakeven ui --story support") > page.index('class="command"'), "its own command comes first"


def test_jobs_that_nobody_knows_are_not_there(new_desk: Desk) -> None:
    with client_of(new_desk) as client:
        assert client.get("/api/jobs/nothing").status_code == 404
        assert client.post("/jobs/nothing/cancel").status_code == 404
        assert client.post("/jobs/nothing/retry").status_code == 404
        assert client.get("/jobs/nothing/cancel").status_code in (404, 405)


def test_a_route_of_a_page_answers_in_its_frame(new_desk: Desk) -> None:
    async def more(request: Request) -> Response:
        return await page_reply(request, "probe", View("empty.html.j2", {"title": "One day"}, 200))

    patch = probing(lambda _: View("empty.html.j2"), Route("/probe/day", more))
    with client_of(new_desk) as client:
        text = client.get("/probe/day").text
    patch.undo()
    assert "One day" in text
    assert '<a href="/probe" aria-current="page">' in text


def test_the_choice_of_colours_is_remembered(new_desk: Desk) -> None:
    with client_of(new_desk) as client:
        assert 'data-theme="auto"' in client.get("/").text
        client.post("/theme", data={"theme": "dark", "next": "/usage"})
        assert 'data-theme="dark"' in client.get("/").text
        client.post("/theme", data={"theme": '"><script>', "next": "/usage"})
        assert 'data-theme="dark"' in client.get("/").text
        client.cookies.clear()
        assert 'data-theme="auto"' in client.get("/", headers={"cookie": "breakeven_theme=<script>"}).text


@pytest.mark.parametrize(
    ("path", "stays"),
    [("/", True), ("/usage?x=1#y", True), ("//evil", False), ("/\\evil", False), ("evil", False), ("/\t/evil", False)],
)
def test_what_stays_here(path: str, stays: bool) -> None:
    assert is_local_path(path) is stays


def test_static_files_change_their_address_with_what_is_in_them(new_desk: Desk) -> None:
    import re

    with client_of(new_desk) as client:
        addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/").text)
        assert len(addresses) >= 4
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
        css = client.get("/static/report.css").text
    assert css.startswith("@layer report {")
    assert css.count("{") == css.count("}")
    assert ':root[data-theme="dark"] .chart [fill="#ffffff"]' in css
    assert "\nnav " not in css


def test_who_waits_is_told_that_the_first_time_compiles(tmp_path: Path) -> None:
    assert words_of_first_time(lambda: tmp_path) == COMPILES
    (tmp_path / "kernel._add-17.py311.nbi").write_text("")
    assert words_of_first_time(lambda: tmp_path) == ""
    assert words_of_first_time(lambda: None) == ""
