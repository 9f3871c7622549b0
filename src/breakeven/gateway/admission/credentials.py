"""Credentials: which key a request carries; keys are known by their SHA-256 only, and compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from breakeven.gateway.plan import Key, Refusal

SECRET_MAX_BYTES: Final = 1_024
_BEARER: Final = b"bearer "
_HINT: Final = "Send a key of this gateway as `Authorization: Bearer KEY` or as `x-api-key: KEY`."
MISSING: Final = Refusal(401, "invalid_api_key", f"The request carries no key. {_HINT}")
UNKNOWN: Final = Refusal(401, "invalid_api_key", f"The key of the request is not known here. {_HINT}")
TWO_KEYS: Final = Refusal(401, "invalid_api_key", "The request carries two keys, and they differ. Send one.")
MALFORMED: Final = Refusal(401, "invalid_api_key", f"The `Authorization` header holds no bearer key. {_HINT}")
DISABLED: Final = Refusal(401, "key_disabled", "This key is disabled. Ask whoever runs the gateway for another one.")
EXPIRED: Final = Refusal(401, "key_expired", "This key has expired. Ask whoever runs the gateway for another one.")


class KeyRing:
    """All keys, by the digest of their secret."""

    __slots__ = ("_by_digest",)

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_digest = {each.key_hash: each for each in keys}

    def find(self, authorization: Sequence[bytes], api_key: Sequence[bytes], now_unix_s: float) -> Key | Refusal:
        """The key that the two headers carry, each given as often as it stood in the request."""
        if len(authorization) == 1 and not api_key and authorization[0][:7] == b"Bearer ":  # as nearly all send it
            secret: bytes | Refusal = authorization[0][7:].strip() or MISSING
        else:
            secret = secret_of(authorization, api_key)
        if type(secret) is Refusal:
            return secret
        assert isinstance(secret, bytes)
        digest = sha256(secret).digest()
        key = self._by_digest.get(digest)
        # the digest of a secret tells a guesser nothing, and this comparison no more
        if key is None or not hmac.compare_digest(key.key_hash, digest):
            return UNKNOWN
        if key.is_disabled:
            return DISABLED
        if key.expires_unix_s is not None and now_unix_s >= key.expires_unix_s:
            return EXPIRED
        return key


def secret_of(authorization: Sequence[bytes], api_key: Sequence[bytes]) -> bytes | Refusal:
    """The one secret that the headers carry.

    >>> secret_of([b"Bearer abc"], [b"abc"])
    b'abc'
    """
    secret: bytes | None = None
    for value in authorization:
        if value[:7].lower() != _BEARER:
            return MALFORMED
        found = value[7:].strip()
        if secret is not None and found != secret:
            return TWO_KEYS
        secret = found
    for value in api_key:
        found = value.strip()
        if secret is not None and found != secret:
            return TWO_KEYS
        secret = found
    if not secret:
        return MISSING
    return secret if len(secret) <= SECRET_MAX_BYTES else UNKNOWN
