"""Guard: what stands before every request: who may come in, from where, with how much, and for how long."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match

from breakeven.web.access import Access

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # no-referrer would make browsers send "Origin: null" with our own forms
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
METHODS: Final = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
LOGIN_PATH: Final = "/login"
OPEN_FOLDER: Final = "/static/"
"""These two may be seen before signing in."""
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
FORM_MAX_BYTES: Final = 256 * 2**10
FIRST_PART_MAX_BYTES: Final = 4 * 2**10
HEAD_MAX_BYTES: Final = 32 * 2**10
TARGET_MAX_BYTES: Final = 8 * 2**10
FORM_WAIT_S: Final = 20.0
"""A whole form has to come within this time."""
PIECE_WAIT_S: Final = 30.0
"""Each piece of an upload has to come, and each piece of an answer has to go, within this time."""
CSRF_HEADER: Final = "x-breakeven-csrf"
CSRF_FIELD: Final = "csrf"
_FIRST_PART: Final = re.compile(
    rb'\A--[^\r\n]{1,100}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n([0-9a-f]{1,128})\r\n--', re.IGNORECASE
)
_HOST: Final = re.compile(r"\A(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?\Z")
Broken = Callable[[Request, Exception], Awaitable[Response]]
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def body_limit(body_max_bytes: int) -> Callable[[Endpoint], Endpoint]:
    """Decorates a route's handler that takes more than a form: how many bytes, as a stream, never whole in memory."""

    def marked(endpoint: Endpoint) -> Endpoint:
        endpoint.body_max_bytes = body_max_bytes  # type: ignore[attr-defined]
        return endpoint

    return marked


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A request that goes no further."""

    status_count: int
    words: str


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, access: Access, routes: Sequence[BaseRoute], broken: Broken) -> None:
        self._app, self._access, self._routes, self._broken = app, access, routes, broken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        closed = _WithHeaders(send, scope)
        try:
            early = self._early(scope)
            if early is not None:
                await early(scope, receive, closed)
                return
            body = _Body(receive, self._body_max_bytes(scope), scope)
            if scope["method"] not in SAFE_METHODS:
                await self._needs_token(scope, body)
            await self._app(scope, body.receive, closed)
        except Refusal as refusal:
            if not closed.has_begun:
                await _refused(scope, refusal)(scope, receive, closed)
        except (ClientDisconnect, _Unread):
            return
        except Exception as error:
            response = await self._broken(Request(scope), error)
            if not closed.has_begun:
                await response(scope, receive, closed)

    def _early(self, scope: Scope) -> Response | None:
        """What is answered before the body is read; None: it may go on."""
        headers = Headers(scope=scope)
        if scope["method"] not in METHODS:
            raise Refusal(405, f"{scope['method']} is not answered here.")
        if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > HEAD_MAX_BYTES:
            raise Refusal(431, "The head of the request is too long.")
        if len(scope.get("raw_path", b"")) + len(scope.get("query_string", b"")) > TARGET_MAX_BYTES:
            raise Refusal(414, "The address is too long.")
        self._check_host(headers)
        _check_where_from(scope, headers)
        return self._check_who(scope, headers)

    def _check_host(self, headers: Headers) -> None:
        """An address that was not ours when the page was opened may be made to point here (DNS rebinding)."""
        hosts = headers.getlist("host")
        found = _HOST.match(hosts[0]) if len(hosts) == 1 else None
        if found is None:
            raise Refusal(400, "The request names no host, or not one.")
        if not self._access.is_closed and found["name"].lower() not in LOOPBACK_NAMES:
            raise Refusal(
                421, "This dashboard answers to localhost and 127.0.0.1 only; another name needs a password or a token."
            )

    def _check_who(self, scope: Scope, headers: Headers) -> Response | None:
        access = self._access
        scope["breakeven.session"], scope["breakeven.stranger"] = "", access.is_closed
        if not access.is_closed:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and access.is_token(given.strip()):
            scope["breakeven.bearer"], scope["breakeven.stranger"] = True, False
            return None
        session = access.session_of(_cookie(headers, access.cookie_name), time.time())
        if session is not None:
            scope["breakeven.session"], scope["breakeven.stranger"] = session, False
            return None
        path = scope["path"]
        if path == LOGIN_PATH or path.startswith(OPEN_FOLDER):
            return None
        if path.startswith("/api/") or scope["method"] not in SAFE_METHODS:
            raise Refusal(401, "Sign in first.")
        query = scope.get("query_string", b"").decode("latin-1")
        token = parse_qs(query).get("token", [""])[0]
        rest = re.sub(r"(?:^|&)token=[^&]*", "", query).lstrip("&")
        target = path + (f"?{rest}" if rest else "")
        if not is_local_path(target):
            target = "/"
        if token and access.is_token(token):
            response = _once_more(target) if _is_from_elsewhere(headers) else RedirectResponse(target, 303)
            return signed_in(access, response, is_secure(scope))
        if _is_from_elsewhere(headers):
            return _once_more(target)
        return RedirectResponse(f"{LOGIN_PATH}?next={quote(target, safe='')}", 303)

    async def _needs_token(self, scope: Scope, body: _Body) -> None:
        """A form or a script of ours brings the token of its session; nobody else can read it."""
        if scope.get("breakeven.bearer"):
            return
        headers = Headers(scope=scope)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        given = headers.get(CSRF_HEADER, "")
        if not given and kind == "application/x-www-form-urlencoded":
            given = parse_qs((await body.whole()).decode("latin-1")).get(CSRF_FIELD, [""])[0]
        elif not given and kind == "multipart/form-data":
            found = _FIRST_PART.match(await body.beginning())
            given = found[1].decode("ascii") if found else ""
        if not self._access.is_csrf_token(scope["breakeven.session"], given):
            raise Refusal(
                403,
                "This form was opened before the dashboard was started again, or it is not one of the dashboard's own. "
                "Nothing was changed. Go back, load the page again, and send it once more.",
            )

    def _body_max_bytes(self, scope: Scope) -> int:
        for route in self._routes:
            limit: int | None = getattr(getattr(route, "endpoint", None), "body_max_bytes", None)
            if limit is not None and route.matches(scope)[0] is Match.FULL:
                return limit
        return FORM_MAX_BYTES


def signed_in(access: Access, response: Response, secure: bool) -> Response:
    """The answer to somebody who has just signed in, with the cookie of a new session."""
    cookie = access.new_session(time.time())
    response.set_cookie(access.cookie_name, cookie, httponly=True, samesite="strict", secure=secure, path="/")
    return response


def is_local_path(path: str) -> bool:
    """Whether a browser that is sent to `path` stays on this server.

    >>> is_local_path("/usage?x=1"), is_local_path("//evil.example"), is_local_path("/\\\\evil.example")
    (True, False, False)
    """
    plain = path.isprintable() and "\\" not in path
    return plain and path.startswith("/") and not path.startswith("//")


def is_let_in(scope: Scope) -> bool:
    """Whether somebody may see what is in the project: always, where nobody has to sign in."""
    return not scope.get("breakeven.stranger", False)


def is_secure(scope: Scope) -> bool:
    """Whether the browser speaks TLS: to us, or to the proxy before us."""
    return bool(scope.get("scheme") == "https")


def _check_where_from(scope: Scope, headers: Headers) -> None:
    """Other sites may link here; they may not embed pages, read documents or send forms."""
    site = headers.get("sec-fetch-site", "")
    if scope["method"] in SAFE_METHODS:
        opens = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"
        if site in ("cross-site", "same-site") and not opens:
            raise Refusal(403, "Another site asked for this.")
        return
    if site not in ("", "same-origin", "none"):
        raise Refusal(403, "Another site sent this form. Nothing was changed.")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers["host"].lower():
        raise Refusal(403, "Another site sent this form. Nothing was changed.")


def _is_from_elsewhere(headers: Headers) -> bool:
    return headers.get("sec-fetch-site", "") in ("cross-site", "same-site")


def _once_more(target: str) -> Response:
    """Somebody followed a link from another site: browsers then leave the session's cookie out, so we ask again."""
    address = html.escape(target, quote=True)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>breakeven</title>'
        f'<meta http-equiv="refresh" content="0; url={address}"></head>'
        f'<body><p><a href="{address}">Open the dashboard</a></p></body></html>'
    )


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _refused(scope: Scope, refusal: Refusal) -> Response:
    close = {"connection": "close"} if refusal.status_count in (408, 413) else {}
    if scope["path"].startswith("/api/") or "application/json" in Headers(scope=scope).get("accept", ""):
        facts = {"error": {"type": "Refused", "message": refusal.words}}
        return JSONResponse(facts, refusal.status_count, headers=close)
    return PlainTextResponse(refusal.words, refusal.status_count, headers=close)


