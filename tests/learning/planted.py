"""Planted outcomes: tables whose truth is known."""

from __future__ import annotations

import numpy as np

from breakeven.outcomes.outcome import Floats, OutcomeTable


def table_of(
    success: Floats,
    prompts: tuple[str, ...] | None = None,
    models: tuple[str, ...] | None = None,
    cost_usd: Floats | None = None,
    **groups: tuple[str, ...],
) -> OutcomeTable:
    """A table of these outcomes; where no cost is given it is 1 for the first model, tenfold for each further one."""
    rows, width = success.shape
    cost = np.tile(10.0 ** np.arange(width), (rows, 1)) if cost_usd is None else cost_usd
    return OutcomeTable(
        request_ids=tuple(str(row) for row in range(rows)),
        models=models or tuple(f"m{at}" for at in range(width)),
        success=success,
        cost_usd=cost,
        prompts=prompts or tuple(f"prompt {row}" for row in range(rows)),
        groups=groups,
    )


def words_decide(rows: int, seed: int) -> OutcomeTable:
    """Two models, one task: the weak one succeeds at prompts with "easy", the strong one at nearly all."""
    rng = np.random.default_rng(seed)
    easy = rng.random(rows) < 0.5
    filler = rng.choice(np.array(["lake", "stone", "river", "cloud", "sand", "wood", "iron", "salt"]), (rows, 6))
    prompts = tuple(
        f"{'easy' if each else 'hard'} {' '.join(words)} {row}?"
        for row, (each, words) in enumerate(zip(easy, filler, strict=True))
    )
    weak = rng.random(rows) < np.where(easy, 0.9, 0.2)
    strong = rng.random(rows) < 0.92
    return table_of(np.column_stack([weak, strong]).astype(float), prompts, ("weak", "strong"), task=("t",) * rows)


def nothing_decides(rows: int, seed: int, tasks: int = 1) -> OutcomeTable:
    """Two models whose success depends on the task at most; no word tells anything."""
    rng = np.random.default_rng(seed)
    words = rng.choice(np.array(["lake", "stone", "river", "cloud", "sand", "wood", "iron", "salt"]), (rows, 8))
    of_row = rng.integers(tasks, size=rows)
    weak = rng.random(rows) < 0.3 + 0.5 * of_row / max(1, tasks - 1)
    strong = rng.random(rows) < 0.9
    return table_of(
        np.column_stack([weak, strong]).astype(float),
        tuple(" ".join(each) + f" {row}" for row, each in enumerate(words)),
        ("weak", "strong"),
        task=tuple(f"t{each}" for each in of_row),
    )
