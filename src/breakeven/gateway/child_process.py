"""Child process: one of the gateway's processes as its parent sees it, and how every child begins."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from breakeven.errors import BreakevenError
from breakeven.gateway.config.settings import GatewaySettings

DRAINING_SIGNAL: Final = signal.SIGUSR1
"""Tells the control process that the relays are ending: from then on the gateway is not ready."""
_READY: Final = b"ready"
_WHY_MAX_BYTES: Final = 2_000
ORPHAN_GRACE_S: Final = 5.0
"""Beyond `drain_s`, before a child without a parent ends itself the hard way."""


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """What a child runs."""

    name: str
    """`relay-0`, `control`, `compactor`."""
    entry: str
    """`package.module:function`, imported in the child only. It is called with the settings, for a relay its index, a
    `ReadySignal`, and the connection on which new settings come (each a whole `GatewaySettings`)."""
    process_index: int | None = None

    @property
    def is_relay(self) -> bool:
        """Whether clients connect to it."""
        return self.process_index is not None


class ReadySignal:
    """What a child sets when it accepts connections; the parent waits for it together with everything else."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def set(self) -> None:
        """Tell the parent. A parent that is gone is no error here."""
        self._tell(_READY)

    def cannot(self, why: str) -> None:
        """Tell the parent why there will be nothing to be ready."""
        self._tell(why.encode("utf-8", "replace")[:_WHY_MAX_BYTES])

    def _tell(self, word: bytes) -> None:
        try:
            self._connection.send_bytes(word)
        except OSError:
            return


class Child:
    """A running child."""

    def __init__(self, plan: ChildPlan, settings: GatewaySettings) -> None:
        context = multiprocessing.get_context("spawn")
        self.plan = plan
        self.started_monotonic_s = time.monotonic()
        self.is_ready = False
        self.why_not = ""
        """In its own words, where it could not serve."""
        self.ready_end, theirs = context.Pipe(duplex=False)
        self._pipe, their_pipe = context.Pipe(duplex=True)
        arguments = (plan, settings, ReadySignal(theirs), their_pipe)
        self.process: SpawnProcess = context.Process(target=run_child, args=arguments, name=plan.name)
        self.process.start()
        theirs.close()
        their_pipe.close()

    def note_ready(self) -> None:
        """Read what the child told, if anything."""
        if self.ready_end.closed or not self.ready_end.poll():
            return
        try:
            told = self.ready_end.recv_bytes()
            self.is_ready = told == _READY
            self.why_not = "" if self.is_ready else told.decode("utf-8", "replace")
        except (EOFError, OSError):
            pass
        self.ready_end.close()

    def send(self, settings: GatewaySettings) -> None:
        """Hand over new settings; a child that does not read keeps nobody waiting."""
        threading.Thread(target=self._send, args=(settings,), daemon=True).start()

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, number)

    def close(self) -> None:
        """Give back what the parent held for it."""
        self.process.join()
        self.process.close()
        self._pipe.close()
        if not self.ready_end.closed:
            self.ready_end.close()

    def _send(self, settings: GatewaySettings) -> None:
        try:
            self._pipe.send(settings)
        except (OSError, ValueError):
            return


def run_child(plan: ChildPlan, settings: GatewaySettings, ready: ReadySignal, pipe: Connection) -> None:
    """The life of a child: only its parent tells it to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(DRAINING_SIGNAL, signal.SIG_IGN)  # until somebody listens to it
    os.umask(0o077)
    threading.Thread(target=_end_as_orphan, args=(settings.timeouts.drain_s,), daemon=True).start()
    module, _, function = plan.entry.partition(":")
    main: Any = getattr(import_module(module), function)
    try:
        if plan.process_index is None:
            main(settings, ready, pipe)
        else:
            main(settings, plan.process_index, ready, pipe)
    except BreakevenError as error:
        ready.cannot(str(error))
        sys.exit(1)


def _end_as_orphan(drain_s: float) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(drain_s + ORPHAN_GRACE_S)
    os._exit(1)
