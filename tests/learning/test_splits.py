"""Folds: every row once, copies together, tasks in equal parts or whole."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from breakeven.learning.splits import COMMON_MIN_COUNT, mixed_folds, splits, task_folds
from breakeven.outcomes.outcome import OutcomeTable

from .planted import table_of

rows = st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), st.sampled_from("tuvw")), min_size=1, max_size=40)


def _table(drawn: list[tuple[str, str]]) -> OutcomeTable:
    return table_of(np.ones((len(drawn), 1)), tuple(p for p, _ in drawn), task=tuple(t for _, t in drawn))


@given(rows, st.integers(2, 5), st.integers(0, 9))
def test_copies_never_straddle_and_each_row_is_judged_once(drawn: list[tuple[str, str]], folds: int, seed: int) -> None:
    table = _table(drawn)
    for fold_of in (mixed_folds(table, folds, seed), task_folds(table, folds, seed)):
        judged = []
        for split in splits(table, fold_of):
            common = {text for text in table.prompts if table.prompts.count(text) > COMMON_MIN_COUNT}
            learnt = {table.prompts[i] for i in split.train} - {"", *common}
            assert not learnt & {table.prompts[i] for i in split.test}
            assert not set(split.train) & set(split.test)
            judged += split.test.tolist()
        assert sorted(judged) == list(range(len(drawn)))


@given(rows, st.integers(0, 9))
def test_whole_tasks_stay_together(drawn: list[tuple[str, str]], seed: int) -> None:
    table = _table(drawn)
    fold_of = task_folds(table, 3, seed)
    for task in set(table.tasks):
        assert len({int(f) for f, t in zip(fold_of, table.tasks, strict=True) if t == task}) == 1


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 5), st.integers(0, 9))
def test_mixed_folds_hold_equal_parts_of_each_task(first: int, second: int, folds: int, seed: int) -> None:
    tasks = ("a",) * first + ("b",) * second
    table = table_of(np.ones((first + second, 1)), task=tasks)
    fold_of = mixed_folds(table, folds, seed)
    for task in ("a", "b"):
        counts = np.bincount(fold_of[[t == task for t in tasks]], minlength=folds)
        assert counts.max() - counts.min() <= 1
    counts = np.bincount(fold_of, minlength=folds)
    assert counts.max() - counts.min() <= 1


def test_a_seed_decides() -> None:
    table = table_of(np.ones((50, 1)), task=("a",) * 50)
    assert (mixed_folds(table, 4, 1) == mixed_folds(table, 4, 1)).all()
    assert (mixed_folds(table, 4, 1) != mixed_folds(table, 4, 2)).any()


def test_a_text_that_many_say_is_no_copy() -> None:
    """All requests with one text, as answers of one word are: they are dealt like texts that were not kept."""
    table = table_of(np.ones((40, 2)), ("yes",) * 40, task=("t",) * 40)
    for split in splits(table, mixed_folds(table, 4, 0)):
        assert (len(split.train), len(split.test)) == (30, 10)
