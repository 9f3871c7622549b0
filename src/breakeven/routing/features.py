"""Features of a prompt: what a router knows of a text: a few counts of its surface, and its words and pairs of words.

The same functions run when a policy is learnt and when it serves. Length is of the whole prompt (words and lines are
projected from the part that is read); the rest is of the head and tail that `words.capped` keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.routing.words import Bytes, Words, capped, hash_of_word, words_of

Floats = npt.NDArray[np.float64]

FEATURES_VERSION: Final = 1
"""Goes up when a feature or a hash changes: a scorer learnt with other features is refused."""
LONG_WORD_BYTES: Final = 8
TERM_BITS_COUNT: Final = 18
"""Terms are hashed into 2**18 columns unless said otherwise."""

_LOGS: Final = (
    "log_characters",
    "log_words",
    "log_lines",
    "log_longest_line",
    "log_last_paragraph",
    "log_sentences",
    "log_numbers",
    "log_code_marks",
    "log_maths_marks",
    "log_quotes",
    "log_question_marks",
    "log_question_words",
    "log_reasoning_words",
    "log_negations",
    "log_format_words",
    "log_maths_words",
    "log_code_words",
)
SURFACE_NAMES: Final = (
    *_LOGS,
    "options",
    "word_bytes_mean",
    "long_words_fraction",
    "distinct_words_fraction",
    "digits_fraction",
    "capitals_fraction",
    "punctuation_fraction",
    "blanks_fraction",
    "cjk_fraction",
    "beyond_ascii_fraction",
)
"""What `surface_features` counts, in that order; `log_` is log(1 + count), a fraction is of the bytes or words read."""
SURFACE_COUNT: Final = len(SURFACE_NAMES)

_MARKS: Final = {
    "digits": b"0123456789",
    "capitals": b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "punctuation": b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "blanks": b" \t\r\n\f\v",
    "code": b"{}[];=<>_`#|&",
    "maths": b"+-*/=^%$<>\\",
    "quotes": b"\"'`",
    "question": b"?",
    "line": b"\n",
    "sentence": b".!?",
    "beyond": bytes(range(128, 256)),
    "continuation": bytes(range(0x80, 0xC0)),
    "first letters": b"ABCDEFGHIJ",
}
"""In the order in which `_surface` takes their counts apart."""
_LISTS: Final = {
    "question": "what which how why when where who whose whom",
    "reasoning": """explain prove derive calculate compute compare analyze analyse evaluate deduce infer determine
        therefore because step steps reason justify estimate suppose assume if then find solve most best likely""",
    "negations": "not no never except least false incorrect cannot neither nor none without",
    "format": "json list table format only exactly xml yaml csv markdown bullet summarize summarise translate rewrite",
    "maths": """sum product integer integers equation function matrix probability percent ratio total average number
        times each per half twice more less many much rate group prime polynomial vector angle triangle""",
    "code": """def return import class print function const var let public static void int str select from where
        python java javascript sql code assert""",
}
_SLOT_BITS: Final = 12
_SLOT_SHIFT: Final = np.uint64(64 - _SLOT_BITS)
_TERM_SHIFTS: Final = (np.uint64(29), np.uint64(32))
_MIX: Final = tuple(np.uint64(each) for each in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93))


@dataclass(frozen=True, slots=True)
class TermCounts:
    """Hashed words and pairs of words of one prompt."""

    indexes: npt.NDArray[np.uint32]
    """Sorted, each once, below 2**bits."""
    counts: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TermMatrix:
    """The terms of many prompts, row after row (compressed sparse rows)."""

    offsets: npt.NDArray[np.int64]
    """Row i is `indexes[offsets[i]:offsets[i + 1]]`."""
    indexes: npt.NDArray[np.uint32]
    counts: npt.NDArray[np.float32]
    columns_count: int


@dataclass(frozen=True, slots=True)
class PromptFeatures:
    """Both kinds of features of one prompt, from one reading of it."""

    surface: Floats
    """Shape (SURFACE_COUNT,)."""
    terms: TermCounts


def prompt_features(prompt: str, bits: int = TERM_BITS_COUNT) -> PromptFeatures:
    """Surface and terms of one prompt, read once."""
    text = capped(prompt)
    words = words_of(text)
    return PromptFeatures(_surface(len(prompt), text, words), _terms(words, bits))


def surface_features(prompt: str) -> Floats:
    """Counts of a prompt's surface, shape (SURFACE_COUNT,).

    >>> dict(zip(SURFACE_NAMES, surface_features("Which is 2 + 2?\\nA. 4\\nB. 5").tolist()))["options"]
    2.0
    """
    text = capped(prompt)
    return _surface(len(prompt), text, words_of(text))


def hashed_terms(prompt: str, bits: int = TERM_BITS_COUNT) -> TermCounts:
    """Words and pairs of neighbouring words of a prompt, hashed into 2**bits columns.

    >>> hashed_terms("no no no").counts.sum()  # three words, two pairs
    np.float32(5.0)
    """
    return _terms(words_of(capped(prompt)), bits)


def surface_matrix(prompts: Sequence[str]) -> Floats:
    """`surface_features` of each prompt, shape (prompts, SURFACE_COUNT)."""
    return np.array([surface_features(each) for each in prompts], dtype=np.float64).reshape(len(prompts), SURFACE_COUNT)


def term_matrix(prompts: Sequence[str], bits: int = TERM_BITS_COUNT) -> TermMatrix:
    """`hashed_terms` of each prompt."""
    rows = [hashed_terms(each, bits) for each in prompts]
    sizes = np.array([row.indexes.size for row in rows], dtype=np.int64)
    return TermMatrix(
        offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        indexes=np.concatenate([np.zeros(0, np.uint32), *(row.indexes for row in rows)]),
        counts=np.concatenate([np.zeros(0, np.float32), *(row.counts for row in rows)]),
        columns_count=1 << bits,
    )


def _terms(words: Words, bits: int) -> TermCounts:
    count = words.words_count
    if not count:
        return TermCounts(np.zeros(0, np.uint32), np.zeros(0, np.float32))
    both = np.empty(2 * count - 1, dtype=np.uint64)
    single, pairs = both[:count], both[count:]
    np.multiply(words.hashes, _MIX[0], out=single)
    single ^= single >> _TERM_SHIFTS[0]
    np.multiply(single[:-1], _MIX[1], out=pairs)
    pairs += single[1:]
    both ^= both >> _TERM_SHIFTS[1]
    both *= _MIX[2]
    both >>= np.uint64(64 - bits)
    columns = both.astype(np.uint32)
    columns.sort()
    first = np.empty(columns.size, dtype=np.bool_)
    first[0] = True
    np.not_equal(columns[1:], columns[:-1], out=first[1:])
    at = first.nonzero()[0]
    counts = np.empty(at.size, dtype=np.float32)
    counts[:-1] = at[1:] - at[:-1]
    counts[-1] = columns.size - at[-1]
    return TermCounts(columns[at], counts)


def _surface(characters_count: int, text: bytes, words: Words) -> Floats:
    bytes_of = np.bincount(words.raw, minlength=256).astype(np.float32)  # whole numbers, and small: exact
    (
        digits, capitals, punctuation, blanks, code, maths, quotes, question, line, sentence, beyond, continuation,
        first_letters,
    ) = (_MARK_TABLE @ bytes_of).tolist()  # fmt: skip
    read, known, lengths = max(len(text), 1), max(words.words_count, 1), words.lengths
    # what was not read is taken to be like what was
    scale = max(characters_count, 1) / max(read - continuation, 1.0)
    values = np.array(
        [
            characters_count,
            words.words_count * scale,
            line * scale,
            max(map(len, text.split(b"\n"))) if line else len(text),
            len(text) - 1 - (text.rfind(b"\n\n") if line > 1 else -1),
            sentence,
            _numbers_count(text) if digits else 0,
            code,
            maths,
            quotes,
            question,
            *_lexicon_counts(words),
            _options_count(text, words.raw) if first_letters else 0,
            int(np.add.reduce(lengths)) / known,
            np.count_nonzero(lengths >= LONG_WORD_BYTES) / known,
            _distinct_count(words) / known,
            digits / read,
            capitals / read,
            punctuation / read,
            blanks / read,
            words.cjk_bytes_count / read,
            beyond / read,
        ],
        dtype=np.float64,
    )
    logs = values[: len(_LOGS)]
    np.log1p(logs, out=logs)
    return values


def _distinct_count(words: Words) -> int:
    if not words.words_count:
        return 0
    ordered = words.hashes.copy()
    ordered.sort()
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1


def _numbers_count(text: bytes) -> int:
    """Runs of digits."""
    digit = np.frombuffer(b"\0" + text.translate(_DIGIT_MARKS), dtype=np.bool_)
    return int(np.count_nonzero(digit[1:] > digit[:-1]))


def _options_count(text: bytes, raw: Bytes) -> int:
    """Distinct letters A to J that stand as an answer option: `A.`, `B)`, `(C)` or `D:` at the start of a word."""
    if b" A)" not in b" " + text.translate(_OPTION_MARKS):
        return 0
    at = np.flatnonzero((raw[:-1] - np.uint8(0x41)) < 10)
    at = at[_OPTION_END[raw[at + 1]]]
    before = np.where(at > 0, raw[at - 1], 0x0A)
    return len(set(raw[at[_OPTION_START[before]]].tolist()))


def _lexicon_counts(words: Words) -> list[float]:
    """Words of each list of `_LISTS`."""
    shifted = words.hashes * _LEXICON.factor
    shifted >>= _SLOT_SHIFT
    slots = shifted.view(np.intp)  # so small that both read alike
    listed = slots[_LEXICON.hashes.take(slots) == words.hashes]
    return list(np.add.reduce(_LEXICON.lists.take(listed, axis=0), axis=0).tolist())


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """Listed words, each in a slot of its own. The slots are few: every word looks there, so they should stay in the
    caches."""

    hashes: npt.NDArray[np.uint64]
    """Of the word in each slot; 0 where there is none."""
    lists: Floats
    """In which lists it stands, shape (slots, lists); all 0 where there is none."""
    factor: np.uint64


def _lexicon() -> _Lexicon:
    """The first odd factor that puts no two words into one slot."""
    words = sorted({word for text in _LISTS.values() for word in text.split()})
    lists = [set(text.split()) for text in _LISTS.values()]
    hashes = np.array([hash_of_word(word) for word in words], dtype=np.uint64)
    for factor in np.arange(1, 2001, 2, dtype=np.uint64) * _MIX[0]:
        slots = (hashes * factor) >> _SLOT_SHIFT
        if np.unique(slots).size == len(words):
            by_slot = np.zeros(1 << _SLOT_BITS, dtype=np.uint64)
            by_slot[slots] = hashes
            table = np.zeros((1 << _SLOT_BITS, len(lists)))
            table[slots] = [[float(word in each) for each in lists] for word in words]
            return _Lexicon(by_slot, table, factor)
    raise ValueError("two listed words share a slot under every factor tried: more slots are needed")


def _byte_table(marks: bytes) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, dtype=np.bool_)
    table[list(marks)] = True
    return table


def _translation(marks: dict[str, bytes], others: str) -> bytes:
    """A table for `bytes.translate`: each byte becomes the mark of its group, or that of all others."""
    table = bytearray(others.encode() * 256)
    for mark, members in marks.items():
        for byte in members:
            table[byte] = ord(mark)
    return bytes(table)


_MARK_TABLE: Final = np.stack([_byte_table(each) for each in _MARKS.values()]).astype(np.float32)
_OPTION_START: Final = _byte_table(b" \n\t(\r")
_OPTION_END: Final = _byte_table(b".):")
_DIGIT_MARKS: Final = _translation({"\1": b"0123456789"}, others="\0")
_OPTION_MARKS: Final = _translation({" ": b" \n\t(\r", "A": b"ABCDEFGHIJ", ")": b".):"}, others="x")
_LEXICON: Final = _lexicon()
