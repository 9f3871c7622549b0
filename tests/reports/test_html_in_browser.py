"""The HTML report in a real browser: nothing overflows, runs, loads or collides, from phone to wide, light and dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from breakeven.reports.html import render_html
from chart_collisions import COLLISIONS
from decision_documents import with_decision
from reports.many_options import many_options_document
from reports.sample_document import HOSTILE, hostile_document, one_option_document, sample_document

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium")
PAGES = {
    "sample": sample_document,
    "many": many_options_document,
    "hostile": hostile_document,
    "smallest": one_option_document,
    "decided": lambda: with_decision(sample_document()),
    "decided_many": lambda: with_decision(many_options_document()),
    "decided_hostile": lambda: with_decision(hostile_document(), words=lambda i: HOSTILE[i % len(HOSTILE)]),
}
CHARTS_COUNT = {"smallest": 4, "decided": 14, "decided_many": 14, "decided_hostile": 14}
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


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
    """The reports as files."""
    folder = tmp_path_factory.mktemp("reports")
    for name, document in PAGES.items():
        (folder / f"{name}.html").write_text(render_html(document()), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


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
        "charts": page.evaluate(
            "[...document.querySelectorAll('svg[role=img]')].filter(e => e.clientWidth > 0).length"
        ),
        "paper": page.evaluate("getComputedStyle(document.body).backgroundColor"),
        "line": page.evaluate("getComputedStyle(document.querySelector('.typical_A_marks path')).stroke"),
    }
    page.close()
    return measured


@pytest.mark.parametrize("width", [390, 760, 1000, 1600])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows_runs_or_loads(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    seen = look(browser, pages[name], width)
    assert seen["requests"] == [pages[name].as_uri()]
    assert seen["events"] == []
    assert seen["overflow_px"] <= 0
    assert seen["charts"] == CHARTS_COUNT.get(name, 7)


@pytest.mark.parametrize("width", [390, 760, 1200])
@pytest.mark.parametrize("name", ["sample", "many", "decided", "decided_many"])
def test_labels_do_not_collide(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    assert look(browser, pages[name], width)["collisions"] == []


def test_dark_swaps_the_colours_of_charts_too(browser: Browser, pages: dict[str, Path]) -> None:
    light, dark = (look(browser, pages["sample"], 1200, scheme) for scheme in ("light", "dark"))
    assert (light["paper"], dark["paper"]) == ("rgb(255, 255, 255)", "rgb(20, 24, 31)")
    assert (light["line"], dark["line"]) == ("rgb(43, 87, 224)", "rgb(134, 169, 255)")
