"""The supervisor with real processes: ready once all are, again after a death, new settings, a drain, no orphans."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import GatewayError
from breakeven.gateway.config.reading import record_only
from breakeven.gateway.places import held_places

HERE = Path(__file__).parent
PROGRAM = """
import sys
sys.path.insert(0, {here!r})

def main():
    import json
    from dataclasses import replace
    from pathlib import Path
    from breakeven.errors import ConfigError
    from breakeven.gateway import supervisor
    from breakeven.gateway.child_process import ChildPlan
    from breakeven.gateway.config.settings import GatewaySettings, Timeouts

    plans = [ChildPlan("control", "child_parts:steady")]
    plans += [ChildPlan(f"relay-{{i}}", f"child_parts:{{name}}", i) for i, name in enumerate({relays!r})]

    def read(path):
        text = path.read_text()
        if text == "bad":
            raise ConfigError(f"{{path}}:7: listen: saw 'bad'")
        folder, times = Path({state!r}), Timeouts(drain_s={drain_s})
        found = GatewaySettings("127.0.0.1", 0, "127.0.0.1", 0, len(plans) - 1, folder, {{}}, {{}}, timeouts=times)
        return replace(found, durability=text)

    def say(event, **fields):
        print(json.dumps({{"event": event, **fields}}), flush=True)

    supervisor._read = read
    supervisor.STOP_GRACE_S = {drain_s}
    supervisor.FIRST_BACKOFF_S = 0.05
    return supervisor.run(Path({config!r}), say, plans=plans)

if __name__ == "__main__":
    sys.exit(main())
"""


class Running:
    """A supervisor in a process of its own."""

    def __init__(self, tmp_path: Path, *relays: str, drain_s: float = 20.0) -> None:
        self.state = tmp_path / "state"
        self.config = tmp_path / "gateway.yaml"
        self.config.write_text("batch")
        places = {"here": str(HERE), "state": str(self.state), "config": str(self.config)}
        program = PROGRAM.format(relays=relays, drain_s=drain_s, **places)
        (tmp_path / "program.py").write_text(program)
        self.process = subprocess.Popen(
            [sys.executable, str(tmp_path / "program.py")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.seen: list[dict[str, Any]] = []

    def until(self, event: str) -> dict[str, Any]:
        """The next event of that name."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen.append(json.loads(line))
            if self.seen[-1]["event"] == event:
                return self.seen[-1]
        raise AssertionError(f"ended without {event}: {self.seen}")

    def pid_of(self, name: str) -> int:
        return int((self.state / f"{name}.pid").read_text())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*relays: str, **more: float) -> Running:
        running.append(Running(tmp_path, *relays, **more))
        return running[-1]

    yield begin
    for each in running:
        each.process.kill()
        each.process.communicate()


