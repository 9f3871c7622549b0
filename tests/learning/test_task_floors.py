"""Task floors: each promise is kept, on its own requests; a task without proof stays; the file says so and obeys."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from breakeven.cli.learn import command
from breakeven.errors import LearningError, PolicyError
from breakeven.learning.families import Capacities
from breakeven.learning.judgement import judge_learnt
from breakeven.learning.learn import Learnt, learn
from breakeven.learning.policy_writing import document_of
from breakeven.learning.serving import served
from breakeven.learning.settings import LearnSettings
from breakeven.learning.task_floors import OTHERS, Floors, below_some_floor
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.policy_document import FORMAT_VERSION
from breakeven.routing.policy_file import LoadedPolicy, load, save

from .planted import table_of

EASY = {"faq": (0.95, 0.95), "tagging": (0.9, 0.93), "contract": (0.95, 0.975), "chat": (0.7, 0.9)}
"""Task -> true success of the small and the large model."""
FLOORS = {"contract": 0.99}


def outcomes(rows: int, seed: int, rates: dict[str, tuple[float, float]] = EASY) -> OutcomeTable:
    rng = np.random.default_rng(seed)
    tasks = rng.choice(list(rates), rows)
    truth = np.array([rates[each] for each in tasks])
    success = (rng.random((rows, 2)) < truth).astype(float)
    return table_of(success, ("",) * rows, ("small", "large"), task=tuple(tasks.tolist()))


def learnt_of(table: OutcomeTable, floors: dict[str, float] | None = None, **settings: object) -> Learnt:
    asked = LearnSettings(reference="large", floor_by_task=FLOORS if floors is None else floors, **settings)  # type: ignore[arg-type]
    return learn(table, asked)


def written(learnt: Learnt, folder: Path) -> LoadedPolicy:
    judgement = judge_learnt(learnt, resamples_count=300)
    save(document_of(learnt, (), date(2026, 11, 27), "breakeven test", {}, judgement), folder)
    loaded = load(folder)
    if judgement.single is None:
        assert (served(loaded, learnt.calibration).choices == judgement.choices).all()  # as online
    return loaded


def test_each_floor_is_broken_no_more_often_than_promised() -> None:
    """All together 5 %: of 60 policies 3 +- 1.7. One floor over everything sends contracts below theirs as a rule.

    The small model keeps 0.974 of the large one's contracts: moving them breaks 0.98, by little.
    """
    broken, together, moved = 0, 0, []
    for seed in range(60):
        table = outcomes(3_000, seed)
        learnt = learnt_of(table, {"contract": 0.98}, seed=seed)
        choices, _ = learnt.choices(learnt.draft.family.calibration)
        goes = {task: int(choices[np.array(learnt.calibration.tasks) == task][0]) for task in EASY}
        won = {task: EASY[task][goes[task]] for task in EASY}
        others = [task for task in EASY if task != "contract"]
        rest = np.mean([won[task] for task in others]) / np.mean([EASY[task][1] for task in others])
        broken += won["contract"] / EASY["contract"][1] < 0.98 or rest < 0.95
        moved.append(np.mean(choices == 0))
        if seed % 4 == 0:
            plain = learnt_of(table, {}, seed=seed)
            at_contract = np.array(plain.calibration.tasks) == "contract"
            together += int(plain.choices(plain.draft.family.calibration)[0][at_contract][0] == 0)
    assert broken <= 3 + 3 * 1.7
    assert np.mean(moved) > 0.2
    assert together > 7


def test_a_task_whose_floor_cannot_be_shown_stays_and_the_others_move(tmp_path: Path) -> None:
    learnt = learnt_of(outcomes(3_000, 1))
    assert learnt.task_floors["contract"].at is None
    assert learnt.floor.at is not None
    policy = written(learnt, tmp_path)
    assert policy.route(task="faq").model == "small"
    assert policy.route(task="contract").model == "large"
    assert policy.route(task="never seen").model == "large"
    guarantee = policy.document.guarantee
    assert guarantee is not None
    (floor,) = guarantee.by_task
    assert (floor.task, floor.quality_floor_ratio, floor.holds) == ("contract", 0.99, False)
    assert guarantee.holds
    assert guarantee.confidence_fraction == 0.95
    assert floor.calibration_requests_count < guarantee.calibration_requests_count


def test_a_task_with_a_loose_floor_moves_though_the_others_stay(tmp_path: Path) -> None:
    rates = {"chat": (0.85, 0.9), "contract": (0.4, 0.95)}
    learnt = learnt_of(outcomes(2_000, 2, rates), {"chat": 0.8})
    assert learnt.floor.at is None
    assert learnt.task_floors["chat"].at is not None
    policy = written(learnt, tmp_path)
    assert (policy.route(task="chat").model, policy.route(task="contract").model) == ("small", "large")


def words_and_tasks(rows: int, seed: int) -> OutcomeTable:
    """In both tasks "easy" prompts are for the weak model; contract's are a little less sure."""
    rng = np.random.default_rng(seed)
    easy, tasks = rng.random(rows) < 0.5, rng.choice(["faq", "contract"], rows)
    words = rng.choice(np.array(["lake", "stone", "river", "cloud", "sand", "wood"]), (rows, 6))
    prompts = tuple(
        f"{'easy' if each else 'hard'} {' '.join(some)} {row}?"
        for row, (each, some) in enumerate(zip(easy, words, strict=True))
    )
    weak = rng.random(rows) < np.where(easy, 0.95, 0.2)
    strong = rng.random(rows) < 0.93
    return table_of(
        np.column_stack([weak, strong]).astype(float), prompts, ("weak", "strong"), task=tuple(tasks.tolist())
    )


