"""Redaction: the rules of `usage/redact` applied to columns, once per distinct value, and noted per row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from breakeven.usage.prompts.texts import PromptsMode
from breakeven.usage.redact import HIDDEN_PATTERN, hash_of, hashed_once, label_or_hidden

LABELS: Final = (
    "operation",
    "error_type",
    "finish_reason",
    "application",
    "endpoint",
    "task",
    "task_source",
    "template_id",
    "trace_id",
    "parent_id",
    "retry_of",
    "session_id",
    "arm",
    "outcome_source",
    "provider",
    "request_model",
    "response_model",
    "model_key",
    "service_tier",
)
"""Names that people fill with anything, secrets included."""
RAW_HASHED: Final = {"raw_unit": "unit_hash", "raw_api_key": "api_key_hash"}
"""Columns that the statement gives as they are logged -> the column that keeps their hash."""
ALREADY_HASHED: Final = ("unit_hash", "api_key_hash")
_SUSPECT_ID: Final = (
    r"^(?:\d{1,3}\.){3}|^(?:AKIA|ASIA|AIza|eyJ)"
    r"|^(?:sk|pk|rk|gsk|xai|hf|key|glpat|npm|xox[a-z]|gh[oprsu]|github_pat)[-_]"
)
"""Request ids are many and all different: only those with an @ or such a beginning are looked at."""
_MAY_BEGIN: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789sprgxhknAe", np.uint8))
"""The first bytes of such beginnings."""
_AT: Final = ord("@")
_REMEMBERED_MAX_COUNT: Final = 1 << 16
"""The same users and keys come in every chunk."""
_NOTES: Final = ("user hashed", "key hashed", "name hidden")
_PROMPT_NOTES: Final[dict[PromptsMode, str]] = {
    "drop": "prompt dropped",
    "redact": "prompt kept redacted",
    "keep": "prompt kept",
}


Rule = Callable[[str, str], str]
"""What becomes of a text, given the salt."""


@dataclass(slots=True)
class _Remembered:
    """Texts that a rule was asked for, and what it said of each."""

    words: pa.StringArray
    told: pa.StringArray


@lru_cache(maxsize=16)
def _remembered(_rule: Rule, _salt: str) -> _Remembered:
    nothing = pa.array([], pa.string())
    return _Remembered(nothing, nothing)


def _told(rule: Rule, salt: str, words: pa.StringArray) -> pa.StringArray:
    """What `rule` says of `words`, which are all different."""
    memory = _remembered(rule, salt)
    known, told = memory.words, memory.told
    places = pc.index_in(words, value_set=known)
    if places.null_count:
        if len(known) > _REMEMBERED_MAX_COUNT:
            known, told = known[:0], told[:0]
            places = pc.index_in(words, value_set=known)
        fresh = words.filter(places.is_null())
        known = pa.concat_arrays([known, fresh])
        told = pa.concat_arrays([told, pa.array([rule(word, salt) for word in fresh.to_pylist()], pa.string())])
        memory.words, memory.told = known, told
        places = pc.index_in(words, value_set=known)
    return told.take(places)


def redacted(calls: pa.Table, salt: str, prompts: PromptsMode = "drop") -> pa.Table:
    """Calls without secrets; the column `redaction` says what was done to each row."""
    notes = np.zeros(calls.num_rows, np.int8)
    if "prompt_hash" in calls.column_names:
        notes |= _there(calls["prompt_hash"])
    for bit, (raw, column) in enumerate(RAW_HASHED.items(), 1):
        if column in calls.column_names:
            calls = _put(calls, column, _by_value(calls[column], hashed_once, salt))
        if raw in calls.column_names:
            notes |= _there(calls[raw]) << bit
            fresh = _by_value(calls[raw], hash_of, salt)
            known = calls[column].cast(pa.string()) if column in calls.column_names else None
            merged = fresh if known is None else pc.coalesce(known, fresh.cast(pa.string()))
            calls = _put(calls.drop_columns([raw]), column, merged)
    for column in LABELS:
        if column in calls.column_names:
            encoded = _whole(calls[column]).dictionary_encode()
            secrets = pc.indices_nonzero(pc.match_substring_regex(encoded.dictionary, HIDDEN_PATTERN))
            if len(secrets):
                notes |= _among(encoded.indices, secrets) << 3
                encoded = _by_value(calls[column], label_or_hidden, salt)
            calls = _put(calls, column, encoded)
    return _noted(calls, notes, (_PROMPT_NOTES[prompts], *_NOTES))


def ids_hidden(calls: pa.Table, salt: str) -> pa.Table:
    """Calls whose request ids are hidden where they look like secrets; the same id always becomes the same."""
    ids = _whole(calls["record_id"])
    rows = _suspects(ids)
    if not len(rows):
        return calls
    told = ids.to_pylist()
    for row in rows.tolist():
        told[row] = label_or_hidden(told[row], salt)
    return _put(calls, "record_id", pa.array(told, pa.string()))


def _suspects(ids: pa.StringArray) -> NDArray[np.int64]:
    """The places of ids with an @ or a beginning like that of a key or an address."""
    _, offsets, data = ids.buffers()
    if not len(ids) or data is None:
        return np.empty(0, np.int64)
    starts = np.frombuffer(offsets, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    text = np.frombuffer(data, np.uint8)
    is_suspect = np.zeros(len(ids), np.bool_)
    if (text[starts[0] : starts[-1]] == _AT).any():
        is_suspect |= pc.match_substring(ids, "@").to_numpy(zero_copy_only=False)
    beginnings = np.flatnonzero(_MAY_BEGIN[text[np.minimum(starts[:-1], max(len(text) - 1, 0))]])
    if len(beginnings):
        found = pc.match_substring_regex(ids.take(pa.array(beginnings)), _SUSPECT_ID)
        is_suspect[beginnings] |= found.to_numpy(zero_copy_only=False)
    return np.flatnonzero(is_suspect)


def _by_value(column: pa.ChunkedArray, rule: Rule, salt: str) -> pa.DictionaryArray:
    """`rule` applied to each distinct value."""
    encoded = _whole(column).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices, _told(rule, salt, encoded.dictionary))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """The column in one piece, copied only where it is in several."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _there(column: pa.ChunkedArray) -> NDArray[np.int8]:
    return np.asarray(column.is_valid().to_numpy(), np.int8)


