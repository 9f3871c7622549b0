"""Hammer: a process that reserves and settles one key's budget, for tests of limits that processes share."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path

from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.plan import Key, Refusal, Reservation

NOW_S = 1_000_000.0


async def _awaited(found: Awaitable[Reservation | Refusal]) -> Reservation | Refusal:
    """As a relay does where another process holds the lock."""
    return await found


def main(file: str, budget_usd: float, tries_count: int, how: str) -> None:
    """Print how many reservations were granted; with `hold` keep them and wait to be killed."""
    key = Key("k", bytes(32), budget_usd=budget_usd)
    limits = SharedLimits(Path(file), [key])
    granted = 0
    for i in range(tries_count):
        found = limits.reserve(key, 0.003, 10, NOW_S)
        if isinstance(found, Awaitable):
            found = asyncio.run(_awaited(found))
        if not isinstance(found, Refusal):
            granted += 1
            if how == "settle":
                limits.settle(found, 0.001 * (1 + i % 3), 5)
    if how == "settle":
        limits.close()
    sys.stdout.write(f"{granted}\n")
    sys.stdout.flush()
    if how == "hold":
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
