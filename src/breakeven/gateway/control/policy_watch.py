"""Policy watch: keeps the policy of a process up to date: a good version within a second, a bad one never."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from breakeven.errors import PolicyError
from breakeven.gateway.control.cautions import policy_cautions
from breakeven.gateway.control.file_watch import PERIOD_S, FileWatch
from breakeven.gateway.control.policy_fit import Fit, fits_always
from breakeven.gateway.control.policy_shelf import Chosen, PolicyShelf, choose, watched_paths
from breakeven.routing.policy_file import LoadedPolicy


class Telling(Protocol):
    """What it asks of `telemetry/counters.py`."""

    def count(self, name: str, n: float = 1, label: str = "") -> None:
        """Add to a counter."""
        ...

    def serves_policy(self, policy_hash: str | None, kind: str = "") -> None:
        """Which policy is in force."""
        ...


class Saying(Protocol):
    """What it asks of `telemetry/json_log.py`."""

    def say(self, event: str, level: str = "info", **fields: str | int | float | bool | None) -> None:
        """One line."""
        ...


class PolicyWatch:
    """The policy of a process."""

    def __init__(
        self,
        policy_folder: Path,
        state_folder: Path,
        give: Callable[[LoadedPolicy], None],
        counters: Telling,
        log: Saying,
        period_s: float = PERIOD_S,
        fit: Fit = fits_always,
    ) -> None:
        """`give` is called in a thread of the watch; hand over with `loop.call_soon_threadsafe`.

        A version that does not `fit` (`policy_fit.fits_models`) is refused like one that cannot be read.
        """
        self._fit = fit
        self.shelf = PolicyShelf(state_folder)
        self._folder = policy_folder
        self._give = give
        self._counters = counters
        self._log = log
        self._hash: str | None = None
        self._watch = FileWatch(
            watched_paths(policy_folder, self.shelf), self._chosen, self._taken, self._refused, period_s
        )

    def first(self) -> LoadedPolicy | None:
        """The policy to begin with; None, said aloud, where no version can be read: then the default model serves."""
        try:
            chosen = self._chosen()
        except PolicyError as error:
            self._refused(str(error))
            return None
        self._note(chosen)
        return chosen.policy

    def start(self) -> None:
        """Look for changes from now on."""
        self._watch.start()

    def look(self) -> None:
        """One look, for those who have no thread."""
        self._watch.look()

    def close(self) -> None:
        """End."""
        self._watch.close()

    def _chosen(self) -> Chosen:
        return choose(self._folder, self.shelf, self._fit)

    def _taken(self, chosen: Chosen) -> None:
        if chosen.trouble:
            self._refused(chosen.trouble)
            if self._hash is not None:
                return
        if chosen.policy.hash != self._hash:
            self._note(chosen)
            self._give(chosen.policy)

    def _note(self, chosen: Chosen) -> None:
        if chosen.trouble and self._hash is None:
            self._refused(chosen.trouble)
        self._hash = chosen.policy.hash
        self._counters.serves_policy(chosen.policy.hash, chosen.policy.kind)
        self._log.say(
            "policy",
            hash=chosen.policy.hash,
            kind=chosen.policy.kind,
            is_pinned=chosen.is_pinned,
            folder=str(self._folder),
        )
        for each in policy_cautions(chosen.policy.document):
            self._log.say("policy_caution", "warning", what=each)

    def _refused(self, why: str) -> None:
        self._counters.count("policy_errors_total")
        self._log.say("policy_refused", "error", why=why, kept=self._hash or "none")
