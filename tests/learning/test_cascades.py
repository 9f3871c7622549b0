"""Cascades against counting by hand, planted checks, and the public answers of GSM8K."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import LearningError
from breakeven.learning.cascades import (
    agreement_cascades,
    applied,
    cascade_words,
    figures,
    validator_cascades,
)
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.outcomes.reading import read_outcomes
from breakeven.routing.policy_document import CascadePlan
from breakeven.routing.validators import validators_of

MODELS = ("small", "mid", "big")
COSTS = (0.001, 0.002, 0.03)


def planted(rows: int, seed: int, *, shared_slip: float = 0.0) -> OutcomeTable:
    """Answers that end in a number; a wrong one is random, but with chance `shared_slip` the same wrong one of all."""
    rng = np.random.default_rng(seed)
    hard = rng.uniform(size=rows)
    success = (rng.uniform(size=(rows, 3)) < np.array([0.9, 0.93, 0.97]) - hard[:, None] * [0.6, 0.5, 0.1]).astype(
        float
    )
    slip = rng.uniform(size=rows) < shared_slip
    answers = {}
    for at, name in enumerate(MODELS):
        wrong = np.where(slip, 7, rng.integers(100, 10_000, rows))
        answers[name] = tuple(
            f"{name}, step {i}: so {42 if ok else bad}."
            for i, (ok, bad) in enumerate(zip(success[:, at], wrong, strict=True))
        )
    return OutcomeTable(
        tuple(map(str, range(rows))),
        MODELS,
        success,
        np.tile(COSTS, (rows, 1)),
        ("How much?",) * rows,
        {"task": ("sum",) * rows},
        answers,
    )


def test_agreement_is_found_with_the_way_answers_end() -> None:
    table = planted(400, 1)
    found = {each.name: each for each in agreement_cascades(table, reference=2)}
    assert set(found) == {
        "small, checked by agreement with mid (number), else big",
        "mid, checked by agreement with small (number), else big",
    }
    cascade = found["small, checked by agreement with mid (number), else big"]
    both_right = (table.success[:, 0] == 1) & (table.success[:, 1] == 1)
    assert ((cascade.trust == 1) == both_right).all()


def test_figures_are_what_counting_gives() -> None:
    table = planted(300, 2, shared_slip=0.3)
    cascade = next(iter(agreement_cascades(table, 2)))
    choices = cascade.choices(0.5)
    found = figures(cascade, choices, table.success, table.cost_usd, check_usd_per_request=0.0005)
    cost = success = 0.0
    for row in range(300):
        small, mid = (table.responses[each][row].rsplit(" ", 1)[-1] for each in ("small", "mid"))
        asks_big = small != mid
        cost += COSTS[0] + COSTS[1] + 0.0005 + (COSTS[2] if asks_big else 0.0)
        success += table.success[row, 2 if asks_big else 0]
    assert found.usd_per_request == pytest.approx(cost / 300)
    assert found.success_fraction == pytest.approx(success / 300)
    assert found.usd_per_success == pytest.approx(cost / success)


def test_a_check_that_sees_content_beats_a_mix_that_does_not() -> None:
    table = planted(3_000, 3)
    cascade = next(iter(agreement_cascades(table, 2)))
    found = figures(cascade, cascade.choices(0.5), table.success, table.cost_usd)
    assert found.success_fraction > found.mix_success_fraction + 0.02


def test_success_after_an_escalation_is_measured_not_independent() -> None:
    """Hard requests are hard for all: behind the check the big model succeeds less often than overall."""
    table = planted(5_000, 4)
    cascade = next(iter(agreement_cascades(table, 2)))
    escalated = cascade.choices(0.5) == 2
    assert table.success[escalated, 2].mean() < table.success[:, 2].mean() - 0.005


def test_validators_flag_what_they_are_declared_to() -> None:
    table = planted(200, 5)
    declarations = {"sum": {"regex": r" 42\.$"}}
    checks = {task: validators_of(each) for task, each in declarations.items()}
    found = {each.first: each for each in validator_cascades(table, 2, declarations, checks)}
    assert set(found) == {0, 1}
    assert (found[0].trust == table.success[:, 0]).all()
    result = figures(found[0], found[0].choices(0.5), table.success, table.cost_usd)
    escalated = table.success[:, 0] == 0
    assert result.success_fraction == pytest.approx(np.where(escalated, table.success[:, 2], 1.0).mean())


def test_a_plan_is_the_same_on_other_rows() -> None:
    table = planted(400, 6)
    cascade = next(iter(agreement_cascades(table, 2)))
    rows = np.arange(200, 400)
    again = applied(cascade.plan, table.rows(rows), {})
    assert (again.trust == cascade.trust[rows]).all()
    assert (again.first, again.last, again.checker) == (cascade.first, cascade.last, cascade.checker)


def test_a_model_without_a_kept_answer_is_never_trusted() -> None:
    table = planted(100, 7)
    answers = dict(table.responses)
    answers["small"] = ("",) * 30 + answers["small"][30:]
    mine = OutcomeTable(table.request_ids, MODELS, table.success, table.cost_usd, table.prompts, table.groups, answers)
    cascade = next(iter(agreement_cascades(mine, 2)))
    assert np.isnan(cascade.trust[:30]).all()
    assert (cascade.choices(0.0)[:30] == 2).all()


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (CascadePlan(("tiny", "big")), "asks tiny, which these outcomes do not know"),
        (CascadePlan(("small", "big"), agreement_model="judge"), "asks judge"),
    ],
)
def test_a_plan_for_other_models_is_refused(plan: CascadePlan, words: str) -> None:
    with pytest.raises(LearningError, match=words):
        applied(plan, planted(10, 8), {})


def test_a_plan_without_answers_is_refused() -> None:
    table = planted(10, 8)
    bare = OutcomeTable(table.request_ids, MODELS, table.success, table.cost_usd, table.prompts, table.groups)
    with pytest.raises(LearningError, match="looks at the answers of small"):
        applied(CascadePlan(("small", "big"), agreement_model="mid"), bare, {})
    assert not list(agreement_cascades(bare, 2))
    half = replace(bare, responses={"small": table.responses["small"]})
    with pytest.raises(LearningError, match="looks at the answers of mid, which"):
        applied(CascadePlan(("small", "big"), agreement_model="mid"), half, {})


def test_words_of_a_plan_without_a_check() -> None:
    assert cascade_words(CascadePlan(("a", "b"))) == "a, checked by nothing, else b"


def test_agreement_on_public_answers(shared_data: Path) -> None:
    """GSM8K: the last numbers of Mixtral and GPT-4 agree nearly always where Mixtral is right, rarely where not."""
    table = read_outcomes(shared_data / "routing" / "gsm8k_routellm.csv.gz").table
    weak, strong = table.models.index("mixtral-8x7b-instruct"), table.models.index("gpt-4-1106-preview")
    plan = CascadePlan(
        (table.models[weak], table.models[strong]), agreement_model=table.models[strong], agreement="number"
    )
    trust = applied(plan, table, {}).trust
    right = table.success[:, weak]
    assert right[trust == 1].mean() > 0.9
    assert right[trust == 0].mean() < 0.35
