"""Page: one view of the dashboard: its name and title, what it reads, and what else it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    said: tuple[tuple[str, str], ...] = ()
    """Every key and value of the URL, in order; a key may be said more than once."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status_count: int = 200


@dataclass(frozen=True, slots=True)
class Part:
    """What lies below a path and belongs to a page, and is called otherwise."""

    path: str
    title: str
    about: str

    def holds(self, path: str) -> bool:
        """Whether `path` is its own or below it."""
        return f"{path}/".startswith(f"{self.path}/")


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
    parts: tuple[Part, ...] = ()
    """Those of its routes that have a title of their own, also while they wait or cannot be shown."""

    def at(self, path: str) -> Page:
        """The page as it is called at `path`."""
        part = next((each for each in self.parts if each.holds(path)), None)
        return replace(self, title=part.title, about=part.about) if part else self


def page_at(pages: Sequence[Page], path: str) -> Page:
    """The page that answers at `path`, as it is called there; the first one where none does."""
    name = path.split("/")[1]
    for page in pages:
        if page.name == name or any(part.holds(path) for part in page.parts):
            return page.at(path)
    return pages[0]
