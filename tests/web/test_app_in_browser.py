"""Every page in a real browser, from phone to wide, light and dark: nothing overflows, complains or shuts out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from breakeven.web.app import discover_pages
from breakeven.web.frame import url_of
from breakeven.web.project import Project
from web.browser import Scheme, visit
from web.dashboards import server_of
from web.made_project import desk_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGES = discover_pages()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_of(desk_of(Project.at(tmp_path_factory.mktemp("new-team")))) as url:
        yield url


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (800, "dark"), (1280, "light")])
@pytest.mark.parametrize("name", [each.name for each in PAGES])
def test_a_project_without_anything(browser: Browser, empty: str, name: str, width: int, scheme: Scheme) -> None:
    visit(browser, empty + url_of(PAGES, name), width, scheme).check()
