"""The manifest survives a round trip, and damage is explained."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from breakeven.errors import UsageError
from breakeven.usage.store.manifest import (
    MANIFEST_NAME,
    ImportedFile,
    Manifest,
    StoredFile,
    read_manifest,
    write_manifest,
)

FULL = Manifest(
    (ImportedFile("a", "00ff", 100, "breakeven|||", 10, 7, 1, {"bad": 2}, "2026-11-23T12:00:00+00:00"),),
    (StoredFile("day=2026-11-01/calls-1.parquet", date(2026, 11, 1), 7, "0123"),),
)


def test_round_trip(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == Manifest()
    write_manifest(tmp_path, FULL)
    assert read_manifest(tmp_path) == FULL
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST_NAME]
    assert FULL.has_size(100)
    assert not FULL.has_size(101)
    assert FULL.find("00ff") is FULL.imported[0]
    assert FULL.find("00") is None
    assert FULL.imported[0].rejects_count == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "imported": [{}], "stored": []}'])
def test_damage(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST_NAME).write_text(text)
    with pytest.raises(UsageError, match="damaged"):
        read_manifest(tmp_path)
