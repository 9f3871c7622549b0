"""Take the pictures of the docs: the demo's report, a pilot's page and the dashboard in Chromium, and PDF pages.

Run by `make pictures`.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pypdfium2
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "images" / "report.png"
WIDTH_PX, HEIGHT_PX = 1100, 1750
PDF_SCALE = 1.6
PILOT_HEIGHT_PX = 970
DASHBOARD_WIDTH_PX, DASHBOARD_HEIGHT_PX = 1280, 1150
DASHBOARD_MS = 300_000
"""How long the dashboard's first verdict may take on a slow machine."""
PILOT = (
    *("--baseline", "gpt-4o", "--candidate", "qwen-7b", "--outcomes", "old.csv", "--outcomes", "new.csv"),
    *("--requests-per-hour", "2000", "--migration-usd", "30000"),
)


def write_pilot(folder: str) -> None:
    """A pilot on two files of made-up outcomes."""
    luck = np.random.default_rng(7)
    hard = [luck.random() for _ in range(900)]
    for name, model, success, usd in (("old", "gpt-4o", 0.91, 0.0142), ("new", "qwen-7b", 0.905, 0.0011)):
        with (Path(folder) / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["request_id", "task", "model", "success", "cost_usd", "source"])
            for at, each in enumerate(hard):
                is_good = (each if luck.random() < 0.6 else luck.random()) < success
                rows.writerow([f"r{at}", "faq", model, int(is_good), usd * round(luck.uniform(0.5, 1.5), 3), "gold"])
    for words in (("init", "faq", *PILOT), ("report", "faq", "--out", "pilot.html")):
        command = [sys.executable, "-m", "breakeven.cli.main", "pilot", *words]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)


@contextmanager
def dashboard(folder: str) -> Iterator[str]:
    """The address of the dashboard of the made-up support team, played first."""
    words = ("ui", "--story", "support", "--folder", f"{folder}/support", "--port", "0", "--no-browser", "--json")
    command = [sys.executable, "-m", "breakeven.cli.main", *words]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as served:
        assert served.stdout is not None
        try:
            yield json.loads(served.stdout.readline())["url"]
        finally:
            served.terminate()


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium on this machine: install Debian's package, then run `make pictures` again")
    PICTURE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        subprocess.run(
            [sys.executable, "-m", "breakeven.cli.main", "demo", "--out", "demo"],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light")
        page.goto((Path(folder) / "demo" / "report.html").as_uri())
        page.screenshot(path=PICTURE)
        write_pilot(folder)
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": PILOT_HEIGHT_PX}, color_scheme="light")
        page.goto((Path(folder) / "pilot.html").as_uri())
        page.screenshot(path=PICTURE.with_name("pilot.png"))
        with dashboard(folder) as url:
            page = browser.new_page(
                viewport={"width": DASHBOARD_WIDTH_PX, "height": DASHBOARD_HEIGHT_PX}, color_scheme="light"
            )
            page.goto(url)
            page.wait_for_selector("#sentence", timeout=DASHBOARD_MS)
            page.wait_for_selector("text=Preparing the sliders", state="hidden", timeout=DASHBOARD_MS)
            page.screenshot(path=PICTURE.with_name("dashboard.png"))
        browser.close()
        pages = pypdfium2.PdfDocument(Path(folder) / "demo" / "report.pdf")
        for number, sheet in enumerate(pages, start=1):
            sheet.render(scale=PDF_SCALE).to_pil().convert("L").save(PICTURE.with_name(f"decision-page-{number}.png"))
    print(f"wrote the pictures in {PICTURE.parent.relative_to(Path.cwd())}")  # noqa: T201


if __name__ == "__main__":
    main()
