"""Synthetic company: a made-up team's kinds of work, its log of calls, and how often each model succeeds in truth.

Stories are told on such companies. Everything is planted: shares, lengths, prompts, success by model; the chain sees
the log and the outcomes, never the plan. Every line says `source: synthetic`. The same seed writes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from breakeven.usage.synthetic import ERROR_FRACTION, hours_of_calls, length_factors

SOURCE: Final = "synthetic"
ALIKE_FRACTION: Final = 0.5
"""Of requests, those that are as hard for one model as for another; elsewhere models fail on their own."""
SECONDS_PER_OUTPUT_TOKEN: Final = 0.012
FIRST_TOKEN_S: Final = 0.4


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests of one kind of work that are about equally hard."""

    share_fraction: float
    """Of its work's calls."""
    texts: tuple[str, ...]
    """What people write; `{n}` is a number of their own."""
    success_fraction: Mapping[str, float]
    """Model -> how often its answer would do."""


def kind_of(models: Sequence[str], share_fraction: float, success_fractions: Sequence[float], *texts: str) -> Kind:
    """Requests of which these models' answers would do so often.

    >>> kind_of(("large", "small"), 0.5, (0.9, 0.7), "Order {n}?").success_fraction
    {'large': 0.9, 'small': 0.7}
    """
    return Kind(share_fraction, texts, dict(zip(models, success_fractions, strict=True)))


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work."""

    task: str
    share_fraction: float
    """Of the company's calls."""
    mean_input_tokens: float
    mean_output_tokens: float
    cached_input_fraction: float
    reasoning_fraction: float
    """Of the output of the model in use."""
    kinds: tuple[Kind, ...]

    def success_fraction(self, model: str) -> float:
        """How often a model's answer would do, over all kinds of requests."""
        return sum(each.share_fraction * each.success_fraction[model] for each in self.kinds)


@dataclass(frozen=True, slots=True)
class Company:
    """A made-up team: what it does, on which model, how much, since when."""

    name: str
    application: str
    provider: str
    model: str
    """The one model that everything runs on today."""
    works: tuple[Work, ...]
    start: datetime
    """A Monday."""
    days_count: int
    calls_count: int
    """Lines of the log."""
    sampled_fraction: float = 1.0
    """Share of its calls that it logs; each line stands for 1/share calls."""
    growth_per_week_fraction: float = 0.0

    @property
    def end(self) -> datetime:
        """The midnight after the last day of its log."""
        return self.start + timedelta(days=self.days_count)

    @property
    def calls_per_hour(self) -> float:
        """Over its whole log, those that are not logged among them."""
        return self.calls_count / self.sampled_fraction / (self.days_count * 24)


@dataclass(frozen=True, slots=True)
class Requests:
    """Some requests of a company, as arrays: what each is, how long, how hard."""

    work: np.ndarray
    """Index into the company's works."""
    kind: np.ndarray
    """Index into the work's kinds."""
    texts: tuple[str, ...]
    input_tokens: np.ndarray
    output_tokens: np.ndarray


def requests_of(company: Company, count: int, rng: np.random.Generator, *, only: tuple[str, ...] = ()) -> Requests:
    """So many requests, in the company's shares (of `only` these tasks)."""
    shares = np.array([each.share_fraction * (not only or each.task in only) for each in company.works])
    work = rng.choice(len(company.works), count, p=shares / shares.sum())
    kind, texts = np.zeros(count, dtype=np.intp), [""] * count
    pick, number = rng.random((count, 2)), rng.integers(10_000, 99_999, count)
    for at in range(count):
        kinds = company.works[work[at]].kinds
        edges = np.cumsum([each.share_fraction for each in kinds])
        kind[at] = min(int(np.searchsorted(edges, pick[at, 0] * edges[-1])), len(kinds) - 1)
        said = kinds[kind[at]].texts
        texts[at] = said[int(pick[at, 1] * len(said))].replace("{n}", str(number[at]))
    means = np.array([(each.mean_input_tokens, each.mean_output_tokens) for each in company.works])[work]
    factor_in, factor_out = length_factors(rng, count), length_factors(rng, count)
    return Requests(
        work,
        kind,
        tuple(texts),
        np.maximum(np.rint(means[:, 0] * factor_in), 20).astype(np.int64),
        np.maximum(np.rint(means[:, 1] * factor_out), 1).astype(np.int64),
    )


def answers_of(company: Company, asked: Requests, models: tuple[str, ...], rng: np.random.Generator) -> np.ndarray:
    """Whether each model's answer would do, shape (requests, models): what is hard for one is often hard for others."""
    count = len(asked.work)
    hard, alike = rng.random(count), rng.random(count) < ALIKE_FRACTION
    kinds = [company.works[work].kinds[kind] for work, kind in zip(asked.work, asked.kind, strict=True)]
    columns = []
    for model in models:
        own = np.where(alike, hard, rng.random(count))
        columns.append(own < np.array([each.success_fraction[model] for each in kinds]))
    return np.column_stack(columns)


def write_company_log(path: Path, company: Company, *, seed: int = 0) -> None:
    """Write the company's calls as JSONL, as the one model that it uses answered them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in _lines(company, seed))


def _lines(company: Company, seed: int) -> Iterator[dict[str, object]]:
    rng = np.random.default_rng(seed)
    count = company.calls_count
    hours = hours_of_calls(rng, count, company.days_count, company.growth_per_week_fraction)
    asked = requests_of(company, count, rng)
    failed = rng.random(count) < ERROR_FRACTION
    sampled = {} if company.sampled_fraction == 1 else {"sampling_rate": company.sampled_fraction}
    for at in range(count):
        work = company.works[asked.work[at]]
        inputs, outputs = int(asked.input_tokens[at]), 0 if failed[at] else int(asked.output_tokens[at])
        yield {
            "id": f"syn-{at:06d}",
            "source": SOURCE,
            "timestamp": (company.start + timedelta(hours=float(hours[at]))).isoformat(timespec="milliseconds"),
            "provider": company.provider,
            "model": company.model,
            "application": f"{company.application} (synthetic)",
            "task": work.task,
            **sampled,
            "input_tokens": inputs,
            "cache_read_tokens": int(inputs * work.cached_input_fraction),
            "output_tokens": outputs,
            "reasoning_tokens": int(outputs * work.reasoning_fraction),
            "duration_s": round(FIRST_TOKEN_S + SECONDS_PER_OUTPUT_TOKEN * outputs, 3),
            "status": "error" if failed[at] else "ok",
            "prompt": asked.texts[at],
        }
