"""Features of a prompt: hashes and counts that are kept of it when the prompt itself is dropped.

Hashes are 63-bit numbers from blake2b, keyed with the salt of the import, so that with a salt nobody can read a word
back, not even from a list of likely words. (Without a salt the key is public, and a word that somebody guesses can be
recognised.) All rules are stated over the UTF-8 bytes of the text, so that `store/feature_kernel.py` computes the same
numbers for millions of prompts.

- A **word** is a run of bytes between blanks, or one CJK character. A number, date, id or long hex counts as `<n>`.
- A **term** is a run of letters, lower-case, 2 to 30 characters, without digits and not a stop word; of CJK text each
  pair of neighbouring characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import Final

from breakeven.usage.prompts.conversation import Conversation
from breakeven.usage.redact import hash_of

WORDS_MAX_COUNT: Final = 40
TERMS_MAX_COUNT: Final = 64
TERM_WORDS_MAX_COUNT: Final = 400
"""Terms are looked for in so many first words of the last user message."""
COUNT_NAMES: Final = (
    "characters",
    "words",
    "lines",
    "digits",
    "punctuation_marks",
    "question_marks",
    "code_marks",
    "upper_case_words",
    "cjk_characters",
    "list_items",
    "messages",
    "user_messages",
    "images",
    "quoted_characters",
)
"""Order of `prompt_counts`. All but messages, user messages and images are counted in the last user message."""
PLACEHOLDER: Final = b"<n>"
STOP_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        """
        a an the and or but if then else of in on at by to for from with without into onto over under as is are was were
        be been being am do does did done have has had having i you he she it we they me him her us them my your his its
        our their this that these those there here what which who whom whose when where why how not no nor so than too
        very can could will would shall should may might must just also only any some all each every both few more most
        other such own same about between through during before after above below up down out off again once because
        while until please der die das und oder ist nicht ein eine mit von zu den dem im auf für le la les et ou un une
        de des du en est el los las y o que del por para con
        """,
    )
)
_KEPT_MAX_COUNT: Final = 500_000
_MASK63: Final = (1 << 63) - 1
_MASK64: Final = (1 << 64) - 1
CHAIN_MULTIPLIER: Final = 0x9E3779B97F4A7C15
MIX_1: Final = 0xBF58476D1CE4E5B9
MIX_2: Final = 0x94D049BB133111EB

_WORD: Final = re.compile(rb"[\xe3-\xe9][\x80-\xbf]{2}|[^ \t\n\r\f\v\xe3-\xe9]+")
_TERM: Final = re.compile(
    rb"((?:[A-Za-z0-9]|[\xc3-\xdf][\x80-\xbf]|[\xe0\xe1\xea-\xed][\x80-\xbf]{2})+)"
    rb"|((?:\xe3[\x81-\xbf][\x80-\xbf]|[\xe4-\xe9][\x80-\xbf]{2}){2,})"
)
_ALNUM: Final = bytes(c for c in range(256) if not (48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122))
_BLANK_UNLESS_ALNUM: Final = bytes(32 if c in _ALNUM else c for c in range(256))
_DIGITS: Final = b"0123456789"
_HEX: Final = b"0123456789abcdefABCDEF"
_PUNCTUATION: Final = bytes(c for c in range(33, 127) if not bytes([c]).isalnum())
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_CJK_LEADS: Final = bytes(range(0xE3, 0xEE))
_NOT_UPPER: Final = bytes(c for c in range(256) if not 65 <= c <= 90)
_CODE_WORDS: Final = (b"def", b"class", b"import")
_LIST_ITEM: Final = re.compile(rb"(?m)^[ \t]*(?:[-*+]|[0-9]{1,3}[.)])[ \t]")
_QUOTED: Final = re.compile(rb'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Features:
    """What is kept of one prompt."""

    prompt_words: tuple[int, ...]
    prompt_terms: tuple[int, ...]
    prompt_counts: tuple[int, ...]
    system_hash: str | None
    schema_hash: str | None
    has_tools: bool | None


@dataclass(slots=True)
class Hasher:
    """Hashes of words and terms under one salt, each distinct one computed once."""

    salt: str = ""
    _key: bytes = field(init=False, repr=False)
    _words: dict[bytes, int] = field(init=False, default_factory=dict, repr=False)
    _terms: dict[bytes, int] = field(init=False, default_factory=dict, repr=False)
    words: dict[int, str] = field(init=False, default_factory=dict, repr=False)
    """Term hash -> word, of the terms hashed lately that are single words of letters."""

    def __post_init__(self) -> None:
        self._key = blake2b(self.salt.encode("utf-8", "surrogatepass"), person=b"breakeven", digest_size=32).digest()

    def word(self, word: bytes) -> int:
        """Hash of a word, numbers and ids as their placeholder."""
        found = self._words.get(word)
        if found is None:
            found = self._hash(b"w", PLACEHOLDER if is_placeholder(word) else word)
            _kept(self._words)[word] = found
        return found

    def term(self, run: bytes) -> int:
        """Hash of the term a run of letters makes, -1 when it makes none."""
        found = self._terms.get(run)
        if found is None:
            text = term_text(run)
            found = -1 if text is None else self._hash(b"t", text.encode())
            _kept(self._terms)[run] = found
            if text is not None:
                if len(self.words) >= _KEPT_MAX_COUNT:
                    self.words.clear()
                self.words[found] = text
        return found

    def _hash(self, kind: bytes, value: bytes) -> int:
        digest = blake2b(value, digest_size=8, key=self._key, person=kind).digest()
        return int.from_bytes(digest, "little") & _MASK63


def _kept(cache: dict[bytes, int]) -> dict[bytes, int]:
    if len(cache) >= _KEPT_MAX_COUNT:
        cache.clear()
    return cache


def features(prompt: Conversation, hasher: Hasher) -> Features:
    """The features of one prompt.

    >>> from breakeven.usage.prompts.conversation import conversation
    >>> a, b = (features(conversation(f"Classify ticket {n}: {text}"), Hasher()) for n, text in ((1, "x"), (2, "y")))
    >>> a.prompt_words[:3] == b.prompt_words[:3], a.prompt_words[3] == b.prompt_words[3]
    (True, False)
    """
    data = prompt.user.encode("utf-8", "replace")
    words = data.split() if data.isascii() else _WORD.findall(data)
    shared = (prompt.messages_count, prompt.turns_count, prompt.images_count)
    return Features(
        chained([hasher.word(word) for word in words[:WORDS_MAX_COUNT]]),
        _terms(_beginning(data, len(words)), hasher),
        with_messages(_counts(data, words), shared),
        system_hash_of(prompt, hasher.salt),
        schema_hash_of(prompt, hasher.salt),
        prompt.has_tools,
    )


def system_hash_of(prompt: Conversation, salt: str) -> str | None:
    """Hash of the system prompt."""
    return hash_of(prompt.system, salt) if prompt.system else None


def schema_hash_of(prompt: Conversation, salt: str) -> str | None:
    """Hash of the wanted form of the answer and the names of the tools."""
    if prompt.schema is None and not prompt.tool_names:
        return None
    return hash_of("\x1f".join((prompt.schema or "", *prompt.tool_names)), salt)


def is_placeholder(word: bytes) -> bool:
    """True for numbers, dates, ids and hex: what differs between two prompts of one template.

    >>> [is_placeholder(each) for each in (b"2026-11-02", b"$1,234.50", b"ORD-12345", b"gpt-4", b"word12", b"plain")]
    [True, True, True, False, False, False]
    """
    plain = word.translate(None, _ALNUM)
    digits = len(plain) - len(plain.translate(None, _DIGITS))
    if not digits:
        return False
    if 2 * digits > len(plain) or len(plain) >= 16:
        return True
    return len(plain) >= 6 and not plain.translate(None, _HEX)


def term_text(run: bytes) -> str | None:
    """The term that a run of letters and digits makes.

    >>> term_text(b"Invoice"), term_text(b"the"), term_text(b"x1")
    ('invoice', None, None)
    """
    text = run.decode("utf-8", "replace").lower()
    if not 2 <= len(text) <= 30 or any(c.isdigit() for c in text) or text in STOP_WORDS:
        return None
    return text


def chained(words: Sequence[int]) -> tuple[int, ...]:
    """Hash of words 0..i for each i: equal numbers mean equal beginnings.

    >>> chained([1, 2])[:1] == chained([1, 3])[:1], chained([1, 2])[1] == chained([3, 2])[1]
    (True, False)
    """
    state, found = 0, []
    for word in words:
        z = (state * CHAIN_MULTIPLIER + word + MIX_1) & _MASK64
        z = ((z ^ (z >> 30)) * MIX_1) & _MASK64
        z = ((z ^ (z >> 27)) * MIX_2) & _MASK64
        state = (z ^ (z >> 31)) >> 1
        found.append(state)
    return tuple(found)


def with_messages(counts: Sequence[int], shared: Sequence[int]) -> tuple[int, ...]:
    """Counts of the text with those of the conversation in their places."""
    return (*counts[:10], *shared, counts[10])


def _beginning(data: bytes, words_count: int) -> bytes:
    """The part of `data` in which terms are looked for."""
    if words_count <= TERM_WORDS_MAX_COUNT:
        return data
    last = next(islice(_WORD.finditer(data), TERM_WORDS_MAX_COUNT - 1, None))
    return data[: last.end()]


def _terms(data: bytes, hasher: Hasher) -> tuple[int, ...]:
    found: dict[bytes, None] = {}
    if data.isascii():
        found = dict.fromkeys(data.translate(_BLANK_UNLESS_ALNUM).split())
    for run, cjk in _TERM.findall(data) if not found else ():
        if run:
            found[run] = None
        else:
            found.update(dict.fromkeys(cjk[start : start + 6] for start in range(0, len(cjk) - 3, 3)))
    hashes = dict.fromkeys(map(hasher.term, found))
    hashes.pop(-1, None)
    return tuple(islice(hashes, TERMS_MAX_COUNT))


def _counts(data: bytes, words: list[bytes]) -> tuple[int, ...]:
    """The first ten counts and the quoted characters."""
    size = len(data)
    return (
        _characters(data),
        len(words),
        data.count(b"\n") + 1 if size else 0,
        size - len(data.translate(None, _DIGITS)),
        size - len(data.translate(None, _PUNCTUATION)),
        data.count(b"?") + data.count(b"\xef\xbc\x9f"),
        sum(map(data.count, (b"```", b"{", b"}", b";", b"=>"))) + sum(map(words.count, _CODE_WORDS)),
        sum(map(_has_two_capitals, filter(bytes.isupper, words))),
        size - len(data.translate(None, _CJK_LEADS)),
        len(_LIST_ITEM.findall(data)),
        sum(map(_characters, _QUOTED.findall(data))),
    )


def _characters(data: bytes) -> int:
    return len(data.translate(None, _CONTINUATION))


def _has_two_capitals(word: bytes) -> bool:
    return len(word.translate(None, _NOT_UPPER)) >= 2
