"""Jobs run once under a name, say how far they are, and end when asked."""

from __future__ import annotations

import threading

import pytest

from breakeven.errors import ScenarioError
from breakeven.web.jobs import KEPT_COUNT, Jobs, Say


def test_one_name_runs_once_at_a_time() -> None:
    jobs, go = Jobs(), threading.Event()
    first = jobs.start("compare", "Comparing", lambda say: go.wait(10))
    assert jobs.start("compare", "Comparing", lambda say: None) is first
    go.set()
    assert first.wait(10)
    assert first.state == "done"
    assert jobs.start("compare", "Comparing", lambda say: None) is not first


def test_it_ends_where_it_next_says_how_far_it_is() -> None:
    jobs, said = Jobs(), threading.Event()

    def work(say: Say) -> None:
        for step in range(100_000):
            say(f"step {step}")
            said.set()

    job = jobs.start("long", "Long", work)
    assert said.wait(10)
    job.cancel()
    assert job.wait(10)
    assert job.state in ("cancelled", "done")


def test_what_went_wrong_is_said() -> None:
    def work(say: Say) -> None:
        raise ScenarioError("scenario.yaml:3: no such fact")

    job = Jobs().start("bad", "Bad", work)
    assert job.wait(10)
    assert (job.state, job.error, job.is_expected) == ("failed", "scenario.yaml:3: no such fact", True)


def test_a_mistake_of_ours_is_told_from_an_error_that_says_what_to_do() -> None:
    def work(say: Say) -> None:
        raise ZeroDivisionError("nothing to divide by")

    job = Jobs().start("bad", "Bad", work)
    assert job.wait(10)
    assert (job.state, job.error, job.is_expected) == ("failed", "ZeroDivisionError: nothing to divide by", False)


def test_work_can_be_done_again_and_one_that_runs_is_left_alone() -> None:
    jobs, tries = Jobs(), [0]

    def work(say: Say) -> int:
        tries[0] += 1
        if tries[0] == 1:
            raise ScenarioError("not yet")
        return tries[0]

    first = jobs.start("compare", "Comparing", work)
    assert first.wait(10)
    second = jobs.again(first)
    assert second.wait(10)
    assert (first.state, second.state, second.result) == ("failed", "done", 2)
    go = threading.Event()
    running = jobs.start("long", "Long", lambda say: go.wait(10))
    assert jobs.again(running) is running
    go.set()


def test_the_end_of_the_server_asks_all_for_theirs() -> None:
    jobs = Jobs()

    def work(say: Say) -> None:
        while True:
            say("at it")

    started = [jobs.start(str(number), "Long", work) for number in range(3)]
    assert jobs.close(10)
    assert [each.state for each in started] == ["cancelled"] * 3


def test_work_that_says_nothing_is_not_waited_for_longer_than_patience(caplog: pytest.LogCaptureFixture) -> None:
    jobs, go = Jobs(), threading.Event()

    def work(say: Say) -> None:
        go.wait(10)
        raise OSError("its files went away")

    job = jobs.start("silent", "Silent", work)
    assert not jobs.close(0.05)
    go.set()
    assert job.wait(10)
    assert job.state == "cancelled"
    assert not caplog.records


def test_old_jobs_are_forgotten_and_running_ones_never() -> None:
    jobs, go = Jobs(), threading.Event()
    running = jobs.start("long", "Long", lambda say: go.wait(10))
    for number in range(KEPT_COUNT + 5):
        assert jobs.start(str(number), "Short", lambda say: None).wait(10)
    assert jobs.find(running.key) is running
    assert len(jobs.every()) <= KEPT_COUNT + 1
    go.set()
