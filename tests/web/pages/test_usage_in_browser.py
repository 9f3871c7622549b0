"""The Usage page in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from breakeven.web.project import Project
from web.browser import CHROMIUM, opened, visit
from web.dashboards import server_of
from web.made_project import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from syrupy.assertion import SnapshotAssertion

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_page(served: str, browser: Browser, width: int, scheme: str, snapshot: SnapshotAssertion) -> None:
    seen = visit(browser, f"{served}/usage", width, scheme)  # type: ignore[arg-type]
    seen.check()
    assert seen.outline == snapshot


def test_every_view_is_a_link(served: str, browser: Browser) -> None:
    with opened(browser, f"{served}/usage") as it:
        it.page.click("nav.tabs >> text=Spend")
        it.page.click("nav.tabs >> text=by provider")
        assert "show=spend" in it.page.url and "by=provider" in it.page.url
        assert it.page.locator(".views [aria-current]").all_inner_texts() == ["Spend", "by provider"]


def test_the_empty_page(empty_project: Project, browser: Browser) -> None:
    with server_of(desk_of(empty_project)) as address:
        visit(browser, f"{address}/usage", 360).check()
