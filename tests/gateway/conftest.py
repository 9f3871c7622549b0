"""Shared by the gateway's tests: a real llama.cpp server with a tiny model, started once for each worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of 3 million random parameters."""
    pytest.importorskip("gguf", reason="no way to write a model: gguf is not installed")
    from bench.llama_server import write_model

    path = tmp_path_factory.mktemp("llama") / "tiny.gguf"
    write_model(path)
    return path


@pytest.fixture(scope="session")
def llama_url(tiny_model: Path) -> Iterator[str]:
    """The address of a real server, without /v1."""
    pytest.importorskip("xllamacpp", reason="no llama.cpp server here: xllamacpp is not installed")
    from gateway.parts.llama import llama_server

    with llama_server(tiny_model) as url:
        yield url
