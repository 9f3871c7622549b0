"""Policy shelf: copies of the last policies that were in force, for a step back and for bad files.

`STATE/policies/HASH/` holds the copies, `index.json` their order, `pin.json` a step back. A pin says which version it
stands in place of: as soon as the policy folder holds yet another version, that one is in force and the pin is void.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from breakeven.errors import PolicyError
from breakeven.gateway.atomic_file import replace_file
from breakeven.gateway.control.policy_fit import Fit, fits_always
from breakeven.routing.policy_file import ARRAYS_NAME, JSON_NAME, LoadedPolicy, load

FOLDER_NAME: Final = "policies"
KEPT_COUNT: Final = 10
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pin:
    """A step back."""

    hash: str
    """Of the version that is in force ..."""
    instead_of: str
    """... while the policy folder holds this one."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The policy that is in force."""

    policy: LoadedPolicy
    is_pinned: bool = False
    trouble: str = ""
    """Why it is not the one in the policy folder, where that could not be read."""


class PolicyShelf:
    """The shelf of one gateway. Only the control process writes it; relays read."""

    def __init__(self, state_folder: Path) -> None:
        self.folder = state_folder / FOLDER_NAME

    @property
    def index_path(self) -> Path:
        """The versions that were in force, oldest first."""
        return self.folder / "index.json"

    @property
    def pin_path(self) -> Path:
        """The step back, if any."""
        return self.folder / "pin.json"

    def hashes(self) -> tuple[str, ...]:
        """Versions on the shelf, oldest first."""
        found = _plain(self.index_path).get("hashes")
        good = [each for each in found if _is_hash(each)] if isinstance(found, list) else []
        return tuple(each for each in good if (self.folder / each / JSON_NAME).is_file())

    def pin(self) -> Pin | None:
        """The step back that was asked for."""
        found = _plain(self.pin_path)
        if _is_hash(found.get("hash")) and _is_hash(found.get("instead_of")):
            return Pin(found["hash"], found["instead_of"])
        return None

    def copy(self, policy: LoadedPolicy, folder: Path) -> bool:
        """Keep a version; True when it is new. What changed while it was copied is not kept."""
        before = self.hashes()
        if policy.hash in before:
            if before[-1] != policy.hash:  # an older version is back: what is newest here is what came last
                self._keep((*(each for each in before if each != policy.hash), policy.hash))
            return False
        target = self.folder / policy.hash
        spare = self.folder / f".{policy.hash}.tmp"
        shutil.rmtree(spare, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)
        spare.mkdir(mode=0o700, parents=True)
        for name in (ARRAYS_NAME, JSON_NAME):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, spare / name)
        if load(spare).hash != policy.hash:
            shutil.rmtree(spare, ignore_errors=True)
            raise PolicyError(f"{folder} changed while it was copied; it is looked at again")
        spare.rename(target)
        self._keep((*before, policy.hash))
        return True

    def set_pin(self, pin: Pin | None) -> None:
        """Ask for a step back, or take it back."""
        plain = {} if pin is None else {"hash": pin.hash, "instead_of": pin.instead_of}
        replace_file(self.pin_path, orjson.dumps(plain))

    def read(self, policy_hash: str) -> LoadedPolicy:
        """A version of the shelf; PolicyError where it is damaged or is another than its name says."""
        found = load(self.folder / policy_hash)
        if found.hash != policy_hash:
            raise PolicyError(f"{self.folder / policy_hash} holds version {found.hash[:12]}; delete that folder")
        return found

    def _keep(self, hashes: tuple[str, ...]) -> None:
        kept, pin = list(hashes[-KEPT_COUNT:]), self.pin()
        if pin is not None:
            kept = [each for each in (pin.hash, pin.instead_of) if each in hashes and each not in kept] + kept
        replace_file(self.index_path, orjson.dumps({"hashes": kept}))
        for each in self.folder.iterdir():
            if each.is_dir() and each.name not in kept:
                shutil.rmtree(each, ignore_errors=True)


def choose(policy_folder: Path, shelf: PolicyShelf, fit: Fit = fits_always) -> Chosen:
    """The policy in force: the folder's, unless a pin stands in its place or it cannot be read or does not fit.

    Raises PolicyError where the folder's cannot be used and no version was in force before.
    """
    try:
        current = load(policy_folder)
        fit(current)
    except (PolicyError, OSError) as error:
        return _last_good(shelf, error, fit)
    pin = shelf.pin()
    if pin is None or pin.instead_of != current.hash:
        return Chosen(current)
    try:
        before = shelf.read(pin.hash)
        fit(before)
        return Chosen(before, is_pinned=True)
    except (PolicyError, OSError) as error:
        return Chosen(current, trouble=f"the version to go back to cannot be read: {error}")


def watched_paths(policy_folder: Path, shelf: PolicyShelf) -> tuple[Path, ...]:
    """The files whose change may change the policy in force."""
    return (policy_folder / JSON_NAME, policy_folder / ARRAYS_NAME, shelf.pin_path)


def _last_good(shelf: PolicyShelf, error: Exception, fit: Fit) -> Chosen:
    pin = shelf.pin()
    hashes = [*shelf.hashes(), *([pin.hash] if pin is not None else [])]
    for each in reversed(hashes):
        try:
            found = shelf.read(each)
            fit(found)
            return Chosen(found, trouble=str(error))
        except (PolicyError, OSError):
            continue
    raise error if isinstance(error, PolicyError) else PolicyError(str(error))


def _plain(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None
