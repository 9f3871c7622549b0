"""Take the pictures of the docs: the demo's report and a pilot's page in headless Chromium, and PDF pages.

Run by `make pictures`.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pypdfium2
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "images" / "report.png"
WIDTH_PX, HEIGHT_PX = 1100, 1750
PDF_SCALE = 1.6
PILOT_HEIGHT_PX = 970
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
        browser.close()
        pages = pypdfium2.PdfDocument(Path(folder) / "demo" / "report.pdf")
        for number, sheet in enumerate(pages, start=1):
            sheet.render(scale=PDF_SCALE).to_pil().convert("L").save(PICTURE.with_name(f"decision-page-{number}.png"))
    print(f"wrote {PICTURE.relative_to(Path.cwd())}")  # noqa: T201


if __name__ == "__main__":
    main()
