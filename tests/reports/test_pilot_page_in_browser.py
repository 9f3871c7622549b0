"""The pilot's page in a real browser: nothing overflows, runs, loads or collides; dark swaps colours; prints short."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
from tests.reports.test_html_in_browser import CHROMIUM, COLLISIONS

from breakeven.reports.pilot_page import render_pilot_html
from reports.made_pilots import PILOTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
PRINTED_MAX_PAGES = {"yes": 2, "not_yet": 2, "no": 2, "offline": 2, "designed": 1}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, the distribution's own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages as files."""
    folder = tmp_path_factory.mktemp("pilots")
    for name, document in PILOTS.items():
        (folder / f"{name}.html").write_text(render_pilot_html(document()), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PILOTS}


def look(browser: Browser, path: Path, width: int, scheme: Any = "light") -> dict[str, Any]:
    """Open the page and measure it."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    requests: list[str] = []
    events: list[str] = []
    page.on("request", lambda each: requests.append(each.url))
    page.on("console", lambda each: events.append(each.text))
    page.on("dialog", lambda each: events.append(each.message))
    page.goto(path.as_uri())
    measured = {
        "requests": requests,
        "events": events,
        "overflow_px": page.evaluate("document.documentElement.scrollWidth - window.innerWidth"),
        "collisions": page.evaluate(COLLISIONS),
        "paper": page.evaluate("getComputedStyle(document.body).backgroundColor"),
        "answer": page.evaluate("getComputedStyle(document.querySelector('.answer')).color"),
    }
    page.close()
    return measured


@pytest.mark.parametrize("width", [390, 760, 1120])
@pytest.mark.parametrize("name", PILOTS)
def test_nothing_overflows_runs_loads_or_collides(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    seen = look(browser, pages[name], width)
    assert seen["requests"] == [pages[name].as_uri()]
    assert seen["events"] == []
    assert seen["overflow_px"] <= 0
    assert seen["collisions"] == []


def test_dark_swaps_the_colours(browser: Browser, pages: dict[str, Path]) -> None:
    light, dark = (look(browser, pages["yes"], 1120, scheme) for scheme in ("light", "dark"))
    assert (light["paper"], dark["paper"]) == ("rgb(255, 255, 255)", "rgb(20, 24, 31)")
    assert light["answer"] != dark["answer"]


@pytest.mark.parametrize("name", PRINTED_MAX_PAGES)
def test_it_prints_on_one_or_two_pages(browser: Browser, pages: dict[str, Path], name: str) -> None:
    page = browser.new_page()
    page.goto(pages[name].as_uri())
    printed = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    assert len(printed) <= PRINTED_MAX_PAGES[name]
    printed.close()
    page.close()
