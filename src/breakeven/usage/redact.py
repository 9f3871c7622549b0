"""Redact: what is hashed or hidden before a row is stored. Pure rules over single values; nothing here does I/O.

Users and API keys are always hashed. Names that people fill with anything (application, task, session, ...) are
kept unless they look like an e-mail address, an IP address or a key. Prompts are hashed and dropped.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

HASH_HEX_LENGTH: Final = 16
HIDDEN_PREFIX: Final = "hidden-"
_HASHED: Final = re.compile(r"[0-9a-f]{16,64}")
HIDDEN_PATTERN: Final = (
    r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
    r"|^(\d{1,3}\.){3}\d{1,3}$"
    r"|^[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{0,4}){3,7}$"
    r"|\b(sk|pk|rk|gsk|xai|hf|key)[-_][A-Za-z0-9_-]{16,}"
)
"""E-mail addresses, IP addresses, keys; means the same to `re` and to RE2."""
_SECRET: Final = re.compile(HIDDEN_PATTERN)


def hash_of(value: str, salt: str = "") -> str:
    """A short hash of a user, key or session; with a salt nobody can look it up in a table of known names.

    >>> hash_of("ann@example.com") == hash_of("ann@example.com"), hash_of("ann@example.com", "s") == hash_of("ann")
    (True, False)
    """
    return hashlib.sha256((salt + value).encode("utf-8", "surrogatepass")).hexdigest()[:HASH_HEX_LENGTH]


def hashed_once(value: str, salt: str = "") -> str:
    """`value` if it is a hash already, else its hash.

    >>> hashed_once("00112233445566778899aabbccddeeff")
    '00112233445566778899aabbccddeeff'
    """
    return value if _HASHED.fullmatch(value) else hash_of(value, salt)


def label_or_hidden(value: str, salt: str = "") -> str:
    """A name as it was logged, or a hash when it looks like a secret.

    >>> label_or_hidden("support-bot"), label_or_hidden("ann@example.com")[:7]
    ('support-bot', 'hidden-')
    """
    return HIDDEN_PREFIX + hash_of(value, salt) if _SECRET.search(value) else value
