"""Counters: what one process of the gateway has counted, cheap enough to be counted for every request.

A request costs one look-up of the cell of its model, upstream and task, and a few additions. A snapshot is JSON; a
process that starts again goes on from the last one, so that totals never fall.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable
from time import time
from typing import Any, Final

import orjson

from breakeven.gateway.attempt import Attempt, TokenCounts
from breakeven.gateway.plan import Plan
from breakeven.gateway.telemetry.metric_table import (
    CELLS_MAX_COUNT,
    DURATION_BOUNDS_S,
    LABELS_MAX_COUNT,
    METRIC_BY_NAME,
    OTHER,
)
from breakeven.gateway.upstream import Target

SNAPSHOT_VERSION: Final = 1
_BUCKETS_COUNT: Final = len(DURATION_BOUNDS_S) + 1
_NUMBERS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cost_usd",
    "estimated_count",
    "unpriced_count",
    "duration_sum_s",
    "first_byte_sum_s",
)


class Cell:
    """The totals of one model at one upstream for one task."""

    __slots__ = ("calls", "durations", "first_bytes", *_NUMBERS)

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str, str | None, str], int] = {}
        """By operation, kind, failure, and, of a request's last attempt, how the request ended."""
        self.durations = [0] * _BUCKETS_COUNT
        self.first_bytes = [0] * _BUCKETS_COUNT
        self.input_tokens = self.output_tokens = self.reasoning_tokens = 0
        self.cache_read_tokens = self.cache_write_tokens = 0
        self.cost_usd = self.duration_sum_s = self.first_byte_sum_s = 0.0
        self.estimated_count = self.unpriced_count = 0


