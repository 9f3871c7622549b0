"""Sanitising: words of an upstream without its keys, addresses, hosts and paths; one line, of bounded length and time.

Each word is looked at by itself, so that no text, however it is made, takes long.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from breakeven.gateway.upstream import Upstream

MESSAGE_MAX_COUNT: Final = 500
"""Characters kept of what an upstream said."""
HIDDEN: Final = "[hidden]"
_READ_MAX_COUNT: Final = 2_000
_ALONE_BELOW_COUNT: Final = 6
_WORD_MAX_COUNT: Final = 200
"""A longer word is no word of a language; it is hidden."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WORD: Final = re.compile(r"[^\s\"'`<>()\[\]{},;]+")
_KEY: Final = re.compile(r"(?:^|[=:|])(?:(?:sk|pk|rk|gsk|hf|xai|ghp|gho|glpat|xoxb)[-_]|AIza|AKIA|eyJ)[\w*.\-]{6,}")
_NUMBERED_KEY: Final = re.compile(r"(?:^|[=:|])(?:org|proj|key|ak|acct|user|account)[-_](?=[a-zA-Z]*\d)[\w*.\-]{8,}")
_IPV4: Final = re.compile(r"(?:^|[=@])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?=$|/)")
_IPV6: Final = re.compile(r"[0-9a-fA-F:.%]*")
_HOST: Final = re.compile(r"(?:\.(?:internal|local|localdomain|lan|corp|svc)|(?:^|[=@])localhost)(?::\d{1,5})?(?=$|/)")
_HOST_AND_PORT: Final = re.compile(
    r"(?:^|[=@/])[A-Za-z0-9][A-Za-z0-9\-]*(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}:\d{1,5}(?=$|/)"
)
_NAMED: Final = re.compile(r"(?:password|passwd|pwd|token|secret|key)=", re.IGNORECASE)
"""What follows in the same word, or quoted in the next, is a secret by its name."""
_PATH: Final = re.compile(r"(?:^|[=:])/(?:home|root|usr|var|opt|srv|etc|app|mnt|tmp|data|workspace|models)/")
_SECRET_MIN_COUNT: Final = 24
_SECRET: Final = re.compile(r"[A-Za-z0-9_+=]*")


def sanitised(message: str, hidden: tuple[str, ...] = ()) -> str:
    """A message without secrets and control characters, at most 500 characters long; `hidden` are names to hide too.

    >>> sanitised("Incorrect API key provided: sk-proj-abcdef123456. See https://x.ai/keys")
    'Incorrect API key provided: [hidden]. See [hidden]'
    """
    for each in hidden:
        message = _without(message, each)
    text = _CONTROL.sub(" ", message[:_READ_MAX_COUNT])
    parts: list[str] = []
    at = 0
    before = ""
    for match in _WORD.finditer(text):
        word = match.group()
        bare = word.rstrip(".:!?")
        if _is_secret(bare, before):
            parts += (text[at : match.start()], HIDDEN, word[len(bare) :])
            at = match.end()
        before = bare
    parts.append(text[at:])
    shown = "".join(parts).strip()
    return shown if len(shown) <= MESSAGE_MAX_COUNT else shown[: MESSAGE_MAX_COUNT - 3] + "..."


def secrets_of(upstream: Upstream) -> tuple[str, ...]:
    """What is an upstream's own and nobody else's to read: values of its headers, keys in them, its host.

    >>> secrets_of(Upstream("own", "gpu7", 80, False, b"", "openai", ((b"authorization", b"Bearer hunter3"),)))
    ('Bearer hunter3', 'hunter3', 'gpu7')
    """
    found = {upstream.host}
    for _, value in upstream.auth_headers:
        text = value.decode("latin-1").strip()
        scheme, _, key = text.partition(" ")
        found |= {text, key.strip()} if scheme.lower() in ("bearer", "basic", "token", "apikey") else {text}
        if scheme.lower() == "basic":
            found |= _user_and_password(key.strip())
    return tuple(sorted((each for each in found if each), key=lambda each: (-len(each), each)))


def is_clean(word: str, hidden: tuple[str, ...]) -> bool:
    """Whether nothing in it has to be hidden."""
    return sanitised(word, hidden) == word


def _user_and_password(encoded: str) -> set[str]:
    try:
        both = base64.b64decode(encoded).decode("utf-8", "replace")
    except binascii.Error:
        return set()
    return {both, both.partition(":")[2]}


def _without(text: str, secret: str) -> str:
    """A text without a secret, in whatever case; a short one is hidden only where it stands alone."""
    pattern = re.escape(secret)
    if len(secret) < _ALONE_BELOW_COUNT:
        pattern = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
    return re.sub(pattern, HIDDEN, text, flags=re.IGNORECASE)


def _is_secret(word: str, before: str) -> bool:
    if len(word) > _WORD_MAX_COUNT or "://" in word:
        return True
    if "@" in word and "." in word.rpartition("@")[2]:
        return True
    if before.lower() in ("bearer", "basic") and (len(word) >= _SECRET_MIN_COUNT or any(map(str.isdigit, word))):
        return True
    named = _NAMED.search(word)
    if (named and named.end() < len(word)) or (before.endswith("=") and _NAMED.search(before)):
        return True
    if word.count(":") >= 3 and _IPV6.fullmatch(word):
        return True
    if any(pattern.search(word) for pattern in (_KEY, _NUMBERED_KEY, _IPV4, _HOST, _HOST_AND_PORT, _PATH)):
        return True
    return any(map(_looks_random, re.split(r"[/\-.:]", word)))


def _looks_random(part: str) -> bool:
    """Whether a part of a word is long and mixes letters and digits."""
    if len(part) < _SECRET_MIN_COUNT or not _SECRET.fullmatch(part):
        return False
    return any(map(str.isdigit, part)) and any(map(str.isalpha, part))
