"""Process: a relay as a process of its own: its parts put together; new settings, keys and policies taken; drained."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Final, Protocol, TypeVar

import uvloop

from breakeven.errors import BreakevenError
from breakeven.gateway.admission.engine import Engine
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.control.file_watch import FileWatch
from breakeven.gateway.control.key_file import KeyFile, key_file_path, keys_in_force, read_key_file
from breakeven.gateway.control.policy_fit import fits_models
from breakeven.gateway.control.policy_watch import PolicyWatch
from breakeven.gateway.limits.shared_limits import FILE_NAME, SharedLimits
from breakeven.gateway.metering.audit_keeping import AuditKeeping
from breakeven.gateway.metering.write_ahead import WriteAhead, write_ahead_folder
from breakeven.gateway.plan import Key
from breakeven.gateway.ports import Limits
from breakeven.gateway.relay.server import Relay, start
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.json_log import JsonLog
from breakeven.gateway.telemetry.snapshot_file import SnapshotWriter, last_snapshot
from breakeven.routing.policy_file import LoadedPolicy

T = TypeVar("T")
_GARBAGE_THRESHOLD_COUNT: Final = 50_000
"""Requests leave no cycles behind; looking for them every 700 objects costs more than everything else here."""


class Ready(Protocol):
    """What the parent waits for."""

    def set(self) -> None:
        """Clients may come."""
        ...


class KeyedLimits(Limits, Protocol):
    """Limits that learn of keys, and put down what waits at the end."""

    def close(self) -> Awaitable[None] | None:
        """Ends; awaitable where something must still be told to another machine."""
        ...

    def set_keys(self, keys: tuple[Key, ...]) -> None:
        """The keys from now on."""
        ...


def main(settings: GatewaySettings, process_index: int, ready: Ready, pipe: Connection) -> None:
    """Serves until SIGTERM; `pipe` brings new settings."""
    with ExitStack() as stack:
        process = RelayProcess(settings, process_index, stack)
        uvloop.run(process.serve(ready, pipe))


class RelayProcess:
    """The parts of one relay process."""

    def __init__(self, settings: GatewaySettings, process_index: int, stack: ExitStack) -> None:
        name = f"relay-{process_index}"
        folder = settings.state_folder
        self._index = process_index
        self._stack = stack
        self._settings = settings
        self._relay: Relay | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._policies: PolicyWatch | None = None
        self.counters = Counters(process_index, last_snapshot(folder, name))
        self.log = JsonLog(name, self.counters)
        stack.callback(self.log.close)
        self.counters.on_trouble = self.log.request_trouble
        self.counters.on_mistake = self.log.mistake
        snapshots = SnapshotWriter(self.counters, folder, name)
        snapshots.start()
        stack.callback(snapshots.close)
        self._keys = read_key_file(key_file_path(settings))
        self.sink = WriteAhead(write_ahead_folder(folder), process_index, settings.durability, self.counters)
        stack.callback(self.sink.close)
        self._audit = AuditKeeping(folder, process_index, self.counters)
        stack.callback(self._audit.close)
        keyed = self._keyed(settings)
        self.limits = limits_of(keyed, process_index, self.counters)
        self.engine = Engine(keyed, self._first_policy(), self.limits, self.sink, self.counters)

    async def serve(self, ready: Ready, pipe: Connection) -> None:
        """Until SIGTERM, and then until what is under way is done."""
        loop = self._loop = asyncio.get_running_loop()
        self.sink.start(loop)
        warm = getattr(self.limits, "warm", None)
        if warm is not None:  # limits on another machine: connected before clients come
            await warm()
        relay = self._relay = await start(self._settings, self.engine, self.sink, self.counters, True, self._audit)
        path = key_file_path(self._settings)
        watch = FileWatch([path], lambda: read_key_file(path), self._soon(self._take_keys), self._refuse_keys)
        watch.start()
        self._stack.callback(watch.close)
        if self._policies is not None:
            self._policies.start()
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_reader(pipe.fileno(), self._read_settings, pipe)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE_THRESHOLD_COUNT, 20, 50)
        ready.set()
        await stop.wait()
        loop.remove_reader(pipe.fileno())
        self.log.say("draining", requests=relay.open_requests_count)
        await relay.drain()
        closing = self.limits.close()
        if closing is not None:
            await closing

    def _first_policy(self) -> LoadedPolicy | None:
        settings = self._settings
        if settings.policy_folder is None:
            return None
        give = self._soon(self.engine_takes)
        self._policies = PolicyWatch(
            settings.policy_folder,
            settings.state_folder,
            give,
            self.counters,
            self.log,
            fit=fits_models(lambda: self._settings.models),
        )
        self._stack.callback(self._policies.close)
        return self._policies.first()

    def engine_takes(self, policy: LoadedPolicy) -> None:
        """Another version of the policy."""
        self.engine.swap_policy(policy)

    def _read_settings(self, pipe: Connection) -> None:
        try:
            settings = pipe.recv()
        except (EOFError, OSError):
            assert self._loop is not None
            self._loop.remove_reader(pipe.fileno())
            return
        self._take_settings(settings)

    def _take_settings(self, settings: GatewaySettings) -> None:
        keyed = self._keyed(settings)
        try:
            self.limits.set_keys(keyed.keys)
            self.engine.reload(keyed)
        except BreakevenError as error:
            self.counters.count("reload_errors_total")
            self.log.say("not_reloaded", "error", why=str(error), kept="the settings in force stay")
            return
        self._settings = settings
        if self._relay is not None:
            self._relay.reload(keyed)

    def _take_keys(self, keys: KeyFile) -> None:
        self._keys = keys
        self._take_settings(self._settings)

    def _refuse_keys(self, why: str) -> None:
        self.counters.count("reload_errors_total")
        self.log.say("keys_refused", "error", why=why, kept="the keys in force stay")

    def _keyed(self, settings: GatewaySettings) -> GatewaySettings:
        """With the keys that the admin API made, and without those that it disabled."""
        return replace(settings, keys=keys_in_force(settings.keys, self._keys))

    def _soon(self, take: Callable[[T], None]) -> Callable[[T], None]:
        """What a thread hands over is taken in the loop."""

        def give(value: T) -> None:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(take, value)

        return give


def limits_of(settings: GatewaySettings, process_index: int, counters: Counters) -> KeyedLimits:
    """Limits that are shared through Redis where one is configured, else among the processes of this machine."""
    if settings.redis_url is not None:
        from breakeven.gateway.limits.redis_limits import RedisLimits

        return RedisLimits(settings.redis_url, settings.keys, counters)
    is_shared = settings.processes_count > 1
    return SharedLimits(settings.state_folder / FILE_NAME, settings.keys, process_index, is_shared=is_shared)