def wait_until(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_life_of_a_gateway(start: Callable[..., Running]) -> None:
    """Ready, a relay killed and replaced, a good reload, a bad reload, a drain."""
    gateway = start("steady", "steady")
    ready = gateway.until("ready")
    assert ready["processes_count"] == 2 and not ready["listen"].endswith(":0")
    assert [each["event"] for each in gateway.seen] == ["ready"], "one line, once every process listens"

    killed = gateway.pid_of("steady-1")
    os.kill(killed, signal.SIGKILL)
    ended = gateway.until("child_ended")
    assert (ended["child"], ended["ended"]) == ("relay-1", "killed by SIGKILL")
    assert gateway.until("restarted")["child"] == "relay-1"
    assert gateway.pid_of("steady-1") != killed

    gateway.config.write_text("request")
    gateway.process.send_signal(signal.SIGHUP)
    assert gateway.until("reloaded")["needs_restart"] == ""
    told = gateway.state / "steady-0.told"
    assert wait_until(lambda: told.exists() and told.read_text() == "request True"), "the ports that were found stay"

    gateway.config.write_text("bad")
    gateway.process.send_signal(signal.SIGHUP)
    assert gateway.until("not_reloaded")["why"] == f"{gateway.config}:7: listen: saw 'bad'"

    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.until("stopped")["killed"] == ""
    assert gateway.process.wait(20) == 0
    assert {each.name for each in gateway.state.glob("*.ended")} == {
        "steady.ended",
        "steady-0.ended",
        "steady-1.ended",
    }
    numbers = json.loads((gateway.state / "metrics" / "supervisor.json").read_text())
    assert ["child_restarts_total", "relay-1", 1] in numbers["counts"]


def test_a_gateway_that_does_not_come_up_ends_with_1(start: Callable[..., Running]) -> None:
    gateway = start("steady", "hopeless")
    failed = gateway.until("failed")
    assert failed["children"] == "relay-1"
    assert gateway.process.wait(20) == 1
    assert [each["ended"] for each in gateway.seen if each["event"] == "child_ended"] == ["exit code 3"] * 3
    assert not is_alive(gateway.pid_of("steady-0"))


def test_a_child_says_in_words_why_it_cannot_serve(start: Callable[..., Running]) -> None:
    gateway = start("refuses")
    assert gateway.until("child_ended")["ended"] == "the disk is full"
    gateway.until("failed")
    assert gateway.process.wait(20) == 1
    assert gateway.process.stderr is not None
    assert "Traceback" not in gateway.process.stderr.read()


def test_who_does_not_end_is_killed_and_named(start: Callable[..., Running]) -> None:
    gateway = start("slow_to_end", drain_s=0.2)
    gateway.until("ready")
    gateway.process.send_signal(signal.SIGINT)
    assert "relay-0" in gateway.until("stopped")["killed"].split(", ")
    assert gateway.process.wait(20) == 0


def test_a_second_signal_at_once_is_the_same_one_and_later_means_now(start: Callable[..., Running]) -> None:
    gateway = start("slow_to_end", drain_s=30.0)
    gateway.until("ready")
    gateway.process.send_signal(signal.SIGTERM)
    gateway.until("draining")
    gateway.process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        gateway.process.wait(1.5)
    gateway.process.send_signal(signal.SIGTERM)
    stopped = gateway.until("stopped")
    assert stopped["at_second_signal"] is True and "relay-0" in stopped["killed"]
    assert gateway.process.wait(20) == 0


def test_children_end_when_their_parent_is_killed(start: Callable[..., Running]) -> None:
    gateway = start("steady")
    gateway.until("ready")
    pids = [gateway.pid_of("steady"), gateway.pid_of("steady-0")]
    assert all(is_alive(pid) for pid in pids)
    gateway.process.kill()
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_a_state_folder_is_held_once(tmp_path: Path) -> None:
    settings = record_only("http://127.0.0.1:9/v1", "127.0.0.1:0", "127.0.0.1:0", tmp_path)
    with held_places(settings) as held:
        assert held.listen_port and held.admin_port
        with pytest.raises(GatewayError, match=f"process {os.getpid()}"), held_places(settings):
            pass
    with held_places(settings):
        pass


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    import socket

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        place = f"127.0.0.1:{other.getsockname()[1]}"
        settings = record_only("http://127.0.0.1:9/v1", place, "127.0.0.1:0", tmp_path)
        with pytest.raises(GatewayError, match=f"{place}: Address already in use"), held_places(settings):
            pass


def test_a_state_folder_with_a_long_path_is_refused(tmp_path: Path) -> None:
    settings = record_only("http://127.0.0.1:9/v1", "127.0.0.1:0", "127.0.0.1:0", tmp_path / ("x" * 120))
    with pytest.raises(GatewayError, match="too long for a socket"), held_places(settings):
        pass


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    settings = record_only("http://127.0.0.1:9/v1", "127.0.0.1:0", "127.0.0.1:0", tmp_path)
    with pytest.raises(GatewayError, match="No space left on device"), held_places(settings):
        pass
