"""Key file: the keys that the admin API made, as hashes, and the ids of all keys that it disabled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import orjson

from breakeven.errors import ConfigError
from breakeven.gateway.atomic_file import replace_file
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.plan import Key

KEYS_NAME: Final = "keys.json"
FORMAT_VERSION: Final = 1
KEYS_MAX_COUNT: Final = 100_000
_NAMES: Final = frozenset(each.name for each in fields(Key))


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What the admin API has decided about keys."""

    keys: tuple[Key, ...] = ()
    disabled_ids: frozenset[str] = frozenset()
    """Also of keys of the configuration, so that a leaked one can be shut at once."""


def key_file_path(settings: GatewaySettings) -> Path:
    """Where it lies."""
    return settings.keys_file or settings.state_folder / KEYS_NAME


def read_key_file(path: Path) -> KeyFile:
    """What the file says; nothing where there is none. ConfigError where it is damaged: no key is lost silently."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return KeyFile()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        found = orjson.loads(content)
        version = found["version"]
        if version != FORMAT_VERSION:
            raise ConfigError(f"{path}: its version is {version!r}; this breakeven reads {FORMAT_VERSION}")
        return KeyFile(tuple(_key(each) for each in found["keys"]), frozenset(map(str, found["disabled_ids"])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path}: damaged ({type(error).__name__}); put a copy of it back, or delete it and make the keys again"
        ) from None


def write_key_file(path: Path, file: KeyFile) -> None:
    """Replace the file; OSError leaves the old one."""
    plain = {
        "version": FORMAT_VERSION,
        "keys": [_plain(each) for each in file.keys],
        "disabled_ids": sorted(file.disabled_ids),
    }
    replace_file(path, orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n")


def keys_in_force(configured: Iterable[Key], file: KeyFile) -> tuple[Key, ...]:
    """All keys, the configuration's first; an id of the configuration is never taken over by a made key."""
    found = {each.id: each for each in configured}
    for key in file.keys:
        found.setdefault(key.id, key)
    return tuple(replace(each, is_disabled=True) if each.id in file.disabled_ids else each for each in found.values())


def _plain(key: Key) -> dict[str, Any]:
    plain = {name: getattr(key, name) for name in sorted(_NAMES)}
    return plain | {"key_hash": key.key_hash.hex(), "allowed_models": list(key.allowed_models)}


def _key(plain: dict[str, Any]) -> Key:
    values = {name: value for name, value in plain.items() if name in _NAMES}
    values["key_hash"] = bytes.fromhex(values["key_hash"])
    if len(values["key_hash"]) != 32 or not isinstance(values["id"], str) or not values["id"]:
        raise ValueError("no key")
    values["allowed_models"] = tuple(map(str, values.get("allowed_models", ())))
    return Key(**values)
