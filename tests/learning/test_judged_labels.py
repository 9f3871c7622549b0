"""Judged labels: a judge who flatters the cheap model does not break the floor; alone he promises nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from breakeven.cli.learn import command
from breakeven.learning.judged_labels import GOLD_REQUESTS_MIN_COUNT, judge_account, judged_parts, with_judges
from breakeven.learning.judgement import BY_GOLD, judge_learnt
from breakeven.learning.learn import Learnt, learn
from breakeven.learning.settings import LearnSettings
from breakeven.outcomes.judged import Sources, read_and_judge
from breakeven.outcomes.outcome import SOURCES, Floats, OutcomeTable
from breakeven.outcomes.writing import write_outcomes

from .planted import table_of

TASKS = 8
SMALL = np.linspace(0.55, 0.93, TASKS)
"""True success of the small model by task; the large one's is the same in all."""
LARGE = 0.92
BIAS = 0.10
FLOOR = 0.95


def world(rows: int, gold: int, seed: int) -> OutcomeTable:
    """A judge calls so many of the small model's failures successes that its rate is ten points too high."""
    rng = np.random.default_rng(seed)
    of_row = rng.integers(TASKS, size=rows)
    truth = np.column_stack([rng.random(rows) < SMALL[of_row], rng.random(rows) < LARGE]).astype(float)
    kind = np.minimum(BIAS / (1 - SMALL[of_row]), 1.0)
    judged = truth.copy()
    judged[:, 0] = np.where(truth[:, 0] == 1, 1.0, rng.random(rows) < kind)
    is_gold = np.zeros(rows, dtype=bool)
    is_gold[rng.permutation(rows)[:gold]] = True
    codes = np.where(is_gold[:, None], SOURCES.index("gold"), SOURCES.index("judge")).repeat(2, axis=1)
    table = table_of(
        np.where(is_gold[:, None], truth, judged),
        ("",) * rows,
        ("small", "large"),
        task=tuple(f"t{each}" for each in of_row),
    )
    return replace(table, source_codes=codes.astype(np.int8), judged_success=judged)


def true_ratio(learnt: Learnt) -> float | None:
    """True success of the calibrated setting over the reference's; None where nothing was promised."""
    if learnt.floor.at is None:
        return None
    choices = learnt.draft.family.calibration.sweep.choices[learnt.floor.at]
    tasks = np.array([int(each[1:]) for each in learnt.calibration.tasks])
    goes = {int(task): int(choices[tasks == task][0]) for task in np.unique(tasks)}
    chosen = [SMALL[task] if goes.get(task, 1) == 0 else LARGE for task in range(TASKS)]
    return float(np.mean(chosen)) / LARGE


def test_a_flattering_judge_does_not_break_the_floor_more_often_than_promised() -> None:
    """5 % are promised: of 60 policies 3 +- 1.7. By the judge's word alone most would be below."""
    broken, moved, fooled = 0, [], 0
    for seed in range(60):
        table = world(1_500, 500, seed)
        learnt = learn(table, LearnSettings(quality_floor_ratio=FLOOR, reference="large", seed=seed))
        ratio = true_ratio(learnt)
        broken += ratio is not None and ratio < FLOOR
        moved.append(learnt.floor.moved_fraction)
        assert table.judged_success is not None
        believed = replace(table, success=table.judged_success, source_codes=None, judged_success=None)
        naive = true_ratio(learn(believed, LearnSettings(quality_floor_ratio=FLOOR, reference="large", seed=seed)))
        fooled += naive is not None and naive < FLOOR
    assert broken <= 3 + 3 * 1.7
    assert np.mean(moved) > 0.2
    assert fooled > 30


def test_the_calibration_has_careful_labels_only_and_nothing_is_learnt_from_them() -> None:
    table = world(1_200, 300, 1)
    account = judge_account(table, 0)
    assert account is not None
    parts = judged_parts(table, account, 300, 0)
    assert parts.calibration.requests_count == 225
    assert parts.train.requests_count == 1_200 - 225
    assert parts.calibration.source_codes is not None
    assert (parts.calibration.source_codes == SOURCES.index("gold")).all()
    assert not set(parts.calibration.request_ids) & set(parts.train.request_ids)
    assert parts.account.corrected_in_training == ("small", "large")


