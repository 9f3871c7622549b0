"""Live parts: a piece of a page that a browser asks for again and again: 304 while nothing changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from breakeven.web.frame import environment, plain_context, url_of
from breakeven.web.line_ends import kept_together


async def live_reply(request: Request, template: str, context: Callable[[], Mapping[str, Any]]) -> Response:
    """The piece, or 304 where the browser has it already."""

    def made() -> str:
        pages = request.app.state.pages
        frame = {
            "url_of": lambda name, **query: url_of(pages, name, **query),
            "project": request.app.state.desk.project,
        }
        found = environment().get_template(template)
        return kept_together(found.render({**plain_context(request), **frame, **context()}))

    text = await run_in_threadpool(made)
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(text, headers=headers)
