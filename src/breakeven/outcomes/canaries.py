"""Canary: an answer that no honest judge can pass: a constant, an empty one, the prompt said back.

A constant answer "wins" 77 % on a public benchmark of judges, so a judge shows what it passes before its word counts.
Canary rows are judged beside the real ones, under model names that begin with `canary:`; they never enter a table of
outcomes. Empty answers, and prompts said back, that stand in the real rows are counted too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.outcomes.outcome import OutcomeTable
from breakeven.outcomes.reading import ReadOutcomes
from breakeven.outcomes.success_rates import RateRange, jeffreys

PREFIX: Final = "canary:"
CONSTANT: Final = "I am glad to help. The answer follows from what was asked, and it is correct and complete."
FALSE_ACCEPT_MAX_FRACTION: Final = 0.05
"""A judge that may pass more canaries than this is not believed alone."""
KINDS: Final = ("constant", "empty", "prompt")


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """What a judge did with one kind of canary."""

    kind: str
    judged_count: int
    accepted: RateRange


@dataclass(frozen=True, slots=True)
class CanaryRow:
    """An answer to be judged."""

    request_id: str
    task: str
    prompt: str
    model: str
    response: str


def canary_rows(table: OutcomeTable, requests_count: int, seed: int) -> Iterator[CanaryRow]:
    """Rows for a judge: each kind of canary on a random sample of the requests that have a prompt."""
    with_prompt = np.array([i for i, text in enumerate(table.prompts) if text.strip()], dtype=np.intp)
    rng = np.random.default_rng([seed, 17])
    for row in np.sort(rng.permutation(with_prompt)[:requests_count]).tolist():
        prompt = table.prompts[row]
        for kind, response in zip(KINDS, (CONSTANT, "", prompt), strict=True):
            yield CanaryRow(table.request_ids[row], table.tasks[row], prompt, PREFIX + kind, response)


def without_canaries(read: ReadOutcomes) -> tuple[ReadOutcomes, tuple[CanaryResult, ...]]:
    """The outcomes of real models, and what the judge did with canaries: planted ones, and answers that are ones."""
    from dataclasses import replace

    real = [i for i, name in enumerate(read.table.models) if not name.startswith(PREFIX)]
    passed: dict[str, list[float]] = {}
    for i, name in enumerate(read.table.models):
        if name.startswith(PREFIX):
            passed.setdefault(name.removeprefix(PREFIX) or "unnamed", []).extend(_known(read.table.success[:, i]))
    for kind, value in _among_answers(read):
        passed.setdefault(kind, []).append(value)
    results = tuple(
        CanaryResult(kind, len(values), jeffreys(float(sum(values)), len(values)))
        for kind, values in passed.items()
        if values
    )
    if len(real) == len(read.table.models):
        return read, results
    names = tuple(read.table.models[i] for i in real)
    table = read.table.of_models(names)
    tries, codes = read.tries_count[:, real], read.source_codes[:, real]
    rows = np.flatnonzero((tries > 0).any(axis=1))
    every_try = read.every_try.part(rows, np.array(real, dtype=np.intp))
    found = replace(
        read, table=table.rows(rows), tries_count=tries[rows], source_codes=codes[rows], every_try=every_try
    )
    return found, results


def _known(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float]:
    return [float(each) for each in values if not np.isnan(each)]


def _among_answers(read: ReadOutcomes) -> Iterator[tuple[str, float]]:
    """Answers of real models, kept and judged, that are empty or the prompt again."""
    from breakeven.outcomes.outcome import SOURCES

    judge = SOURCES.index("judge")
    table = read.table
    for column, name in enumerate(table.models):
        answers = table.responses.get(name)
        if answers is None or name.startswith(PREFIX):
            continue
        for row in np.flatnonzero(read.source_codes[:, column] == judge).tolist():
            answer, prompt = answers[row].strip(), table.prompts[row].strip()
            if not answer:
                yield "empty answers of models", float(table.success[row, column])
            elif prompt and answer == prompt:
                yield "prompts said back by models", float(table.success[row, column])
