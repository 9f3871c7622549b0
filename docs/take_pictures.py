"""Take the pictures of the docs: the demo's report in headless Chromium, and its PDF pages. Run by `make pictures`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parent / "images" / "report.png"
WIDTH_PX, HEIGHT_PX = 1100, 1750
PDF_SCALE = 1.6


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
        browser.close()
        pages = pypdfium2.PdfDocument(Path(folder) / "demo" / "report.pdf")
        for number, sheet in enumerate(pages, start=1):
            sheet.render(scale=PDF_SCALE).to_pil().convert("L").save(PICTURE.with_name(f"decision-page-{number}.png"))
    print(f"wrote {PICTURE.relative_to(Path.cwd())}")  # noqa: T201


if __name__ == "__main__":
    main()
