"""Label choice: labels go where they narrow the total most, within a task by chance, and the walk can stop anywhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from breakeven.audit.label_choice import allocation, choose
from breakeven.audit.labelling import Walk
from breakeven.audit.labels import Label, OwnLast, append_label, own_last, read_labels
from breakeven.audit.run import audited
from breakeven.audit.suitability import TaskEvidence, posterior, priors
from breakeven.audit.task import Audit, AuditedTask, Interval
from breakeven.catalog.load import load_catalog
from workload.typed_calls import call, table

from .test_saved import small_audit

CATALOG = load_catalog(date(2026, 11, 25))
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def task(name: str, spend: float, low: float, high: float, calls: int = 1_000) -> AuditedTask:
    """A task with an interval."""
    plain = small_audit().tasks[0]
    suitable = replace(plain.suitability, can_do=Interval(low, (low + high) / 2, high))
    return replace(plain, id=name, name=name, spend_fraction=spend, calls_count=calls, suitability=suitable)


def test_labels_go_to_what_is_dear_and_uncertain() -> None:
    tasks = [task("dear", 0.6, 0.4, 0.9), task("cheap", 0.1, 0.4, 0.9), task("known", 0.3, 0.84, 0.86)]
    given = Counter(allocation(tasks, 50))
    assert sum(given.values()) == 50
    assert given["dear"] > given["cheap"] > given["known"]


def test_a_task_never_gets_more_labels_than_it_has_calls_and_the_rest_goes_on() -> None:
    tasks = [task("dear", 0.9, 0.2, 0.9, calls=3), task("cheap", 0.1, 0.4, 0.9, calls=4)]
    assert Counter(allocation(tasks, 50)) == {"dear": 3, "cheap": 4}


def test_fifty_labels_narrow_more_than_fifty_spread_evenly() -> None:
    """Against the posterior itself, truth in the middle of the prior."""
    shares = [0.55, 0.25, 0.1, 0.05, 0.05]
    kinds = ("agent", "chat", "classification", "faq", "extraction")
    tasks = []
    for at, (share, kind) in enumerate(zip(shares, kinds, strict=True)):
        fact = priors(CATALOG.assumptions)[kind]  # type: ignore[index]
        tasks.append(task(str(at), share, fact.low + 0.05, fact.high - 0.02))

    def spread(labels: list[int]) -> float:
        prior = priors(CATALOG.assumptions)
        evidence = [
            TaskEvidence(kind, 1.0, n * prior[kind].typical, n * (1 - prior[kind].typical))  # type: ignore[index,arg-type]
            for kind, n in zip(kinds, labels, strict=True)
        ]
        return float((posterior(evidence, prior, 0.0, 0, 8_000) @ np.array(shares)).std())

    chosen = Counter(allocation(tasks, 50))
    assert spread([chosen[str(at)] for at in range(5)]) < 0.85 * spread([10] * 5)


@pytest.fixture(scope="module")
def two_tasks() -> tuple[list[object], Audit]:
    """120 calls of two tasks."""
    calls = [
        call(n, n / 10, task="a" if n % 3 else "b", application="x", prompt_counts=tuple(range(14))) for n in range(120)
    ]
    return calls, audited(table(calls), catalog=CATALOG).audit  # type: ignore[return-value]


def test_calls_are_chosen_by_chance_once_and_never_those_that_are_labelled(two_tasks: tuple[list, Audit]) -> None:
    calls, found = two_tasks
    first = choose(table(calls), found, labels_count=20)
    assert len({each.record_id for each in first}) == 20
    again = choose(table(reversed(calls)), found, labels_count=20)
    assert [each.record_id for each in again] == [each.record_id for each in first]
    ids = sorted(int(each.record_id) for each in first)
    assert ids[-1] - ids[0] > 60
    rest = choose(table(calls), found, labels_count=20, labelled={each.record_id for each in first})
    assert not {each.record_id for each in rest} & {each.record_id for each in first}
    assert ("application", "x") in first[0].details


def test_a_walk_judges_undoes_and_goes_on_where_it_stopped(tmp_path: Path, two_tasks: tuple[list, Audit]) -> None:
    calls, found = two_tasks
    chosen = choose(table(calls), found, labels_count=3)
    walk = Walk(chosen, tmp_path / "labels.jsonl", lambda: NOW)
    assert walk.press("u") == "nothing to undo"
    assert walk.press("x") == "unknown key"
    assert [walk.press(key) for key in ("1", "2", "U", "3")] == ["judged", "judged", "undone", "judged"]
    assert walk.press("q") == "quit"
    assert walk.judged_count == 2
    assert set(read_labels(walk.file)) == {Label(chosen[0].record_id, "can"), Label(chosen[1].record_id, "unsure")}
    later = Walk(chosen[2:], walk.file, lambda: NOW)
    assert [later.press("1"), later.press("1")] == ["judged", "unknown key"]
    assert later.current is None
    assert len(read_labels(walk.file)) == 3
    assert {each.person for each in read_labels(walk.file)} == {"terminal"}


def test_a_walk_leaves_what_somebody_else_labels_meanwhile(tmp_path: Path, two_tasks: tuple[list, Audit]) -> None:
    chosen = choose(table(two_tasks[0]), two_tasks[1], labels_count=5)
    ids = [each.record_id for each in chosen]
    walk = Walk(chosen, tmp_path / "labels.jsonl", lambda: NOW)

    def they(number: int, word: str) -> None:
        append_label(walk.file, ids[number], word, NOW, "browser")  # type: ignore[arg-type]

    they(1, "cannot")
    assert walk.current is chosen[0]
    assert walk.press("1") == "judged"
    assert walk.current is chosen[2]  # the one between was labelled meanwhile
    they(2, "cannot")
    assert walk.press("1") == "asked"
    assert (walk.current, walk.theirs) == (chosen[2], "cannot")
    assert {each.record_id: each.judgement for each in read_labels(walk.file)}[ids[2]] == "cannot"
    assert walk.press("2") == "left"
    assert walk.current is chosen[3]
    they(3, "can")
    assert [walk.press("2"), walk.press("2")] == ["asked", "judged"]  # the person says that theirs counts
    assert walk.current is chosen[4]


def test_a_walk_takes_back_only_what_is_its_own(tmp_path: Path, two_tasks: tuple[list, Audit]) -> None:
    chosen = choose(table(two_tasks[0]), two_tasks[1], labels_count=3)
    ids = [each.record_id for each in chosen]
    walk = Walk(chosen, tmp_path / "labels.jsonl", lambda: NOW)
    assert [walk.press("1"), walk.press("1")] == ["judged", "judged"]
    append_label(walk.file, ids[1], "cannot", NOW, "browser")
    assert walk.press("u") == "not yours"
    assert {each.record_id: each.judgement for each in read_labels(walk.file)} == {ids[0]: "can", ids[1]: "cannot"}
    assert [walk.press("u"), walk.press("u")] == ["undone", "nothing to undo"]
    assert own_last(walk.file, "browser").label == Label(ids[1], "cannot")
    append_label(walk.file, ids[0], "can", NOW, "browser")
    append_label(walk.file, ids[0], "unsure", NOW, "terminal")
    assert own_last(walk.file, "browser") == OwnLast(None, is_lost=True)  # and not the one before it
    append_label(walk.file, ids[0], "withdrawn", NOW, "browser")
    assert own_last(walk.file, "browser").label == Label(ids[1], "cannot")
    assert own_last(walk.file, "") == OwnLast(None)
