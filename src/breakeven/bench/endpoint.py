"""Endpoint: where requests go and what they say; which extensions a server takes is found out, not assumed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from breakeven.bench.load import Api
from breakeven.errors import BenchError

PATHS: Final[Mapping[Api, str]] = {"chat": "/chat/completions", "completions": "/completions"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which extensions of the API are sent."""

    ignore_eos: bool = True
    """``ignore_eos`` and ``min_tokens``: answers as long as asked (vLLM, SGLang, llama.cpp)."""
    include_usage: bool = True
    """``stream_options.include_usage``: the server counts its tokens."""
    max_tokens_name: str = "max_tokens"


def dialects(ignore_eos: bool) -> tuple[Dialect, ...]:
    """From the richest to the plainest: the first that the server does not answer with 400 or 422 is used."""
    plain = (Dialect(False), Dialect(False, max_tokens_name="max_completion_tokens"), Dialect(False, False))
    return (Dialect(True), *plain) if ignore_eos else plain


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model behind one address."""

    url: str
    """Full address of the completions."""
    model: str
    api: Api
    dialect: Dialect = field(default_factory=Dialect)

    @property
    def shown_url(self) -> str:
        """The address without user, password and query: what may stand in a file."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        netloc = f"{host}:{parts.port}" if parts.port else host
        return urlunsplit((parts.scheme, netloc, parts.path, "", ""))

    def body(self, prompt: str, output_tokens: int) -> dict[str, Any]:
        """The JSON of one request."""
        said: dict[str, Any] = (
            {"messages": [{"role": "user", "content": prompt}]} if self.api == "chat" else {"prompt": prompt}
        )
        body = {"model": self.model, **said, self.dialect.max_tokens_name: output_tokens, "stream": True}
        if self.dialect.max_tokens_name == "max_tokens":
            body["temperature"] = 0.0
        if self.dialect.include_usage:
            body["stream_options"] = {"include_usage": True}
        if self.dialect.ignore_eos:
            body |= {"ignore_eos": True, "min_tokens": output_tokens}
        return body


def endpoint_at(address: str, model: str, api: Api) -> Endpoint:
    """The endpoint of an address with or without ``/v1`` or the path of the completions.

    >>> endpoint_at("localhost:8000", "m", "chat").url
    'http://localhost:8000/v1/chat/completions'
    >>> endpoint_at("https://example.org/openai/v1/", "m", "completions").url
    'https://example.org/openai/v1/completions'
    """
    if not model.strip():
        raise BenchError("no model; name the one to ask, e.g. --model meta-llama/Llama-3.1-8B-Instruct")
    parts = _split(address)
    path = parts.path.rstrip("/")
    for known in PATHS.values():
        path = path.removesuffix(known) if path.endswith(known) else path
    if not re.fullmatch(r"v\d+\w*", path.rsplit("/", 1)[-1]):
        path += "/v1"
    return Endpoint(urlunsplit(parts._replace(path=path + PATHS[api], fragment="")), model, api)


def _split(address: str) -> SplitResult:
    text = address.strip()
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise BenchError(f"{address!r} is no address; wanted one such as http://localhost:8000/v1")
    return parts
