"""What is hidden, and what is not mistaken for a secret."""

from __future__ import annotations

import pytest

from breakeven.usage.redact import (
    HASH_HEX_LENGTH,
    HIDDEN_PREFIX,
    hash_of,
    hashed_once,
    label_or_hidden,
    without_private_spans,
    without_secrets,
)


@pytest.mark.parametrize(
    "secret",
    [
        "ann@example.com",
        "ticket of ann.b+c@mail.example.co.uk",
        "192.168.1.20",
        "2001:db8:0:0:1:0:0:1",
        "sk-proj-abcdefghijklmnop1234",
        "Bearer " + "sk-" + "a1b2c3d4" * 4,
        "hf_AbCdEfGhIjKlMnOpQrSt",
        "tmpl 192.168.44.55",
        "client=10.1.2.3, retry",
        "from 2001:db8:0:0:1:0:0:1 today",
        "AKIAIOSFODNN7EXAMPLE",
        "deploy with ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11ABCDEFG0123456789_abcdefghijklm",
        "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.sig",
        "xoxb-1234567890-abcdef",
        "https://host/v1beta/models?key=abc123def456",
    ],
)
def test_secrets_in_names_are_hidden(secret: str) -> None:
    hidden = label_or_hidden(secret)
    assert hidden == HIDDEN_PREFIX + hash_of(secret)
    assert secret not in hidden


@pytest.mark.parametrize(
    "name",
    [
        *("gpt-4.1", "support-bot", "classify ticket", "v1.2.3", "task_1", "a@b", "12:30", "key-figures", "会話"),
        *(
            "http://10.0.0.5:8000/v1",
            "10.0.0.5:8000/v1",
            "svc-1.2.3.4",
            "arn:aws:bedrock:us-east-1::foundation-model/x",
        ),
        *("npm_install_and_run_all_tests", "ghost_writer_of_long_mails", "AKIA", "eyJ", "search?q=key", "a-v2:1:200k"),
    ],
)
def test_ordinary_names_are_kept(name: str) -> None:
    assert label_or_hidden(name) == name


def test_a_hash_is_short_stable_and_salted() -> None:
    assert len(hash_of("ann")) == HASH_HEX_LENGTH
    assert hash_of("ann") == hash_of("ann") != hash_of("bob")
    assert hash_of("ann", "salt") != hash_of("ann")


def test_a_hash_is_not_hashed_again() -> None:
    assert hashed_once(hash_of("ann")) == hash_of("ann")
    assert hashed_once("ann") == hash_of("ann")


@pytest.mark.parametrize(
    "secret", ["AKIAIOSFODNN7EXAMPLE", "ghp_0123456789abcdefghijABCDEFGHIJ012345", "xoxb-1234567890-abc"]
)
def test_keys_are_hidden_in_texts_and_their_words_never_kept(secret: str) -> None:
    text = f"call it with {secret} now"
    assert without_secrets(text) == "call it with <hidden> now"
    assert without_private_spans(text) == f"call it with {'0' * len(secret)} now"
