"""Ports: what the relay asks of the other parts of the gateway, as protocols; each has one room that answers it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.plan import Head, Key, Plan, Refusal, Reservation
from breakeven.gateway.upstream import Target


class Admission(Protocol):
    """Decides on requests: `admission/`. Never blocks, never raises on any input."""

    def admit(self, head: Head, body: bytes) -> Plan | Refusal | Awaitable[Plan | Refusal]:
        """A plan, or an answer of our own; awaitable only where limits are kept on another machine."""
        ...

    def next_target(
        self, plan: Plan, failed: Attempt
    ) -> tuple[Target, float] | Awaitable[tuple[Target, float] | None] | None:
        """Who is tried after a failure before the first byte, and after how many seconds; None: nobody.

        After the failure `rejected`: who is asked next of `plan.escalate_to`. For an attempt that has not failed (its
        `failure` is None): who may be asked beside it, a hedge. Awaitable only where `admit` may be, too.
        """
        ...

    def finish(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        """The request is over: settle limits, tell breakers, count, and hand the Calls to the sink."""
        ...


class Limits(Protocol):
    """Budgets and rates of keys: `limits/`."""

    def reserve(
        self, key: Key, usd: float, tokens_count: int, now_unix_s: float
    ) -> Reservation | Refusal | Awaitable[Reservation | Refusal]:
        """Set an estimate aside, atomically over all processes that share the limits, or say which limit is spent."""
        ...

    def settle(self, reservation: Reservation, usd: float, tokens_count: int) -> None:
        """Put what was really used in place of the estimate. Never blocks, never raises."""
        ...


class Sink(Protocol):
    """Where Calls go: `metering/`."""

    def put(self, line: bytes) -> None:
        """One Call as a JSON line, with its newline. Never blocks, never raises; what cannot be kept is counted."""
        ...

    def written(self) -> Awaitable[None]:
        """Done when everything put before is on the disk (fdatasync)."""
        ...
