"""Measures: calls, tokens, spend, lengths, models and signals of difficulty of each task, in a few passes.

Counts are weighted. Quantiles of lengths come from buckets of 2 %, so they add up over days and are the same on every
engine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from breakeven.audit.assignment import TASK
from breakeven.audit.grouping import METADATA
from breakeven.audit.task import Difficulty, LengthProfile
from breakeven.workload.spend import is_free

if TYPE_CHECKING:
    from ibis import Table

BUCKET_RATIO: Final = 1.02
_LIMITED: Final = ("length", "max_tokens", "max_output_tokens", "MAX_TOKENS", "incomplete")
"""How logs say that an answer ran into its limit."""
COUNTS_PLACE: Final = {"words": 1, "code_marks": 6, "user_turns": 11}
"""Places in `prompt_counts`; see `usage/features.py`."""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One model in one task."""

    provider: str
    model: str
    calls_count: float
    tokens: float
    input_tokens: float
    cache_read_tokens: float
    output_tokens: float
    spend_usd: float | None
    unpriced_tokens: float
    free_tokens: float = 0.0
    """Of calls that the caller's own cache answered: they cost nothing and no other model would see them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One task, measured."""

    task: str
    uses: tuple[ModelUse, ...]
    """Most calls first."""
    lengths: LengthProfile
    difficulty: Difficulty
    prompts_fraction: float
    """Calls with features of their prompts."""
    schema_fraction: float
    operation: str
    """An operation of its calls; empty when the log names none."""
    terms: dict[int, float] = field(default_factory=dict)
    """Hashed term -> share of the task's calls with prompts that have it; the most frequent ones."""

    @property
    def calls_count(self) -> float:
        """Weighted."""
        return sum(each.calls_count for each in self.uses)

    def total(self, name: str) -> float:
        """Sum of a figure of the models."""
        return sum(getattr(each, name) or 0.0 for each in self.uses)

    @property
    def spend_usd(self) -> float | None:
        """Of its priced calls; None when none has a price."""
        priced = [each.spend_usd for each in self.uses if each.spend_usd is not None]
        return sum(priced) if priced else None


TERMS_PER_TASK_COUNT: Final = 60


_NEEDED: Final = (
    TASK,
    "grain",
    "status",
    "request_count",
    "weight",
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "reasoning_tokens",
    "price_provider",
    "price_model",
    "spend_usd",
    "outcome",
    "propensity",
    "prompt_hash",
    "schema_hash",
    "retry_of",
    "finish_reason",
    "has_tools",
    "operation",
)


CALL_NEEDED: Final = (
    *(name for name in _NEEDED if name not in (TASK, "price_provider", "price_model", "spend_usd")),
    *(name for name in METADATA if name != "schema_hash"),
    "record_id",
    "start_time",
    "provider",
    "model_key",
    "request_model",
    "response_model",
    "service_tier",
    "is_batch",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "prompt_words",
    "prompt_terms",
    "prompt_counts",
)
"""Columns of a Call that an audit looks at."""


def prepared(table: Table, in_sample: Any, of_interest: Sequence[str]) -> Table:
    """What measuring needs of a priced table with the column `audit_task`; long lists only of the calls `in_sample`.

    Ids are kept of the calls `of_interest` alone (those that somebody labelled).
    """
    import ibis

    counts = {name: _count_at(table, place) for name, place in COUNTS_PLACE.items()}
    terms = ibis.ifelse(in_sample, table.prompt_terms, ibis.null(table.prompt_terms.type()))
    ids = ibis.ifelse(table.record_id.isin(list(of_interest)), table.record_id, ibis.null("string"))
    named = ids if of_interest else ibis.null("string")
    return table.select(
        *_NEEDED, has_terms=table.prompt_terms.notnull(), sampled_terms=terms, labelled_id=named, **counts
    )


def measure(table: Table) -> list[Measured]:
    """Measure the tasks of a `prepared` table."""
    uses = _uses(table)
    lengths = _lengths(table)
    terms = _terms(table)
    found = [
        Measured(
            row[TASK],
            tuple(sorted(uses.get(row[TASK], ()), key=lambda each: (-each.calls_count, each.provider, each.model))),
            lengths.get(row[TASK], LengthProfile()),
            _difficulty(row),
            (row["with_prompt"] or 0) / row["rows_count"],
            (row["with_schema"] or 0) / row["rows_count"],
            row["operation"] or "",
            terms.get(row[TASK], {}),
        )
        for row in _rows(_signals(table))
    ]
    return sorted(found, key=lambda each: (-(each.spend_usd or 0.0), -each.calls_count, each.task))


def _uses(table: Table) -> dict[str, list[ModelUse]]:
    import ibis

    weight = ibis.coalesce(table.weight, 1.0)
    calls = ibis.coalesce(table.request_count, ibis.ifelse(table.grain == "request", 1, 0)) * weight
    both = (_of(table, "input_tokens") + _of(table, "output_tokens")) * weight
    spend: Any = table.spend_usd
    grouped = table.group_by(TASK, "price_provider", "price_model").aggregate(
        calls_count=_exact_sum(calls),
        tokens=_exact_sum(both),
        input_tokens=_exact_sum(_of(table, "input_tokens") * weight),
        cache_read_tokens=_exact_sum(_of(table, "cache_read_tokens") * weight),
        output_tokens=_exact_sum(_of(table, "output_tokens") * weight),
        spend_usd=_exact_sum(spend),
        unpriced_tokens=ibis.coalesce(_exact_sum(both, table.spend_usd.isnull()), 0.0),
        free_tokens=ibis.coalesce(_exact_sum(both, is_free(table)), 0.0),
    )
    found: dict[str, list[ModelUse]] = {}
    for row in _rows(grouped):
        task = row.pop(TASK)
        provider, model = row.pop("price_provider"), row.pop("price_model")
        found.setdefault(task, []).append(ModelUse(provider, model, **row))
    return found


