"""How long from a slider's move until the new numbers are painted, in a real browser?

    python benchmarks/ui_sliders.py [--folder PROJECT] [--calls 60000] [--moves 20] [--chromium PATH]

Moves each slider of the start page `--moves` times and prints the median and the 95th percentile of the time from the
input event to the frame that shows the numbers, and of the part of it that the server took. Baseline: `breakeven
whatif` as a command of its own, which gives the same numbers. Without `--folder` a synthetic project is made, with
every option and 16,384 futures.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from breakeven.usage.synthetic import write_synthetic_log
from ui import dashboard

TARGET_MS = 150.0
MOVE = """
async ([name, place]) => {
  const root = document.getElementById('answer');
  const stand = document.querySelector(`[data-stand="${name}"]`);
  const handle = stand.querySelector('input[type="range"]');
  performance.clearResourceTimings();
  const start = performance.now();
  const painted = new Promise((done) => {
    const look = () => {
      if (root.dataset.of === location.pathname + location.search) requestAnimationFrame(() => setTimeout(done));
      else setTimeout(look, 1);
    };
    setTimeout(look);
  });
  handle.value = place;
  handle.dispatchEvent(new Event('input', {bubbles: true}));
  await painted;
  const fetched = performance.getEntriesByType('resource');
  const asked = fetched.filter(each => each.name.includes('/verdict/answer'));
  return [performance.now() - start, asked.length ? asked.at(-1).duration : 0];
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a project with calls; a synthetic one when absent")
    parser.add_argument("--calls", type=int, default=60_000)
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    asked = parser.parse_args()
    if asked.chromium is None:
        sys.exit("no chromium on this machine; give its path with --chromium")
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or synthetic_project(Path(made) / "project", asked.calls)
        baseline_s = whatif_s(folder)
        with dashboard(folder) as url:
            measure(url, asked.chromium, asked.moves, baseline_s)


def synthetic_project(folder: Path, calls_count: int) -> Path:
    """A folder with calls and nothing else."""
    folder.mkdir()
    write_synthetic_log(folder / "calls.jsonl", calls_count=calls_count)
    subprocess.run([breakeven(), "import", "calls.jsonl"], cwd=folder, check=False, capture_output=True)
    return folder


def breakeven() -> str:
    return str(Path(sys.executable).with_name("breakeven"))


def whatif_s(folder: Path) -> float:
    """Best of three runs of the command."""
    runs = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([breakeven(), "whatif", "volume=2B", "--json"], cwd=folder, check=True, capture_output=True)
        runs.append(time.perf_counter() - start)
    return min(runs)


def measure(url: str, chromium: str, moves_count: int, baseline_s: float) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        start = time.perf_counter()
        page.locator("#whatif").wait_for(timeout=600_000)
        print(f"comparison and sliders ready after {time.perf_counter() - start:.1f} s\n")
        names = [str(each.get_attribute("data-stand")) for each in page.locator("[data-stand]").all()]
        print(f"{'slider':34}{'p50 ms':>9}{'p95 ms':>9}{'server p50':>12}{'server p95':>12}")
        every: list[list[float]] = []
        for name in names:
            taken = [page.evaluate(MOVE, [name, place]) for place in places(page, name, moves_count)]
            every += taken
            print(row(name, taken))
            page.evaluate("document.querySelector('.reset-all').click()")
            page.locator('#answer[data-of="/"]').wait_for(timeout=60_000)
            page.wait_for_timeout(600)  # the charts are drawn now
        print(row("all", every))
        browser.close()
    middle = statistics.median(each[0] for each in every)
    times = baseline_s * 1e3 / middle
    print(f"\nbaseline, `breakeven whatif` as a command: {baseline_s * 1e3:,.0f} ms, {times:.0f} times as long")
    print(f"target {TARGET_MS:.0f} ms: {'met' if p95(every, 0) <= TARGET_MS else 'NOT met'} at the 95th percentile")


def places(page: Any, name: str, count: int) -> list[int]:
    """Stops spread over the track, never the same twice in a row."""
    last = int(page.locator(f'[data-stand="{name}"] input[type="range"]').get_attribute("max"))
    return [round(last * ((0.5 + 0.618 * number) % 1)) for number in range(1, count + 1)]


def row(name: str, taken: list[list[float]]) -> str:
    whole, server = (statistics.median(each[at] for each in taken) for at in (0, 1))
    return f"{name:34}{whole:9.0f}{p95(taken, 0):9.0f}{server:12.0f}{p95(taken, 1):12.0f}"


def p95(taken: list[list[float]], at: int) -> float:
    ranked = sorted(each[at] for each in taken)
    return ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]


if __name__ == "__main__":
    main()
