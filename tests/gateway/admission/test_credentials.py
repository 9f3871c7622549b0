"""Credentials: only a key that is known, alone, in force and not disabled opens the door."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from breakeven.gateway.plan import Head
from gateway.admission.admission_parts import SECRET, body, head, key, plan, refusal, room, settings


def _head(*headers: tuple[bytes, bytes]) -> Head:
    return Head(b"POST", b"/v1/chat/completions", b"", list(headers))


GOOD = SECRET.encode()


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer " + GOOD)],
        [(b"authorization", b"bearer  " + GOOD + b" ")],
        [(b"x-api-key", GOOD)],
        [(b"x-api-key", GOOD), (b"authorization", b"Bearer " + GOOD)],
    ],
)
def test_a_key_comes_in_either_header_or_the_same_in_both(headers: Any) -> None:
    got = plan(room(), _head(*headers))
    assert got.key is not None and got.key.id == "team"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", GOOD)],
        [(b"authorization", b"Basic " + GOOD)],
        [(b"authorization", b"Bearer ")],
        [(b"x-api-key", b"")],
        [(b"x-api-key", GOOD + b"x")],
        [(b"x-api-key", GOOD), (b"authorization", b"Bearer other")],
        [(b"x-api-key", GOOD), (b"x-api-key", b"other")],
        [(b"authorization", b"Bearer " + GOOD), (b"authorization", b"Bearer other")],
        [(b"authorization", b"Bearer other"), (b"authorization", b"Bearer " + GOOD)],
        [(b"x-api-key", b"other"), (b"x-api-key", GOOD)],
        [(b"x-api-key", GOOD), (b"authorization", b"Bearer other")],
        [(b"x-api-key", hashlib.sha256(GOOD).digest())],
        [(b"x-api-key", hashlib.sha256(GOOD).hexdigest().encode())],
        [(b"x-api-key", b"a" * 100_000)],
        [(b"x-api-key", b"\xff\x00")],
    ],
)
def test_anything_else_is_refused_and_no_word_of_it_repeated(headers: Any) -> None:
    got = refusal(room(), _head(*headers))
    assert (got.http_status, got.code) == (401, "invalid_api_key")
    assert SECRET not in got.message and "other" not in got.message.replace("another", "")


def test_disabled_and_expired_keys_are_told_so() -> None:
    assert refusal(room(settings(keys=(key(is_disabled=True),)))).code == "key_disabled"
    of = room(settings(keys=(key(expires_unix_s=1_000_001.0),)))
    assert plan(of).key is not None
    of.clock.at_s += 1
    assert refusal(of).code == "key_expired"


def test_a_key_is_asked_before_the_body_is_looked_at() -> None:
    assert refusal(room(), head(secret="wrong"), b"{").code == "invalid_api_key"
    assert refusal(room(), head(), b"{").code == "invalid_json"


def test_a_key_can_be_asked_for_before_the_body_is_read() -> None:
    of = room()
    assert of.engine.key_refusal(head()) is None
    got = of.engine.key_refusal(head(secret="wrong"))
    assert got is not None and got.code == "invalid_api_key"
    assert of.kept.refused_codes == ["invalid_api_key"]
    assert room(settings(is_open=True)).engine.key_refusal(head(secret=None)) is None


def test_an_open_gateway_asks_nobody_and_notes_whose_key_it_was() -> None:
    of = room(settings(is_open=True))
    got = plan(of, head(secret="sk-of-the-vendor"), body())
    assert got.key is None
    assert got.groups["api_key_hash"] == hashlib.sha256(b"sk-of-the-vendor").hexdigest()[:16]
    assert "api_key_hash" not in plan(of, head(secret=None)).groups
