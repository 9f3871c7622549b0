"""Promotion: yes where words decide, no where nothing does, never on few; tasks left out judge what carries over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.learning import heads
from breakeven.learning.nested import PAIRS_MIN_COUNT, scorer_pays, unseen_pays

from .planted import nothing_decides, words_decide


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the trees: enough for what is tested here."""
    monkeypatch.setattr(heads, "TREES_COUNT", 20)


def test_words_that_decide_are_found() -> None:
    found = scorer_pays(words_decide(400, 0), seed=0)
    assert found.promoted
    assert found.low_fraction is not None
    assert found.gain_fraction is not None
    assert 0 < found.low_fraction < found.gain_fraction
    assert found.scores is not None
    assert found.scores.shape == (400, 2)
    assert found.why.startswith("beats the groups' rates: +")


def test_where_no_word_tells_the_groups_stay() -> None:
    """At 95 % one in 40 may be promoted by chance; of four none or one."""
    promoted = [scorer_pays(nothing_decides(300, seed, tasks=3), seed).promoted for seed in range(4)]
    assert sum(promoted) <= 1


def test_few_requests_or_no_prompts_are_never_enough() -> None:
    few = scorer_pays(words_decide(PAIRS_MIN_COUNT - 1, 0), seed=0)
    assert not few.promoted
    assert few.gain_fraction is None
    assert "299 requests" in few.why
    single = words_decide(400, 0)
    lonely = single.success.copy()
    lonely[:, 1] = np.nan
    assert not scorer_pays(replace(single, success=lonely), seed=0).promoted
    silent = scorer_pays(replace(words_decide(400, 0), prompts=("",) * 400), seed=0)
    assert silent.why == "no prompt was kept"


def test_what_carries_over_to_other_tasks_is_told_from_eight_tasks_on() -> None:
    table = words_decide(480, 1)
    eight = replace(table, groups={"task": tuple(f"t{row % 8}" for row in range(480))})
    assert unseen_pays(eight, seed=0).promoted
    assert "1 tasks" in unseen_pays(table, seed=0).why
    assert not unseen_pays(nothing_decides(480, 2, tasks=8), seed=0).promoted
