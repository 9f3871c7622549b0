"""Policy request: which version a step back asks for; none: the one before the one in force."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from breakeven.gateway.control.key_requests import Denied


@dataclass(frozen=True, slots=True)
class WantedVersion:
    """A version by its hash, or the one before."""

    hash: str | None = None


def wanted_version(body: bytes) -> WantedVersion | Denied:
    """What a body asks for; an operator who names a version must not get another one.

    >>> wanted_version(b"").hash is None
    True
    """
    if not body.strip():
        return WantedVersion()
    try:
        document = orjson.loads(body)
    except ValueError:
        return _invalid("the body is no JSON")
    if not isinstance(document, dict):
        return _invalid("the body is no JSON object")
    if strange := sorted(set(document) - {"hash"}):
        return _invalid(f"unknown field {strange[0][:60]!r}")
    policy_hash = document.get("hash")
    if policy_hash is not None and not isinstance(policy_hash, str):
        return _invalid("hash is no text")
    return WantedVersion(policy_hash)


def _invalid(seen: str) -> Denied:
    return Denied(400, "invalid_request", f'{seen}; wanted nothing, or {{"hash": "..."}} of GET /admin/policy')
