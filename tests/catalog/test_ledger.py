"""Ledger: published rows stay as they were."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.files import DATA, read_files
from breakeven.catalog.ledger import LEDGER, append_rows, changed_rows, fingerprints, main, recorded_rows
from breakeven.errors import CatalogError

COMMAND = "python -m breakeven.catalog.ledger"


def test_no_published_row_has_changed() -> None:
    changed = changed_rows(recorded_rows(), fingerprints(read_files()))
    assert not changed, f"append a later row instead, or accept with `{COMMAND} --correct REASON`"


def test_every_row_is_in_the_ledger() -> None:
    missing = set(fingerprints(read_files())) - set(recorded_rows())
    assert not missing, f"run `{COMMAND}`"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the catalogue with a ledger of its own that is up to date."""
    root = tmp_path / "data"
    shutil.copytree(DATA, root)
    (root / LEDGER.name).write_text("", encoding="utf-8")
    append_rows(root / LEDGER.name, fingerprints(read_files(root)))
    return root


def _edit(folder: Path, old: str, new: str) -> dict[str, str]:
    path = folder / "fx.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return fingerprints(read_files(folder))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("typical: 0.14246", "typical: 0.1425"),
        ("read: 2026-01-08", "read: 2026-01-07"),
        ("grade: quoted", "grade: guess"),
    ],
)
def test_a_changed_row_is_refused(folder: Path, old: str, new: str) -> None:
    now = _edit(folder, old, new)
    ledger = folder / LEDGER.name
    before = ledger.read_text(encoding="utf-8")
    with pytest.raises(CatalogError, match=r"usd_per_\w+@.* append a row"):
        append_rows(ledger, now)
    assert ledger.read_text(encoding="utf-8") == before


def test_a_note_may_be_reworded(folder: Path) -> None:
    now = _edit(folder, "No later fixing was read.", "No later one was read.")
    assert not changed_rows(recorded_rows(folder / LEDGER.name), now)


def test_a_later_row_is_appended(folder: Path) -> None:
    row = """    - since: 2026-11-01
      range: {low: 0.1, typical: 0.2, high: 0.3}
      source: {title: T, link: L, read: 2026-11-01, grade: guess}
"""
    path = folder / "fx.yaml"
    path.write_text(path.read_text(encoding="utf-8") + row, encoding="utf-8")
    ledger = folder / LEDGER.name
    before = ledger.read_text(encoding="utf-8")
    assert append_rows(ledger, fingerprints(read_files(folder))) == ["usd_per_cny@2026-11-01"]
    assert ledger.read_text(encoding="utf-8").startswith(before)


def test_a_correction_is_accepted_in_the_open(folder: Path) -> None:
    now = _edit(folder, "typical: 0.14246", "typical: 0.1425")
    ledger = folder / LEDGER.name
    append_rows(ledger, now, "misread digit", date(2026, 11, 24))
    text = ledger.read_text(encoding="utf-8")
    assert "# corrected 2026-11-24: misread digit (usd_per_cny@2026-01-08)" in text
    assert changed_rows(recorded_rows(ledger), now) == []


def test_a_withdrawn_row_is_noticed(folder: Path) -> None:
    now = fingerprints(read_files(folder))
    del now["usd_per_cny@2026-01-08"]
    ledger = folder / LEDGER.name
    with pytest.raises(CatalogError, match="usd_per_cny@2026-01-08"):
        append_rows(ledger, now)
    append_rows(ledger, now, "wrong source", date(2026, 11, 24))
    assert changed_rows(recorded_rows(ledger), now) == []


def test_the_command_appends_refuses_and_corrects(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = folder / LEDGER.name
    monkeypatch.setattr("breakeven.catalog.ledger.LEDGER", ledger)
    monkeypatch.setattr("breakeven.catalog.ledger.read_files", lambda: read_files(folder))
    ledger.unlink()
    assert main([]) == 0
    assert f"{len(recorded_rows(ledger))} row(s) appended" in capsys.readouterr().out
    _edit(folder, "typical: 0.14246", "typical: 0.1425")
    assert main([]) == 1
    assert "1 published row(s) changed: usd_per_cny@2026-01-08" in capsys.readouterr().err
    assert main(["--correct", "misread digit"]) == 0
    assert main([]) == 0