class _Body:
    """The body of a request: counted, timed, and read ahead as far as the token needs it."""

    def __init__(self, receive: Receive, body_max_bytes: int, scope: Scope) -> None:
        self._receive, self._body_max_bytes = receive, body_max_bytes
        self._is_form = body_max_bytes <= FORM_MAX_BYTES
        self._deadline_s = time.monotonic() + FORM_WAIT_S
        self._seen_count = 0
        self._ahead: list[Message] = []
        given = Headers(scope=scope).get("content-length", "0")
        if not given.isdigit() or int(given) > body_max_bytes:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next piece, for the application."""
        return self._ahead.pop(0) if self._ahead else await self._next()

    async def whole(self) -> bytes:
        """All of it, at most a form's worth; the application gets it again."""
        return await self._read_ahead(lambda _: False, FORM_MAX_BYTES)

    async def beginning(self) -> bytes:
        """As much as shows the first field; the application gets it again."""
        return await self._read_ahead(lambda text: text.count(b"\r\n--") > 0, FIRST_PART_MAX_BYTES)

    async def _read_ahead(self, is_enough: Callable[[bytes], bool], most_bytes: int) -> bytes:
        text, more = b"", True
        while more and not is_enough(text) and len(text) <= most_bytes:
            message = await self._next()
            self._ahead.append(message)
            if message["type"] != "http.request":
                break
            text += message.get("body", b"")
            more = message.get("more_body", False)
        return text

    async def _next(self) -> Message:
        wait_s = self._deadline_s - time.monotonic() if self._is_form else PIECE_WAIT_S
        try:
            message = await asyncio.wait_for(self._receive(), max(wait_s, 0.0))
        except TimeoutError:
            raise Refusal(408, "The request came too slowly.") from None
        if message["type"] == "http.request":
            self._seen_count += len(message.get("body", b""))
            if self._seen_count > self._body_max_bytes:
                raise self._too_large()
        return message

    def _too_large(self) -> Refusal:
        size = f"{self._body_max_bytes / 2**20:,.1f} MiB"
        return Refusal(413, f"This is more than is taken here ({size}). Nothing was changed.")


class _WithHeaders:
    """Puts the headers on every answer, and gives up on clients that do not read."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send, self._path = send, scope["path"]
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if not self._path.startswith("/static/") or message["status"] >= 400:
                headers["cache-control"] = "no-store"
        try:
            await asyncio.wait_for(self._send(message), PIECE_WAIT_S)
        except TimeoutError:
            raise _Unread from None


class _Unread(Exception):
    """The other side does not read what we send."""
