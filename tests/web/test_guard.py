"""The guard against real sockets: strangers, other sites, forged forms, large, slow and crooked requests."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from breakeven.web import app as app_module
from breakeven.web import guard, serving
from breakeven.web.access import Access, Sealed, token_digest
from breakeven.web.guard import CONTENT_SECURITY_POLICY, FORM_MAX_BYTES, body_limit
from breakeven.web.page import Ask, Page, View
from breakeven.web.project import Project
from web.dashboards import server_of
from web.made_project import desk_of
from web.raw_http import get, post, read, send, token_of

PASSWORD, TOKEN = "correct horse battery", "a-token-of-some-length-42"
UPLOAD_MAX_BYTES = 3 * 2**20
BIG_MIB = 64
peaks: list[int] = []


@body_limit(UPLOAD_MAX_BYTES)
async def take(request: Request) -> PlainTextResponse:
    """Counts what comes, piece by piece."""
    count = 0
    async for piece in request.stream():
        count += len(piece)
        peaks.append(len(piece))
    return PlainTextResponse(f"{count} bytes")


async def give(_request: Request) -> StreamingResponse:
    """More than any buffer between us and a client holds."""
    return StreamingResponse((b"x" * 2**20 for _ in range(BIG_MIB)), media_type="text/plain")


def fail(_ask: Ask) -> View:
    secret = "sk-canary-in-a-local-variable"
    raise RuntimeError(f"wrong: {len(secret)}")


PAGE = Page(
    "probe",
    "Probe",
    99,
    "what tests ask",
    fail,
    (Route("/probe/take", take, methods=["POST"]), Route("/probe/give", give)),
)


@contextmanager
def dashboard(tmp_path: Any, access: Access | None = None) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        every = (*app_module.discover_pages(), PAGE)
        patch.setattr(app_module, "discover_pages", lambda: every)
        folder = tmp_path / "acme"
        folder.mkdir(exist_ok=True)
        (folder / "secret.txt").write_text("canary-file")
        with server_of(desk_of(Project.at(folder)), access) as url:
            yield url


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An open dashboard on loopback."""
    with dashboard(tmp_path_factory.mktemp("open")) as address:
        yield address


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One with a password and a token."""
    access = Access(Sealed.of(PASSWORD), token_digest(TOKEN), "breakeven_ui_1")
    with dashboard(tmp_path_factory.mktemp("closed"), access) as address:
        yield address


# who calls it by which name


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "LOCALHOST", "localhost:9999", "[::1]:{}"])
def test_it_answers_to_loopback_names(url: str, host: str) -> None:
    assert get(url, host=host.format(urlsplit(url).port)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8500",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "169.254.169.254",
        "[::2]",
    ],
)
def test_a_name_that_was_made_to_point_here_gets_nothing(url: str, host: str) -> None:
    answer = get(url, host=host)
    assert answer.status == 421
    assert "<html" not in answer.body


@pytest.mark.parametrize("host", ["", "a b", "localhost/", "user@localhost", "localhost:port", "localhost\x00"])
def test_a_crooked_host_is_refused(url: str, host: str) -> None:
    request = f"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n".encode("latin-1")
    assert send(url, request).status in (400, 421)


def test_two_hosts_or_none_are_refused(url: str) -> None:
    assert send(url, b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n").status == 400
    assert send(url, b"GET / HTTP/1.1\r\n\r\n").status == 400
    assert send(url, b"GET / HTTP/1.0\r\n\r\n").status == 400


# other sites


def test_other_sites_cannot_send_forms_even_with_the_token(url: str) -> None:
    form = f"csrf={token_of(url)}&theme=dark"
    home = urlsplit(url).netloc
    assert post(url, "/theme", form).status == 303
    assert post(url, "/theme", form, origin=f"http://{home}", sec_fetch_site="same-origin").status == 303
    for origin in ("https://evil.example", "null", f"http://{home}.evil.example", "http://localhost:1", "file://"):
        assert post(url, "/theme", form, origin=origin).status == 403
    for site in ("cross-site", "same-site", "strange"):
        assert post(url, "/theme", form, sec_fetch_site=site).status == 403


@pytest.mark.parametrize("path", ["/", "/api/jobs", "/static/ui.css"])
def test_other_sites_may_link_here_and_nothing_else(url: str, path: str) -> None:
    navigates = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert get(url, path, **navigates).status == 200
    for mode, dest in (("cors", "empty"), ("no-cors", "script"), ("no-cors", "image"), ("navigate", "iframe")):
        said = {"sec_fetch_site": "cross-site", "sec_fetch_mode": mode, "sec_fetch_dest": dest}
        assert get(url, path, **said).status == 403
    assert get(url, path, sec_fetch_site="same-site", sec_fetch_mode="cors", sec_fetch_dest="empty").status == 403


# forms


@pytest.mark.parametrize("form", ["", "csrf=", "csrf=00", "theme=dark", "CSRF={}", "xcsrf={}", "csrf={}0"])
def test_a_form_without_its_token_changes_nothing(url: str, form: str) -> None:
    answer = post(url, "/theme", form.format(token_of(url)))
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    assert "Nothing was changed" in answer.body


def test_the_token_may_come_in_a_header(url: str) -> None:
    token = token_of(url)
    said = {"content_type": "application/json", "x_breakeven_csrf": token}
    assert post(url, "/probe/take", "{}", **said).body == "2 bytes"
    assert post(url, "/probe/take", "{}", **(said | {"x_breakeven_csrf": token[:-1]})).status == 403
    assert post(url, "/probe/take", f"csrf={token}", content_type="text/plain").status == 403


def test_the_token_is_this_servers_alone(url: str, closed: str) -> None:
    assert post(url, "/theme", f"csrf={token_of(closed)}").status == 403


def multipart(*parts: tuple[str, bytes]) -> bytes:
    lines = [b'--XX\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v) for n, v in parts]
    return b"".join(lines) + b"--XX--\r\n"


def test_an_upload_brings_the_token_as_its_first_field(url: str) -> None:
    kind = "multipart/form-data; boundary=XX"
    token = token_of(url).encode()
    good = multipart(("csrf", token), ("file", b"x" * 100_000))
    answer = post(url, "/probe/take", good, content_type=kind)
    assert (answer.status, answer.body) == (200, f"{len(good)} bytes")
    for bad in (
        multipart(("file", b"x" * 100_000), ("csrf", token)),
        multipart(("file", b"x")),
        multipart(("csrf", token[:-1] + b"g")),
        multipart(("csrf", b"0" * 64), ("csrf", token)),
        b"",
        b"--XX",
    ):
        assert post(url, "/probe/take", bad, content_type=kind).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "GETX"])
def test_other_methods_need_the_token_or_are_not_answered(url: str, method: str) -> None:
    target = "localhost:1" if method == "CONNECT" else "/theme"
    answer = send(url, f"{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n".encode())
    assert answer.status in (400, 403, 405)
    assert "access-control-allow-origin" not in answer.headers


# headers


@pytest.mark.parametrize("path", ["/", "/no-such-page", "/api/jobs", "/static/ui.css", "/static/report.css", "/probe"])
def test_every_answer_has_the_headers(url: str, path: str) -> None:
    headers = get(url, path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "'unsafe-inline'" not in CONTENT_SECURITY_POLICY.partition("script-src")[2].partition(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert ("immutable" in headers["cache-control"] or headers["cache-control"] in ("no-store", "no-cache")) == (
        path.startswith("/static") or headers["cache-control"] == "no-store"
    )
    assert "server" not in headers


def test_refusals_have_them_too(url: str) -> None:
    for answer in (get(url, host="evil.example"), post(url, "/theme"), get(url, "/" + "a" * 9_000)):
        assert answer.status in (421, 403, 414)
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["cache-control"] == "no-store"


def test_pages_hold_no_inline_script_and_no_handler(url: str) -> None:
    for path in ("/", "/usage", "/login", "/no-such-page"):
        body = get(url, path).body
        assert "<script>" not in body
        assert " onclick" not in body and " onload" not in body and "javascript:" not in body


# size


def test_a_form_has_a_forms_size(url: str) -> None:
    token = token_of(url)
    small = f"csrf={token}&theme=dark&x=" + "x" * (FORM_MAX_BYTES - 200)
    assert post(url, "/theme", small).status == 303
    assert post(url, "/theme", small + "x" * 400).status == 413
    chunked = b"%x\r\n%s\r\n" % (FORM_MAX_BYTES + 1, b"x" * (FORM_MAX_BYTES + 1)) + b"0\r\n\r\n"
    head = b"POST /theme HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n"
    head += b"x-breakeven-csrf: %s\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\n" % token.encode()
    assert send(url, head + chunked).status == 413


def test_an_announced_giant_is_refused_before_it_comes(url: str) -> None:
    head = f"POST /probe/take HTTP/1.1\r\nhost: localhost\r\ncontent-length: {10**12}\r\n\r\n".encode()
    assert send(url, head).status == 413
    crooked = b"POST /probe/take HTTP/1.1\r\nhost: localhost\r\ncontent-length: +5\r\n\r\nhello"
    assert send(url, crooked).status in (400, 413)


def test_an_upload_has_its_own_limit_and_is_never_whole_in_memory(url: str) -> None:
    token = token_of(url)
    said = {"x_breakeven_csrf": token, "content_type": "application/octet-stream"}
    peaks.clear()
    assert post(url, "/probe/take", b"x" * UPLOAD_MAX_BYTES, **said).body == f"{UPLOAD_MAX_BYTES} bytes"
    assert max(peaks) < UPLOAD_MAX_BYTES / 4
    assert post(url, "/probe/take", b"x" * (UPLOAD_MAX_BYTES + 1), **said).status == 413


def test_heads_and_addresses_have_limits(url: str) -> None:
    assert get(url, "/?" + "a" * 9_000).status == 414
    many = "".join(f"x-{number}: {'y' * 100}\r\n" for number in range(600))
    assert send(url, f"GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n".encode()).status in (400, 431)


# time


def test_a_head_that_trickles_is_cut_off(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEAD_WAIT_S", 0.3)
    with dashboard(tmp_path) as address:
        with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), timeout=30) as silent:
            assert silent.recv(1) == b""
        with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), timeout=0.02) as trickling:
            assert any(is_cut_off(trickling, bytes([each])) for each in b"GET / HTTP/1.1\r\nx: " + b"y" * 10_000)
        assert get(address).status == 200


def is_cut_off(connection: socket.socket, byte: bytes) -> bool:
    """Send a byte, wait a moment, and see whether the other side is still there."""
    try:
        connection.sendall(byte)
        return connection.recv(10) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "FORM_WAIT_S", 0.3)
    monkeypatch.setattr(guard, "PIECE_WAIT_S", 0.3)
    with dashboard(tmp_path) as address:
        token = token_of(address)
        for path, kind in (("/theme", "application/x-www-form-urlencoded"), ("/probe/take", "text/plain")):
            head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\ncontent-type: {kind}\r\n"
            assert send(address, f"{head}x-breakeven-csrf: {token}\r\n\r\nabc".encode()).status == 408


def test_who_does_not_read_is_cut_off_and_keeps_nobody_waiting(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PIECE_WAIT_S", 0.3)
    with dashboard(tmp_path) as address:
        port = urlsplit(address).port or 0
        idle = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(20)]
        for each in idle:
            each.sendall(b"GET /probe/give HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert get(address).status == 200
        time.sleep(1.0)  # nobody reads
        for each in idle:
            assert count_of(each) < BIG_MIB * 2**20
            each.close()


def count_of(connection: socket.socket) -> int:
    """Bytes until the other side ends."""
    count = 0
    try:
        while piece := connection.recv(2**20):
            count += len(piece)
    except ConnectionResetError:
        pass
    return count


# files


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/%2e%2e%2fapp.py",
        "/static/..%5capp.py",
        "/static/..\\app.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/....//app.py",
        "/static/%252e%252e/app.py",
        "/static/ui.css%00.png",
        "/static/",
        "/static",
        "/../../../../etc/passwd",
        "//etc/passwd",
        "/templates/base.html.j2",
        "/.breakeven/manifest.json",
        "/secret.txt",
        "/static/../../../../secret.txt",
    ],
)
def test_no_path_leads_out_of_the_static_files(url: str, path: str) -> None:
    answer = get(url, path)
    assert answer.status in (400, 404, 405, 307)
    for leaked in ("canary-file", "root:", "def application", "{% block"):
        assert leaked not in answer.body


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\r\nset-cookie: x", ""]
)
def test_forms_lead_back_to_this_server_only(url: str, target: str) -> None:
    from urllib.parse import quote

    answer = post(url, "/theme", f"csrf={token_of(url)}&theme=dark&next={quote(target, safe='')}")
    assert answer.status == 303
    assert answer.headers["location"] == "/"
    assert answer.headers["set-cookie"].startswith("breakeven_theme=dark")


# crooked bytes


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nhost: localhost\r\nbad header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : localhost\r\n\r\n",
        b"POST /theme HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /theme HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /theme HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"\r\n\r\n\r\n\r\nGET",
    ],
)
def test_crooked_requests_end_in_an_error_or_an_end(url: str, request_: bytes) -> None:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        answer = read(connection)
    assert answer.status in (0, 400, 403, 501)
    assert "Traceback" not in answer.body
    assert get(url).status == 200


# errors


def test_mistakes_show_no_traceback(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        page, script = get(url, "/probe"), get(url, "/probe", accept="application/json")
    assert (page.status, script.status) == (500, 500)
    for body in (page.body, script.body):
        assert "RuntimeError" in body
        for leaked in ("Traceback", "canary", ".py", "wrong:"):
            assert leaked not in body


# password and token


def test_strangers_see_the_form_and_nothing_else(closed: str) -> None:
    for path in ("/", "/usage", "/facts?x=1", "/no-such-page", "/probe"):
        answer = get(closed, path)
        assert answer.status == 303
        assert answer.headers["location"].startswith("/login?next=%2F")
    assert get(closed, "/api/jobs").status == 401
    assert post(closed, "/theme", f"csrf={token_of(closed)}").status == 401
    assert "Password" in get(closed, "/login").body
    assert get(closed, "/static/ui.css").status == 200
    for path in ("/login", "/loginx", "/static/nothing.css", "/static/..%2f..%2fapp.py"):
        assert "acme" not in get(closed, path).body
        assert "aria-current" not in get(closed, path).body


def sign_in(url: str, password: str, target: str = "/usage") -> Any:
    from urllib.parse import urlencode

    form = {"csrf": token_of(url), "password": password, "next": target}
    return post(url, "/login", urlencode(form))


def test_the_password_lets_in_and_the_cookie_is_kept_from_scripts_and_other_sites(closed: str) -> None:
    answer = sign_in(closed, PASSWORD)
    assert (answer.status, answer.headers["location"]) == (303, "/usage")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie  # plain HTTP; behind TLS it is
    name_and_value = cookie.partition(";")[0]
    page = get(closed, "/usage", cookie=name_and_value)
    assert page.status == 200
    assert "Sign out" in page.body
    assert post(closed, "/logout", f"csrf={token_in(page.body)}", cookie=name_and_value).status == 303
    assert get(closed, "/usage", cookie=name_and_value).status == 303  # also for who copied the cookie


def token_in(body: str) -> str:
    import re

    found = re.search(r'name="csrf" content="([0-9a-f]+)"', body)
    assert found
    return found[1]


def test_behind_tls_the_cookie_is_secure(closed: str) -> None:
    from urllib.parse import urlencode

    form = urlencode({"csrf": token_of(closed), "password": PASSWORD})
    answer = post(closed, "/login", form, host="costs.example.com", x_forwarded_proto="https")
    assert answer.status == 303
    assert "Secure" in answer.headers["set-cookie"]


def test_a_session_has_form_tokens_of_its_own(closed: str) -> None:
    cookies = [sign_in(closed, PASSWORD).headers["set-cookie"].partition(";")[0] for _ in range(2)]
    first, second = (token_in(get(closed, "/usage", cookie=each).body) for each in cookies)
    assert first != second
    assert post(closed, "/theme", f"csrf={second}", cookie=cookies[0]).status == 403
    assert post(closed, "/theme", f"csrf={first}", cookie=cookies[0]).status == 303


@pytest.mark.parametrize("change", ["forged", "older", "empty", "unsigned", "junk"])
def test_a_forged_or_old_session_is_none(closed: str, change: str) -> None:
    name, _, value = sign_in(closed, PASSWORD).headers["set-cookie"].partition(";")[0].partition("=")
    who, until, signature = value.split(".")
    made = {
        "forged": f"{'0' * 32}.{until}.{signature}",
        "older": f"{who}.{int(until) + 1}.{signature}",
        "empty": "",
        "unsigned": f"{who}.{until}.",
        "junk": "a.b.c.\u00e9",
    }[change]
    assert get(closed, "/usage", cookie=f"{name}={made}").status == 303


def test_wrong_passwords_are_slowed_down(tmp_path: Any) -> None:
    access = Access(Sealed.of(PASSWORD), None, "breakeven_ui_1")
    with dashboard(tmp_path, access) as address:
        tried = [sign_in(address, f"guess {number}") for number in range(6)]
        assert [each.status for each in tried] == [403] * 5 + [429]
        assert int(tried[-1].headers["retry-after"]) > 0
        assert sign_in(address, PASSWORD).status == 429
        assert "set-cookie" not in tried[-1].headers


def test_many_at_once_do_not_get_more_tries(tmp_path: Any) -> None:
    access = Access(Sealed.of(PASSWORD), None, "breakeven_ui_1")
    with dashboard(tmp_path, access) as address:
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda number=number: statuses.append(sign_in(address, f"guess {number}").status))
            for number in range(12)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert statuses.count(403) == 5
    assert statuses.count(429) == 7


def test_the_token_in_the_address_lets_in_and_leaves_the_address(closed: str) -> None:
    answer = get(closed, f"/usage?tab=days&token={TOKEN}&x=1")
    assert answer.status == 303
    assert answer.headers["location"] == "/usage?tab=days&x=1"
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert TOKEN not in cookie
    assert get(closed, "/usage", cookie=cookie).status == 200
    wrong = get(closed, "/usage?token=guess")
    assert "set-cookie" not in wrong.headers
    assert "guess" not in wrong.headers["location"]


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "//evil.example//x"])
def test_the_token_leads_nowhere_else(closed: str, path: str) -> None:
    answer = get(closed, f"{path}?token={TOKEN}")
    assert answer.headers.get("location", "/") == "/"


def test_a_link_from_elsewhere_is_asked_for_once_more_with_the_cookie(closed: str) -> None:
    elsewhere = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    answer = get(closed, '/usage?x="><script>', **elsewhere)
    assert answer.status == 200
    assert '<meta http-equiv="refresh" content="0; url=/usage?x=' in answer.body
    assert "<script" not in answer.body and "acme" not in answer.body
    with_token = get(closed, f"/usage?token={TOKEN}", **elsewhere)
    assert TOKEN not in with_token.body
    assert get(closed, "/usage", cookie=with_token.headers["set-cookie"].partition(";")[0]).status == 200


def test_a_program_may_bring_the_token(closed: str) -> None:
    assert get(closed, "/api/jobs", authorization=f"Bearer {TOKEN}").status == 200
    assert post(closed, "/theme", "theme=dark", authorization=f"Bearer {TOKEN}").status == 303
    for wrong in ("Bearer guess", f"Basic {TOKEN}", f"Bearer {PASSWORD}", "Bearer"):
        assert get(closed, "/api/jobs", authorization=wrong).status == 401


def test_secrets_are_in_no_log_and_no_page(closed: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        sign_in(closed, PASSWORD)
        sign_in(closed, "wrong")
        get(closed, f"/?token={TOKEN}")
        get(closed, "/api/jobs", authorization=f"Bearer {TOKEN}")
        page = get(closed, "/login").body
    text = page + "".join(each.getMessage() for each in caplog.records)
    assert PASSWORD not in text
    assert TOKEN not in text
