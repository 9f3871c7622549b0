"""Key requests: making, listing and disabling keys by the admin API. A secret is shown once and never kept."""

from __future__ import annotations

import re
import secrets
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from breakeven.gateway.control.key_file import (
    KEYS_MAX_COUNT,
    KeyFile,
    keys_in_force,
    read_key_file,
    write_key_file,
)
from breakeven.gateway.plan import Key

SECRET_PREFIX: Final = "bk-"  # noqa: S105 - what begins a secret is none
SECRET_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,127}")
"""As in `config/schema.py`."""
_FLAGS: Final = ("may_override", "may_give_outcomes")
_AMOUNTS: Final[Mapping[str, float]] = {
    "budget_usd": 1e9,
    "budget_days": 3_660.0,
    "requests_per_minute": 1e9,
    "tokens_per_minute": 1e12,
}
"""Field -> the most it may be."""
_KNOWN: Final = frozenset({"id", "application", "models", "expires", *_FLAGS, *_AMOUNTS})
_SECONDS_PER_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Denied:
    """Why nothing was done."""

    http_status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key, and the secret that only its maker sees."""

    key: Key
    secret: str


class KeyDesk:
    """Makes and disables keys; one process writes the file, all read it."""

    def __init__(
        self,
        path: Path,
        configured: tuple[Key, ...],
        models: frozenset[str],
        make_secret: Callable[[], str] = lambda: SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES),
        now: Callable[[], float] = clock.time,
    ) -> None:
        self._now = now
        self._path = path
        self._make_secret = make_secret
        self.configured = configured
        self.models = models

    def all_keys(self) -> tuple[Key, ...]:
        """All keys, disabled ones marked."""
        return keys_in_force(self.configured, read_key_file(self._path))

    def make(self, body: bytes) -> MadeKey | Denied:
        """A new key as a body wants it."""
        file = read_key_file(self._path)
        secret = self._make_secret()
        key = _key(body, sha256(secret.encode()).digest(), self.models, self._now())
        if isinstance(key, Denied):
            return key
        if any(each.id == key.id for each in (*self.configured, *file.keys)):
            return Denied(409, "key_exists", f"there is a key '{key.id}'; choose another id, or disable that one")
        if len(file.keys) >= KEYS_MAX_COUNT:
            return Denied(409, "too_many_keys", f"there are {KEYS_MAX_COUNT:,} keys; delete some")
        write_key_file(self._path, KeyFile((*file.keys, key), file.disabled_ids - {key.id}))
        return MadeKey(key, secret)

    def set_disabled(self, key_id: str, is_disabled: bool) -> Key | Denied:
        """Shut a key, or open it again; also one of the configuration."""
        file = read_key_file(self._path)
        if not any(each.id == key_id for each in (*self.configured, *file.keys)):
            return _unknown(key_id)
        ids = file.disabled_ids | {key_id} if is_disabled else file.disabled_ids - {key_id}
        write_key_file(self._path, replace(file, disabled_ids=ids))
        return next(each for each in self.all_keys() if each.id == key_id)

    def delete(self, key_id: str) -> Denied | None:
        """Take a made key away for good."""
        file = read_key_file(self._path)
        if any(each.id == key_id for each in self.configured):
            return Denied(
                409, "key_in_configuration", f"'{key_id}' stands in the configuration; disable it, or edit that"
            )
        rest = tuple(each for each in file.keys if each.id != key_id)
        if len(rest) == len(file.keys):
            return _unknown(key_id)
        write_key_file(self._path, KeyFile(rest, file.disabled_ids - {key_id}))
        return None


def _unknown(key_id: str) -> Denied:
    return Denied(404, "unknown_key", f"no key '{key_id[:128]}'; GET /admin/keys lists them")


def _key(body: bytes, key_hash: bytes, models: frozenset[str], now_unix_s: float) -> Key | Denied:
    try:
        wanted = orjson.loads(body)
    except ValueError:
        return _invalid('the body is no JSON; wanted {"id": "team-a", "budget_usd": 100}')
    if not isinstance(wanted, dict):
        return _invalid('the body is no JSON object; wanted {"id": "team-a", "budget_usd": 100}')
    if unknown := sorted(set(wanted) - _KNOWN):
        return _invalid(f"unknown field {unknown[0][:60]!r}; known: {', '.join(sorted(_KNOWN))}")
    key_id = wanted.get("id")
    if not isinstance(key_id, str) or not _NAME.fullmatch(key_id):
        return _invalid("id: wanted letters, digits and . _ / : @ + -, beginning with a letter or digit")
    application = wanted.get("application")
    if application is not None and not (isinstance(application, str) and 0 < len(application) <= 128):
        return _invalid("application: wanted a text of up to 128 characters")
    allowed = _models(wanted.get("models"), models)
    amounts = _amounts(wanted)
    expires_s = _expiry(wanted.get("expires"), now_unix_s)
    for each in (allowed, amounts, expires_s):
        if isinstance(each, Denied):
            return each
    for flag in _FLAGS:
        if not isinstance(wanted.get(flag, False), bool):
            return _invalid(f"{flag}: wanted true or false")
    assert isinstance(allowed, tuple) and isinstance(amounts, dict) and not isinstance(expires_s, Denied)
    return Key(
        key_id,
        key_hash,
        application,
        allowed,
        wanted.get("may_override", False),
        wanted.get("may_give_outcomes", True),
        amounts.get("budget_usd"),
        amounts.get("budget_days", 30.0) * _SECONDS_PER_DAY,
        amounts.get("requests_per_minute"),
        amounts.get("tokens_per_minute"),
        expires_s,
    )


def _models(value: Any, known: frozenset[str]) -> tuple[str, ...] | Denied:
    names = [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        return _invalid("models: wanted a list of names")
    if known and (strange := sorted(set(names) - known)):
        return _invalid(f"models: no model {strange[0][:60]!r} is served; known: {', '.join(sorted(known)[:12])}")
    return tuple(names)


def _amounts(wanted: Mapping[str, Any]) -> dict[str, float] | Denied:
    found = {}
    for name, most in _AMOUNTS.items():
        value = wanted.get(name)
        if value is None:
            continue
        least = 0.0 if name == "budget_usd" else 1e-9
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            return _invalid(f"{name}: saw {str(value)[:60]}; wanted a number from {least:g} to {most:g}")
        found[name] = float(value)
    return found


def _expiry(value: Any, now_unix_s: float) -> float | Denied | None:
    """The end of the last day, as in the configuration."""
    if value is None:
        return None
    try:
        last_day = date.fromisoformat(value)
    except (TypeError, ValueError):
        return _invalid(
            f"expires: saw {str(value)[:60]!r}; wanted the last day on which it is taken, as 2027-01-31 (UTC)"
        )
    end_s = datetime.combine(last_day, time(), UTC).timestamp() + _SECONDS_PER_DAY
    if end_s <= now_unix_s:
        return _invalid(f"expires: {value} is over")
    return end_s


def _invalid(message: str) -> Denied:
    return Denied(400, "invalid_request", message)
