"""Groups divided between models: shares as the program gives them, requests drawn as the policy draws them online."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.learning.allocation import Limits
from breakeven.learning.group_shares import divided, draw_keys, drawn, groups_of, is_by_group
from breakeven.learning.limits import mixes_within

from .planted import table_of

MODELS = ("small", "big")
TASKS = ("a",) * 3_000 + ("b",) * 1_000


def planted_groups() -> tuple[np.ndarray, np.ndarray]:
    """Predicted success by group: the small model is as good at a, and much worse at b."""
    scores = np.where(np.array(TASKS)[:, None] == "a", [[0.9, 0.9]], [[0.3, 0.9]])
    return scores, np.zeros(len(TASKS))


@pytest.mark.parametrize(("most", "of_a"), [(0.3, 0.4), (0.75, 1.0), (0.9, 1.0)])
def test_the_group_that_loses_least_gets_the_scarce_model(most: float, of_a: float) -> None:
    """Three requests of four are a's: 30 % of all are 40 % of those."""
    scores, failure = planted_groups()
    table = table_of(scores, models=MODELS, task=TASKS)
    groups = groups_of(table, scores, failure)
    shares, found = divided(groups, MODELS, Limits({"small": most}, None, None, 100.0), np.ones((2, 2), bool))
    assert shares["a",].get("small", 0.0) == pytest.approx(of_a)
    assert shares["b",] == {"big": 1.0}
    assert found.share_fractions[0] == pytest.approx(0.75 * of_a)
    choices = drawn(shares, table, np.zeros(len(TASKS), dtype=np.intp))
    assert (choices[:3_000] == 0).mean() == pytest.approx(of_a, abs=3 * np.sqrt(0.24 / 3_000))
    assert (choices[3_000:] == 1).all()


def test_a_group_that_the_small_model_may_not_take_is_not_divided() -> None:
    scores, failure = planted_groups()
    groups = groups_of(table_of(scores, models=MODELS, task=TASKS), scores, failure)
    allowed = np.array([[path != ("a",), True] for path in groups.paths])
    shares, _ = divided(groups, MODELS, Limits({"small": 0.3}, None, None, 1.0), allowed)
    assert shares["a",] == {"big": 1.0}
    assert shares["b",]["small"] == 1.0


def test_dear_failures_of_a_group_weigh_in_it_alone() -> None:
    """A success is worth nothing else, so all would go to the small model."""
    scores, _ = planted_groups()
    failure = np.where(np.array(TASKS) == "b", 100.0, 0.0)
    groups = groups_of(table_of(scores, models=MODELS, task=TASKS), scores, failure)
    shares, _ = divided(groups, MODELS, Limits({}, None, None, 0.0), np.ones((2, 2), bool))
    assert shares == {("a",): {"small": 1.0}, ("b",): {"big": 1.0}}


def test_a_group_without_shares_keeps_its_choice() -> None:
    scores, _ = planted_groups()
    table = table_of(scores, models=MODELS, task=TASKS)
    choices = drawn({("a",): {"big": 1.0}}, table, np.zeros(len(TASKS), dtype=np.intp))
    assert set(choices[:3_000]) == {1}
    assert set(choices[3_000:]) == {0}


def test_ids_stand_for_prompts_only_where_none_was_kept() -> None:
    scores = np.full((3, 2), 0.5)
    assert draw_keys(table_of(scores, ("", "", ""), task=("a",) * 3)) == ("0", "1", "2")
    assert draw_keys(table_of(scores, ("", "x", ""), task=("a",) * 3)) == ("", "x", "")


def test_scores_that_differ_within_a_group_are_not_its_rates() -> None:
    scores, _ = planted_groups()
    table = table_of(scores, models=MODELS, task=TASKS)
    assert is_by_group(table, scores)
    assert not is_by_group(table, scores + np.linspace(0, 0.01, len(TASKS))[:, None])


def test_chance_mixes_models_within_their_capacities() -> None:
    assert mixes_within(("a", "b", "c"), {}).tolist() == np.eye(3)[::-1].tolist()
    found = mixes_within(("a", "b", "c"), {"a": 0.2, "b": 0.5})
    assert (found <= np.array([0.2, 0.5, 1.0])).all()
    assert found.sum(axis=1) == pytest.approx(1.0)
    assert found == pytest.approx(np.array([[0.0, 0.0, 1.0], [0.0, 0.5, 0.5], [0.2, 0.0, 0.8], [0.2, 0.5, 0.3]]))