def _exact_sum(column: Any, where: Any = None) -> Any:
    """A sum whose last digit does not depend on the order in which threads add."""
    return column.cast("decimal(38, 12)").sum(where=where).cast("float64")


def _signals(table: Table) -> Table:
    reason: Any = table.finish_reason
    return table.group_by(TASK).aggregate(
        rows_count=table.count(),
        with_prompt=table.has_terms.sum(),
        with_schema=table.schema_hash.notnull().sum(),
        prompts_known=table.prompt_hash.count(),
        prompts_distinct=table.prompt_hash.nunique(),
        reasoning=_of(table, "reasoning_tokens").sum(),
        output=_of(table, "output_tokens").sum(),
        errors=(table.status == "error").sum(),
        retries=table.retry_of.count(),
        reasons=reason.count(),
        limited=reason.isin(_LIMITED).sum(),
        tools_known=table.has_tools.count(),
        tools=table.has_tools.sum(),
        **{name: table[name].sum() for name in COUNTS_PLACE},
        turns_known=table.user_turns.count(),
        operation=table.operation.max(),
    )


def _count_at(table: Table, place: int) -> Any:
    import ibis

    counts: Any = table.prompt_counts
    return ibis.ifelse(counts.length() > place, counts[place], ibis.null("int64"))


def _difficulty(row: dict[str, Any]) -> Difficulty:
    rows, known = row["rows_count"], row["prompts_known"]
    words = row["words"] or 0
    return Difficulty(
        reasoning_fraction=min((row["reasoning"] or 0) / max(row["output"] or 0, 1), 1.0),
        error_fraction=(row["errors"] or 0) / rows,
        retry_fraction=row["retries"] / rows if row["retries"] else None,
        truncated_fraction=(row["limited"] or 0) / row["reasons"] if row["reasons"] else None,
        tools_fraction=(row["tools"] or 0) / row["tools_known"] if row["tools_known"] else None,
        user_turns_ratio=(row["user_turns"] or 0) / row["turns_known"] if row["turns_known"] else None,
        repeated_prompt_fraction=1 - row["prompts_distinct"] / known if known else None,
        code_marks_ratio=100 * (row["code_marks"] or 0) / words if words else None,
    )


def _lengths(table: Table) -> dict[str, LengthProfile]:
    """p50 and p95 of input and output of single requests, within 1 %."""
    requests = table.filter(table.grain == "request")
    found: dict[str, dict[str, int]] = {}
    for name in ("input", "output"):
        tokens: Any = _of(requests, f"{name}_tokens")
        keyed = requests.mutate(bucket=_bucket(tokens))
        counted = keyed.group_by(TASK, "bucket").aggregate(rows_count=keyed.count()).order_by(TASK, "bucket")
        by_task: dict[str, list[tuple[int, int]]] = {}
        for row in _rows(counted):
            by_task.setdefault(row[TASK], []).append((row["bucket"], row["rows_count"]))
        for task, buckets in by_task.items():
            for share, label in ((0.5, "p50"), (0.95, "p95")):
                found.setdefault(task, {})[f"{name}_{label}_tokens"] = _quantile(buckets, share)
    return {task: LengthProfile(**values) for task, values in found.items()}


def _bucket(tokens: Any) -> Any:
    """Number of the 2 % bucket; -1: no token."""
    import ibis

    largest = ibis.greatest(tokens, 1).cast("float64")
    return ibis.ifelse(tokens > 0, (largest.ln() / math.log(BUCKET_RATIO)).floor().cast("int64"), -1)


def _quantile(buckets: list[tuple[int, int]], share: float) -> int:
    """Middle of the bucket in which the quantile lies; `buckets` are sorted."""
    wanted, seen = share * sum(count for _, count in buckets), 0
    for bucket, count in buckets:
        seen += count
        if seen >= wanted:
            return round(BUCKET_RATIO ** (bucket + 0.5)) if bucket >= 0 else 0
    return 0


def _terms(table: Table) -> dict[str, dict[int, float]]:
    """The most frequent terms of each task, as shares of its sampled calls with prompts."""
    import ibis

    with_terms = table.filter(table.sampled_terms.notnull())
    sizes = with_terms.group_by(TASK).aggregate(rows_count=with_terms.count())
    totals = {row[TASK]: row["rows_count"] for row in _rows(sizes)}
    terms = with_terms.select(TASK, term=with_terms.sampled_terms.unnest())
    counted = terms.group_by(TASK, "term").aggregate(rows_count=terms.count())
    place = ibis.row_number().over(group_by=counted[TASK], order_by=[counted.rows_count.desc(), counted.term])
    top = counted.mutate(place=place).filter(lambda each: each.place < TERMS_PER_TASK_COUNT)
    found: dict[str, dict[int, float]] = {}
    for row in _rows(top.order_by(TASK, "place")):
        found.setdefault(row[TASK], {})[row["term"]] = row["rows_count"] / totals[row[TASK]]
    return found


def _of(table: Table, name: str) -> Any:
    import ibis

    column: Any = table[name]
    return ibis.coalesce(column, 0)


def _rows(expression: Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = expression.to_pyarrow().to_pylist()
    return rows
