"""Page: one view of the dashboard: its name and title, what it reads, and what else it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from breakeven.web.jobs import Job, Jobs
from breakeven.web.project import Project
from breakeven.web.shelf import Shelf

if TYPE_CHECKING:
    from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page works with; one for the life of the server."""

    project: Project
    jobs: Jobs
    shelf: Shelf
    today: Callable[[], date]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for a page."""

    desk: Desk
    query: Mapping[str, str]
    """The last value of each key in the URL."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status_count: int = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One view; `pages/NAME.py` holds it as `PAGE`."""

    name: str
    """Also the name of its path and its template; the first page is the start."""
    title: str
    place_count: int
    """Its place in the navigation."""
    about: str
    """One sentence: what question it answers."""
    view: Callable[[Ask], View | Job]
    """Runs in a thread. A Job: what is shown is still being made; the page says how far, and comes back."""
    routes: tuple[Route, ...] = ()
    """What else it answers, below `/NAME/`; a handler finds the Desk in `request.app.state.desk`."""
