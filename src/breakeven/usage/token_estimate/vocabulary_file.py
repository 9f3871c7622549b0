"""Vocabulary file: an exact tokenizer where its vocabulary lies on disk, in tiktoken's cache. Never a network call.

The file is read here and handed to tiktoken, so that tiktoken, which would fetch a missing or damaged one, never looks
for it. The one adapter of tiktoken.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

CountTokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class VocabularyFile:
    """A vocabulary as tiktoken keeps it."""

    file_name: str
    sha256: str
    pattern: str
    """How a text is cut before pairs are merged."""


_ENDINGS: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER: Final = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER: Final = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
VOCABULARIES: Final[dict[str, VocabularyFile]] = {
    "o200k_base": VocabularyFile(
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_ENDINGS}"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    "cl100k_base": VocabularyFile(
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s",
    ),
}
_BY_PREFIX: Final = (
    *((prefix, "o200k_base") for prefix in ("gpt-4o", "chatgpt-4o", "gpt-4.1", "gpt-5", "gpt-oss", "o1", "o3", "o4")),
    *((prefix, "cl100k_base") for prefix in ("gpt-4", "gpt-3.5", "gpt-35", "text-embedding")),
)


def tokenizer_for(model: str | None) -> CountTokens | None:
    """How to count tokens of `model` exactly; None where its vocabulary is unknown or not on disk."""
    name = (model or "").rpartition("/")[2].lower()
    encoding = next((encoding for prefix, encoding in _BY_PREFIX if name.startswith(prefix)), None)
    return None if encoding is None else _loaded(encoding, _folder())


def _folder() -> Path:
    told = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    return Path(told) if told else Path(tempfile.gettempdir()) / "data-gym-cache"


@cache
def _loaded(name: str, folder: Path) -> CountTokens | None:
    vocabulary = VOCABULARIES[name]
    try:
        content = (folder / vocabulary.file_name).read_bytes()
        import tiktoken
    except (OSError, ImportError):
        return None
    if hashlib.sha256(content).hexdigest() != vocabulary.sha256:
        return None
    pairs = (line.split() for line in content.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    encoding = tiktoken.Encoding(name, pat_str=vocabulary.pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode_ordinary(text))
