"""Frame: what is around every page: navigation, theme, what is being worked on, and the template engine.

Every template finds, beside its view's own context: `page`, `pages`, `project`, `project_name`, `running` (jobs),
`theme` (auto, light, dark), `csrf` (the token) and `csrf_field` (it as the hidden field that every form begins with),
`here` (this page's address, for `next`), `url_of(name, **query)` (address of a page), `static_of(file)` (address of a
static file), `version`. A macro that uses one of them is imported `with context`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from breakeven import __version__
from breakeven.reports.chart_style import LINES
from breakeven.reports.safe_text import safe
from breakeven.web.line_ends import kept_together
from breakeven.web.looks import static_of

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup
    from starlette.requests import Request

    from breakeven.web.page import Page, View

THEMES: Final = ("auto", "light", "dark")
THEME_COOKIE: Final = "breakeven_theme"


def render(view: View, page: Page, request: Request) -> str:
    """A page as HTML."""
    desk, pages = request.app.state.desk, request.app.state.pages
    context = {
        "page": page,
        "pages": pages,
        "hatches": range(len(LINES)),
        "project": desk.project,
        "project_name": desk.project.name,
        "running": desk.jobs.running(),
        "url_of": lambda name, **query: url_of(pages, name, **query),
        "may_sign_out": request.app.state.access.is_closed,
        **plain_context(request),
    }
    return kept_together(environment().get_template(view.template).render(context | dict(view.context)))


def plain_context(request: Request) -> dict[str, Any]:
    """What also a page without navigation has."""
    from markupsafe import Markup

    token = request.app.state.access.csrf_token(request.scope.get("breakeven.session", ""))
    theme = request.cookies.get(THEME_COOKIE, "auto")
    query = f"?{request.url.query}" if request.url.query else ""
    return {
        "theme": theme if theme in THEMES else "auto",
        "csrf": token,
        "csrf_field": Markup('<input type="hidden" name="csrf" value="{}">').format(token),
        "here": request.url.path + query if request.method in ("GET", "HEAD") else "/",
        "static_of": static_of,
        "version": __version__,
    }


def url_of(pages: tuple[Page, ...], name: str, **query: object) -> str:
    """Address of a page; the first page is the start. A value of None is left out."""
    path = "/" if name == pages[0].name else f"/{name}"
    asked = urlencode({key: value for key, value in query.items() if value is not None})
    return f"{path}?{asked}" if asked else path


@cache
def environment() -> Environment:
    """Templates of the dashboard, and those of the reports below them (macros, charts); everything is escaped."""
    from jinja2 import ChoiceLoader, PackageLoader

    from breakeven.reports.html import report_environment

    made: Any = report_environment()
    made.loader = ChoiceLoader([PackageLoader("breakeven.web", "templates"), made.loader])
    made.filters["in_lines"] = in_lines
    return made  # type: ignore[no-any-return]


def in_lines(text: str) -> Markup:
    """A text of several lines, each safe for itself and as far in as it was: a mark stays below what it marks.

    >>> str(in_lines("  gpu: [<b>\\n   ^"))
    '  gpu: [&lt;b&gt;\\n   ^'
    """
    from markupsafe import Markup

    return Markup("\n").join(" " * (len(each) - len(each.lstrip(" "))) + safe(each) for each in text.splitlines())
