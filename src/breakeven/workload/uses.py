"""Uses: what each model, or each model for each task, did in a log: calls, tokens, spend and lengths."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from breakeven.workload.lengths import UNKNOWN_LENGTHS, LengthSpread, length_sums, spread_of
from breakeven.workload.spend import uncached_audio

if TYPE_CHECKING:
    from ibis import Table

Expression = Any
"""An Ibis column or aggregate; Ibis's own types lose track of arithmetic between columns."""
TASK_USES_MAX_COUNT: Final = 1000
_PICO: Final = 10**12


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What one model did in the log."""

    provider: str
    """Empty when the log names none."""
    model: str
    """Empty when the log names none."""
    requests_count: int
    input_tokens: int
    """Cache reads and writes included."""
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    """Reasoning included."""
    spend_usd: float | None
    """Of its priced calls; None when none has a price."""
    unpriced_tokens: int
    """Tokens of its calls without a price."""
    unpriced_requests_count: int
    lengths: LengthSpread = UNKNOWN_LENGTHS
    """Of its calls that the log gives one by one."""
    audio_tokens: int = 0
    """Of input that was not cached and of output."""

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens

    @property
    def label(self) -> str:
        """``provider/model``, as far as the log names them."""
        return "/".join(part for part in (self.provider, self.model) if part) or "no model named"


@dataclass(frozen=True, slots=True)
class TaskUse:
    """What one model did for one task of the log."""

    task: str
    use: ModelUse


def model_uses(table: Table) -> tuple[ModelUse, ...]:
    """Use by provider and model of a table from `spend.priced`, most tokens first."""
    grouped = table.group_by("price_provider", "price_model").aggregate(
        **_totals(table), **_unpriced(table), **length_sums(table)
    )
    return tuple(sorted((_use(row) for row in _rows(grouped)), key=lambda each: (-each.tokens, each.label)))


def task_uses(table: Table) -> tuple[TaskUse, ...]:
    """Use by task, provider and model of a table from `spend.priced`, most tokens first; calls without a task left out.

    At most `TASK_USES_MAX_COUNT`: names that are nearly all different are ids, not kinds of work.
    """
    named = table.filter(_names_task(table))
    grouped = named.group_by("task", "price_provider", "price_model").aggregate(
        **_totals(named), **_unpriced(named), **length_sums(named)
    )
    most = grouped.mutate(all_tokens=grouped.input_tokens + grouped.output_tokens)
    most = most.order_by(most.all_tokens.desc(), "task", "price_provider", "price_model").limit(TASK_USES_MAX_COUNT)
    return tuple(TaskUse(row["task"], _use(row)) for row in _rows(most))


def names_tasks(calls: Table) -> bool:
    """Whether any of `calls` names its task; looks at one column alone."""
    return bool(_row(calls.aggregate(named=_names_task(calls).any()))["named"])


def _names_task(table: Table) -> Expression:
    return table.task.notnull() & (table.task != "")


def _unpriced(table: Table) -> dict[str, Expression]:
    unpriced = table.spend_usd.isnull()
    return {"unpriced_tokens": _tokens(table, unpriced), "unpriced_requests_count": _count(table, unpriced)}


def _use(row: dict[str, Any]) -> ModelUse:
    return ModelUse(
        row["price_provider"],
        row["price_model"],
        round(row["requests_count"]),
        round(row["input_tokens"]),
        round(row["cache_read_tokens"]),
        round(row["cache_write_tokens"]),
        round(row["output_tokens"]),
        _spend_usd(row),
        round(row["unpriced_tokens"] or 0),
        round(row["unpriced_requests_count"] or 0),
        spread_of(row),
        round(row["audio_tokens"] or 0),
    )


def _totals(table: Table) -> dict[str, Expression]:
    import ibis

    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return {
        "requests_count": _count(table),
        **{name: _weighted(table, name).sum() for name in names},
        "audio_tokens": (
            uncached_audio(table) * ibis.coalesce(table.weight, 1.0) + _weighted(table, "audio_output_tokens")
        ).sum(),
        **_spend_sums(table),
    }


def _spend_sums(table: Table) -> dict[str, Expression]:
    """Spend of the priced calls in whole dollars and whole picodollars: no order of rows and no engine can matter."""
    spend: Expression = table.spend_usd
    whole = spend.floor().cast("float64")
    rest = ((spend - whole) * _PICO + 0.5).floor()
    return {"spend_whole_usd": whole.cast("decimal(38, 0)").sum(), "spend_rest_pico": rest.cast("decimal(38, 0)").sum()}


def _spend_usd(row: dict[str, Any]) -> float | None:
    """The spend behind `_spend_sums`."""
    if row["spend_whole_usd"] is None:
        return None
    return float(int(row["spend_whole_usd"]) + Fraction(int(row["spend_rest_pico"]), _PICO))


def _count(table: Table, where: Expression = None) -> Expression:
    """Calls, weighted; a bucket without a count adds none."""
    import ibis

    calls: Expression = ibis.coalesce(table.request_count, ibis.ifelse(table.grain == "request", 1, 0))
    return ibis.coalesce((calls * ibis.coalesce(table.weight, 1.0)).sum(where=where), 0.0)


def _weighted(table: Table, name: str) -> Expression:
    import ibis

    tokens: Expression = ibis.coalesce(table[name], 0)
    return tokens * ibis.coalesce(table.weight, 1.0)


def _tokens(table: Table, where: Expression = None) -> Expression:
    """Input and output tokens, weighted."""
    import ibis

    return ibis.coalesce((_weighted(table, "input_tokens") + _weighted(table, "output_tokens")).sum(where=where), 0.0)


def _rows(expression: Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = expression.to_pyarrow().to_pylist()
    return rows


def _row(expression: Any) -> dict[str, Any]:
    return _rows(expression)[0]
