"""Fleet schedule: how many replicas are wanted when, what that means for each of them, and what is paid.

Always on: the number for the peak, all the time. Autoscaled: every few minutes the number that the minutes just past
needed and some headroom, kept for a while before it falls, never more than the peak needs; a new replica serves after
its cold start and is paid from the moment it is asked for; one that goes ends what it has. Scaled to zero: none after a
stretch without requests, the first request then wakes one and waits for it. Spot: replicas are taken away at random and
asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import ServingError
from breakeven.serving.traffic.fleet_bins import LatencyTarget
from breakeven.serving.traffic.simulate import FleetEvent
from breakeven.units import HOURS_PER_MONTH, SECONDS_PER_HOUR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FleetPolicy:
    """How a fleet is run."""

    target: LatencyTarget
    replicas_min_count: int = 1
    spare_count: int = 0
    """On top of what is needed, whenever anything runs: 1 is "N+1"."""
    is_autoscaled: bool = False
    decision_s: float = 300.0
    """How often the autoscaler decides."""
    headroom_fraction: float = 0.2
    """More than the minutes just past needed: they say what was, not what comes."""
    hold_s: float = 600.0
    """How long a need is remembered before replicas are given back."""
    cold_start_s: float = 180.0
    """From asking for a replica until it serves."""
    scales_to_zero: bool = False
    idle_timeout_s: float = 900.0
    """Without a request for this long, nothing runs."""
    interruption_events_per_replica_month: float = 0.0
    """How often a spot replica is taken away."""
    reuse_fraction: float = 0.5
    """Share of the cache that is left for prefixes used before, where the log names prefixes."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no fleet can be."""
        for name, least in (
            ("replicas_min_count", 0),
            ("spare_count", 0),
            ("cold_start_s", 0),
            ("hold_s", 0),
            ("headroom_fraction", 0),
            ("idle_timeout_s", 0),
            ("interruption_events_per_replica_month", 0),
        ):
            if not getattr(self, name) >= least:
                raise ServingError(f"{name} = {getattr(self, name):g}; wanted {least} or more")
        if not self.decision_s >= 1:
            raise ServingError(f"decision_s = {self.decision_s:g}; wanted 1 second or more")
        for name, value in (("TTFT", self.target.ttft_s), ("TPOT", self.target.tpot_s)):
            if value is not None and not value > 0:
                raise ServingError(f"a {name} target of {value:g} s; wanted more than 0")
        if not 0 < self.target.quantile_fraction < 1:
            raise ServingError(
                f"{self.target.quantile_fraction:g} of the requests must meet the targets; wanted 0 to 1"
            )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number of replicas that changes at moments."""

    since_s: Floats
    """First 0, increasing."""
    count: Ints
    until_s: float

    def mean_count(self, edges_s: Floats) -> Floats:
        """Mean between neighbouring edges."""
        lengths = np.diff(np.append(self.since_s, self.until_s))
        total = np.concatenate([[0.0], np.cumsum(self.count * lengths)])
        at = np.interp(edges_s, np.append(self.since_s, self.until_s), total)
        return np.asarray(np.diff(at) / np.diff(edges_s))

    def most_count(self, edges_s: Floats) -> Ints:
        """The highest between neighbouring edges."""
        first = np.searchsorted(self.since_s, edges_s[:-1], side="right") - 1
        last = np.searchsorted(self.since_s, edges_s[1:], side="left")
        return np.array([self.count[low:high].max() for low, high in zip(first, last, strict=True)], np.int64)


@dataclass(frozen=True, slots=True)
class Stay:
    """One stretch in which a replica is paid for."""

    replica: int
    asked_s: float
    serves_s: float
    leaves_s: float
    """Asked to go: it ends what it has."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens to each replica."""

    replicas_count: int
    stays: tuple[Stay, ...]
    events: tuple[FleetEvent, ...]
    absent: tuple[int, ...]
    """Replicas that are not there at the beginning."""
    cold_starts_count: int
    interruptions_count: int


