"""Two threads: every task is done once, in the caller's context, and an error of either thread reaches the caller."""

from __future__ import annotations

from contextvars import ContextVar
from threading import Event, get_ident

import pytest

from breakeven.decision.two_threads import TwoThreads

_said: ContextVar[str] = ContextVar("said", default="nothing")


def test_every_task_is_done_once() -> None:
    done: list[int] = []
    TwoThreads().share([lambda number=number: done.append(number) for number in range(200)])
    assert sorted(done) == list(range(200))
    TwoThreads().share([])


def test_both_threads_work_and_the_second_one_stays() -> None:
    threads, ran = TwoThreads(), set()
    for _ in range(3):
        first, second = Event(), Event()
        threads.share([lambda: _met(first, second, ran), lambda: _met(second, first, ran)])  # noqa: B023
    assert len(ran) == 2


def _met(mine: Event, others: Event, ran: set[int]) -> None:
    """Goes on only while another thread is here as well."""
    ran.add(get_ident())
    mine.set()
    assert others.wait(30)


def test_the_context_is_that_of_the_caller() -> None:
    seen: list[str] = []
    token = _said.set("mine")
    first, second = Event(), Event()
    try:
        TwoThreads().share(
            [
                lambda: (_met(first, second, set()), seen.append(_said.get())),
                lambda: (_met(second, first, set()), seen.append(_said.get())),
            ]
        )
    finally:
        _said.reset(token)
    assert seen == ["mine", "mine"]


@pytest.mark.parametrize("place", [0, 1])
def test_an_error_of_either_thread_is_raised_and_the_next_tasks_are_done(place: int) -> None:
    threads, first, second = TwoThreads(), Event(), Event()

    def fail(mine: Event, others: Event) -> None:
        _met(mine, others, set())
        raise ArithmeticError("no")

    tasks = [lambda: fail(first, second), lambda: _met(second, first, set())]
    with pytest.raises(ArithmeticError, match="no"):
        threads.share(tasks if place == 0 else tasks[::-1])
    done: list[int] = []
    threads.share([lambda: done.append(1), lambda: done.append(2)])
    assert sorted(done) == [1, 2]
