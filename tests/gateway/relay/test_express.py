"""The express lane against the ordinary way: the same clients, faults, limits and reloads through both, alike."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from tests.routing.policies_at_hand import PROMPTS, document

from breakeven.gateway.config.settings import GatewaySettings, Retries, Timeouts, WireLimits
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.plan import Key
from breakeven.gateway.relay import express
from breakeven.gateway.relay.express import RECORD_AT_COUNT, Express
from breakeven.gateway.upstream import Target, TokenPrice
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import LoadedPolicy, save
from gateway.parts.answers import chat_answer, compact, plain
from gateway.parts.fault_scripts import FAULTS, Repertoire, all_endings
from gateway.parts.raw_client import RawAnswer, RawClient, chat, raw_client
from gateway.parts.raw_client import request as request_of
from gateway.parts.running import RunningGateway, run, running_gateway, until
from gateway.parts.scripted_upstream import Asked, Script, ScriptedUpstream, Step, scripted_upstream
from gateway.parts.settings_for_tests import (
    PRICE,
    SECRET,
    THREE_TRIES,
    key,
    models_at,
    settings_for,
    upstream_at,
)

OWN = re.compile(rb"req_[0-9a-f]{24}|[0-9a-f]{32}")
"""Ids that are drawn anew."""
TIMED = {"record_id", "start_time", "duration_s", "ttft_s", "retry_of", "parent_id"}
OTHER_SECRET = "bk-poor-client-1414213562373095"


@dataclass
class Heard:
    """What came of a corpus."""

    answers: list[Any] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, list[tuple[str, str]], bytes]] = field(default_factory=list)
    cells: list[Any] = field(default_factory=list)
    refusals: dict[str, float] = field(default_factory=dict)
    spends: list[tuple[str, float]] = field(default_factory=list)
    on_lanes_count: int = 0


@dataclass(frozen=True)
class Said:
    """One request."""

    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    secret: str = SECRET

    @property
    def raw(self) -> bytes:
        """As bytes."""
        headers = {"Authorization": f"Bearer {self.secret}"} | dict(self.headers)
        return request_of("/v1/chat/completions", headers=headers, body=self.body)


def said(document: Any, secret: str = SECRET, **headers: str) -> Said:
    """A request with a document for its body."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Said(json.dumps(document).encode(), named, secret)


class Passer:
    """Sends a corpus, one request at a time, on connections that are kept as long as they last."""

    def __init__(self, gateway: RunningGateway, client: RawClient) -> None:
        self.gateway, self.client = gateway, client

    async def send(self, each: Said) -> RawAnswer:
        """One request and its answer."""
        await self.client.send(each.raw)
        return await self.client.answer()


async def passed(
    corpus: list[Said],
    settings: GatewaySettings,
    upstream: ScriptedUpstream,
    may_use_lanes: bool,
    policy: LoadedPolicy | None = None,
    changes: dict[int, Any] | None = None,
) -> Heard:
    """A corpus through a gateway; `changes`: what is done to it before the request of that number."""
    heard = Heard()
    taken = _counting(heard)
    async with running_gateway(settings, policy, may_use_lanes=may_use_lanes) as gateway:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Express, "answered", taken)
            for number, each in enumerate(corpus):
                if changes and number in changes:
                    changes[number](gateway)
                async with raw_client(gateway.url) as client:
                    for _ in range(2):
                        answer = await Passer(gateway, client).send(each)
                        heard.answers.append(_plain(answer))
                        gateway.engine.record_lanes()
                        await gateway.settled()
                        if not answer.is_whole or answer.header("connection") == "close":
                            break
        calls = gateway.calls
        assert gateway.engine.open_requests() == 0
        heard.calls = [{name: value for name, value in call.items() if name not in TIMED} for call in calls]
        assert len({call["record_id"] for call in calls}) == len(calls)
        limits = SharedLimits(settings.state_folder / "limits.bin", settings.keys, 1)
        for each_key in settings.keys:
            if each_key.is_limited:
                spend = limits.spend(each_key, time.time())
                heard.spends.append((each_key.id, spend.spent_usd))
                assert spend.reserved_usd == 0.0
        limits.close()
        heard.refusals = gateway.counters.refusals()
        for cell in orjson.loads(gateway.counters.snapshot())["cells"]:
            told = {name: value for name, value in cell.items() if not name.endswith(("_sum_s", "durations", "bytes"))}
            told["cost_usd"] = round(cell["cost_usd"], 12)
            heard.cells.append(told | {"count": (sum(cell["durations"]), sum(cell["first_bytes"]))})
    heard.asked = [
        (each.path, [pair for pair in each.headers if pair[0] != "host"], each.body) for each in upstream.asked
    ]
    return heard


