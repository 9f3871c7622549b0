"""ccusage: reports by day, week, month, session and block, split by model, of two editions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ..logs import Imported, imported, imported_paths

COUNTS = {"inputTokens": 100, "outputTokens": 50, "cacheCreationTokens": 30, "cacheReadTokens": 20, "totalTokens": 200}
OPUS = {"modelName": "claude-opus-4-6", **COUNTS, "cost": 0.5}


def entry(**fields: Any) -> dict[str, Any]:
    return {"date": "2026-11-02", **COUNTS, "totalCost": 0.5, "modelsUsed": ["claude-opus-4-6"], **fields}


def read(folder: Path, report: dict[str, Any]) -> Imported:
    return imported(folder, json.dumps(report, indent=2), "report.json")


def tokens(call: dict[str, Any]) -> tuple[int, int, int, int, int]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    return tuple(call[name] for name in names)  # type: ignore[return-value]


def test_the_fixture(tmp_path: Path) -> None:
    calls = imported_paths(Path(__file__).parent / "fixtures" / "ccusage" / "daily.json").calls
    assert sorted((c["start_time"].day, c["request_model"], *tokens(c), c["cost_usd"]) for c in calls) == [
        (2, "claude-haiku-4-5", 63, 0, 0, 4, 0, 0.0003625),
        (2, "claude-opus-4-6", 150, 20, 30, 90, 0, 0.003),
        (3, "claude-haiku-4-5", 7, 0, 0, 8, 0, 0.0001),
    ]
    assert {(c["grain"], c["cost_source"], c["request_count"]) for c in calls} == {("bucket", "computed", None)}
    assert all(c["tz_assumed"] for c in calls)


def test_the_last_period_may_be_still_going_on(tmp_path: Path) -> None:
    """Its end could lie in the future, where times are refused: tomorrow in Auckland, or the end of this month."""
    found = read(tmp_path, {"monthly": [entry(month="2026-10", date=None), entry(month="2026-11", date=None)]})
    october, november = found.calls
    assert (october["start_time"], october["end_time"]) == (
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert (november["start_time"], november["end_time"]) == (datetime(2026, 11, 1, tzinfo=UTC), None)


@pytest.mark.parametrize(
    ("report", "start", "end"),
    [
        ({"weekly": [entry(week="2026-10-26", date=None), entry(week="2026-11-02", date=None)]}, (10, 26), (11, 2)),
        ({"monthly": [entry(month="2025-12", date=None), entry(month="2026-01", date=None)]}, (12, 1), (1, 1)),
        ({"daily": [entry(period="2026-10-31", date=None), entry()]}, (10, 31), (11, 1)),
        ({"daily": [entry(date="Oct 31, 2026"), entry()]}, (10, 31), (11, 1)),
    ],
    ids=["weeks", "turn of the year", "newer name", "Codex days"],
)
def test_periods(tmp_path: Path, report: dict[str, Any], start: tuple[int, int], end: tuple[int, int]) -> None:
    first = read(tmp_path, report).calls[0]
    assert (first["start_time"].month, first["start_time"].day) == start
    assert (first["end_time"].month, first["end_time"].day) == end


def test_what_no_model_has_is_not_lost(tmp_path: Path) -> None:
    found = read(tmp_path, {"daily": [entry(inputTokens=130, outputTokens=51, modelBreakdowns=[OPUS])]})
    assert sorted((c["request_model"] or "", *tokens(c)) for c in found.calls) == [
        ("", 30, 0, 0, 1, 0),
        ("claude-opus-4-6", 150, 20, 30, 50, 0),
    ]


@pytest.mark.parametrize(("models", "wanted"), [(["claude-x"], "claude-x"), (["a", "b"], None), ([], None), (7, None)])
def test_without_breakdowns_only_one_model_is_known(tmp_path: Path, models: object, wanted: str | None) -> None:
    call = read(tmp_path, {"daily": [entry(modelsUsed=models)]}).only
    assert (call["request_model"], *tokens(call)) == (wanted, 150, 20, 30, 50, 0)


def test_projects_named_by_paths_name_nobody(tmp_path: Path) -> None:
    found = read(tmp_path, {"projects": {"-Users-alice-work-shop": [entry()], "shop": [entry()]}})
    assert found.report.calls == 2
    assert "alice" not in str(found.calls)
    names = {c["application"] for c in found.calls}
    assert "shop" in names
    assert any(name.startswith("path-") for name in names)


def test_sessions(tmp_path: Path) -> None:
    old = {"sessionId": "-home-bob-x", "lastActivity": "2026-11-02", "projectPath": "p"}
    new = {"period": "session-a", "metadata": {"lastActivity": "2026-11-03T12:00:00.000Z"}, "agent": "zcode"}
    found = read(tmp_path, {"sessions": [entry(date=None, **old), entry(date=None, **new)]})
    first, second = found.calls
    assert (first["start_time"].day, first["end_time"], first["tz_assumed"]) == (2, None, True)
    assert first["session_id"].startswith("path-")
    assert (second["start_time"].hour, second["session_id"], second["tz_assumed"]) == (12, "session-a", False)


def test_blocks_count_requests(tmp_path: Path) -> None:
    counts = {
        "inputTokens": 100,
        "outputTokens": 50,
        "cacheCreationInputTokens": 30,
        "cacheReadInputTokens": 20,
    }
    block = {
        "id": "2026-11-02T10:00:00.000Z",
        "startTime": "2026-11-02T10:00:00.000Z",
        "endTime": "2026-11-02T15:00:00.000Z",
        "isGap": False,
        "entries": 12,
        "tokenCounts": counts,
        "costUSD": 0.4,
        "models": ["claude-opus-4-6"],
    }
    gap = {**block, "startTime": "2026-11-02T15:00:00.000Z", "endTime": "2026-11-02T20:00:00.000Z", "isGap": True}
    gap |= {"entries": 0, "tokenCounts": dict.fromkeys(counts, 0), "costUSD": 0, "models": []}
    full, empty = read(tmp_path, {"blocks": [block, gap]}).calls
    assert (full["request_count"], full["request_model"], full["cost_usd"]) == (12, "claude-opus-4-6", 0.4)
    assert tokens(full) == (150, 20, 30, 50, 0)
    assert (full["start_time"].hour, full["end_time"].hour, full["tz_assumed"]) == (10, 15, False)
    assert (empty["request_count"], tokens(empty)) == (0, (0, 0, 0, 0, 0))


@pytest.mark.parametrize(("total", "wanted"), [(160, (120, 20, 0, 40, 10)), (180, (140, 20, 0, 40, 0))])
def test_the_codex_edition_says_by_its_total_where_cached_tokens_are(
    tmp_path: Path, total: int, wanted: tuple[int, ...]
) -> None:
    counts = {"inputTokens": 120, "cachedInputTokens": 20, "outputTokens": 40, "totalTokens": total}
    if total == 160:
        counts["reasoningOutputTokens"] = 10
    day = {"date": "2026-11-02", **counts, "costUSD": 0.1, "models": {"gpt-5-codex": counts}}
    call = read(tmp_path, {"daily": [day]}).only
    assert tokens(call) == wanted
    assert call["request_model"] == "gpt-5-codex"


def test_a_report_made_again_is_no_second_use(tmp_path: Path) -> None:
    early = json.dumps({"daily": [entry()]})
    late = json.dumps({"daily": [entry(outputTokens=90), entry(date="2026-11-03")]})
    found = imported(tmp_path, early + "\n" + late, "both.json")
    assert (found.report.calls, found.report.duplicates) == (2, 1)
    assert sorted(c["output_tokens"] for c in found.calls) == [50, 90]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("text", "not an entry of a report"),
        (None, "not an entry of a report"),
        (entry(date="soon"), "start_time is not a time"),
        (entry(inputTokens=-1), "input_tokens is negative"),
        (entry(outputTokens=None), "output_tokens is missing"),
    ],
)
def test_a_bad_entry_is_a_reject(tmp_path: Path, bad: object, reason: str) -> None:
    found = read(tmp_path, {"daily": [entry(date="2026-11-01"), bad]})
    assert found.reasons == {2: reason}
    assert found.report.calls == 1


def test_no_report_is_a_reject(tmp_path: Path) -> None:
    content = json.dumps({"daily": [entry()]}) + "\n" + json.dumps({"error": "x"}) + "\n"
    assert list(imported(tmp_path, content, "two.json").reasons.values()) == ["no report of ccusage"]
