"""Cascades for clients that stream: checked whole, then a stream that the vendors' own SDKs read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import anthropic
import openai
import pytest

from breakeven.routing.policy_document import CascadePlan, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save
from gateway.parts.answers import compact, plain, words
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway
from gateway.parts.scripted_upstream import Asked, Script, ScriptedUpstream, Step, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, SHORT, THREE_TRIES, models_at, settings_for, upstream_at

HELLO: list[Any] = [{"role": "user", "content": "hello there"}]
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
FEW, MANY = "".join(words(2)).strip(), "".join(words(12)).strip()


def with_cascade(
    folder: Path, check: dict[str, Any], body: Any, big: str = "good:12", script: Script | None = None, **more: Any
) -> None:
    """Small says two words; where the check takes no such answer, big is asked. `script`: what they say instead."""
    plan = CascadePlan(("small", "big"), checks_by_task={"": check})
    models = (PricedModel("small"), PricedModel("big"))
    policy = save(PolicyDocument("cascade", models, "big", cascade=plan), folder / "policy")

    async def test() -> None:
        async with scripted_upstream(script or Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            at = models_at(main, "good:2", big)
            served = {"small": (replace(at["good:2"][0], name="small"),), "big": (replace(at[big][0], name="big"),)}
            settings = settings_for(folder / "state", [main], served, cascade_streams="buffered", **more)
            async with running_gateway(settings, policy) as gateway:
                await body(upstream, gateway)
                await gateway.settled()
                assert not upstream.oddities
                assert len(gateway.calls) == len(upstream.asked)

    run(test())


def asked_whole(upstream: ScriptedUpstream) -> list[str]:
    """The models that were asked; none of them for a stream."""
    assert not any("stream" in each.document or "stream_options" in each.document for each in upstream.asked)
    return [each.document["model"] for each in upstream.asked]


def test_a_good_answer_of_the_first_model_is_a_stream_of_the_first_model(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=SECRET, max_retries=0) as client:
            stream = await client.chat.completions.create(model="auto", messages=HELLO, stream=True)
            assert stream.response.headers["content-type"] == "text/event-stream"
            assert stream.response.headers["x-breakeven-model"] == "small"
            chunks = [each async for each in stream]
            assert "".join(each.choices[0].delta.content or "" for each in chunks).strip() == FEW
            assert [each.choices[0].finish_reason for each in chunks] == [None, "stop"]
            assert all(each.usage is None for each in chunks), "nobody asked for it"
        assert asked_whole(upstream) == ["good:2"]

    with_cascade(tmp_path, {"non_empty": True}, body)


def test_an_answer_that_fails_its_check_never_begins_and_usage_is_told_where_asked(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=SECRET, max_retries=0) as client:
            stream = await client.chat.completions.create(
                model="auto", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
            *chunks, last = [each async for each in stream]
            assert "".join(each.choices[0].delta.content or "" for each in chunks).strip() == MANY
            assert not last.choices and last.usage is not None and last.usage.completion_tokens == 12
        assert asked_whole(upstream) == ["good:2", "good:12"]
        await gateway.settled()
        assert [each["model_key"] for each in gateway.calls] == ["small", "big"], "both are paid for"

    with_cascade(tmp_path, {"regex": f"{words(12)[-1].strip()}$"}, body)


def test_anthropics_sdk_reads_it_too(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=SECRET, max_retries=0) as client:
            async with client.messages.stream(model="auto", messages=HELLO, max_tokens=50) as stream:
                told = [each async for each in stream.text_stream]
                final = await stream.get_final_message()
            assert "".join(told).strip() == MANY
            assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 12)
        assert asked_whole(upstream) == ["good:2", "good:12"]

    with_cascade(tmp_path, {"regex": f"{words(12)[-1].strip()}$"}, body)


def test_tool_calls_come_through(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=SECRET, max_retries=0) as client:
            asked: Any = {"model": "auto", "messages": HELLO, "tools": [TOOL]}
            async with client.chat.completions.stream(**asked) as stream:
                async for _ in stream:
                    pass
                calls = (await stream.get_final_completion()).choices[0].message.tool_calls
            assert calls is not None and [each.function.name for each in calls] == ["weather"] * 3
        async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=SECRET, max_retries=0) as other:
            tool: Any = {"name": "weather", "input_schema": {"type": "object"}}
            async with other.messages.stream(model="auto", messages=HELLO, max_tokens=50, tools=[tool]) as events:
                final = await events.get_final_message()
            used = [each for each in final.content if each.type == "tool_use"]
            assert [each.name for each in used] == ["weather"] * 3 and all(each.input for each in used)
        assert asked_whole(upstream) == ["good:2", "tools:3"] * 2

    with_cascade(tmp_path, {"regex": f"{words(12)[-1].strip()}$"}, body, "tools:3")


ASKED: dict[str, Any] = {"model": "auto", "messages": HELLO, "stream": True}
GOOD = compact(
    {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x fine"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
    }
)
BAD = GOOD.replace(b"fine", b"poor")
FINE: dict[str, Any] = {"regex": "fine$"}


def deep(body: bytes) -> bytes:
    """An answer that can be read, and not written again."""
    return body.replace(b'{"id"', b'{"x":' + b'{"a":' * 400 + b"1" + b"}" * 400 + b',"id"', 1)


def odd(body: bytes) -> bytes:
    """An answer with a byte that is of no letter."""
    return body.replace(b"x ", b"x \xff ")


def saying(small: bytes, big: bytes) -> Script:
    """What the two models answer to whatever they are asked; what is to stall stalls."""

    def script(asked: Asked) -> Iterable[Step]:
        if b"stall" in asked.body:
            return ["hold"]
        return [plain(small if asked.model == "good:2" else big)]

    return script


@pytest.mark.parametrize(
    ("small", "big", "status", "said", "ended"),
    [
        (odd(GOOD), GOOD, 200, "x \ufffd fine", ["ok"]),
        (odd(BAD), odd(GOOD), 200, "x \ufffd fine", ["ok", "ok"]),
        (odd(BAD), odd(BAD), 200, "x \ufffd poor", ["ok", "ok"]),
        (deep(GOOD), GOOD, 502, "upstream_error", ["error"]),
        (deep(BAD), GOOD, 200, "x fine", ["ok", "ok"]),
        (BAD, deep(GOOD), 200, "x poor", ["ok", "error"]),
        (deep(BAD), deep(BAD), 502, "upstream_error", ["ok", "ok"]),
    ],
    ids=["odd", "odd-odd", "odd-poor", "deep", "deep-good", "poor-deep", "deep-deep"],
)
def test_what_no_stream_can_say_is_an_answer_that_was_not_understood(
    tmp_path: Path, small: bytes, big: bytes, status: int, said: str, ended: list[str]
) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        answer = await asyncio.wait_for(gateway.ask(ASKED), 5.0)
        assert answer.status == status and answer.is_whole
        if status == 200:
            chunks = [json.loads(each) for each in answer.events if each != b"[DONE]"]
            assert chunks[0]["choices"][0]["delta"]["content"] == said and answer.events[-1] == b"[DONE]"
        else:
            assert answer.code == said
        await gateway.settled()
        assert [each["status"] for each in gateway.calls] == ended
        assert all(each["output_tokens"] == 7 for each in gateway.calls), "what was said is paid for"

    with_cascade(tmp_path, FINE, body, script=saying(small, big))


@pytest.mark.parametrize("spoilt", [odd, deep])
def test_an_odd_answer_that_is_kept_holds_up_no_other_request(tmp_path: Path, spoilt: Any) -> None:
    """Big stalls, so that what small said is given out when the time is up; others' times go on meanwhile."""

    async def body(_: ScriptedUpstream, gateway: RunningGateway) -> None:
        begun_s = monotonic()
        first = asyncio.create_task(gateway.ask(ASKED))
        await asyncio.sleep(0.8)
        second = await gateway.ask({"model": "small", "messages": [{"role": "user", "content": "stall"}]})
        assert second.status == 504
        answer = await asyncio.wait_for(first, 5.0)
        assert answer.status == (200 if spoilt is odd else 504) and answer.is_whole
        assert monotonic() - begun_s < 4.0

    def script(asked: Asked) -> Iterable[Step]:
        return [plain(spoilt(BAD))] if asked.model == "good:2" and b"stall" not in asked.body else ["hold"]

    with_cascade(tmp_path, FINE, body, script=script, timeouts=replace(SHORT, first_byte_s=0.7, total_s=0.6))