def _counting(heard: Heard) -> Any:
    answered = Express.answered

    def taken(self: Express, data: bytes) -> bool:
        is_taken = answered(self, data)
        heard.on_lanes_count += is_taken
        return is_taken

    return taken


def _plain(answer: RawAnswer) -> Any:
    headers = [(name, OWN.sub(b"ID", value.encode()).decode()) for name, value in answer.headers if name != "date"]
    return answer.status, headers, OWN.sub(b"ID", answer.body), answer.is_whole


def compared(
    folder: Path,
    corpus: list[Said],
    scripts: dict[str, Script] | None = None,
    policy: LoadedPolicy | None = None,
    changes: dict[int, Any] | None = None,
    names: tuple[str, ...] = (),
    **more: Any,
) -> Heard:
    """The corpus through both ways; what came of the lane, after nothing was found to differ."""
    found: list[Heard] = []

    async def one(may_use_lanes: bool) -> None:
        async with scripted_upstream(Repertoire(scripts)) as upstream:
            main = upstream_at(upstream.port)
            models = {json.loads(each.body)["model"] for each in corpus if _has_model(each)} - {"auto"}
            targets = more.pop("targets", None)
            listed = models_at(main, *sorted(models | set(names)))
            if targets is not None:
                listed |= targets(main)
            settings = settings_for(folder / str(may_use_lanes), [main], listed, **more)
            found.append(await passed(corpus, settings, upstream, may_use_lanes, policy, changes))
            assert upstream.oddities == []
            if targets is not None:
                more["targets"] = targets

    run(one(True))
    run(one(False))
    lane, ordinary = found
    assert ordinary.on_lanes_count == 0
    for name in ("answers", "calls", "asked", "cells", "refusals", "spends"):
        for mine, other in zip(getattr(lane, name), getattr(ordinary, name), strict=True):
            assert mine == other, name
    return lane


def _has_model(each: Said) -> bool:
    try:
        model = json.loads(each.body).get("model")
    except (ValueError, AttributeError):
        return False
    return isinstance(model, str) and bool(model)


WARM = said(chat("good"))
"""Opens a connection to the upstream, so that the next request can take the lane."""


