"""The frame in a real browser: colours, keyboard, progress, signing in, paper, and a project without anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.errors import ScenarioError
from breakeven.web import app as app_module
from breakeven.web.access import Access, Sealed, token_digest
from breakeven.web.app import discover_pages
from breakeven.web.frame import url_of
from breakeven.web.jobs import Job, Say
from breakeven.web.page import Ask, Page, View
from breakeven.web.project import Project
from breakeven.web.shelf import Recipe
from web.browser import Scheme, opened, visit
from web.dashboards import server_of
from web.made_project import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

PAGES = discover_pages()
PASSWORD, TOKEN = "correct horse battery", "a-token-of-some-length-42"
VIEWS: tuple[tuple[int, Scheme], ...] = ((360, "light"), (800, "dark"), (1280, "light"), (1600, "dark"))


class Slow:
    """A page whose document waits until a test lets it go on."""

    def __init__(self) -> None:
        self.go, self.said, self.fails = threading.Event(), threading.Event(), False

    def reset(self) -> None:
        self.go, self.said, self.fails = threading.Event(), threading.Event(), False

    def view(self, ask: Ask) -> View | Job:
        """The document of the name in the address."""
        found = ask.desk.shelf.take(Recipe("slow", "Comparing the options", (ask.query["x"],), self._make), 0)
        return found if isinstance(found, Job) else View("empty.html.j2", {"title": "It is there"})

    def _make(self, say: Say) -> str:
        go, fails = self.go, self.fails
        say("reading 12 of 400 files")
        self.said.set()
        while not go.wait(0.05):
            say("reading 12 of 400 files")
        if fails:
            raise ScenarioError("scenario.yaml:3: no such fact 'gpu_rent'; nearest is 'gpu_rent_usd_per_gpu_hour'")
        return "made"


@pytest.fixture(scope="module")
def slow() -> Slow:
    return Slow()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, slow: Slow) -> Iterator[str]:
    """A project with nothing in it, and the slow page."""
    with pytest.MonkeyPatch.context() as patch:
        page = Page("slow", "Slow", 50, "how long it takes", slow.view)
        patch.setattr(app_module, "discover_pages", lambda: (*PAGES, page))
        with server_of(desk_of(Project.at(tmp_path_factory.mktemp("team") / "new-team"))) as address:
            yield address


@pytest.fixture(autouse=True)
def _fresh(slow: Slow) -> Iterator[None]:
    slow.reset()
    yield
    slow.go.set()


@pytest.mark.parametrize(("number", "name"), list(enumerate(each.name for each in PAGES)))
def test_a_project_without_anything(browser: Browser, url: str, number: int, name: str) -> None:
    width, scheme = VIEWS[number % len(VIEWS)]
    visit(browser, url + url_of(PAGES, name), width, scheme).check()


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_the_frame_has_this_structure(browser: Browser, url: str, width: int, snapshot: SnapshotAssertion) -> None:
    seen = visit(browser, f"{url}/no-such-page", width, axe=width == 360).check(404)
    assert seen.outline == snapshot


def test_the_colours_follow_the_system_until_somebody_chooses(browser: Browser, url: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(255, 255, 255)", "rgb(20, 24, 31)"
    for scheme, as_system, chosen, other in (("light", light, "Dark", dark), ("dark", dark, "Light", light)):
        with opened(browser, f"{url}/usage", 1280, scheme) as it:
            assert it.page.evaluate(paper) == as_system
            it.page.get_by_role("button", name=chosen, exact=True).click()
            it.page.wait_for_url("**/usage")
            assert it.page.evaluate(paper) == other
            assert it.page.get_by_role("button", name=chosen, exact=True).get_attribute("aria-pressed") == "true"
            it.page.goto(f"{url}/facts")  # it is remembered
            assert it.page.evaluate(paper) == other
            it.page.get_by_role("button", name="Auto", exact=True).click()
            assert it.page.evaluate(paper) == as_system
            assert it.console == []


def test_the_colours_can_be_chosen_without_javascript(browser: Browser, url: str) -> None:
    with opened(browser, f"{url}/usage?x=1", javascript=False) as it:
        it.page.get_by_role("button", name="Dark", exact=True).click()
        assert it.page.url == f"{url}/usage?x=1"
        assert it.page.locator("html").get_attribute("data-theme") == "dark"


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, url: str) -> None:
    with opened(browser, f"{url}/usage") as it:
        focus = "[document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]"
        it.page.keyboard.press("Tab")
        assert it.page.evaluate(focus) == ["Skip to the page", "solid"]
        assert it.page.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
        seen = []
        for _ in range(2 + len(PAGES) + 3):
            it.page.keyboard.press("Tab")
            text, outline = it.page.evaluate(focus)
            assert outline == "solid", text
            seen.append(text)
        assert seen[0] == "breakeven"
        assert seen[1:] == [
            *(each.title for each in PAGES if each.place_count < 90),
            "Slow",
            *(each.title for each in PAGES if each.place_count >= 90),
            *("Auto", "Light", "Dark"),
        ]
        it.page.locator(".skip").focus()
        it.page.keyboard.press("Enter")
        assert it.page.evaluate("document.activeElement.id") == "main"


def test_progress_shows_itself_and_the_page_comes_back(browser: Browser, url: str, slow: Slow) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/slow?x=back")
    page.get_by_text("reading 12 of 400 files").first.wait_for()
    page.get_by_text("Every figure is computed on this machine").wait_for()
    assert page.locator("#jobs [data-job]").count() == 1
    slow.go.set()
    page.get_by_role("heading", name="It is there").wait_for()
    assert page.locator("#jobs").is_hidden()
    context.close()


def test_a_page_that_waits_shuts_nobody_out(browser: Browser, url: str) -> None:
    width, scheme = 1280, "dark"
    with opened(browser, f"{url}/slow?x=axe{width}", width, scheme, waits=False) as it:
        it.page.locator("[data-wait] .words", has_text="reading 12").wait_for()
        it.seen(width, scheme, 200).check()


def test_a_job_can_be_cancelled_on_any_page_and_tried_again(browser: Browser, url: str, slow: Slow) -> None:
    with opened(browser, f"{url}/slow?x=cancel", waits=False) as it:
        it.page.goto(f"{url}/no-such-page")
        it.page.get_by_role("button", name="Cancel Comparing the options").click()
        it.page.locator("#jobs").wait_for(state="hidden")
        it.page.goto(f"{url}/slow?x=cancel")
        it.page.get_by_role("heading", name="Comparing the options: cancelled").wait_for()
        slow.go.set()
        it.page.get_by_role("button", name="Try again").click()
        it.page.get_by_role("heading", name="It is there").wait_for()
        assert it.page.url == f"{url}/slow?x=cancel"


def test_a_failure_says_why(browser: Browser, url: str, slow: Slow) -> None:
    slow.fails = True
    slow.go.set()
    with opened(browser, f"{url}/slow?x=fails", waits=False) as it:
        it.page.get_by_role("heading", name="Comparing the options: it did not work").wait_for()
        seen = it.seen(1280, "light", 500).check(500)
    assert "no such fact 'gpu_rent'; nearest is 'gpu_rent_usd_per_gpu_hour'" in seen.text
    assert "Try again" in seen.text


def test_without_javascript_a_page_that_waits_comes_back_as_well(browser: Browser, url: str, slow: Slow) -> None:
    with opened(browser, f"{url}/slow?x=plain", javascript=False) as it:
        assert it.page.get_by_role("heading", name="Comparing the options").is_visible()
        assert slow.said.wait(10)
        slow.go.set()
        it.page.get_by_role("heading", name="It is there").wait_for()


def test_signing_in_and_out(browser: Browser, tmp_path: Path) -> None:
    width, scheme = 360, "dark"
    access = Access(Sealed.of(PASSWORD), None, "breakeven_ui_1")
    with (
        server_of(desk_of(Project.at(tmp_path / "acme")), access) as closed,
        opened(browser, f"{closed}/usage?show=spend", width, scheme) as it,
    ):
        assert it.page.title() == "Sign in · breakeven"
        it.seen(width, scheme, 200).check()
        it.page.get_by_label("Password").fill("a guess of mine")
        it.page.keyboard.press("Enter")
        assert it.page.get_by_role("alert").inner_text() == "That is not it."
        it.page.get_by_label("Password").fill(PASSWORD)
        it.page.get_by_role("button", name="Sign in").click()
        it.page.wait_for_url("**/usage?show=spend")
        it.page.get_by_role("button", name="Sign out").click()
        it.page.wait_for_url("**/login")
        it.page.goto(f"{closed}/facts")
        assert it.page.title() == "Sign in · breakeven"


def test_a_link_on_another_site_opens_the_page_for_who_has_signed_in(browser: Browser, tmp_path: Path) -> None:
    access = Access(Sealed.of(PASSWORD), token_digest(TOKEN), "breakeven_ui_1")
    with server_of(desk_of(Project.at(tmp_path / "acme")), access) as closed:
        for address in (f"{closed}/usage?token={TOKEN}", f"{closed}/facts?x=1"):
            with opened(browser, "about:blank", waits=False) as it:
                it.page.route("http://mail.example/**", partial(answer, link_to(address)))
                if "token" not in address:
                    it.page.goto(f"{closed}/usage?token={TOKEN}")
                it.page.goto("http://mail.example/")
                it.page.get_by_role("link", name="the dashboard").click()
                it.page.get_by_role("button", name="Sign out").wait_for()
                assert TOKEN not in it.page.url
                it.page.goto("http://mail.example/")
                it.page.get_by_role("button", name="win a prize").click()
                it.page.get_by_text("Another site sent this form. Nothing was changed.").wait_for()


def answer(body: str, route: Route) -> None:
    route.fulfill(body=body, content_type="text/html")


def link_to(address: str) -> str:
    """A page of another site: a link, and a form that it would like to send."""
    home = "/".join(address.split("/")[:3])
    return (
        f'<html><body><a href="{address}">the dashboard</a>'
        f'<form method="post" action="{home}/theme"><button name="theme" value="dark">win a prize</button></form>'
        "</body></html>"
    )


def test_paper_shows_the_page_alone(browser: Browser, url: str) -> None:
    with opened(browser, f"{url}/usage", 1280, "dark") as it:
        it.page.emulate_media(media="print")
        assert not it.page.locator("header.side").is_visible()
        assert it.page.locator("h1").is_visible()
        assert it.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
