"""Rules over columns: each distinct value once, noted per row."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from breakeven.usage.redact import hash_of, label_or_hidden
from breakeven.usage.store.redaction import redacted

from ..logs import imported, jsonl, row


def test_values_and_notes() -> None:
    calls = pa.table(
        {
            "prompt_hash": ["aa", None, None, None],
            "raw_unit": ["ann", None, "ann", None],
            "raw_api_key": [None, "key", None, None],
            "task": ["t", "ann@example.com", None, "t"],
            "redaction": ["names removed", None, None, None],
        }
    )
    found = redacted(calls, "salt")
    assert "raw_unit" not in found.column_names
    assert found["unit_hash"].to_pylist() == [hash_of("ann", "salt"), None, hash_of("ann", "salt"), None]
    assert found["api_key_hash"].to_pylist() == [None, hash_of("key", "salt"), None, None]
    assert found["task"].to_pylist() == ["t", label_or_hidden("ann@example.com", "salt"), None, "t"]
    assert found["redaction"].to_pylist() == [
        "names removed; prompt dropped; user hashed",
        "key hashed; name hidden",
        "user hashed",
        None,
    ]


def test_hashes_from_the_log_are_kept_and_raw_values_fill_the_gaps() -> None:
    known = hash_of("bob")
    calls = pa.table({"unit_hash": [known, "not a hash", None], "raw_unit": ["x", None, "ann"]})
    assert redacted(calls, "")["unit_hash"].to_pylist() == [known, hash_of("not a hash"), hash_of("ann")]


def test_nothing_to_hide_leaves_no_note() -> None:
    calls = pa.table({"task": ["t"]})
    assert redacted(calls, "").column_names == ["task"]


def test_ids_models_and_file_names_that_look_like_secrets_are_hidden(tmp_path: Path) -> None:
    secret = "ann@example.com"
    names = ("id", "provider", "model", "response_model", "service_tier", "model_key")
    text = jsonl(row(0, **dict.fromkeys(names, secret)), row(1))
    found = imported(tmp_path, text, f"{secret}.jsonl")
    assert secret not in str(found.calls) + str(found.report)
    assert [call["record_id"] for call in found.calls] == [label_or_hidden(secret), "call-1"]
    assert imported(tmp_path, text, f"{secret}.jsonl").digest == found.digest
