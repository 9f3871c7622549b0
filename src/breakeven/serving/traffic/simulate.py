"""Simulation: requests played one by one through replicas with continuous batching, iteration by iteration.

What is modelled, after vLLM's scheduler (version 1):

- Each iteration computes one token for every decoding sequence, then prompt tokens in order of arrival until
  ``step_max_tokens`` are planned; a longer prompt goes on in the next iteration (chunked prefill).
- A request is admitted, first come first served, when a sequence is free and the cache has room for its prompt and for
  the next token of all. Nothing is reserved for what it will generate: when the cache overflows, the sequence admitted
  last goes back to the head of the queue and computes its prompt and what it had generated again.
- The prompt's last iteration gives the first token; what the prefix cache holds of a prompt is not computed (at least
  one token is), and still occupies the cache: sequences share no memory here.
- ``first_token_s`` passes before a request reaches its replica.
- A dispatcher sends a request to the replica with the fewest requests (or in turn) and never moves it, unless the
  replica is gone: then it begins again elsewhere. A replica that is drained takes no new requests.

Not modelled: blocks of the cache that are not full, speculative decoding, prefill on other machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from breakeven.errors import ServingError
from breakeven.serving.traffic import simulate_kernel as kernel
from breakeven.serving.traffic.replica_timing import ReplicaTiming

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Dispatch = Literal["shortest_queue", "round_robin", "given"]
_RULES: Final = {
    "shortest_queue": kernel.SHORTEST_QUEUE,
    "round_robin": kernel.ROUND_ROBIN,
    "given": kernel.GIVEN,
}
_KINDS: Final = {"up": kernel.UP, "drain": kernel.DRAIN, "kill": kernel.KILL}
CLOSED_LOOP_REQUESTS_PER_CLIENT: Final = 10
"""Requests of a closed loop per client, as InferenceMAX and many benchmarks take."""
CLOSED_LOOP_REQUESTS_MAX: Final = 20_000
"""Beyond this a point gets no more requests than three per client."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests in the order of their arrival; arrays of one length."""

    arrival_s: Floats
    input_tokens: Ints
    output_tokens: Ints
    cached_tokens: Ints
    """Found in the prefix cache."""

    @classmethod
    def of(
        cls,
        arrival_s: ArrayLike,
        input_tokens: ArrayLike,
        output_tokens: ArrayLike,
        cached_tokens: ArrayLike | None = None,
    ) -> Traffic:
        """Checked and sorted by arrival; raises ServingError on what no log can mean."""
        arrival = np.asarray(arrival_s, np.float64).ravel()
        columns = [np.broadcast_to(np.asarray(each), arrival.shape) for each in (input_tokens, output_tokens)]
        cached = np.zeros(()) if cached_tokens is None else np.asarray(cached_tokens)
        columns.append(np.broadcast_to(cached, arrival.shape) if cached.ndim == 0 else cached)
        if columns[2].shape != arrival.shape:
            raise ServingError(f"{columns[2].size} cached-token figures for {arrival.size} requests; wanted one each")
        for name, column in zip(("arrival time", "input", "output", "cached"), (arrival, *columns), strict=True):
            if not np.isfinite(column).all():
                raise ServingError(f"a request has an {name} that is no number; leave such rows out")
        for name, column in zip(("input", "output"), columns, strict=False):
            if (column < 1).any():
                raise ServingError(f"a request has {column.min():g} {name} tokens; wanted at least 1")
        order = np.argsort(arrival, kind="stable")
        whole = [np.asarray(each, np.int64)[order] for each in columns]
        return cls(arrival[order], whole[0], whole[1], np.clip(whole[2], 0, whole[0] - 1))

    @property
    def requests_count(self) -> int:
        """How many requests."""
        return self.arrival_s.size


@dataclass(frozen=True, slots=True)
class FleetEvent:
    """A replica comes into the rotation, takes nothing new, or is gone with what it was doing."""

    at_s: float
    replica: int
    kind: Literal["up", "drain", "kill"]


@dataclass(frozen=True, slots=True)
class FleetRun:
    """What the requests and the replicas of a simulation went through. Arrays by request, in order of arrival."""

    ttft_s: Floats
    """From sending to the first token; NaN when it never came."""
    tpot_s: Floats
    """Mean time between tokens after the first; NaN for requests of one token and those that were not served."""
    end_s: Floats
    replica: Ints
    redone_count: Ints
    """How often a request began again on another replica."""
    served_count: int
    refused_count: int
    """Requests that no replica can hold: longer than the cache. They are not played."""
    busy_s: Floats
    """By replica: time with an iteration running."""
    emptied_s: Floats
    """By replica: when it had nothing left to do after its last drain, or was gone; infinite for one that stays."""
    iterations_count: Ints
    output_tokens: Ints
    """By replica; tokens that were generated again count again."""
    prompt_tokens: Ints
    """By replica; computed, so without what the prefix cache held."""
    preempted_count: Ints

    def attained_fraction(self, ttft_s: float | None, tpot_s: float | None) -> float:
        """Share of all requests that met both targets; one that was refused or never served missed them."""
        return float(np.mean(self.attained(ttft_s, tpot_s))) if self.ttft_s.size else 1.0

    def attained(self, ttft_s: float | None, tpot_s: float | None) -> NDArray[np.bool_]:
        """Which requests met the targets."""
        met = np.isfinite(self.end_s)
        if ttft_s is not None:
            met &= np.nan_to_num(self.ttft_s, nan=np.inf) <= ttft_s
        if tpot_s is not None:
            met &= np.nan_to_num(self.tpot_s, nan=0.0) <= tpot_s
        return met


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """A closed loop on one replica, one value per point; NaN where a request does not fit into the cache."""

    ttft_mean_s: Floats
    ttft_median_s: Floats
    ttft_later_s: Floats
    """Mean without the first request of each client: they all come at once."""
    tpot_mean_s: Floats
    output_tok_per_s: Floats
    """Over the whole run, from the first request to the last token, as benchmarks report it."""
    steady_output_tok_per_s: Floats
    """While all clients are busy."""
    preempted_count: Floats


