"""The log: valid JSON lines, limited, never blocking, and without a word of a client."""

from __future__ import annotations

import os
from collections import Counter

import orjson
import pytest
from tests.gateway.telemetry.told import CANARY, attempt, plan

from breakeven.gateway.telemetry.json_log import BURST_COUNT, QUEUE_LINES_MAX, JsonLog


class Counts:
    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def count(self, name: str, n: float = 1, label: str = "") -> None:
        self.counted[name] += int(n)


def read_lines(descriptor: int) -> list[dict[str, object]]:
    with os.fdopen(descriptor, "rb") as file:
        return [orjson.loads(line) for line in file]


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


def test_a_line_is_json_with_its_time(pipe: tuple[int, int]) -> None:
    log = JsonLog("relay-0", descriptor=pipe[1], now=lambda: 1_800_000_000.5)
    log.say("policy", hash="abc", count=3, text='quote " newline \n', bad="\ud800")
    log.close()
    os.close(pipe[1])
    (line,) = read_lines(pipe[0])
    assert line["time"] == "2027-01-15T08:00:00.500+00:00"
    assert (line["process"], line["event"], line["count"]) == ("relay-0", "policy", 3)


def test_lines_of_one_event_are_limited_and_the_rest_counted(pipe: tuple[int, int]) -> None:
    now = [0.0]
    counts = Counts()
    log = JsonLog("relay-0", counts, pipe[1], monotonic=lambda: now[0])
    for _ in range(BURST_COUNT + 30):
        log.say("flood")
    log.say("other")
    now[0] = 1.0
    log.say("flood")
    log.close()
    os.close(pipe[1])
    lines = read_lines(pipe[0])
    assert [each["event"] for each in lines].count("flood") == BURST_COUNT + 1
    assert [each["event"] for each in lines].count("other") == 1
    assert lines[-1]["left_out_count"] == 30
    assert counts.counted["log_lines_dropped_total"] == 30


def test_a_reader_that_is_stuck_holds_nobody_up(pipe: tuple[int, int]) -> None:
    now = [0.0]
    counts = Counts()
    log = JsonLog("relay-0", counts, pipe[1], monotonic=lambda: now[0])
    for _ in range(3 * QUEUE_LINES_MAX):
        now[0] += 1.0
        log.say("line", text="x" * 400)  # returns, though nobody reads and the pipe is full
    assert counts.counted["log_lines_dropped_total"] >= QUEUE_LINES_MAX
    log.close(wait_s=0.01)
    os.close(pipe[0])  # the thread sees a broken pipe, and ends
    log.close(wait_s=5.0)
    os.close(pipe[1])


def test_a_mistake_is_named_by_its_kind_and_place_and_no_word(pipe: tuple[int, int]) -> None:
    log = JsonLog("relay-0", descriptor=pipe[1])
    try:
        int(CANARY)
    except ValueError as problem:
        assert CANARY in str(problem)
        log.mistake(problem)
    log.close()
    os.close(pipe[1])
    (line,) = read_lines(pipe[0])
    assert (line["event"], line["level"], line["error"]) == ("mistake", "error", "ValueError")
    assert str(line["at"]).startswith("test_json_log.py:") and str(line["at"]).endswith("_and_no_word")
    assert CANARY not in str(line)


def test_trouble_names_what_was_tried_and_no_word(pipe: tuple[int, int]) -> None:
    log = JsonLog("relay-0", descriptor=pipe[1])
    log.request_trouble(plan(), [attempt("big", "a", "status"), attempt("small", "b", number=2, kind="fallback")], True)
    check = attempt("other", "b", number=2, kind="check")
    log.request_trouble(plan(), [check, attempt("small", "b", "rejected")], True)
    log.close()
    os.close(pipe[1])
    line, compared = read_lines(pipe[0])
    assert line["attempts"] == "big@a:503 > small@b:ok"
    assert compared["attempts"] == "check other@b:ok > small@b:rejected"
    assert CANARY not in str(line)
