"""Discovery: every module in this folder (or entry point) that offers `OPTIONS`. No list to edit."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.metadata import entry_points

from breakeven import options as folder
from breakeven.errors import UnknownName, nearest
from breakeven.options.option import Option

ENTRY_POINT_GROUP = "breakeven.options"


def discover_options() -> dict[str, Option]:
    """All Options by name: the folder's in alphabetical order of their modules, then those of other packages."""
    modules = [import_module(f"{folder.__name__}.{each.name}") for each in pkgutil.iter_modules(folder.__path__)]
    modules += [entry.load() for entry in entry_points(group=ENTRY_POINT_GROUP)]
    found: dict[str, Option] = {}
    for module in modules:
        for option in getattr(module, "OPTIONS", ()):
            if option.name in found:
                raise UnknownName(f"two options are named '{option.name}'; rename the one in {module.__name__}")
            found[option.name] = option
    return found


def select_options(names: tuple[str, ...]) -> dict[str, Option]:
    """The named Options in the order given, or all when no name is given; refuses an unknown name."""
    everything = discover_options()
    for name in names:
        if name not in everything:
            raise UnknownName(f"no option named '{name}'; {nearest(name, list(everything))}")
    return {name: everything[name] for name in names} if names else everything
