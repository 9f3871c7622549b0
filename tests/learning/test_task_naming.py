"""Task naming: planted tasks are told apart, doubt names none, and the figures said are those of new prompts."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.task_naming import fit_task_naming

WORDS = {
    "faq": "parcel delivery refund order shipping address return late tracking courier",
    "code": "function python loop class variable compile error stack array index",
    "legal": "contract clause liability tenant lease party breach notice term law",
}
COMMON = ["please", "help", "me", "with", "this", "and", "that", "today", "thank", "you", "question", "about"]


def planted(rows: int, seed: int, marked: int = 4) -> tuple[list[str], list[str]]:
    """Prompts of three tasks: some words of the task, others of none."""
    rng = np.random.default_rng(seed)
    tasks = rng.choice(list(WORDS), rows).tolist()
    prompts = [
        " ".join([*rng.choice(WORDS[task].split(), marked), *rng.choice(COMMON, 6), str(at + 1000 * seed)])
        for at, task in enumerate(tasks)
    ]
    return prompts, tasks


def test_planted_tasks_are_told_apart_on_new_prompts() -> None:
    fitted = fit_task_naming(*planted(400, 1))
    prompts, tasks = planted(400, 2)
    named = [fitted.naming.name(each) for each in prompts]
    got = [(one, other) for one, other in zip(named, tasks, strict=True) if one is not None]
    assert len(got) > 0.9 * len(tasks)
    assert sum(one == other for one, other in got) >= 0.95 * len(got)
    assert fitted.right_low_fraction >= 0.95


def test_the_figures_said_hold_on_new_prompts() -> None:
    """Where one word in seven tells: what it says of prompts held out is so of prompts that nobody saw."""
    prompts, tasks = planted(900, 3, marked=1)
    rng = np.random.default_rng(3)
    muddled = [str(rng.choice(list(WORDS))) if rng.random() < 0.1 else task for task in tasks]
    with pytest.raises(LearningError, match="do not tell their tasks apart"):
        fit_task_naming(prompts, muddled)
    fitted = fit_task_naming(prompts, tasks)
    new, truth = planted(900, 4, marked=1)
    named = [fitted.naming.name(each) for each in new]
    got = [(one, other) for one, other in zip(named, truth, strict=True) if one is not None]
    assert abs(len(got) / 900 - fitted.named_fraction) < 0.08
    assert sum(one == other for one, other in got) / len(got) > 0.93


def test_doubt_names_no_task() -> None:
    naming = fit_task_naming(*planted(400, 5)).naming
    assert naming.name("") is None
    assert naming.name("zebra quantum violin mountain ocean") is None
    assert naming.name("a\ud800b" * 3) is None


def test_the_same_rows_give_the_same_classifier() -> None:
    one, other = fit_task_naming(*planted(200, 6)).naming, fit_task_naming(*planted(200, 6)).naming
    assert np.array_equal(one.weights, other.weights)
    assert one.least_fraction == other.least_fraction


def test_rare_tasks_and_empty_rows_are_left_out() -> None:
    prompts, tasks = planted(200, 7)
    fitted = fit_task_naming([*prompts, "odd one", "", "x"], [*tasks, "rare", "faq", ""])
    assert fitted.rare_tasks == ("rare",)
    assert (fitted.prompts_count, fitted.naming.tasks) == (200, ("code", "faq", "legal"))


@pytest.mark.parametrize("rows", [([], []), (["a b"] * 50, ["one"] * 50), (["a b"] * 50, [""] * 50)])
def test_less_than_two_tasks_are_refused(rows: tuple[list[str], list[str]]) -> None:
    with pytest.raises(LearningError, match="wanted two at least"):
        fit_task_naming(*rows)
