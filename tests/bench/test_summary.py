"""Figures of a level against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.bench.document import LevelResult
from breakeven.bench.generator import LevelRun
from breakeven.bench.load import Arrival, ClosedLoop, OpenLoop
from breakeven.bench.request_record import FailureKind, RequestRecord
from breakeven.bench.summary import FEW_ANSWERS, spread, summarise


def record(start: float, times: list[float], tokens: int | None = None, **more: object) -> RequestRecord:
    found = RequestRecord(
        start, start, 10, 4, text_times_s=times, ended_s=(times or [start])[-1], completion_tokens=tokens
    )
    for name, value in more.items():
        setattr(found, name, value)
    return found


def summary(records: list[RequestRecord], full_until: float, ended: float, users: int = 2) -> LevelResult:
    run = LevelRun(0.0, full_until_s=full_until, ended_s=ended, cpu_s=0.1)
    for each in records:
        run.keep(each)
    return summarise(ClosedLoop(users, 10), run)


def test_by_hand() -> None:
    """Two users, three answers of four tokens; one of them ends after the second user has nothing left to do."""
    good = [
        record(0.0, [0.1, 0.2, 0.3, 0.4], 4),
        record(0.0, [0.1, 0.3, 0.5, 0.7], 4),
        record(0.4, [0.5, 0.6, 0.8, 1.0], 4),
    ]
    level = summary(good, full_until=0.7, ended=1.0)
    assert level.output_tok_per_s == pytest.approx((4 + 4 + 2) / 0.7)
    assert level.whole_output_tok_per_s == pytest.approx(12.0)
    assert level.rate_done_req_per_s == pytest.approx(3.0)
    assert level.mean_in_flight_count == pytest.approx((0.4 + 0.7 + 0.6) / 1.0)
    assert level.ttft_ms is not None
    assert level.ttft_ms.mean_ms == pytest.approx(100.0)
    assert level.tpot_ms is not None
    assert level.tpot_ms.mean_ms == pytest.approx((100 + 200 + 500 / 3) / 3)
    assert level.end_to_end_ms is not None
    assert level.end_to_end_ms.max_ms == pytest.approx(700.0)
    assert level.inter_token_ms is not None
    assert level.inter_token_ms.values_count == 9
    assert level.tokens_per_event_ratio == 1.0
    assert level.notes == [FEW_ANSWERS]


def test_failures_are_counted_and_enter_nothing_else() -> None:
    good = [record(0.0, [0.1, 0.2], 2), record(0.0, [0.1, 0.2], 2)]
    slow = record(0.0, [9.0, 99.0], 50, failure=FailureKind.STALLED, detail="nothing for 9 s")
    limited = [record(0.0, [], failure="http_429", detail=f"{number}") for number in range(3)]
    alone, mixed = summary(good, 0.2, 0.2), summary([*good, slow, *limited], 0.2, 0.2)
    assert (mixed.succeeded_count, mixed.failed_count) == (2, 4)
    assert [(each.kind, each.count, each.example) for each in mixed.failures] == [
        ("http_429", 3, "0"),
        ("stalled_mid_stream", 1, "nothing for 9 s"),
    ]
    same = set(LevelResult.model_fields) - {"failed_count", "failures"}
    assert alone.model_dump(include=same) == mixed.model_dump(include=same)


def test_nothing_succeeded_gives_no_figure() -> None:
    level = summary([record(0.0, [], failure="http_500", detail="x")], 0.0, 1.0)
    for name in ("output_tok_per_s", "ttft_ms", "tpot_ms", "inter_token_ms", "rate_done_req_per_s", "output_tokens"):
        assert getattr(level, name) is None


def test_several_tokens_in_an_event() -> None:
    level = summary([record(0.0, [0.1, 0.3], 4), record(0.0, [0.1, 0.3], 4)], 0.3, 0.3)
    assert level.tokens_per_event_ratio == 2.0
    assert any("an event carries 2.0 tokens" in note for note in level.notes)
    assert level.output_tok_per_s == pytest.approx(8 / 0.3)


def test_an_answer_in_one_piece_has_no_time_per_token() -> None:
    level = summary([record(0.0, [0.4], 4)], 0.4, 0.4)
    assert level.tpot_ms is None
    assert any("came in one piece" in note for note in level.notes)


def test_short_answers_and_caches_are_told() -> None:
    short = record(0.0, [0.1, 0.2], 2, prompt_tokens=100, cached_tokens=90)
    level = summary([short], 0.2, 0.2)
    assert any("shorter than asked: 2 tokens of 4" in note for note in level.notes)
    assert any("took 90 % of the prompt tokens from a cache" in note for note in level.notes)


def test_a_busy_generator_and_a_late_one_say_so() -> None:
    run = LevelRun(0.0, full_until_s=1.0, ended_s=1.0, cpu_s=0.95)
    for number in range(200):
        run.keep(record(0.0, [0.5, 0.6, 0.7, 0.8], 4, scheduled_s=-0.05 if number % 2 else 0.0))
    level = summarise(OpenLoop((Arrival(0.0, 1, 1),), "trace", None), run)
    assert any("busy 95 % of the time" in note for note in level.notes)
    assert any("sent late: 50 ms at P99" in note for note in level.notes)
    assert level.start_lag_ms is not None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_quantiles(values: list[float]) -> None:
    found = spread(values)
    assert found is not None
    assert found.p10_ms <= found.p50_ms <= found.p90_ms <= found.p99_ms <= found.max_ms
    assert found.p50_ms == pytest.approx(float(np.median(values)))
    assert found.values_count == len(values)


def test_raw_rows() -> None:
    run = LevelRun(10.0, full_until_s=11.0, ended_s=11.0)
    run.keep(record(10.5, [10.6, 10.7], 2))
    run.keep(record(10.5, [10.6], 9, failure=FailureKind.STALLED))
    level = summarise(ClosedLoop(1, 1), run, raw=True)
    assert level.requests is not None
    assert [each.failure for each in level.requests] == [None, "stalled_mid_stream"]
    assert level.requests[0].text_times_s == pytest.approx([0.6, 0.7])
    assert level.requests[1].output_tokens == 0
    assert level.requests[1].ttft_ms is None
