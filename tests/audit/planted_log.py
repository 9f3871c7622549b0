"""A planted log: JSONL of calls with prompts from known tasks, imported into a store as anybody would."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from breakeven.usage.plan import ImportSettings
from breakeven.usage.store import CallStore

from .planted import Planted, planted_prompts

NOW = datetime(2026, 11, 23, tzinfo=UTC)
START = datetime(2026, 10, 5, tzinfo=UTC)
ANSWERS_TOKENS = (6, 4, 3, 60, 40, 120, 150, 200, 90, 150, 220, 300, 180, 350, 250, 400, 160, 80)
"""Mean answer of each template of `planted.TEMPLATES`."""


def write_log(path: Path, planted: Planted, seed: int, **fields: object) -> None:
    """One line per prompt, ten days of them; free prompts answer at length."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for number, (prompt, template) in enumerate(zip(planted.prompts, planted.template_of, strict=True)):
            mean = ANSWERS_TOKENS[template] if 0 <= template < len(ANSWERS_TOKENS) else 300
            row = {
                "id": f"p{number}",
                "timestamp": (START + timedelta(days=10 * number / len(planted.prompts))).isoformat(),
                "provider": "openai",
                "model": "gpt-5",
                "messages": [{"role": "user", "content": prompt}],
                "input_tokens": 10 + 2 * len(prompt.split()),
                "output_tokens": max(round(mean * float(np.exp(rng.normal(0, 0.2)))), 1),
                **fields,
            }
            file.write(json.dumps(row) + "\n")


def planted_store(folder: Path, seed: int, count: int, **settings: object) -> tuple[CallStore, Planted]:
    """A store with a planted log in it; close it."""
    planted = planted_prompts(seed, count)
    write_log(folder / "log.jsonl", planted, seed)
    store = CallStore(folder / "store")
    store.ingest(folder / "log.jsonl", now=NOW, settings=ImportSettings(**settings))  # type: ignore[arg-type]
    return store, planted
