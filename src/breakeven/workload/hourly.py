"""Hourly aggregate: what any size of log boils down to: cells of an hour, a task and a model, with sums that add up.

Every table here is additive: made from two halves of a log and put together with `merged`, it is that of the whole
log, to the last unit, because all sums are whole numbers. So a day can be summarised once and kept, days can be
summarised on different machines, and every engine gives the same cells. Nothing here needs a price: cells are told
apart by everything that a price depends on (`Classes`), the weight of sampled calls among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from breakeven.workload.spend import PRICE_KEYS, has_audio, uncached_audio, with_keys

if TYPE_CHECKING:
    from ibis import Table

Expression = Any
"""An Ibis column; Ibis's own types lose track of arithmetic between columns."""
CELL_KEYS: Final = (
    "hour",
    "offset",
    "task",
    *PRICE_KEYS,
    "status",
    "grain",
    "weight",
    "size_class",
    "has_output",
    "has_audio_input",
    "has_audio_output",
)
"""What tells cells apart; each call is in exactly one."""
TOKEN_SUMS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
AUDIO_SUMS: Final = ("audio_input_tokens", "audio_output_tokens")
"""Audio input is that which was not cached: the part that is billed as audio."""
SQUARES: Final = ("input_tokens_squared", "output_tokens_squared")
CELL_SUMS: Final = ("rows", "requests", "single", *TOKEN_SUMS, *AUDIO_SUMS, *SQUARES)
_CELLS_VERSION: Final = "2"
"""What was kept of other cells than these is not these: raise it when keys, sums or their meaning change."""
_NAMES: Final = ("provider", "model_key", "response_model", "request_model", "service_tier", "is_batch")
"""What the log says about who served a call; `with_keys` makes the price key of it."""
MEASURES: Final = ("input_tokens", "output_tokens", "duration_s", "ttft_s")
BUCKET_RATIO: Final = 1.02
"""A bucket of the histogram reaches from a power of this to the next."""
NULL_BUCKET: Final = -100_000
"""Calls that do not say."""
ZERO_BUCKET: Final = -99_999
"""Zero (or less), which has no logarithm."""
PART_MINUTES: Final = 5
_SMALLEST: Final = 1e-9
_TIME: Final = "timestamp('UTC', 6)"
_WHOLE: Final = "decimal(38, 0)"


@dataclass(frozen=True, slots=True)
class Classes:
    """What prices depend on beside the names: edges of input sizes, and of times inside an hour."""

    sizes_tokens: tuple[int, ...] = ()
    """A call is in the class of so many edges as its input reaches."""
    offsets_s: tuple[int, ...] = ()
    """Seconds after the full hour at which some price changes."""

    @property
    def key(self) -> str:
        """A short text that is equal for equal classes, and another for cells of another make."""
        return f"{_CELLS_VERSION};{','.join(map(str, self.sizes_tokens))};{','.join(map(str, self.offsets_s))}"


def spans(calls: Table) -> Table:
    """Per day and price key: rows, first and last start, latest end of a bucket, and the seconds of the longest."""
    days = calls.select(
        *_NAMES, day=calls.start_time.truncate("D"), start=calls.start_time, end=calls.end_time, grain=calls.grain
    )
    found = days.group_by("day", *_NAMES).aggregate(
        rows=days.count(),
        first=days.start.min().cast(_TIME),
        last=days.start.max().cast(_TIME),
        bucket_end=days.end.max(where=days.grain == "bucket").cast(_TIME),
        bucket_s=(days.end.epoch_seconds() - days.start.epoch_seconds())
        .max(where=days.grain == "bucket")
        .cast("int64"),
    )
    return merged(with_keys(found).mutate(day=found.day.cast("date")).drop(*_NAMES))