def test_what_is_learnt_from_has_the_judge_s_errors_taken_out() -> None:
    table = world(6_000, 1_200, 2)
    account = judge_account(table, 0)
    assert account is not None
    train = judged_parts(table, account, 300, 0).train
    truth = SMALL.mean()
    assert table.success[:, 0].mean() > truth + 0.06
    assert train.success[:, 0].mean() == pytest.approx(truth, abs=0.03)
    rate = account.corrected["small"]
    assert rate.bias_fraction == pytest.approx(BIAS, abs=0.03)
    assert rate.low_fraction <= truth <= rate.high_fraction


@pytest.mark.parametrize("gold", [0, GOLD_REQUESTS_MIN_COUNT - 1])
def test_a_judge_alone_promises_nothing(gold: int) -> None:
    learnt = learn(world(1_500, gold, 3), LearnSettings(reference="large"))
    judgement = judge_learnt(learnt, resamples_count=200)
    assert not learnt.floor.holds
    assert (judgement.choices == 1).all()
    assert judgement.verdict.answer == "not enough evidence"
    assert judgement.single == "large"
    assert f"{gold} requests have a careful label of every model" in judgement.verdict.sentence
    assert judgement.guarantee.missing_requests_count is not None
    assert judgement.guarantee.missing_requests_count >= GOLD_REQUESTS_MIN_COUNT - gold


def test_labels_of_some_models_correct_the_judge_and_are_told_apart() -> None:
    """60 requests of which gold has judged the small model alone."""
    whole = world(1_500, 20, 3)
    assert whole.source_codes is not None
    codes = whole.source_codes.copy()
    gold = SOURCES.index("gold")
    others = np.flatnonzero((codes != gold).any(axis=1))[:60]
    codes[others, 0] = gold
    table = replace(whole, source_codes=codes)
    account = judge_account(table, 0)
    assert account is not None
    assert (account.gold_requests_count, account.partly_gold_requests_count) == (20, 60)
    assert account.corrected["small"].gold_count == 80
    assert "20 requests have a careful label of every model (60 more of some models only" in account.why_alone


def test_a_proof_on_careful_labels_says_so() -> None:
    learnt = learn(world(2_000, 700, 4), LearnSettings(reference="large"))
    assert learnt.floor.holds
    assert judge_learnt(learnt, resamples_count=200).guarantee.method.endswith(BY_GOLD)


@pytest.mark.parametrize("source", ["validator", "log", "feedback", ""])
def test_other_sources_are_taken_as_they_are(source: str) -> None:
    table = world(300, 0, 5)
    codes = np.full(table.success.shape, SOURCES.index(source), dtype=np.int8)
    assert judge_account(replace(table, source_codes=codes), 0) is None
    assert judge_account(replace(table, source_codes=None), 0) is None


def test_a_file_with_both_words_is_learnt_from_by_the_verb(tmp_path: Path) -> None:
    """As `breakeven outcomes --gold FILE --out` writes it."""
    table = world(900, 300, 6)
    assert table.source_codes is not None
    assert table.judged_success is not None
    path = tmp_path / "both.csv"
    path.write_text("request_id,task,model,success,cost_usd,source\n" + "\n".join(_rows(table, table.judged_success)))
    found = read_and_judge([path], Sources())
    again = with_judges(found.outcomes, found.others)
    account = judge_account(again, 0)
    assert account is not None
    assert account.gold_requests_count == 300
    written = tmp_path / "written.csv"
    write_outcomes(written, found.outcomes, found.others)
    twice = read_and_judge([written], Sources())
    assert judge_account(with_judges(twice.outcomes, twice.others), 0) == account
    said = CliRunner().invoke(command, ["--outcomes", str(written), "--reference", "large"])
    assert said.exit_code == 0, said.output
    words = " ".join(said.output.split())
    assert "A judge alone says of 1,200 of 1,800 answers" in words
    assert "300 requests have a careful label of every model" in words
    assert "corrected by 300 careful labels" in words


def _rows(table: OutcomeTable, judged: Floats) -> list[str]:
    assert table.source_codes is not None
    rows = []
    for at, (name, task) in enumerate(zip(table.request_ids, table.tasks, strict=True)):
        for column, model in enumerate(table.models):
            cost = table.cost_usd[at, column]
            rows.append(f"{name},{task},{model},{judged[at, column]:g},{cost:g},judge")
            if table.source_codes[at, column] == SOURCES.index("gold"):
                rows.append(f"{name},{task},{model},{table.success[at, column]:g},{cost:g},gold")
    return rows
