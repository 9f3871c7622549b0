"""The application: every page at its path, the guard before them, and errors that say what to do."""

from __future__ import annotations

import logging
import pkgutil
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from breakeven.errors import BreakevenError, EditConflict
from breakeven.web import desk_routes, pages
from breakeven.web.access import Access, Throttle
from breakeven.web.frame import url_of
from breakeven.web.guard import Guard, is_let_in
from breakeven.web.looks import REPORT_CSS, STATIC, report_css
from breakeven.web.page import Desk, Page, View, page_at
from breakeven.web.replies import framed, wants_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_LOG = logging.getLogger(__name__)


def application(desk: Desk, access: Access | None = None) -> Starlette:
    """The dashboard of one project; without `access` it answers to everybody who calls it by a loopback name."""
    found = discover_pages()
    access = access or Access()
    routes: list[BaseRoute] = []
    for page in found:
        routes += [Route(url_of(found, page.name), _handler(page)), *page.routes]
    routes += desk_routes.ROUTES
    routes.append(Route(f"/static/{REPORT_CSS}", _report_css))
    routes.append(Mount("/static", _Static(directory=STATIC)))
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, access=access, routes=tuple(routes), broken=_broken)],
        exception_handlers={BreakevenError: _said, HTTPException: _not_there},
    )
    app.state.desk, app.state.pages, app.state.access, app.state.throttle = desk, found, access, Throttle()
    return app


def discover_pages() -> tuple[Page, ...]:
    """The pages of the folder, in the order of the navigation."""
    names = [each.name for each in pkgutil.iter_modules(pages.__path__)]
    modules = [import_module(f"{pages.__name__}.{name}") for name in names]
    found = [each.PAGE for each in modules if hasattr(each, "PAGE")]
    return tuple(sorted(found, key=lambda each: each.place_count))


def _handler(page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await framed(request, page, page.view)

    return answer


class _Static(StaticFiles):
    """Files whose address changes with what is in them may be kept for good."""

    async def get_response(self, path: str, scope: Any) -> Response:
        response = await super().get_response(path, scope)
        is_pinned = b"v=" in scope.get("query_string", b"")
        response.headers["cache-control"] = "max-age=31536000, immutable" if is_pinned else "no-cache"
        return response


async def _report_css(_request: Request) -> Response:
    return Response(report_css(), media_type="text/css", headers={"cache-control": "max-age=31536000, immutable"})


async def _said(request: Request, error: Exception) -> Response:
    """An error of ours: the words that the command line prints."""
    status_count = 409 if isinstance(error, EditConflict) else 400
    title = "Somebody else changed this meanwhile" if status_count == 409 else "This cannot be shown"
    return await _error_reply(request, status_count, type(error).__name__, str(error), title)


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = str(error.detail)
    if words == HTTPStatus(error.status_code).phrase:  # nobody said more than the number
        usual = {404: f"There is no page {request.url.path} here.", 405: f"{request.method} is not answered here."}
        words = usual.get(error.status_code, words)
    title = "Not here" if error.status_code == 404 else "Not answered"
    return await _error_reply(request, error.status_code, "HTTPException", words, title)


async def _broken(request: Request, error: Exception) -> Response:
    """A mistake of ours; what it was stands in the server's own log."""
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    words = f"breakeven made a mistake ({type(error).__name__}); the terminal where it runs shows where."
    try:
        return await _error_reply(request, 500, type(error).__name__, words, "A mistake of breakeven's")
    except Exception:  # also in what is around every page
        return PlainTextResponse(words, 500)


async def _error_reply(request: Request, status_count: int, kind: str, words: str, title: str) -> Response:
    words = request.app.state.desk.project.without_places(words)
    if wants_json(request):
        return JSONResponse({"error": {"type": kind, "message": words}}, status_count)
    if not is_let_in(request.scope):
        return PlainTextResponse(words, status_count)
    page = page_at(request.app.state.pages, request.url.path)
    may_try_again = status_count == 400 and request.method == "GET"
    view = View("error.html.j2", {"title": title, "error": words, "may_try_again": may_try_again}, status_count)
    return await framed(request, page, view)
