"""Summary: the figures of one level from its requests; failures are counted by kind and enter nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.bench.document import Failures, LevelResult, RequestRow, Spread
from breakeven.bench.generator import LevelRun
from breakeven.bench.load import ClosedLoop, OpenLoop
from breakeven.bench.request_record import RequestRecord
from breakeven.units import MS_PER_S

BUSY_FRACTION: Final = 0.8
"""From here on the generator may be what is measured."""
LAG_MS: Final = 20.0
"""An open loop that is later than this at P99 no longer has the arrivals that were asked for."""
_SHORT_FRACTION: Final = 0.9
_BUNDLED_RATIO: Final = 1.5
_CACHED_FRACTION: Final = 0.1
_P99_FROM_COUNT: Final = 100
FEW_ANSWERS: Final = f"fewer than {_P99_FROM_COUNT} answers: P99 is little more than the slowest of them"


def summarise(
    level: ClosedLoop | OpenLoop, run: LevelRun, *, expects_caching: bool = False, raw: bool = False
) -> LevelResult:
    """The figures of one level."""
    good = [each for each in run.records if each.succeeded]
    duration_s = max(run.ended_s - run.started_s, 1e-9)
    steady_s = max(run.full_until_s - run.started_s, 1e-9)
    tokens = sum(each.output_tokens for each in good)
    closed = isinstance(level, ClosedLoop)
    lag = spread([(each.started_s - each.scheduled_s) * MS_PER_S for each in run.records])
    result = LevelResult(
        title=level.title,
        loop="closed" if closed else "open",
        concurrency_count=level.concurrency_count if isinstance(level, ClosedLoop) else None,
        rate_req_per_s=level.rate_req_per_s if isinstance(level, OpenLoop) else None,
        mean_in_flight_count=sum(each.ended_s - each.started_s for each in good) / duration_s,
        succeeded_count=len(good),
        failed_count=len(run.records) - len(good),
        unfinished_count=run.unfinished_count,
        gave_up=run.gave_up,
        failures=failures(run.records),
        duration_s=duration_s,
        steady_s=steady_s,
        output_tok_per_s=_steady_tokens(good, run) / steady_s if good else None,
        whole_output_tok_per_s=tokens / duration_s if good else None,
        rate_done_req_per_s=len(good) / duration_s if good else None,
        input_tokens=_mean([each.prompt_tokens or each.wanted_input_tokens for each in good]),
        output_tokens=tokens / len(good) if good else None,
        asked_output_tokens=_mean([each.wanted_output_tokens for each in run.records]) or 0.0,
        ttft_ms=spread([each.ttft_ms for each in good]),
        inter_token_ms=spread([gap for each in good for gap in each.gaps_ms]),
        tpot_ms=spread([each.tpot_ms for each in good if each.tpot_ms is not None]),
        end_to_end_ms=spread([each.e2e_ms for each in good]),
        start_lag_ms=None if closed else lag,
        tokens_per_event_ratio=tokens / sum(len(each.text_times_s) for each in good) if good else None,
        generator_busy_fraction=min(run.cpu_s / duration_s, 1.0),
        notes=[],
        requests=[_row(each, run.started_s) for each in run.records] if raw else None,
    )
    return result.model_copy(update={"notes": list(_notes(result, good, expects_caching))})


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and quantiles; None of nothing.

    >>> spread([1.0, 2.0, 3.0]).p50_ms
    2.0
    """
    if not values:
        return None
    array = np.asarray(values, dtype=np.float64)
    p10, p50, p90, p99 = (float(each) for each in np.percentile(array, (10, 50, 90, 99)))
    return Spread(
        mean_ms=float(array.mean()),
        p10_ms=p10,
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        max_ms=float(array.max()),
        values_count=len(values),
    )


def failures(records: Sequence[RequestRecord]) -> list[Failures]:
    """Failures by kind, the most frequent first, each with the first that was seen."""
    found: dict[str, list[str]] = {}
    for each in records:
        if each.failure is not None:
            found.setdefault(str(each.failure), []).append(each.detail)
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [Failures(kind=kind, count=len(details), example=details[0]) for kind, details in ranked]


def _steady_tokens(good: Sequence[RequestRecord], run: LevelRun) -> float:
    """Tokens that arrived in the steady time; the tokens of an answer are spread evenly over its events."""
    found = 0.0
    for each in good:
        times: NDArray[np.float64] = np.asarray(each.text_times_s)
        found += float(np.count_nonzero(times <= run.full_until_s)) * each.output_tokens / len(times)
    return found


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _row(record: RequestRecord, started_s: float) -> RequestRow:
    return RequestRow(
        scheduled_s=record.scheduled_s - started_s,
        started_s=record.started_s - started_s,
        ended_s=record.ended_s - started_s,
        input_tokens=record.prompt_tokens or record.wanted_input_tokens,
        output_tokens=record.output_tokens if record.succeeded else 0,
        ttft_ms=record.ttft_ms if record.succeeded else None,
        tpot_ms=record.tpot_ms if record.succeeded else None,
        failure=record.failure,
        text_times_s=[each - started_s for each in record.text_times_s],
    )


def _notes(level: LevelResult, good: Sequence[RequestRecord], expects_caching: bool) -> Iterator[str]:
    """What a reader of the figures should know."""
    if level.gave_up:
        yield "everything failed, so the level was ended early"
    if level.generator_busy_fraction > BUSY_FRACTION:
        yield (
            f"the generator itself was busy {100 * level.generator_busy_fraction:.0f} % of the time: "
            "these figures may be its own and not the server's (see --self-test)"
        )
    if level.start_lag_ms is not None and level.start_lag_ms.p99_ms > LAG_MS:
        yield f"the generator sent late: {level.start_lag_ms.p99_ms:,.0f} ms at P99; ask for a lower rate"
    if not good:
        return
    if level.output_tokens is not None and level.output_tokens < _SHORT_FRACTION * level.asked_output_tokens:
        yield (
            f"answers are shorter than asked: {level.output_tokens:.0f} tokens of {level.asked_output_tokens:.0f}; "
            "the model stops by itself and the server takes no `ignore_eos`, or its context is full"
        )
    pieces = sum(len(each.text_times_s) == 1 and each.output_tokens > 1 for each in good)
    if pieces:
        yield f"{pieces} of {len(good)} answers came in one piece: their first token is timed with the whole answer"
    elif (level.tokens_per_event_ratio or 0) > _BUNDLED_RATIO:
        yield f"an event carries {level.tokens_per_event_ratio:.1f} tokens: inter-token times are between events"
    prompt = sum(each.prompt_tokens or 0 for each in good)
    cached = sum(each.cached_tokens or 0 for each in good)
    if not expects_caching and prompt and cached > _CACHED_FRACTION * prompt:
        part = 100 * cached / prompt
        yield f"the server took {part:.0f} % of the prompt tokens from a cache; no two prompts are alike"
    if len(good) < _P99_FROM_COUNT:
        yield FEW_ANSWERS
