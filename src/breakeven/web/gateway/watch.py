"""Watch: reads the gateway every few seconds while somebody looks, and remembers the last quarter of an hour.

One thread for each server, however many browsers look. It begins with the first look and ends when nobody has looked
for as long as it remembers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import ref

from breakeven.clock import now
from breakeven.web.gateway.client import TOKEN_VARIABLE, Answer, GatewayClient, Trouble, Unreached
from breakeven.web.gateway.exposition_reading import read_exposition
from breakeven.web.gateway.totals import ModelTotals, Totals, totals_of

READ_EVERY_S: Final = 2.0
ADMIN_EVERY_S: Final = 6.0
DENIED_REST_S: Final = 30.0
"""A token that was refused is not shown again for so long."""
REMEMBERED_S: Final = 900.0
STEP_S: Final = 15.0
"""Older than a minute, one moment in so many seconds is remembered."""
FINE_S: Final = 64.0
FIRST_WAIT_S: Final = 4.0
STALE_S: Final = 8.0
"""A reading that takes longer is said to be slow; what stands there is of before."""
REST_RATIO: Final = 3.0
"""Rest after a reading, over how long it took."""
ADMIN_PAGES: Final = ("policy", "keys", "settings")


def _now_unix_s() -> float:
    return now().timestamp()


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known now."""

    moments: tuple[Totals, ...] = ()
    """Oldest first; the last one is the newest reading."""
    trouble: Trouble | None = None
    """Why the last reading failed; the moments are then older."""
    ready: Mapping[str, Any] | None = None
    admin: Mapping[str, Any] | None = None
    """Pages of the admin API by name; None: not asked yet, or denied."""
    admin_trouble: Trouble | None = None
    read_unix_s: float | None = None
    """When a reading was last tried."""


class GatewayWatch:
    """What one gateway told, in memory."""

    def __init__(self, client: GatewayClient, now_unix_s: Callable[[], float] = _now_unix_s) -> None:
        self.client = client
        self._now_unix_s = now_unix_s
        self._lock = threading.Lock()
        self._fine: deque[Totals] = deque()
        self._coarse: deque[Totals] = deque()
        self._seen = Seen()
        self._admin_after_s = 0.0
        self._asked_s = 0.0
        self._reading_since_s: float | None = None
        self._thread: threading.Thread | None = None
        self._has_read = threading.Event()

    def look(self) -> Seen:
        """What is known; the first look waits a moment for the first reading."""
        with self._lock:
            self._asked_s = time.monotonic()
            if self._thread is None:
                self._has_read.clear()
                self._thread = threading.Thread(target=_run, args=(ref(self),), name="gateway watch", daemon=True)
                self._thread.start()
        self._has_read.wait(FIRST_WAIT_S)
        return self.seen

    @property
    def seen(self) -> Seen:
        """What is known, without beginning to watch."""
        with self._lock:
            seen, since_s = self._seen, self._reading_since_s
            moments = (*self._coarse, *self._fine)
        reading_s = 0.0 if since_s is None else time.monotonic() - since_s
        trouble = seen.trouble if reading_s <= STALE_S else _slow(self.client, reading_s)
        return replace(seen, moments=moments, trouble=trouble)

    def read(self) -> None:
        """One reading, now."""
        self._reading_since_s = time.monotonic()
        try:
            self._read()
        finally:
            self._reading_since_s = None

    def _read(self) -> None:
        now_unix_s = self._now_unix_s()
        try:
            totals, ready = self._metrics(now_unix_s)
        except Unreached as error:
            with self._lock:
                self._seen = replace(self._seen, trouble=error.trouble, read_unix_s=now_unix_s)
            return
        with self._lock:
            self._remember(totals)
            self._seen = replace(self._seen, trouble=None, ready=ready, read_unix_s=now_unix_s)
        if time.monotonic() >= self._admin_after_s:
            self._read_admin()

    def _metrics(self, at_unix_s: float) -> tuple[Totals, Mapping[str, Any] | None]:
        answer = self.client.get("/metrics")
        samples = read_exposition(answer.body.decode("utf-8", "replace")) if answer.status_count == 200 else {}
        if "breakeven_build_info" not in samples:
            raise Unreached(_not_a_gateway(self.client, answer))
        ready = self.client.get("/readyz").document()
        return totals_of(samples, at_unix_s), ready if isinstance(ready, dict) else None

    def _read_admin(self) -> None:
        trouble: Trouble | None = None
        pages: dict[str, Any] | None = None
        rest_s = ADMIN_EVERY_S
        if not self.client.has_token:
            trouble = _NO_TOKEN
        else:
            try:
                pages = {}
                for name in ADMIN_PAGES:
                    answer = self.client.get(f"/admin/{name}", with_token=True)
                    if answer.status_count in (401, 403):
                        raise Unreached(_denied(answer))
                    pages[name] = answer.document()
            except Unreached as error:
                trouble, pages = error.trouble, None
                rest_s = DENIED_REST_S if trouble.kind in ("wrong_token", "admin_disabled") else ADMIN_EVERY_S
        with self._lock:
            self._seen = replace(self._seen, admin=pages, admin_trouble=trouble)
        self._admin_after_s = time.monotonic() + rest_s

    def _remember(self, totals: Totals) -> None:
        """Every moment of the last minute, and one in `STEP_S` before that."""
        if self._fine:
            totals = _shared(self._fine[-1], totals)
        self._fine.append(totals)
        while self._fine and self._fine[0].at_unix_s < totals.at_unix_s - FINE_S:
            old = self._fine.popleft()
            if not self._coarse or old.at_unix_s - self._coarse[-1].at_unix_s >= STEP_S - READ_EVERY_S / 2:
                self._coarse.append(old)
        while self._coarse and self._coarse[0].at_unix_s < totals.at_unix_s - REMEMBERED_S - STEP_S:
            self._coarse.popleft()

    def rests(self, took_s: float) -> float | None:
        """How long until the next reading, in seconds; None where nobody has looked for long, and none comes."""
        self._has_read.set()
        with self._lock:
            if time.monotonic() - self._asked_s > REMEMBERED_S:
                self._thread = None
                return None
        return max(READ_EVERY_S, took_s * REST_RATIO)