def test_a_request_that_cannot_be_asked_whole_is_refused(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        written = json.dumps(ASKED)
        nested = '{"a":' * 1_010 + "1" + "}" * 1_010
        headers = {"Authorization": f"Bearer {SECRET}"}
        for stream, status in ((True, 400), (False, 200)):
            deep_body = (written.replace("true", json.dumps(stream))[:-1] + f', "x": {nested}}}').encode()
            async with raw_client(gateway.url) as client:
                await client.send(request("/v1/chat/completions", headers=headers, body=deep_body))
                answer = await client.answer()
            assert answer.status == status, answer.body
            if stream:
                assert answer.code == "invalid_json" and not upstream.asked

    with_cascade(tmp_path, FINE, body, script=lambda _: [plain(GOOD)])


@pytest.mark.parametrize("is_stream", [True, False])
def test_an_answer_that_is_too_large_to_be_checked_has_not_passed(tmp_path: Path, is_stream: bool) -> None:
    """And never goes out unchecked, as long as somebody else can be asked."""

    async def body(_: ScriptedUpstream, gateway: RunningGateway) -> None:
        answer = await gateway.ask(ASKED | {"stream": is_stream})
        assert answer.status == 200 and b"x fine" in answer.body and len(answer.body) < 1_000
        assert (answer.header("x-breakeven-reason") or "").startswith("escalation, after")
        await gateway.settled()
        assert [each.get("error_type") for each in gateway.calls] == ["too_large", None]
        large_one = await gateway.ask(ASKED | {"stream": is_stream, "user": "large"})
        assert large_one.status == (502 if is_stream else 200), "the last model's answer is taken as it comes"

    large = GOOD.replace(b"x fine", b"x" * 1_200_000 + b" fine")

    def script(asked: Asked) -> Iterable[Step]:
        return [plain(large if asked.model == "good:2" or "user" in asked.document else GOOD)]

    with_cascade(tmp_path, FINE, body, script=script)


def test_an_answer_that_is_too_large_to_be_checked_is_called_so(tmp_path: Path) -> None:
    async def body(_: ScriptedUpstream, gateway: RunningGateway) -> None:
        answer = await gateway.ask(ASKED)
        assert (answer.status, answer.code) == (502, "upstream_error")
        message = answer.document["error"]["message"]
        assert "larger" in message and "translated" not in message

    large = GOOD.replace(b"x fine", b"x" * 1_200_000 + b" fine")
    with_cascade(tmp_path, FINE, body, script=lambda _: [plain(large)])


@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize("has_fallback", [True, False])
def test_only_a_fallback_answers_for_a_first_model_that_is_out_of_order(
    tmp_path: Path, is_stream: bool, has_fallback: bool
) -> None:
    async def body(_: ScriptedUpstream, gateway: RunningGateway) -> None:
        answer = await gateway.ask(ASKED | {"stream": is_stream})
        assert answer.status == (200 if has_fallback else 502) and answer.is_whole
        await gateway.settled()
        asked = {each["model_key"] for each in gateway.calls}
        assert asked == ({"small", "big"} if has_fallback else {"small"})

    more: dict[str, Any] = {"fallbacks": {"small": ("big",)}} if has_fallback else {}
    script = saying(b"no JSON", GOOD)
    with_cascade(tmp_path, FINE, body, script=script, retries=THREE_TRIES, **more)


@pytest.mark.parametrize("is_stream", [True, False])
@pytest.mark.parametrize(
    ("big", "status", "said"),
    [(GOOD, 200, b"x fine"), (BAD, 200, b"x poor"), (400, 400, b"big cannot"), (500, 502, b"")],
)
def test_what_the_first_model_cannot_take_the_next_one_may(
    tmp_path: Path, is_stream: bool, big: bytes | int, status: int, said: bytes
) -> None:
    """A prompt that is too long for a small model, say: nobody's answer is lost for it, and a wrong request is told."""

    def script(asked: Asked) -> Iterable[Step]:
        if asked.model == "good:2":
            return [plain({"error": {"message": "small cannot"}}, "400 Bad Request")]
        return [plain(big) if isinstance(big, bytes) else plain({"error": {"message": "big cannot"}}, f"{big} No")]

    async def body(_: ScriptedUpstream, gateway: RunningGateway) -> None:
        answer = await gateway.ask(ASKED | {"stream": is_stream})
        assert answer.status == status and said in answer.body
        await gateway.settled()
        small, other = gateway.calls
        assert (small["model_key"], small["error_type"], small["output_tokens"]) == ("small", "http_400", 0)
        assert other["record_id"] == answer.header("x-breakeven-request-id") and other["retry_of"] == small["record_id"]
        if status == 200:
            assert (answer.header("x-breakeven-reason") or "").startswith("escalation, after")

    with_cascade(tmp_path, FINE, body, script=script)
