"""Base URL: where an upstream is, taken apart and checked."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and the path under which its API begins."""

    host: str
    port: int
    is_tls: bool
    path_prefix: bytes


def place_of(url: str) -> Place:
    """The parts of a base URL; ValueError in words for one that cannot be used.

    >>> place_of("http://10.0.0.5:8000/v1/")
    Place(host='10.0.0.5', port=8000, is_tls=False, path_prefix=b'/v1')
    >>> place_of("https://api.openai.com/v1").port
    443
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"saw the base URL {url!r}; wanted http://HOST[:PORT][/PATH] or https://...")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a base URL holds no user or password; put the key into the environment (api_key_env)")
    if parts.query or parts.fragment:
        raise ValueError(f"saw {url!r}; a base URL has no ? and no #")
    host = parts.hostname
    if any(letter.isupper() for letter in parts.netloc) and host.split(".")[0] == "resource":
        raise ValueError(f"saw {url!r}; put the name of your resource in place of RESOURCE")
    try:
        path = parts.path.rstrip("/").encode("ascii")
        host.encode("ascii")
    except UnicodeEncodeError:
        raise ValueError(f"saw {url!r}; a base URL is plain ASCII (punycode, percent-encoding)") from None
    if any(byte <= 32 or byte == 127 for byte in path):
        raise ValueError(f"saw a blank or control character in {url!r}")
    for end in (b"/chat/completions", b"/completions", b"/messages", b"/embeddings", b"/responses", b"/models"):
        if path.endswith(end):
            raise ValueError(f"saw {url!r}; a base URL ends before {end.decode()}")
    is_tls = parts.scheme == "https"
    return Place(host, parts.port or (443 if is_tls else 80), is_tls, path)


def listening_at(text: str) -> tuple[str, int]:
    """Host and port to listen on; ValueError in words.

    >>> listening_at("0.0.0.0:4000"), listening_at("[::1]:0")
    (('0.0.0.0', 4000), ('::1', 0))
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65_535 or not host:
        raise ValueError(f"saw {text!r}; wanted HOST:PORT, such as 127.0.0.1:4000 (0.0.0.0 for every interface)")
    return host.removeprefix("[").removesuffix("]"), int(port)
