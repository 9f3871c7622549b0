"""Generator: drives one level of load through a client and keeps what happened, request by request."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from breakeven.bench.endpoint import Endpoint
from breakeven.bench.http_client import Client, Job
from breakeven.bench.load import ClosedLoop, OpenLoop
from breakeven.bench.prompts import PromptMaker
from breakeven.bench.request_record import FailureKind, RequestRecord

GIVE_UP_AFTER_COUNT: Final = 20
"""A level whose first requests all fail ends after this many, or twice its concurrency."""
_PROGRESS_EVERY_S: Final = 0.25
_STOP_SEEN_WITHIN_S: Final = 0.2
_MADE_AHEAD_MAX_TOKENS: Final = 20_000_000
Say = Callable[[str], None]


@dataclass(slots=True)
class LevelRun:
    """What happened at one level. Times on the clock of `time.perf_counter`."""

    started_s: float
    full_until_s: float = 0.0
    """Until when every user of a closed loop had a request under way; the last arrival of an open loop."""
    ended_s: float = 0.0
    cpu_s: float = 0.0
    """Processor time of the generator itself."""
    unfinished_count: int = 0
    gave_up: bool = False
    """True when all requests failed and the level was ended early."""
    records: list[RequestRecord] = field(default_factory=list)
    succeeded_count: int = 0
    tokens_count: int = 0
    not_sent_count: int = 0

    def keep(self, record: RequestRecord) -> None:
        """Add one request that is over."""
        self.records.append(record)
        if record.succeeded:
            self.succeeded_count += 1
            self.tokens_count += record.output_tokens
        elif record.failure == FailureKind.IN_FLIGHT_LIMIT:
            self.not_sent_count += 1

    def only_fails(self, after_count: int) -> bool:
        """True when so many requests were sent and answered, and none of them well."""
        return not self.succeeded_count and len(self.records) - self.not_sent_count >= after_count

    @property
    def failed_count(self) -> int:
        """Requests that failed so far."""
        return len(self.records) - self.succeeded_count

    def progress_text(self, title: str) -> str:
        """One line about how far the level is."""
        elapsed = max(time.perf_counter() - self.started_s, 1e-9)
        failed = f", {self.failed_count} failed" if self.failed_count else ""
        return f"{title}: {self.succeeded_count} answers{failed}, {self.tokens_count / elapsed:,.0f} tok/s"


@dataclass(frozen=True, slots=True)
class Generator:
    """One client, one endpoint, one way to make prompts."""

    client: Client
    endpoint: Endpoint
    prompts: PromptMaker
    stop: asyncio.Event
    say: Say

    async def run(self, level: ClosedLoop | OpenLoop, name: str) -> LevelRun:
        """Drive one level to its end, or to `stop`; `name` makes its prompts unlike those of other levels."""
        with _undisturbed() as started_cpu:
            run = LevelRun(time.perf_counter())
            reporter = asyncio.create_task(self._report(run, level.title))
            try:
                if isinstance(level, ClosedLoop):
                    await self._closed(level, name, run)
                else:
                    await self._open(level, name, run)
            finally:
                reporter.cancel()
            run.ended_s = time.perf_counter()
            run.full_until_s = run.full_until_s or run.ended_s
            run.cpu_s = time.process_time() - started_cpu
        return run

    async def _closed(self, level: ClosedLoop, name: str, run: LevelRun) -> None:
        numbers = iter(range(level.requests_max_count)) if level.requests_max_count else _endless()
        give_up_after = max(GIVE_UP_AFTER_COUNT, 2 * level.concurrency_count)

        async def user() -> None:
            for number in numbers:
                if level.duration_s is not None and time.perf_counter() - run.started_s >= level.duration_s:
                    break
                into, out = self.prompts.lengths(number)
                job = Job(self.prompts.prompt(f"{name}/{number}", into), into, out)
                await self._ask(job, run)
                if run.only_fails(give_up_after):
                    run.gave_up = True
                    break
            run.full_until_s = run.full_until_s or time.perf_counter()

        await self._all_or_stop([asyncio.create_task(user()) for _ in range(level.concurrency_count)])

    async def _open(self, level: OpenLoop, name: str, run: LevelRun) -> None:
        under_way: set[asyncio.Task[None]] = set()
        ready = self._made_ahead(level, name)
        run.started_s = time.perf_counter()
        for number, arrival in enumerate(level.arrivals):
            at_s = run.started_s + arrival.at_s
            if await self._stopped_before(at_s):
                break
            if run.only_fails(GIVE_UP_AFTER_COUNT):
                run.gave_up = True
                break
            if len(under_way) >= level.in_flight_max_count:
                run.keep(_not_sent(at_s, arrival.input_tokens, arrival.output_tokens, len(under_way)))
                continue
            prompt = ready[number] if ready else self.prompts.prompt(f"{name}/{number}", arrival.input_tokens)
            task = asyncio.create_task(self._ask(Job(prompt, arrival.input_tokens, arrival.output_tokens, at_s), run))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        run.full_until_s = time.perf_counter()
        await self._all_or_stop(list(under_way))

    def _made_ahead(self, level: OpenLoop, name: str) -> list[str]:
        """The prompts of all arrivals, so that none is late for being made; none when they would fill the memory."""
        if sum(each.input_tokens for each in level.arrivals) > _MADE_AHEAD_MAX_TOKENS:
            return []
        return [
            self.prompts.prompt(f"{name}/{number}", each.input_tokens) for number, each in enumerate(level.arrivals)
        ]

    async def _ask(self, job: Job, run: LevelRun) -> None:
        try:
            run.keep(await self.client.ask(self.endpoint, job))
        except asyncio.CancelledError:
            run.unfinished_count += 1
            raise

    async def _stopped_before(self, at_s: float) -> bool:
        """Wait until `at_s`; True when the measurement was stopped meanwhile."""
        while not self.stop.is_set():
            delay_s = at_s - time.perf_counter()
            await asyncio.sleep(min(max(delay_s, 0.0), _STOP_SEEN_WITHIN_S))
            if delay_s <= _STOP_SEEN_WITHIN_S:
                break
        return self.stop.is_set()

    async def _all_or_stop(self, tasks: list[asyncio.Task[None]]) -> None:
        """Wait for all tasks; when the measurement is stopped, what is under way is left unfinished."""
        if not tasks:
            return

        async def cancel_when_stopped() -> None:
            await self.stop.wait()
            for task in tasks:
                task.cancel()

        stopping = asyncio.create_task(cancel_when_stopped())
        try:
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            stopping.cancel()
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
                raise outcome

    async def _report(self, run: LevelRun, title: str) -> None:
        while True:
            self.say(run.progress_text(title))
            await asyncio.sleep(_PROGRESS_EVERY_S)


@contextmanager
def _undisturbed() -> Iterator[float]:
    """No garbage collection in mid-measurement; gives the processor time used so far."""
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield time.process_time()
    finally:
        if was_on:
            gc.enable()


def _endless() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _not_sent(at_s: float, input_tokens: int, output_tokens: int, in_flight_count: int) -> RequestRecord:
    now = time.perf_counter()
    return RequestRecord(
        now,
        at_s,
        input_tokens,
        output_tokens,
        ended_s=now,
        failure=FailureKind.IN_FLIGHT_LIMIT,
        detail=f"{in_flight_count} requests were in flight already",
    )
