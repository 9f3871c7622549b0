"""Jobs run once under a name, say how far they are, and end when asked."""

from __future__ import annotations

import threading

from breakeven.errors import ScenarioError
from breakeven.web.jobs import Jobs, Say


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
    assert (job.state, job.error) == ("failed", "ScenarioError: scenario.yaml:3: no such fact")
