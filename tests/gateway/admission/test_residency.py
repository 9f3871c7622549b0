"""Residency: a pinned request never gets a target outside, whatever fails; in doubt it is pinned."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ConfigError
from breakeven.gateway.admission.outgoing_text import PARTS_MAX_COUNT, outgoing_text
from breakeven.gateway.admission.text_pattern import SLOW_TEXT_MAX_COUNT, TextPattern
from breakeven.gateway.config.settings import Arms, Condition, ResidencyRule, Retries, Shadow
from breakeven.gateway.plan import Plan
from gateway.admission.admission_parts import (
    BIG,
    BIG_NEAR,
    CLAUDE,
    FAR,
    NEAR,
    OPUS,
    SMALL,
    Room,
    attempt,
    body,
    failed,
    head,
    key,
    plan,
    refusal,
    room,
)
from gateway.admission.admission_parts import settings as gateway_settings

SSN = r"\b\d{3}-\d{2}-\d{4}\b"
SECRET_TEXT = "my number is 078-05-1120, please"


def _room(when: Condition, *upstreams: str, **more: Any) -> Room:
    rule = ResidencyRule(when, upstreams or ("near",))
    return room(gateway_settings(residency=(rule,), fallbacks={"big": ("opus", "small"), "opus": ("big",)}, **more))


@pytest.mark.parametrize(
    ("when", "told", "said"),
    [
        (Condition(task="medical"), {"x_breakeven_task": "medical"}, body()),
        (Condition(task=""), {}, body()),
        (Condition(key_id="team"), {}, body()),
        (Condition(header=(b"x-data", "secret")), {"x_data": " secret"}, body()),
        (Condition(header=(b"x-data", "*")), {"x_data": "1"}, body()),
        (Condition(path="/v1/chat/completions"), {}, body()),
        (Condition(pattern=SSN), {}, body(SECRET_TEXT)),
        (Condition(pattern=SSN, task="medical"), {"x_breakeven_task": "medical"}, body(SECRET_TEXT)),
    ],
)
def test_a_request_that_a_rule_holds_for_goes_only_there(when: Condition, told: dict[str, str], said: bytes) -> None:
    got = plan(_room(when), head(**told), said)
    assert got.is_pinned
    assert got.targets == (BIG_NEAR, SMALL)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        (Condition(task="medical"), {}),
        (Condition(task="medical"), {"x_breakeven_task": "faq"}),
        (Condition(key_id="other"), {}),
        (Condition(header=(b"x-data", "secret")), {"x_data": "public"}),
        (Condition(path="/v1/messages"), {}),
        (Condition(pattern=SSN), {}),
        (Condition(pattern=SSN, task="medical"), {}),
        (Condition(system_hash="0" * 16), {}),
    ],
)
def test_others_go_where_they_like(when: Condition, told: dict[str, str]) -> None:
    got = plan(_room(when), head(**told))
    assert not got.is_pinned
    assert got.targets[0] is BIG


def test_another_path_of_the_same_operation_is_no_way_round() -> None:
    of = _room(Condition(path="/v1/chat/completions"))
    assert plan(of, head("/chat/completions")).is_pinned


def test_a_second_header_hides_nothing() -> None:
    told = head(x_data="public")
    told.headers.append((b"x-data", b"secret"))
    assert plan(_room(Condition(header=(b"x-data", "secret"))), told).is_pinned


def test_two_tasks_in_two_headers_are_none_and_hide_none() -> None:
    told = head(x_breakeven_task="faq")
    told.headers.append((b"x-breakeven-task", b"medical"))
    got = plan(_room(Condition(task="medical")), told)
    assert (got.task, got.is_pinned) == (None, True)


def test_rules_hold_together_and_where_nothing_is_left_the_request_is_refused() -> None:
    rules = (ResidencyRule(Condition(), ("near", "far")), ResidencyRule(Condition(task="m"), ("claude",)))
    of = room(gateway_settings(residency=rules))
    assert plan(of).targets == (BIG, BIG_NEAR)
    assert refusal(of, None, body(model="opus")).code == "residency"
    gone = refusal(of, head(x_breakeven_task="m"))
    assert (gone.http_status, gone.code) == (403, "residency")


SPOKEN = [
    {"messages": [{"role": "system", "content": SECRET_TEXT}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": SECRET_TEXT}]}]},
    {"messages": [{"role": "tool", "tool_call_id": "1", "content": SECRET_TEXT}]},
    {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": SECRET_TEXT}}]}]},
    {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "input": {"a": [SECRET_TEXT]}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [{"text": SECRET_TEXT}]}]}]},
    {"messages": [{"role": "user", "name": SECRET_TEXT, "content": ""}]},
    {"system": [{"type": "text", "text": SECRET_TEXT}]},
    {"tools": [{"function": {"name": "f", "description": SECRET_TEXT}}]},
    {"response_format": {"json_schema": {"schema": {"enum": [SECRET_TEXT]}}}},
    {"metadata": {SECRET_TEXT: 1}},
    {"user": SECRET_TEXT},
    {"stop": [SECRET_TEXT]},
    {"prediction": {"type": "content", "content": SECRET_TEXT}},
    {"instructions": SECRET_TEXT},
    {"input": [{"content": [{"type": "input_text", "text": SECRET_TEXT}]}]},
    {"arguments": json.dumps({"a": "078-05-1120"}).replace("-", "\\u002d")},
    {"arguments": json.dumps(json.dumps({"a": "078-05-1120"}).replace("-", "\\u002d"))},
]


@pytest.mark.parametrize("document", SPOKEN)
def test_words_are_found_wherever_they_stand(document: dict[str, Any]) -> None:
    said = json.dumps({"model": "big", "messages": [{"role": "user", "content": "x"}]} | document).encode()
    assert plan(_room(Condition(pattern=SSN)), None, said).targets == (BIG_NEAR, SMALL)


UNREADABLE = [
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": "AAAA"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA"}}]}]},
    {"messages": [{"role": "user", "content": "data:image/png;base64,AAAA"}]},
    {"messages": [{"role": "user", "content": "QUJD" * 60}]},
    {"previous_response_id": "resp_1"},
    {"prompt": [[1, 2, 3]]},
    {"prompt": [1, 2, 3]},
    {"attachment": {"file_id": "f1"}},
    {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://a"}}]}]},
    {"messages": [{"content": [{"type": "document", "source": {"type": "base64", "data": "MTIzNDU2"}}]}]},
    {"messages": [{"content": [{"type": "document", "source": {"data": "MTIzNDU2"}}]}]},
    {"messages": [{"role": "user", "content": ("QUJD" * 19 + "\n") * 4}]},
    {"messages": [{"role": "user", "content": "see " + "QUJD" * 60}]},
    {"messages": [{"role": "user", "content": [{"type": "audio_url", "audio_url": {"url": "https://a"}}]}]},
    {"messages": [{"role": "user", "content": [{"image_url": {"url": "https://a"}}]}]},
    {"messages": [{"role": "user", "content": [{"image_url": "https://a"}]}]},
    {"messages": [{"role": "user", "content": [{"type": "something_new", "x": "y"}]}]},
    {"prompt": {"id": "pmpt_1"}},
    {"prompt": [[123]]},
]


@pytest.mark.parametrize(
    "said",
    [
        b'{"model":"big","messages":[{"role":"user","content":"078-05-1120"}],"messages":[]}',
        b'{"model":"big","messages":[{"role":"user","content":"078-05-1120","content":"hi"}]}',
        b'{"model":"big","messages":[{"role":"user","content":"hi", "\\u0063ontent" :"ho"}]}',
        b'{"model":"big","messages":[{"content":[{"type":"image","type":"text","text":"hi"}]}]}',
        b'{"model":"big","metadata":{"ssn":123456789}}',
        b'{"model":"big","messages":[{"content":[{"type":"tool_use","input":{"ssn":[null,123456789]}}]}]}',
        b'{"model":"big","messages":[{"role":"user","content":"see {\\"a\\":\\"0\\\\u00378-05-1120\\"}"}]}',
        b'{"model":"big","messages":[{"role":"user","content":"07\\u0038-05-1120"}]}',
    ],
)
def test_what_is_sent_is_searched_and_not_what_was_understood(said: bytes) -> None:
    assert plan(_room(Condition(pattern=SSN + r"|\b\d{9}\b")), None, said).is_pinned


def test_a_name_that_stands_twice_hides_no_system_prompt() -> None:
    said = b'{"model":"big","messages":[{"role":"system","content":"S"}],"messages":[]}'
    assert plan(_room(Condition(system_hash="0" * 16)), None, said).is_pinned
    said = b'{"model":"big","messages":[{"role":"system","content":"S"}]}'
    assert not plan(_room(Condition(system_hash="0" * 16)), None, said).is_pinned


READABLE: list[dict[str, Any]] = [
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
        "url": {"type": "string"}, "image": {"type": "string"}, "data": {"type": "array"}}}}}]},
    {"messages": [{"content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}]},
    {"messages": [{"tool_calls": [{"id": "1", "type": "function", "function": {"arguments": "{}"}}]}]},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}},
    {"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]},
    {"prompt": ["one", "two"]},
    {"metadata": {"source": "crm"}, "conversation": None, "stop": ["a"], "logit_bias": {"50256": -100}},
]  # fmt: skip


@pytest.mark.parametrize("document", READABLE)
def test_plain_requests_are_not_pinned_by_a_pattern_that_they_lack(document: dict[str, Any]) -> None:
    said = json.dumps({"model": "big"} | document).encode()
    assert not plan(_room(Condition(pattern=SSN)), None, said).is_pinned


@pytest.mark.parametrize("value", ["hr", "HR", " hr ", "hr, it", "it,Hr"])
def test_a_header_is_found_in_lists_and_in_any_case(value: str) -> None:
    of = _room(Condition(header=(b"x-team", "hr")))
    assert plan(of, head(x_team=value)).is_pinned
    assert not plan(of, head(x_team="hrx")).is_pinned
    assert plan(_room(Condition(task="hr")), head(x_breakeven_task="it, hr")).is_pinned


@pytest.mark.parametrize("document", UNREADABLE)
def test_what_cannot_be_searched_counts_as_found(document: dict[str, Any]) -> None:
    said = json.dumps({"model": "big"} | document).encode()
    assert plan(_room(Condition(pattern=SSN)), None, said).is_pinned


def test_a_text_too_long_to_be_searched_counts_as_found() -> None:
    of = _room(Condition(pattern=r"secret.*plan"))
    assert not plan(of, None, body("x " * 1_000)).is_pinned
    assert plan(of, None, body("secret\tplan")).is_pinned
    assert plan(of, None, body("x " * SLOW_TEXT_MAX_COUNT)).is_pinned


@pytest.mark.parametrize(
    "document",
    [
        {"tools": [[] for _ in range(PARTS_MAX_COUNT)], "user": SECRET_TEXT},
        {"tools": {str(at): None for at in range(PARTS_MAX_COUNT)}},
        {"tools": [[0.5] * 999 for _ in range(PARTS_MAX_COUNT // 999)]},
        {"user": json.dumps(["é"] * PARTS_MAX_COUNT)},
    ],
)
def test_a_body_of_too_many_parts_counts_as_found(document: dict[str, Any]) -> None:
    said = json.dumps({"model": "big", "messages": [{"role": "user", "content": "x"}]} | document).encode()
    assert plan(_room(Condition(pattern="nowhere")), None, said).is_pinned


def test_a_rule_that_fails_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    of = _room(Condition(pattern=SSN))

    def broken(*_: Any) -> bool:
        raise RuntimeError("no")

    monkeypatch.setattr(TextPattern, "is_in", broken)
    assert refusal(of).code == "residency"


def test_a_pattern_that_cannot_be_bounded_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="looks back or ahead"):
        _room(Condition(pattern=r"(?=a)b"))


@given(st.text("ab1-\n", max_size=12), st.sampled_from([SSN, r"a{0,3}b", r"a+b|1", r"^(a|b)-", r"(?i)B1", r"[^a]$"]))
@settings(max_examples=300, deadline=None)
def test_a_pattern_finds_what_re_finds(text: str, pattern: str) -> None:
    assert TextPattern(pattern).is_in([text], len(text)) is (re.search(pattern, text) is not None)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("abc {[", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", max_size=3), _json, max_size=4))
@settings(max_examples=100, deadline=None)
def test_every_text_of_a_body_is_found(document: dict[str, Any]) -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if isinstance(value, dict):
            return [found for name, inner in value.items() for found in [name, *texts(inner)]]
        if isinstance(value, int) and not isinstance(value, bool):
            return [str(value)]
        return [found for each in value for found in texts(each)] if isinstance(value, list) else []

    found = outgoing_text(document, json.dumps(document).encode())
    assert found.texts == texts(document)
    assert found.characters_count == sum(map(len, found.texts))
    assert not found.has_twins


UPSTREAMS = {"near": NEAR, "far": FAR, "claude": CLAUDE}
TARGETS = [SMALL, BIG, BIG_NEAR, OPUS]
_failures = st.sampled_from(["connect", "status", "reset", "first_byte_timeout", "bad_answer", "rejected", None])


@given(
    allowed=st.sets(st.sampled_from(sorted(UPSTREAMS)), min_size=1),
    models=st.dictionaries(
        st.sampled_from(["small", "big", "opus"]),
        st.lists(st.sampled_from(TARGETS), min_size=1, max_size=3),
        min_size=1,
    ),
    fallbacks=st.dictionaries(
        st.sampled_from(["small", "big", "opus"]), st.lists(st.sampled_from(["small", "big", "opus"]), max_size=3)
    ),
    asked=st.sampled_from(["small", "big", "opus", "auto", "none"]),
    override=st.sampled_from([None, "small", "big", "opus"]),
    arm=st.sampled_from([None, "small", "big", "opus"]),
    shadow=st.sampled_from(["small", "big", "opus"]),
    passthrough=st.sampled_from([None, "far", "near"]),
    key_models=st.one_of(st.just(set()), st.sets(st.sampled_from(["small", "big", "opus"]), min_size=1)),
    how=st.lists(st.tuples(_failures, st.sampled_from([503, 429, None]), st.floats(0.0, 20.0)), max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_a_pinned_request_never_gets_a_target_outside(
    allowed: set[str],
    models: dict[str, list[Any]],
    fallbacks: dict[str, list[str]],
    asked: str,
    override: str | None,
    arm: str | None,
    shadow: str,
    passthrough: str | None,
    key_models: set[str],
    how: list[tuple[Any, int | None, float]],
) -> None:
    of = room(
        gateway_settings(
            models={name: tuple(each) for name, each in models.items()},
            default_model=next(iter(models)),
            fallbacks={name: tuple(each) for name, each in fallbacks.items()},
            residency=(ResidencyRule(Condition(pattern=SSN), tuple(allowed)),),
            keys=(key(may_override=True, allowed_models=tuple(key_models)),),
            arms=None if arm is None else Arms("e", "request", {"a": 1.0}, {"a": arm}),
            shadows=(Shadow(shadow, 1.0),),
            passthrough=passthrough,
            retries=Retries(attempts_max_count=9),
        )
    )
    told = head() if override is None else head(x_breakeven_model=override)
    decided = of.engine.admit(told, body(SECRET_TEXT, asked))
    if not isinstance(decided, Plan):
        assert decided.code in ("residency", "model_not_found", "model_not_allowed")  # type: ignore[union-attr]
        return
    assert decided.is_pinned
    given_out = [*decided.targets, *decided.escalate_to, *([decided.shadow] if decided.shadow else [])]
    at, number = decided.targets[0], 1
    for failure, status, wait_s in how:
        of.clock.at_s += wait_s
        went = attempt(at, number) if failure is None else failed(at, number, failure, status, retry_after_s=wait_s)
        found = of.engine.next_target(decided, went)
        if found is not None:
            assert isinstance(found, tuple)
            at, number = found[0], number + 1
            given_out.append(at)
    assert {each.upstream.name for each in given_out} <= allowed
    assert not key_models or {each.name for each in given_out} <= key_models
