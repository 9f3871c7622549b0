"""Safe names: what people call a file, as a name that is safe in any folder."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

CHARACTERS_MAX: Final = 80
RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
)
"""Names that are devices on Windows, whatever their suffix."""


def safe_file_name(said: str, otherwise: str = "file") -> str:
    """The last part of a path as a name of letters, digits, `.`, `-` and `_`: never hidden, a device, or a way up.

    >>> safe_file_name("../../etc/passwd"), safe_file_name("C:\\\\logs\\\\März 26.jsonl.gz"), safe_file_name("NUL.csv")
    ('passwd', 'März_26.jsonl.gz', 'file_NUL.csv')
    """
    text = unicodedata.normalize("NFKC", said).replace("\\", "/").rsplit("/", 1)[-1]
    return _safe(text, otherwise)


def safe_stem(said: str) -> str:
    """A title as a name without suffix; empty where nothing is left of it.

    >>> safe_stem(" Cheaper GPUs / 2027! "), safe_stem("..")
    ('Cheaper_GPUs_2027', '')
    """
    text = unicodedata.normalize("NFKC", said).removesuffix(".yaml").removesuffix(".yml")
    return _safe(re.sub(r"[./\\]", " ", text), "scenario") if re.search(r"\w", text) else ""


def _safe(text: str, otherwise: str) -> str:
    kept = re.sub(r"[^\w.\-]+", "_", text).strip("._-")
    kept = re.sub(r"\.{2,}", ".", kept)
    if not kept:
        return otherwise
    if kept.split(".")[0].lower() in RESERVED:
        kept = f"{otherwise}_{kept}"
    return _shortened(kept)


def _shortened(name: str) -> str:
    """At most so many characters and 200 bytes, with the suffixes kept."""
    stem, dot, suffix = name.partition(".")
    suffix = suffix[-30:]
    stem = stem[: CHARACTERS_MAX - len(suffix) - 1]
    while len(f"{stem}{dot}{suffix}".encode()) > 200:
        stem = stem[:-1]
    return f"{stem}{dot}{suffix}"
