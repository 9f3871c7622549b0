"""Audit keeping: one line an answer, texts only where prompts are kept, never in the way, whole after a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from breakeven.gateway.metering.audit_keeping import (
    FOLDER_NAME,
    RESULTS,
    AuditedAnswer,
    AuditKeeping,
    audit_folder,
    audit_line,
)
from breakeven.gateway.metering.kept_prompts import CUT_MARK, KEPT_MAX_BYTES, TEXT_MAX_CHARACTERS_COUNT
from breakeven.gateway.metering.prompt_words import prompt_words
from breakeven.gateway.plan import RequestFacts
from breakeven.gateway.telemetry.counters import Counters
from breakeven.routing.answers import Answer

DOCUMENT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Mail ann@example.com"}, {"type": "image_url"}]},
        {"role": "assistant", "tool_calls": [{"function": {"name": "send", "arguments": '{"to": "ann"}'}}]},
    ]
}
ANSWERED = AuditedAnswer(
    pilot="p-1",
    request_id="r-1",
    task="mail",
    arm="candidate",
    model="small",
    time_unix_s=1_790_000_000.25,
    facts=RequestFacts("chat", DOCUMENT, orjson.dumps(DOCUMENT), "auto", False, False, None),
    answer=Answer("Sent to ann@example.com with sk-0123456789abcdef01", finish_reason="stop"),
    outcome_fraction=1.0,
    kept="none",
)
WITHOUT_TEXTS = {
    "request_id": "r-1",
    "task": "mail",
    "arm": "candidate",
    "model": "small",
    "time": "2026-09-21T14:13:20.250+00:00",
    "finish_reason": "stop",
    "outcome": 1.0,
}


def lines(state: Path) -> list[dict[str, Any]]:
    """All that was kept of the pilot."""
    found = sorted(audit_folder(state, "p-1").glob("*.jsonl"))
    return [json.loads(line) for file in found for line in file.read_text().splitlines()]


def counted(counters: Counters) -> dict[str, float]:
    """How answers were counted."""
    return {label: count for name, label, count in json.loads(counters.snapshot())["counts"] if name == RESULTS}


def test_texts_are_kept_as_prompts_are() -> None:
    assert json.loads(audit_line(ANSWERED)) == WITHOUT_TEXTS
    full = json.loads(audit_line(replace(ANSWERED, kept="full")))
    assert full == WITHOUT_TEXTS | {"prompt": prompt_words(DOCUMENT, False), "answer": ANSWERED.answer.text}
    assert full["prompt"] == (
        'system: Be kind.\nuser: Mail ann@example.com <image_url>\nassistant: send({"to": "ann"})'
    )
    redacted = audit_line(replace(ANSWERED, kept="redacted"))
    assert b"ann@example.com" not in redacted and b"sk-01234" not in redacted
    assert "Be kind." in json.loads(redacted)["prompt"] and "Sent to" in json.loads(redacted)["answer"]


def test_tool_calls_are_kept_and_long_texts_cut() -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "send", "arguments": '{"to": "ann@example.com"}'}}]
    called = replace(ANSWERED, answer=Answer("", tool_calls=calls), kept="redacted")
    assert b"ann@example.com" not in audit_line(called)
    assert json.loads(audit_line(called))["tool_calls"][0]["function"]["name"] == "send"
    long = replace(ANSWERED, answer=Answer("x" * 100_000), kept="full")
    assert json.loads(audit_line(long))["answer"] == "x" * TEXT_MAX_CHARACTERS_COUNT + CUT_MARK
    many = {"messages": [{"role": "user", "content": "y" * 30_000}] * 20}
    huge = replace(ANSWERED, facts=replace_document(many), kept="full")
    assert len(audit_line(huge)) < KEPT_MAX_BYTES and json.loads(audit_line(huge)) == WITHOUT_TEXTS


def replace_document(document: dict[str, Any]) -> RequestFacts:
    """Facts of another body."""
    return RequestFacts("chat", document, orjson.dumps(document), "auto", False, False, None)


def test_answers_are_written_one_a_line_and_counted(tmp_path: Path) -> None:
    counters = Counters()
    keeping = AuditKeeping(tmp_path, 3, counters)
    for number in range(200):
        keeping.put(replace(ANSWERED, request_id=f"r-{number}"))
    keeping.close()
    assert [each["request_id"] for each in lines(tmp_path)] == [f"r-{number}" for number in range(200)]
    assert counted(counters) == {"written": 200}
    assert (tmp_path / FOLDER_NAME / "p-1" / "relay-3.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_short_is_taken_away(tmp_path: Path) -> None:
    file = audit_folder(tmp_path, "p-1") / "relay-0.jsonl"
    file.parent.mkdir(parents=True)
    for before, kept in ((b"", 0), (b'{"request_id":"a"}\n{"requ', 1), (b'{"requ', 0), (b"x" * 300_000, 0)):
        file.write_bytes(before)
        keeping = AuditKeeping(tmp_path, 0)
        keeping.put(ANSWERED)
        keeping.close()
        assert [each["request_id"] for each in lines(tmp_path)] == ["a"] * kept + ["r-1"]


def test_what_is_too_much_or_fails_is_dropped_and_counted(tmp_path: Path) -> None:
    counters = Counters()
    keeping = AuditKeeping(tmp_path, 0, counters, file_max_bytes=1_000)
    for _ in range(20):
        keeping.put(ANSWERED)
        keeping.put(replace(ANSWERED, facts=replace_document({})))
    keeping.close()
    kept_count = len(lines(tmp_path))
    assert counted(counters) == {"written": kept_count, "dropped": 40 - kept_count}
    assert (audit_folder(tmp_path, "p-1") / "relay-0.jsonl").stat().st_size <= 1_000
    (tmp_path / "file").write_text("")
    counters = Counters()
    blocked = AuditKeeping(tmp_path / "file", 0, counters)
    blocked.put(ANSWERED)
    blocked.close()
    assert counted(counters) == {"dropped": 1}


def test_a_queue_that_is_full_blocks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = Counters()
    keeping = AuditKeeping(tmp_path, 0, counters, queue_max_count=5)
    monkeypatch.setattr("breakeven.gateway.metering.audit_keeping.threading.Thread.start", lambda self: None)
    for _ in range(9):
        keeping.put(ANSWERED)
    assert counted(counters) == {"dropped": 4}
    large = replace(ANSWERED, facts=replace(ANSWERED.facts, body=b"x" * (65 * 2**20)))
    other = AuditKeeping(tmp_path, 0, counters)
    other.put(large)
    assert counted(counters) == {"dropped": 5}


def test_prompts_of_every_api_are_words() -> None:
    assert prompt_words({"system": "S", "messages": [{"role": "user", "content": "U"}]}, False) == "system: S\nuser: U"
    blocks = {"system": [{"type": "text", "text": "S"}], "messages": []}
    assert prompt_words(blocks, False) == "system: S"
    items = [{"role": "user", "content": [{"type": "input_text", "text": "U"}]}, {"type": "reasoning"}]
    assert prompt_words({"instructions": "I", "input": items}, False) == "system: I\nuser: U\nreasoning: <reasoning>"
    assert prompt_words({"input": "U"}, False) == "user: U"
    assert prompt_words({"prompt": ["a", "b"]}, False) == "user: a\nuser: b"
    assert prompt_words({"messages": [7, None, {"content": {"content": {"content": 3}}}]}, False) == ""
