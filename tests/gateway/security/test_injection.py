"""What clients and upstreams write into names, headers and addresses stays a value: no second header, no other host."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import chat, raw_client, request
from gateway.parts.running import run, running_gateway
from gateway.parts.scripted_upstream import closed_port, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, UPSTREAM_SECRET, key, models_at, settings_for, upstream_at

KEY = {"Authorization": f"Bearer {SECRET}"}
EVIL = "good\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"


def test_headers_of_the_client_that_go_no_further(tmp_path: Path) -> None:
    """The client's key, cookies, forwarded addresses and hop-by-hop headers are not the upstream's business."""
    sent = {
        "Cookie": "session=canary-cookie",
        "X-Api-Key": SECRET,
        "Proxy-Authorization": "Basic canary-proxy",
        "X-Forwarded-For": "6.6.6.6",
        "X-Forwarded-Host": "evil",
        "X-Original-URL": "/admin",
        "X-HTTP-Method-Override": "DELETE",
        "Host": "evil.example",
        "Connection": "keep-alive, X-Secret-Hop",
        "X-Secret-Hop": "1",
        "Upgrade": "h2c",
        "TE": "trailers",
        "Accept-Encoding": "gzip, br",
        "OpenAI-Organization": "org-client",
        "X-Breakeven-Task": "a task",
    }

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, "good"))) as gateway:
                answer = await gateway.ask(chat("good"), headers=sent)
                assert answer.status == 200
                (asked,) = upstream.asked
                assert asked.header("authorization") == f"Bearer {UPSTREAM_SECRET}"
                assert asked.header("host") == f"127.0.0.1:{upstream.port}"
                assert asked.header("accept-encoding") in {None, "identity"}
                for name in ("cookie", "x-api-key", "proxy-authorization", "upgrade", "te", "x-secret-hop"):
                    assert asked.header(name) is None, name
                for name in ("x-forwarded-host", "x-original-url", "x-http-method-override", "openai-organization"):
                    assert asked.header(name) is None, name
                flat = str(asked.headers) + str(asked.body)
                assert SECRET not in flat and "canary" not in flat.replace(UPSTREAM_SECRET, "")
                assert UPSTREAM_SECRET not in str(answer.headers) + answer.body.decode()

    run(test())


def test_an_upstream_is_never_chosen_by_the_client(tmp_path: Path) -> None:
    """Whatever names another server: only those of the configuration are ever connected to."""
    tries: list[tuple[str, dict[str, Any], dict[str, str]]] = [
        ("/v1/chat/completions", chat("good", base_url="http://TRAP", api_base="http://TRAP"), {}),
        ("/v1/chat/completions", chat("good"), {"X-Upstream": "http://TRAP", "X-Forwarded-Host": "TRAP"}),
        ("/v1/chat/completions", chat("good"), {"Host": "TRAP"}),
        ("/v1/chat/completions", chat("http://TRAP/v1"), {}),
        ("/v1/chat/completions", chat("good@TRAP"), {}),
        ("/v1/chat/completions", chat("../../TRAP"), {}),
        ("/v1/chat/completions", chat("good"), {"X-Breakeven-Model": "http://TRAP"}),
        ("/v1/chat/completions?base_url=http://TRAP", chat("good"), {}),
        ("/v1/chat/completions#@TRAP", chat("good"), {}),
        ("//TRAP/v1/chat/completions", chat("good"), {}),
        ("/v1/chat/completions/../../..//TRAP", chat("good"), {}),
        ("/v1/chat/completions;@TRAP", chat("good"), {}),
    ]

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream, scripted_upstream(Repertoire()) as trap:
            main = upstream_at(upstream.port)
            keys = (key(may_override=True),)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, "good"), keys=keys)) as gateway:
                place = f"127.0.0.1:{trap.port}"
                for path, document, headers in tries:
                    document = {name: str(value).replace("TRAP", place) if isinstance(value, str) else value
                                for name, value in document.items()}  # fmt: skip
                    headers = {name: value.replace("TRAP", place) for name, value in headers.items()}
                    answer = await gateway.ask(document, path.replace("TRAP", place), headers)
                    assert answer.status in {200, 400, 403, 404}, path
                assert trap.connections_count == 0
                assert {each.path for each in upstream.asked} == {"/v1/chat/completions"}, "no query of the client's"

    run(test())


def test_values_with_line_ends_make_no_headers(tmp_path: Path) -> None:
    """From the configuration and the upstream, as from the client."""

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            models = models_at(main, "good")
            models[EVIL] = (replace(models["good"][0], name=EVIL),)
            settings = settings_for(tmp_path, [main], models, default_model="good")
            async with running_gateway(settings) as gateway:
                for name in ("X-Breakeven-Task", "X-Breakeven-Model", "X-Session-Id", "traceparent", "X-Request-Id"):
                    for value in ("a\tb", "café £".encode("latin-1").decode("latin-1"), "x" * 3_000, "'; DROP TABLE--"):
                        answer = await gateway.ask(chat("good"), headers={name: value})
                        assert answer.status in {200, 400, 403, 404, 431}, (name, value)
                        assert answer.header("x-evil") is None
                answer = await gateway.ask(chat(EVIL))
                assert answer.header("x-evil") is None and answer.status in {200, 400}
                for asked in upstream.asked:
                    assert asked.header("x-evil") is None
                assert not upstream.oddities

    run(test())


def test_keys_in_every_wrong_way(tmp_path: Path) -> None:
    wrong: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": SECRET},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": f"Bearer {SECRET} "[:-2]},
        {"Authorization": f"Bearer {SECRET}x"},
        {"Authorization": f"Bearer {SECRET.upper()}"},
        {"Authorization": f"Bearer {SECRET}, Bearer other"},
        {"X-Api-Key": "other"},
        {"Authorization": f"Bearer {SECRET}", "X-Api-Key": "other"},
        {"Authorization": "Bearer other", "X-Api-Key": SECRET},
        {"Authorization": "Bearer " + "k" * 20_000},
        {"Authorization": "Bearer \xff\xfe"},
        {"Cookie": f"key={SECRET}"},
    ]
    right = [
        {"Authorization": f"Bearer {SECRET}"},
        {"authorization": f"bearer {SECRET}"},
        {"X-Api-Key": SECRET},
        {"Authorization": f"Bearer {SECRET}", "X-Api-Key": SECRET},
    ]

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, "good"))) as gateway:

                async def status(headers: dict[str, str], path: str = "/v1/chat/completions") -> int:
                    async with raw_client(gateway.url) as client:
                        await client.send(request(path, chat("good"), headers))
                        answer = await client.answer()
                        assert SECRET.encode() not in answer.body
                        return answer.status

                assert [await status(each) for each in wrong] == [401] * len(wrong)
                assert not upstream.asked and not gateway.calls
                assert [await status(each) for each in right] == [200] * len(right)
                doubled = request("/v1/chat/completions", chat("good"), KEY).replace(
                    b"Authorization", b"Authorization: Bearer other\r\nAuthorization", 1
                )
                async with raw_client(gateway.url) as client:
                    await client.send(doubled)
                    assert (await client.answer()).status in {400, 401}
                async with raw_client(gateway.url) as client:
                    await client.send(request("/v1/models", headers={"Authorization": "Bearer no"}, method="GET"))
                    assert (await client.answer()).status == 401

    run(test())


def test_the_clock_jumps(tmp_path: Path) -> None:
    """A day forwards, a year back: answers, Calls and limits go on; no duration is negative."""
    clock = {"now": 1_795_000_000.0}

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            keys = (key(budget_usd=1000.0, requests_per_minute=10_000.0, tokens_per_minute=1e9),)
            settings = settings_for(tmp_path, [main], models_at(main, "good"), keys=keys)
            async with running_gateway(settings, now=lambda: clock["now"]) as gateway:
                for jump_s in (0.0, 86_400.0, -400 * 86_400.0, 3_600.0, -1.0, 40 * 86_400.0):
                    clock["now"] += jump_s
                    both = await asyncio.gather(*(gateway.ask(chat("good", stream=bool(n % 2))) for n in range(6)))
                    assert [each.status for each in both] == [200] * 6, both[0].body
                assert len(gateway.calls) == len(upstream.asked) == 36
                assert all(each["duration_s"] >= 0 for each in gateway.calls)
                assert len({each["record_id"] for each in gateway.calls}) == 36

    run(test())


def test_an_upstream_that_is_gone_says_nothing_of_itself(tmp_path: Path) -> None:
    async def test() -> None:
        main = upstream_at(closed_port(), "secret-internal-name")
        async with running_gateway(settings_for(tmp_path, [main], models_at(main, "good"))) as gateway:
            answer = await gateway.ask(chat("good"))
            assert answer.status == 502
            said = answer.body.decode() + str(answer.headers)
            assert str(main.port) not in said and "127.0.0.1" not in said and UPSTREAM_SECRET not in said

    run(test())