def cells(calls: Table, classes: Classes, *, by_task: bool = True) -> Table:
    """The cells of `calls`: whole-number sums by hour and everything a price depends on.

    Grouped by the columns as they are logged, because that is quick; missing names become empty texts afterwards.
    """
    import ibis

    single = calls.grain == "request"
    hears, speaks = has_audio(calls)
    size = ibis.ifelse(single, calls.input_tokens, 0)
    answer = ibis.ifelse(single, calls.output_tokens, 0)
    keys = ("hour", "offset", *(("task",) if by_task else ()), *_NAMES, "status", "grain", "weight")
    rows = calls.select(
        *(key for key in keys if key not in ("hour", "offset")),
        *TOKEN_SUMS,
        "request_count",
        hour=calls.start_time.truncate("h"),
        offset=_class_of(calls.start_time.minute() * 60 + calls.start_time.second(), classes.offsets_s)
        if classes.offsets_s
        else ibis.literal(0, "int64"),
        size_class=_class_of(size, classes.sizes_tokens),
        has_output=calls.output_tokens > 0,
        has_audio_input=hears,
        has_audio_output=speaks,
        audio_input_tokens=uncached_audio(calls),
        audio_output_tokens=calls.audio_output_tokens,
        size=size,
        answer=answer,
    )
    found = rows.group_by(*keys, "size_class", "has_output", "has_audio_input", "has_audio_output").aggregate(
        rows=rows.count(),
        counts=rows.request_count.count(),
        requests=rows.request_count.sum(),
        single=rows.count(where=(rows["size"] > 0) | (rows.answer > 0)),
        **{name: rows[name].sum() for name in (*TOKEN_SUMS, *AUDIO_SUMS)},
        input_tokens_squared=(rows["size"] * rows["size"]).cast(_WHOLE).sum().cast(_WHOLE),
        output_tokens_squared=(rows.answer * rows.answer).cast(_WHOLE).sum().cast(_WHOLE),
    )
    return merged(_named(found).select(*cell_keys(by_task=by_task), *CELL_SUMS))


def cell_keys(*, by_task: bool) -> tuple[str, ...]:
    """`CELL_KEYS`, with or without the task."""
    return tuple(key for key in CELL_KEYS if by_task or key != "task")


def lengths(calls: Table, *, by_day: bool = True) -> Table:
    """How many single calls have each number of tokens: what exact quantiles need, and it adds up."""
    import ibis

    counted = []
    keys = (*(("day",) if by_day else ()), "value", "weight")
    for measure in ("input_tokens", "output_tokens"):
        known = calls.filter((calls.grain == "request") & calls[measure].notnull())
        rows = known.select(
            "grain",
            "weight",
            "request_count",
            **({"day": known.start_time.truncate("D")} if by_day else {}),
            value=known[measure],
        )
        found = _calls_by(rows, *keys)
        if by_day:
            found = found.mutate(day=found.day.cast("date"))
        counted.append(found.mutate(measure=ibis.literal(measure)).select("measure", *keys, "calls"))
    return ibis.union(*counted)


