"""breakeven's own rows: names people use, token rules, mapping, all three shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from breakeven.errors import UsageError

from ..logs import CSV_HEADER, imported, imported_paths, jsonl, row

WHEN = {"timestamp": "2026-11-02T10:00:00Z", "model": "m"}


def tokens(call: dict[str, Any]) -> tuple[int, int, int, int, int, int]:
    names = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens")
    return tuple(call[name] for name in (*names, "output_tokens", "reasoning_tokens"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        ({"input_tokens": 9, "output_tokens": 2}, (9, 0, 0, 0, 2, 0)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "cached_tokens": 4}, (9, 4, 0, 0, 2, 0)),
        (
            {
                "usage": {
                    "prompt_tokens": 9126,
                    "completion_tokens": 3197,
                    "prompt_tokens_details": {"cached_tokens": 4864},
                    "completion_tokens_details": {"reasoning_tokens": 128},
                }
            },
            (9126, 4864, 0, 0, 3197, 128),
        ),
        (
            {
                "usage": {
                    "prompt_tokens": 100,
                    "prompt_cache_hit_tokens": 90,
                    "prompt_cache_miss_tokens": 10,
                    "completion_tokens": 5,
                    "total_tokens": 105,
                }
            },
            (100, 90, 0, 0, 5, 0),
        ),
        ({"prompt_tokens": 100, "prompt_cache_hit_tokens": 90, "completion_tokens": 5}, (100, 90, 0, 0, 5, 0)),
        (
            {
                "usageMetadata": {
                    "promptTokenCount": 5_000,
                    "cachedContentTokenCount": 1_000,
                    "candidatesTokenCount": 50,
                    "thoughtsTokenCount": 200,
                    "totalTokenCount": 5_250,
                }
            },
            (5_000, 1_000, 0, 0, 250, 200),
        ),
        (
            {"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": None, "thoughtsTokenCount": 200}},
            (7, 0, 0, 0, 200, 200),
        ),
        (
            {"usage": {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 170}, "reasoning_tokens": 30},
            (100, 0, 0, 0, 70, 30),
        ),
        (
            {"usage": {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140}, "reasoning_tokens": 30},
            (100, 0, 0, 0, 40, 30),
        ),
        (
            {"usage": {"input_tokens": 50, "output_tokens": 7, "input_tokens_details": {"cached_tokens": 20}}},
            (50, 20, 0, 0, 7, 0),
        ),
        (
            {
                "usage": {
                    "input_tokens": 450,
                    "cache_read_input_tokens": 14_000_000,
                    "cache_creation_input_tokens": 293_700,
                    "cache_creation": {"ephemeral_1h_input_tokens": 700, "ephemeral_5m_input_tokens": 293_000},
                    "output_tokens": 36_100,
                }
            },
            (14_294_150, 14_000_000, 293_700, 700, 36_100, 0),
        ),
        (
            {
                "input_tokens": 10,
                "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 3},
                "output_tokens": 1,
            },
            (18, 0, 8, 3, 1, 0),
        ),
        (
            {"prompt_tokens": 30, "cache_read_input_tokens": 20, "completion_tokens": 1},
            (30, 20, 0, 0, 1, 0),
        ),
        (
            {
                "gen_ai.usage.input_tokens": 30,
                "gen_ai.usage.cache_read.input_tokens": 20,
                "gen_ai.usage.cache_creation.input_tokens": 5,
                "gen_ai.usage.output_tokens": 4,
                "gen_ai.usage.reasoning.output_tokens": 3,
            },
            (30, 20, 5, 0, 4, 3),
        ),
        (
            {"gen_ai": {"usage": {"input_tokens": 30, "output_tokens": 4}}},
            (30, 0, 0, 0, 4, 0),
        ),
        (
            {
                "usageMetadata": {
                    "promptTokenCount": 100,
                    "toolUsePromptTokenCount": 30,
                    "candidatesTokenCount": 20,
                    "totalTokenCount": 150,
                }
            },
            (130, 0, 0, 0, 20, 0),
        ),
        (
            {"usage_metadata": {"prompt_token_count": 100, "candidates_token_count": 20, "thoughts_token_count": 7}},
            (100, 0, 0, 0, 27, 7),
        ),
        (
            {"response": {"usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {}}}},
            (9, 0, 0, 0, 2, 0),
        ),
        (
            {"response": {"usage": {"input_tokens": 10, "cache_read_input_tokens": 8, "output_tokens": 1}}},
            (18, 8, 0, 0, 1, 0),
        ),
    ],
    ids=[
        *("canonical", "flat", "openai", "deepseek", "deepseek flat", "gemini", "gemini thoughts", "reasoning beside"),
        *("reasoning inside", "responses", "anthropic", "5m+1h", "litellm", "otel", "otel nested"),
        *("gemini tools", "gemini in python", "in the answer", "in Anthropic's answer"),
    ],
)
def test_token_rules(tmp_path: Path, usage: dict[str, Any], wanted: tuple[int, ...]) -> None:
    assert tokens(imported(tmp_path, jsonl({**WHEN, **usage})).only) == wanted


def test_a_request_and_its_answer_whole(tmp_path: Path) -> None:
    """What somebody writes who logs both objects as they are: nothing of it is a guess from the texts."""
    logged = {
        "timestamp": "2026-11-02T10:00:00Z",
        "request": {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 7},
        "response": {
            "id": "chatcmpl-1",
            "model": "gpt-5-2025-08-07",
            "usage": {
                "prompt_tokens": 900,
                "completion_tokens": 80,
                "prompt_tokens_details": {"cached_tokens": 512},
                "completion_tokens_details": {"reasoning_tokens": 64},
            },
        },
    }
    found = imported(tmp_path, jsonl(logged))
    call = found.only
    assert (tokens(call), call["tokens_source"]) == ((900, 512, 0, 0, 80, 64), "reported")
    assert (call["record_id"], call["request_model"], call["response_model"]) == (
        "chatcmpl-1",
        "gpt-5",
        "gpt-5-2025-08-07",
    )
    assert (call["max_tokens"], found.report.warnings) == (7, ())


def test_the_rule_can_be_overridden(tmp_path: Path) -> None:
    usage = {**WHEN, "input_tokens": 10, "cache_read_tokens": 30, "output_tokens": 1}
    assert imported(tmp_path, jsonl(usage)).report.calls == 0
    assert tokens(imported(tmp_path, jsonl(usage), tokens_rule="exclusive").only) == (40, 30, 0, 0, 1, 0)
    beside = {**WHEN, "input_tokens": 10, "cache_read_input_tokens": 3, "output_tokens": 1}
    assert tokens(imported(tmp_path, jsonl(beside), tokens_rule="inclusive").only) == (10, 3, 0, 0, 1, 0)


def test_rules_go_row_by_row(tmp_path: Path) -> None:
    openai = {
        **WHEN,
        "usage": {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens": 1},
    }
    anthropic = {**WHEN, "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1}}
    calls = imported(tmp_path, jsonl(openai, anthropic)).calls
    assert sorted(call["input_tokens"] for call in calls) == [10, 14]
    assert [call["cache_read_tokens"] for call in calls] == [4, 4]


def test_a_key_that_comes_late_is_not_overlooked(tmp_path: Path) -> None:
    rows = [row(number) for number in range(3000)] + [row(3000, cached_tokens=7)]
    assert sum(call["cache_read_tokens"] for call in imported(tmp_path, jsonl(*rows)).calls) == 7


def test_columns_may_be_named_by_hand(tmp_path: Path) -> None:
    rows = {"when": 1_793_613_600, "tok": {"in": 5, "out": 2}, "llm.name": "m"}
    mapping = {
        "start_time": "when",
        "input_tokens": "tok.in",
        "output_tokens": "tok.out",
        "request_model": "llm.name",
    }
    call = imported(tmp_path, jsonl(rows), mapping=mapping).only
    assert (call["input_tokens"], call["output_tokens"], call["request_model"]) == (5, 2, "m")
    assert call["start_time"] == datetime(2026, 11, 2, 10, tzinfo=UTC)


def test_a_mapping_wins_over_the_usual_name(tmp_path: Path) -> None:
    call = imported(tmp_path, jsonl(row(0, billed_input=77)), mapping={"input_tokens": "billed_input"}).only
    assert call["input_tokens"] == 77


def test_an_empty_mapping_ignores_a_column(tmp_path: Path) -> None:
    twins = [row(0, id="1"), row(0, id="1")]
    assert imported(tmp_path, jsonl(*twins)).report.duplicates == 1
    assert imported(tmp_path, jsonl(*twins), mapping={"record_id": ""}).report.calls == 2


def test_a_mapping_to_nothing_or_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'input_tokens'"):
        imported(tmp_path, jsonl(row()), mapping={"input_token": "x"})
    with pytest.raises(UsageError, match="did you mean 'model'"):
        imported(tmp_path, jsonl(row()), mapping={"request_model": "modell"})
    with pytest.raises(UsageError, match="fixed columns"):
        imported(tmp_path, jsonl(row()), mapping={"request_model": "model"}, format="mooncake_trace")


def test_the_three_shapes_agree(tmp_path: Path) -> None:
    rows = [row(number, cached_tokens=number, task="t") for number in range(20)]
    as_jsonl = imported(tmp_path, jsonl(*rows))
    header = ",".join(rows[0])
    as_csv = imported(tmp_path, "\n".join([header, *(",".join(map(str, each.values())) for each in rows)]), "log.csv")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "log.parquet")
    as_parquet = imported_paths(tmp_path / "log.parquet")
    assert as_jsonl.digest == as_csv.digest == as_parquet.digest
    assert as_jsonl.report.calls == 20


def test_typed_parquet_times_keep_their_zone(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    for kind, is_assumed in ((pa.timestamp("ns", "Europe/Berlin"), False), (pa.timestamp("ms"), True)):
        times = pa.array([noon.replace(tzinfo=UTC if not is_assumed else None)], kind)
        table = pa.table({"timestamp": times, "input_tokens": [1.0], "output_tokens": [2], "model": ["m"]})
        pq.write_table(table, tmp_path / "log.parquet")
        call = imported_paths(tmp_path / "log.parquet").only
        assert (call["start_time"], call["tz_assumed"]) == (noon, is_assumed)


def test_local_tables(tmp_path: Path) -> None:
    header = "Timestamp;Model;Input_Tokens;Output_Tokens;Cost\n"
    text = header + "2026-11-02 10:00:00;m;1.234;5;0,25\n2026-11-02 10:00:00;m;12;5;1,5\n"
    calls = imported(tmp_path, text, "log.csv").calls
    assert sorted(call["input_tokens"] for call in calls) == [12, 1234]
    assert sorted(call["cost_usd"] for call in calls) == [0.25, 1.5]
    assert all(call["tz_assumed"] for call in calls)


def test_failed_calls_may_lack_tokens(tmp_path: Path) -> None:
    rows = [
        row(0, status="error", input_tokens=None, output_tokens=None),
        row(1, status=429, output_tokens=None),
        row(2, error_type="timeout", output_tokens=None),
        row(3, status="cancelled"),
        row(4, status="200"),
        row(5, output_tokens=None, operation="embeddings"),
    ]
    calls = imported(tmp_path, jsonl(*rows)).calls
    assert [call["status"] for call in calls] == ["error", "error", "error", "cancelled", "ok", "ok"]
    assert [call["tokens_source"] for call in calls] == ["missing"] + ["reported"] * 5
    assert [call["http_status"] for call in calls] == [None, 429, None, None, 200, None]


def test_secrets_do_not_reach_the_store(tmp_path: Path) -> None:
    secret = "ann@example.com"
    key = "sk-" + "a1b2c3d4" * 4
    rows = [
        row(
            0,
            user=secret,
            api_key=key,
            messages=[{"role": "user", "content": f"I am {secret}"}],
            response="secret text",
        ),
        row(1, application=secret, task=key, session_id="192.168.1.1"),
        row(2, user="plain", application="support-bot"),
    ]
    found = imported(tmp_path, jsonl(*rows))
    text = str(found.calls)
    assert secret not in text
    assert key not in text
    assert "192.168" not in text
    assert "secret text" not in text
    assert [call["redaction"] for call in found.calls] == [
        "prompt dropped; user hashed; key hashed",
        "name hidden",
        "user hashed",
    ]
    assert found.calls[0]["prompt_hash"]
    assert found.calls[2]["application"] == "support-bot"


def test_a_salt_changes_every_hash(tmp_path: Path) -> None:
    rows = jsonl(row(0, user="ann", api_key="k", prompt="p"))
    plain, salted = imported(tmp_path, rows).only, imported(tmp_path, rows, salt="s").only
    for column in ("unit_hash", "api_key_hash", "prompt_hash"):
        assert plain[column] != salted[column]


def test_the_header_may_be_in_any_case(tmp_path: Path) -> None:
    text = CSV_HEADER.upper() + "2026-11-02T10:00:00Z,gpt-5,100,10\n"
    assert imported(tmp_path, text, "log.csv").only["request_model"] == "gpt-5"


def test_buckets(tmp_path: Path) -> None:
    rows = [
        row(0, grain="bucket", request_count=3, end_time="2026-11-02T01:00:00Z", input_tokens=10**10),
        row(1, grain="bucket", end_time="2026-11-02T01:00:00Z"),
        row(2),
    ]
    calls = imported(tmp_path, jsonl(*rows)).calls
    assert [call["grain"] for call in calls] == ["bucket", "bucket", "request"]
    assert [call["request_count"] for call in calls] == [3, None, 1]
