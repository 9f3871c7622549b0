"""`breakeven ui` as a process: it answers, says where, keeps strangers out, and ends when asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from breakeven.cli import ui
from breakeven.cli.main import group
from breakeven.errors import DashboardError
from breakeven.web.project import Project

COMMAND = (sys.executable, "-m", "breakeven.cli.main", "ui")


@contextmanager
def running(cwd: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """The verb as a process of its own; killed in the end if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What it says once it answers."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate()[1])
    found: dict[str, Any] = json.loads(line)
    return found


def page(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_it_says_where_it_is_and_ends_when_asked(tmp_path: Path) -> None:
    with running(tmp_path, "--port", "0", "--json") as process:
        said = ready(process)
        assert said["event"] == "ready"
        assert said["is_closed"] is False
        assert urlsplit(said["url"]).hostname == "127.0.0.1"
        status, text = page(said["url"])
        assert status == 200
        assert tmp_path.name in text
        process.send_signal(signal.SIGINT)
        out, complaint = process.communicate(timeout=60)
        assert process.returncode == 0
        assert out == ""
        assert complaint == ""


def test_a_closed_one_lets_in_who_has_the_address(tmp_path: Path) -> None:
    with running(tmp_path, "--port", "0", "--json", "--token") as process:
        said = ready(process)
        assert said["is_closed"] is True
        home = said["url"].partition("?")[0]
        assert "Sign in" in page(home)[1]
        assert page(home + "api/jobs")[0] == 401
        token = said["url"].partition("token=")[2]
        assert len(token) >= 32
        assert page(home + "api/jobs", authorization=f"Bearer {token}") == (200, '{"jobs": []}')
        process.send_signal(signal.SIGTERM)
        out, complaint = process.communicate(timeout=60)
        assert process.returncode == 0
        assert token not in out + complaint


def test_a_port_in_use_is_said_and_the_usual_one_gives_way(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DashboardError, match=f"port {port} is in use on 127.0.0.1; name another one with --port"):
            run(tmp_path, "--port", str(port))
    with socket.create_server(("127.0.0.1", 0)) as usual:
        from breakeven.web.serving import listening

        port = usual.getsockname()[1]
        with listening("127.0.0.1", port, or_next=True) as found:
            assert port < found.getsockname()[1] <= port + 20


def run(cwd: Path, *words: str, **environment: str) -> Result:
    """The verb in this process, for what ends before anything is served."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        for name in (ui.PASSWORD_ENV, ui.TOKEN_ENV):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        return CliRunner().invoke(group, ["ui", "--no-browser", *words], catch_exceptions=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com"])
def test_others_are_not_let_in_without_a_secret(tmp_path: Path, host: str) -> None:
    with pytest.raises(DashboardError, match="lets other machines in") as said:
        run(tmp_path, "--host", host)
    assert ui.PASSWORD_ENV in str(said.value)


def test_a_weak_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DashboardError, match="the password has 5 characters; wanted at least 8"):
        run(tmp_path, BREAKEVEN_UI_PASSWORD="12345")
    with pytest.raises(DashboardError, match="the token has 8 characters; wanted at least 16"):
        run(tmp_path, BREAKEVEN_UI_TOKEN="12345678")


@pytest.mark.parametrize("gateway", ["127.0.0.1:4001", "ftp://x", "http://user:word@x", "http://"])
def test_the_gateways_address_is_one(tmp_path: Path, gateway: str) -> None:
    with pytest.raises(DashboardError, match="wanted the address of its admin port"):
        run(tmp_path, "--gateway", gateway)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DashboardError, match="there is no folder"):
        run(tmp_path, "--folder", "nowhere")


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *rest: None if name == "starlette" else find_spec(name, *rest)
    )
    with pytest.raises(DashboardError, match=r"not installed: starlette. Run: pip install 'breakeven\[ui\]'"):
        run(tmp_path)


def test_the_help_needs_none_of_it() -> None:
    code = (
        "import sys\nfrom breakeven.cli.main import group\n"
        "try:\n  group.main(['ui', '--help'], standalone_mode=False)\n"
        "except SystemExit: pass\nprint([each for each in ('starlette', 'uvicorn', 'duckdb') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Example: breakeven ui --demo" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_demo_is_a_project_and_says_that_it_is_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from breakeven.usage import synthetic
    from breakeven.usage.store.glance import glance
    from breakeven.web import serving

    monkeypatch.setattr(synthetic.write_synthetic_log, "__kwdefaults__", {"seed": 0, "calls_count": 300})
    seen: list[tuple[bool, int, bool]] = []

    def serve(project: Project, listener: socket.socket, *_: object) -> bool:
        listener.close()
        seen.append((project.is_synthetic, glance(project.store).calls_count, project.scenario.exists()))
        return True

    monkeypatch.setattr(serving, "serve", serve)
    for words in (("--demo", "--folder", "made-up"), ("--demo", "--folder", "made-up"), ("--demo",)):
        assert run(tmp_path, "--port", "0", *words).exit_code == 0
    assert seen == [(True, 300, True)] * 3  # the second time nothing is added
    assert [each.name for each in tmp_path.iterdir()] == ["made-up"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "log.jsonl").write_text(
        '{"id": "1", "timestamp": "2026-10-01T00:00:00Z", "model": "gpt-5", "input_tokens": 1, "output_tokens": 1}\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "mine")
        assert CliRunner().invoke(group, ["import", "log.jsonl"], catch_exceptions=False).exit_code == 0
    with pytest.raises(DashboardError, match="holds calls of your own"):
        run(tmp_path, "--demo", "--folder", "mine", "--port", "0")
