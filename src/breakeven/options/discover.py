"""Discovery: every module in this folder (or entry point) that offers `OPTIONS`. No list to edit."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from breakeven import options as folder
from breakeven.errors import UnknownName, nearest
from breakeven.options.option import Option

ENTRY_POINT_GROUP = "breakeven.options"
OPTION_ALIASES: Final[Mapping[str, str]] = {
    "api": "frontier_api",
    "today": "frontier_api",
    "tier": "cheaper_tier",
    "batch": "batch_api",
    "broker": "brokered",
    "deepseek": "deepseek_api",
    "owned": "owned_gpus",
    "spot": "rented_spot",
}
"""Short name -> name of the option."""
OPTION_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "managed": ("managed_",),
    "rented": ("rented_",),
    "self_host": ("rented_", "owned_gpus", "small_gpu"),
}
"""Word -> the beginnings of the names of all options it stands for."""


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


def options_said(said: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the options that `said` stands for, each once, in that order; refuses an unknown word.

    >>> options_said(("api", "spot", "managed"))[:3]
    ('frontier_api', 'rented_spot', 'managed_huggingface')
    """
    everything = discover_options() if said else {}
    found: dict[str, None] = {}
    for word in said:
        name = OPTION_ALIASES.get(word, word)
        beginnings = OPTION_GROUPS.get(word, ())
        names = [name] if name in everything else [each for each in everything if each.startswith(beginnings)]
        if not names:
            known = nearest(word, [*everything, *OPTION_ALIASES, *OPTION_GROUPS])
            raise UnknownName(f"no option named '{word}'; {known}")
        found.update(dict.fromkeys(names))
    return tuple(found)


def select_options(names: tuple[str, ...]) -> dict[str, Option]:
    """The named Options in the order given, or all when no name is given; refuses an unknown name."""
    everything = discover_options()
    for name in names:
        if name not in everything:
            raise UnknownName(f"no option named '{name}'; {nearest(name, list(everything))}")
    return {name: everything[name] for name in names} if names else everything