class Counters:
    """What a process counts. Every method is for one thread, but for `snapshot`, which any thread may call."""

    def __init__(self, process_index: int = 0, previous: bytes | None = None) -> None:
        self.process_index = process_index
        self.on_trouble: Callable[[Plan, list[Attempt], bool], None] | None = None
        """Told of every request that did not go smoothly: a log."""
        self.on_mistake: Callable[[Exception], None] | None = None
        """Told of what no code expects: a log."""
        self._started_unix_s = time()
        self._cells: dict[tuple[str, str, str | None], Cell] = {}
        self._labels: dict[str, set[str]] = {"model": set(), "upstream": set(), "task": set()}
        self._counts: dict[tuple[str, str], float] = {}
        self._gauges: dict[tuple[str, str], float] = {}
        self._policy: tuple[str, str] | None = None
        if previous is not None:
            self._go_on_from(previous)

    def finished(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        """A request is over: count it and its attempts; those of a kind `shadow` have no client who waits."""
        task = plan.task
        cells = self._cells
        cell = None
        last = len(attempts)
        for attempt in attempts:
            last -= 1
            target = attempt.target
            key = (target.name, target.upstream.name, task)
            cell = cells.get(key)
            if cell is None:
                cell = self._new_cell(key)
            failure: str | None = attempt.failure
            status = attempt.http_status
            if status is not None and status >= 400:
                failure = f"http_{status}"
            if last:
                result = ""
            elif delivered:
                result = "delivered"
            elif attempt.is_aborted:
                result = "cancelled"
            else:
                result = "rejected" if attempt.is_refused else "failed"
            call = (plan.facts.operation, attempt.kind, failure, result)
            cell.calls[call] = cell.calls.get(call, 0) + 1
            tokens = attempt.tokens
            if tokens is not None:
                cell.input_tokens += tokens.input_tokens
                cell.output_tokens += tokens.output_tokens
                if tokens.cache_read_tokens or tokens.cache_write_tokens or tokens.reasoning_tokens:
                    cell.cache_read_tokens += tokens.cache_read_tokens
                    cell.cache_write_tokens += tokens.cache_write_tokens
                    cell.reasoning_tokens += tokens.reasoning_tokens
                if tokens.is_estimated:
                    cell.estimated_count += 1
                if attempt.cost_usd is None:
                    cell.unpriced_count += 1
                else:
                    cell.cost_usd += attempt.cost_usd
        if cell is None or attempt.kind == "shadow":
            return
        if delivered:
            received_s = plan.received_monotonic_s
            if (end_s := attempt.ended_monotonic_s) is not None:
                if attempts[0].kind == "check":  # the answer may have waited for it
                    end_s = max(end_s, attempts[0].ended_monotonic_s or 0.0)
                spent_s = end_s - received_s
                cell.durations[bisect_left(DURATION_BOUNDS_S, spent_s)] += 1
                cell.duration_sum_s += spent_s
            if (begin_s := attempt.first_byte_monotonic_s) is not None:
                spent_s = begin_s - received_s
                cell.first_bytes[bisect_left(DURATION_BOUNDS_S, spent_s)] += 1
                cell.first_byte_sum_s += spent_s
        is_first = len(attempts) == 1 or (
            len(attempts) == 2 and attempts[0].kind == "check" and not attempts[0].failure
        )
        if (not is_first or result != "delivered") and self.on_trouble is not None:
            self.on_trouble(plan, attempts, delivered)

    def mistake(self, problem: Exception) -> None:
        """Something was raised that no code expects."""
        self.count("events_total", 1, "relay_error")
        if self.on_mistake is not None:
            self.on_mistake(problem)

    def delivered(
        self,
        target: Target,
        task: str | None,
        operation: str,
        answers: list[tuple[float, float, int, int, float | None, TokenCounts | None]],
    ) -> None:
        """What `finished` does, for many answers of the first attempt at once.

        Of each: seconds that it took, and that its first byte took, input and output tokens, USD, and all counts where
        there is more to tell.
        """
        key = (target.name, target.upstream.name, task)
        cell = self._cells.get(key) or self._new_cell(key)
        call = (operation, "first", None, "delivered")
        cell.calls[call] = cell.calls.get(call, 0) + len(answers)
        durations, first_bytes = cell.durations, cell.first_bytes
        for spent_s, waited_s, input_count, output_count, cost_usd, counts in answers:
            at = bisect_left(DURATION_BOUNDS_S, spent_s)
            durations[at] += 1
            first_bytes[at if waited_s == spent_s else bisect_left(DURATION_BOUNDS_S, waited_s)] += 1
            cell.duration_sum_s += spent_s
            cell.first_byte_sum_s += waited_s
            cell.input_tokens += input_count
            cell.output_tokens += output_count
            if cost_usd is None:
                cell.unpriced_count += 1
            else:
                cell.cost_usd += cost_usd
            if counts is not None:
                cell.cache_read_tokens += counts.cache_read_tokens
                cell.cache_write_tokens += counts.cache_write_tokens
                cell.reasoning_tokens += counts.reasoning_tokens
                cell.estimated_count += counts.is_estimated

    def refused(self, code: str) -> None:
        """A request got an answer of our own."""
        self.count("refusals_total", 1, code)

    def count(self, name: str, n: float = 1, label: str = "") -> None:
        """Add to a counter of the metric table; `label` is the value of its label, where it has one."""
        key = (name, label)
        known = self._counts.get(key)
        if known is None:
            key = self._place(name, label, "counter")
            known = self._counts.get(key, 0)
        self._counts[key] = known + n

    def gauge(self, name: str, value: float, label: str = "") -> None:
        """Set a gauge of the metric table."""
        key = (name, label)
        if key not in self._gauges:
            key = self._place(name, label, "gauge")
            if key[0] == "events_total":
                return
        self._gauges[key] = value

    def forget(self, name: str, label: str) -> None:
        """Take a gauge's value back: its upstream is no more."""
        self._gauges.pop((name, label), None)

    def serves_policy(self, policy_hash: str | None, kind: str = "") -> None:
        """Tell which policy is in force; None: none."""
        self._policy = None if policy_hash is None else (policy_hash, kind)

    def refusals(self) -> dict[str, float]:
        """Refusals so far, by code."""
        return {label: n for (name, label), n in list(self._counts.items()) if name == "refusals_total"}

    def snapshot(self) -> bytes:
        """All of it as JSON, for `merged.py`."""
        return orjson.dumps(
            {
                "version": SNAPSHOT_VERSION,
                "process": self.process_index,
                "pid": os.getpid(),
                "started_unix_s": self._started_unix_s,
                "written_unix_s": time(),
                "counts": [[*key, n] for key, n in list(self._counts.items())],
                "gauges": [[*key, value] for key, value in list(self._gauges.items())],
                "policy": self._policy,
                "cells": [_plain(key, cell) for key, cell in list(self._cells.items())],
            }
        )

    def _new_cell(self, key: tuple[str, str, str | None]) -> Cell:
        """The cell of a combination seen for the first time, or that of `other` where there are too many."""
        model, upstream, task = key
        bounded = (
            self._bounded("model", model),
            self._bounded("upstream", upstream),
            self._bounded("task", task or ""),
        )
        if len(self._cells) >= CELLS_MAX_COUNT:
            bounded = (OTHER, OTHER, OTHER)
        shown = (bounded[0], bounded[1], bounded[2] or None)
        cell = self._cells.get(shown)
        if cell is None:
            cell = self._cells[shown] = Cell()
        return cell

    def _bounded(self, name: str, value: str) -> str:
        seen = self._labels.setdefault(name, set())
        if value in seen:
            return value
        if len(seen) >= LABELS_MAX_COUNT:
            return OTHER
        seen.add(value)
        return value

    def _place(self, name: str, label: str, kind: str) -> tuple[str, str]:
        """Where a number that is not known yet is kept."""
        metric = METRIC_BY_NAME.get(name)
        if metric is None or metric.type != kind or len(metric.labels) > 1:
            return ("events_total", self._bounded("events_total", name))
        return (name, self._bounded(name, label) if metric.labels else "")

    def _go_on_from(self, previous: bytes) -> None:
        """Take over the totals of the process before; what cannot be read starts at zero."""
        try:
            found = orjson.loads(previous)
            if found["version"] != SNAPSHOT_VERSION:
                return
            counts = {(str(name), str(label)): float(n) for name, label, n in found["counts"]}
            cells = dict(_cell(each) for each in found["cells"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        self._counts, self._cells = counts, cells
        for name, label in counts:
            self._bounded(name, label)
        for model, upstream, task in cells:
            for label_name, value in (("model", model), ("upstream", upstream), ("task", task or "")):
                self._bounded(label_name, value)


def _plain(key: tuple[str, str, str | None], cell: Cell) -> dict[str, Any]:
    return {
        "key": key,
        "calls": [[*call, n] for call, n in list(cell.calls.items())],
        "durations": cell.durations[:],
        "first_bytes": cell.first_bytes[:],
        **{name: getattr(cell, name) for name in _NUMBERS},
    }


def _cell(plain: dict[str, Any]) -> tuple[tuple[str, str, str | None], Cell]:
    model, upstream, task = plain["key"]
    cell = Cell()
    cell.calls = {(str(op), str(kind), failure, str(result)): int(n) for op, kind, failure, result, n in plain["calls"]}
    for name in ("durations", "first_bytes"):
        buckets = [int(n) for n in plain[name]]
        if len(buckets) != _BUCKETS_COUNT:
            raise ValueError("other buckets")
        setattr(cell, name, buckets)
    for name in _NUMBERS:
        setattr(cell, name, plain[name])
    return (str(model), str(upstream), None if task is None else str(task)), cell
