"""Lane records: what was answered on lanes, many at a time: usage, cost, Call lines, limits, counters, breakers.

Nothing is lost by waiting: a Call is in the sink some 20 ms after its answer, and what its key had reserved stays
reserved until then. Whoever asks for more than there is left lets the waiting ones be settled first.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from breakeven.gateway.admission.availability import Availability
from breakeven.gateway.admission.counting import Counting, Delivered
from breakeven.gateway.admission.lane import Lane, Read, Reserved
from breakeven.gateway.admission.lane_making import plan_of
from breakeven.gateway.attempt import Attempt, TokenCounts
from breakeven.gateway.limits.key_state import NANO
from breakeven.gateway.limits.shared_limits import SharedLimits, Terms
from breakeven.gateway.metering.call_line import add_tokens, json_of, origins_of, shared_words, start_time
from breakeven.gateway.metering.pricing import cost_usd
from breakeven.gateway.plan import RequestFacts, Reservation
from breakeven.gateway.ports import Sink
from breakeven.gateway.wire.chat_stream import ChatStream
from breakeven.gateway.wire.estimates import output_tokens
from breakeven.gateway.wire.plain_answer import PlainAnswer
from breakeven.gateway.wire.usage_fields import TOKENS_MAX_COUNT
from breakeven.units import TOKENS_PER_MTOK

_WORDS_MAX_COUNT: Final = 256
_SIMPLE_COUNT: Final = 3
"""Members of a usage that tells input, output and their sum."""

Streamed = tuple[ChatStream, float]
"""What has read a stream, and when the first byte of that came (monotonic)."""
Ended = tuple[str, float, float, float, dict[str, Any] | Streamed, Read, Reserved]
"""A request that was answered on a lane: its id, when it came (Unix time; monotonic), when it ended, and the answer."""


class LaneRecords:
    """Records for one process."""

    __slots__ = ("_availability", "_counters", "_limits", "_sink")

    def __init__(self, availability: Availability, limits: SharedLimits, sink: Sink, counters: Counting) -> None:
        self._availability, self._limits, self._sink, self._counters = availability, limits, sink, counters

    def record(self, ended: list[Ended]) -> None:
        """All of them, in their order."""
        delivered: dict[Lane, list[Delivered]] = {}
        settled: dict[tuple[Terms, int], list[int]] = {}
        for each in ended:
            try:
                self._record(each, delivered, settled)
            except Exception:  # as in `Engine.finish`
                self._counters.count("events_total", 1, "admission_error")
        for (terms, period), sums in settled.items():
            self._settle(terms, period, *sums)
        for lane, answers in delivered.items():
            self._availability.succeeded(lane.target, len(answers))
            plan = lane.plan
            self._counters.delivered(lane.target, plan.task, plan.facts.operation, answers)

    def _record(
        self, ended: Ended, delivered: dict[Lane, list[Delivered]], settled: dict[tuple[Terms, int], list[int]]
    ) -> None:
        """Puts the line of one Call, and adds what it took to the sums."""
        request_id, unix_s, begun_s, ended_s, told, (lane, guess, limit, system), reserved = ended
        counts: TokenCounts | None = None
        reason: str | None
        model: str | None
        tier: str | None = None
        first_s = ended_s
        if isinstance(told, tuple):
            reader, first_s = told
            counts, reason, model, tier = _heard(reader, guess)
            given, made = counts.input_tokens, counts.output_tokens
        elif (simple := _told_simply(told)) is not None:
            given, made, reason, model = simple
        else:
            counts, reason, model, tier = _told(told, guess)
            given, made = counts.input_tokens, counts.output_tokens
        cost: float | None
        if counts is None and lane.input_usd_per_mtok is not None:
            usd_mtok = given * lane.input_usd_per_mtok + made * lane.output_usd_per_mtok
            cost = usd_mtok / TOKENS_PER_MTOK + (lane.usd_per_request or 0.0)
        else:
            cost = cost_usd(lane.target.price, counts or TokenCounts(given, made))
        spent_s = ended_s - begun_s if ended_s > begun_s else 0.0
        waited_s = first_s - begun_s if first_s > begun_s else 0.0
        said: dict[str, Any] = {
            "record_id": request_id,
            "start_time": start_time(unix_s),
            "input_tokens": given,
            "output_tokens": made,
            "cost_usd": cost,
            "duration_s": int(spent_s * 1e6 + 0.5) / 1e6,
            "ttft_s": int(waited_s * 1e6 + 0.5) / 1e6,
        }
        if counts is not None:
            add_tokens(said, counts)
        if system is not None:
            said["system_hash"] = system
        kind = (reason, model, tier, limit, cost is None, counts is not None and counts.is_estimated)
        self._sink.put(orjson.dumps(said)[:-1] + (lane.words.get(kind) or _new_words(lane, kind)))
        answer = (spent_s, waited_s, given, made, cost, counts)
        if lane in delivered:
            delivered[lane].append(answer)
        else:
            delivered[lane] = [answer]
        if lane.gate.terms is not None:
            _add(settled, lane.gate.terms, reserved, cost or 0.0, given + made)

    def _settle(self, terms: Terms, period: int, held_nano: int, used_nano: int, tokens_change_count: int) -> None:
        """At once; where the file is locked for too long, later."""
        if not self._limits.settle_many(terms, period, held_nano, used_nano, tokens_change_count):
            held_count = max(-tokens_change_count, 0)
            reservation = Reservation(terms.key.id, held_nano / NANO, held_count, period)
            self._limits.settle(reservation, used_nano / NANO, held_count + tokens_change_count)


def _add(
    settled: dict[tuple[Terms, int], list[int]], terms: Terms, reserved: Reserved, cost_usd: float, tokens_count: int
) -> None:
    """What one request had reserved, and what it took."""
    period, usd, held_count = reserved
    sums = settled.get((terms, period))
    if sums is None:
        sums = settled[terms, period] = [0, 0, 0]
    if terms.counts_money:
        sums[0] += int(usd * NANO + 0.5)
        sums[1] += int(cost_usd * NANO + 0.5)
    sums[2] += tokens_count - held_count


def _told_simply(document: dict[str, Any]) -> tuple[int, int, str, str] | None:
    """Input and output tokens, finish reason and model, where an answer tells them and no more; else None.

    >>> usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    >>> _told_simply({"model": "m", "choices": [{"finish_reason": "stop"}], "usage": usage})
    (5, 2, 'stop', 'm')
    """
    usage, choices = document.get("usage"), document["choices"]
    if type(usage) is not dict or len(usage) != _SIMPLE_COUNT or type(choices) is not list or not choices:
        return None
    given, made, first = usage.get("prompt_tokens"), usage.get("completion_tokens"), choices[0]
    if type(given) is not int or type(made) is not int or usage.get("total_tokens") != given + made:
        return None
    if type(first) is not dict or "service_tier" in document:
        return None
    reason, model = first.get("finish_reason"), document.get("model")
    if type(reason) is not str or type(model) is not str or not reason or not model:
        return None
    if 0 <= given <= TOKENS_MAX_COUNT and 0 <= made <= TOKENS_MAX_COUNT:
        return given, made, reason, model
    return None


def _told(document: dict[str, Any], guess: int) -> tuple[TokenCounts, str | None, str | None, str | None]:
    """What any answer tells: tokens (estimated where it reports none), finish reason, model, service tier."""
    reader = PlainAnswer("chat", "chat")
    reader.note(document)
    counts = reader.tokens
    if counts is None:
        counts = TokenCounts(guess, output_tokens(reader.text_bytes_count), is_estimated=True)
    return counts, reader.finish_reason, reader.response_model, reader.service_tier


def _heard(reader: ChatStream, guess: int) -> tuple[TokenCounts, str | None, str | None, str | None]:
    """What any stream told, in the same order."""
    counts = reader.tokens
    if counts is None:
        counts = TokenCounts(guess, output_tokens(reader.text_bytes_count), is_estimated=True)
    return counts, reader.finish_reason, reader.response_model, reader.service_tier


def _new_words(lane: Lane, kind: tuple[Any, ...]) -> bytes:
    """The end of Call lines that have this in common."""
    reason, model, tier, limit, is_unpriced, is_estimated = kind
    facts = lane.plan.facts
    known = RequestFacts(facts.operation, {}, b"", facts.model, facts.is_stream, facts.is_usage_asked, limit)
    plan = plan_of(lane, "", known, None, (0.0, 0.0))
    attempt = Attempt(lane.target, 1, http_status=200, finish_reason=reason, response_model=model, service_tier=tier)
    attempt.tokens = TokenCounts(is_estimated=is_estimated)
    attempt.cost_usd = None if is_unpriced else 0.0
    origins = json_of(origins_of(plan, attempt))[1:-1]
    if len(lane.words) >= _WORDS_MAX_COUNT:
        lane.words.clear()
    words = lane.words[kind] = (b"," + origins if origins else b"") + shared_words(plan, attempt, lane.has_tools)
    return words
