"""Cascades for clients that stream: checked whole, then a stream that the vendors' own SDKs read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import anthropic
import openai

from breakeven.routing.policy_document import CascadePlan, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save
from gateway.parts.answers import words
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.running import RunningGateway, run, running_gateway
from gateway.parts.scripted_upstream import ScriptedUpstream, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, models_at, settings_for, upstream_at

HELLO: list[Any] = [{"role": "user", "content": "hello there"}]
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
FEW, MANY = "".join(words(2)).strip(), "".join(words(12)).strip()


def with_cascade(folder: Path, check: dict[str, Any], body: Any, big: str = "good:12") -> None:
    """Small says two words; where the check takes no such answer, big is asked."""
    plan = CascadePlan(("small", "big"), checks_by_task={"": check})
    models = (PricedModel("small"), PricedModel("big"))
    policy = save(PolicyDocument("cascade", models, "big", cascade=plan), folder / "policy")

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            at = models_at(main, "good:2", big)
            served = {"small": (replace(at["good:2"][0], name="small"),), "big": (replace(at[big][0], name="big"),)}
            settings = settings_for(folder / "state", [main], served, cascade_streams="buffered")
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
