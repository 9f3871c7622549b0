"""Results file: reads a file of results of any known tool, recognised by what is in it."""

from __future__ import annotations

import json
import pkgutil
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from breakeven.bench import readers
from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.readers.reader import Content, Reader
from breakeven.errors import BenchError

SIZE_MAX_BYTES_COUNT: Final = 2**30
"""guidellm keeps every request in its report; beyond this something else is being read."""


def read_points(path: Path) -> tuple[MeasuredPoint, ...]:
    """The measured points of a file; raises BenchError when it cannot be read, is of no known tool, or holds none."""
    content = _content(path)
    for reader in all_readers():
        if reader.recognises(content):
            points = reader.read(content)
            if not points:
                raise BenchError(f"{path}: results of {reader.title} without one request that succeeded")
            return points
    known = ", ".join(reader.title for reader in all_readers())
    raise BenchError(f"{path}: not the results of a tool known here ({known}); wanted the file that the tool saved")


@lru_cache(maxsize=1)
def all_readers() -> tuple[Reader, ...]:
    """Every file of the folder that has a READER."""
    names = sorted(each.name for each in pkgutil.iter_modules(readers.__path__))
    modules = (import_module(f"{readers.__name__}.{name}") for name in names if name != "reader")
    return tuple(module.READER for module in modules)


def _content(path: Path) -> Content:
    try:
        if path.stat().st_size > SIZE_MAX_BYTES_COUNT:
            raise BenchError(f"{path}: more than {SIZE_MAX_BYTES_COUNT:,} bytes; wanted a file of results")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BenchError(
            f"{path}: not UTF-8 at byte {error.start}; wanted a file of results (JSON, YAML, CSV)"
        ) from None
    if path.suffix.lower() in (".yaml", ".yml"):
        return Content(path.name, text, _yaml(path, text))
    return Content(path.name, text, _json_documents(text))


def _json_documents(text: str) -> tuple[Any, ...]:
    """One JSON document, or one per line; nothing when it is neither."""
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        pass
    try:
        return tuple(json.loads(line) for line in text.splitlines() if line.strip())
    except (ValueError, RecursionError):
        return ()


def _yaml(path: Path, text: str) -> tuple[Any, ...]:
    import yaml

    try:
        return (yaml.safe_load(text),)
    except yaml.YAMLError as error:
        raise BenchError(f"{path}: no YAML: {' '.join(str(error).split())[:200]}") from None
