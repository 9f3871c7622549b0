"""The routing page in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion

from web.browser import opened, visit
from web.made_project import LARGE, SMALL
from web.pages.at_hand import at_hand

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (360, "light")])
def test_the_page(browser: Browser, served: str, width: int, scheme: str, snapshot: SnapshotAssertion) -> None:
    seen = visit(browser, at_hand(f"{served}/routing?evaluate=outcomes.csv"), width, scheme).check()  # type: ignore[arg-type]
    assert seen.outline == snapshot


def test_the_box_answers_in_place(browser: Browser, served: str) -> None:
    with opened(browser, at_hand(f"{served}/routing")) as it:
        page = it.page
        before = page.url
        for task, model in (("faq", SMALL), ("contract", LARGE)):
            page.fill("#t-task", task)
            page.fill("#t-prompt", "Where is my parcel? <b>&</b>")
            page.get_by_role("button", name="Which model?").click()
            page.locator("#try-answer .said", has_text=f"{model} takes it.").wait_for()
        assert page.url == before
        it.seen(1280, "light", it.status).check()


def test_the_box_answers_without_a_script(browser: Browser, served: str) -> None:
    with opened(browser, at_hand(f"{served}/routing"), javascript=False) as it:
        page = it.page
        page.fill("#t-task", "contract")
        page.get_by_role("button", name="Which model?").click()
        assert page.locator("#try-answer .said").inner_text() == f"{LARGE} takes it."
