"""How soon does each page of the dashboard paint, on a store of a million calls?

    python benchmarks/ui.py [ROWS [PAGE...]]

Starts `breakeven ui` as a process on a made-up store, and Debian's Chromium. Cold: nothing of the page is kept; the
first paint is then the page that says how far the work is, and `ready` is when the page itself is there. Warm: what was
computed is kept and nothing runs in the background; median of five visits with an empty browser cache. The baseline in
the same run is the very same HTML as a plain file from Python's http.server: what the browser alone takes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from synthetic_store import write_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

PAGES = ("", "usage", "audit", "fleet", "routing", "pilot", "gateway", "facts", "import")
VISITS = 5
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WORK_MS = 900_000


@contextmanager
def dashboard(folder: Path) -> Iterator[str]:
    """Address of a server that has just started."""
    command = [sys.executable, "-m", "breakeven.cli.main", "ui", "--json", "--port", "0", "--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def plain_files(folder: Path) -> Iterator[str]:
    """Address of Python's own file server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def visit(browser: Browser, url: str) -> tuple[float, float]:
    """First contentful paint in milliseconds, and seconds until the page waits for nothing more."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(url)
    while (paint := page.evaluate(PAINT)) is None:
        page.wait_for_timeout(20)
    waiting = page.locator("[data-wait]")
    while waiting.count():
        waiting.wait_for(state="detached", timeout=WORK_MS)
        page.wait_for_load_state("load")
    ready = time.perf_counter() - begun
    context.close()
    return float(paint), ready


def wait_for_jobs(url: str) -> None:
    """Until nothing is being made in the background any more, e.g. the sliders' session."""
    while any(each["state"] == "running" for each in json.load(urlopen(f"{url}api/jobs"))["jobs"]):
        time.sleep(0.5)


def median_paint(browser: Browser, url: str) -> float:
    """Of some visits."""
    return statistics.median(visit(browser, url)[0] for _ in range(VISITS))


def answered_ms(url: str) -> float:
    """The server's part: the whole HTML, without a browser."""
    times = []
    for _ in range(VISITS):
        begun = time.perf_counter()
        urlopen(url).read()
        times.append(1_000 * (time.perf_counter() - begun))
    return statistics.median(times)


def copied(url: str, folder: Path, name: str) -> int:
    """The page and what it loads as plain files; gives the bytes of the HTML."""
    html = urlopen(url).read().decode()
    (folder / f"{name or 'start'}.html").write_text(html, encoding="utf-8")
    (folder / "static").mkdir(exist_ok=True)
    for part in set(html.split('"')):
        if part.startswith("/static/"):
            target = folder / part.partition("?")[0].lstrip("/")
            target.write_bytes(urlopen(url.partition("/")[0] + "//" + url.split("/")[2] + part).read())
    return len(html)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("pages", nargs="*", metavar="page")
    arguments = parser.parse_args()
    rows = arguments.rows
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place) / "project"
        (folder / ".breakeven").mkdir(parents=True)
        write_store(folder / ".breakeven", rows)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        print(f"{rows:,} calls, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; milliseconds unless said")
        head = ("page", "cold paint", "cold ready s", "warm paint", "server", "plain file", "HTML KB")
        print(f"{head[0]:12}" + "".join(f"{each:>14}" for each in head[1:]))
        files = Path(place) / "plain"
        files.mkdir()
        with dashboard(folder) as url, plain_files(files) as plain:
            for name in [each.replace("verdict", "") for each in arguments.pages] or PAGES:
                cold, ready = visit(browser, url + name)
                wait_for_jobs(url)
                warm, server = median_paint(browser, url + name), answered_ms(url + name)
                size = copied(url + name, files, name)
                floor = median_paint(browser, f"{plain}{name or 'start'}.html")
                cells = (f"{cold:.0f}", f"{ready:.1f}", f"{warm:.0f}", f"{server:.0f}", f"{floor:.0f}")
                print(f"{name or 'verdict':12}" + "".join(f"{each:>14}" for each in (*cells, f"{size / 1e3:.0f}")))
        browser.close()


if __name__ == "__main__":
    main()
