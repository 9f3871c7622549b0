"""Arrivals: every request of a log with its own time and lengths, for whatever must play them in order.

A Workload says how much there is; sizing a fleet needs when. Calls that stand for several (a sampled log) are repeated,
each repetition moved by up to half a minute; rows that are buckets of calls keep their span, count and means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import UsageError, nearest
from breakeven.workload.profile import observation_of

if TYPE_CHECKING:
    from ibis import Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SPREAD_S: Final = 60.0
"""Repetitions of a sampled call are spread over this long."""
REQUESTS_MAX: Final = 20_000_000
"""More requests than this are not held one by one."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Buckets of calls: arrays of one value per bucket."""

    start_s: Floats
    length_s: Floats
    requests_count: Floats
    input_tokens: Floats
    """Mean per request; the others too."""
    output_tokens: Floats
    cached_tokens: Floats


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Names of the blocks of each prompt, one request after the other: equal names are equal prefixes."""

    hashes: Ints
    ends: Ints
    """Where the blocks of each request end in `hashes`."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The requests of a log in the order of their start; seconds count from `first_time`."""

    first_time: datetime
    observed_s: float
    start_s: Floats
    input_tokens: Ints
    output_tokens: Ints
    cached_tokens: Ints
    """Of the input, read from the provider's prefix cache."""
    prefixes: Prefixes | None
    """None when the log names no prefixes."""
    spans: Spans | None
    """None when every row is one call."""
    left_out_count: int
    """Calls without any token: errors, mostly. They ask for nothing that could be served."""
    raised_count: int
    """Calls that say no output (or no input) token: one is taken."""

    @property
    def requests_count(self) -> float:
        """Single calls and those in buckets."""
        return self.start_s.size + (float(self.spans.requests_count.sum()) if self.spans else 0.0)


def arrivals_of(calls: Table, *, seed: int = 0) -> Arrivals:
    """Read the requests of `calls`; raises UsageError when there are none, or more than can be held."""
    observation = observation_of(calls)
    origin_us = round(observation.first_time.timestamp() * 1e6)
    columns = _columns(calls.filter(calls.grain == "request"))
    asks = (columns["input_tokens"] > 0) | (columns["output_tokens"] > 0)
    spans = _spans(calls, origin_us)
    if not asks.any() and spans is None:
        raise UsageError("no call of the log has a token; a fleet cannot be sized for that")
    kept = {name: each[asks] for name, each in columns.items() if name != "prefix_hashes"}
    repeats = np.maximum(np.round(kept["weight"]), 1).astype(np.int64)
    if (total := int(repeats.sum())) > REQUESTS_MAX:
        raise UsageError(f"{total:,} requests are more than can be played one by one; wanted {REQUESTS_MAX:,} or fewer")
    start_s = np.repeat((kept["start_us"] - origin_us) / 1e6, repeats)
    if total > repeats.size:
        moved = np.random.default_rng(seed).uniform(-SPREAD_S / 2, SPREAD_S / 2, total)
        first = np.concatenate([[0], np.cumsum(repeats)[:-1]])
        moved[first] = 0.0
        start_s = np.clip(start_s + moved, 0.0, None)
    order = np.argsort(start_s, kind="stable")
    tokens = {name: np.repeat(kept[name], repeats)[order] for name in ("input_tokens", "output_tokens", "cached")}
    sampled = total > repeats.size
    return Arrivals(
        first_time=observation.first_time,
        observed_s=observation.observed_hours * 3600.0,
        start_s=start_s[order],
        input_tokens=np.maximum(tokens["input_tokens"], 1),
        output_tokens=np.maximum(tokens["output_tokens"], 1),
        cached_tokens=tokens["cached"],
        prefixes=None if sampled else _prefixes(columns["prefix_hashes"], asks),
        spans=spans,
        left_out_count=int((~asks).sum()),
        raised_count=int(((kept["output_tokens"] < 1) | (kept["input_tokens"] < 1)).sum()),
    )


