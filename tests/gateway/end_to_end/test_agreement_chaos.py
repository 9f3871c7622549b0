"""Cascades that compare two models, while servers fail, clients leave and budgets end: nothing hangs or is lost."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from time import time
from typing import Any

import pytest

from breakeven.gateway.config.settings import Breaker, Retries
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.routing.policy_document import CascadePlan, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save
from gateway.parts.answers import compact, plain
from gateway.parts.raw_client import raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway
from gateway.parts.scripted_upstream import Asked, Script, Step, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, SHORT, key, models_at, settings_for, upstream_at

MODELS = ("small", "mid", "big", "other")
REQUESTS_COUNT = 50
TOOLS: list[Any] = [{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def careless(chance: Random) -> Script:
    """A server that fails at a third of its requests, each time in another way."""

    def script(_: Asked) -> Iterable[Step]:
        yield 0.02 * chance.random()
        fault = chance.random()
        if fault < 0.18:
            yield "hold" if fault < 0.04 else "reset" if fault < 0.1 else plain({"error": {}}, "500 No")
            return
        if fault < 0.3:
            yield plain({"error": {}}, "400 No") if fault < 0.2 else plain(b"{" if fault < 0.25 else b" " * 1_100_000)
            return
        message: dict[str, Any] = {"role": "assistant", "content": chance.choice(["yes", "no", "Yes", ""])}
        if fault < 0.34:
            message["tool_calls"] = TOOLS
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        used = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
        yield plain(compact({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": used}))

    return script


async def ask(gateway: RunningGateway, chance: Random) -> int | None:
    """The status of one request; None where its client left."""
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 100}
    async with raw_client(gateway.url) as client:
        asked = request("/v1/chat/completions", body | {"stream": chance.random() < 0.4}, {"x-api-key": SECRET})
        await client.send(asked)
        if chance.random() < 0.15:
            await asyncio.sleep(0.05 * chance.random())
            client.abort()
            return None
        answer = await asyncio.wait_for(client.answer(), 8.0)
        assert answer.is_whole
        return answer.status


@pytest.mark.parametrize("seed", range(6))
def test_whatever_fails_every_request_ends_and_every_cent_is_counted(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    order = chance.choice([("small", "big"), ("small", "mid", "big")])
    check = chance.choice([{}, {"": {"labels": ["yes", "no"]}}])
    plan = CascadePlan(order, agreement_model="other", checks_by_task=check)
    policy = save(PolicyDocument("cascade", tuple(map(PricedModel, MODELS)), "big", cascade=plan), tmp_path / "policy")
    paying = key(budget_usd=chance.choice([0.1, 5.0]))
    retries = Retries(3, budget_fraction=1.0, backoff_base_s=0.001, backoff_max_s=0.01, hedge_after_s=0.03)

    async def test() -> None:
        async with scripted_upstream(careless(chance)) as one, scripted_upstream(careless(chance)) as other:
            first, second = upstream_at(one.port, "first"), upstream_at(other.port, "second")
            here, there = models_at(first, *MODELS), models_at(second, *MODELS)
            made = settings_for(
                tmp_path / "state",
                [first, second],
                {name: here[name] + there[name] if chance.random() < 0.5 else here[name] for name in MODELS},
                keys=(paying,),
                timeouts=replace(SHORT, first_byte_s=0.2, total_s=chance.choice([0.3, 2.0])),
                retries=retries,
                breaker=Breaker(failures_count=4, open_s=0.2),
                cascade_streams=chance.choice(["buffered", "unchecked"]),
                durability=chance.choice(["batch", "request"]),
            )
            async with running_gateway(made, policy) as gateway:
                statuses = Counter(await asyncio.gather(*(ask(gateway, chance) for _ in range(REQUESTS_COUNT))))
                await gateway.settled()
                assert statuses[200] > 5 and statuses[500] == 0, statuses
                assert gateway.engine.open_requests() == 0
                assert not one.oddities and not other.oddities
                calls = gateway.calls
                assert len({each["record_id"] for each in calls}) == len(calls)
                counts = json.loads(gateway.counters.snapshot())["counts"]
                assert [each for each in counts if each[0] == "events_total"] == []
                compared = {label: n for name, label, n in counts if name == "agreement_checks_total"}
                assert sum(compared.values()) > 0
                limits = SharedLimits(tmp_path / "state" / "limits.bin", (paying,), 1)
                found = limits.spend(paying, time())
                limits.close()
                assert found.reserved_usd == pytest.approx(0.0, abs=1e-9)
                assert found.spent_usd == pytest.approx(sum(each.get("cost_usd") or 0.0 for each in calls), abs=1e-7)

    run(test())
