"""Evaluation answer: what is warned of: a judge's word, and tasks below a floor of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.learning.serving import served
from breakeven.outcomes.reading import read_outcomes
from breakeven.reports.evaluation_answer import below_floors, by_a_judge, evaluate_outcomes
from breakeven.routing.policy_document import GroupChoice, Guarantee, PolicyDocument, PricedModel, TaskFloor
from breakeven.routing.policy_file import LoadedPolicy, save

HEAD = "request_id,task,model,success,source\n"


def policy(folder: Path, floor: float) -> LoadedPolicy:
    """Contracts go to the small model, and have a floor of their own."""
    promise = Guarantee(0.9, "large", 0.95, "betting", 300, True, by_task=(TaskFloor("contract", floor, 100, True),))
    return save(
        PolicyDocument(
            kind="task_map",
            models=(PricedModel("small", usd_per_request=1.0), PricedModel("large", usd_per_request=9.0)),
            default_model="large",
            groups=(GroupChoice((), "large"), GroupChoice(("contract",), "small")),
            guarantee=promise,
            created=date(2026, 11, 27).isoformat(),
        ),
        folder,
    )


def outcomes(folder: Path, source: str = "log") -> Path:
    """100 contracts, of which the small model succeeds in 90 and the large one in all; 20 others."""
    rows = [f"{at},contract,small,{int(at >= 10)},{source}\n{at},contract,large,1,log" for at in range(100)]
    rows += [f"{at},faq,small,0,log\n{at},faq,large,1,log" for at in range(100, 120)]
    path = folder / "outcomes.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(("floor", "is_below"), [(0.95, True), (0.85, False)])
def test_a_task_below_its_own_floor_is_named_with_its_interval(tmp_path: Path, floor: float, is_below: bool) -> None:
    loaded = policy(tmp_path / "policy", floor)
    answered = served(loaded, read_outcomes(outcomes(tmp_path)).table)
    found = below_floors(loaded, answered, 0)
    assert bool(found) == is_below
    if is_below:
        (said,) = found
        assert said.startswith("contract: 90.0 % of large's success on 100 requests (95 %: 8")
        assert said.endswith("below its floor of 95.0 %")


def test_a_policy_without_floors_by_task_warns_of_none(tmp_path: Path) -> None:
    loaded = policy(tmp_path / "policy", 0.95)
    answered = served(loaded, read_outcomes(outcomes(tmp_path)).table)
    plain = replace(loaded, document=replace(loaded.document, guarantee=None))
    assert below_floors(plain, answered, 0) == ()


def test_a_judge_s_word_is_warned_of(tmp_path: Path) -> None:
    (said,) = by_a_judge(read_outcomes(outcomes(tmp_path, "judge")))
    assert said.startswith("a judge alone says of 100 of 240 answers whether they succeeded")
    assert by_a_judge(read_outcomes(outcomes(tmp_path))) == ()


@pytest.mark.parametrize(("floor", "alone"), [(0.99, "large"), (0.5, "small")])
def test_one_cheap_model_is_advised_only_where_it_keeps_every_floor(tmp_path: Path, floor: float, alone: str) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for at in range(1_200):
        task = "contract" if at % 4 == 0 else "faq"
        small = int(rng.random() < (0.9 if task == "contract" else 0.97))
        rows += [f"{at},{task},small,{small},log", f"{at},{task},large,{int(rng.random() < 0.97)},log"]
    path = tmp_path / "many.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    catalog = load_catalog(date(2026, 11, 27))
    done = evaluate_outcomes(policy(tmp_path / "policy", floor), read_outcomes(path), catalog)
    assert done.found.document is not None
    assert done.found.document.verdict is not None
    assert done.found.document.verdict.model == alone
