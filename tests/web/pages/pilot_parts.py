"""Projects with pilots for the page's tests: designed by the verb, their traffic made up, answers drawn to label."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from tests.pilot.gateway_state import BASELINE, CANDIDATE, GatewayState, pairs

from breakeven.routing.policy_file import load
from breakeven.web.project import Project
from web.made_project import verb

COPY_S = 0.12
"""A copy begins so long after its request."""
MODELS = ("--baseline", BASELINE, "--candidate", CANDIDATE)


@dataclass
class PilotProject:
    """A project folder with a pilot that a gateway could carry out."""

    folder: Path
    state: GatewayState

    @property
    def project(self) -> Project:
        """As the dashboard takes it."""
        return Project.at(self.folder)

    @property
    def trial(self) -> Any:
        """The trial in the policy."""
        return load(self.folder / "policy").document.trial

    def cli(self, *words: str, code: int | None = 0) -> str:
        """What the verb prints."""
        return verb(self.folder, "pilot", *words, codes=() if code is None else (code,), at=None)

    def init(self, name: str = "faq", *more: str, mode: str = "shadow", task: str = "faq") -> None:
        """Design a pilot."""
        places = ("--policy", str(self.folder / "policy"), "--state", str(self.state.folder))
        self.cli("init", name, *MODELS, "--task", task, "--mode", mode, *places, "--requests-per-hour", "400", *more)

    def serve(self, ratio: float, count: int, seed: int = 9, gap_s: float = 0.001) -> None:
        """Requests of the trial from now on, in both arms."""
        self.state.policy_hash = load(self.folder / "policy").hash
        at_s = datetime.now(UTC).timestamp()
        for base, candidate in pairs(np.random.default_rng(seed), count, 0.9, ratio):
            at_s += gap_s
            self.state.shadow(f"{self.state.calls_count:032x}", at_s, base, candidate)
        self.state.written()
        time.sleep(max(0.0, at_s + COPY_S - datetime.now(UTC).timestamp()))  # nobody looks at what is still to come

    def draw(
        self, count: int, name: str = "faq", prompt: str = "Where is my parcel?", answer: str = "On its way."
    ) -> None:
        """Answers that people are to judge."""
        design = json.loads((self.folder / "pilots" / name / "pilot.json").read_text())
        said = [
            {
                "request_id": f"r{i}", "arm": ("baseline", "shadow")[i % 2], "model": (BASELINE, CANDIDATE)[i % 2],
                "task": "faq", "prompt": f"{prompt} ({i})", "answer": f"{answer}\nParcel {i}.",
            }
            for i in range(count)
        ]  # fmt: skip
        self.state.audited(f"{name}-{design['hash'][:12]}", said)

    @property
    def labels(self) -> list[dict[str, Any]]:
        """Every label on the disk."""
        files = sorted(self.folder.glob("pilots/*/labels/*.jsonl"))
        return [json.loads(line) for each in files for line in each.read_text().splitlines()]


def pilot_project(folder: Path) -> PilotProject:
    """A folder without a pilot yet."""
    folder.mkdir(parents=True, exist_ok=True)
    return PilotProject(folder, GatewayState(folder / "gateway-state"))


def offline(made: PilotProject, name: str, ratio: float, count: int = 900, seed: int = 5) -> None:
    """A pilot from a file of outcomes."""
    rows = ["request_id,task,model,success,cost_usd,source"]
    for i, (base, candidate) in enumerate(pairs(np.random.default_rng(seed), count, 0.9, ratio)):
        rows.append(f"r{i},faq,{BASELINE},{base:g},0.01,gold")
        rows.append(f"r{i},faq,{CANDIDATE},{candidate:g},0.001,gold")
    path = made.folder / f"{name}.csv"
    path.write_text("\n".join(rows) + "\n")
    made.cli("init", name, *MODELS, "--task", "faq", "--outcomes", str(path))
