"""Synthetic log: four weeks of a made-up support team's calls, for `breakeven demo`. It says that it is synthetic.

Planted truth: five kinds of work with known shares, models and mean lengths; a weekly rhythm; one model that no price
list knows; half a percent of failed calls; a few lines that are not calls. The same seed writes the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

START: Final = datetime(2026, 10, 5, tzinfo=UTC)
"""A Monday."""
DAYS_COUNT: Final = 28
CALLS_COUNT: Final = 120_000
ERROR_FRACTION: Final = 0.005
SAMPLING_RATE: Final = 0.2
"""The made-up team logs one call in five; each logged call stands for five."""
LENGTH_SIGMA: Final = 0.6
"""Spread of request lengths: standard deviation of their logarithm."""


@dataclass(frozen=True, slots=True)
class SyntheticTask:
    """One kind of work in the made-up log."""

    name: str
    share_fraction: float
    """Of the calls."""
    provider: str
    model: str
    mean_input_tokens: float
    mean_output_tokens: float
    cached_input_fraction: float
    """Of the input of every call, read from the provider's prompt cache."""
    reasoning_fraction: float = 0.0
    """Of the output."""


TASKS: Final = (
    SyntheticTask("classify ticket", 0.38, "openai", "gpt-5-mini", 3_000, 15, 0.5),
    SyntheticTask("answer from knowledge base", 0.36, "openai", "gpt-5", 9_000, 260, 0.4),
    SyntheticTask("extract order data", 0.14, "openai", "gpt-5", 12_000, 420, 0.2),
    SyntheticTask("handle complaint", 0.10, "anthropic", "claude-sonnet-4-5", 14_000, 1_300, 0.3, 0.5),
    SyntheticTask("rewrite in house style", 0.02, "acme", "acme-private-7b", 4_000, 600, 0.0),
)


def write_synthetic_log(path: Path, *, seed: int = 0, calls_count: int = CALLS_COUNT) -> None:
    """Write the log as JSONL, `calls_count` calls and three lines that are none."""
    rng = np.random.default_rng(seed)
    hours = hours_of_calls(rng, calls_count)
    which = rng.choice(len(TASKS), calls_count, p=[task.share_fraction for task in TASKS])
    factor_in, factor_out = length_factors(rng, calls_count), length_factors(rng, calls_count)
    failed = rng.random(calls_count) < ERROR_FRACTION
    texts = {task.name: _texts(task) for task in TASKS}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for number in range(calls_count):
            task = TASKS[which[number]]
            numbers = (float(hours[number]), float(factor_in[number]), float(factor_out[number]))
            file.write(_line(number, task, texts[task.name], *numbers, failed=bool(failed[number])))
        file.write('{"id": "syn-negative", "timestamp": "2026-10-20T12:00:00Z", "input_tokens": -1}\n')
        file.write("not json at all\n")
        file.write('{"id": "syn-cut", "timestamp": "2026-10-2')


def planted_tokens(task: SyntheticTask) -> float:
    """Expected tokens of one call of `task`, failures included."""
    return task.mean_input_tokens + task.mean_output_tokens * (1 - ERROR_FRACTION)


def length_factors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Lognormal factors with mean one."""
    return np.exp(rng.normal(-(LENGTH_SIGMA**2) / 2, LENGTH_SIGMA, count))


def hours_of_calls(
    rng: np.random.Generator, count: int, days_count: int = DAYS_COUNT, growth_per_week_fraction: float = 0.0
) -> np.ndarray:
    """Sorted call times in hours after a Monday's midnight, following a weekly rhythm, growing if told so."""
    hour = np.arange(days_count * 24)
    of_day, weekday = hour % 24, (hour // 24) % 7
    office = np.exp(-(((of_day - 13.5) / 4.0) ** 2))
    rate = (0.15 + office) * np.where(weekday < 5, 1.0, 0.3) * (1 + growth_per_week_fraction) ** (hour / 168)
    slots = rng.choice(hour.size, count, p=rate / rate.sum())
    return np.sort(slots + rng.random(count))


def _texts(task: SyntheticTask) -> str:
    """What every line of a task has in common after its time, as JSON without braces."""
    names = {
        "provider": task.provider,
        "model": task.model,
        "application": "support desk (synthetic)",
        "task": task.name,
    }
    return json.dumps(names)[1:-1]


def _line(
    number: int, task: SyntheticTask, texts: str, hours: float, factor_in: float, factor_out: float, *, failed: bool
) -> str:
    """One call as a line of JSON: written by hand, five times as fast as an encoder for each of 120,000 lines."""
    start = (START + timedelta(hours=hours)).isoformat(timespec="milliseconds")
    input_tokens = max(round(task.mean_input_tokens * factor_in), 20)
    output_tokens = 0 if failed else max(round(task.mean_output_tokens * factor_out), 1)
    return (
        f'{{"id": "syn-{number:06d}", "source": "synthetic", "sampling_rate": {SAMPLING_RATE}, "timestamp": "{start}", '
        f'{texts}, "input_tokens": {input_tokens}, '
        f'"cache_read_tokens": {int(input_tokens * task.cached_input_fraction)}, "output_tokens": {output_tokens}, '
        f'"reasoning_tokens": {int(output_tokens * task.reasoning_fraction)}, '
        f'"status": "{"error" if failed else "ok"}"}}\n'
    )
