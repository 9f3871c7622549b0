"""Readiness: what is loaded before the first page is asked for, and whether the arithmetic was ever compiled here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
FIRST: Final = ("base.html.j2", "working.html.j2", "empty.html.j2")
COMPILES: Final = (
    "The first comparison on this machine also compiles its arithmetic, once: that takes a minute or two more, "
    "later ones take seconds."
)


def load_ahead() -> None:
    """Load what the first page needs, so that nobody waits for it: documents, the engine, the templates."""
    from importlib import import_module

    for name in ("breakeven.web.documents", "breakeven.reports.answer", "breakeven.usage.store", "duckdb", "ibis"):
        import_module(name)
    from breakeven.web.frame import environment

    made = environment()
    made.auto_reload = False  # what runs is of one version, also while another one is being installed
    for name in FIRST:
        made.get_template(name)
    Thread(target=_load_templates, name="templates", daemon=True).start()


def _load_templates() -> None:
    """The others, while the first page is looked at."""
    from breakeven.web.frame import environment

    for path in sorted(TEMPLATES.glob("*.j2")):
        environment().get_template(path.name)


def words_of_first_time(folder: Callable[[], Path | None] | None = None) -> str:
    """What a person who waits should know where the kernels are still to be compiled; empty where they are."""
    where = folder() if folder else _kernels_folder()
    if where is None:
        return ""
    return "" if any(where.glob("**/kernel.*.nbi")) else COMPILES


def _kernels_folder() -> Path | None:
    """Where numba keeps the horizon's kernels; None where that is not said."""
    from importlib.util import find_spec

    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    spec = find_spec("breakeven.decision.horizon")
    return Path(spec.origin).parent / "__pycache__" if spec and spec.origin else None
