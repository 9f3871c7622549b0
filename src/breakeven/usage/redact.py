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
_KEYS: Final = (
    r"\b(?:sk|pk|rk|gsk|xai|hf|key|glpat)[-_][A-Za-z0-9_-]{16,}"
    r"|\bxox[a-z]-[A-Za-z0-9-]{8,}"
    r"|\b(?:gh[oprsu]|github_pat)_[A-Za-z0-9_]{20,}|\bnpm_[A-Za-z0-9]{36}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    r"|[?&](?:key|sig|token|api_?key|access_token|password)=[^&\s\"']{6,}"
)
"""Keys by the form that those who give them out say they have: of model providers, Slack, GitHub, GitLab, npm, AWS and
Google, JSON web tokens, and keys in a link."""
HIDDEN_PATTERN: Final = (
    r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"
    r"|(?:^|[^\w./:-])(?:\d{1,3}\.){3}\d{1,3}(?:$|[^\w./:-])"
    r"|(?:^|[^\w./:-])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?:$|[^\w./:-])"
    r"|" + _KEYS
)
"""E-mail addresses, IP addresses (not those of a link, which name a machine), keys; means the same to `re` and RE2."""
_SECRET: Final = re.compile(HIDDEN_PATTERN)
_MAY_BE_PRIVATE: Final = re.compile(
    r"@|://|[-_][A-Za-z0-9_-]{10,}|A[KS]IA|AIza|eyJ|xox|[?&]sig=|(?i:passw|pwd|secret|token|key)"
)
"""Quick: whatever `_PRIVATE` finds holds one of these."""
_PRIVATE: Final = re.compile(
    r"(?<![\w.%+'-])[\w.%+'-]{1,100}@[\w.-]{1,200}\.[A-Za-z]{2,}"
    r"|\b[A-Za-z][A-Za-z0-9+.-]{1,20}://\S+"
    r"|\b[A-Za-z]{2,5}[-_][A-Za-z0-9_-]{16,}"
    r"|" + _KEYS + r"|(?i:\b(?:password|passwd|pwd|secret|token|api[-_ ]?key)s?\b[\"']?\s*(?:is|[:=])\s*)\S+"
)
"""Addresses, links, keys, and what follows the word password."""
HIDDEN_MARK: Final = "<hidden>"
TEXT_MARK: Final = "<text>"
_SECRETS_INSIDE: Final = re.compile(
    r"[^@\s\"',;<>/]+@[^@\s\"',;<>/]+\.[A-Za-z]{2,}"
    r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"
    r"|(?<![\w:])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?![\w:])"
    r"|" + _KEYS
)
_JSON_PIECE: Final = re.compile(r'(?P<string>"(?:[^"\\]|\\.)*(?:"|\\?$))(?P<colon>\s*:|)|[^"]+')
_JSON_WORDS: Final = frozenset({"true", "false", "null", "NaN", "Infinity"})
_BARE_WORD: Final = re.compile(r"(?<![\d.])[^\W\d]\w*")
_NAME: Final = re.compile(r"[\w.\-]{1,60}")
_NUMBER_OR_TIME: Final = re.compile(
    r"[-+$]?\d{1,10}(?:[.,]\d{1,9})?|1\d{12,18}"
    r"|\d{4}-?\d\d-?\d\d(?:[T ]\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"
)


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


def without_secrets(text: str) -> str:
    """`text` with what looks like an e-mail address, an IP address or a key left out.

    >>> without_secrets("from ann@example.com at 10.20.30.40, 2026-11-02T10:00:00+02:00")
    'from <hidden> at <hidden>, 2026-11-02T10:00:00+02:00'
    """
    return _SECRETS_INSIDE.sub(HIDDEN_MARK, text)


def without_words(row: str) -> str:
    """The beginning of a row of a log with its names, numbers and times, and no text that people wrote.

    >>> without_words('{"prompt": "Hello Ann", "prompt_tokens": -5, "start": "2026-11-02T10:00:00Z", "x": "cut off')
    '{"prompt": "<text>", "prompt_tokens": -5, "start": "2026-11-02T10:00:00Z", "x": "<text>"'
    >>> without_words("2026-11-02T10:00:00Z,gpt-5,-5,5,Hello Ann")
    '2026-11-02T10:00:00Z,<text>,-5,5,<text>'
    """
    if row.lstrip().startswith(("{", "[")):
        return "".join(map(_json_piece, _JSON_PIECE.finditer(row)))
    return "".join(piece if i % 2 else _harmless(piece) for i, piece in enumerate(re.split(r"([,;|\t\n\r])", row)))


def _json_piece(found: re.Match[str]) -> str:
    if found["string"] is None:
        return _BARE_WORD.sub(lambda word: word[0] if word[0] in _JSON_WORDS else TEXT_MARK, found[0])
    text = found["string"].strip('"')
    if found["colon"] and _NAME.fullmatch(text):
        return without_secrets(found[0])
    return f'"{_harmless(text)}"{found["colon"]}'


def _harmless(piece: str) -> str:
    """A number or a time as it is; what else there is, as a mark."""
    text = piece.strip().strip('"')
    return piece if not text or _NUMBER_OR_TIME.fullmatch(text) else TEXT_MARK


def without_private_spans(text: str) -> str:
    """`text` with a 0 for every character of an e-mail address, a link, a key or a password.

    Lengths stay, and to the features of prompts such a span is a number, whose words are never kept.

    >>> without_private_spans("write to ann@example.com now")
    'write to 000000000000000 now'
    """
    if not _MAY_BE_PRIVATE.search(text):
        return text
    return _PRIVATE.sub(lambda found: "0" * len(found.group()), text)
