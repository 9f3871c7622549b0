"""A real llama.cpp server behind the gateway: every API it speaks, with its own counts as the oracle."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import anthropic
import openai

from breakeven.gateway.config.settings import Timeouts
from gateway.parts.llama import generated_tokens
from gateway.parts.running import run, running_gateway
from gateway.parts.settings_for_tests import SECRET, models_at, settings_for, upstream_at

HELLO: list[Any] = [{"role": "user", "content": "hello there"}]
SCHEMA: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {
            "type": "object",
            "properties": {"colour": {"enum": ["red", "blue"]}, "sure": {"type": "boolean"}},
            "required": ["colour", "sure"],
            "additionalProperties": False,
        },
    },
}


def test_every_api_of_a_real_server(llama_url: str, tmp_path: Path) -> None:
    port = int(llama_url.rsplit(":", 1)[1])

    async def test() -> None:
        main, other = upstream_at(port), upstream_at(port, "b", "anthropic")
        models = models_at(main, "tiny") | models_at(other, "tiny-messages")
        timeouts = Timeouts()
        before = await asyncio.to_thread(generated_tokens, llama_url)
        async with running_gateway(settings_for(tmp_path, [main, other], models, timeouts=timeouts)) as gateway:
            async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=SECRET, max_retries=0) as client:
                unsaid_count = await with_openai(client)
            async with anthropic.AsyncAnthropic(base_url=gateway.url, api_key=SECRET, max_retries=0) as claude:
                await with_anthropic(claude)
            await gateway.settled()
            made = await asyncio.to_thread(generated_tokens, llama_url) - before
            assert [each["status"] for each in gateway.calls] == ["ok"] * len(gateway.calls)
            assert sum(each["output_tokens"] for each in gateway.calls) == made - unsaid_count
            assert not [each for each in gateway.calls if each.get("usage_estimated")]

    run(test())


async def with_openai(client: openai.AsyncOpenAI) -> int:
    """Chat, streamed and not, a schema, a response, a completion, embeddings, several answers, logprobs.

    Gives the tokens of the second of two answers: this server's usage says those of one only.
    """
    options: Any = {"model": "tiny", "messages": HELLO, "max_tokens": 16, "temperature": 0, "seed": 1}
    whole = await client.chat.completions.create(**options)
    streamed = await client.chat.completions.create(**options, stream=True)
    said = "".join([each.choices[0].delta.content or "" async for each in streamed if each.choices])
    assert said == whole.choices[0].message.content
    shaped = await client.chat.completions.create(model="tiny", messages=HELLO, response_format=SCHEMA, max_tokens=60)
    assert json.loads(shaped.choices[0].message.content or "")["colour"] in {"red", "blue"}
    response = await client.responses.create(model="tiny", input="hello", max_output_tokens=16)
    assert response.usage is not None and response.usage.output_tokens <= 16
    await client.completions.create(model="tiny", prompt="hello", max_tokens=5)
    vectors = await client.embeddings.create(model="tiny", input=["hello there", "you"])
    assert len(vectors.data) == 2 and len(vectors.data[0].embedding) > 100
    several = await client.chat.completions.create(model="tiny", messages=HELLO, max_tokens=6, n=2, logprobs=True)
    assert len(several.choices) == 2 and several.choices[0].logprobs is not None
    assert several.usage is not None
    return (
        sum(len(each.logprobs.content or ()) for each in several.choices if each.logprobs)
        - several.usage.completion_tokens
    )


async def with_anthropic(client: anthropic.AsyncAnthropic) -> None:
    """The server's own messages API, and the same question translated to its chat API."""
    for model in ("tiny-messages", "tiny"):
        options: Any = {"model": model, "messages": HELLO, "max_tokens": 12, "extra_body": {"temperature": 0}}
        whole = await client.messages.create(**options)
        async with client.messages.stream(**options) as stream:
            streamed = await stream.get_final_message()
        assert [each.text for each in streamed.content if each.type == "text"] == [
            each.text for each in whole.content if each.type == "text"
        ]
        assert streamed.usage.output_tokens == whole.usage.output_tokens
    assert (await client.messages.count_tokens(model="tiny-messages", messages=HELLO)).input_tokens > 0
