"""What an upstream is sent."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.wire.outgoing import Untranslatable, asks_for_usage, extra_headers, outgoing_body, outgoing_path
from breakeven.gateway.wire.quirks import QUIRKS
from breakeven.gateway.wire.request_facts import read_request
from gateway.wire.samples import CHAT, MESSAGES, RESPONSES, facts, target


def read(path: bytes, body: bytes) -> RequestFacts:
    found = read_request(path, body)
    assert isinstance(found, RequestFacts)
    return found


def sent(asked: RequestFacts, quirks: str = "openai") -> dict[str, Any]:
    found = orjson.loads(outgoing_body(asked, target(quirks=quirks)))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("path", "at_openai"),
    [
        (CHAT, b"/v1/chat/completions"),
        (b"/completions", b"/v1/completions"),
        (b"/v1/embeddings", b"/v1/embeddings"),
        (RESPONSES, b"/v1/responses"),
        (MESSAGES, b"/v1/chat/completions"),
    ],
)
def test_paths_at_an_openai_upstream(path: bytes, at_openai: bytes) -> None:
    assert outgoing_path(facts(path), target()) == at_openai


def test_paths_at_anthropic() -> None:
    there = target("anthropic")
    assert outgoing_path(facts(MESSAGES), there) == b"/v1/messages"
    assert outgoing_path(facts(CHAT), there) == b"/v1/messages"
    assert outgoing_path(facts(b"/v1/messages/count_tokens"), there) == b"/v1/messages/count_tokens"


@pytest.mark.parametrize("path", [b"/v1/completions", b"/v1/embeddings", RESPONSES])
def test_what_anthropic_has_not_is_refused(path: bytes) -> None:
    for make in (outgoing_path, outgoing_body):
        with pytest.raises(Untranslatable) as caught:
            make(facts(path), target("anthropic"))
        assert caught.value.refusal.http_status == 400
        assert "small" in caught.value.refusal.message


def test_counting_tokens_at_an_openai_upstream_is_refused() -> None:
    with pytest.raises(Untranslatable):
        outgoing_body(facts(b"/v1/messages/count_tokens"), target())


def test_responses_at_a_vendor_without_them_is_refused() -> None:
    with pytest.raises(Untranslatable, match="/v1/chat/completions"):
        outgoing_body(facts(RESPONSES), target(quirks="deepseek"))


def test_only_the_model_changes() -> None:
    body = b'{ "model" : "small",\n "messages": [], "seed": 12345678901234567890123, "x": {"deep": [1.0e2]} }'
    assert outgoing_body(read(CHAT, body), target()) == body.replace(b'"small"', b'"vendor/model-1"')


def test_the_same_model_is_the_same_object() -> None:
    asked = facts()
    assert outgoing_body(asked, target(model="small")) is asked.body


def test_messages_to_anthropic_are_not_touched() -> None:
    asked = facts(MESSAGES, stream=True, system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}])
    assert outgoing_body(asked, target("anthropic", "anthropic", "small")) is asked.body


def test_thinking_of_another_vendors_model_does_not_go_to_anthropic() -> None:
    signed = {"type": "thinking", "thinking": "", "signature": "sig"}
    unsigned = {"type": "thinking", "thinking": "Hm", "signature": ""}
    text = {"type": "text", "text": "a"}
    user = {"role": "user", "content": "Hi"}
    there = target("anthropic", "anthropic")

    def said(*blocks: dict[str, str]) -> dict[str, Any]:
        return {"role": "assistant", "content": list(blocks)}

    asked = facts(MESSAGES, messages=[user, said(unsigned, text), user, said(signed, text), user, said(unsigned), user])
    body = orjson.loads(outgoing_body(asked, there))
    assert body["messages"] == [user, said(text), user, said(signed, text), user, user]
    alone = facts(MESSAGES, model="vendor/model-1", messages=[user, said(signed, text), user])
    assert outgoing_body(alone, there) is alone.body


def test_usage_is_asked_for_a_client_that_did_not() -> None:
    asked = facts(stream=True)
    assert asks_for_usage(asked, target())
    assert sent(asked)["stream_options"] == {"include_usage": True}
    assert sent(asked) == {
        **asked.document,
        "model": "vendor/model-1",
        "stream_options": {"include_usage": True},
    }


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_obfuscation": False}])
def test_other_options_of_streams_stay(options: dict[str, Any] | None) -> None:
    body = sent(facts(stream=True, stream_options=options))
    assert body["stream_options"] == {**(options or {}), "include_usage": True}


def test_usage_is_not_asked_where_it_comes_anyway_or_was_asked() -> None:
    assert "stream_options" not in sent(facts(stream=True), "openrouter")
    asked = facts(stream=True, stream_options={"include_usage": True})
    assert not asks_for_usage(asked, target())
    assert outgoing_body(asked, target(model="small")) is asked.body
    assert "stream_options" not in sent(facts())
    assert "stream_options" not in sent(facts(RESPONSES, stream=True))


def test_fields_that_a_vendor_refuses_are_left_out() -> None:
    asked = facts(logprobs=True, top_logprobs=3, logit_bias={"1": 2}, temperature=0)
    asked.document["messages"][0]["name"] = "ann"
    body = sent(facts(logprobs=True, logit_bias={}, messages=[{"role": "user", "content": "a", "name": "ann"}]), "groq")
    assert body == {"model": "vendor/model-1", "messages": [{"role": "user", "content": "a"}]}
    assert sent(facts(seed=7, user="u"), "mistral").items() >= {"random_seed": 7}.items()
    assert "seed" not in sent(facts(seed=7), "mistral")
    assert sent(facts(seed=7))["seed"] == 7


def test_duplicate_models_cannot_smuggle_another() -> None:
    asked = read(CHAT, b'{"model": "dear", "model": "small", "messages": []}')
    assert asked.model == "small"
    assert outgoing_body(asked, target()) == b'{"model":"vendor/model-1","model":"vendor/model-1","messages":[]}'


def test_a_body_too_deep_to_be_changed_is_refused_not_crashed() -> None:
    deep = b"[" * 900 + b"]" * 900
    asked = read(CHAT, b'{"model":"small","messages":[],"x":' + deep + b"}")
    assert deep in outgoing_body(asked, target())
    twice = read(CHAT, b'{"model":"a","model":"small","stream":true,"stream_options":{"x":' + deep + b"}}")
    with pytest.raises(Untranslatable):
        outgoing_body(twice, target())
    with pytest.raises(Untranslatable):
        outgoing_body(
            read(
                CHAT,
                b'{"model":"small","messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":'
                b'{"x":' + deep + b"}}}]}",
            ),
            target("anthropic"),
        )


def test_anthropic_gets_its_version_from_us_where_the_client_has_none() -> None:
    assert extra_headers(facts(CHAT), target("anthropic")) == ((b"anthropic-version", b"2023-06-01"),)
    assert extra_headers(facts(MESSAGES), target("anthropic")) == ()
    assert extra_headers(facts(CHAT), target()) == ()


@given(
    st.sampled_from(sorted(QUIRKS)),
    st.dictionaries(
        st.sampled_from(["stream", "stream_options", "user", "seed", "logprobs", "logit_bias", "store", "tools"]),
        st.none() | st.booleans() | st.integers(-5, 5) | st.dictionaries(st.text(max_size=3), st.integers(0, 9)),
    ),
)
def test_every_vendor_gets_a_body_with_its_model(quirks: str, more: dict[str, Any]) -> None:
    asked = facts(**more)
    body = sent(asked, quirks)
    assert body["model"] == "vendor/model-1"
    assert body["messages"] == asked.document["messages"]
    kept = {name: value for name, value in more.items() if name in body and name != "stream_options"}
    assert all(body[name] == value for name, value in kept.items())
    assert set(more) - set(body) <= QUIRKS[quirks].dropped | set(QUIRKS[quirks].renamed)
