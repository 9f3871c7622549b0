"""Import in a real browser: dropping files, a plain form, progress, the report, and what it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.usage.store.glance import glance
from breakeven.usage.synthetic import write_synthetic_log
from breakeven.web.project import Project
from web.browser import opened, visit
from web.dashboards import server_of
from web.made_project import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DROP = """
([target, files]) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) carried.items.add(new File([text], name));
  for (const kind of ['dragenter', 'dragover', 'drop'])
    document.querySelector(target).dispatchEvent(
      new DragEvent(kind, {dataTransfer: carried, bubbles: true, cancelable: true}));
}
"""


@pytest.fixture
def own_served(empty_project: Project) -> Iterator[str]:
    """Address of a dashboard without calls."""
    with server_of(desk_of(empty_project)) as url:
        yield url


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A small log with three rows that are no calls."""
    path = tmp_path / "calls.jsonl"
    write_synthetic_log(path, calls_count=300)
    return path


def _report(page: Page) -> str:
    page.locator("main .verdict").wait_for(timeout=120_000)
    return page.inner_text("main .verdict")


def test_files_are_dropped_anywhere_on_the_page(browser: Browser, own_served: str, log: Path) -> None:
    with opened(browser, f"{own_served}/import") as it:
        it.page.evaluate(DROP, ["h1", [["calls.jsonl", log.read_text()], ["notes.txt", "hello"]]])
        it.page.locator(".chosen-files li").nth(1).wait_for()
        it.page.evaluate(DROP, ["h1", [[f"{number}.jsonl", "{}"] for number in range(201)]])
        said = "document.querySelector('#files').validationMessage"
        it.page.wait_for_function(f"{said} !== ''")
        assert it.page.evaluate(said).startswith("These are 201 files; at most 200 at once.")
        it.page.evaluate(DROP, ["h1", [["calls.jsonl", log.read_text()], ["notes.txt", "hello"]]])
        it.page.wait_for_function(f"{said} === ''")
        it.page.get_by_role("button", name="Import", exact=True).click()
        assert _report(it.page) == "303 rows in (breakeven) = 300 calls + 0 duplicates + 3 rejects"
        assert "not a log" in it.page.inner_text("main")
        assert it.seen(1280, "light", 200).check().overflow_px <= 0
        with it.page.expect_download() as found:
            it.page.get_by_role("link", name="Download all rejected rows").click()
        assert len(found.value.path().read_text().splitlines()) == 3


def test_the_plain_form_does_without_a_script(
    browser: Browser, own_served: str, empty_project: Project, log: Path
) -> None:
    with opened(browser, f"{own_served}/import", javascript=False) as it:
        it.page.get_by_label("Choose log files").set_input_files(log)
        it.page.get_by_role("button", name="Import", exact=True).click()
        for _ in range(120):
            if it.page.locator("main .verdict").count():
                break
            it.page.wait_for_timeout(500)
            it.page.reload()
        assert "300 calls" in _report(it.page)
        assert glance(empty_project.store).calls_count == 300
        assert it.page.get_by_role("link", name="Compare").get_attribute("href") == "/"


def test_a_wrong_choice_is_said_where_it_was_made(browser: Browser, own_served: str, log: Path) -> None:
    with opened(browser, f"{own_served}/import") as it:
        it.page.get_by_label("Choose log files").set_input_files(log)
        it.page.get_by_text("More: columns").click()
        it.page.get_by_label("Share of the calls").fill("1,5")
        it.page.get_by_role("button", name="Import", exact=True).click()
        it.page.locator(".sending .words", has_text="wanted a number").wait_for()
        assert it.page.get_by_role("button", name="Import", exact=True).is_enabled()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (360, "light")])
def test_the_page_is_sound(
    browser: Browser, served_compared: str, own_served: str, snapshot: SnapshotAssertion, width: int, scheme: str
) -> None:
    for address in (own_served, served_compared):
        seen = visit(browser, f"{address}/import", width, scheme).check()  # type: ignore[arg-type]
        assert seen.outline == snapshot
