"""Measurement: finds out what the server takes, warms it up, drives the levels and puts the document together."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from breakeven import __version__
from breakeven.bench.advice import nothing_worked
from breakeven.bench.document import BenchDocument, Counting, LevelResult, Plan
from breakeven.bench.endpoint import Endpoint, dialects
from breakeven.bench.generator import Generator, LevelRun, Say
from breakeven.bench.http_client import Client, Job, connected
from breakeven.bench.load import ClosedLoop, Lengths, Level, Limits
from breakeven.bench.prompts import PromptMaker, Tokenisation, tokenisation_of
from breakeven.bench.request_record import RequestRecord
from breakeven.bench.summary import failures, summarise
from breakeven.errors import BenchError

STOPPED: Final = "stopped before the first answer; there is nothing to keep"
PROBES_MAX_COUNT: Final = 3
"""A server that fails the first request may be waking up; one that fails three has nothing to be measured."""
_REFUSES_FIELDS: Final = frozenset({"http_400", "http_422"})


@dataclass(frozen=True, slots=True)
class Order:
    """Everything a measurement needs to know."""

    endpoint: Endpoint
    levels: Callable[[PromptMaker], Sequence[Level]]
    """Levels in the order in which they are driven; an open loop takes its lengths from the prompts."""
    lengths: Lengths
    limits: Limits = field(default_factory=Limits)
    ignore_eos: bool = True
    warm_up_count: int = 4
    headers: Mapping[str, str] = field(default_factory=dict)
    """Authorisation, mostly."""
    seed: int = 0
    nonce: str = ""
    """Makes the prompts of this run unlike those of any other; must not be used twice."""
    raw: bool = False
    notes: tuple[str, ...] = ()


def measure(order: Order, now: datetime, say: Say) -> BenchDocument:
    """Measure an endpoint. Raises BenchError when nothing at all worked, saying what was seen and what to do."""
    return asyncio.run(measure_async(order, now, say))


async def measure_async(order: Order, now: datetime, say: Say) -> BenchDocument:
    """The same inside a running loop."""
    stop = asyncio.Event()
    with _stopping_at_ctrl_c(stop):
        async with connected(order.limits, order.headers) as client:
            say("asking the server what it takes")
            ready = await _ready(client, order, stop)
            prompts = PromptMaker(order.seed, order.nonce, order.lengths, ready.tokenisation)
            generator = Generator(client, ready.endpoint, prompts, stop, say)
            await _warm_up(generator, order, say)
            runs: list[LevelRun] = []
            results: list[LevelResult] = []
            for number, level in enumerate(order.levels(prompts)):
                if stop.is_set():
                    break
                run = await generator.run(level, f"level{number}")
                runs.append(run)
                results.append(
                    summarise(level, run, expects_caching=order.lengths.shared_prefix_tokens > 0, raw=order.raw)
                )
            server, reconnections = client.server_name, client.reconnections_count
    if not any(each.succeeded_count for each in results):
        if stop.is_set():
            raise BenchError(STOPPED)
        raise nothing_worked(order.endpoint, failures([each for run in runs for each in run.records]))
    dropped = (
        (f"the server dropped {reconnections} connections that it had agreed to keep open",) if reconnections else ()
    )
    ready = replace(ready, notes=(*ready.notes, *dropped))
    return _document(order, ready, now, server, runs, results, interrupted=stop.is_set())


@dataclass(frozen=True, slots=True)
class _Ready:
    endpoint: Endpoint
    tokenisation: Tokenisation
    notes: tuple[str, ...]


async def _ready(client: Client, order: Order, stop: asyncio.Event) -> _Ready:
    """The richest dialect that the server takes, and how many tokens its words make."""
    prompts = PromptMaker(order.seed, order.nonce, replace(order.lengths, shared_prefix_tokens=0), Tokenisation())
    seen: list[RequestRecord] = []
    for dialect in dialects(order.ignore_eos):
        endpoint = replace(order.endpoint, dialect=dialect)
        refused = False
        for attempt in range(PROBES_MAX_COUNT):
            words = max(order.lengths.input_tokens // 2, 1)
            prompt = prompts.prompt_of_words(f"probe/{dialect}/{attempt}", words)
            asked = client.ask(endpoint, Job(prompt, words, order.lengths.output_tokens))
            record = await _unless_stopped(asked, stop)
            if record.succeeded:
                return await _counted(client, endpoint, order, prompts, (words, record.prompt_tokens), stop)
            seen.append(record)
            if record.failure in _REFUSES_FIELDS:
                refused = True
                break
            await asyncio.sleep(0.1 * attempt)
        if not refused:
            break
    raise nothing_worked(order.endpoint, failures(seen))


async def _counted(
    client: Client,
    endpoint: Endpoint,
    order: Order,
    prompts: PromptMaker,
    first: tuple[int, int | None],
    stop: asyncio.Event,
) -> _Ready:
    words, tokens = first
    notes = () if endpoint.dialect.ignore_eos or not order.ignore_eos else _NO_IGNORE_EOS
    if tokens is None:
        return _Ready(endpoint, Tokenisation(), (*notes, _NO_USAGE))
    more = max(order.lengths.input_tokens, words + 16)
    job = Job(prompts.prompt_of_words("probe/long", more), more, order.lengths.output_tokens)
    record = await _unless_stopped(client.ask(endpoint, job), stop)
    found = None
    if record.succeeded and record.prompt_tokens is not None:
        found = tokenisation_of((words, more), (tokens, record.prompt_tokens))
    if found is None:
        return _Ready(endpoint, Tokenisation(), (*notes, _ODD_USAGE))
    return _Ready(endpoint, found, notes)


async def _unless_stopped(asked: Coroutine[Any, Any, RequestRecord], stop: asyncio.Event) -> RequestRecord:
    asking, stopping = asyncio.create_task(asked), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        raise BenchError(STOPPED)
    finally:
        asking.cancel()
        stopping.cancel()


_NO_IGNORE_EOS: Final = ("the server takes no `ignore_eos`: answers end where the model ends them",)
_NO_USAGE: Final = "the server does not count prompt tokens: one word is taken for one token"
_ODD_USAGE: Final = "the server's count of prompt tokens does not grow with the prompt: one word is taken for one token"


async def _warm_up(generator: Generator, order: Order, say: Say) -> None:
    if order.warm_up_count < 1 or generator.stop.is_set():
        return
    say(f"warming up with {order.warm_up_count} requests")
    level = ClosedLoop(min(order.warm_up_count, 64), order.warm_up_count)
    await generator.run(level, "warm-up")


@contextmanager
def _stopping_at_ctrl_c(stop: asyncio.Event) -> Iterator[None]:
    """The first Ctrl-C ends the measurement and keeps what was finished; a second one ends the process."""
    loop = asyncio.get_running_loop()

    def first() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    with suppress(NotImplementedError, RuntimeError, ValueError):  # not the main thread, or Windows
        loop.add_signal_handler(signal.SIGINT, first)
    try:
        yield
    finally:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGINT)


def _document(
    order: Order,
    ready: _Ready,
    now: datetime,
    server: str,
    runs: Sequence[LevelRun],
    results: Sequence[LevelResult],
    *,
    interrupted: bool,
) -> BenchDocument:
    good = [each for run in runs for each in run.records if each.succeeded]
    lengths, limits, dialect = order.lengths, order.limits, ready.endpoint.dialect
    return BenchDocument(
        breakeven_version=__version__,
        measured_at=now.isoformat(timespec="seconds"),
        url=order.endpoint.shown_url,
        model=order.endpoint.model,
        server=server,
        interrupted=interrupted,
        plan=Plan(
            api=order.endpoint.api,
            input_tokens=lengths.input_tokens,
            output_tokens=lengths.output_tokens,
            length_spread_fraction=lengths.spread_fraction,
            shared_prefix_tokens=lengths.shared_prefix_tokens,
            ignore_eos=dialect.ignore_eos,
            include_usage=dialect.include_usage,
            seed=order.seed,
            warm_up_requests_count=order.warm_up_count,
            tokens_per_word_ratio=ready.tokenisation.tokens_per_word_ratio,
            template_tokens=ready.tokenisation.overhead_tokens,
            connect_timeout_s=limits.connect_s,
            first_token_timeout_s=limits.first_token_s,
            idle_timeout_s=limits.idle_s,
            total_timeout_s=limits.total_s,
        ),
        counting=Counting(
            output_tokens=_counted_by([not each.is_estimated for each in good]) or "estimated from events",
            input_tokens=_counted_by([each.prompt_tokens is not None for each in good]) or "estimated from words",
        ),
        levels=list(results),
        notes=[*order.notes, *ready.notes],
    )


def _counted_by(by_server: Sequence[bool]) -> Literal["server", "mixed", "none"] | None:
    """Who counted; None when the server never did."""
    if not by_server:
        return "none"
    if all(by_server):
        return "server"
    return "mixed" if any(by_server) else None
