"""Fleet presence: how many replicas are paid for, and how many take requests, stretch by stretch of a log.

A replica is paid from the moment it is asked for until it has ended what it had; it takes requests from the end of its
cold start until it is asked to go, and not while an interrupted one starts again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.traffic.fleet_schedule import Schedule, Stay
from breakeven.serving.traffic.simulate import FleetRun, Traffic

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Presence:
    """Stretches of time, one for each time that a replica is there; they may overlap."""

    from_s: Floats
    to_s: Floats

    @property
    def total_s(self) -> float:
        """All of them together."""
        return float((self.to_s - self.from_s).sum())

    def mean_count(self, edges_s: Floats) -> Floats:
        """How many are there between neighbouring edges, on average.

        >>> Presence(np.array([0.0, 5.0]), np.array([10.0, 10.0])).mean_count(np.array([0.0, 10.0, 20.0])).tolist()
        [1.5, 0.0]
        """
        passed = _passed_s(self.from_s, edges_s) - _passed_s(self.to_s, edges_s)
        return np.asarray(np.diff(passed) / np.diff(edges_s))


def paid_presence(plan: Schedule, run: FleetRun, traffic: Traffic, until_s: float) -> Presence:
    """From asking for a replica until it has ended what it had."""
    found: list[tuple[float, float]] = []
    by_replica: dict[int, list[Stay]] = {}
    for stay in plan.stays:
        by_replica.setdefault(stay.replica, []).append(stay)
    for replica, stays in by_replica.items():
        own = run.replica == replica
        arrived, ended = traffic.arrival_s[own], np.nan_to_num(run.end_s[own])
        latest = np.maximum.accumulate(ended) if ended.size else ended
        for index, stay in enumerate(stays):
            gone_s = stay.leaves_s
            before = int(np.searchsorted(arrived, stay.leaves_s, side="right"))
            if before and stay.leaves_s < until_s:
                gone_s = max(gone_s, float(latest[before - 1]))
            if index + 1 < len(stays):
                gone_s = min(gone_s, stays[index + 1].asked_s)
            found.append((stay.asked_s, min(gone_s, until_s)))
    return _presence(found)


def serving_presence(plan: Schedule, until_s: float) -> Presence:
    """While a replica takes requests."""
    since = {stay.replica: 0.0 for stay in plan.stays if stay.asked_s == 0}
    found: list[tuple[float, float]] = []
    for event in sorted(plan.events, key=lambda each: each.at_s):
        if event.kind == "up":
            since.setdefault(event.replica, event.at_s)
        elif event.replica in since:
            found.append((since.pop(event.replica), event.at_s))
    found += [(start, until_s) for start in since.values()]
    return _presence([(start, min(end, until_s)) for start, end in found if start < until_s])


def _presence(stretches: list[tuple[float, float]]) -> Presence:
    both = np.array(stretches, np.float64).reshape(-1, 2)
    return Presence(both[:, 0], both[:, 1])


def _passed_s(moments_s: Floats, at_s: Floats) -> Floats:
    """Seconds since each moment that has passed, added."""
    ordered = np.sort(moments_s)
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    passed = np.searchsorted(ordered, at_s, side="right")
    return np.asarray(passed * at_s - total[passed])
