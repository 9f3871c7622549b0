"""Racing: a process that makes many reservations of one key's budget in Redis at once, for tests."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any, cast

from breakeven.gateway.limits.redis_limits import RedisLimits
from breakeven.gateway.plan import Key, Refusal

NOW_S = 1_000_000.0


async def race(url: str, budget_usd: float, tries_count: int) -> None:
    """Print how many were granted; half of them are settled at a third of their estimate."""
    key = Key("k", bytes(32), budget_usd=budget_usd)
    limits = RedisLimits(url, timeout_s=10.0)
    asked = (limits.reserve(key, 0.03, 10, NOW_S) for _ in range(tries_count))
    found = await asyncio.gather(*(cast("Awaitable[Any]", each) for each in asked))
    granted = [each for each in found if not isinstance(each, Refusal)]
    for each in granted[::2]:
        limits.settle(each, 0.01, 5)
    await limits.close(10.0)
    sys.stdout.write(f"{len(granted)} {len(granted[::2])}\n")


if __name__ == "__main__":
    asyncio.run(race(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
