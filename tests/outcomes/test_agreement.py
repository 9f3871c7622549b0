"""Agreement: answers compared with a reference's, or with what most models say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import OutcomeError
from breakeven.outcomes.agreement import MAJORITY, agreement, same, table_by_agreement
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.outcomes.reading import read_outcomes

GSM8K = Path(__file__).parents[2] / "../shared/data/routing/gsm8k_routellm.csv.gz"


def _table(**answers: tuple[str, ...]) -> OutcomeTable:
    count = len(next(iter(answers.values())))
    empty = np.full((count, len(answers)), np.nan)
    return OutcomeTable(tuple(map(str, range(count))), tuple(answers), empty, empty, ("",) * count, {}, answers)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Yes.", "yes", True),
        ("yes", "no", False),
        ("The answer is (B)", "B. because of the heat", True),
        ("A", "B", False),
        ("#### 1,060", "so 53 x 20 = 1060 in all", True),
        ("#### 1,060", "so 53 x 20 = 1061 in all", False),
        ("3.50", "$3.5", True),
        ('{"a": 1, "b": [2]}', '{"b": [2], "a": 1}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("", "", True),
        ("the cat sat on the mat and looked at the dog which ran away", "no", False),
        (
            "the cat sat on the mat and looked at the dog which ran away",
            "the cat sat on a mat and looked at the dog which then ran away",
            True,
        ),
    ],
)
def test_two_answers(one: str, other: str, agree: bool) -> None:
    assert same(one, other) is agree
    assert same(other, one) is agree


def test_with_a_reference() -> None:
    found = agreement(_table(a=("yes", "no", ""), b=("yes", "yes", "yes")), "b")
    np.testing.assert_array_equal(found, [[1, np.nan], [0, np.nan], [np.nan, np.nan]])


def test_with_the_majority_of_the_others() -> None:
    table = _table(a=("x", "x", "x"), b=("x", "y", "y"), c=("x", "y", "z"))
    np.testing.assert_array_equal(agreement(table, MAJORITY), [[1, 1, 1], [0, np.nan, np.nan], [np.nan] * 3])
    assert table_by_agreement(table).source == "agreement"


@pytest.mark.parametrize(
    ("answers", "reference", "message"),
    [
        ({"a": ("x",)}, "a", "two models or more"),
        ({"a": ("x",), "b": ("x",)}, MAJORITY, "three models"),
        ({"gpt": ("x",), "b": ("x",)}, "gtp", "did you mean 'gpt'"),
    ],
)
def test_what_cannot_be_compared_is_refused(answers: dict[str, tuple[str, ...]], reference: str, message: str) -> None:
    with pytest.raises(OutcomeError, match=message):
        agreement(_table(**answers), reference)


def test_on_public_answers_agreement_tells_right_from_wrong() -> None:
    """Mixtral against GPT-4 on GSM8K: nearly all that agree are right, hardly any of the others."""
    if not GSM8K.exists():
        pytest.skip("the public outcomes are not here")
    table = read_outcomes(GSM8K).table
    at = table.models.index("mixtral-8x7b-instruct")
    found, right = agreement(table, "gpt-4-1106-preview")[:, at], table.success[:, at]
    assert right[found == 1].mean() > 0.9
    assert right[found == 0].mean() < 0.15
