"""Words: the head and tail of a prompt that a router reads, cut into words, each with a 64-bit hash.

All in numpy over the bytes: 4 KB cost tens of microseconds, and a prompt of a megabyte costs no more. A word is a run
of letters, digits and `_`; of Chinese, Japanese and Korean text each character is a word. The hash of a word is the sum
of its bytes times powers of an odd number, modulo 2**64: differences of one running sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Marks = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.intp]

CAPPED_BYTES_COUNT: Final = 4096
"""At most so many bytes of a prompt are read: half of its head, half of its tail."""
_HEAD: Final = CAPPED_BYTES_COUNT // 2
_TAIL: Final = CAPPED_BYTES_COUNT - _HEAD - 1
_MODULUS: Final = 1 << 64
_FACTOR: Final = 0x9E3779B97F4A7C15
_CJK_LEADS: Final = (0xE3, 0xED)
"""First bytes of U+3000 to U+D7FF: kana, Han, Hangul (and Yi)."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a capped prompt, in order."""

    raw: Bytes
    """The capped bytes, as they came."""
    hashes: Hashes
    lengths: Positions
    """Bytes of each word."""
    cjk_bytes_count: int
    """Bytes of Chinese, Japanese and Korean characters."""

    @property
    def words_count(self) -> int:
        """Words."""
        return int(self.hashes.size)


def capped(prompt: str) -> bytes:
    """UTF-8 of the prompt, at most 4 KB: its head and its tail, cut between characters.

    The text is cut before it is encoded, so length costs nothing; what is no valid Unicode becomes `?`.

    >>> capped("héllo")
    b'h\\xc3\\xa9llo'
    >>> len(capped("x" * 1_000_000))
    4096
    """
    if len(prompt) <= CAPPED_BYTES_COUNT:
        whole = prompt.encode("utf-8", "replace")
        if len(whole) <= CAPPED_BYTES_COUNT:
            return whole
        return _head(whole) + b"\n" + _tail(whole)
    head = prompt[:_HEAD].encode("utf-8", "replace")
    tail = prompt[-_TAIL:].encode("utf-8", "replace")
    return _head(head) + b"\n" + _tail(tail)


def words_of(text: bytes) -> Words:
    """The words of capped bytes (valid UTF-8), lower-cased.

    >>> words_of(b"Is A_1 < b?").lengths.tolist()
    [2, 3, 1]
    >>> words_of("日本 ok".encode()).lengths.tolist()
    [3, 3, 2]
    """
    raw = np.frombuffer(text, dtype=np.uint8)
    if text.isascii():
        lower = np.frombuffer(text.lower(), dtype=np.uint8)
        starts, ends = _runs(text.translate(_WORD_MARKS))
        return Words(raw, _hashes(lower, starts, ends), ends - starts, 0)
    lower = np.frombuffer(text.decode("utf-8").lower().encode("utf-8"), dtype=np.uint8)
    word, lead, cjk = _beyond_ascii(lower)
    starts, ends = _runs_with_characters(word, lead, cjk)
    return Words(raw, _hashes(lower, starts, ends), ends - starts, int(np.count_nonzero(cjk)))


def hash_of_word(word: str) -> int:
    """The hash of one lower-case word, as `words_of` gives it.

    >>> hash_of_word("what") == int(words_of(b"what?").hashes[0])
    True
    """
    return sum(byte * pow(_FACTOR, at, _MODULUS) for at, byte in enumerate(word.encode("utf-8"))) % _MODULUS


def _head(encoded: bytes) -> bytes:
    """The first bytes of an encoded text that make whole characters."""
    end = min(_HEAD, len(encoded))
    while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
        end -= 1
    return encoded[:end]


def _tail(encoded: bytes) -> bytes:
    """The last bytes of an encoded text that make whole characters."""
    start = max(0, len(encoded) - _TAIL)
    while start < len(encoded) and encoded[start] & 0xC0 == 0x80:
        start += 1
    return encoded[start:]


def _runs(marks: bytes) -> tuple[Positions, Positions]:
    """Starts and ends of runs of ones among zeros."""
    padded = np.frombuffer(b"\0" + marks + b"\0", dtype=np.bool_)
    edges = (padded[1:] != padded[:-1]).nonzero()[0]
    return edges[::2], edges[1::2]


def _runs_with_characters(word: Marks, lead: Marks, cjk: Marks) -> tuple[Positions, Positions]:
    """The same, where each CJK character is a word of its own; `lead` marks their first bytes."""
    before_word, before_cjk = np.zeros_like(word), np.zeros_like(cjk)
    before_word[1:], before_cjk[1:] = word[:-1], cjk[:-1]
    start = word & (~before_word | lead | (before_cjk & ~cjk))
    after = np.ones(word.size + 1, dtype=np.bool_)
    after[:-1] = ~word | start
    ends = np.flatnonzero(after[1:] & word) + 1
    return np.flatnonzero(start), ends


def _beyond_ascii(raw: Bytes) -> tuple[Marks, Marks, Marks]:
    """Marks of word bytes, of the first byte of CJK characters, and of all their bytes."""
    following = np.zeros_like(raw)
    following[:-1] = raw[1:]
    lead = (raw >= _CJK_LEADS[0]) & (raw <= _CJK_LEADS[1])
    # U+3000-303F, full-width forms, and General Punctuation to Dingbats are marks between words
    sign = ((raw == 0xE3) & (following == 0x80)) | ((raw == 0xEF) & ((following == 0xBC) | (following == 0xBD)))
    sign |= raw == 0xE2
    lead &= ~sign
    no_break = raw == 0xC2
    word = _WORD[raw] & ~_spread(sign, 3) & ~_spread(no_break, 2)
    rare = (raw == 0xF0) & (following >= 0xA0) & (following <= 0xB3)
    return word, lead | rare, (_spread(lead, 3) | _spread(rare, 4)) & word


def _spread(mark: Marks, bytes_count: int) -> Marks:
    """The mark on the first byte of a character, put on all its bytes."""
    spread = mark.copy()
    for step in range(1, bytes_count):
        spread[step:] |= mark[:-step]
    return spread


def _hashes(lower: Bytes, starts: Positions, ends: Positions) -> Hashes:
    """Hash of each word, from one running sum."""
    sums = np.empty(lower.size + 1, dtype=np.uint64)
    sums[0] = 0
    np.add.accumulate(lower * _POWERS[: lower.size], out=sums[1:])
    hashes = sums[ends]
    hashes -= sums[starts]
    hashes *= _INVERSE_POWERS[starts]
    return hashes


def _word_bytes() -> Marks:
    """Which bytes are part of words: letters, digits, `_`, and all beyond ASCII."""
    table = np.zeros(256, dtype=np.bool_)
    for byte in range(128):
        table[byte] = chr(byte).isalnum() or chr(byte) == "_"
    table[128:] = True
    return table


def _powers(factor: int) -> Hashes:
    # lower-casing may lengthen a text (by half at worst), so the table is longer than the cap
    powers, power = [], 1
    for _ in range(2 * CAPPED_BYTES_COUNT):
        powers.append(power)
        power = power * factor % _MODULUS
    return np.array(powers, dtype=np.uint64)


_WORD: Final = _word_bytes()
_WORD_MARKS: Final = bytes(_WORD.astype(np.uint8))
_POWERS: Final = _powers(_FACTOR)
_INVERSE_POWERS: Final = _powers(pow(_FACTOR, -1, _MODULUS))
