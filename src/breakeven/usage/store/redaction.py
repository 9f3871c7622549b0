"""Redaction: the rules of `usage/redact` applied to columns, once per distinct value, and noted per row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
_SUSPECT_ID: Final = r"^(?:\d{1,3}\.){3}|^(?:sk|pk|rk|gsk|xai|hf|key)[-_]"
"""Request ids are many and all different: only those with an @ or such a beginning are looked at."""
_NOTES: Final = ("user hashed", "key hashed", "name hidden")
_PROMPT_NOTES: Final[dict[PromptsMode, str]] = {
    "drop": "prompt dropped",
    "redact": "prompt kept redacted",
    "keep": "prompt kept",
}


def redacted(calls: pa.Table, salt: str, prompts: PromptsMode = "drop") -> pa.Table:
    """Calls without secrets; the column `redaction` says what was done to each row."""
    notes = np.zeros(calls.num_rows, np.int8)
    if "prompt_hash" in calls.column_names:
        notes |= _there(calls["prompt_hash"])
    for bit, (raw, column) in enumerate(RAW_HASHED.items(), 1):
        if column in calls.column_names:
            calls = _put(calls, column, _by_value(calls[column], lambda value: hashed_once(value, salt)))
        if raw in calls.column_names:
            notes |= _there(calls[raw]) << bit
            fresh = _by_value(calls[raw], lambda value: hash_of(value, salt))
            known = calls[column].cast(pa.string()) if column in calls.column_names else None
            merged = fresh if known is None else pc.coalesce(known, fresh.cast(pa.string()))
            calls = _put(calls.drop_columns([raw]), column, merged)
    for column in LABELS:
        if column in calls.column_names:
            encoded = calls[column].combine_chunks().dictionary_encode()
            secrets = pc.indices_nonzero(pc.match_substring_regex(encoded.dictionary, HIDDEN_PATTERN))
            if len(secrets):
                notes |= _among(encoded.indices, secrets) << 3
                encoded = _by_value(calls[column], lambda value: label_or_hidden(value, salt))
            calls = _put(calls, column, encoded)
    return _noted(calls, notes, (_PROMPT_NOTES[prompts], *_NOTES))


def ids_hidden(calls: pa.Table, salt: str) -> pa.Table:
    """Calls whose request ids are hidden where they look like secrets; the same id always becomes the same."""
    ids = calls["record_id"].combine_chunks()
    rows = pc.indices_nonzero(pc.or_(pc.match_substring(ids, "@"), pc.match_substring_regex(ids, _SUSPECT_ID)))
    if not len(rows):
        return calls
    told = ids.to_pylist()
    for row in rows.to_pylist():
        told[row] = label_or_hidden(told[row], salt)
    return _put(calls, "record_id", pa.array(told, pa.string()))


def _by_value(column: pa.ChunkedArray, rule: Callable[[str], str]) -> pa.DictionaryArray:
    """`rule` applied to each distinct value."""
    encoded = column.combine_chunks().dictionary_encode()
    words = pa.array([rule(word) for word in encoded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, words)


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
    texts = [
        "; ".join(note for bit, note in enumerate(names) if code & (1 << bit)) or None
        for code in range(1 << len(names))
    ]
    ours = pa.DictionaryArray.from_arrays(pa.array(notes), pa.array([text or "" for text in texts])).cast(pa.string())
    ours = pc.if_else(pc.equal(ours, ""), pa.scalar(None, pa.string()), ours)
    if "redaction" in calls.column_names and calls["redaction"].null_count < calls.num_rows:
        pairs = zip(calls["redaction"].to_pylist(), ours.to_pylist(), strict=True)
        ours = pa.array([_together(*pair) for pair in pairs], pa.string())
    return _put(calls, "redaction", ours)


def _together(told: str | None, ours: str | None) -> str | None:
    """Both notes, each part once: rows that are exported and imported again say the same as before."""
    parts = [part for text in (told, ours) if text for part in text.split("; ")]
    return "; ".join(dict.fromkeys(parts)) or None
