"""Slider session: the what-if session of a project, opened in the background and kept until what it read changes."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from breakeven.web import documents
from breakeven.web.jobs import Job

if TYPE_CHECKING:
    from breakeven.reports.sliders import Slider
    from breakeven.reports.whatif_session import WhatIfSession
    from breakeven.web.jobs import Say
    from breakeven.web.page import Desk
    from breakeven.web.shelf import Recipe

NAME: Final = "sliders"
TITLE: Final = "Preparing the sliders"
GARBAGE_THRESHOLD_COUNT: Final = 20_000
"""New objects after which the youngest are looked through for garbage."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, and what it was opened on."""

    key: str
    """That of the comparison of the same calls, scenario, catalogue and date."""
    session: WhatIfSession
    sliders: tuple[Slider, ...]


def session(desk: Desk, patience_s: float = 0.0, asked: Recipe | Job | None = None) -> Opened | Job:
    """The session of the project as it is now, or the job that opens it; `asked`: the recipe of the comparison, where
    it is at hand.

    Raises UsageError where there are no calls.
    """
    asked = asked or documents.comparison_recipe(desk)
    if isinstance(asked, Job):
        return asked
    key = asked.key
    job = _last(desk, key) or desk.jobs.start(f"{NAME} {key}", TITLE, lambda say: _open(desk, key, say))
    job.wait(patience_s)
    return job.result if isinstance(job.result, Opened) else job


def _last(desk: Desk, key: str) -> Job | None:
    """The job that opens it, did, or could not; None: nobody tried, or it gave way to a newer one."""
    last = desk.jobs.last(f"{NAME} {key}")
    gave_way = last is not None and (
        (last.state == "done" and last.result is None) or (last.state == "cancelled" and not last.is_given_up)
    )
    return None if gave_way else last


def _open(desk: Desk, key: str, say: Say) -> Opened:
    from breakeven.reports.warm_up import warm_up
    from breakeven.reports.whatif_session import WhatIfSession

    warm_up(draws_charts=True)
    with documents.question(desk) as asked:
        made = WhatIfSession.open(asked, say)
        say("trying the sliders")
        made.practise()
        opened = Opened(key, made, made.sliders())
    _forget_others(desk, key)
    stop_looking_through_it()
    return opened


def stop_looking_through_it() -> None:
    """A session is there to stay: looking for garbage among all that it holds would cost a move a fifth of a second.

    A move leaves some thousands of objects, nearly all of them to be kept as well: it is looked at after a few moves,
    and not several times within each.
    """
    gc.unfreeze()  # what an earlier session left
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD_COUNT, 10, 10)


def _forget_others(desk: Desk, key: str) -> None:
    """A session holds every draw of every option: one is enough."""
    for job in desk.jobs.every():
        if job.name.startswith(f"{NAME} ") and job.name != f"{NAME} {key}" and job.state != "running":
            job.result = None
