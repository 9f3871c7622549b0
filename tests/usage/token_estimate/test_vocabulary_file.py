"""An exact tokenizer from a file on disk, which this test writes itself; never from the network."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.token_estimate import vocabulary_file
from breakeven.usage.token_estimate.vocabulary_file import VOCABULARIES, tokenizer_for

MERGES = (b"he", b"ll", b"hell", b"hello", b" w", b"or", b" wor", b"ld", b" world")
"""Pairs in the order in which they were merged: a vocabulary as byte pair encoding trains it."""


@pytest.fixture
def vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("no network")

    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    vocabulary_file._loaded.cache_clear()

    def written(name: str) -> Path:
        tokens = [*(bytes([byte]) for byte in range(256)), *MERGES]
        content = b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))
        known = replace(VOCABULARIES[name], sha256=hashlib.sha256(content).hexdigest())
        monkeypatch.setitem(VOCABULARIES, name, known)
        path = tmp_path / known.file_name
        path.write_bytes(content)
        return path

    return written


def test_tokens_of_a_vocabulary_on_disk(vocabulary: Callable[[str], Path]) -> None:
    pytest.importorskip("tiktoken")
    vocabulary("o200k_base")
    count = tokenizer_for("openai/gpt-5-mini")
    assert count is not None
    assert [count(text) for text in ("", "hello", "hello world", "hello world!", "<|endoftext|>")] == [0, 1, 2, 3, 13]


def test_no_file_no_tokenizer(vocabulary: Callable[[str], Path]) -> None:
    assert tokenizer_for("gpt-4o") is None
    assert VOCABULARIES["o200k_base"].sha256 != ""


def test_a_damaged_file_is_not_used_and_not_fetched_again(vocabulary: Callable[[str], Path]) -> None:
    path = vocabulary("cl100k_base")
    path.write_bytes(path.read_bytes()[:-5])
    assert tokenizer_for("gpt-4-turbo") is None
    assert path.exists()


@pytest.mark.parametrize("model", [None, "", "claude-sonnet-4-5", "llama-3-70b", "my-gpt-4o"])
def test_models_of_other_vocabularies_have_none(vocabulary: Callable[[str], Path], model: str | None) -> None:
    vocabulary("o200k_base")
    assert tokenizer_for(model) is None
