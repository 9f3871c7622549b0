"""Warm up: load what an answer needs later while a log is read, which leaves a processor idle."""

from __future__ import annotations

from threading import Thread


def warm_up(*, draws_charts: bool) -> Thread:
    """Load the Sobol points' library, and start the drawing engine, in the background; nobody has to wait for it."""
    thread = Thread(target=_load, args=(draws_charts,), name="warm up", daemon=False)
    thread.start()
    return thread


def _load(draws_charts: bool) -> None:
    from scipy.stats import qmc as _  # noqa: F401 loaded for facts.draws

    if draws_charts:
        from breakeven.reports.charts import to_svg

        to_svg({"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {}})
