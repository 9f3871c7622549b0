"""Judging again after labels says what an audit of all calls with these labels says, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import TypeAdapter

from breakeven.audit.judging import AuditBasis, rejudged
from breakeven.audit.labels import Judgement, Label, counts
from breakeven.audit.run import Audited, audited, tasks_of
from breakeven.catalog.load import load_catalog
from breakeven.usage.store import CallStore

from .planted_log import planted_store

CATALOG = load_catalog(date(2026, 11, 26))
SAID: tuple[Judgement, ...] = ("can", "can", "cannot", "unsure")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallStore]:
    made, _ = planted_store(tmp_path_factory.mktemp("judging"), 3, 400)
    with made:
        yield made


@pytest.fixture(scope="module")
def plain(store: CallStore) -> Audited:
    return audited(store.calls(), catalog=CATALOG, vocabulary=store.vocabulary())


def labels_of(store: CallStore, count: int) -> list[Label]:
    calls = store.calls()
    ids = calls.select("record_id").order_by("record_id").limit(count).to_pyarrow().to_pylist()
    return [Label(row["record_id"], SAID[at % 4]) for at, row in enumerate(ids)] + [Label("gone", "can")]


@pytest.mark.parametrize("count", [1, 24])
def test_it_is_the_audit_with_these_labels(store: CallStore, plain: Audited, count: int) -> None:
    labels = labels_of(store, count)
    task_of = tasks_of(store.calls(), plain.audit.grouping, [each.record_id for each in labels])
    again = rejudged(plain.audit, plain.basis, counts(labels, task_of), len(labels), CATALOG.assumptions)
    whole = audited(store.calls(), catalog=CATALOG, vocabulary=store.vocabulary(), labels=labels)
    assert task_of == whole.task_of
    assert again == whole.audit
    assert again.commodity != plain.audit.commodity
    assert any("1 of" in note and "left out" in note for note in again.notes)


def test_labels_taken_back_leave_nothing(store: CallStore, plain: Audited) -> None:
    assert rejudged(plain.audit, plain.basis, {}, 0, CATALOG.assumptions) == plain.audit


def test_a_basis_survives_being_written(plain: Audited) -> None:
    adapter = TypeAdapter(AuditBasis)
    assert adapter.validate_json(adapter.dump_json(plain.basis)) == plain.basis


def test_the_tasks_savings_are_parts_of_the_whole(plain: Audited) -> None:
    savings = plain.audit.commodity.savings
    assert savings is not None
    parts = [each.saves_usd_per_month for each in plain.audit.tasks if each.saves_usd_per_month]
    assert all(each.low <= each.typical <= each.high for each in parts)
    assert sum(each.typical for each in parts) == pytest.approx(savings.usd_per_month.typical, rel=0.1)