def _among(indices: pa.Array, wanted: pa.Array) -> NDArray[np.int8]:
    found = pc.is_in(indices, wanted.cast(indices.type))
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int8)


def _put(calls: pa.Table, column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    if column in calls.column_names:
        return calls.set_column(calls.column_names.index(column), column, values)
    return calls.append_column(column, values)


def _noted(calls: pa.Table, notes: NDArray[np.int8], names: Sequence[str]) -> pa.Table:
    """Add the notes to what the log itself said about redaction."""
    if not notes.any():
        return calls
    texts = ["; ".join(note for bit, note in enumerate(names) if code & (1 << bit)) for code in range(1 << len(names))]
    codes = pa.array(notes.astype(np.int32), mask=notes == 0) if not notes.all() else pa.array(notes.astype(np.int32))
    ours = pa.DictionaryArray.from_arrays(codes, pa.array(texts, pa.string()))
    if "redaction" in calls.column_names and calls["redaction"].null_count < calls.num_rows:
        pairs = zip(calls["redaction"].to_pylist(), ours.to_pylist(), strict=True)
        ours = pa.array([_together(*pair) for pair in pairs], pa.string())
    return _put(calls, "redaction", ours)


def _together(told: str | None, ours: str | None) -> str | None:
    """Both notes, each part once: rows that are exported and imported again say the same as before."""
    parts = [part for text in (told, ours) if text for part in text.split("; ")]
    return "; ".join(dict.fromkeys(parts)) or None
