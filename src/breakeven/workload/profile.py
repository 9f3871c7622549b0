"""Workload: the Calls of a log summarised: tokens and spend by day and model, hours of the week, peak, lengths.

Every aggregate is an Ibis expression; what comes back to Python is small. Quantiles are exact on every engine: they
are taken from counts of distinct values, not estimated. All counts are weighted (a sampled call stands for several).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import price_table
from breakeven.errors import UsageError
from breakeven.units import HOURS_PER_MONTH
from breakeven.workload.bursts import burst_headroom_ratio
from breakeven.workload.lengths import UNKNOWN_LENGTHS, LengthSpread, length_sums, spread_of, together
from breakeven.workload.observation import Observation, hour_of_week_counts, observe
from breakeven.workload.spend import price_keys, priced

if TYPE_CHECKING:
    from ibis import Table

Expression = Any
"""An Ibis column or aggregate; Ibis's own types lose track of arithmetic between columns."""
PEAK_QUANTILE: Final = 0.99
_NEEDED: Final = (
    "start_time",
    "grain",
    "status",
    "request_count",
    "weight",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "price_provider",
    "price_model",
    "spend_usd",
)
LENGTH_QUANTILES: Final = (0.50, 0.95, 0.99)
TASK_USES_MAX_COUNT: Final = 1000


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


@dataclass(frozen=True, slots=True)
class DayUse:
    """One UTC day."""

    day: date
    requests_count: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    spend_usd: float
    unpriced_tokens: int
    complete: bool
    """False for a first or last day that the log covers in part."""


@dataclass(frozen=True, slots=True)
class HourUse:
    """One hour of the week, UTC; 0 is Monday 00:00."""

    hour_of_week: int
    mean_requests: float
    mean_tokens: float
    observed_count: int


@dataclass(frozen=True, slots=True)
class Workload:
    """A stretch of Calls, summarised."""

    observation: Observation
    requests_count: int
    errors_count: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    spend_usd: float
    """Of the priced calls, each at the prices of its own day."""
    models: tuple[ModelUse, ...]
    """Most tokens first."""
    days: tuple[DayUse, ...]
    hours_of_week: tuple[HourUse, ...]
    """Empty when the log is shorter than a week."""
    hourly_peak_to_mean_ratio: float | None
    """None when the log is shorter than a week."""
    peak_basis: str
    input_tokens_quantiles: dict[str, float]
    output_tokens_quantiles: dict[str, float]
    hours_per_month: float
    burst_headroom_ratio: float | None = None
    """Busiest five minutes over the mean of their hour, in the busiest hours; None where the log does not show it."""

    @property
    def lengths(self) -> LengthSpread:
        """Lengths of the calls that the log gives one by one."""
        return together(each.lengths for each in self.models)

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens

    @property
    def per_month_ratio(self) -> float:
        """What to multiply a total of the window with to stretch it to a month."""
        return self.hours_per_month / self.observation.observed_hours

    @property
    def unpriced(self) -> tuple[ModelUse, ...]:
        """Models that the log names and no price list knows."""
        return tuple(each for each in self.models if each.unpriced_tokens and each.model)

    @property
    def unpriced_tokens_fraction(self) -> float:
        """Share of all tokens that belongs to named models without a price."""
        return sum(each.unpriced_tokens for each in self.unpriced) / max(self.tokens, 1)

    @property
    def unnamed_tokens(self) -> int:
        """Tokens of calls that name no model at all."""
        return sum(each.tokens for each in self.models if not each.model)


def profile_workload(
    calls: Table,
    *,
    catalog: Catalog,
    contract: Sequence[ContractPrice] = (),
    hours_per_month: float = HOURS_PER_MONTH,
) -> Workload:
    """Summarise `calls`, pricing each at its own day; raises UsageError when there are none, or no time passes."""
    observation = observation_of(calls)
    rows = price_table(price_keys(calls), observation.first_time, observation.last_time, contract, catalog)
    table = priced(calls, rows).select(*_NEEDED).cache()
    totals = _row(table.aggregate(**_totals(table), errors_count=_count(table, table.status == "error")))
    by_hour = _hourly(table)
    hours = _hourly_tokens(by_hour, observation)
    return Workload(
        observation=observation,
        requests_count=round(totals["requests_count"]),
        errors_count=round(totals["errors_count"]),
        input_tokens=round(totals["input_tokens"]),
        cache_read_tokens=round(totals["cache_read_tokens"]),
        cache_write_tokens=round(totals["cache_write_tokens"]),
        output_tokens=round(totals["output_tokens"]),
        reasoning_tokens=round(totals["reasoning_tokens"]),
        spend_usd=totals["spend_usd"] or 0.0,
        models=model_uses(table),
        days=_days(table, observation),
        hours_of_week=_hours_of_week(by_hour, observation),
        hourly_peak_to_mean_ratio=_peak_to_mean(hours) if observation.sees_week else None,
        peak_basis=(
            f"99 % of the tokens fall in hours of {hours.size} at most this busy, over the mean hour"
            if observation.sees_week
            else f"assumed: {observation.observed_hours:,.3g} hours do not show a week"
        ),
        input_tokens_quantiles=_exact_quantiles(table, "input_tokens"),
        output_tokens_quantiles=_exact_quantiles(table, "output_tokens"),
        hours_per_month=hours_per_month,
        burst_headroom_ratio=burst_headroom_ratio(table, observation),
    )


