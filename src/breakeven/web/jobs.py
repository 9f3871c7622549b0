"""Jobs: long work in threads beside the requests, with progress in words, and an end that a person may ask for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import uuid4

State = Literal["running", "done", "failed", "cancelled"]
Say = Callable[[str], None]
"""Progress in words. Raises Cancelled inside the work once somebody asked for its end."""
KEPT_COUNT: Final = 50


class Cancelled(Exception):
    """Somebody asked for the end of the work; raised where the work says how far it is."""


@dataclass(slots=True)
class Job:
    """One piece of work."""

    name: str
    """What is worked on; two jobs of one name do not run at once."""
    title: str
    """What a person reads, e.g. "Comparing the options"."""
    key: str = field(default_factory=lambda: uuid4().hex)
    state: State = "running"
    words: str = ""
    """How far it is."""
    error: str = ""
    """What went wrong, in words that a browser may see, once it failed."""
    is_expected: bool = False
    """It failed by an error that says what to do, not by a mistake of breakeven's."""
    result: Any = None
    work: Callable[[Say], Any] | None = None
    """What it does, to do it again."""
    asked: Mapping[str, str] = field(default_factory=dict)
    """What a form asked for, to show it again."""
    is_refused: bool = False
    """A person asked for its end."""
    started_s: float = field(default_factory=time.monotonic)
    ended_s: float | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def running_s(self) -> float:
        """Seconds since it began, or from begin to end."""
        return (self.ended_s or time.monotonic()) - self.started_s

    def say(self, words: str) -> None:
        """Take note of how far the work is; raises Cancelled once its end was asked for."""
        if self._stop.is_set():
            raise Cancelled
        self.words = words

    def cancel(self, *, by_person: bool = True) -> None:
        """Ask for its end; it comes where the work next says how far it is.

        What a person cancelled stays so until somebody tries again; what gave way to something newer begins again by
        itself when it is wanted.
        """
        self.is_refused = self.is_refused or by_person
        self._stop.set()

    @property
    def is_given_up(self) -> bool:
        """Whether nobody should begin it again unasked: it failed, or a person cancelled it."""
        return self.state == "failed" or (self.state == "cancelled" and self.is_refused)

    def wait(self, seconds_s: float) -> bool:
        """True once it is over, at the latest after `seconds_s`."""
        return self._over.wait(seconds_s)


class Jobs:
    """All jobs of one server."""

    def __init__(self, cleaned: Callable[[str], str] = str) -> None:
        """`cleaned` makes of the words of an error what a browser may see."""
        self._cleaned = cleaned
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def start(
        self, name: str, title: str, work: Callable[[Say], Any], asked: Mapping[str, str] = MappingProxyType({})
    ) -> Job:
        """Begin `work`, or give the job of that name which is running already."""
        with self._lock:
            running = next(
                (each for each in self._jobs.values() if each.name == name and each.state == "running"), None
            )
            if running is not None:
                return running
            job = Job(name, title, work=work, asked=asked)
            self._forget_old()
            self._jobs[job.key] = job
        threading.Thread(target=_run, args=(job, work, self._cleaned), name=f"job {name}", daemon=True).start()
        return job

    def again(self, job: Job) -> Job:
        """Do the work of a job once more; one that runs is left alone."""
        if job.state == "running" or job.work is None:
            return job
        return self.start(job.name, job.title, job.work, job.asked)

    def find(self, key: str) -> Job | None:
        """The job with `key`; None: there is none, or it is long over."""
        return self._jobs.get(key)

    def last(self, name: str) -> Job | None:
        """The youngest job of that name."""
        with self._lock:
            return next((each for each in reversed(self._jobs.values()) if each.name == name), None)

    def every(self) -> tuple[Job, ...]:
        """All that are remembered, the youngest last."""
        with self._lock:
            return tuple(self._jobs.values())

    def close(self, patience_s: float = 5.0) -> bool:
        """Ask all for their end and wait for it; False: some work did not say how far it is in all that time."""
        ends_s = time.monotonic() + patience_s
        for job in self.running():
            job.cancel(by_person=False)
        return all(job.wait(max(0.0, ends_s - time.monotonic())) for job in self.running())

    def running(self) -> tuple[Job, ...]:
        """What is being worked on now."""
        with self._lock:
            return tuple(each for each in self._jobs.values() if each.state == "running")

    def _forget_old(self) -> None:
        over = [key for key, each in self._jobs.items() if each.state != "running"]
        for key in over[: max(0, len(self._jobs) - KEPT_COUNT)]:
            del self._jobs[key]


def _run(job: Job, work: Callable[[Say], Any], cleaned: Callable[[str], str]) -> None:
    from breakeven.errors import BreakevenError

    try:
        job.result = work(job.say)
        job.state = "done"
    except Cancelled:
        job.state = "cancelled"
    except BreakevenError as error:
        job.error, job.is_expected = cleaned(str(error)), True
        job.state = "failed"
    except Exception as error:
        if job._stop.is_set():  # e.g. files went away under it: nobody waits for its result
            job.state = "cancelled"
            return
        import logging

        logging.getLogger(__name__).exception("job %s", job.name)
        job.error = cleaned(f"{type(error).__name__}: {error}")
        job.state = "failed"
    finally:
        job.ended_s = time.monotonic()
        job._over.set()