def wanted(policy: FleetPolicy, needed_count: Floats, arrival_s: Floats, until_s: float, peak_count: int) -> Wanted:
    """Replicas wanted. `needed_count`: of each `decision_s`, not rounded; `peak_count`: what the peak needs."""
    least = max(policy.replicas_min_count, 0 if policy.scales_to_zero else 1)
    if not policy.is_autoscaled:
        since, count = np.zeros(1), np.array([max(peak_count, least, 1) + policy.spare_count], np.int64)
    else:
        held = 1 + int(np.ceil(policy.hold_s / policy.decision_s))
        # the first stretch as if the time before had been like it
        past = np.concatenate([np.full(held, needed_count[0]), needed_count[:-1]])
        most = np.lib.stride_tricks.sliding_window_view(past, held).max(axis=1) * (1 + policy.headroom_fraction)
        enough = np.minimum(np.ceil(most - 1e-9), peak_count)  # the peak itself needs no more
        count = np.maximum(enough, max(least, 1)).astype(np.int64) + policy.spare_count
        since = np.arange(count.size) * policy.decision_s
    if policy.scales_to_zero:
        timeout_s = max(policy.idle_timeout_s, policy.cold_start_s + 1.0)  # one that was woken serves before it sleeps
        since, count = _asleep(since, count, arrival_s, timeout_s, until_s)
    changes = np.concatenate([[True], np.diff(count) != 0])
    return Wanted(since[changes], count[changes], until_s)


def schedule(policy: FleetPolicy, numbers: Wanted) -> Schedule:
    """Stays and events: replica r is there whenever more than r are wanted."""
    rng = np.random.default_rng(policy.seed)
    total = int(numbers.count.max())
    stays: list[Stay] = []
    events: list[FleetEvent] = []
    interruptions = 0
    rate_per_s = policy.interruption_events_per_replica_month / (HOURS_PER_MONTH * SECONDS_PER_HOUR)
    for replica in range(total):
        there = np.concatenate([[False], numbers.count > replica, [False]])
        edges = np.flatnonzero(np.diff(there.astype(np.int64)))
        moments = np.append(numbers.since_s, numbers.until_s)[edges]
        for asked, leaves in zip(moments[::2], moments[1::2], strict=True):
            serves = asked if asked == 0 else asked + policy.cold_start_s
            stays.append(Stay(replica, float(asked), float(serves), float(leaves)))
            stay_events, taken = _stay_events(stays[-1], numbers.until_s, policy.cold_start_s, rate_per_s, rng)
            events += stay_events
            interruptions += taken
    absent = tuple(range(int(numbers.count[0]), total))
    started = sum(each.asked_s > 0 for each in stays)
    return Schedule(max(total, 1), tuple(stays), tuple(events), absent or (), started, interruptions)


def _stay_events(
    stay: Stay, until_s: float, cold_start_s: float, rate_per_s: float, rng: np.random.Generator
) -> tuple[list[FleetEvent], int]:
    events, taken, up_s = [], 0, stay.serves_s
    if stay.asked_s > 0 and up_s < stay.leaves_s:
        events.append(FleetEvent(up_s, stay.replica, "up"))
    while rate_per_s > 0:
        gone_s = up_s + rng.exponential(1 / rate_per_s)
        if gone_s >= stay.leaves_s:
            break
        taken += 1
        events.append(FleetEvent(gone_s, stay.replica, "kill"))
        up_s = gone_s + cold_start_s
        if up_s < stay.leaves_s or stay.leaves_s >= until_s:
            events.append(FleetEvent(up_s, stay.replica, "up"))
    if stay.leaves_s < until_s:
        events.append(FleetEvent(stay.leaves_s, stay.replica, "drain"))
    return events, taken


def _asleep(since: Floats, count: Ints, arrival_s: Floats, timeout_s: float, until_s: float) -> tuple[Floats, Ints]:
    """Set the count to zero from `timeout_s` after a request until the next one comes."""
    if arrival_s.size == 0:
        return np.zeros(1), np.zeros(1, np.int64)
    before = np.concatenate([[0.0], arrival_s + timeout_s])
    after = np.concatenate([arrival_s, [until_s]])
    gap = after > before
    gap[0] = arrival_s[0] > 0
    falls, wakes = before[gap], after[gap]
    moments = np.unique(np.concatenate([since, falls, wakes[wakes < until_s]]))
    numbers = count[np.searchsorted(since, moments, side="right") - 1]
    index = np.searchsorted(falls, moments, side="right") - 1
    asleep = (index >= 0) & (moments < wakes[np.maximum(index, 0)]) if falls.size else np.zeros(moments.size, bool)
    return moments, np.where(asleep, 0, numbers)
