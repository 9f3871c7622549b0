"""Glance: the manifest tells at once what the store tells, and nothing is opened or made."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.clock import now
from breakeven.errors import UsageError
from breakeven.usage.opened_calls import has_store, kept_calls
from breakeven.usage.store import CallStore
from breakeven.usage.store.glance import glance

CALL = '{"id": "%s", %s"timestamp": "2026-11-0%d", "model": "gpt-5", "input_tokens": 10, "output_tokens": 1}\n'


def _log(folder: Path, source: str = "") -> Path:
    path = folder / "calls.jsonl"
    said = f'"source": "{source}", ' if source else ""
    path.write_text("".join(CALL % (f"r{number}", said, 1 + number % 3) for number in range(9)))
    return path


def test_a_folder_without_a_store_is_left_alone(tmp_path: Path) -> None:
    found = glance(tmp_path / "none")
    assert (found.exists, found.calls_count, found.is_synthetic) == (False, 0, False)
    assert not (tmp_path / "none").exists()
    assert not has_store(tmp_path / "none")


def test_it_says_what_the_store_says(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        store.ingest(_log(tmp_path), now=now())
        assert glance(store.path).digest is None
        digest = store.digest()
        found = glance(store.path)
        assert (found.digest, found.calls_count) == (digest, store.calls_count)
        assert found.imported == store.imported()
        assert kept_calls(store, store.path).warnings == ()
    assert found.days == ("2026-11-01", "2026-11-02", "2026-11-03")
    assert not found.is_synthetic


def test_made_up_calls_are_said_to_be(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        store.ingest(_log(tmp_path, "synthetic"), now=now())
    assert glance(tmp_path / "store").is_synthetic


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="damaged"):
        glance(tmp_path)
