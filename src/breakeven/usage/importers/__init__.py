"""Log formats. One file per format, each defining `IMPORTER`; nothing lists them, the folder is the list."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from breakeven.errors import UsageError, nearest
from breakeven.usage.importers.importer import Importer


@cache
def importers() -> dict[str, Importer]:
    """Every importer of this folder by name.

    >>> "breakeven" in importers()
    True
    """
    found: dict[str, Importer] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name == "importer":
            continue
        importer = import_module(f"{__name__}.{module.name}").IMPORTER
        assert isinstance(importer, Importer)
        found[importer.name] = importer
    return found


def importer_named(name: str) -> Importer:
    """The importer called `name`, or an error with the nearest right one."""
    if name not in importers():
        raise UsageError(f"no log format '{name}'; {nearest(name, list(importers()))}")
    return importers()[name]
