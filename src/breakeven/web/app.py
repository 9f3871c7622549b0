"""The application: every page at its path, the guard before them, and errors that say what to do."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from breakeven.web import pages
from breakeven.web.frame import render
from breakeven.web.jobs import Job
from breakeven.web.page import Ask, Desk, Page, View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

STATIC = Path(__file__).parent / "static"


def application(desk: Desk) -> Starlette:
    """The dashboard of one project."""
    found = discover_pages()
    routes: list[Route | Mount] = []
    for page in found:
        routes.append(Route(path_of(page, found), _handler(page, found)))
        routes += page.routes
    routes.append(Mount("/static", StaticFiles(directory=STATIC)))
    app = Starlette(routes=routes)
    app.state.desk = desk
    app.state.pages = found
    return app


def discover_pages() -> tuple[Page, ...]:
    """The pages of the folder, in the order of the navigation."""
    found = [import_module(f"{pages.__name__}.{each.name}").PAGE for each in pkgutil.iter_modules(pages.__path__)]
    return tuple(sorted(found, key=lambda each: each.place_count))


def path_of(page: Page, every: tuple[Page, ...]) -> str:
    """The first page is the start."""
    return "/" if page is every[0] else f"/{page.name}"


def _handler(page: Page, every: tuple[Page, ...]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        ask = Ask(request.app.state.desk, dict(request.query_params))
        shown = await run_in_threadpool(page.view, ask)
        if isinstance(shown, Job):
            shown = View("working.html.j2", {"job": shown})
        text = await run_in_threadpool(render, shown, page, every, request)
        return HTMLResponse(text, shown.status_count)

    return answer
