"""A project whose comparison takes a second: few calls, few futures, six options, one model without a price."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from breakeven.usage.synthetic import write_synthetic_log
from breakeven.web import documents
from breakeven.web.jobs import Job
from breakeven.web.page import Desk
from breakeven.web.project import Project
from breakeven.web.verdict.slider_session import Opened, session
from web.made_project import TODAY, verb

OPTIONS = ("frontier_api", "cheaper_tier", "brokered", "managed_huggingface_scale_to_zero", "rented_one_year", "hybrid")
SCENARIO = f"""\
draws_log2: 7
options: [{", ".join(OPTIONS)}]
"""


def make_quick_project(folder: Path, scenario: str = SCENARIO, calls_count: int = 3_000) -> Project:
    """Fill a folder with calls and a scenario."""
    folder.mkdir(parents=True)
    write_synthetic_log(folder / "calls.jsonl", calls_count=calls_count)
    (folder / "scenario.yaml").write_text(scenario, encoding="utf-8")
    verb(folder, "import", "calls.jsonl", codes=(0, 1))
    return Project.at(folder)


def wait_for(desk: Desk) -> Opened:
    """The sliders of a desk, once they are ready."""
    for _ in range(4):
        compared = documents.comparison(desk)
        opened = session(desk) if not isinstance(compared, Job) else compared
        if isinstance(opened, Opened):
            return opened
        assert opened.state in ("running", "done"), opened.error
        opened.wait(300)
    raise AssertionError("the sliders were never ready")


def whatif_json(project: Project, changes: Sequence[str]) -> dict[str, Any]:
    """What the command line says in the project's folder, on the desk's day."""
    words = ("whatif", *changes, "--scenario", "scenario.yaml", "--as-of", TODAY.isoformat(), "--json")
    found: dict[str, Any] = json.loads(verb(project.folder, *words))
    return found
