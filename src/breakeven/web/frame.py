"""Frame: what is around every page: navigation, theme, what is being worked on, and the template engine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

    from breakeven.web.page import Page, View


def render(view: View, page: Page, pages: tuple[Page, ...], request: Request) -> str:
    """A page as HTML."""
    desk = request.app.state.desk
    return str(
        environment()
        .get_template(view.template)
        .render(page=page, pages=pages, project=desk.project, running=desk.jobs.running(), **view.context)
    )


@cache
def environment() -> Environment:
    """Templates of the dashboard, and those of the reports below them (macros, charts); everything is escaped."""
    from jinja2 import ChoiceLoader, PackageLoader

    from breakeven.reports.page_frame import environment as report_environment

    made: Any = report_environment()
    made.loader = ChoiceLoader([PackageLoader("breakeven.web", "templates"), made.loader])
    return made  # type: ignore[no-any-return]