def observation_of(calls: Table) -> Observation:
    """How long `calls` cover; raises UsageError when there are none."""
    last = calls.start_time.max()
    bucket_end = calls.end_time.max(where=calls.grain == "bucket")
    row = _row(calls.aggregate(first=calls.start_time.min(), last=last, bucket_end=bucket_end, rows=calls.count()))
    if not row["rows"]:
        raise UsageError("there are no calls; run `breakeven import YOUR-LOG`, or give the log with --usage")
    end = max(row["last"], row["bucket_end"]) if row["bucket_end"] else row["last"]
    return observe(row["first"], end, row["rows"], ends_known=row["bucket_end"] is not None)


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
        row["spend_usd"],
        round(row["unpriced_tokens"] or 0),
        round(row["unpriced_requests_count"] or 0),
        spread_of(row),
    )


def _totals(table: Table) -> dict[str, Expression]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return {
        "requests_count": _count(table),
        **{name: _weighted(table, name).sum() for name in names},
        "spend_usd": _dollars(table),
    }


def _dollars(table: Table) -> Expression:
    """Spend of the priced calls, added up in whole picodollars so that the order of rows cannot matter."""
    spend: Expression = table.spend_usd
    return spend.cast("decimal(38, 12)").sum().cast("float64")


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


def _days(table: Table, observation: Observation) -> tuple[DayUse, ...]:
    """Every day of the window, days without a call among them."""
    unpriced = table.spend_usd.isnull()
    grouped = table.group_by(day=table.start_time.truncate("D").cast("date")).aggregate(
        **_totals(table),
        unpriced_tokens=_tokens(table, unpriced),
    )
    by_day = {row["day"]: row for row in _rows(grouped)}
    first, last = observation.first_time.date(), observation.last_time.date()
    days = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        row = by_day.get(day, {})
        days.append(
            DayUse(
                day,
                round(row.get("requests_count") or 0),
                round(row.get("input_tokens") or 0),
                round(row.get("cache_read_tokens") or 0),
                round(row.get("output_tokens") or 0),
                row.get("spend_usd") or 0.0,
                round(row.get("unpriced_tokens") or 0),
                complete=first < day < last,
            )
        )
    return _with_whole_edges(days, observation)


def _with_whole_edges(days: list[DayUse], observation: Observation) -> tuple[DayUse, ...]:
    """A first or last day counts as complete when the log reaches within an hour of its midnight."""
    hour = timedelta(hours=1)
    first, last = observation.first_time, observation.last_time
    starts_whole = first - _midnight(first) <= hour
    ends_whole = _midnight(last) + timedelta(days=1) - last <= hour
    if len(days) == 1:
        return (replace(days[0], complete=starts_whole and ends_whole),)
    return (replace(days[0], complete=starts_whole), *days[1:-1], replace(days[-1], complete=ends_whole))


def _midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _hourly(table: Table) -> list[dict[str, Any]]:
    """Requests and tokens of every hour that has a call."""
    by_hour = table.group_by(hour=table.start_time.truncate("h"))
    return _rows(by_hour.aggregate(requests=_count(table), tokens=_tokens(table)))


def _hourly_tokens(by_hour: list[dict[str, Any]], observation: Observation) -> NDArray[np.float64]:
    """Tokens of every hour of the window, hours without a call counted as zero; shape ``(hours,)``."""
    seen = np.array([row["tokens"] for row in by_hour], dtype=np.float64)
    hours_count = sum(hour_of_week_counts(observation))
    return np.concatenate([seen, np.zeros(max(hours_count - seen.size, 0))])


def _peak_to_mean(hourly_tokens: NDArray[np.float64]) -> float:
    """Tokens of an hour that is as busy as 99 % of the tokens see at most, over the mean hour; at least 1.

    Weighted by tokens, not by hours: the hours in which a weekly batch job rests must not hide
    the one in which it runs.
    """
    rates = np.sort(hourly_tokens)
    below = np.cumsum(rates)
    if not below[-1]:
        return 1.0
    peak = rates[np.searchsorted(below, PEAK_QUANTILE * below[-1])]
    return max(float(peak / rates.mean()), 1.0)


def _hours_of_week(by_hour: list[dict[str, Any]], observation: Observation) -> tuple[HourUse, ...]:
    """Mean requests and tokens of each hour of the week over the weeks observed."""
    if not observation.sees_week:
        return ()
    counts = hour_of_week_counts(observation)
    requests, tokens = [0.0] * len(counts), [0.0] * len(counts)
    for row in by_hour:
        hour: datetime = row["hour"]
        slot = hour.weekday() * 24 + hour.hour
        requests[slot] += row["requests"]
        tokens[slot] += row["tokens"]
    return tuple(
        HourUse(slot, requests[slot] / max(seen, 1), tokens[slot] / max(seen, 1), seen)
        for slot, seen in enumerate(counts)
    )


def _exact_quantiles(table: Table, name: str) -> dict[str, float]:
    """Exact weighted quantiles of a request's tokens (the smallest value that enough calls do not exceed)."""
    requests = table.filter(table.grain == "request")
    counted = requests.group_by(value=requests[name]).aggregate(calls=_count(requests)).order_by("value")
    rows = [row for row in _rows(counted) if row["value"] is not None]
    if not rows:
        return {}
    values = np.array([row["value"] for row in rows], dtype=np.float64)
    shares = np.cumsum([row["calls"] for row in rows]) / sum(row["calls"] for row in rows)
    positions = np.minimum(np.searchsorted(shares, np.array(LENGTH_QUANTILES) - 1e-12), values.size - 1)
    return {f"p{round(q * 100)}": float(values[at]) for q, at in zip(LENGTH_QUANTILES, positions, strict=True)}


def _rows(expression: Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = expression.to_pyarrow().to_pylist()
    return rows


def _row(expression: Any) -> dict[str, Any]:
    return _rows(expression)[0]
