"""vLLM metrics: Prometheus counters of an engine; what they grew by between two scrapes is one bucket of calls.

Source: docs.vllm.ai/en/stable/usage/metrics. Counters begin at 0 when an engine starts, so one that fell has
restarted: what it shows then was done since. Engines, models and replicas are label sets of their own. Prefix-cache
hits count tokens.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from breakeven.usage.importers.importer import Holds, Importer, Packed
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import LogFile
from breakeven.usage.reading.prometheus import Labels, Scrape, scrapes
from breakeven.usage.reading.unpacked import Unfit

_PROMPT: Final = ("vllm:prompt_tokens_total", "vllm:prompt_tokens")
_OUTPUT: Final = ("vllm:generation_tokens_total", "vllm:generation_tokens")
_ENDED: Final = ("vllm:request_success_total", "vllm:request_success")
_CACHED: Final = (
    *("vllm:prompt_tokens_cached_total", "vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"),
    *("vllm:prompt_tokens_cached", "vllm:prefix_cache_hits", "vllm:gpu_prefix_cache_hits"),
)
_STARTED: Final = "process_start_time_seconds"
_WANTED: Final = frozenset((*_PROMPT, *_OUTPUT, *_ENDED, *_CACHED, _STARTED))
_INNER: Final = frozenset({"finished_reason", "le"})
"""Labels that part one engine's counter; all others tell engines apart."""
_LATEST_S: Final = 1e11


@dataclass(slots=True)
class _Reading:
    """What the counters of one engine stood at."""

    time_s: float
    is_time_assumed: bool
    prompt_tokens: float | None = None
    output_tokens: float | None = None
    cached_tokens: float | None = None
    ended_count: float | None = None
    started_s: float | None = None

    @property
    def counters(self) -> tuple[float | None, ...]:
        return (self.prompt_tokens, self.output_tokens, self.cached_tokens, self.ended_count)


@dataclass(frozen=True, slots=True)
class _Read:
    """What one file holds."""

    engines: Mapping[Labels, list[_Reading]] = field(default_factory=dict)
    unfit: tuple[Unfit, ...] = ()


def _confidence(head: Head) -> float:
    if head.shape == "metrics":
        return 1.0 if head.names & {*_PROMPT, *_OUTPUT} else 0.0
    is_answer = head.names >= {"data.resultType", "data.result[].metric.__name__"}
    return 0.7 if is_answer or head.names >= {"data.resultType", "data.result[].values"} else 0.0


def _unpack(packed: Packed) -> Iterator[Mapping[str, object] | Unfit]:
    own = _read(packed.log, packed.head)
    yield from own.unfit
    others = [_read(*each) for each in packed.companions]
    for engine, readings in own.engines.items():
        times = {each.time_s for each in readings}
        known = {each.time_s: each for other in others for each in other.engines.get(engine, ())}
        known |= {each.time_s: each for each in readings}
        ordered = [known[time_s] for time_s in sorted(known)]
        if ordered[0].time_s in times:
            yield Unfit("the first scrape of an engine: a starting point for the next one", _label(engine))
        for before, after in pairwise(ordered):
            if after.time_s in times:
                yield _bucket(engine, before, after)


def _read(log: LogFile, head: Head) -> _Read:
    status = log.path.stat()
    return _read_once(_Named(log, head), log.path, status.st_mtime, status.st_size)


@dataclass(frozen=True, slots=True)
class _Named:
    """A file for the cache, told from others by what stands beside it there."""

    log: LogFile = field(compare=False)
    head: Head = field(compare=False)


@lru_cache(maxsize=20_000)
def _read_once(named: _Named, path: Path, changed_s: float, bytes_count: int) -> _Read:  # noqa: ARG001  (the cache's key)
    engines: dict[Labels, list[_Reading]] = {}
    unfit: list[Unfit] = []
    found = list(scrapes(named.log, named.head, _WANTED))
    is_alone = sum(isinstance(each, Scrape) for each in found) == 1
    for each in found:
        if isinstance(each, Unfit):
            unfit.append(each)
            continue
        time_s = each.time_s if each.time_s is not None else changed_s if is_alone else None
        if time_s is None or not 0 < time_s < _LATEST_S:
            unfit.append(Unfit("a scrape without a time; write '# scraped_at 2026-11-02T10:00:00Z' above each"))
            continue
        for engine, reading in _readings(each, time_s, each.time_s is None, unfit):
            engines.setdefault(engine, []).append(reading)
    if not engines and not unfit:
        unfit.append(Unfit("no token counters of vLLM"))
    return _Read(engines, tuple(unfit))


