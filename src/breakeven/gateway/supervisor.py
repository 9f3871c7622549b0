"""Supervisor: the parent of a gateway's processes: starts them, again too, hands them new settings, drains them.

It serves nothing itself. The relays, the control process and the compactor are children of their own, spawned, so
that each holds only what it needs; a child whose parent is gone ends by itself.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Final

from breakeven.errors import ConfigError
from breakeven.gateway.child_process import DRAINING_SIGNAL, Child, ChildPlan
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.places import address, held_places
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.snapshot_file import SnapshotWriter, last_snapshot
from breakeven.gateway.wake_signals import WakeSignals

Say = Callable[..., None]
"""Tells an event: its name, and fields."""

FIRST_BACKOFF_S: Final = 0.5
BACKOFF_MAX_S: Final = 30.0
STEADY_S: Final = 60.0
"""A child that lived so long starts again with the first backoff."""
START_TRIES_COUNT: Final = 3
"""A child that ends so often before it is ready ends the gateway, unless that was ready before."""
START_MAX_S: Final = 60.0
STOP_GRACE_S: Final = 5.0
"""Beyond `drain_s`, before a child is killed."""
AGAIN_S: Final = 1.0
"""A second signal so long after the first means: now."""
_NEEDS_RESTART: Final = (
    "listen_host",
    "listen_port",
    "admin_host",
    "admin_port",
    "processes_count",
    "state_folder",
    "policy_folder",
    "keys_file",
    "redis_url",
    "tls_certificate",
    "tls_key",
    "admin_tls_certificate",
    "admin_tls_key",
)
"""Settings that only a new start changes."""


def run(
    source: Path | GatewaySettings,
    say: Say | None = None,
    change: Callable[[GatewaySettings], GatewaySettings] = lambda settings: settings,
    plans: Sequence[ChildPlan] | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 0 after a drain, 1 where the gateway never came up.

    `source` is the file that is read again on SIGHUP, or settings as they are; `change` is made to what a file says.
    Raises ConfigError for a file that is wrong at the start, and GatewayError where a port or the state is taken.
    """
    settings = change(_read(source)) if isinstance(source, Path) else source
    tell = say or (lambda _event, **_fields: None)
    with WakeSignals((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)) as signals, held_places(settings) as held:
        reread = (lambda: change(_read(source))) if isinstance(source, Path) else None
        return Supervisor(held, tell, signals, reread, plans or planned(held)).run()


def planned(settings: GatewaySettings) -> tuple[ChildPlan, ...]:
    """The children that a gateway has."""
    relays = (
        ChildPlan(f"relay-{i}", "breakeven.gateway.relay.process:main", i) for i in range(settings.processes_count)
    )
    return (
        ChildPlan("control", "breakeven.gateway.control.process:main"),
        ChildPlan("compactor", "breakeven.gateway.metering.compactor:main"),
        *relays,
    )


def _read(path: Path) -> GatewaySettings:
    from breakeven.gateway.config.reading import read_settings

    return read_settings(path)


