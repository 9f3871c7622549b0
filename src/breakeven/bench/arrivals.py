"""Arrivals: when the requests of an open loop are sent, and how long they are: a Poisson process, or a trace."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from breakeven.bench.load import Arrival, OpenLoop, check_extent
from breakeven.errors import BenchError

TRACE_MAX_COUNT = 1_000_000


def poisson(
    rate_req_per_s: float,
    lengths: Callable[[int], tuple[int, int]],
    seed: int,
    *,
    requests_max_count: int | None,
    duration_s: float | None,
) -> OpenLoop:
    """Requests that arrive independently of each other at a mean rate; `lengths` gives tokens in and out of each."""
    if not 0 < rate_req_per_s < math.inf:
        raise BenchError(f"a rate of {rate_req_per_s:g} requests per second; wanted more than 0, e.g. --rate 2")
    check_extent(requests_max_count, duration_s)
    times = islice(_times_s(rate_req_per_s, seed, duration_s), requests_max_count)
    arrivals = tuple(Arrival(at_s, *lengths(index)) for index, at_s in enumerate(times))
    return OpenLoop(arrivals, f"{rate_req_per_s:g} requests/s", rate_req_per_s)


def _times_s(rate_req_per_s: float, seed: int, duration_s: float | None) -> Iterator[float]:
    rng = random.Random(f"{seed}/poisson/{rate_req_per_s!r}")  # noqa: S311 - no secret
    at_s = rng.expovariate(rate_req_per_s)
    while duration_s is None or at_s < duration_s:
        yield at_s
        at_s += rng.expovariate(rate_req_per_s)


def replay(
    title: str,
    times_s: Sequence[float],
    input_tokens: Sequence[int],
    output_tokens: Sequence[int],
    *,
    speedup_ratio: float = 1.0,
    requests_max_count: int | None = None,
    duration_s: float | None = None,
) -> OpenLoop:
    """The requests of a log, at their own distances (divided by `speedup_ratio`) and with their own lengths.

    Calls without output tokens are left out: there is nothing to wait for. `duration_s` counts after the speed-up.
    """
    if not 0 < speedup_ratio < math.inf:
        raise BenchError(f"a speed-up of {speedup_ratio:g}; wanted more than 0, e.g. --speedup 10")
    if requests_max_count is not None or duration_s is not None:
        check_extent(requests_max_count, duration_s)
    rows = sorted(
        (at, max(int(into), 1), int(out))
        for at, into, out in zip(times_s, input_tokens, output_tokens, strict=True)
        if out >= 1
    )
    if not rows:
        raise BenchError(f"{title}: no call with output tokens; wanted a log of requests with times and lengths")
    first = rows[0][0]
    arrivals = (Arrival((at - first) / speedup_ratio, into, out) for at, into, out in rows)
    kept = [each for each in arrivals if duration_s is None or each.at_s < duration_s]
    return OpenLoop(tuple(kept[: requests_max_count or TRACE_MAX_COUNT]), title, lengths_from="trace")
