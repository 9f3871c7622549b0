"""Vocabulary: the words behind term hashes, only for words that many calls have, so that clusters can be named.

`vocabulary.parquet` in the store has `term`, `word` and `calls_count`. A word is written once `CALLS_MIN_COUNT` calls
have it; below that only its hash and count are, so that counts add up over imports.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.usage.features import Hasher
from breakeven.usage.store.prompt_reader import TermCounts

VOCABULARY_NAME: Final = "vocabulary.parquet"
CALLS_MIN_COUNT: Final = 20
"""A word that fewer calls have is not written: it may be a name."""
TERMS_MAX_COUNT: Final = 1_000_000
"""More terms than this are not counted on; the rarest go."""
_SCHEMA: Final = pa.schema([("term", pa.int64()), ("word", pa.string()), ("calls_count", pa.int64())])


@dataclass(slots=True)
class Vocabulary:
    """Counts and words of one import, to be added to those of the store."""

    counts: dict[int, int] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)

    def add(self, terms: TermCounts, hasher: Hasher) -> None:
        """Count the terms of a chunk."""
        for term, count in zip(terms.hashes.tolist(), terms.counts.tolist(), strict=True):
            self.counts[term] = self.counts.get(term, 0) + count
            if term not in self.words and (word := hasher.words.get(term)) is not None:
                self.words[term] = word
        if len(self.counts) > TERMS_MAX_COUNT:
            self.counts = dict(sorted(self.counts.items(), key=lambda each: -each[1])[: TERMS_MAX_COUNT // 2])
            self.words = {term: word for term, word in self.words.items() if term in self.counts}

    def save(self, folder: Path) -> None:
        """Add what was counted to the file of the store."""
        if not self.counts:
            return
        counts, words = _read(folder)
        for term, count in self.counts.items():
            counts[term] = counts.get(term, 0) + count
            if counts[term] >= CALLS_MIN_COUNT and term in self.words:
                words[term] = self.words[term]
        frequent = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:TERMS_MAX_COUNT]
        rows = [(term, words.get(term), count) for term, count in frequent]
        columns = [list(each) for each in zip(*rows, strict=True)]
        fresh = folder / f"{VOCABULARY_NAME}.new"
        pq.write_table(pa.table(dict(zip(_SCHEMA.names, columns, strict=True)), schema=_SCHEMA), fresh)
        fresh.chmod(0o600)
        fresh.replace(folder / VOCABULARY_NAME)


def read_vocabulary(folder: Path) -> dict[int, str]:
    """Term hash -> word, for the words that were written."""
    return _read(folder)[1]


def _read(folder: Path) -> tuple[dict[int, int], dict[int, str]]:
    path = folder / VOCABULARY_NAME
    if not path.exists():
        return {}, {}
    table = pq.read_table(path)
    terms, words, counts = (table[name].to_pylist() for name in _SCHEMA.names)
    told = {term: word for term, word in zip(terms, words, strict=True) if word is not None}
    return dict(zip(terms, counts, strict=True)), told
