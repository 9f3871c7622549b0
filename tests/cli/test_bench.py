"""breakeven bench as a user meets it: a mock server in its own process, the verb in another."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from breakeven.bench.results_file import read_points
from breakeven.bench.self_test import mock_process
from breakeven.cli.main import group
from breakeven.errors import BreakevenError

SMALL = ("--input-tokens", "20", "--output-tokens", "5", "--warm-up", "0")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with mock_process("--ttft-ms", "5", "--tpot-ms", "1") as found:
        yield found


def breakeven(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "breakeven.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def document(port: int, *arguments: str) -> dict[str, Any]:
    done = breakeven("bench", f"localhost:{port}", "--model", "mock", *SMALL, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_closed_loop_page_and_file(port: int, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "results.json"
    done = breakeven(
        "bench", f"http://127.0.0.1:{port}/v1", "--model", "mock", *SMALL,
        "--concurrency", "1,3", "--requests", "6", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "output tok/s at concurrency 3" in done.stdout
    assert "tokens counted by the server" in " ".join(done.stdout.split())
    assert "no two prompts are alike" in done.stdout
    assert f"Wrote {out}" in done.stdout.replace("\n", "")
    assert done.stderr == ""
    one, three = read_points(out)
    assert (one.concurrency_count, three.concurrency_count) == (1, 3)
    assert (one.requests_count, one.output_tokens, one.input_tokens) == (6, 5, 20)
    assert one.labels["model"] == "mock"
    assert one.measured_on is not None


def test_open_loop_and_raw_rows(port: int) -> None:
    found = document(port, "--rate", "50", "--requests", "10", "--raw")
    level = found["levels"][0]
    assert (level["loop"], level["rate_req_per_s"], level["succeeded_count"]) == ("open", 50.0, 10)
    assert len(level["requests"]) == 10


def test_a_trace_is_played(port: int, tmp_path: Path) -> None:
    log = tmp_path / "azure.csv"
    rows = [f"2024-05-10 00:00:0{second}.0000000,{20 + second},{second + 1}" for second in range(5)]
    log.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *rows]) + "\n", encoding="utf-8")
    found = document(port, "--trace", str(log), "--speedup", "20", "--raw")
    level = found["levels"][0]
    assert level["succeeded_count"] == 5
    assert [row["output_tokens"] for row in sorted(level["requests"], key=lambda row: row["scheduled_s"])] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert [round(row["scheduled_s"], 6) for row in level["requests"]] == pytest.approx([0.0, 0.05, 0.1, 0.15, 0.2])
    assert found["notes"] == ["5 of 5 calls of the trace, played 20 times as fast"]


def test_raw_rows_are_left_out_unless_asked_for(port: int) -> None:
    assert "requests" not in document(port, "--concurrency", "1", "--requests", "2")["levels"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--concurrency", "0"), "concurrency 0; wanted 1 to"),
        (("--concurrency", "two"), "--concurrency two: wanted numbers"),
        (("--concurrency", "1.5"), "wanted whole numbers"),
        (("--output-tokens", "0"), "output tokens 0; wanted 1 or more"),
        (("--rate", "0"), "a rate of 0 requests per second"),
        (("--requests", "0"), "0 requests; wanted 1 or more"),
        (("--duration", "-1"), "a duration of -1 s"),
        (("--timeout", "0"), "a timeout of 0 s"),
        (("--rate", "1", "--concurrency", "1"), "give one of --concurrency, --rate and --trace"),
        (("--api-key-env", "NO_SUCH_VARIABLE_HERE"), "NO_SUCH_VARIABLE_HERE is not set"),
        (("--trace", "absent.csv"), "absent.csv"),
    ],
)
def test_impossible_options(arguments: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(group, ["bench", "localhost:9", "--model", "m", *arguments])
    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit | BreakevenError)
    assert said in done.output + str(done.exception)


@pytest.mark.parametrize("arguments", [["bench"], ["bench", "localhost:8000"], ["bench", "--model", "m"]])
def test_url_and_model_are_needed(arguments: list[str]) -> None:
    assert "wanted an URL and --model NAME" in CliRunner().invoke(group, arguments).output


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = breakeven("bench", f"localhost:{port}", "--model", "m", *SMALL)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "3 x refused" in done.stderr
    assert "Is the server running there" in done.stderr


def test_a_wrong_path_says_what_the_server_said(port: int) -> None:
    done = breakeven("bench", f"localhost:{port}/wrong/v1", "--model", "m", *SMALL)
    assert done.returncode == 2
    assert "http_404" in done.stderr
    assert "no such path" in done.stderr


def answered(port: int) -> int:
    """Answers that the mock server has given."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models") as answer:
        return int(json.load(answer)["answered_count"])


def test_ctrl_c_writes_what_was_measured(port: int, tmp_path: Path) -> None:
    out, before = tmp_path / "results.json", answered(port)
    command = [sys.executable, "-m", "breakeven.cli.main", "bench", f"localhost:{port}", "--model", "mock", *SMALL]
    with subprocess.Popen(
        [*command, "--concurrency", "2", "--requests", "1000000", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while answered(port) < before + 20:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout.startswith("Stopped early.")
    (point,) = read_points(out)
    assert point.requests_count > 0
    assert json.loads(out.read_text(encoding="utf-8"))["interrupted"]
