"""The SDKs that teams use, pointed at the gateway: sync, async, streams, tools, pictures, retries, timeouts, errors."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from breakeven.gateway.telemetry.merged import merged
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.running import RunningGateway, run, running_gateway
from gateway.parts.scripted_upstream import ScriptedUpstream, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, THREE_TRIES, models_at, settings_for, upstream_at

HELLO: list[Any] = [{"role": "user", "content": "hello there"}]
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ANTHROPIC_TOOL: dict[str, Any] = {"name": "weather", "input_schema": {"type": "object"}}
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()
Body = Callable[[ScriptedUpstream, RunningGateway], Awaitable[None]]
NODE_MODULES = Path(os.environ.get("BREAKEVEN_NODE_MODULES", Path(__file__).parents[3] / ".venv" / "node_modules"))


def with_gateway(folder: Path, body: Body, **more: Any) -> None:
    """Two upstreams: `main` speaks OpenAI's dialect, `anthropic` Anthropic's (its models begin with claude)."""

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main, other = upstream_at(upstream.port), upstream_at(upstream.port, "anthropic", "anthropic")
            names = ("good", "tools:1", "tools:3", "echo", "flaky_status:503", "status:400")
            names += ("status:500", "stall_before", "close_mid_answer", "slow:5")
            models = models_at(main, *names) | models_at(other, "claude", "claude-tools")
            models["claude-tools"] = (models_at(other, "tools:2")["tools:2"][0],)
            settings = settings_for(folder, [main, other], models, **more)
            async with running_gateway(settings) as gateway:
                await body(upstream, gateway)
                await gateway.settled()
                assert not upstream.oddities
                assert len(gateway.calls) == len(upstream.asked)

    run(test())


def openai_sync(gateway: RunningGateway, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=SECRET, **({"max_retries": 0} | more))


def openai_async(gateway: RunningGateway, **more: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=SECRET, **({"max_retries": 0} | more))


def test_openai_sync(tmp_path: Path) -> None:
    def use(gateway: RunningGateway) -> None:
        with openai_sync(gateway) as client:
            whole = client.chat.completions.create(model="good", messages=HELLO)
            said = whole.choices[0].message.content
            assert whole.usage is not None and whole.usage.completion_tokens == 12
            with client.chat.completions.stream(model="good", messages=HELLO) as stream:
                assert stream.get_final_completion().choices[0].message.content == said
            assert client.responses.create(model="good", input="hello").output_text == said
            with client.responses.stream(model="good", input="hello") as events:
                assert events.get_final_response().output_text == said
            assert client.completions.create(model="good", prompt="hello").choices[0].text == said
            assert client.embeddings.create(model="good", input=["a", "b"]).data[1].embedding == [0.25, -0.5, 1.0]
            assert "good" in {each.id for each in client.models.list()}

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        await asyncio.to_thread(use, gateway)
        assert [each["status"] for each in gateway.calls] == ["ok"] * 6

    with_gateway(tmp_path, body)


def test_openai_async_many_at_once(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai_async(gateway) as client:

            async def one(number: int) -> str | None:
                if number % 2:
                    answer = await client.chat.completions.create(model="good", messages=HELLO)
                    return answer.choices[0].message.content
                stream = await client.chat.completions.create(model="good", messages=HELLO, stream=True)
                return "".join([each.choices[0].delta.content or "" async for each in stream if each.choices])

            assert len({*await asyncio.gather(*map(one, range(60)))}) == 1
        assert len(gateway.calls) == len(upstream.asked) == 60
        assert sum(each["output_tokens"] for each in gateway.calls) == 60 * 12

    with_gateway(tmp_path, body)


def test_openai_tools_and_pictures(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai_async(gateway) as client:
            whole = await client.chat.completions.create(model="tools:3", messages=HELLO, tools=[TOOL])
            async with client.chat.completions.stream(model="tools:3", messages=HELLO, tools=[TOOL]) as stream:
                streamed = await stream.get_final_completion()
            calls = [whole.choices[0].message.tool_calls, streamed.choices[0].message.tool_calls]
            assert [[each.function.arguments for each in made or ()] for made in calls] == [
                [json.dumps({"city": f"Zürich {n}", "days": n + 1}, ensure_ascii=False) for n in range(3)]
            ] * 2
            url = f"data:image/png;base64,{PICTURE}"
            parts: list[Any] = [
                {"type": "text", "text": "what is it?"},
                {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
            ]
            said = await client.chat.completions.create(
                model="echo",
                messages=[{"role": "user", "content": parts}],
                logprobs=True,
                response_format={"type": "json_object"},
                extra_body={"house_field": {"deep": [1, None, "Straße"]}},
            )
            seen = json.loads(said.choices[0].message.content or "")
            assert seen["pictures"] == 1 and seen["roles"] == ["user"]
            assert {"house_field", "logprobs", "response_format"} <= set(seen["keys"])
            assert upstream.asked[-1].document["house_field"] == {"deep": [1, None, "Straße"]}
            assert upstream.asked[-1].document["messages"][0]["content"] == parts

    with_gateway(tmp_path, body)


def test_anthropic_native(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=SECRET, max_retries=0) as client:
            whole = await client.messages.create(model="claude", messages=HELLO, max_tokens=50)
            async with client.messages.stream(model="claude", messages=HELLO, max_tokens=50) as stream:
                streamed = await stream.get_final_message()
            assert streamed.content[0].text == whole.content[0].text  # type: ignore[union-attr]
            assert streamed.usage.output_tokens == whole.usage.output_tokens == 12
            assert streamed.usage.input_tokens == whole.usage.input_tokens
            counted = await client.messages.count_tokens(model="claude", messages=HELLO)
            assert counted.input_tokens == upstream.asked[-1].input_tokens
            asked_for: Any = {"model": "claude-tools", "messages": HELLO, "max_tokens": 9, "tools": [ANTHROPIC_TOOL]}
            async with client.messages.stream(**asked_for) as stream:
                made = await stream.get_final_message()
            assert [each.input for each in made.content if each.type == "tool_use"] == [
                {"city": "Zürich 0", "days": 1},
                {"city": "Zürich 1", "days": 2},
            ]

    with_gateway(tmp_path, body)


def test_anthropic_client_of_an_openai_model(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=SECRET, max_retries=0) as client:
            for model, tools in (("good", []), ("tools:3", [ANTHROPIC_TOOL])):
                asked_for: Any = {
                    "model": model,
                    "messages": HELLO,
                    "max_tokens": 50,
                    "tools": tools,
                    "system": "Be brief.",
                }
                whole = await client.messages.create(**asked_for)
                async with client.messages.stream(**asked_for) as stream:
                    streamed = await stream.get_final_message()
                assert [each.type for each in streamed.content] == [each.type for each in whole.content]
                assert streamed.stop_reason == whole.stop_reason == ("tool_use" if tools else "end_turn")
                assert streamed.usage.output_tokens == whole.usage.output_tokens
                if tools:
                    assert [each.input["days"] for each in streamed.content if each.type == "tool_use"] == [1, 2, 3]
        assert [each.document["messages"][0]["role"] for each in upstream.asked] == ["system"] * 4

    with_gateway(tmp_path, body)


def test_openai_client_of_an_anthropic_model(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai_async(gateway) as client:
            whole = await client.chat.completions.create(model="claude", messages=HELLO)
            options: Any = {"include_usage": True}
            stream = await client.chat.completions.create(
                model="claude", messages=HELLO, stream=True, stream_options=options
            )
            chunks = [each async for each in stream]
            said = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
            assert said == whole.choices[0].message.content
            assert chunks[-1].usage == whole.usage and whole.usage is not None
            assert whole.usage.prompt_tokens == upstream.asked[0].input_tokens
            async with client.chat.completions.stream(model="claude-tools", messages=HELLO, tools=[TOOL]) as events:
                made = (await events.get_final_completion()).choices[0]
            assert made.finish_reason == "tool_calls"
            assert [json.loads(each.function.arguments)["days"] for each in made.message.tool_calls or ()] == [1, 2]

    with_gateway(tmp_path, body)


def test_retries_of_the_gateway_spare_the_client_its_own(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai_async(gateway) as client:
            for model in ("flaky_status:503", "flaky_status:503"):
                raw = await client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
                assert raw.headers["x-breakeven-attempts"] == "2", model
        assert [each["status"] for each in gateway.calls].count("ok") == 2
        assert [each["status"] for each in gateway.calls].count("error") == 2

    with_gateway(tmp_path, body, retries=THREE_TRIES)


def test_retries_of_the_sdk_are_requests_of_their_own(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai_async(gateway, max_retries=2) as client:
            await client.chat.completions.create(model="flaky_status:503", messages=HELLO)
        assert [each["status"] for each in gateway.calls] == ["error", "ok"]
        assert all(not each.get("retry_of") for each in gateway.calls)

    with_gateway(tmp_path, body)


def test_errors_are_the_sdks_own_classes(tmp_path: Path) -> None:
    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        async with openai_async(gateway) as client:
            with pytest.raises(openai.BadRequestError):
                await client.chat.completions.create(model="status:400", messages=HELLO)
            with pytest.raises(openai.InternalServerError):
                await client.chat.completions.create(model="status:500", messages=HELLO)
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(model="nobody", messages=HELLO)
            with pytest.raises(openai.AuthenticationError):
                await client.with_options(api_key="wrong").chat.completions.create(model="good", messages=HELLO)
            with pytest.raises(openai.APITimeoutError):
                await client.with_options(timeout=0.15).chat.completions.create(model="stall_before", messages=HELLO)
            stream = await client.chat.completions.create(model="close_mid_answer", messages=HELLO, stream=True)
            with pytest.raises(openai.APIError):
                [each async for each in stream]
        async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key="wrong", max_retries=0) as client:
            with pytest.raises(anthropic.AuthenticationError):
                await client.messages.create(model="good", messages=HELLO, max_tokens=5)
            client.api_key = SECRET
            with pytest.raises(anthropic.NotFoundError):
                await client.messages.create(model="nobody", messages=HELLO, max_tokens=5)
            with pytest.raises(anthropic.APIError):
                async with client.messages.stream(model="close_mid_answer", messages=HELLO, max_tokens=5) as stream:
                    await stream.get_final_message()
        await gateway.settled()
        assert [each["status"] for each in gateway.calls].count("cancelled") == 1
        said = json.loads(gateway.counters.snapshot())
        ended = merged({"relay-0": said}, said["written_unix_s"]).numbers["requests_total"]
        assert ended[("chat", "rejected")] == 1  # the upstream's 400, and no failure of anybody
        assert ended[("chat", "cancelled")] == 1

    with_gateway(tmp_path, body)


NODE_SCRIPT = """
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.argv[2] + "/v1", apiKey: process.argv[3], maxRetries: 0 });
const messages = [{ role: "user", content: "hello there" }];
const whole = await client.chat.completions.create({ model: "good", messages });
let said = "";
const stream = await client.chat.completions.create({ model: "good", messages, stream: true });
for await (const chunk of stream) said += chunk.choices[0]?.delta?.content ?? "";
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
const runner = client.chat.completions.stream({ model: "tools:3", messages, tools });
const calls = (await runner.finalChatCompletion()).choices[0].message.tool_calls.length;
let refused = 0;
try { await client.chat.completions.create({ model: "nobody", messages }); } catch (error) { refused = error.status; }
const leaves = await client.chat.completions.create({ model: "slow:5", messages, stream: true });
for await (const chunk of leaves) { leaves.controller.abort(); break; }
console.log(JSON.stringify({ same: said === whole.choices[0].message.content, calls, refused }));
"""


def test_npm_openai(tmp_path: Path) -> None:
    if shutil.which("node") is None or not (NODE_MODULES / "openai").is_dir():
        pytest.skip(f"no npm client: wanted node, and {NODE_MODULES.name}/openai beside the virtual environment")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "client.mjs").write_text(NODE_SCRIPT, encoding="utf-8")

    async def body(upstream: ScriptedUpstream, gateway: RunningGateway) -> None:
        command = ["node", str(tmp_path / "client.mjs"), gateway.url, SECRET]
        ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60, text=True)
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout) == {"same": True, "calls": 3, "refused": 404}
        await gateway.settled()
        assert [each["status"] for each in gateway.calls] == ["ok", "ok", "ok", "cancelled"]

    with_gateway(tmp_path, body)
