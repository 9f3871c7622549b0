"""A project for audits and labels: kept texts, some of them hostile, three tasks, no audit yet."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from breakeven.usage.plan import ImportSettings
from breakeven.usage.prompts.texts import PromptsMode
from breakeven.usage.store import CallStore
from breakeven.web.project import Project

NOW = datetime(2026, 11, 26, tzinfo=UTC)
START = datetime(2026, 11, 1, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\x1b]0;owned\x07\x1b[31m \u202eevil\u202c =cmd|' /C calc'!A0"
HOSTILE_TASK = "reply <img src=x onerror=alert(1)> \u202e& 'quote' \"double\""
TASKS = ("classify ticket", "write SQL", HOSTILE_TASK)
MODELS = (("openai", "gpt-5"), ("openai", "gpt-5-mini"), ("acme", "private-model"))
LONG = "a long story " * 80_000
COUNT = 180


def hostile_project(folder: Path, prompts: PromptsMode = "keep", count: int = COUNT) -> Project:
    """Import the log into `folder`; the texts are kept, redacted or dropped."""
    folder.mkdir(parents=True)
    log = folder / "log.jsonl"
    log.write_text("".join(_line(number) for number in range(count)), encoding="utf-8")
    project = Project.at(folder)
    with CallStore(project.store) as store:
        store.ingest(log, now=NOW, settings=ImportSettings(prompts=prompts))
    return project


def _line(number: int) -> str:
    provider, model = MODELS[number % 3]
    task = TASKS[(number // 3) % 3]
    text = LONG if number == 7 else f"{HOSTILE} call {number}\n    indented mail to jane.doe@example.com"
    row = {
        "id": f"c{number}\nnext" if number % 3 == 1 else f"c{number}",
        "timestamp": (START + timedelta(hours=3 * number)).isoformat(),
        "provider": provider,
        "model": model,
        "task": task,
        "messages": [{"role": "user", "content": text}],
        "input_tokens": 200 + 7 * number,
        "output_tokens": 20 + number % 40,
        "cache_read_tokens": 50,
        "reasoning_tokens": 10 if model == "gpt-5" else 0,
    }
    return json.dumps(row) + "\n"
