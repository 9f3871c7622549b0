"""The Audit page and labelling in a real browser, with a keyboard and without a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from breakeven.audit.labels import label_file, read_labels
from breakeven.web.project import Project
from web.browser import CHROMIUM, opened, visit
from web.dashboards import server_of
from web.labelled_project import hostile_project
from web.made_project import desk_of

from .test_audit import run_audit

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from syrupy.assertion import SnapshotAssertion

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three tasks with hostile names and texts, audited."""
    project = hostile_project(tmp_path_factory.mktemp("audit-seen") / "team")
    run_audit(project)
    return project


@pytest.fixture(scope="module")
def address(hostile: Project) -> Iterator[str]:
    with server_of(desk_of(hostile)) as made:
        yield made


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (360, "light")])
def test_the_page(address: str, browser: Browser, width: int, scheme: str, snapshot: SnapshotAssertion) -> None:
    seen = visit(browser, f"{address}/audit", width, scheme)  # type: ignore[arg-type]
    seen.check()
    assert seen.outline == snapshot


def test_the_map_leads_to_a_task_by_keyboard(address: str, browser: Browser) -> None:
    with opened(browser, f"{address}/audit") as it:
        it.page.locator(".wide .task-map a").first.focus()
        it.page.keyboard.press("Enter")
        it.page.wait_for_url("**/audit/task?name=*")
        assert "A small model can do" in it.page.inner_text("main")
    visit(browser, f"{address}/audit/task?name=write+SQL", 360, "dark").check()


def test_labels_by_keys_and_undo(address: str, browser: Browser, hostile: Project) -> None:
    visit(browser, f"{address}/audit/label", 360, "light").check()
    with opened(browser, f"{address}/audit/label") as it:
        for number, key in enumerate("1s2u3", start=1):
            before = it.page.locator("input[name=call]").first.get_attribute("value")
            with it.page.expect_navigation():
                it.page.keyboard.press(key)
            after = it.page.locator("input[name=call]").first.get_attribute("value")
            assert after != before, number
    assert [each.judgement for each in read_labels(label_file(hostile.store))] == ["can", "unsure"]


def test_labels_without_a_script(address: str, browser: Browser, hostile: Project) -> None:
    known = len(read_labels(label_file(hostile.store)))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/audit/label")
    page.click("button.answer-2")
    assert "Your last one: it cannot" in page.inner_text("main")
    context.close()
    assert len(read_labels(label_file(hostile.store))) == known + 1
