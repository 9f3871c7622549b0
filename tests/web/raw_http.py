"""Raw HTTP: bytes to a server and the bytes that come back, as no polite client would send them."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str


def send(url: str, request: bytes, *, timeout_s: float = 20.0) -> Answer:
    """Send bytes, read until the server closes or the answer is whole."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=timeout_s) as connection:
        with suppress(ConnectionResetError, BrokenPipeError):  # a server may answer, and close, before it has heard all
            connection.sendall(request)
        return read(connection)


def read(connection: socket.socket) -> Answer:
    """One answer."""
    text = b""
    while b"\r\n\r\n" not in text:
        piece = connection.recv(65_536)
        if not piece:
            return Answer(0, {}, text.decode("latin-1"))
        text += piece
    head, _, body = text.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        piece = connection.recv(65_536)
        if not piece:
            break
        body += piece
    return Answer(int(lines[0].split()[1]), headers, body.decode("utf-8", "replace"))


def get(url: str, path: str = "/", host: str | None = None, **headers: str) -> Answer:
    """GET with headers as they are given; underscores in names are dashes."""
    return send(url, _head("GET", url, path, host, headers) + b"\r\n")


def post(url: str, path: str, body: bytes | str = b"", host: str | None = None, **headers: str) -> Answer:
    """POST with a length and the content type of a form where none is given."""
    content = body.encode() if isinstance(body, str) else body
    said = {"content_type": "application/x-www-form-urlencoded", "content_length": str(len(content)), **headers}
    return send(url, _head("POST", url, path, host, said) + b"\r\n" + content)


def token_of(url: str, **headers: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf" (?:content|value)="([0-9a-f]+)"', get(url, "/login", **headers).body)
    assert found
    return found[1]


def _head(method: str, url: str, path: str, host: str | None, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"host: {host or urlsplit(url).netloc}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")
