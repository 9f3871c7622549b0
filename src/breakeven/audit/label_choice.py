"""Label choice: which calls a person should judge, so that few labels narrow the total most.

Each next label goes to the task where it takes most off the variance of the total: the square of the task's share of
spend, times what one more label takes off its own variance (greedy, which is Neyman's allocation with the prior
counted in). Within a task calls come in an order that has nothing to do with them, so a task's labels are a plain
random sample, whenever a person stops.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from breakeven.audit.assignment import TASK, model_label, with_tasks
from breakeven.audit.sample import order_key
from breakeven.audit.task import Audit, AuditedTask

if TYPE_CHECKING:
    from ibis import Table

LABELS_COUNT: Final = 50
SD_PER_INTERVAL: Final = 2.563
"""An 80 % interval of a normal is so many standard deviations wide."""
_COLUMNS: Final = (
    "record_id",
    "start_time",
    "application",
    "endpoint",
    "input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "finish_reason",
    "status",
    "prompt_counts",
    "prompt_terms",
)


@dataclass(frozen=True, slots=True)
class CallToLabel:
    """One call, as far as the store knows it."""

    record_id: str
    task: AuditedTask
    start_time: datetime
    model: str
    input_tokens: int
    output_tokens: int
    details: tuple[tuple[str, str], ...]
    """Title and value of what else is known."""
    terms: tuple[str, ...] = ()
    """Words of its prompt that the vocabulary knows."""
    prompt: str | None = None
    """Kept text; None where prompts are dropped."""
    response: str | None = None
    system: str | None = None


def allocation(tasks: Sequence[AuditedTask], labels_count: int) -> list[str]:
    """Task ids, one per label, the most informative first; a task never gets more than it has calls."""
    priced = any(each.spend_fraction > 0 for each in tasks)
    share = {each.id: each.spend_fraction if priced else each.calls_fraction for each in tasks}
    given = {each.id: 0 for each in tasks}
    order = []
    for _ in range(labels_count):
        gains = [
            (_gain(each, share[each.id], given[each.id]), each.id)
            for each in tasks
            if given[each.id] < each.calls_count
        ]
        if not gains:
            break
        task = max(gains)[1]
        given[task] += 1
        order.append(task)
    return order


def choose(
    calls: Table,
    audit: Audit,
    *,
    labelled: Collection[str] = (),
    labels_count: int = LABELS_COUNT,
    vocabulary: Mapping[int, str] | None = None,
    texts: Table | None = None,
) -> list[CallToLabel]:
    """The calls to show, most informative first; those in `labelled` are left out."""
    wanted = allocation(audit.tasks, labels_count)
    rows = _rows(calls, audit, wanted, labelled)
    kept = _texts(texts, [row["record_id"] for each in rows.values() for row in each])
    by_id = {each.id: each for each in audit.tasks}
    found = []
    for task in wanted:
        if rows.get(task):
            row = rows[task].pop(0)
            found.append(_call(row, by_id[task], vocabulary or {}, kept.get(row["record_id"], {})))
    return found


def _gain(task: AuditedTask, share_fraction: float, given_count: int) -> float:
    """What one more label takes off the variance of the total."""
    can = task.suitability.can_do
    spread = max((can.high - can.low) / SD_PER_INTERVAL, 1e-6)
    chance = min(max(can.typical, 0.02), 0.98) * (1 - min(max(can.typical, 0.02), 0.98))
    strength = max(chance / spread**2 - 1, 0.0) + given_count
    return share_fraction**2 * chance * (1 / (strength + 1) - 1 / (strength + 2))


def _rows(
    calls: Table, audit: Audit, wanted: Sequence[str], labelled: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """Single requests of each wanted task, in the order of a hash of their ids."""
    import ibis

    table = with_tasks(calls, audit.grouping)
    open_calls = table.filter(
        (table.grain == "request") & (table.status == "ok") & table[TASK].isin(sorted(set(wanted)))
    )
    if labelled:
        open_calls = open_calls.filter(~open_calls.record_id.isin(sorted(labelled)))
    keyed = open_calls.mutate(label_order=order_key(open_calls.record_id, audit.seed), of_model=model_label(open_calls))
    place = ibis.row_number().over(group_by=keyed[TASK], order_by=[keyed.label_order, keyed.record_id])
    most = max(wanted.count(task) for task in set(wanted)) if wanted else 0
    chosen = keyed.mutate(place=place).filter(lambda each: each.place < most)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in chosen.select(*_COLUMNS, "of_model", TASK, "place").order_by(TASK, "place").to_pyarrow().to_pylist():
        found.setdefault(row[TASK], []).append(row)
    return found


def _texts(texts: Table | None, record_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    if texts is None or not record_ids:
        return {}
    rows = texts.filter(texts.record_id.isin(list(record_ids))).to_pyarrow().to_pylist()
    return {row["record_id"]: row for row in rows}


def _call(
    row: dict[str, Any], task: AuditedTask, vocabulary: Mapping[int, str], text: Mapping[str, Any]
) -> CallToLabel:
    counts = row["prompt_counts"] or []
    titled = (
        ("application", row["application"]),
        ("endpoint", row["endpoint"]),
        ("reasoning tokens", row["reasoning_tokens"] or None),
        ("ended by", row["finish_reason"]),
        ("words in the last message", counts[1] if len(counts) > 1 else None),
        ("user messages", counts[11] if len(counts) > 11 else None),
    )
    return CallToLabel(
        row["record_id"],
        task,
        row["start_time"],
        row["of_model"] or "no model named",
        row["input_tokens"] or 0,
        row["output_tokens"] or 0,
        tuple((title, str(value)) for title, value in titled if value is not None and value != ""),
        tuple(vocabulary[term] for term in row["prompt_terms"] or () if term in vocabulary),
        text.get("prompt"),
        text.get("response"),
        text.get("system"),
    )
