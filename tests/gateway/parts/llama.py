"""A real llama.cpp server in a process of its own: chat, responses, messages, JSON schemas, embeddings, metrics.

python tests/gateway/parts/llama.py MODEL.gguf PORT ANSWER_TOKENS_MAX    (serves until it is ended)
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_WITHIN_S = 30.0


@contextmanager
def llama_server(model: Path) -> Iterator[str]:
    """The server; gives its address."""
    with llama_process(model) as server:
        yield server.url


@dataclass(frozen=True)
class LlamaProcess:
    """A server, and its process."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def llama_process(model: Path, answer_tokens_max: int = -1) -> Iterator[LlamaProcess]:
    """A server that cuts longer answers off, where the client names no limit."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, __file__, str(model), str(port), str(answer_tokens_max)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield LlamaProcess(f"http://127.0.0.1:{port}", process)
        finally:
            process.kill()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    give_up_s = time.monotonic() + START_WITHIN_S
    while time.monotonic() < give_up_s:
        if process.poll() is not None:
            raise RuntimeError(f"the llama.cpp server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.03)
    raise RuntimeError("the llama.cpp server did not become ready")


def generated_tokens(url: str) -> int:
    """How many tokens it has generated since it began, by its own metrics."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(r"^llamacpp:tokens_predicted_total (\d+)", text, re.MULTILINE)
    assert found, text
    return int(found[1])


def busy_slots(url: str) -> int:
    """How many requests it is working on."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(r"^llamacpp:requests_processing (\d+)", text, re.MULTILINE)
    assert found, text
    return int(found[1])


def serve(model: str, port: int, answer_tokens_max: int) -> None:
    """Serve until the process is ended."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {"tiny-random"}
    params.port = port
    params.n_predict = answer_tokens_max
    params.n_ctx = 4096
    params.n_parallel = 4
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.endpoint_metrics = True
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
