"""State of the control process: what its pages read and change."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from hmac import compare_digest
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

from breakeven.errors import PolicyError
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.control.file_watch import FileWatch
from breakeven.gateway.control.key_file import key_file_path
from breakeven.gateway.control.key_requests import KeyDesk
from breakeven.gateway.control.outcome_store import OutcomeStore, outcomes_path
from breakeven.gateway.control.policy_fit import fits_models
from breakeven.gateway.control.policy_shelf import Chosen, Pin, PolicyShelf, choose
from breakeven.gateway.control.trace_thread import TraceThread
from breakeven.gateway.limits.key_state import KeySpend
from breakeven.gateway.plan import Key
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.json_log import JsonLog
from breakeven.routing.policy_file import ARRAYS_NAME, JSON_NAME, LoadedPolicy, load

LIMITS_REST_S: Final = 5.0
"""Limits that cannot be read are not asked again for so long: a page of many keys must not wait for each."""


class Spending(Protocol):
    """What it asks of `limits/`."""

    def spend(self, key: Key, now_unix_s: float) -> KeySpend | Awaitable[KeySpend]:
        """What a key has used."""
        ...

    def close(self) -> object:
        """Give back what it holds; perhaps awaitable."""
        ...


@dataclass(frozen=True, slots=True)
class StepBack:
    """What a step back did, or why it could not."""

    pin: Pin | None
    why_not: str = ""
    is_unknown: bool = False
    """The version that was asked for is not kept."""


class ControlState:
    """One per control process. Blocking methods are called in a thread, one at a time."""

    def __init__(self, settings: GatewaySettings, counters: Counters, log: JsonLog) -> None:
        self.settings = settings
        self.counters = counters
        self.log = log
        self.is_draining = False
        self.shelf = PolicyShelf(settings.state_folder)
        self._fit = fits_models(lambda: self.settings.models)
        self.outcomes = OutcomeStore(outcomes_path(settings.state_folder))
        self.keys = KeyDesk(key_file_path(settings), settings.keys, frozenset(settings.models))
        self._limits: Spending | None = None
        self._limits_rest_until_s = 0.0
        self._policy_watch: FileWatch[LoadedPolicy] | None = None
        self._traces: TraceThread | None = None
        self._watch_policy()
        self._begin_traces()

    def change(self, settings: GatewaySettings) -> None:
        """New settings."""
        old, self.settings = self.settings, settings
        self.keys = KeyDesk(key_file_path(settings), settings.keys, frozenset(settings.models))
        if old.policy_folder != settings.policy_folder:
            self._watch_policy()
        if old.trace_endpoint != settings.trace_endpoint:
            self._begin_traces()

    def drains(self) -> None:
        """The relays are ending: the gateway is not ready any more."""
        self.is_draining = True

    def close(self) -> None:
        """End."""
        if self._policy_watch is not None:
            self._policy_watch.close()
        if self._traces is not None:
            self._traces.close()
        self.outcomes.close()

    def is_admin(self, token: bytes | None) -> bool:
        """Whether a token is the administrator's; takes as long for a wrong one."""
        from hashlib import sha256

        wanted = self.settings.admin_token_hash
        return wanted is not None and token is not None and compare_digest(sha256(token).digest(), wanted)

    async def spend(self, key: Key) -> KeySpend | None:
        """What a key has used; None where that cannot be told now, and then not asked again for some seconds."""
        if time.monotonic() < self._limits_rest_until_s:
            return None
        try:
            if self._limits is None:
                self._limits = _limits_of(self.settings)
            found = self._limits.spend(key, time.time())
            return await found if inspect.isawaitable(found) else found
        except Exception as error:  # Redis has errors of its own, and only `limits/` may know it
            self._limits_rest_until_s = time.monotonic() + LIMITS_REST_S
            self.log.say("spend_unknown", "warning", why=f"{type(error).__name__}: {error}")
            return None

    async def close_limits(self) -> None:
        """Give back what `spend` opened."""
        limits, self._limits = self._limits, None
        if limits is not None:
            closed: Any = limits.close()
            if inspect.isawaitable(closed):
                await closed

    def chosen_policy(self) -> Chosen | None:
        """The policy that relays ought to serve; None without a policy folder. PolicyError where there is none."""
        folder = self.settings.policy_folder
        return None if folder is None else choose(folder, self.shelf, self._fit)

    def policy_since_unix_s(self, chosen: Chosen | None) -> float | None:
        """When the policy in force was written, or gone back to; None where that cannot be told."""
        folder = self.settings.policy_folder
        if chosen is None or folder is None or chosen.trouble:
            return None
        try:
            return (self.shelf.pin_path if chosen.is_pinned else folder / JSON_NAME).stat().st_mtime
        except OSError:
            return None

    def reload_policy(self) -> None:
        """Have every process read the policy again, whatever its files look like."""
        self.shelf.set_pin(self.shelf.pin())

    def step_back(self, wanted: str | None = None) -> StepBack:
        """Put the version before the one in force in its place, or the one that is `wanted`, by its hash."""
        chosen = self.chosen_policy()
        folder = self.settings.policy_folder
        if chosen is None or folder is None:
            return StepBack(None, "no policy is configured")
        hashes = self.shelf.hashes()
        if wanted is not None and wanted not in hashes:
            return StepBack(None, "no such version is kept; GET /admin/policy lists them", is_unknown=True)
        if wanted is not None:
            return self._pinned(wanted, folder)
        if chosen.policy.hash not in hashes:
            return StepBack(None, "the version in force is not on the shelf yet; try again in a second")
        at = hashes.index(chosen.policy.hash)
        if at == 0:
            return StepBack(None, "no version was in force before this one")
        return self._pinned(hashes[at - 1], folder)

    def _pinned(self, policy_hash: str, folder: Path) -> StepBack:
        try:
            instead_of = load(folder).hash
        except PolicyError as error:
            return StepBack(None, f"the policy folder cannot be read, and the last good version is in force: {error}")
        before = self.shelf.read(policy_hash)
        self._fit(before)
        pin = Pin(before.hash, instead_of)
        self.shelf.set_pin(pin)
        self.log.say("policy_step_back", "warning", hash=pin.hash, instead_of=pin.instead_of)
        return StepBack(pin)

    def _watch_policy(self) -> None:
        if self._policy_watch is not None:
            self._policy_watch.close()
            self._policy_watch = None
        folder = self.settings.policy_folder
        if folder is None:
            return
        watch = FileWatch(
            (folder / JSON_NAME, folder / ARRAYS_NAME),
            lambda: self._copied(folder),
            lambda _policy: None,
            lambda why: self.log.say("policy_not_kept", "warning", why=why),
        )
        try:
            self._copied(folder)
        except (PolicyError, OSError) as error:
            self.log.say("policy_not_kept", "warning", why=str(error))
        watch.start()
        self._policy_watch = watch

    def _begin_traces(self) -> None:
        if self._traces is not None:
            self._traces.close()
            self._traces = None
        if self.settings.trace_endpoint is not None:
            if find_spec("opentelemetry") is None:
                self.log.say("no_traces", "error", why="not installed: pip install 'breakeven[otel]'")
                return
            self._traces = TraceThread(self.settings.trace_endpoint, self.settings.state_folder, self.counters)
            self._traces.start()

    def _copied(self, folder: Path) -> LoadedPolicy:
        policy = load(folder)
        self._fit(policy)
        self.shelf.copy(policy, folder)
        return policy


def _limits_of(settings: GatewaySettings) -> Spending:
    if settings.redis_url is not None:
        from breakeven.gateway.limits.redis_limits import RedisLimits

        found: Any = RedisLimits(settings.redis_url, ())
        return found  # type: ignore[no-any-return]
    from breakeven.gateway.limits.shared_limits import FILE_NAME, SharedLimits

    return SharedLimits(settings.state_folder / FILE_NAME, ())
