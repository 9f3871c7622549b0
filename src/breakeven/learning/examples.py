"""Example: requests on both sides of a policy's line, so that a person can see what it sends where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.learning.group_rates import group_name, paths_of
from breakeven.learning.judgement import Judgement
from breakeven.learning.learn import Learnt

SIDES_COUNT: Final = 3
"""Models shown, and examples of each."""
PROMPT_MAX_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Example:
    """One calibration request, and where it goes."""

    request_id: str
    group: str
    prompt: str
    model: str
    predicted: Mapping[str, float]


def examples_of(learnt: Learnt, judgement: Judgement) -> tuple[Example, ...]:
    """For each of the models that take most, the requests whose predicted loss against the reference is the median's.

    Typical ones, not extremes: the middle of each side by predicted difference, then its quarters.
    """
    table = learnt.calibration
    reference = table.models.index(learnt.reference)
    loss = learnt.calibration_scores[:, [reference]] - learnt.calibration_scores
    paths, found = paths_of(table), []
    shares = np.bincount(judgement.choices, minlength=len(table.models))
    for model in np.argsort(-shares, kind="stable")[: min(SIDES_COUNT, int((shares > 0).sum()))]:
        mine = np.flatnonzero(judgement.choices == model)
        rival = loss[mine].argsort(axis=1)[:, 0] if model == reference else np.full(len(mine), model)
        order = mine[np.argsort(loss[mine, rival], kind="stable")]
        at = np.unique(np.clip(np.array([len(order) // 2, len(order) // 4, 3 * len(order) // 4]), 0, len(order) - 1))
        for row in order[at][:SIDES_COUNT]:
            found.append(
                Example(
                    table.request_ids[row],
                    group_name(paths[row]),
                    shown_prompt(table.prompts[row]),
                    table.models[int(model)],
                    {
                        name: float(each)
                        for name, each in zip(table.models, learnt.calibration_scores[row], strict=True)
                    },
                )
            )
    return tuple(found)


def shown_prompt(prompt: str) -> str:
    """The end of a prompt: what is asked stands there, what all prompts of a template share stands before it."""
    words = " ".join(prompt.split())
    return words if len(words) <= PROMPT_MAX_CHARACTERS else "…" + words[-PROMPT_MAX_CHARACTERS:].partition(" ")[2]
