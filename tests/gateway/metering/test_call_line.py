"""Call lines: names, statuses, ids, and that `breakeven import` takes every one of them."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cli.main import group
from breakeven.gateway.attempt import TokenCounts
from breakeven.gateway.metering.call_line import call_line, call_lines, provider_of
from breakeven.usage.call import COLUMN_BY_NAME, Call, broken_invariant
from gateway.metering.calls_made import KEY, MINI, OURS, STARTED_UNIX_S, attempt, plan


def _read(line: bytes) -> dict[str, Any]:
    assert line.endswith(b"}\n") and line.count(b"\n") == 1
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_says_what_happened_under_the_names_of_a_call() -> None:
    said = _read(call_line(plan(trace_id="t" * 32, unit_hash="u1", groups={"system_hash": "5" * 16}), attempt()))
    assert said == {
        "record_id": "req-1",
        "start_time": "2026-11-26T12:00:00.123456Z",
        "duration_s": 1.5,
        "ttft_s": 0.25,
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_usd": 0.000065,
        "cost_source": "computed",
        "status": "ok",
        "http_status": 200,
        "finish_reason": "stop",
        "source": "breakeven-gateway",
        "operation": "chat",
        "endpoint": "/v1/chat/completions",
        "provider": "openai",
        "request_model": "mini",
        "response_model": "gpt-5-mini-2026-08-07",
        "model_key": "mini",
        "stream": False,
        "max_tokens": 64,
        "has_tools": False,
        "application": "bot",
        "api_key_hash": KEY.key_hash.hex()[:16],
        "task": "faq",
        "task_source": "header",
        "policy_hash": "p1",
        "trace_id": "t" * 32,
        "unit_hash": "u1",
        "system_hash": "5" * 16,
    }
    assert set(said) <= set(COLUMN_BY_NAME)
    assert datetime.fromisoformat(said["start_time"]).timestamp() == pytest.approx(STARTED_UNIX_S, abs=1e-6)


def test_a_line_holds_no_prompt_and_no_key() -> None:
    assert b"canary" not in call_line(plan(), attempt())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failure": "status", "http_status": 503}, {"status": "error", "error_type": "http_503", "http_status": 503}),
        (
            {"failure": "first_byte_timeout", "http_status": None},
            {"status": "error", "error_type": "first_byte_timeout"},
        ),
        ({"is_aborted": True, "failure": "client_gone"}, {"status": "cancelled", "error_type": "client_gone"}),
        ({"is_aborted": True}, {"status": "cancelled"}),
        ({"http_status": 400, "tokens": None, "cost_usd": None}, {"status": "error", "error_type": "http_400"}),
        ({"is_aborted": True, "failure": "superseded"}, {"status": "cancelled", "error_type": "superseded"}),
        ({"failure": "rejected"}, {"status": "ok", "error_type": "rejected"}),
        ({"tokens": None, "cost_usd": None}, {"tokens_source": "missing", "input_tokens": 0, "cost_usd": None}),
        (
            {"tokens": TokenCounts(7, 3, is_estimated=True)},
            {"tokens_source": "estimated", "usage_estimated": True, "input_tokens": 7, "output_tokens": 3},
        ),
        ({"ended_monotonic_s": None, "first_byte_monotonic_s": None}, {"status": "ok"}),
        ({"ended_monotonic_s": 9.0}, {"duration_s": 0.0}),
    ],
)
def test_how_an_attempt_ended(changes: dict[str, Any], said: dict[str, Any]) -> None:
    found = _read(call_line(plan(), attempt(**changes)))
    assert {name: found.get(name) for name in said} == said
    assert ("cost_source" in found) == (found.get("cost_usd") is not None)


def test_rarer_tokens_are_said() -> None:
    tokens = TokenCounts(100, 50, 30, 20, 10, 40, 5, 6)
    found = _read(call_line(plan(), attempt(tokens=tokens)))
    told = {each.name for each in fields(TokenCounts)} - {"is_estimated"}
    assert {name: found[name] for name in told} == {name: getattr(tokens, name) for name in told}


def test_who_served_it_is_never_a_vendor_for_a_model_of_our_own() -> None:
    assert (provider_of(MINI), provider_of(OURS)) == ("openai", "own:rack")
    assert _read(call_line(plan(), attempt(target=OURS)))["provider"] == "own:rack"


def test_further_attempts_have_the_number_in_their_id() -> None:
    assert "retry_of" not in _read(call_line(plan(), attempt(1)))
    second = _read(call_line(plan(), attempt(2)))
    assert (second["record_id"], second["retry_of"]) == ("req-1-2", "req-1")


def test_the_attempt_that_answered_has_the_id_of_the_request() -> None:
    failed = attempt(1, failure="status", http_status=500)
    unsent = attempt(2, failure="connect", was_sent=False)
    shadow = attempt(4, kind="shadow")
    asked = plan(propensity=0.5, arm="b")
    said = [_read(each) for each in call_lines(asked, [failed, unsent, attempt(3), shadow])]
    assert [each["record_id"] for each in said] == ["req-1-1", "req-1", "req-1-4"]
    assert [each.get("retry_of") for each in said] == [None, "req-1-1", None]
    assert [each.get("propensity") for each in said] == [0.5, 0.5, None]
    assert [each["arm"] for each in said] == ["b", "b", "shadow"]
    assert said[2]["parent_id"] == "req-1"


def test_a_rejected_answer_and_the_one_that_took_its_place_are_two_calls() -> None:
    rejected = attempt(1, failure="rejected")
    said = [_read(each) for each in call_lines(plan(), [rejected, attempt(2, kind="escalation")])]
    assert [(each["record_id"], each["status"]) for each in said] == [("req-1-1", "ok"), ("req-1", "ok")]
    assert said[1]["retry_of"] == "req-1-1"


def test_a_rejected_answer_that_nobody_bettered_has_the_id_of_the_request() -> None:
    both = [attempt(1, failure="rejected"), attempt(2, kind="escalation", failure="status", http_status=500)]
    assert [_read(each)["record_id"] for each in call_lines(plan(), both)] == ["req-1", "req-1-2"]


def test_a_check_never_has_the_id_of_the_request() -> None:
    check, failed = attempt(2, kind="check"), attempt(1, failure="rejected")
    said = [_read(each) for each in call_lines(plan(), [check, attempt(1)])]
    assert [each["record_id"] for each in said] == ["req-1-2", "req-1"]
    assert said[0]["parent_id"] == "req-1" and all("retry_of" not in each for each in said)
    said = [_read(each) for each in call_lines(plan(), [check, failed, attempt(3, kind="escalation")])]
    assert [each["record_id"] for each in said] == ["req-1-2", "req-1-1", "req-1"]
    assert [each.get("retry_of") for each in said] == [None, None, "req-1-1"]
    assert [_read(each)["record_id"] for each in call_lines(plan(), [check])] == ["req-1-2"]


def test_a_request_that_nobody_answered_gives_its_id_to_the_last_attempt() -> None:
    both = [attempt(1, failure="status", http_status=500), attempt(2, failure="reset")]
    assert [_read(each)["record_id"] for each in call_lines(plan(), both)] == ["req-1-1", "req-1"]
    assert call_lines(plan(), [attempt(1, was_sent=False, failure="connect")]) == []
    only = call_lines(plan(), [attempt(2, was_sent=True), attempt(1, was_sent=False, failure="connect")])
    assert [_read(each)["record_id"] for each in only] == ["req-1"]


def test_texts_of_clients_cannot_break_a_line() -> None:
    nasty = 'x"\n{"record_id":"forged"}\r\n\ud800'
    found = _read(call_line(plan(session_id=nasty, task=nasty, output_tokens_max=2**80), attempt()))
    assert found["record_id"] == "req-1" and found["session_id"].startswith('x"\n')
    assert found["max_tokens"] == 2**63 - 1


def test_an_object_made_anew_at_the_same_place_is_not_taken_for_the_old_one() -> None:
    for i in range(50):
        target = type(MINI)(f"model-{i}", MINI.upstream, f"m-{i}")
        assert _read(call_line(plan(), attempt(target=target)))["model_key"] == f"model-{i}"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.integers(-10, 200), st.integers(0, 2**60)), min_size=8, max_size=8))
def test_no_count_breaks_an_invariant(counts: list[int]) -> None:
    said = _read(call_line(plan(), attempt(tokens=TokenCounts(*counts))))
    tokens = {name: value for name, value in said.items() if name.endswith("_tokens") and name != "max_tokens"}
    call = Call("a", "b", datetime.fromisoformat(said["start_time"]), **tokens)
    assert broken_invariant(call) is None
    if broken_invariant(Call("a", "b", call.start_time, **_as_told(counts))) is None and max(counts) <= 200:
        assert tokens.items() <= _as_told(counts).items()


def _as_told(counts: list[int]) -> dict[str, int]:
    names = [each.name for each in fields(TokenCounts) if each.name != "is_estimated"]
    return dict(zip(names, counts, strict=True))


def test_breakeven_import_reads_every_line_as_it_is(tmp_path: Path) -> None:
    lines = [
        *(call_line(plan(f"r{i}"), attempt()) for i in range(20)),
        *call_lines(plan("f"), [attempt(1, failure="status", http_status=500, tokens=None, cost_usd=None), attempt(2)]),
        call_line(plan("c"), attempt(is_aborted=True, tokens=TokenCounts(9, 1, is_estimated=True))),
        call_line(plan("k"), attempt(tokens=TokenCounts(100, 50, 30, 20, 10, 40, 5, 6))),
        call_line(plan("n"), attempt(failure="reset", tokens=None, cost_usd=None)),
    ]
    log = tmp_path / "relay-0-1.jsonl"
    log.write_bytes(b"".join(lines))
    run = CliRunner().invoke(group, ["import", str(log), "--store", str(tmp_path / "store"), "--json"])
    assert run.exit_code == 0, run.output
    import pyarrow.parquet as pq

    rows = [row for each in (tmp_path / "store").rglob("*.parquet") for row in pq.read_table(each).to_pylist()]
    by_id = {row["record_id"]: row for row in rows}
    assert len(rows) == len(lines) == len(by_id)
    assert {row["source"] for row in rows} == {"breakeven-gateway"}
    for line in lines:
        told = _read(line)
        row = by_id[told["record_id"]]
        for name in (
            "input_tokens",
            "output_tokens",
            "cost_usd",
            "status",
            "model_key",
            "provider",
            "retry_of",
            "task",
        ):
            assert row[name] == told.get(name), name
        assert row["api_key_hash"] == told["api_key_hash"]
        assert row["duration_s"] == told["duration_s"] and row["ttft_s"] == told["ttft_s"]
        assert row["tokens_source"] == told.get("tokens_source", "reported")
