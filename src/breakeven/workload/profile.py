"""Workload: the Calls of a log summarised: tokens and spend by day and model, hours of the week, peak, lengths.

Every aggregate is an Ibis expression of `hourly`; what comes back to Python is small, or was kept from an earlier day.
Sums and quantiles are exact on every engine: quantiles are taken from counts of distinct values, not estimated. All
counts are weighted (a sampled call stands for several).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import price_table
from breakeven.errors import UsageError
from breakeven.units import HOURS_PER_MONTH, SECONDS_PER_HOUR
from breakeven.workload import hourly
from breakeven.workload.bursts import headroom_of
from breakeven.workload.lengths import LengthSpread, together
from breakeven.workload.observation import Observation, hour_of_week_counts, observe
from breakeven.workload.pieces import DailyTables, Pieces, keys_of
from breakeven.workload.tally import Tally
from breakeven.workload.uses import TASK_USES_MAX_COUNT, ModelUse, TaskUse, model_uses, names_tasks, task_uses

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis import Table

__all__ = [
    "TASK_USES_MAX_COUNT",
    "DailyTables",
    "DayUse",
    "HourUse",
    "ModelUse",
    "TaskUse",
    "Workload",
    "model_uses",
    "names_tasks",
    "observation_of",
    "profile_workload",
    "task_uses",
]
BUCKETS_MATTER_FRACTION: Final = 0.1
"""Share of the tokens in buckets from which their length decides what is known of hours."""
PEAK_QUANTILE: Final = 0.99
LENGTH_QUANTILES: Final = (0.50, 0.95, 0.99)
_HOURS_PER_DAY: Final = 24
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_THURSDAY: Final = 3 * 24
"""Hour of the week in which 1970 began."""


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
    kept: DailyTables | None = None,
) -> Workload:
    """Summarise `calls`, pricing each at its own day; raises UsageError when there are none, or no time passes.

    `kept` remembers what was summed up of each day, where the calls are those of a store.
    """
    pieces = Pieces(calls, kept)
    spans = pieces.spans()
    observation = _observation(spans)
    rows = price_table(keys_of(spans), observation.first_time, observation.last_time, contract, catalog)
    tally = pieces.tally(rows)
    observation = replace(observation, bucket_hours=_bucket_hours(spans, tally))
    hours = _hourly_tokens(tally, observation)
    lengths = pieces.table("lengths", "", hourly.lengths, by_day=False)
    return Workload(
        observation=observation,
        requests_count=round(tally.total("requests")),
        errors_count=round(tally.total("requests", tally.is_error)),
        input_tokens=round(tally.total("input_tokens")),
        cache_read_tokens=round(tally.total("cache_read_tokens")),
        cache_write_tokens=round(tally.total("cache_write_tokens")),
        output_tokens=round(tally.total("output_tokens")),
        reasoning_tokens=round(tally.total("reasoning_tokens")),
        spend_usd=tally.spend_usd(np.zeros(tally.hours.size, np.int64), 1)[0] or 0.0,
        models=_models(tally),
        days=_days(tally, observation),
        hours_of_week=_hours_of_week(tally, observation),
        hourly_peak_to_mean_ratio=_peak_to_mean(hours) if observation.sees_week else None,
        peak_basis=(
            f"of {hours.size:,} hours, those at most this busy hold 99 % of the tokens; over the mean hour"
            if observation.sees_week
            else f"assumed: {observation.observed_hours:,.3g} hours do not show a week"
            if observation.sees_hours
            else f"assumed: buckets of {observation.bucket_hours:,.3g} hours do not show the hours"
        ),
        input_tokens_quantiles=_exact_quantiles(lengths, "input_tokens"),
        output_tokens_quantiles=_exact_quantiles(lengths, "output_tokens"),
        hours_per_month=hours_per_month,
        burst_headroom_ratio=headroom_of(pieces.table("parts", "", hourly.parts), observation),
    )


def observation_of(calls: Table) -> Observation:
    """How long `calls` cover; raises UsageError when there are none."""
    last = calls.start_time.max()
    bucket_end = calls.end_time.max(where=calls.grain == "bucket")
    found = calls.aggregate(first=calls.start_time.min(), last=last, bucket_end=bucket_end, rows=calls.count())
    return _observation([row for row in found.to_pyarrow().to_pylist() if row["rows"]])


def _observation(spans: Sequence[dict[str, Any]]) -> Observation:
    if not spans:
        raise UsageError("there are no calls; run `breakeven import YOUR-LOG`, or give the log with --usage")
    last = max(row["last"] for row in spans)
    bucket_end = max((row["bucket_end"] for row in spans if row["bucket_end"]), default=None)
    end = max(last, bucket_end) if bucket_end else last
    first = min(row["first"] for row in spans)
    return observe(first, end, sum(row["rows"] for row in spans), ends_known=bucket_end is not None)


def _bucket_hours(spans: Sequence[dict[str, Any]], tally: Tally) -> float:
    """Length of the longest bucket; 0 where buckets hold too few of the tokens to matter."""
    longest_s = max((row["bucket_s"] or 0 for row in spans), default=0)
    total, single = (
        sum(tally.total(name, where) for name in ("input_tokens", "output_tokens")) for where in (None, tally.is_single)
    )
    return longest_s / SECONDS_PER_HOUR if total - single > BUCKETS_MATTER_FRACTION * total else 0.0


def _models(tally: Tally) -> tuple[ModelUse, ...]:
    """Use by provider and model, most tokens first."""
    groups, count = tally.models, len(tally.names)

    def sums(name: str, where: NDArray[np.bool_] | None = None) -> list[float]:
        return tally.by(groups, count, name, where)

    single = tally.is_single
    tokens = {name: sums(name) for name in hourly.TOKEN_SUMS}
    heard, spoken = (sums(name) for name in hourly.AUDIO_SUMS)
    counts, spend = sums("requests"), tally.spend_usd(groups, count)
    unpriced = [sums(name, tally.is_unpriced) for name in ("input_tokens", "output_tokens", "requests")]
    lengths = [sums("single", single)] + [sums(name, single) for name in ("input_tokens", "output_tokens")]
    squares = [sums(name, single) for name in hourly.SQUARES]
    found = [
        ModelUse(
            provider,
            model,
            round(counts[at]),
            round(tokens["input_tokens"][at]),
            round(tokens["cache_read_tokens"][at]),
            round(tokens["cache_write_tokens"][at]),
            round(tokens["output_tokens"][at]),
            spend[at],
            round(unpriced[0][at] + unpriced[1][at]),
            round(unpriced[2][at]),
            LengthSpread.of_sums(lengths[0][at], (lengths[1][at], squares[0][at]), (lengths[2][at], squares[1][at])),
            audio_tokens=round(heard[at] + spoken[at]),
        )
        for at, (provider, model) in enumerate(tally.names)
    ]
    # an empty bucket says that there was nothing; it is no model
    seen = [each for each in found if each.model or each.tokens or each.requests_count]
    return tuple(sorted(seen, key=lambda each: (-each.tokens, each.label)))


def _days(tally: Tally, observation: Observation) -> tuple[DayUse, ...]:
    """Every day of the window, days without a call among them."""
    first, last = observation.first_time.date(), observation.last_time.date()
    groups = tally.hours // _HOURS_PER_DAY - (first - _EPOCH.date()).days
    if observation.last_time == _midnight(observation.last_time):
        # a bucket that ends at midnight does not reach into the day that begins then
        last = max(last - timedelta(days=1), first + timedelta(days=int(groups.max())))
    count = (last - first).days + 1
    requests, inputs, reads, outputs = (
        tally.by(groups, count, name) for name in ("requests", "input_tokens", "cache_read_tokens", "output_tokens")
    )
    unpriced = [tally.by(groups, count, name, tally.is_unpriced) for name in ("input_tokens", "output_tokens")]
    spend = tally.spend_usd(groups, count)
    days = [
        DayUse(
            day := first + timedelta(days=at),
            round(requests[at]),
            round(inputs[at]),
            round(reads[at]),
            round(outputs[at]),
            spend[at] or 0.0,
            round(unpriced[0][at] + unpriced[1][at]),
            complete=first < day < last,
        )
        for at in range(count)
    ]
    return _with_whole_edges(days, observation)


def _with_whole_edges(days: list[DayUse], observation: Observation) -> tuple[DayUse, ...]:
    """A first or last day counts as complete when the log reaches within an hour of its midnight."""
    hour = timedelta(hours=1)
    first, last = observation.first_time, observation.last_time
    starts_whole = first - _midnight(first) <= hour
    ends_whole = datetime.combine(days[-1].day, time(), UTC) + timedelta(days=1) - last <= hour
    if len(days) == 1:
        return (replace(days[0], complete=starts_whole and ends_whole),)
    return (replace(days[0], complete=starts_whole), *days[1:-1], replace(days[-1], complete=ends_whole))


def _midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _hourly_tokens(tally: Tally, observation: Observation) -> NDArray[np.float64]:
    """Tokens of every hour of the window, hours without a call counted as zero; shape ``(hours,)``."""
    seen, groups = np.unique(tally.hours, return_inverse=True)
    tokens = _tokens(tally, groups.astype(np.int64), seen.size)
    hours_count = sum(hour_of_week_counts(observation))
    return np.concatenate([np.array(tokens), np.zeros(max(hours_count - seen.size, 0))])


def _tokens(tally: Tally, groups: NDArray[np.int64], count: int) -> list[float]:
    """Input and output tokens, weighted."""
    parts = [tally.by(groups, count, name) for name in ("input_tokens", "output_tokens")]
    return [sum(each) for each in zip(*parts, strict=True)]


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


def _hours_of_week(tally: Tally, observation: Observation) -> tuple[HourUse, ...]:
    """Mean requests and tokens of each hour of the week over the weeks observed."""
    if not observation.sees_week:
        return ()
    counts = hour_of_week_counts(observation)
    slots = (tally.hours + _THURSDAY) % len(counts)
    requests, tokens = tally.by(slots, len(counts), "requests"), _tokens(tally, slots, len(counts))
    return tuple(
        HourUse(slot, requests[slot] / max(seen, 1), tokens[slot] / max(seen, 1), seen)
        for slot, seen in enumerate(counts)
    )


def _exact_quantiles(lengths: pa.Table, name: str) -> dict[str, float]:
    """Exact weighted quantiles of a request's tokens (the smallest value that enough calls do not exceed)."""
    import pyarrow.compute as pc

    mine = lengths.filter(pc.equal(lengths.column("measure"), name)).sort_by(
        [("value", "ascending"), ("weight", "ascending")]
    )
    if not mine.num_rows:
        return {}
    values = mine.column("value").to_numpy().astype(np.float64)
    calls = mine.column("calls").to_numpy() * mine.column("weight").to_numpy()
    shares = np.cumsum(calls) / calls.sum()
    positions = np.minimum(np.searchsorted(shares, np.array(LENGTH_QUANTILES) - 1e-12), values.size - 1)
    return {f"p{round(q * 100)}": float(values[at]) for q, at in zip(LENGTH_QUANTILES, positions, strict=True)}
