"""The parts of the gateway's tests, tried on each other without a gateway: what fails here is no fault of ours."""

from __future__ import annotations

import asyncio
import json

import anthropic
import openai
import pytest

from gateway.parts.fault_scripts import FAULTS, Repertoire, all_endings
from gateway.parts.llama import generated_tokens
from gateway.parts.raw_client import ask, chat
from gateway.parts.scripted_upstream import scripted_upstream, upstream_thread

HELLO = [{"role": "user", "content": "hello there"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def test_openai_sdk_reads_the_scripted_upstream() -> None:
    with upstream_thread(Repertoire()) as upstream, openai.OpenAI(base_url=upstream.url, api_key="k") as client:
        whole = client.chat.completions.create(model="good", messages=HELLO)
        assert whole.usage is not None and whole.usage.completion_tokens == 12
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(model="good", messages=HELLO, stream=True, stream_options=options))
        assert chunks[-1].usage == whole.usage
        said = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
        assert said == whole.choices[0].message.content
        assert client.responses.create(model="good", input="hello").output_text == said
        assert client.embeddings.create(model="good", input=["a", "b"]).data[1].embedding == [0.25, -0.5, 1.0]
        assert client.completions.create(model="good", prompt="hello").choices[0].text == said
        assert not upstream.oddities


def test_openai_sdk_puts_parallel_tool_calls_together() -> None:
    with upstream_thread(Repertoire()) as upstream, openai.OpenAI(base_url=upstream.url, api_key="k") as client:
        ask_for = {"model": "tools:3", "messages": HELLO, "tools": [TOOL]}
        whole = client.chat.completions.create(**ask_for).choices[0].message.tool_calls
        with client.chat.completions.stream(**ask_for) as stream:
            streamed = stream.get_final_completion().choices[0].message.tool_calls
        assert whole is not None and streamed is not None
        assert [each.function.arguments for each in streamed] == [each.function.arguments for each in whole]
        assert len(whole) == 3


def test_anthropic_sdk_reads_the_scripted_upstream() -> None:
    with (
        upstream_thread(Repertoire()) as upstream,
        anthropic.Anthropic(base_url=upstream.url.removesuffix("/v1"), api_key="k") as client,
    ):
        whole = client.messages.create(model="good", messages=HELLO, max_tokens=50)
        with client.messages.stream(model="good", messages=HELLO, max_tokens=50) as stream:
            streamed = stream.get_final_message()
        assert streamed.content[0].text == whole.content[0].text
        assert streamed.usage.output_tokens == whole.usage.output_tokens == 12
        tool = {"name": "weather", "input_schema": {"type": "object"}}
        with client.messages.stream(model="tools:2", messages=HELLO, max_tokens=50, tools=[tool]) as stream:
            inputs = [each.input for each in stream.get_final_message().content if each.type == "tool_use"]
        assert inputs == [{"city": "Zürich 0", "days": 1}, {"city": "Zürich 1", "days": 2}]


@pytest.mark.parametrize("model", all_endings())
def test_streams_end_as_they_say(model: str) -> None:
    async def run() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            url = upstream.url.removesuffix("/v1")
            whole = await ask(url, chat(model))
            streamed = await ask(url, chat(model, stream=True))
            assert b"[DONE]" in streamed.body and streamed.is_whole and whole.is_whole
            first, second = upstream.asked
            assert (first.input_tokens, first.output_tokens) == (second.input_tokens, second.output_tokens)

    asyncio.run(run())


def test_faults_are_faults_and_are_all_played() -> None:
    quiet = {"stall_before", "stall_in_head", "stall_mid_answer", "endless_head", "huge", "huge_event", "switching"}

    async def run() -> set[str]:
        broken = set()
        async with scripted_upstream(Repertoire()) as upstream:
            for name in FAULTS.keys() - quiet:
                try:
                    answer = await ask(upstream.url.removesuffix("/v1"), chat(name))
                    json.loads(answer.body)
                    if not answer.is_whole or answer.status != 200 or "choices" not in answer.body.decode():
                        broken.add(name)
                except (OSError, EOFError, ValueError, AssertionError, asyncio.LimitOverrunError):
                    broken.add(name)
        return broken

    fine = FAULTS.keys() - quiet - asyncio.run(run())
    assert fine == {
        *("drip", "interim", "plain_for_stream", "until_close", "old_http", "keeps_not", "early_answer"),
        *("length_too_short", "many_headers", "length_and_chunks"),  # what they do wrong lies beside a good answer
    }


def test_llama_server_speaks_every_api(llama_url: str) -> None:
    with openai.OpenAI(base_url=f"{llama_url}/v1", api_key="k") as client:
        before = generated_tokens(llama_url)
        whole = client.chat.completions.create(model="m", messages=HELLO, max_tokens=8, extra_body={"ignore_eos": True})
        assert whole.usage is not None and whole.usage.completion_tokens == 8
        assert generated_tokens(llama_url) - before == 8
        assert len(client.embeddings.create(model="m", input=["a b", "c"]).data) == 2
        assert client.responses.create(model="m", input="hello", max_output_tokens=16).usage is not None
    with anthropic.Anthropic(base_url=llama_url, api_key="k") as client:
        assert client.messages.create(model="m", messages=HELLO, max_tokens=8).usage.output_tokens <= 8
