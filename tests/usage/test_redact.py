"""What is hidden, and what is not mistaken for a secret."""

from __future__ import annotations

import pytest

from breakeven.usage.redact import HASH_HEX_LENGTH, HIDDEN_PREFIX, hash_of, hashed_once, label_or_hidden


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
    ],
)
def test_secrets_in_names_are_hidden(secret: str) -> None:
    hidden = label_or_hidden(secret)
    assert hidden == HIDDEN_PREFIX + hash_of(secret)
    assert secret not in hidden


@pytest.mark.parametrize(
    "name", ["gpt-4.1", "support-bot", "classify ticket", "v1.2.3", "task_1", "a@b", "12:30", "key-figures", "会話"]
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