class Supervisor:
    """The children of one gateway and what happens to them."""

    def __init__(
        self,
        settings: GatewaySettings,
        say: Say,
        signals: WakeSignals,
        reread: Callable[[], GatewaySettings] | None,
        plans: Sequence[ChildPlan],
    ) -> None:
        self.settings = settings
        self._say = say
        self._signals = signals
        self._reread = reread
        self._plans = {plan.name: plan for plan in plans}
        self._children: dict[str, Child] = {}
        self._next_start: dict[str, float] = dict.fromkeys(self._plans, 0.0)
        self._failures = dict.fromkeys(self._plans, 0)
        self._was_ready = False
        self._is_hurried = False
        self._drains_since_s = 0.0
        self._started_s = time.monotonic()
        folder = settings.state_folder
        self._counters = Counters(previous=last_snapshot(folder, "supervisor"))
        self._writer = SnapshotWriter(self._counters, folder, "supervisor")

    def run(self) -> int:
        """Until a signal says stop, or the gateway does not come up."""
        self._writer.start()
        try:
            while not (stop := self._step()):
                pass
            return self._drain() if stop == "asked" else self._give_up()
        finally:
            for child in self._children.values():
                child.signal(signal.SIGKILL)
                child.close()
            self._writer.close()

    def _step(self) -> str:
        """Wait for one thing and deal with it; why to stop, or ""."""
        self._start_due()
        now = time.monotonic()
        dues = [due - now for name, due in self._next_start.items() if name not in self._children]
        if not self._was_ready:
            dues.append(self._started_s + START_MAX_S - now)
        self._wait(max(0.0, min(dues)) if dues else None)
        for number in self._signals.taken():
            if number == signal.SIGHUP:
                self._reload()
            else:
                return "asked"
        self._note_ready()
        self._note_ended()
        return "failed" if self._has_failed() else ""

    def _wait(self, timeout_s: float | None) -> None:
        children = self._children.values()
        ends: list[Any] = [self._signals.fileno(), *(each.process.sentinel for each in children)]
        wait([*ends, *(each.ready_end for each in children if not each.ready_end.closed)], timeout_s)

    def _start_due(self) -> None:
        now = time.monotonic()
        for name, plan in self._plans.items():
            if name not in self._children and self._next_start[name] <= now:
                self._children[name] = Child(plan, self.settings)

    def _note_ready(self) -> None:
        for child in self._children.values():
            if not child.ready_end.closed:
                child.note_ready()
                if child.is_ready and self._was_ready:
                    self._say("restarted", child=child.plan.name, pid=child.process.pid)
        if not self._was_ready and len(self._children) == len(self._plans):
            self._was_ready = all(child.is_ready for child in self._children.values())
            if self._was_ready:
                self._say(
                    "ready",
                    listen=address(self.settings.listen_host, self.settings.listen_port),
                    admin=address(self.settings.admin_host, self.settings.admin_port),
                    processes_count=self.settings.processes_count,
                )

    def _note_ended(self) -> None:
        for name, child in list(self._children.items()):
            if child.process.is_alive():
                continue
            lived_s = time.monotonic() - child.started_monotonic_s
            code = child.process.exitcode
            child.note_ready()
            child.close()
            del self._children[name]
            self._failures[name] = 1 if child.is_ready and lived_s >= STEADY_S else self._failures[name] + 1
            wait_s = min(BACKOFF_MAX_S, FIRST_BACKOFF_S * 2 ** (self._failures[name] - 1))
            self._next_start[name] = time.monotonic() + wait_s
            self._counters.count("child_restarts_total", 1, name)
            self._say("child_ended", child=name, ended=child.why_not or _ended(code), starts_again_in_s=wait_s)

    def _has_failed(self) -> bool:
        if self._was_ready:
            return False
        tries_used = any(self._failures[name] >= START_TRIES_COUNT for name in self._plans)
        return tries_used or time.monotonic() - self._started_s > START_MAX_S

    def _give_up(self) -> int:
        missing = sorted(
            name for name in self._plans if not (self._children.get(name) and self._children[name].is_ready)
        )
        self._say("failed", children=", ".join(missing), next="see what they wrote to stderr above")
        return 1

    def _reload(self) -> None:
        if self._reread is None:
            self._say("not_reloaded", why="there is no file to read again: the gateway was started without --config")
            return
        try:
            read = self._reread()
        except (ConfigError, OSError) as error:
            self._counters.count("reload_errors_total")
            self._say("not_reloaded", why=str(error), kept="the settings in force stay")
            return
        kept = {name: getattr(self.settings, name) for name in _NEEDS_RESTART}
        ports = {name: kept[name] for name in ("listen_port", "admin_port") if getattr(read, name) == 0}
        late = [name for name in _NEEDS_RESTART if name not in ports and getattr(read, name) != kept[name]]
        self.settings = replace(read, **kept)
        for child in self._children.values():
            child.send(self.settings)
        self._say("reloaded", needs_restart=", ".join(late))

    def _drain(self) -> int:
        """Relays first, so that what they finish is still counted, written and compacted."""
        drain_s = self.settings.timeouts.drain_s
        self._say("draining", up_to_s=drain_s)
        self._drains_since_s = time.monotonic()
        relays = [each for each in self._children.values() if each.plan.is_relay]
        rest = [each for each in self._children.values() if not each.plan.is_relay]
        for each in rest:
            if each.plan.name == "control" and each.is_ready:
                each.signal(DRAINING_SIGNAL)
        killed = self._stopped(relays, drain_s + STOP_GRACE_S) + self._stopped(rest, STOP_GRACE_S * 2)
        self._say("stopped", killed=", ".join(killed), at_second_signal=self._is_hurried)
        return 0

    def _hurries(self) -> bool:
        """Whether somebody asked again; one who signals a process and then its group asked once."""
        asked = any(number != signal.SIGHUP for number in self._signals.taken())
        if asked and time.monotonic() - self._drains_since_s >= AGAIN_S:
            self._is_hurried = True
        return self._is_hurried

    def _stopped(self, children: list[Child], within_s: float) -> list[str]:
        """Ask children to end; the names of those that had to be killed."""
        for child in children:
            child.signal(signal.SIGTERM)
        until = time.monotonic() + within_s
        while (alive := [each for each in children if each.process.is_alive()]) and time.monotonic() < until:
            wait([self._signals.fileno(), *(each.process.sentinel for each in alive)], until - time.monotonic())
            if self._hurries():
                break
        alive = [each for each in children if each.process.is_alive()]
        for child in alive:
            child.signal(signal.SIGKILL)
        return [each.plan.name for each in alive]


def _ended(code: int | None) -> str:
    """How a process ended, in words.

    >>> _ended(-9), _ended(1)
    ('killed by SIGKILL', 'exit code 1')
    """
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