def simulate_fleet(
    timing: ReplicaTiming,
    traffic: Traffic,
    replicas_count: int,
    *,
    dispatch: Dispatch = "shortest_queue",
    given: ArrayLike | None = None,
    events: Sequence[FleetEvent] = (),
    absent: Sequence[int] = (),
) -> FleetRun:
    """Play `traffic` on identical replicas. `given` names the replica of each request when `dispatch` is "given";
    replicas in `absent` are out of the rotation until an event brings them up."""
    if replicas_count < 1:
        raise ServingError(f"{replicas_count} replicas; wanted at least 1")
    if traffic.requests_count == 0:
        raise ServingError("there are no requests to simulate")
    figures = _figures(timing)
    _refuse_unknown_replicas(replicas_count, given, events, absent)
    fits = traffic.input_tokens + traffic.output_tokens <= timing.cache_capacity_tokens
    requests = np.zeros((int(fits.sum()), kernel.REQUEST_INTS), np.int64)
    moments = np.full((requests.shape[0], kernel.REQUEST_FLOATS), np.nan)
    requests[:, kernel.INPUT] = traffic.input_tokens[fits]
    requests[:, kernel.OUTPUT] = traffic.output_tokens[fits]
    requests[:, kernel.CACHED] = traffic.cached_tokens[fits]
    moments[:, kernel.ARRIVAL] = traffic.arrival_s[fits]
    if given is not None:
        requests[:, kernel.REPLICA] = np.asarray(given, np.int64)[fits]
    states, clocks = kernel.fresh_replicas(replicas_count)
    states[list(absent), kernel.ACCEPTS] = 0
    ordered = sorted(events, key=lambda each: each.at_s)
    emptied_s = np.full(replicas_count, np.inf)
    served = kernel.play(
        requests,
        moments,
        requests.shape[0],
        np.array([each.at_s for each in ordered], np.float64),
        np.array([(_KINDS[each.kind], each.replica) for each in ordered], np.int64).reshape(-1, 2),
        states,
        clocks,
        _RULES[dispatch],
        timing.step_tokens,
        timing.step_s,
        figures,
        emptied_s,
    )
    return _fleet_run(traffic, fits, requests, moments, states, clocks, emptied_s, served)


def closed_loop(
    timings: Sequence[ReplicaTiming],
    clients_count: ArrayLike,
    input_tokens: ArrayLike,
    output_tokens: ArrayLike,
    *,
    shortest_ratio: ArrayLike = 1.0,
    requests_count: ArrayLike | None = None,
    seed: int = 0,
) -> ClosedLoop:
    """Play closed loops, one per timing: each of its clients sends the next request when the last one ends.

    All arguments but the first are scalars or arrays of one value per point. Lengths are uniform between
    `shortest_ratio` times the given ones and the given ones (1: fixed), drawn from the same numbers at every point.
    `requests_count`: by default ten per client. Raises ServingError on zero clients or tokens.
    """
    if not timings:
        raise ServingError("no points to simulate")
    shape = (len(timings),)
    clients, inputs, outputs = (
        np.broadcast_to(np.asarray(each, np.int64), shape) for each in (clients_count, input_tokens, output_tokens)
    )
    for name, column in (("clients", clients), ("input tokens", inputs), ("output tokens", outputs)):
        if (column < 1).any():
            raise ServingError(f"a point has {column.min()} {name}; wanted at least 1")
    totals = default_requests_count(clients) if requests_count is None else np.asarray(requests_count, np.int64)
    if (totals < 1).any():
        raise ServingError(f"a point of {totals.min()} requests; wanted at least 1")
    ratio = np.broadcast_to(np.asarray(shortest_ratio, np.float64), shape)
    if not ((ratio > 0) & (ratio <= 1)).all():
        raise ServingError("the shortest request over the longest must lie in (0, 1]")
    low = [np.maximum(np.ceil(each * ratio).astype(np.int64), 1) for each in (inputs, outputs)]
    lengths = np.stack([np.broadcast_to(totals, shape), low[0], inputs, low[1], outputs], axis=1)
    tokens, times = _stacked(timings)
    results = np.empty((len(timings), len(ClosedLoop.__dataclass_fields__)))
    uniforms = np.random.default_rng(seed).random((int(lengths[:, 0].max()), 2))
    figures = np.stack([_figures(each) for each in timings])
    kernel.play_points(tokens, times, figures, clients.copy(), lengths, uniforms, results)
    return ClosedLoop(*(results[:, column].copy() for column in range(results.shape[1])))