def _readings(
    scrape: Scrape, time_s: float, is_time_assumed: bool, unfit: list[Unfit]
) -> Iterator[tuple[Labels, _Reading]]:
    found: dict[Labels, _Reading] = {}
    starts = {labels: value for (name, labels), value in scrape.values.items() if name == _STARTED}
    for (name, labels), value in scrape.values.items():
        if name == _STARTED:
            continue
        if not math.isfinite(value) or value < 0:
            unfit.append(Unfit("not what a counter can stand at", f"{name} {value}"))
            continue
        engine = tuple(each for each in labels if each[0] not in _INNER)
        reading = found.setdefault(engine, _Reading(time_s, is_time_assumed))
        if name in _PROMPT:
            reading.prompt_tokens = value
        elif name in _OUTPUT:
            reading.output_tokens = value
        elif name in _ENDED:
            reading.ended_count = (reading.ended_count or 0.0) + value
        elif reading.cached_tokens is None or name.startswith("vllm:prompt_tokens_cached"):
            reading.cached_tokens = value
    for engine, reading in found.items():
        own = [value for labels, value in starts.items() if set(labels) <= set(engine)]
        reading.started_s = own[0] if len(own) == 1 and math.isfinite(own[0]) else None
        yield engine, reading


def _bucket(engine: Labels, before: _Reading, after: _Reading) -> Mapping[str, object] | Unfit:
    """What the engine did between two scrapes; since its start, when it restarted in between."""
    has_restarted = _has_restarted(before, after)
    prompt, output, cached, ended = (
        None if now is None else round(now if has_restarted or then is None else now - then)
        for then, now in zip(before.counters, after.counters, strict=True)
    )
    if prompt is None or output is None:
        return Unfit("a scrape without both token counters", _label(engine))
    labels = dict(engine)
    start_s = before.time_s
    if has_restarted and after.started_s is not None and before.time_s < after.started_s < after.time_s:
        start_s = after.started_s
    return {
        "record_id": "vllm-" + hashlib.sha256(repr((engine, before.time_s, after.time_s)).encode()).hexdigest()[:32],
        "grain": "bucket",
        "start_time": start_s,
        "end_time": after.time_s,
        "tz_assumed": before.is_time_assumed or after.is_time_assumed,
        "request_count": ended,
        "request_model": labels.get("model_name"),
        "application": labels.get("job"),
        "input_tokens": prompt,
        "output_tokens": output,
        "cache_read_tokens": None if cached is None else min(cached, prompt),
        "usage_estimated": has_restarted,
    }


def _has_restarted(before: _Reading, after: _Reading) -> bool:
    if before.started_s is not None and after.started_s is not None and after.started_s > before.started_s + 1:
        return True
    pairs = zip(before.counters, after.counters, strict=True)
    return any(then is not None and now is not None and now < then for then, now in pairs)


def _label(engine: Labels) -> str:
    return ", ".join(f"{name}={value}" for name, value in engine) or "no labels"


_FIELDS: Final = (
    *("record_id", "grain", "start_time", "end_time", "tz_assumed", "request_count", "request_model", "application"),
    *("input_tokens", "output_tokens", "cache_read_tokens", "usage_estimated"),
)

IMPORTER = Importer(
    name="vllm_metrics",
    title="vLLM metrics (scrapes of /metrics, or Prometheus query_range)",
    shapes=frozenset({"metrics", "json", "jsonl"}),
    fields={name: (name,) for name in _FIELDS},
    wanted=(("input_tokens",), ("output_tokens",)),
    tokens_rule="inclusive",
    confidence=_confidence,
    constants={"provider": "vllm"},
    holds=Holds("bucket"),
    concludes="Tokens, cached tokens and finished requests between scrapes, by engine and model. No single request: no "
    "lengths, users, tasks or prompts; no peaks within a scrape's interval; nothing of what a restart lost.",
    unpack=_unpack,
    is_series=True,
)
