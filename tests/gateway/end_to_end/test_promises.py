"""Promises that hold only when all rooms hold them together: budgets, residency, hedges, shadows, breakers."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from breakeven.gateway.config.reading import record_only
from breakeven.gateway.config.settings import Breaker, Condition, ResidencyRule, Retries, Shadow
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import chat
from gateway.parts.running import run, running_gateway, until
from gateway.parts.scripted_upstream import scripted_upstream
from gateway.parts.settings_for_tests import (
    SHORT,
    THREE_TRIES,
    key,
    models_at,
    settings_for,
    upstream_at,
)


def test_two_hundred_at_once_never_overspend(tmp_path: Path) -> None:
    """Each answer costs the same; the budget pays for about forty of them, whatever the order of their ends."""

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            models = models_at(main, "good", "slow:1")
            probe = settings_for(tmp_path / "probe", [main], models)
            async with running_gateway(probe) as gateway:
                await gateway.ask(chat("good", max_tokens=12))
                one_usd = gateway.calls[0]["cost_usd"]
            budget_usd = 40 * one_usd
            keys = (key(budget_usd=budget_usd),)
            upstream.asked.clear()
            async with running_gateway(settings_for(tmp_path / "real", [main], models, keys=keys)) as gateway:
                asking = (gateway.ask(chat("good", max_tokens=12, stream=n % 2 == 0)) for n in range(200))
                statuses = Counter(each.status for each in await asyncio.gather(*asking))
                assert set(statuses) <= {200, 402, 429} and statuses[200] > 0
                spent_usd = sum(each["cost_usd"] for each in gateway.calls)
                assert spent_usd <= budget_usd * (1 + 1e-9)
                assert len(gateway.calls) == len(upstream.asked) == statuses[200]
                while (await gateway.ask(chat("good", max_tokens=12))).status == 200:
                    pass  # what was reserved too much came back
                spent_usd = sum(each["cost_usd"] for each in gateway.calls)
                assert budget_usd * 0.8 < spent_usd <= budget_usd * (1 + 1e-9)

    run(test())


def test_a_pinned_request_goes_nowhere_else_whatever_fails(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as inside, scripted_upstream(Repertoire()) as outside:
            home, away = upstream_at(inside.port, "home"), upstream_at(outside.port, "away")
            faults = ("status:500", "status:429", "reset_mid_answer", "stall_before", "invalid_json")
            models = models_at(home, *faults) | models_at(away, "good")
            for name in faults:
                models[name] += models_at(away, name)[name]
            pinned = ResidencyRule(Condition(header=(b"x-data-class", "restricted")), ("home",), "restricted")
            by_words = ResidencyRule(Condition(pattern="IBAN"), ("home",), "bank")
            settings = settings_for(
                tmp_path,
                [home, away],
                models,
                residency=(pinned, by_words),
                fallbacks=dict.fromkeys(faults, ("good",)),
                retries=replace(THREE_TRIES, hedge_after_s=0.05),
                shadows=(Shadow("good", 1.0),),
            )
            async with running_gateway(settings) as gateway:
                header = {"X-Data-Class": "restricted"}
                answers = [await gateway.ask(chat(name), headers=header) for name in faults]
                answers += [await gateway.ask(chat(name, "my IBAN is CH93")) for name in faults]
                answers += [await gateway.ask(chat("good"), headers=header)]
                await gateway.settled()
                assert outside.connections_count == 0
                assert not [each for each in answers if each.status == 200]
                assert answers[-1].status == 403 and answers[-1].code == "residency"
                free = await gateway.ask(chat("status:500"))
                assert free.status == 200 and outside.connections_count > 0, "others do go there"

    run(test())


def test_a_hedge_answers_and_both_are_recorded(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main, other = upstream_at(upstream.port), upstream_at(upstream.port, "b")
            models = models_at(main, "stall_before") | models_at(other, "good")
            retries = Retries(attempts_max_count=2, budget_fraction=1.0, hedge_after_s=0.1)
            timeouts = replace(SHORT, first_byte_s=10.0)
            settings = settings_for(
                tmp_path,
                [main, other],
                models,
                retries=retries,
                timeouts=timeouts,
                fallbacks={"stall_before": ("good",)},
            )
            async with running_gateway(settings) as gateway:
                answer = await gateway.ask(chat("stall_before"))
                assert answer.status == 200 and answer.header("x-breakeven-model") == "good"
                await until(lambda: upstream.asked[0].left_monotonic_s is not None)
                await gateway.settled()
                assert {each["model_key"]: each["status"] for each in gateway.calls} == {
                    "stall_before": "cancelled",
                    "good": "ok",
                }
                assert len(gateway.calls) == len(upstream.asked) == 2

    run(test())


def test_a_shadow_is_recorded_and_never_felt(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            for shadow in ("good:30", "stall_before", "reset_mid_answer", "huge:5"):
                upstream.asked.clear()
                settings = settings_for(
                    tmp_path / shadow[:4],
                    [main],
                    models_at(main, "good", shadow),
                    shadows=(Shadow(shadow, 1.0, 4),),
                    timeouts=replace(SHORT, first_byte_s=1.0),
                )
                async with running_gateway(settings) as gateway:
                    answers = await asyncio.gather(*(gateway.ask(chat("good", stream=bool(n % 2))) for n in range(4)))
                    assert [each.status for each in answers] == [200] * 4
                    assert all(each.header("x-breakeven-model") == "good" for each in answers)
                    await gateway.settled()
                    mine, theirs = gateway.calls_of("good"), gateway.calls_of(shadow)
                    assert len(mine) == 4 and [each["arm"] for each in theirs] == ["shadow"] * len(theirs)
                    assert len(theirs) == len(upstream.asked_for(shadow)) > 0
                    names = {each["record_id"] for each in mine}
                    assert {each["parent_id"] for each in theirs} <= names

    run(test())


def test_a_breaker_opens_and_lets_one_probe_through(tmp_path: Path) -> None:
    async def test() -> None:
        script: dict[str, Any] = {}
        repertoire = Repertoire(script)
        async with scripted_upstream(repertoire) as upstream:
            main = upstream_at(upstream.port)
            breaker = Breaker(failures_count=5, window_count=100, failing_fraction=1.0, open_s=0.3)
            settings = settings_for(tmp_path, [main], models_at(main, "status:500", "good"), breaker=breaker)
            async with running_gateway(settings) as gateway:
                statuses = [(await gateway.ask(chat("status:500"))).status for _ in range(12)]
                assert statuses == [502] * 5 + [503] * 7
                assert len(upstream.asked) == len(gateway.calls) == 5
                refused = await gateway.ask(chat("good"))
                assert refused.status == 503 and refused.code == "no_upstream" and refused.header("retry-after")
                await asyncio.sleep(0.4)
                assert (await gateway.ask(chat("good"))).status == 200, "the probe"
                assert (await gateway.ask(chat("good"))).status == 200

    run(test())


def test_record_only_passes_the_clients_own_key_on_and_keeps_none(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            settings = record_only(upstream.url, state=tmp_path)
            async with running_gateway(replace(settings, listen_port=0)) as gateway:
                own = "sk-own-canary-1234567890abcdef"
                whole = await gateway.ask(chat("good"), headers={"Authorization": f"Bearer {own}"})
                stream = await gateway.ask(chat("any-model:7", stream=True), headers={"Authorization": f"Bearer {own}"})
                assert whole.status == stream.status == 200 and b"[DONE]" in stream.body
                assert {each.header("authorization") for each in upstream.asked} == {f"Bearer {own}"}
                assert [each["output_tokens"] for each in gateway.calls] == [12, 7]
                assert own.encode() not in b"".join(gateway.sink.lines)
                refused = await gateway.ask(chat("status:401"), headers={"Authorization": f"Bearer {own}"})
                assert refused.status == 401 and own.encode() not in refused.body

    run(test())
