"""Budgets at admission: many requests at once never overspend, whatever their limits live in."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.plan import Key, Plan, Refusal, Reservation
from gateway.admission.admission_parts import BIG, Kept, attempt, body, head, key, plan, room, settings

LIMITED = key(budget_usd=0.5)
SAID = body("Where?", max_tokens=1_000)
USD_AT_MOST = 0.008 + 2e-5


def _ended(of: Any, decided: list[Any]) -> tuple[int, float]:
    """How many were let in, and what all of them cost."""
    plans = [each for each in decided if isinstance(each, Plan)]
    cost_usd = 0.0
    for each in plans:
        answered = attempt(BIG, tokens=(10, 1_000))
        of.engine.finish(each, [answered], True)
        assert answered.cost_usd is not None
        cost_usd += answered.cost_usd
    return len(plans), cost_usd


def test_two_hundred_at_once_never_overspend(tmp_path: Path) -> None:
    limits = SharedLimits(tmp_path / "limits.bin", (LIMITED,), 0, is_shared=False)
    of = room(settings(keys=(LIMITED,)), limits=limits)
    decided = [of.engine.admit(head(), SAID) for _ in range(200)]
    refused = [each for each in decided if isinstance(each, Refusal)]
    count, cost_usd = _ended(of, decided)
    assert {each.code for each in refused} == {"budget_exceeded"}
    assert 0.5 / USD_AT_MOST - 1 <= count <= 0.5 / 0.008
    assert cost_usd <= 0.5
    again = [of.engine.admit(head(), SAID) for _ in range(200)]
    more, more_usd = _ended(of, again)
    assert cost_usd + more_usd <= 0.5
    assert more <= (0.5 - cost_usd) / 0.008


class _Remote(Kept):
    """Limits on another machine."""

    def reserve(self, key: Key, usd: float, tokens_count: int, now_unix_s: float) -> Any:
        """Answers later."""

        async def later() -> Reservation | Refusal:
            await asyncio.sleep(0)
            return Kept.reserve(self, key, usd, tokens_count, now_unix_s)

        return later()


@pytest.mark.parametrize(
    ("path", "said", "output_count"),
    [
        ("/v1/completions", {"prompt": ["a"] * 10, "max_tokens": 50}, 500),
        ("/v1/completions", {"prompt": [[1, 2], [3]], "max_tokens": 50, "n": 3}, 300),
        ("/v1/completions", {"prompt": [1, 2, 3], "max_tokens": 50}, 50),
        ("/v1/completions", {"prompt": ["a"] * 3}, 3 * 4_096),
        ("/v1/chat/completions", {"messages": [], "max_completion_tokens": 1, "max_tokens": 9_000}, 9_000),
        ("/v1/chat/completions", {"messages": [], "max_completion_tokens": 9_000, "max_tokens": 1, "n": 2}, 18_000),
        ("/v1/chat/completions", {"messages": []}, 4_096),
        ("/v1/responses", {"input": "a", "max_output_tokens": 7}, 7),
        ("/v1/embeddings", {"input": ["a"] * 5}, 0),
    ],
)
def test_as_much_is_set_aside_as_a_request_may_generate(path: str, said: dict[str, Any], output_count: int) -> None:
    of = room(settings(keys=(key(budget_usd=100.0),)))
    got = plan(of, head(path), json.dumps({"model": "big", **said}).encode())
    assert got.reservation is not None
    assert 8e-6 * output_count <= got.reservation.usd <= 8e-6 * output_count + 2e-4


def test_nor_where_limits_answer_later() -> None:
    remote = _Remote()
    of = room(settings(keys=(LIMITED,), fallbacks={"big": ("opus",)}), limits=remote)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(of.engine.admit(head(), SAID) for _ in range(200)))  # type: ignore[arg-type]

    decided = asyncio.run(all_at_once())
    assert of.kept.refused_codes == ["budget_exceeded"] * sum(isinstance(each, Refusal) for each in decided)
    count, cost_usd = _ended(of, decided)
    assert 60 <= count <= 62
    assert cost_usd <= 0.5
    assert remote.left_usd["team"] >= 0


def test_limits_that_are_gone_let_nothing_through() -> None:
    class Gone(Kept):
        """Limits that cannot be reached."""

        def reserve(self, *_: Any) -> Any:
            """Fails later."""

            async def later() -> Reservation:
                raise ConnectionError

            return later()

    of = room(settings(keys=(LIMITED,)), limits=Gone())

    async def one() -> Any:
        return await of.engine.admit(head(), SAID)  # type: ignore[misc]

    got = asyncio.run(one())
    assert isinstance(got, Refusal)
    assert (got.http_status, got.code) == (503, "limits_unavailable")
    assert of.engine.open_requests() == 0


def test_a_fallback_asks_again_where_limits_answer_later() -> None:
    remote = _Remote()
    of = room(settings(keys=(LIMITED,), fallbacks={"small": ("opus",)}), limits=remote)

    async def one(output_count: int) -> Any:
        got = await of.engine.admit(head(), body(model="small", max_tokens=output_count))  # type: ignore[misc]
        assert isinstance(got, Plan)
        found = await of.engine.next_target(  # type: ignore[misc]
            got, attempt(got.targets[0], 1, "status", 503, None)
        )
        of.engine.finish(got, [], False)
        return found

    assert asyncio.run(one(1_000))[0].name == "opus"
    assert asyncio.run(one(900_000)) is None
    assert abs(remote.left_usd["team"] - 0.5) < 1e-12


def test_what_is_set_aside_for_a_client_that_left_is_given_back() -> None:
    remote = _Remote()
    of = room(settings(keys=(LIMITED,), fallbacks={"small": ("opus",)}), limits=remote)

    async def one() -> Any:
        got = await of.engine.admit(head(), body(model="small", max_tokens=1_000))  # type: ignore[misc]
        assert isinstance(got, Plan)
        finding = of.engine.next_target(got, attempt(got.targets[0], 1, "status", 503, None))
        of.engine.finish(got, [], False)
        return await finding  # type: ignore[misc]

    assert asyncio.run(one()) is None
    assert abs(remote.left_usd["team"] - 0.5) < 1e-12


def test_threads_of_several_engines_over_one_file_never_overspend(tmp_path: Path) -> None:
    rooms = [
        room(settings(keys=(LIMITED,)), limits=SharedLimits(tmp_path / "limits.bin", (LIMITED,), at)) for at in range(3)
    ]
    decided: list[list[Any]] = [[], [], []]

    def ask(at: int) -> None:
        decided[at] = [rooms[at].engine.admit(head(), SAID) for _ in range(70)]

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    count, cost_usd = map(sum, zip(*(_ended(of, got) for of, got in zip(rooms, decided, strict=True)), strict=True))
    assert count <= 62
    assert cost_usd <= 0.5


def test_a_key_without_limits_asks_nobody() -> None:
    of = room()
    assert plan(of).reservation is None
    assert of.kept.reserved == []
