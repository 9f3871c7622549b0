"""Browser: a page of the dashboard as a person sees it: what overflows, collides, complains, or shuts somebody out.

With BREAKEVEN_SHOTS=FOLDER in the environment every page that is visited leaves its picture there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from chart_collisions import COLLISIONS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Response

Scheme = Literal["light", "dark"]
CHROMIUM: Final = shutil.which("chromium")
HEIGHT_PX: Final = 900
WORK_MS: Final = 180_000
"""How long a page may wait for its work in a test; nothing is timed by it."""

OVERFLOW: Final = "document.documentElement.scrollWidth - window.innerWidth"
AXE_RUN: Final = """
async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter(each => ['serious', 'critical'].includes(each.impact))
  .flatMap(each => each.nodes.map(node => `${each.id}: ${node.html.slice(0, 160)} (${node.failureSummary})`))
"""
OUTLINE: Final = """
() => {
  const twelfth = (x) => Math.round((x / document.documentElement.clientWidth) * 12);
  const words = (text) => (text ?? '').replace(/\\s+/g, ' ').trim();
  const named = (each) => words(each.getAttribute('aria-label') || (each.getAttribute('aria-labelledby') || '')
    .split(' ').map(id => document.getElementById(id)?.textContent ?? '').join(' '));
  const lines = [];
  for (const each of document.body.querySelectorAll(
    'header, nav, main, footer, section, form, h1, h2, h3, table, svg[role=img], button, a.button, input, select, ' +
    'textarea, [role=region], [role=alert], [role=note], dl, summary, dialog')) {
    const box = each.getBoundingClientRect();
    if (!each.checkVisibility({checkVisibilityCSS: true}) || box.width < 2 || each.type === 'hidden') continue;
    let depth = 0;
    for (let up = each.parentElement; up; up = up.parentElement)
      if (up.matches('header, nav, main, footer, section, form, dialog, [role=region]')) depth++;
    let text = each.tagName.toLowerCase();
    if (each.matches('h1, h2, h3, button, a.button, summary')) text += ' "' + words(each.textContent) + '"';
    else if (each.matches('table')) text = 'table: ' +
      [...each.querySelectorAll('thead th')].map(th => words(th.textContent)).join(' | ');
    else if (each.matches('svg')) text = 'chart "' + named(each) + '"';
    else if (each.matches('dl')) text = 'figures: ' +
      [...each.querySelectorAll('dt')].map(dt => words(dt.textContent)).join(' | ');
    else if (each.matches('input, select, textarea'))
      text += ' ' + (each.type ?? '') + ' "' + (named(each) || words(each.labels?.[0]?.textContent)) + '"';
    else if (named(each)) text += ' "' + named(each) + '"';
    lines.push('  '.repeat(depth) + text + ` @${twelfth(box.left)}-${twelfth(box.right)}`);
  }
  return lines;
}
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen on a page."""

    url: str
    width: int
    scheme: Scheme
    status: int
    console: tuple[str, ...]
    """Messages, errors and dialogs."""
    outside: tuple[str, ...]
    """Requests that left the dashboard."""
    failed: tuple[str, ...]
    """Requests of the page that were answered with an error."""
    overflow_px: float
    collisions: tuple[str, ...]
    """Words of charts that lie on each other."""
    violations: tuple[str, ...]
    """Serious and critical findings of axe-core."""
    outline: str
    """Landmarks, headings, tables, charts and controls with their place in twelfths of the width; digits are `#`."""
    text: str = field(repr=False)
    """The words of the page."""

    def check(self, status: int = 200) -> Seen:
        """Assert that nothing is wrong with it."""
        where = f"{self.url} at {self.width} px, {self.scheme}"
        assert self.status == status, f"{where}: status {self.status}"
        assert not self.console, f"{where}: {self.console}"
        assert not self.outside, f"{where}: {self.outside}"
        assert not self.failed, f"{where}: {self.failed}"
        assert self.overflow_px <= 0, f"{where}: {self.overflow_px} px too wide"
        assert not self.collisions, f"{where}: {self.collisions}"
        assert not self.violations, f"{where}:\n" + "\n".join(self.violations)
        return self


class Watched:
    """A page with an ear on it."""

    status: int = 0

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.console: list[str] = []
        self.outside: list[str] = []
        self.failed: list[str] = []
        self.documents: set[str] = set()
        home = urlsplit(url).netloc
        page.on("console", self._said)
        page.on("pageerror", lambda each: self.console.append(f"error: {each}"))
        page.on("request", lambda each: self._sent(each.url, home))
        page.on("response", self._answered)

    def _sent(self, url: str, home: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc != home:
            self.outside.append(url)

    def _said(self, message: ConsoleMessage) -> None:
        is_status = message.text.startswith("Failed to load resource") and message.location["url"] in self.documents
        if not is_status:  # the page's own status is told by `status`, a part's by `failed`
            self.console.append(f"{message.type}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.documents.add(response.url)
        elif response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")

    def seen(self, width: int, scheme: Scheme, status: int, *, axe: bool = True) -> Seen:
        """Look at the page as it is now."""
        page = self.page
        if axe:
            from axe_playwright_python.base import AXE_SCRIPT

            page.evaluate(AXE_SCRIPT)
        outline = "\n".join(re.sub(r"(?<!\bh)\d+(?=[^@]*@)", "#", line) for line in page.evaluate(OUTLINE))
        return Seen(
            self.url,
            width,
            scheme,
            status,
            tuple(self.console),
            tuple(self.outside),
            tuple(self.failed),
            page.evaluate(OVERFLOW),
            tuple(page.evaluate(COLLISIONS)),
            tuple(page.evaluate(AXE_RUN)) if axe else (),
            outline,
            page.evaluate("document.body.innerText"),
        )


@contextmanager
def opened(
    browser: Browser,
    url: str,
    width: int = 1280,
    scheme: Scheme = "light",
    *,
    javascript: bool = True,
    waits: bool = True,
    **more: Any,
) -> Iterator[Watched]:
    """A page to click in; `with opened(browser, url) as it: it.page.click(...)`, then `it.console == []`."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT_PX}, color_scheme=scheme, java_script_enabled=javascript, **more
    )
    try:
        watched = Watched(context.new_page(), url)
        response = watched.page.goto(url)
        watched.status = response.status if response else 0
        if javascript and waits:
            wait_for_work(watched.page)
        yield watched
    finally:
        context.close()


def visit(
    browser: Browser, url: str, width: int = 1280, scheme: Scheme = "light", *, axe: bool = True, **more: Any
) -> Seen:
    """Open a page, wait until its work is done, look, and close it."""
    with opened(browser, url, width, scheme, **more) as watched:
        seen = watched.seen(width, scheme, watched.status, axe=axe)
        picture(watched.page, url, width, scheme)
        return seen


def wait_for_work(page: Page) -> None:
    """Until the page is no longer one that says how far it is."""
    waiting = page.locator("[data-wait]")
    page.wait_for_load_state("load")
    while waiting.count():  # it loads itself again, perhaps only to wait for the next piece of work
        waiting.wait_for(state="detached", timeout=WORK_MS)
        page.wait_for_load_state("load")


def picture(page: Page, url: str, width: int, scheme: Scheme) -> None:
    """Keep a picture where somebody wants to look at them."""
    folder = os.environ.get("BREAKEVEN_SHOTS")
    if folder:
        parts = urlsplit(url)
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{parts.path}-{parts.query}").strip("-")[:60] or "start"
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
