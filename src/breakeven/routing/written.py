"""Written: how the files of this room are named by their content, and appear whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def content_hash(plain: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a file, without its `hash`; ValueError where a number is not finite."""
    rest = {key: value for key, value in plain.items() if key != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def no_constant(name: str) -> float:
    """For `json.loads(parse_constant=...)`: NaN and infinities are no numbers of JSON."""
    raise ValueError(f"{name} is no number of JSON")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
