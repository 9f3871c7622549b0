"""Sources: who says that an answer succeeded, by the words of `SOURCES`; a word that nobody knows is never a true one.

Elsewhere an unknown word counts as the log's own. Here it might be a judge model under another name, and a judge alone
may never promote: it counts as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from breakeven.outcomes.cells import source_name
from breakeven.outcomes.columns import read_columns
from breakeven.outcomes.outcome import SOURCES

JUDGE: Final = "judge"
LOG: Final = "log"
COLUMN_NAMES: Final = ("source", "outcome_source")
KNOWN: Final = ", ".join(each for each in SOURCES if each)
_SHOWN_CHARACTERS_COUNT: Final = 40


def told_source(value: Any, absent: str) -> tuple[str, str]:
    """The word of `SOURCES` (`absent` where nothing is said), and the word as it stands there if nobody knows it.

    >>> told_source(" Gold", "feedback"), told_source(None, "feedback"), told_source("LLM-judge", "feedback")
    (('gold', ''), ('feedback', ''), ('judge', 'LLM-judge'))
    """
    if value is None or value == "":
        return absent, ""
    found = source_name(value)
    if not found:
        return absent, ""
    if found == LOG and not _is_log(value):
        return JUDGE, str(value)[:_SHOWN_CHARACTERS_COUNT]
    return found, ""


def unknown_sources(files: Sequence[Path]) -> tuple[int, str]:
    """How many rows of files name a source that nobody knows, and the first: its word, file and row."""
    count, first = 0, ""
    for path in files:
        columns = read_columns(path, lambda name: name in COLUMN_NAMES)
        name = next((each for each in COLUMN_NAMES if each in columns.values), None)
        for i, value in enumerate(columns.values[name] if name else ()):
            if word := told_source(value, LOG)[1]:
                count += 1
                first = first or f"'{word}' in {path.name}, row {columns.row_nos[i]:,}"
    return count, first


def _is_log(value: Any) -> bool:
    return str(value).strip().casefold() in (LOG, "benchmark")
