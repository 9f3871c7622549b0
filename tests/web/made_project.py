"""A small project folder with everything that pages show: calls, scenario, audit, outcomes, policy, a pilot."""

from __future__ import annotations

from contextlib import chdir, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from click.testing import CliRunner

from breakeven.cli.main import group
from breakeven.clock import pinned
from breakeven.usage.synthetic import write_synthetic_log
from breakeven.web.jobs import Jobs
from breakeven.web.page import Desk
from breakeven.web.project import Project
from breakeven.web.shelf import Shelf

TODAY = date(2026, 11, 26)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
CALLS_COUNT = 4_000
LARGE, SMALL = "openai/gpt-5", "openai/gpt-5-mini"


def desk_of(project: Project) -> Desk:
    """A desk on which it is always the same day."""
    jobs = Jobs(project.without_places)
    return Desk(project, jobs, Shelf(project.kept, jobs), lambda: TODAY)


def make_project(folder: Path) -> Project:
    """Fill a folder as the verbs do."""
    folder.mkdir(parents=True)
    write_synthetic_log(folder / "calls.jsonl", calls_count=CALLS_COUNT)
    _write_outcomes(folder / "outcomes.csv", 900)
    verb(folder, "import", "calls.jsonl", codes=(0, 1))
    verb(folder, "init", "scenario.yaml")
    scenario = folder / "scenario.yaml"
    scenario.write_text(scenario.read_text(encoding="utf-8").replace("draws_log2: 14", "draws_log2: 8"), "utf-8")
    verb(folder, "audit", "--as-of", TODAY.isoformat())
    verb(folder, "learn", "--outcomes", "outcomes.csv", "--out", "policy", "--incumbent", LARGE)
    models = ("--baseline", LARGE, "--candidate", SMALL, "--task", "faq")
    verb(folder, "pilot", "init", "evals", *models, "--outcomes", "outcomes.csv")
    verb(folder, "pilot", "verdict", "evals", codes=(0, 1, 3))
    return Project.at(folder)


def verb(folder: Path, *words: str, codes: tuple[int, ...] = (0,), at: datetime | None = NOON) -> str:
    """What `breakeven WORDS` prints in a folder, on the desk's day; it ends with one of `codes`, if any are given.

    None for `at`: now, as traffic that is made up now wants it.
    """
    with chdir(folder), pinned(at) if at is not None else nullcontext():
        result = CliRunner().invoke(group, list(words), catch_exceptions=False)
    assert not codes or result.exit_code in codes, result.output
    return result.stdout


def _write_outcomes(path: Path, rows: int) -> None:
    """Both models on each request of two tasks; the small one is as good at faq."""
    rng = np.random.default_rng(1)
    lines = ["request_id,task,prompt,model,success,cost_usd"]
    for number in range(rows):
        task = "faq" if rng.random() < 0.7 else "contract"
        for model, cost, chance in ((SMALL, 0.0002, 0.95 if task == "faq" else 0.4), (LARGE, 0.006, 0.94)):
            lines.append(f"{number},{task},,{model},{int(rng.random() < chance)},{cost}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
