"""The reject file: made when needed, readable by its owner, safe for any text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from breakeven.errors import UsageError
from breakeven.usage.ingest_report import EXAMPLES_MAX, Reject
from breakeven.usage.store.reject_file import RejectFile

from ..logs import CSV_HEADER, imported, jsonl, row


def test_every_reject_is_written_and_some_are_kept(tmp_path: Path) -> None:
    rejects = RejectFile(tmp_path / "deep" / "rejects.jsonl")
    for number in range(10):
        rejects.add(Reject("log", number, "bad" if number else "worse", "\x1b[31m", '{"a\n": "é\ud800'))
    rejects.close()
    lines = rejects.path.read_text().splitlines()
    assert len(lines) == rejects.count == 10
    assert json.loads(lines[3])["value"] == "\x1b[31m"
    assert rejects.path.stat().st_mode & 0o077 == 0
    assert len(rejects.examples) == EXAMPLES_MAX + 1


def test_no_reject_no_file(tmp_path: Path) -> None:
    rejects = RejectFile(tmp_path / "rejects.jsonl")
    rejects.close()
    assert not rejects.path.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write rejected rows"):
        RejectFile(tmp_path / "file" / "rejects.jsonl").add(Reject("log", 1, "bad", "", ""))


SAID = "walrus ann@example.com sk-proj-abcdefghijklmnopqrstuvwxyz 10.20.30.40"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.jsonl", jsonl(row(0), row(1, prompt=SAID, input_tokens=SAID), '{"prompt": "' + SAID, SAID)),
        ("log.csv", f"{CSV_HEADER}2026-11-02T10:00:00Z,m,5,5\n2026-11-02T10:00:00Z,m,{SAID},5\n{SAID}\n"),
    ],
)
def test_rejects_hold_no_words_of_people_unless_prompts_are_kept(tmp_path: Path, name: str, text: str) -> None:
    held = []
    for prompts in ("drop", "keep"):
        found = imported(tmp_path / prompts, text, name, prompts=prompts)
        assert found.report.rejects_count >= 2
        assert not any(each in " ".join(map(str, found.report.examples)) for each in ("ann@", "sk-proj", "10.20"))
        held.append(" ".join(each["raw"] for each in found.rejects))
    assert not any("walrus" in each or "ann@" in each for each in held[:1])
    assert "walrus" in held[1]
