"""Pilot page in a real browser: it keeps itself up to date, and is worked by keyboard or without script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.web.pages.pilot_parts import PilotProject, offline, pilot_project

from web.browser import opened, visit
from web.dashboards import server_of
from web.made_project import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PilotProject:
    """A pilot that runs, with answers to label."""
    found = pilot_project(tmp_path_factory.mktemp("pilots") / "support-desk")
    found.init("faq", "--migration-usd", "30000")
    found.cli("start", "faq")
    found.serve(1.0, 60)
    found.draw(5)
    return found


@pytest.fixture(scope="module")
def url(made: PilotProject) -> Iterator[str]:
    """Its dashboard."""
    with server_of(desk_of(made.project)) as found:
        yield found


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_running_pilot(width: int, scheme: str, url: str, browser: Browser, snapshot: SnapshotAssertion) -> None:
    with opened(browser, f"{url}/pilot", width, scheme) as it:  # type: ignore[arg-type]
        it.page.locator("#quality svg[role=img]:visible").first.wait_for(timeout=60_000)
        seen = it.seen(width, scheme, it.status)  # type: ignore[arg-type]
    seen.check()
    assert seen.outline == snapshot


@pytest.mark.parametrize("path", ["/pilot/faq/order/stop", "/pilot/faq/label"])
def test_pages_around_it(path: str, url: str, browser: Browser, snapshot: SnapshotAssertion) -> None:
    assert visit(browser, url + path, 360, "light").check().outline == snapshot


def test_what_comes_is_shown_without_a_reload(made: PilotProject, url: str, browser: Browser) -> None:
    with opened(browser, f"{url}/pilot/faq") as it:
        it.page.get_by_role("link", name="Stop…").focus()
        it.page.evaluate("window.kept = true")
        made.serve(1.0, 40, seed=3)
        it.page.get_by_text("; 100 requests").first.wait_for(timeout=60_000)
        assert it.page.evaluate("window.kept"), "the page was not loaded again"
        assert it.page.evaluate("document.activeElement.textContent") == "Stop…", "and the focus stayed"
        pause = it.page.get_by_role("button", name="Pause")
        pause.click()
        assert it.page.get_by_role("button", name="Go on").get_attribute("aria-pressed") == "true"
        assert (it.console, it.failed, it.outside) == ([], [], [])


def test_labels_by_keyboard(made: PilotProject, url: str, browser: Browser) -> None:
    with opened(browser, f"{url}/pilot/faq/label") as it:
        page = it.page
        page.get_by_label("Who labels?").fill("y n")  # keys meant for a field press no button
        page.keyboard.press("Enter")
        for key, said in (("y", "Kept."), ("n", "Kept."), ("s", "Skipped.")):
            page.get_by_role("button", name="Good", exact=False).first.wait_for()
            page.keyboard.press(key)
            page.get_by_role("status").filter(has_text=said).first.wait_for()
        assert [(each["labeller"], each["success"]) for each in made.labels] == [("y n", 1.0), ("y n", 0.0)]
        assert (it.console, it.failed) == ([], [])


def test_everything_works_without_script(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> None:
    made = pilot_project(tmp_path_factory.mktemp("plain") / "team")
    made.init("faq")
    offline(made, "evals", 0.7, 300)
    with server_of(desk_of(made.project)) as url, opened(browser, f"{url}/pilot", javascript=False) as it:
        page = it.page
        page.get_by_role("link", name="faq").click()
        page.get_by_role("link", name="Start…").click()
        page.get_by_label("To confirm, type the pilot's name").fill("faq")
        page.get_by_label("Watch it from this dashboard").uncheck()
        page.get_by_role("button", name="Start").click()
        page.get_by_text("Done. Started").first.wait_for()
        assert made.trial is not None
        page.goto(f"{url}/pilot/evals")
        page.get_by_role("button", name="Read the files and judge").click()
        page.get_by_text("NO", exact=True).first.wait_for()