def default_requests_count(clients_count: Ints) -> Ints:
    """Ten requests per client, at least 20; for very many clients at least three each.

    >>> default_requests_count(np.array([1, 64, 4096])).tolist()
    [20, 640, 20000]
    """
    usual = np.clip(CLOSED_LOOP_REQUESTS_PER_CLIENT * clients_count, 20, CLOSED_LOOP_REQUESTS_MAX)
    return np.maximum(usual, 3 * clients_count)


def _refuse_unknown_replicas(
    replicas_count: int, given: ArrayLike | None, events: Sequence[FleetEvent], absent: Sequence[int]
) -> None:
    named = np.concatenate(
        [
            np.asarray(absent, np.int64).ravel(),
            np.array([each.replica for each in events], np.int64),
            np.array([], np.int64) if given is None else np.asarray(given, np.int64).ravel(),
        ]
    )
    if named.size and (named.min() < 0 or named.max() >= replicas_count):
        raise ServingError(f"replica {named[np.argmax(np.abs(named))]} of {replicas_count}; they count from 0")
    if not all(np.isfinite(each.at_s) for each in events):
        raise ServingError("an event has no time; leave it out")


def _fleet_run(
    traffic: Traffic,
    fits: NDArray[np.bool_],
    requests: Ints,
    moments: Floats,
    states: Ints,
    clocks: Floats,
    emptied_s: Floats,
    served: int,
) -> FleetRun:
    ttft_s, tpot_s, end_s = (np.full(traffic.requests_count, np.nan) for _ in range(3))
    replica, redone = np.full(traffic.requests_count, -1, np.int64), np.zeros(traffic.requests_count, np.int64)
    ttft_s[fits] = moments[:, kernel.FIRST] - moments[:, kernel.ARRIVAL]
    end_s[fits] = moments[:, kernel.END]
    replica[fits] = requests[:, kernel.REPLICA]
    redone[fits] = requests[:, kernel.REDONE]
    after_first = requests[:, kernel.OUTPUT] - 1
    lasted = moments[:, kernel.END] - moments[:, kernel.FIRST]
    tpot_s[fits] = np.where(after_first > 0, lasted / np.maximum(after_first, 1), np.nan)
    return FleetRun(
        ttft_s=ttft_s,
        tpot_s=tpot_s,
        end_s=end_s,
        replica=replica,
        redone_count=redone,
        served_count=served,
        refused_count=int((~fits).sum()),
        busy_s=clocks[:, kernel.BUSY].copy(),
        emptied_s=emptied_s,
        iterations_count=states[:, kernel.ITERATIONS].copy(),
        output_tokens=states[:, kernel.TOKENS_OUT].copy(),
        prompt_tokens=states[:, kernel.TOKENS_IN].copy(),
        preempted_count=states[:, kernel.PREEMPTED].copy(),
    )


def _figures(timing: ReplicaTiming) -> Floats:
    if not (np.isfinite(timing.step_s).all() and timing.step_s.min() > 0):
        raise ServingError("an iteration takes no time, or no finite time; the timing of the replica is wrong")
    if timing.step_tokens.shape != timing.step_s.shape or not (np.diff(timing.step_tokens) > 0).all():
        raise ServingError("the curve of an iteration's time needs one time per number of tokens, in rising order")
    if not timing.cache_capacity_tokens >= 1:
        raise ServingError(f"a cache of {timing.cache_capacity_tokens:g} tokens serves nobody")
    if timing.sequences_max_count < 1 or timing.step_max_tokens < 1:
        raise ServingError("a replica that runs no sequence, or no token at a time, serves nobody")
    return np.array(
        [
            timing.sequence_s,
            timing.cache_read_s_per_token,
            timing.attention_s_per_pair,
            timing.first_token_s,
            np.floor(min(timing.cache_capacity_tokens, 2.0**62)),
            min(timing.sequences_max_count, timing.step_max_tokens),
            timing.step_max_tokens,
        ],
        np.float64,
    )


def _stacked(timings: Sequence[ReplicaTiming]) -> tuple[Floats, Floats]:
    """Curves of one number of points: shorter ones go on with their last slope."""
    longest = max(each.step_tokens.size for each in timings)
    tokens, times = np.empty((len(timings), longest)), np.empty((len(timings), longest))
    for row, each in enumerate(timings):
        known = each.step_tokens.size
        more = np.arange(1, longest - known + 1)
        run = each.step_tokens[-1] - each.step_tokens[-2] if known > 1 else 1.0
        rise = each.step_s[-1] - each.step_s[-2] if known > 1 else 0.0
        tokens[row] = np.concatenate([each.step_tokens, each.step_tokens[-1] + run * more])
        times[row] = np.concatenate([each.step_s, each.step_s[-1] + rise * more])
    return tokens, times
