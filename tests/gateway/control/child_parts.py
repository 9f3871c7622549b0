"""Children for the tests of the supervisor: they do what a real one does to its parent, and serve nothing."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from breakeven.errors import GatewayError


def steady(settings: Any, *rest: Any) -> None:
    """Ready, until SIGTERM; new settings are written down."""
    ready, pipe = rest[-2:]
    name = f"steady-{rest[0]}" if len(rest) == 3 else "steady"
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    folder: Path = settings.state_folder
    (folder / f"{name}.pid").write_text(str(os.getpid()))

    def listen() -> None:
        while True:
            try:
                new = pipe.recv()
            except (EOFError, OSError):
                return
            (folder / f"{name}.told").write_text(f"{new.durability} {new.listen_port == settings.listen_port}")

    threading.Thread(target=listen, daemon=True).start()
    ready.set()
    stop.wait()
    (folder / f"{name}.ended").write_text("drained")


def refuses(*_: Any) -> None:
    """Says why it does not come up."""
    raise GatewayError("the disk is full")


def hopeless(*_: Any) -> None:
    """Never comes up."""
    sys.exit(3)


def slow_to_end(_settings: Any, *rest: Any) -> None:
    """Does not mind SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    rest[-2].set()
    time.sleep(60)
