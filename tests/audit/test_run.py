"""The whole audit on planted logs, read by the importer as anybody's would be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sklearn.metrics import adjusted_rand_score

from breakeven.audit.assignment import TASK, assigned, with_tasks
from breakeven.audit.labels import Label
from breakeven.audit.run import AuditSettings, audited
from breakeven.audit.saved import from_json, to_json
from breakeven.audit.task import Audit
from breakeven.catalog.load import load_catalog
from breakeven.errors import UnknownName, UsageError
from breakeven.facts.source import Grade
from breakeven.reports.audit_wording import verdict_details
from breakeven.usage.call import Call
from breakeven.usage.store import CallStore
from workload.typed_calls import call, table

from .planted import TEMPLATES, Planted
from .planted_log import planted_store

CATALOG = load_catalog(date(2026, 11, 25))
Stored = tuple[CallStore, Planted, Audit]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """1,500 planted calls in a store, audited."""
    store, planted = planted_store(tmp_path_factory.mktemp("planted"), 0, 1_500)
    with store:
        yield store, planted, audited(store.calls(), catalog=CATALOG, vocabulary=store.vocabulary()).audit


def audit_of(*calls: Call, **given: object) -> Audit:
    """The audit of a few typed calls."""
    return audited(table(calls), catalog=CATALOG, **given).audit  # type: ignore[arg-type]


def test_planted_tasks_are_found_again_by_all_calls(stored: Stored) -> None:
    store, planted, found = stored
    rows = with_tasks(store.calls(), found.grouping).select("record_id", TASK).to_pyarrow().to_pylist()
    task_of = {row["record_id"]: row[TASK] for row in rows}
    templated = [at for at, template in enumerate(planted.template_of) if template >= 0]
    truth = [planted.template_of[at] for at in templated]
    assert len(rows) == 1_500
    assert adjusted_rand_score(truth, [task_of[f"p{at}"] for at in templated]) >= 0.9


def test_nothing_is_lost_or_counted_twice(stored: Stored) -> None:
    store, _, found = stored
    assert sum(each.calls_count for each in found.tasks) == found.calls_count == 1_500
    assert sum(each.calls_fraction for each in found.tasks) == pytest.approx(1)
    assert sum(each.spend_fraction for each in found.tasks) == pytest.approx(1)
    calls = store.calls()
    tokens = calls.aggregate(tokens=(calls.input_tokens + calls.output_tokens).sum()).to_pyarrow()["tokens"][0].as_py()
    assert found.tokens == tokens
    assert len({each.name for each in found.tasks}) == len(found.tasks)


def test_tasks_have_names_and_kinds_that_a_person_understands(stored: Stored) -> None:
    found = stored[2]
    kinds = {each.kind.kind for each in found.tasks if each.grouped_by == "template"}
    assert {"classification", "extraction", "summarisation", "translation", "code"} <= kinds
    words = " ".join(each.name for each in found.tasks)
    assert all(word in words for word in ("translate", "summarise", "urgent", "headlines"))
    assert len([each for each in found.tasks if each.grouped_by == "template"]) >= len(TEMPLATES) - 2


def test_the_answer_is_a_guess_until_labels_say_more(stored: Stored) -> None:
    store, planted, found = stored
    assert found.commodity.resting_on == {"prior": pytest.approx(1)}
    assert all(each.suitability.grade is Grade.GUESS for each in found.tasks)
    labels = [Label(f"p{at}", "cannot") for at, template in enumerate(planted.template_of) if template == 0][:30]
    labelled = audited(store.calls(), catalog=CATALOG, vocabulary=store.vocabulary(), labels=labels).audit
    before, after = (
        next(each for each in one.tasks if any("billing" in term for term in each.terms)) for one in (found, labelled)
    )
    assert after.suitability.labels_count == 30
    assert after.suitability.grade is Grade.EXPERT
    assert after.suitability.can_do.high < before.suitability.can_do.low
    assert labelled.commodity.calls.typical < found.commodity.calls.typical


def test_an_audit_is_the_same_every_time_and_survives_its_file(stored: Stored) -> None:
    store, _, found = stored
    again = audited(store.calls(), catalog=CATALOG, vocabulary=store.vocabulary()).audit
    assert again == found
    assert from_json(to_json(found)) == found


def test_calls_carry_the_name_of_their_task_afterwards(stored: Stored) -> None:
    store, _, found = stored
    calls = assigned(store.calls(), found)
    assert calls.columns == store.calls().columns
    counted = calls.group_by("task").aggregate(rows=calls.count()).to_pyarrow().to_pylist()
    assert {row["task"]: row["rows"] for row in counted} == {each.name: each.calls_count for each in found.tasks}


def test_what_the_log_names_is_believed_and_kept() -> None:
    calls = [
        call(n, n / 10, task="classify" if n % 2 else "chat", output_tokens=5 if n % 2 else 400) for n in range(100)
    ]
    found = audit_of(*calls)
    assert {each.name: each.grouped_by for each in found.tasks} == {"classify": "log", "chat": "log"}
    kept = assigned(table(calls), found).select("task", "task_source").to_pyarrow().to_pylist()
    assert {row["task"] for row in kept} == {"classify", "chat"}
    assert {row["task_source"] for row in kept} == {None}


def test_without_prompts_lengths_and_models_tell_and_the_weakness_is_said() -> None:
    short = [call(n, n / 10, output_tokens=4, request_model="gpt-5-mini") for n in range(100)]
    long = [call(1_000 + n, n / 10, output_tokens=900) for n in range(60)]
    found = audit_of(*short, *long)
    assert {(each.grouped_by, each.calls_count) for each in found.tasks} == {("rest", 100), ("rest", 60)}
    assert [each.kind.kind for each in found.tasks if each.calls_count == 100] == ["classification"]
    assert any("none of the calls have features of their prompts" in note for note in found.notes)


def test_a_system_prompt_with_the_date_in_it_is_not_a_task_a_day() -> None:
    calls = [call(n, n / 10, application="shop", system_hash=f"hash-{n}") for n in range(200)]
    steady = [call(1_000 + n, n / 10, application="shop", system_hash="steady") for n in range(100)]
    found = audit_of(*calls, *steady)
    assert sorted(each.calls_count for each in found.tasks) == [100, 200]


def test_weights_and_unpriced_models_and_embeddings() -> None:
    sampled = [call(n, n / 10, task="a", weight=5.0) for n in range(40)]
    unknown = [call(100 + n, n / 10, task="b", provider="acme", request_model="acme-9") for n in range(40)]
    vectors = [call(200 + n, n / 10, operation="embeddings") for n in range(30)]
    found = audit_of(*sampled, *unknown, *vectors)
    by_name = {each.name: each for each in found.tasks}
    assert by_name["a"].calls_count == 200
    assert by_name["b"].spend_usd is None
    assert by_name["b"].unpriced_tokens == 40 * 1_100
    assert found.left_out_count == 30
    assert any("30 calls are embeddings" in note for note in found.notes)


def test_outcomes_of_a_small_model_are_evidence_in_part_or_in_full() -> None:
    def outcomes(**fields: object) -> Audit:
        small = [
            call(n, n / 10, task="a", provider="x", request_model="qwen3-8b", outcome=float(n % 10 > 0), **fields)
            for n in range(100)
        ]
        large = [call(500 + n, n / 10, task="a", outcome=1.0, **fields) for n in range(100)]
        return audit_of(*small, *large)

    found = outcomes()
    chosen, by_lot = (each.tasks[0].suitability for each in (found, outcomes(propensity=0.5, arm="s")))
    assert chosen.evidence == by_lot.evidence == ("measured outcomes", "prior")
    assert by_lot.can_do.typical == pytest.approx(0.9, abs=0.05)
    assert chosen.can_do.high - chosen.can_do.low > by_lot.can_do.high - by_lot.can_do.low
    assert "not by lot" in chosen.note
    assert "not by lot" not in by_lot.note
    assert found.commodity.already_small_fraction == 0.5


def test_the_saving_names_its_price_and_moves_nothing_that_is_cheap_already() -> None:
    found = audit_of(*[call(n, n, task="classify") for n in range(100)])
    savings = found.commodity.savings
    assert savings is not None
    assert 0 < savings.usd_per_month.low <= savings.usd_per_month.high < savings.today_usd_per_month
    named = audit_of(
        *[call(n, n, task="classify") for n in range(100)], settings=AuditSettings(small_model="Qwen3-14B")
    )
    assert named.commodity.savings is not None
    assert named.commodity.savings.small_model.startswith("Qwen3-14B at ")
    small = audit_of(*[call(n, n, task="classify", provider="x", request_model="llama-3.1-8b") for n in range(100)])
    assert small.commodity.savings is None


def test_no_calls_and_calls_of_one_instant() -> None:
    with pytest.raises(UsageError, match="there are no calls"):
        audit_of(call(1, 0, operation="embeddings"))
    found = audit_of(*[call(n, 0, task="a") for n in range(30)])
    assert found.commodity.savings is None
    assert any("no saving per month is said" in note for note in found.notes)


def test_an_audit_that_fails_leaves_nothing_for_a_closed_engine_to_clear_up() -> None:
    calls = table([call(n, n, task="a") for n in range(30)])
    engine: Any = calls.get_backend()
    with pytest.raises(UnknownName, match="nosuch") as caught:
        audited(calls, catalog=CATALOG, settings=AuditSettings(small_model="nosuch"))
    assert caught.traceback
    names = engine.con.execute("select table_name from duckdb_tables()").fetchall()
    assert not [name for (name,) in names if "cache" in name]


def test_few_labels_leave_an_answer_a_guess_and_lost_ones_are_said() -> None:
    calls = [call(n, n, task="a") for n in range(60)]
    labels = [Label(each.record_id, "can") for each in calls]
    one = audit_of(*calls, labels=[*labels[:1], Label("gone", "cannot")])
    assert one.tasks[0].suitability.evidence == ("prior", "labels")
    assert one.tasks[0].suitability.grade is Grade.GUESS
    assert one.commodity.resting_on == {"labels": pytest.approx(1 / 11), "prior": pytest.approx(10 / 11)}
    said = "THIS IS MOSTLY A GUESS: of spend, 9.1 % on 1 label and 90.9 % on a guess"
    assert verdict_details(one)[0].startswith(said)
    assert verdict_details(one)[-1].startswith("Calls, tokens and spend by task are of the whole log")
    assert any(note.startswith("1 of 2 labels are of calls that are not here") for note in one.notes)
    many = audit_of(*calls, labels=labels[:30])
    assert many.tasks[0].suitability.evidence == ("labels", "prior")
    assert verdict_details(many)[0].startswith("Of spend, 75 % on 30 labels and 25 % on a guess")
    assert "30 of 30 labelled calls can" in many.tasks[0].suitability.note
    assert not any("not here" in note for note in many.notes)