def _run(watch_ref: ref[GatewayWatch]) -> None:
    """Read again and again; ends when nobody looks, or the server of the watch is gone."""
    rest_s: float | None = 0.0
    while rest_s is not None:
        time.sleep(rest_s)
        watch = watch_ref()
        if watch is None:
            return
        began_s = time.monotonic()
        watch.read()
        rest_s = watch.rests(time.monotonic() - began_s)
        del watch


def _shared(before: Totals, after: Totals) -> Totals:
    """Models that did nothing are kept once, however many moments remember them."""
    models: dict[str, ModelTotals] = {}
    for name, each in after.models.items():
        old = before.models.get(name)
        models[name] = old if old == each else each
    return replace(after, models=models)


def _slow(client: GatewayClient, reading_s: float) -> Trouble:
    return Trouble(
        "silent",
        f"{client.address} has been answering for {reading_s:.0f} s and is not done.",
        ("Look whether the gateway's control process has a core, and what else asks for its metrics.",),
    )


def _denied(answer: Answer) -> Trouble:
    if answer.status_count == 403:
        return Trouble(
            "admin_disabled",
            "The gateway has no admin token configured, so it tells only health and metrics.",
            (f"Write `admin_token_env: {TOKEN_VARIABLE}` into gateway.yaml and start the gateway with that variable.",),
        )
    return Trouble(
        "wrong_token",
        "The gateway refused the admin token, so it tells only health and metrics.",
        (f"Start the dashboard with {TOKEN_VARIABLE} set to the token that the gateway was started with.",),
    )


def _not_a_gateway(client: GatewayClient, answer: Answer) -> Trouble:
    if answer.status_count in (404, 401, 403):
        hint = "That may be the gateway's public port: the admin port is the one under `admin:` in gateway.yaml."
    elif 300 <= answer.status_count < 400:
        hint = "It sends elsewhere, and the dashboard follows nobody: name the admin port itself."
    else:
        hint = "Compare --gateway with `admin:` in gateway.yaml."
    return Trouble(
        "not_a_gateway",
        f"{client.address} answers, but not with a gateway's metrics (status {answer.status_count}).",
        (hint,),
    )


_NO_TOKEN: Final = Trouble(
    "no_token",
    "The dashboard has no admin token, so the gateway tells it only health and metrics.",
    (f"Start it with {TOKEN_VARIABLE} set, to see budgets of keys, prices, and the policy's origin.",),
)
