"""Download: the bytes at an address, whole and of the expected kind, or one sentence that says what went wrong."""

from __future__ import annotations

import time
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from breakeven.errors import RefreshError

_CHUNK_BYTES: Final = 1 << 16
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
"""What captive portals, proxies and moved sites answer with, at status 200."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much to read before giving up."""

    timeout_s: float = 30.0
    """For the whole answer; a server that trickles is given up on as well."""
    largest_count: int = 50_000_000
    """Bytes."""


def download(url: str, limits: Limits) -> bytes:
    """The body at `url`, as long as the server said; raises RefreshError for everything else."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise RefreshError(f"{url}: wanted an http or https address.")
    request = urllib.request.Request(url, headers={"User-Agent": "breakeven", "Accept-Encoding": "identity"})  # noqa: S310
    deadline = time.monotonic() + limits.timeout_s
    try:
        with urllib.request.urlopen(request, timeout=limits.timeout_s) as response:  # noqa: S310
            return _body(url, response, limits, deadline)
    except HTTPError as error:
        error.close()
        raise RefreshError(f"{url}: the server answered {error.code} {error.reason}; try again later.") from None
    except TimeoutError:
        raise RefreshError(f"{url}: no whole answer within {limits.timeout_s:g} s; try again, or --timeout.") from None
    except URLError as error:
        raise RefreshError(f"{url}: cannot be reached ({error.reason}).") from None
    except (OSError, HTTPException, ValueError) as error:
        raise RefreshError(f"{url}: the answer broke off ({type(error).__name__}: {error}); try again.") from None


def _body(url: str, response: HTTPResponse, limits: Limits, deadline: float) -> bytes:
    kind = response.headers.get_content_type() if response.headers.get("Content-Type") else ""
    if kind in _PAGES:
        raise RefreshError(f"{url}: the answer is a web page ({kind}), not data; is there a login or a proxy between?")
    body = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if len(body) > limits.largest_count:
            raise RefreshError(f"{url}: longer than {limits.largest_count:,} bytes; this is not the list.")
        if time.monotonic() > deadline:
            raise TimeoutError
    promised = response.headers.get("Content-Length")
    if promised is not None and promised.isdigit() and len(body) != int(promised):
        raise RefreshError(
            f"{url}: {len(body):,} of {int(promised):,} bytes came; the answer was cut short, try again."
        )
    if not body:
        raise RefreshError(f"{url}: the answer is empty.")
    return bytes(body)
