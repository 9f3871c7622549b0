"""A streamed answer's tokens and cost equal the buffered answer's, and both equal what the upstream bills."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.parts.fault_scripts import Repertoire, all_endings
from gateway.parts.raw_client import chat
from gateway.parts.running import run, running_gateway
from gateway.parts.scripted_upstream import scripted_upstream
from gateway.parts.settings_for_tests import PRICE, models_at, settings_for, upstream_at

COUNTED = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens", "cost_usd", "usage_estimated")
PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": chat("good"),
    "/v1/completions": {"model": "good", "prompt": "sixteen letters."},
    "/v1/responses": {"model": "good", "input": "sixteen letters."},
    "/v1/messages": chat("claude", max_tokens=100),
}


@pytest.mark.parametrize("model", all_endings())
@pytest.mark.parametrize("asks", [False, True], ids=["usage_unasked", "usage_asked"])
def test_chat_streams_of_every_ending(model: str, asks: bool, tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, model))) as gateway:
                more: dict[str, Any] = {"stream_options": {"include_usage": True}} if asks else {}
                whole = await gateway.ask(chat(model))
                streamed = await gateway.ask(chat(model, stream=True, **more))
                assert whole.status == streamed.status == 200 and streamed.is_whole
                assert b"[DONE]" in streamed.body
                buffered, stream = gateway.calls
                assert [stream.get(name) for name in COUNTED] == [buffered.get(name) for name in COUNTED]
                _is_billed(stream, upstream.asked[1].input_tokens, upstream.asked[1].output_tokens)

    run(test())


@pytest.mark.parametrize("path", PATHS)
def test_streams_of_every_api(path: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main, other = upstream_at(upstream.port), upstream_at(upstream.port, "b", "anthropic")
            models = models_at(main, "good") | models_at(other, "claude")
            async with running_gateway(settings_for(tmp_path, [main, other], models)) as gateway:
                whole = await gateway.ask(PATHS[path], path)
                streamed = await gateway.ask(PATHS[path] | {"stream": True}, path)
                assert whole.status == streamed.status == 200 and streamed.is_whole, whole.body
                buffered, stream = gateway.calls
                assert [stream.get(name) for name in COUNTED] == [buffered.get(name) for name in COUNTED]
                assert [each.output_tokens for each in upstream.asked] == [12, 12]
                _is_billed(stream, upstream.asked[1].input_tokens, 12)

    run(test())


def test_unreported_usage_is_estimated_alike(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, "unreported"))) as gateway:
                await gateway.ask(chat("unreported"))
                await gateway.ask(chat("unreported", stream=True))
                buffered, stream = gateway.calls
                assert [stream.get(name) for name in COUNTED] == [buffered.get(name) for name in COUNTED]
                assert buffered["usage_estimated"] and buffered["input_tokens"] > 0 and buffered["cost_usd"] > 0
                assert 9 <= buffered["output_tokens"] <= 30  # nine words

    run(test())


def _is_billed(call: dict[str, Any], input_tokens: int, output_tokens: int) -> None:
    assert (call["input_tokens"], call["output_tokens"]) == (input_tokens, output_tokens)
    assert not call.get("usage_estimated")
    read, written = call.get("cache_read_tokens") or 0, call.get("cache_write_tokens") or 0
    fresh = input_tokens - read - written
    prices = (PRICE.input_usd_per_mtok, PRICE.cache_read_usd_per_mtok, PRICE.cache_write_usd_per_mtok)
    usd = sum(count * (price or 0) for count, price in zip((fresh, read, written), prices, strict=True))
    usd += output_tokens * (PRICE.output_usd_per_mtok or 0)
    assert call["cost_usd"] == pytest.approx(usd / 1e6, rel=1e-9)


def test_usage_is_asked_upstream_and_hidden_from_who_did_not_ask(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, "good"))) as gateway:
                unasked = await gateway.ask(chat("good", stream=True))
                asked = await gateway.ask(chat("good", stream=True, stream_options={"include_usage": True}))
                assert b'"usage"' not in unasked.body
                assert unasked.events[-1] == asked.events[-1] == b"[DONE]"
                assert b'"usage":{"prompt_tokens"' in asked.body
                assert all(each.document["stream_options"]["include_usage"] for each in upstream.asked)
                assert [each["output_tokens"] for each in gateway.calls] == [12, 12]

    run(test())
