"""Access: who may use the dashboard: everybody on this machine, or who knows the password or the token."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import Final

SESSION_S: Final = 12 * 3600.0
"""A sign-in ends after a working day."""
SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1}
TRIES_PER_CLIENT_COUNT: Final = 5
TRIES_IN_ALL_COUNT: Final = 30
TRIES_WINDOW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret of which only a slow, salted hash is kept."""

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, secret: str) -> Sealed:
        """Seal it."""
        salt = secrets.token_bytes(16)
        return cls(salt, _slow_hash(secret, salt))

    def is_opened_by(self, attempt: str) -> bool:
        """Whether `attempt` is the secret; takes as long whether it is near or far."""
        return hmac.compare_digest(self.digest, _slow_hash(attempt, self.salt))


@dataclass(frozen=True, slots=True)
class Access:
    """What lets a request in. Without password and token everybody who reaches the loopback address is let in."""

    password: Sealed | None = None
    token_digest: bytes | None = None
    """SHA-256 of the token; it is long and random, so that nothing slower is needed."""
    cookie_name: str = "breakeven_ui"
    """With the port in it: cookies of one host are shared by all its ports."""
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    """Signs sessions and form tokens; lives as long as the server."""
    _ended: set[str] = field(default_factory=set)

    @property
    def is_closed(self) -> bool:
        """Whether somebody has to sign in."""
        return self.password is not None or self.token_digest is not None

    def is_token(self, attempt: str) -> bool:
        """Whether `attempt` is the token."""
        return self.token_digest is not None and hmac.compare_digest(self.token_digest, token_digest(attempt))

    def new_session(self, now_s: float) -> str:
        """The value of a session's cookie: who, until when, and the signature of both."""
        text = f"{secrets.token_hex(16)}.{int(now_s + SESSION_S)}"
        return f"{text}.{self._sign('session', text)}"

    def session_of(self, cookie: str, now_s: float) -> str | None:
        """Whose session a cookie is; None: it is forged, or over."""
        text, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._sign("session", text).encode(), signature.encode()):
            return None
        who, _, until_s = text.partition(".")
        return who if now_s < int(until_s) and who not in self._ended else None

    def end_session(self, session: str) -> None:
        """Somebody signed out."""
        self._ended.add(session)

    def csrf_token(self, session: str) -> str:
        """What a form of this session has to bring along; another site cannot read it."""
        return self._sign("form", session)

    def is_csrf_token(self, session: str, attempt: str) -> bool:
        """Whether a form came from a page of ours."""
        return hmac.compare_digest(self.csrf_token(session).encode(), attempt.encode())

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self.key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


class Throttle:
    """Counts tries of passwords: a client, and all clients together, have so many a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tries: list[tuple[float, str]] = []

    def try_after_s(self, client: str, now_s: float) -> float:
        """0: `client` may try now, and that counts, before anybody knows how it ends; else seconds until it may."""
        with self._lock:
            self._tries = [each for each in self._tries if each[0] > now_s - TRIES_WINDOW_S]
            mine = [when_s for when_s, who in self._tries if who == client]
            ends_s = [mine[-TRIES_PER_CLIENT_COUNT]] if len(mine) >= TRIES_PER_CLIENT_COUNT else []
            if len(self._tries) >= TRIES_IN_ALL_COUNT:
                ends_s.append(self._tries[-TRIES_IN_ALL_COUNT][0])
            if not ends_s:
                self._tries.append((now_s, client))
            return max((each + TRIES_WINDOW_S - now_s for each in ends_s), default=0.0)

    def succeeded(self, client: str, tried_s: float) -> None:
        """A right password does not count."""
        with self._lock:
            if (tried_s, client) in self._tries:
                self._tries.remove((tried_s, client))


def token_digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def _slow_hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, dklen=32, **SCRYPT)