@pytest.mark.parametrize("floor", [0.8, 0.97, 1.0])
def test_a_scorer_has_a_value_for_each_task_and_decides_alike_online(tmp_path: Path, floor: float) -> None:
    settings = LearnSettings(reference="strong", quality_floor_ratio=0.9, floor_by_task={"contract": floor})
    learnt = learn(words_and_tasks(2_400, 3), settings)
    assert learnt.draft.family.kind == "threshold"
    policy = written(learnt, tmp_path)
    assert policy.document.format_version == 2
    fresh = words_and_tasks(1_500, 4)
    choices, task = served(policy, fresh).choices, np.array(fresh.tasks)
    for name, asked in (("contract", floor), ("faq", 0.9)):
        rows = np.flatnonzero(task == name)
        ratio = fresh.success[rows, choices[rows]].mean() / fresh.success[rows, 1].mean()
        assert ratio > asked - 3 * 0.013  # three standard errors of the ratio on the fresh requests
    by_task = policy.document.value_usd_per_success_by_task
    if learnt.task_floors["contract"].at is None:
        assert not by_task
        assert (choices[task == "contract"] == 1).all()
        assert policy.route("easy lake stone river cloud sand 1?", task="contract").reason == "group: task=contract"
    else:
        assert set(by_task) == {"contract"}


def test_a_cheap_model_alone_must_keep_every_floor() -> None:
    rates = {"faq": (0.95, 0.95), "contract": (0.85, 0.97)}
    table = outcomes(4_000, 5, rates)
    assert below_some_floor(table, 1, Floors(0.8, {}, 0.95, 0)) == frozenset()
    assert below_some_floor(table, 1, Floors(0.8, {"contract": 0.95}, 0.95, 0)) == {0}
    assert judge_learnt(learnt_of(table, {"contract": 0.95}), resamples_count=300).single != "small"


def test_one_model_that_keeps_every_floor_is_the_answer(tmp_path: Path) -> None:
    rates = {"faq": (0.96, 0.95), "contract": (0.96, 0.95)}
    learnt = learnt_of(outcomes(4_000, 6, rates), {"contract": 0.96})
    policy = written(learnt, tmp_path)
    assert policy.kind == "single"
    assert policy.document.default_model == "small"
    assert policy.document.guarantee is not None
    assert all(each.holds for each in policy.document.guarantee.by_task)


def test_the_risk_is_shared_out() -> None:
    floors = Floors(0.95, {"a": 0.99, "b": 0.9}, 0.95, 0)
    assert floors.confidence_of_part_fraction == pytest.approx(1 - 0.05 / 3)
    table = replace(outcomes(6, 0), groups={"task": ("a", "b", "c", "", "a", "c")})
    assert floors.rows(table, "a").tolist() == [True, False, False, False, True, False]
    assert floors.rows(table, OTHERS).tolist() == [False, False, True, True, False, True]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"floor_by_task": {"poems": 0.9}}, "no request has the task poems"),
    ],
)
def test_what_cannot_be_asked_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(LearningError, match=said):
        learn(outcomes(200, 7), LearnSettings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"floor_by_task": FLOORS, "latency_max_s": 9.0}, ["Cascades are not weighed beside a longest latency"]),
        ({"limits": Capacities({"small": 0.5})}, ["Cascades are not weighed beside limits of capacity or budget"]),
        ({}, []),
    ],
)
def test_the_page_says_why_no_cascade_was_weighed(settings: dict[str, object], said: list[str]) -> None:
    table = outcomes(400, 7)
    answers = dict.fromkeys(table.models, ("It is 42",) * table.requests_count)
    table = replace(table, responses=answers, latency_s=np.ones(table.success.shape))
    learnt = learn(table, LearnSettings(**settings))  # type: ignore[arg-type]
    assert [each for each in learnt.notes if "ascade" in each] == said
    assert said == [] or all(each.family.kind != "cascade" for each in learnt.drafts)


def test_older_files_load_and_a_newer_one_is_refused_in_words(tmp_path: Path) -> None:
    plain = written(learnt_of(outcomes(2_000, 8), {}), tmp_path / "one")
    content = json.loads((tmp_path / "one" / "policy.json").read_text())
    assert content["format_version"] == 1
    assert "value_usd_per_success_by_task" not in content
    assert "by_task" not in content["guarantee"]
    assert load(tmp_path / "one").hash == plain.hash
    written(learnt_of(outcomes(2_000, 8)), tmp_path / "two")
    content = json.loads((tmp_path / "two" / "policy.json").read_text())
    assert content["format_version"] == 2 < FORMAT_VERSION
    content["format_version"] = FORMAT_VERSION + 1
    (tmp_path / "two" / "policy.json").write_text(json.dumps(content))
    with pytest.raises(PolicyError, match="newer breakeven"):
        load(tmp_path / "two")


def test_the_verb_says_every_floor(tmp_path: Path) -> None:
    table = outcomes(2_000, 9)
    rows = [
        f"{at},{table.tasks[at]},{model},{table.success[at, column]:g},{10.0**column:g}"
        for at in range(2_000)
        for column, model in enumerate(table.models)
    ]
    path = tmp_path / "o.csv"
    path.write_text("request_id,task,model,success,cost_usd\n" + "\n".join(rows) + "\n")
    asked = ["--outcomes", str(path), "--reference", "large", "--floor", "contract=0.99", "--out", str(tmp_path / "p")]
    said = CliRunner().invoke(command, asked)
    assert said.exit_code == 0, said.output
    words = " ".join(said.output.split())
    assert "Floor of contract: 99.0 %; nothing could be proven" in words
    assert "over all tasks but those below, with 95 % confidence, all floors together" in words
    bad = CliRunner().invoke(command, ["--outcomes", str(path), "--floor", "contract=1.2"])
    assert bad.exit_code == 2
    assert "0.99" in bad.output
