"""The page of a measurement says what failed, what was estimated, and what is worth knowing."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from breakeven.bench.document import BenchDocument, Counting, Failures, LevelResult, Plan, Spread
from breakeven.bench.self_test import SelfTest
from breakeven.reports.bench_terminal import render_bench, render_self_test

SPREAD = Spread(mean_ms=12.0, p10_ms=8.0, p50_ms=11.0, p90_ms=15.0, p99_ms=19.0, max_ms=20.0, values_count=40)


def level(**changes: Any) -> LevelResult:
    given: dict[str, Any] = {
        "title": "concurrency 4",
        "loop": "closed",
        "concurrency_count": 4,
        "rate_req_per_s": None,
        "mean_in_flight_count": 3.9,
        "succeeded_count": 40,
        "failed_count": 0,
        "unfinished_count": 0,
        "gave_up": False,
        "failures": [],
        "duration_s": 10.0,
        "steady_s": 9.0,
        "output_tok_per_s": 512.5,
        "whole_output_tok_per_s": 500.0,
        "rate_done_req_per_s": 4.0,
        "input_tokens": 1000.2,
        "output_tokens": 128.0,
        "asked_output_tokens": 128.0,
        "ttft_ms": SPREAD,
        "inter_token_ms": SPREAD,
        "tpot_ms": SPREAD,
        "end_to_end_ms": SPREAD,
        "start_lag_ms": None,
        "tokens_per_event_ratio": 1.0,
        "generator_busy_fraction": 0.1,
        "notes": [],
        "requests": None,
    }
    return LevelResult(**(given | changes))


def document(levels: list[LevelResult], **changes: Any) -> BenchDocument:
    plan = Plan(
        api="chat", input_tokens=1000, output_tokens=128, length_spread_fraction=0.0, shared_prefix_tokens=0,
        ignore_eos=True, include_usage=True, seed=0, warm_up_requests_count=4, tokens_per_word_ratio=1.0,
        template_tokens=7.0, connect_timeout_s=10.0, first_token_timeout_s=120.0, idle_timeout_s=60.0,
        total_timeout_s=900.0,
    )  # fmt: skip
    given: dict[str, Any] = {
        "breakeven_version": "0.1.0",
        "measured_at": "2026-11-25T12:00:00+00:00",
        "url": "http://localhost:8000/v1/chat/completions",
        "model": "m\x1b[31model",
        "server": "uvi\x1b]0;evil\x07corn",
        "interrupted": False,
        "plan": plan,
        "counting": Counting(output_tokens="server", input_tokens="server"),
        "levels": levels,
        "notes": [],
    }
    return BenchDocument(**(given | changes))


def page(found: BenchDocument) -> str:
    out = StringIO()
    render_bench(found, Console(file=out, width=110, color_system=None))
    return " ".join(out.getvalue().split())


def test_verdict_first_and_hostile_names_harmless() -> None:
    text = page(document([level(), level(title="concurrency 16", output_tok_per_s=1999.5)]))
    assert text.startswith("At most 1,999.5 output tok/s at concurrency 16.")
    assert "model at http://localhost:8000/v1/chat/completions (uvicorn), 1,000 tokens in and 128 out" in text
    assert "\x1b" not in text
    assert "\x07" not in text


def test_failures_are_listed_with_what_to_do() -> None:
    failed = level(failed_count=3, failures=[Failures(kind="http_429", count=3, example="slow \x1b[2Jdown")])
    text = page(document([failed]))
    assert "Failed, and in no figure above" in text
    assert "concurrency 4: 3 x http_429: slow down. The server limits the rate" in text


def test_a_level_without_answers_has_no_figures() -> None:
    empty = level(
        title="concurrency 64", succeeded_count=0, failed_count=20, output_tok_per_s=None, ttft_ms=None, tpot_ms=None,
        end_to_end_ms=None, rate_done_req_per_s=None, input_tokens=None, output_tokens=None,
        failures=[Failures(kind="http_503", count=20, example="")],
    )  # fmt: skip
    text = page(document([level(), empty]))
    assert "concurrency 64 0 20 - - - - - - - -" in text
    assert text.startswith("512.5 output tok/s at concurrency 4.")


def test_what_is_estimated_and_what_is_unfinished() -> None:
    counting = Counting(output_tokens="estimated from events", input_tokens="server")
    text = page(document([level(unfinished_count=2, notes=["a note"])], counting=counting, interrupted=True))
    assert text.startswith("Stopped early. 512.5 output tok/s")
    assert "output tokens estimated from events" in text
    assert "concurrency 4: 2 requests were under way when it was stopped" in text
    assert "concurrency 4: a note" in text


def test_a_note_of_all_levels_is_said_once() -> None:
    text = page(document([level(notes=["the same"]), level(title="concurrency 8", notes=["the same"])]))
    assert text.count("the same") == 1


def test_the_self_test() -> None:
    out = StringIO()
    found = SelfTest(0.4, 0.015, SPREAD, SPREAD, 1500.0, 2000.0, 50_000.0, 64, 900, 0)
    render_self_test(found, Console(file=out, width=110, color_system=None))
    text = " ".join(out.getvalue().split())
    assert "0.40 ms of processor time per request and 15 us per event" in text
    assert "driven with 64 users: 2,000 requests/s of one token, 50,000 events/s" in text