def calls_of_models(calls: Table, models: Sequence[str]) -> Table:
    """The calls of these models, as logged; all of them when none is named. Raises UsageError for an unknown name."""
    import ibis

    if not models:
        return calls
    named = calls.mutate(named=ibis.coalesce(calls.response_model, calls.request_model, ""))
    seen = set(named.select("named").distinct().to_pyarrow().column("named").to_pylist())
    for model in models:
        if model not in seen:
            raise UsageError(f"the log has no calls of '{model}'; {nearest(model, sorted(seen - {''}))}")
    return named.filter(named.named.isin(list(models))).drop("named")


def _columns(requests: Table) -> dict[str, Any]:
    import ibis

    chosen = requests.select(
        start_time=requests.start_time,
        input_tokens=ibis.coalesce(requests.input_tokens, 0),
        output_tokens=ibis.coalesce(requests.output_tokens, 0),
        cached=ibis.coalesce(requests.cache_read_tokens, 0),
        weight=ibis.coalesce(requests.weight, 1.0),
        prefix_hashes=requests.prefix_hashes,
        record_id=requests.record_id,
    )
    rows = chosen.order_by("start_time", "record_id").drop("record_id").to_pyarrow()
    found: dict[str, Any] = {
        name: rows.column(name).to_numpy().astype(np.float64 if name == "weight" else np.int64)
        for name in ("input_tokens", "output_tokens", "cached", "weight")
    }
    found["start_us"] = _microseconds(rows.column("start_time"))
    found["prefix_hashes"] = rows.column("prefix_hashes").combine_chunks()
    return found


def _prefixes(column: Any, kept: NDArray[np.bool_]) -> Prefixes | None:
    import pyarrow.compute as pc

    if column.null_count == len(column):
        return None
    chosen = column.filter(kept)
    lengths = pc.fill_null(pc.list_value_length(chosen), 0).to_numpy(zero_copy_only=False)
    hashes = pc.list_flatten(chosen).to_numpy(zero_copy_only=False)
    return Prefixes(hashes.astype(np.int64), np.cumsum(lengths).astype(np.int64))


def _spans(calls: Table, origin_us: int) -> Spans | None:
    import ibis

    buckets = calls.filter((calls.grain == "bucket") & (ibis.coalesce(calls.request_count, 0) > 0))
    chosen = buckets.select(
        start=buckets.start_time,
        end=buckets.end_time,
        requests=buckets.request_count * ibis.coalesce(buckets.weight, 1.0),
        each=buckets.request_count,
        input_tokens=ibis.coalesce(buckets.input_tokens, 0),
        output_tokens=ibis.coalesce(buckets.output_tokens, 0),
        cached=ibis.coalesce(buckets.cache_read_tokens, 0),
    )
    rows = chosen.order_by("start", "end", "requests").to_pyarrow()
    if not rows.num_rows:
        return None
    if rows.column("end").null_count:
        raise UsageError("a bucket of the log does not say when it ends; its rate is unknown")
    found = {name: rows.column(name).to_numpy().astype(np.float64) for name in rows.column_names[2:]}
    found |= {name: (_microseconds(rows.column(name)) - origin_us) / 1e6 for name in ("start", "end")}
    length_s = found["end"] - found["start"]
    if not (length_s > 0).all():
        raise UsageError("a bucket of the log ends no later than it begins; its rate is unknown")
    return Spans(
        start_s=found["start"],
        length_s=length_s,
        requests_count=found["requests"],
        input_tokens=np.maximum(found["input_tokens"] / found["each"], 1.0),
        output_tokens=np.maximum(found["output_tokens"] / found["each"], 1.0),
        cached_tokens=found["cached"] / found["each"],
    )


def _microseconds(times: Any) -> Ints:
    """Since 1970, UTC."""
    return np.asarray(times.to_numpy().astype("datetime64[us]").astype(np.int64))