def parts(calls: Table) -> Table:
    """Single calls and their tokens by the five minutes in which they began."""
    single = calls.filter(calls.grain == "request")
    rows = single.select(
        "weight",
        "input_tokens",
        "output_tokens",
        hour=single.start_time.truncate("h"),
        part=(single.start_time.minute() // PART_MINUTES).cast("int64"),
    )
    found = rows.group_by("hour", "part", "weight").aggregate(
        tokens=_number(rows.input_tokens.sum()) + _number(rows.output_tokens.sum()), rows=rows.count()
    )
    return merged(found.mutate(hour=found.hour.cast(_TIME), weight=_weight(found)))


def histogram(calls: Table, measures: Sequence[str] = MEASURES) -> Table:
    """Single calls by hour, task, model and 2 % bucket of tokens, duration and time to the first token.

    A quantile read from it is off by 1 % at most: a bucket is as wide as 2 % of its value.
    """
    import ibis

    single = calls.filter(calls.grain == "request")
    raw = ("hour", "task", *_NAMES, "status", "weight")
    keys = ("hour", "task", *PRICE_KEYS, "status", "weight")
    rows = single.select(
        *raw[1:],
        "grain",
        "request_count",
        hour=single.start_time.truncate("h"),
        **{measure: bucket_of(single[measure]) for measure in measures},
    )
    counted = []
    for measure in measures:
        found = _calls_by(rows.mutate(bucket=rows[measure]), *raw, "bucket")
        named = with_keys(found).mutate(hour=found.hour.cast(_TIME), task=_text(found.task))
        counted.append(named.mutate(measure=ibis.literal(measure)).select("measure", *keys, "bucket", "calls"))
    return merged(ibis.union(*counted) if len(counted) > 1 else counted[0])


def bucket_of(value: Expression) -> Expression:
    """The 2 % bucket of a value: floor(ln(x) / ln(1.02)); nothing and zero are apart."""
    import ibis

    number = value.cast("float64")
    power = (ibis.greatest(number, _SMALLEST).ln() / math.log(BUCKET_RATIO)).floor().cast("int64")
    return ibis.ifelse(number.isnull(), NULL_BUCKET, ibis.ifelse(number <= 0, ZERO_BUCKET, power))


def bucket_middle(bucket: int) -> float:
    """The value that stands for a bucket, at most 1 % from any value in it.

    >>> round(bucket_middle(math.floor(math.log(1234) / math.log(BUCKET_RATIO))) / 1234, 2)
    1.0
    """
    if bucket <= ZERO_BUCKET:
        return 0.0 if bucket == ZERO_BUCKET else math.nan
    return 2.0 * BUCKET_RATIO ** (bucket + 1) / (1.0 + BUCKET_RATIO)


def merged(table: Table, *, drop: Sequence[str] = ()) -> Table:
    """Cells, lengths, parts or buckets with equal keys put together; `drop` leaves keys out."""
    sums = [name for name in (*CELL_SUMS, "calls") if name in table.columns]
    if "part" in table.columns:
        sums.append("tokens")
    times = [name for name in ("first", "last", "bucket_end", "bucket_s") if name in table.columns]
    keys = [name for name in table.columns if name not in (*sums, *times, *drop)]
    return table.group_by(*keys).aggregate(
        **{name: table[name].sum().cast(table[name].type()) for name in sums},
        **{name: table[name].min() if name == "first" else table[name].max() for name in times},
    )


def _named(found: Table) -> Table:
    """Cells by logged columns, with the names and defaults that the keys of cells have."""
    import ibis

    uncounted = ibis.ifelse(found.grain == "request", found.rows - found.counts, 0)
    return with_keys(found).mutate(
        hour=found.hour.cast(_TIME),
        **({"task": _text(found.task)} if "task" in found.columns else {}),
        weight=_weight(found),
        has_output=ibis.coalesce(found.has_output, ibis.literal(False)),
        requests=_number(found.requests) + uncounted,
        **{name: _number(found[name]) for name in (*TOKEN_SUMS, *AUDIO_SUMS, *SQUARES)},
    )


def _calls_by(rows: Table, *keys: str) -> Table:
    """Single calls by `keys`, not weighted; the weight is among the keys."""
    found = rows.group_by(*keys).aggregate(
        rows=rows.count(), counts=rows.request_count.count(), requests=rows.request_count.sum()
    )
    calls = _number(found.requests) + found.rows - found.counts
    return found.mutate(calls=calls, weight=_weight(found)).drop("rows", "counts", "requests")


def _number(column: Expression) -> Expression:
    import ibis

    return ibis.coalesce(column, 0)


def _text(column: Expression) -> Expression:
    import ibis

    return ibis.coalesce(column, "")


def _weight(table: Table) -> Expression:
    import ibis

    return ibis.coalesce(table.weight, 1.0)


def _class_of(value: Expression, edges: Sequence[int]) -> Expression:
    """How many of `edges` the value reaches; null where there is no value reaches none."""
    import ibis

    found: Expression = ibis.literal(0, "int64")
    for edge in edges:
        found = found + ibis.ifelse(value >= edge, 1, 0)
    return found.cast("int64")
