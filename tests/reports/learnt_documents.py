"""Learnt documents for tests of what is shown of them: two tasks, of which the small model does one as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from breakeven.catalog.load import load_catalog
from breakeven.learning.settings import LearnSettings
from breakeven.outcomes.reading import read_outcomes
from breakeven.reports.learn_answer import LearnRequest, answer_learn
from breakeven.reports.routing_document import LearnDocument

TODAY = date(2026, 11, 26)


@dataclass(frozen=True, slots=True)
class LearntFolder:
    """What was learnt, and where it lies."""

    document: LearnDocument
    outcomes: Path
    policy: Path


def outcomes_file(path: Path, rows: int, seed: int, *, easy_fraction: float = 0.95, prompts: bool = False) -> Path:
    """A file of outcomes; at `easy_fraction` the small model succeeds in the task faq."""
    rng = np.random.default_rng(seed)
    lines = ["request_id,task,prompt,model,success,cost_usd"]
    for number in range(rows):
        task = "faq" if rng.random() < 0.7 else "contract"
        prompt = f"Question {number} about a {task}" if prompts else ""
        for model, cost, chance in (("small", 0.0002, easy_fraction if task == "faq" else 0.4), ("large", 0.006, 0.94)):
            lines.append(f"{number},{task},{prompt},{model},{int(rng.random() < chance)},{cost}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def learnt(folder: Path, rows: int = 800, *, prompts: bool = False, **settings: object) -> LearntFolder:
    """Learn a policy in `folder` from outcomes that are written there."""
    file = outcomes_file(folder / "outcomes.csv", rows, 1, prompts=prompts)
    request = LearnRequest(LearnSettings(incumbent="large", **settings))  # type: ignore[arg-type]
    document = answer_learn(request, read_outcomes(file), load_catalog(TODAY), TODAY, folder / "policy")
    return LearntFolder(document, file, folder / "policy")