def test_bodies_of_every_shape(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    system = {"role": "system", "content": "Be brief."}
    user = {"role": "user", "content": "Straße"}
    shapes: list[dict[str, Any]] = [
        {},
        {"max_tokens": 7},
        {"max_completion_tokens": 9},
        {"max_tokens": 7, "max_completion_tokens": 9},
        {"max_tokens": 10**12},
        {"max_tokens": -1},
        {"max_tokens": 3.0},
        {"max_tokens": True},
        {"max_tokens": None},
        {"n": 3},
        {"user": "ann"},
        {"metadata": {"user_id": "ann"}},
        {"temperature": 0.5, "stop": ["x"]},
        {"stream": False},
        {"stream": None},
        {"stream": 1},
        {"stream_options": {"include_usage": True}},
        {"tools": [tool]},
        {"tools": [tool], "tool_choice": "auto", "parallel_tool_calls": False},
        {"response_format": {"type": "json_object"}},
        {"text": {"format": {"type": "text"}}},
        {"messages": [system, user]},
        {"messages": [system, system, user]},
        {"messages": [user, system]},
        {"messages": [{"role": "developer", "content": "Be long."}, user]},
        {"messages": [{"role": "system", "content": ""}, user]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        {"messages": [{"role": "user", "content": "Hi", "name": "ann"}]},
        {"messages": [{"role": ["user"], "content": "Hi"}]},
        {"messages": [{"content": "Hi", "name": "x"}]},
        {"messages": ["Hi"]},
        {"messages": []},
        {"messages": "Hi"},
        {"messages": None},
        {"MODEL": "big"},
        {"Stream": True},
        {"unknown": {"deep": [1, 2.50]}},
    ]
    corpus = [WARM, *[said(chat("good") | shape) for shape in shapes], *[said(chat("good") | each) for each in shapes]]
    heard = compared(tmp_path, corpus)
    assert heard.on_lanes_count > len(shapes)


def test_bodies_that_are_read_in_two_ways(tmp_path: Path) -> None:
    bodies = [
        b'{"model":"good","messages":[{"role":"user","content":"a"}]}',
        b'{"model" : "good", "messages": [{"role": "user", "content": "a"}]}',
        b'{"model":"good","model":"good","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"other","model":"good","messages":[{"role":"user","content":"a"}]}',
        b'{"m\\u006fdel":"good","messages":[{"role":"user","content":"a"}]}',
        b'{"m\\u006fdel":"other","model":"good","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"g\\u006fod","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"good","messages":[{"role":"user","content":"\\"model\\": 1"}]}',
        b'{"model":"good","messages":[{"role":"user","content":"a","content":"b"}]}',
        b'{"model":"good","messages":[{"role":"user","content":"a"}],"x":{"model":"y"}}',
        b'{"model":"good","messages":[{"role":"user","content":"a"}],"x":12345678901234567890123}',
        b'{"model":"good","messages":[{"role":"user","content":"a"}]} ',
        b'\xef\xbb\xbf{"model":"good"}',
        b'{"model":"good","messages":[{"role":"user","content":"a"}]}x',
        b'{"model":"good","messages":[{"role":"user","content":"\xff"}]}',
        b'["model"]',
        b"[]",
        b"",
        b"{}",
        b"null",
        b'{"model":["good"],"messages":[]}',
        b'{"model":"","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"nobody","messages":[{"role":"user","content":"a"}]}',
        b'{"model":"alias","messages":[{"role":"user","content":"a"}]}',
        b'{"messages":[{"role":"user","content":"a"}],"model":"alias","temperature":1.50}',
        b'{"model":"alias","messages":[{"role":"user","content":"\\u00e9 \\n"}]}',
    ]
    heard = compared(
        tmp_path,
        [WARM, *map(Said, bodies)],
        names=("other",),
        targets=lambda main: {"alias": (Target("alias", main, "good:2", PRICE),)},
    )
    assert heard.on_lanes_count >= 12


SLOW = ("stall_before", "stall_in_head", "stall_mid_answer", "huge", "huge_event", "drip")


@pytest.mark.parametrize("is_stream", [False, True])
def test_every_fault_on_a_warm_connection(is_stream: bool, tmp_path: Path) -> None:
    """The lane meets it first, an Exchange ends it; another model takes over where one may."""
    faults = [each for each in FAULTS if each not in SLOW]
    models = [*faults, *all_endings(), "unreported", "status:429", "status:500", "status:400", "status:401"]
    corpus = [WARM]
    for model in models:
        corpus += [said(chat(model) | ({"stream": True} if is_stream else {})), WARM]
    heard = compared(tmp_path, corpus, retries=THREE_TRIES, fallbacks=dict.fromkeys(faults[::2], ("good",)))
    assert heard.on_lanes_count > len(models)


def test_answers_that_never_come_are_timed_out_alike(tmp_path: Path) -> None:
    corpus = [WARM, said(chat("stall_before")), WARM, said(chat("stall_mid_answer")), WARM]
    compared(tmp_path, corpus)


def test_hedges_are_sent_for_requests_on_lanes(tmp_path: Path) -> None:
    corpus = [WARM, said(chat("stall_before")), WARM]
    hedging = Retries(attempts_max_count=2, hedge_after_s=0.1, budget_fraction=1.0)
    heard = compared(tmp_path, corpus, retries=hedging, fallbacks={"stall_before": ("good",)})
    assert [each[0] for each in heard.answers] == [200] * 6


def _answers(change: Any) -> Script:
    def script(asked: Asked) -> Iterator[Step]:
        yield change(asked)

    return script


def _of(change: Any, **more: Any) -> Script:
    def made(asked: Asked) -> bytes:
        document = chat_answer(asked, 9)
        change(document)
        return plain(document, **more)

    return _answers(made)


def test_answers_of_every_shape(tmp_path: Path) -> None:
    """Usage, models, reasons and heads as no two vendors write them."""
    usages: list[Any] = [
        {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 70},
        {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7.0},
        {"prompt_tokens": 5.0, "completion_tokens": 2, "total_tokens": 7},
        {"prompt_tokens": -5, "completion_tokens": 2, "total_tokens": -3},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": 10**9, "completion_tokens": 2, "total_tokens": 10**9 + 2},
        {"prompt_tokens": True, "completion_tokens": 2, "total_tokens": 3},
        {"prompt_tokens": 5, "completion_tokens": 2},
        {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
        {"prompt_tokens": 50, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 40}},
        {"prompt_tokens": 50, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}},
        {"prompt_tokens": 50, "completion_tokens": 9, "reasoning_tokens": 40},
        {"prompt_tokens": 50, "completion_tokens": 9, "prompt_cache_hit_tokens": 40},
        {},
        None,
        "none",
    ]
    changes: list[Any] = [lambda document, usage=usage: document.update(usage=usage) for usage in usages]
    changes += [
        lambda document: document.update(service_tier="flex"),
        lambda document: document.update(model=None),
        lambda document: document.update(model=""),
        lambda document: document["choices"][0].update(finish_reason=None),
        lambda document: document["choices"][0].update(finish_reason="length"),
        lambda document: document.update(choices=[]),
        lambda document: document.update(choices=None),
        lambda document: document.update(choices=["x"]),
        lambda document: document.update(error=None),
        lambda document: document.update(error={"message": "no"}),
        lambda document: document.update(timings={"predicted_n": 3, "prompt_n": 4}, usage=None),
        lambda document: document.update(x_groq={"usage": {"prompt_tokens": 1, "completion_tokens": 2}}, usage=None),
        lambda document: document.pop("choices"),
    ]
    scripts = {f"shape-{number}": _of(change) for number, change in enumerate(changes)}
    nothing: Any = lambda document: None  # noqa: E731
    scripts |= {
        "head-created": _of(nothing, status="201 Created"),
        "head-id": _of(nothing, headers=b"X-Request-Id: abc\r\nDate: x\r\nSet-Cookie: a=b\r\n"),
        "head-close": _of(nothing, headers=b"Connection: close\r\n"),
        "head-html": _of(nothing, headers=b"Content-Type: text/html\r\n"),
        "small": _answers(lambda asked: plain(chat_answer(asked, 9)).replace(b"Content-Length", b"content-length")),
        "wide": _answers(lambda asked: plain(chat_answer(asked, 9)).replace(b"Length: ", b"Length:  ")),
        "zeros": _answers(lambda asked: plain(chat_answer(asked, 9)).replace(b"Length: ", b"Length: 0")),
        "first": _answers(_length_first),
        "large": _answers(lambda asked: plain(chat_answer(asked, 9_000))),
        "broken-utf8": _answers(lambda asked: plain(compact(chat_answer(asked, 9)).replace(b"plain", b"pl\xffin"))),
    }
    corpus = [WARM]
    for name in scripts:
        corpus += [said(chat(name)), WARM]
    heard = compared(tmp_path, corpus, scripts)
    assert heard.on_lanes_count > 2 * len(changes)


def _length_first(asked: Asked) -> bytes:
    body = compact(chat_answer(asked, 9))
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nserver: x\r\nContent-Type: a/json\r\n\r\n%b" % (len(body), body)


def test_keys_budgets_and_rates(tmp_path: Path) -> None:
    """What a key may spend is spent to the last request alike."""
    keys: tuple[Key, ...] = (
        key(budget_usd=1.0, requests_per_minute=1e6, tokens_per_minute=1e9, application="app"),
        key(OTHER_SECRET, "poor", budget_usd=0.002, allowed_models=("good",)),
    )
    poor = [said(chat("good", max_tokens=100), OTHER_SECRET) for _ in range(8)]
    corpus = [WARM, *poor, said(chat("other"), OTHER_SECRET), said(chat("good"), "bk-nobody"), WARM]
    heard = compared(tmp_path, corpus, keys=keys, names=("other",))
    assert {each[0] for each in heard.answers} == {200, 401, 402, 403}


def test_rates_of_a_key(tmp_path: Path) -> None:
    heard = compared(tmp_path, [WARM] * 6, keys=(key(requests_per_minute=7.0),))
    assert [each[0] for each in heard.answers].count(429) == 5


def test_an_expired_key(tmp_path: Path) -> None:
    heard = compared(tmp_path, [WARM, WARM], keys=(key(expires_unix_s=4e9),))
    assert heard.on_lanes_count == 3


@pytest.mark.parametrize("price", [None, TokenPrice(1.0, None), TokenPrice(None, None, usd_per_request=0.5),
                                   TokenPrice(1.0, 2.0, usd_per_request=0.25), TokenPrice(0.0, 0.0)])  # fmt: skip
def test_prices_of_every_kind(price: TokenPrice | None, tmp_path: Path) -> None:
    heard = compared(
        tmp_path,
        [WARM, WARM],
        targets=lambda main: {"good": (Target("good", main, "good", price),)},
        keys=(key(tokens_per_minute=1e9),),
    )
    assert heard.on_lanes_count == 3


def _policy(folder: Path, name: str, model: str) -> LoadedPolicy:
    rates = {"good": 0.8, "good:3": 0.9}
    document = PolicyDocument(
        kind="task_map",
        models=(PricedModel("good", usd_per_request=0.001), PricedModel("good:3", usd_per_request=0.002)),
        default_model="good",
        groups=(GroupChoice((), "good", rates), GroupChoice(("faq",), model, rates)),
        value_usd_per_success=0.05,
    )
    return save(document, folder / name)


def test_policies_and_settings_that_change_in_between(tmp_path: Path) -> None:
    first, second = _policy(tmp_path, "first", "good:3"), _policy(tmp_path, "second", "good")
    faq = said(chat("good"), x_breakeven_task="faq")
    session = said(chat("good"), x_breakeven_task="other", x_breakeven_session="s-1", x_breakeven_template="t-1")
    chosen = said(chat("good"), x_breakeven_model="good:3")
    traced = said(chat("good"), traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    def reload(gateway: RunningGateway, **more: Any) -> None:
        settings = replace(gateway.engine._settings, **more)
        gateway.engine.reload(settings)
        gateway.relay.reload(settings)

    corpus = [WARM, faq, session, chosen, traced, faq, faq, faq, WARM, faq]
    heard = compared(
        tmp_path,
        corpus,
        policy=first,
        changes={
            5: lambda gateway: gateway.engine.swap_policy(second),
            6: lambda gateway: gateway.engine.swap_policy(None),
            7: lambda gateway: gateway.engine.swap_policy(first),
            8: lambda gateway: reload(gateway, keys=(key(OTHER_SECRET, "other"),)),
            9: lambda gateway: reload(gateway, keys=(key(is_disabled=True),)),
        },
        names=("good:3",),
    )
    assert heard.on_lanes_count >= 10
    assert [each[0] for each in heard.answers[-4:]] == [401] * 4


def _waits(asked: Asked) -> Iterator[Step]:
    yield 0.08
    yield plain(chat_answer(asked, 9))


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_who_leaves_on_a_lane_is_recorded_and_cancels_upstream(may_use_lanes: bool, tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            settings = settings_for(
                tmp_path, [main := upstream_at(upstream.port)], models_at(main, "good", "stall_before")
            )
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(said(chat("stall_before", max_tokens=5)).raw)
                    await until(lambda: len(upstream.asked) == 2)
                await until(lambda: len(gateway.calls) == 2)
                await until(lambda: upstream.asked[1].left_monotonic_s is not None)
                call = gateway.calls[1]
                assert (call["status"], call["error_type"], call["usage_estimated"]) == (
                    "cancelled",
                    "client_gone",
                    True,
                )
                assert (call["input_tokens"], call["max_tokens"]) == (7, 5)
                await gateway.settled()

    run(test())


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_a_drained_relay_answers_what_is_on_a_lane(may_use_lanes: bool, tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire({"waits": _waits})) as upstream:
            settings = settings_for(tmp_path, [main := upstream_at(upstream.port)], models_at(main, "good", "waits"))
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(said(chat("waits")).raw)
                    await until(lambda: len(upstream.asked) == 2)
                    draining = asyncio.create_task(gateway.relay.drain())
                    answer = await client.answer()
                    assert answer.status == 200 and answer.is_whole and answer.header("connection") == "close"
                await draining
                assert [each["status"] for each in gateway.calls] == ["ok", "ok"]

    run(test())


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_requests_that_do_not_wait_for_their_turn_get_it(may_use_lanes: bool, tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire({"waits": _waits})) as upstream:
            settings = settings_for(tmp_path, [main := upstream_at(upstream.port)], models_at(main, "good", "waits"))
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                async with raw_client(gateway.url) as client:
                    await client.send(said(chat("waits")).raw)
                    await until(lambda: len(upstream.asked) == 2)
                    await client.send(said(chat("good:3")).raw + said(chat("good")).raw + said(chat("waits")).raw[:40])
                    answers = [await client.answer() for _ in range(3)]
                    assert [each.status for each in answers] == [200, 404, 200]
                    await client.send(said(chat("waits")).raw[40:])
                    assert (await client.answer()).document["model"] == answers[0].document["model"]
                assert len(gateway.calls) == 4

    run(test())


def _large(asked: Asked) -> Iterator[Step]:
    yield plain(chat_answer(asked, 9) | {"padding": "x" * 60_000})


@pytest.mark.parametrize("may_use_lanes", [True, False])
def test_who_asks_and_does_not_read_is_answered_later_and_holds_little(may_use_lanes: bool, tmp_path: Path) -> None:
    asks_count = 120

    async def test() -> None:
        async with scripted_upstream(Repertoire({"large": _large})) as upstream:
            main = upstream_at(upstream.port)
            patient = Timeouts(client_idle_s=60.0)
            settings = settings_for(tmp_path, [main], models_at(main, "good", "large"), timeouts=patient)
            async with running_gateway(settings, may_use_lanes=may_use_lanes) as gateway:
                await gateway.ask(chat("good"))
                loop, plug = asyncio.get_running_loop(), socket.socket()
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                plug.setblocking(False)
                where = urlsplit(gateway.url)
                await loop.sock_connect(plug, (str(where.hostname), where.port))
                for _ in range(asks_count):
                    await loop.sock_sendall(plug, said(chat("large")).raw)
                    await asyncio.sleep(0.002)
                await asyncio.sleep(0.1)
                assert 1 < len(upstream.asked) < asks_count, "the others wait until this client reads"
                got = b""
                while got.count(b"HTTP/1.1 200 OK") < asks_count or not got.endswith(b"}"):
                    piece = await asyncio.wait_for(loop.sock_recv(plug, 1 << 20), 30)
                    assert piece, "the connection stays"
                    got += piece
                plug.close()
                await gateway.settled()
                gateway.engine.record_lanes()
                assert gateway.engine.open_requests() == 0
                calls = [call for call in gateway.calls if call["model_key"] == "large"]
                assert [call["status"] for call in calls] == ["ok"] * asks_count
                assert len({call["record_id"] for call in calls}) == asks_count == len(upstream.asked) - 1

    run(test())


def test_a_policy_that_reads_words_is_asked_for_each_request(tmp_path: Path) -> None:
    policy = save(document("threshold"), tmp_path / "threshold")
    texts = [*PROMPTS, "", "   ", "word " * 40, "?" * 2_000, "x" * 70_000]
    corpus = [said(chat("small")), said(chat("big"))]
    for text in texts:
        corpus += [said(chat("big", text)), said(chat("auto", text), x_breakeven_task="faq")]
        corpus.append(said(chat("small", text) | {"messages": [{"role": "system", "content": "Be brief."}]}))
        corpus.append(said(chat("small", text, stream=True)))
    heard = compared(tmp_path, corpus, policy=policy, names=("small", "big"))
    assert heard.on_lanes_count > 3 * len(texts)
    assert len({dict(each[1])["x-breakeven-reason"] for each in heard.answers if each[0] == 200}) > 2
    assert {call["model_key"] for call in heard.calls} == {"small", "big"}


def test_many_answers_are_recorded_before_their_time_a_few_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(express, "RECORD_AFTER_S", 60.0)

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            settings = settings_for(tmp_path, [main := upstream_at(upstream.port)], models_at(main, "good"))
            async with running_gateway(settings) as gateway:
                async with raw_client(gateway.url) as client:
                    for _ in range(2 * RECORD_AT_COUNT + 10):  # the first opens the connection: it has no lane yet
                        await client.send(WARM.raw)
                        await client.answer()
                assert len(gateway.sink.lines) == 1 + 2 * RECORD_AT_COUNT
                gateway.engine.record_lanes()
                assert len(gateway.sink.lines) == 2 * RECORD_AT_COUNT + 10

    run(test())


def test_a_key_that_expires_expires_on_its_lane(tmp_path: Path) -> None:
    async def test() -> None:
        heard, now_s = Heard(), [999.0]
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            settings = settings_for(tmp_path, [main], models_at(main, "good"), keys=(key(expires_unix_s=1_000.0),))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Express, "answered", _counting(heard))
                async with (
                    running_gateway(settings, now=lambda: now_s[0]) as gateway,
                    raw_client(gateway.url) as client,
                ):
                    for expected_status, at_s in ((200, 999.0), (200, 999.9), (401, 1_000.0)):
                        now_s[0] = at_s
                        await client.send(WARM.raw)
                        answer = await client.answer()
                        assert answer.status == expected_status
                    assert answer.code == "key_expired"
        assert heard.on_lanes_count == 1

    run(test())


def test_limits_of_size_hold_on_lanes_and_change_with_the_settings(tmp_path: Path) -> None:
    long = [said(chat("good", "x" * count)) for count in (10, 200, 260, 300, 2_000, 60_000, 64_000, 70_000)]
    small = WireLimits(body_max_bytes=330, answer_buffer_max_bytes=700)

    def reload(gateway: RunningGateway) -> None:
        settings = replace(gateway.engine._settings, wire=small)
        gateway.engine.reload(settings)
        gateway.relay.reload(settings)

    corpus = [WARM, *long, WARM, *long, said(chat("good:3")), said(chat("good:90")), WARM]
    heard = compared(tmp_path, corpus, changes={1 + len(long): reload})
    assert {each[0] for each in heard.answers} == {200, 413}
    assert heard.on_lanes_count >= 15
