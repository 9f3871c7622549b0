"""Engine: decides on every request and hears how it ended: `ports.Admission`, without socket or clock of its own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from random import random
from typing import Any, Final

from breakeven.gateway.admission.availability import Availability
from breakeven.gateway.admission.breakers import State
from breakeven.gateway.admission.chains import Chains
from breakeven.gateway.admission.choosing import NO_UPSTREAM, Choosing, Chosen, Wish
from breakeven.gateway.admission.copies import Copies
from breakeven.gateway.admission.counting import Counting
from breakeven.gateway.admission.lane_book import LaneBook
from breakeven.gateway.admission.lane_making import LaneMaker, has_lanes
from breakeven.gateway.admission.lane_records import LaneRecords
from breakeven.gateway.admission.model_choice import ModelChoice
from breakeven.gateway.admission.model_list import models_page
from breakeven.gateway.admission.next_targets import NextTargets
from breakeven.gateway.admission.reception import Received, Reception, whole
from breakeven.gateway.admission.request_head import MODEL, TRACE, trace_of, word
from breakeven.gateway.admission.reservations import asked_at_once, usd_with
from breakeven.gateway.admission.response_headers import ResponseHeaders
from breakeven.gateway.admission.retry_budget import RetryBudget
from breakeven.gateway.admission.trail import trail_of
from breakeven.gateway.attempt import Attempt
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.metering.call_line import call_lines
from breakeven.gateway.metering.kept_prompts import with_prompt
from breakeven.gateway.metering.pricing import cost_usd
from breakeven.gateway.plan import Head, Key, Plan, Refusal, Reservation
from breakeven.gateway.ports import Limits, Sink
from breakeven.gateway.upstream import Target, Upstream
from breakeven.routing.policy_file import LoadedPolicy

_INTERNAL: Final = Refusal(500, "internal_error", "The gateway could not decide on this request. Nothing was sent.")
_LIMITS_GONE: Final = Refusal(
    503, "limits_unavailable", "The limits of this key cannot be read now, so nothing was sent. Try again soon.", 1.0
)
_STATE_NUMBERS: Final[dict[State, int]] = {"closed": 0, "half_open": 1, "open": 2}
CONTROL_SOCKET_NAME: Final = "control.sock"
Decided = Plan | Refusal
Next = tuple[Target, float] | None


class Engine:
    """One process's engine. Not for several threads; nothing in it waits."""

    def __init__(
        self,
        settings: GatewaySettings,
        policy: LoadedPolicy | None,
        limits: Limits,
        sink: Sink,
        counters: Counting,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random,
        may_use_lanes: bool = True,
    ) -> None:
        """`may_use_lanes=False`: every request takes the ordinary way, so that a test can compare the two."""
        self._limits, self._sink, self._counters = limits, sink, counters
        self._now, self._monotonic, self._jitter = now, monotonic, jitter
        self._headers = ResponseHeaders()
        self._availability = Availability(settings, monotonic)
        self._budget = RetryBudget(settings.retries.budget_fraction)
        self._open_count = 0
        self._may_use_lanes = may_use_lanes
        self._policy = None if policy is None else ModelChoice(policy)
        take = getattr(limits, "take", _take_nothing)
        self.lanes = LaneBook(self._availability, take, now, self._left_lane, self.record_lanes)
        """Requests that are like others before; the relay looks there first."""
        self._take(settings, Reception(settings))

    def reload(self, settings: GatewaySettings) -> None:
        """New settings, from the next request on; breakers keep what they learnt. ConfigError: the old ones stay."""
        reception = Reception(settings)
        if settings.retries.budget_fraction != self._settings.retries.budget_fraction:
            self._budget = RetryBudget(settings.retries.budget_fraction)
        self._availability.settled_by(settings)
        self._take(settings, reception)

    def set_keys(self, keys: tuple[Key, ...]) -> None:
        """The keys in force from the next request on, in place of those of the settings."""
        self.reload(replace(self._settings, keys=tuple(keys)))

    def swap_policy(self, policy: LoadedPolicy | None) -> None:
        """Another version of the policy, from the next request on."""
        self._policy = None if policy is None else ModelChoice(policy)
        self._choosing = Choosing(self._settings, self._chains, self._policy, self._availability)
        self._copies = Copies(self._settings.shadows, self._choosing, self._availability)
        self._renew_lanes()

    def _take(self, settings: GatewaySettings, reception: Reception) -> None:
        self._settings = settings
        self._reception = reception
        self._chains = Chains(settings)
        self._choosing = Choosing(settings, self._chains, self._policy, self._availability)
        self._copies = Copies(settings.shadows, self._choosing, self._availability)
        self._next = NextTargets(settings.retries, self._availability, self._budget, self._jitter)
        socket_path = str(settings.state_folder / CONTROL_SOCKET_NAME)
        control = Upstream("control", "localhost", 80, False, b"", "openai", socket_path=socket_path)
        self._control = (Target("outcomes", control, "outcomes"),)
        self._renew_lanes()

    def _renew_lanes(self) -> None:
        limits, maker = self._limits, None
        if self._may_use_lanes and isinstance(limits, SharedLimits) and has_lanes(self._settings, self._policy):
            maker = LaneMaker(self._settings, self._reception, self._choosing, limits, self._now)
        self.lanes.take_maker(maker)

    # What is asked of it.

    def open_requests(self) -> int:
        """Requests that were admitted and are not over."""
        return self._open_count

    def breaker_states(self) -> dict[str, State]:
        """Upstream -> closed, open or half-open."""
        return self._availability.states()

    def response_headers(self, plan: Plan, attempt: Attempt | None) -> bytes:
        """The `x-breakeven-*` headers of an answer, each line with its end."""
        return self._headers.of(plan, attempt)

    def models(self, head: Head) -> bytes | Refusal:
        """The document of `GET /v1/models` (or of one model, `/v1/models/NAME`) for the key of a request."""
        told = self._reception.told(head)
        key = self._reception.key(told, self._now())
        if isinstance(key, Refusal):
            self._counters.refused(key.code)
            return key
        return models_page(head, self._settings.models, self._reception.key_models(key))

    # A request.

    def admit(self, head: Head, body: bytes) -> Decided | Awaitable[Decided]:
        """A plan, or an answer of our own; never raises."""
        try:
            decided = self._admit(head, body)
        except Exception:  # whatever it was, the client gets an answer and the process goes on
            decided = _INTERNAL
            self._counters.count("events_total", 1, "admission_error")
        if type(decided) is Refusal:
            self._counters.refused(decided.code)
        return decided

    def _admit(self, head: Head, body: bytes) -> Decided | Awaitable[Decided]:
        now_unix_s, now_s = self._now(), self._monotonic()
        received = self._reception.receive(head, body, now_unix_s)
        if type(received) is Refusal:
            return received
        assert isinstance(received, Received)
        request_id = (self.lanes.ids or self.lanes.new_ids()).pop()
        if received.facts.operation == "outcomes":
            chosen = Chosen(self._control, "outcomes", received.bounds)
            return self._plan(head, received, chosen, request_id, None, None, now_unix_s, now_s)
        dealing = self._choosing.trial
        part = None if dealing is None else dealing.part_of(received)
        if part is None or dealing is None:
            unit, unit_hash = self._reception.unit(received, request_id)
        else:
            unit, unit_hash = dealing.unit(head, received, request_id)
        key = received.key
        is_troubled = self._availability.is_troubled
        if unit is None and part is None and not is_troubled and MODEL not in received.told:
            found = self._choosing.usual(received.facts, received.bounds, received.groups)
        else:
            wish = Wish(received.facts, received.bounds, received.groups, None, False, unit, part, request_id)
            if MODEL in received.told:
                wish.override = word(received.told, MODEL) or "?"
                wish.may_override = key is not None and key.may_override
            found = self._choosing.choose(wish)
        if type(found) is Refusal:
            return found
        assert isinstance(found, Chosen)
        if found.is_buffered:
            received = whole(received)
            if isinstance(received, Refusal):
                return received
        if is_troubled:
            chain = self._availability.ordered(found.chain, now_s)
            if not chain:
                wait_s = max(1.0, self._availability.wait_s(found.chain, now_s))
                return replace(NO_UPSTREAM, retry_after_s=wait_s)
            found = replace(found, chain=chain)
        if key is None or not received.is_limited:
            return self._plan(head, received, found, request_id, unit_hash, None, now_unix_s, now_s)
        usd, tokens_count = asked_at_once(received.facts, found.chain[0], found.checker)
        reserved = self._limits.reserve(key, usd, tokens_count, now_unix_s)
        if type(reserved) is Refusal and self.lanes.ended:  # what was reserved for them may not have been used
            self.record_lanes()
            reserved = self._limits.reserve(key, usd, tokens_count, now_unix_s)
        if type(reserved) is Reservation:
            return self._plan(head, received, found, request_id, unit_hash, reserved, now_unix_s, now_s)
        if isinstance(reserved, Refusal):
            return reserved
        assert not isinstance(reserved, Reservation)
        return self._admit_later(reserved, head, received, found, request_id, unit_hash, now_unix_s, now_s)

    async def _admit_later(
        self, reserving: Awaitable[Reservation | Refusal], head: Head, received: Received, chosen: Chosen, *rest: Any
    ) -> Decided:
        """The same where limits are kept elsewhere."""
        request_id, unit_hash, now_unix_s, now_s = rest
        try:
            reserved = await reserving
        except Exception:  # nobody knows what is left: nothing is sent
            reserved = _LIMITS_GONE
        if isinstance(reserved, Refusal):
            self._counters.refused(reserved.code)
            return reserved
        return self._plan(head, received, chosen, request_id, unit_hash, reserved, now_unix_s, now_s)

    def _plan(
        self,
        head: Head,
        received: Received,
        chosen: Chosen,
        request_id: str,
        unit_hash: str | None,
        reservation: Reservation | None,
        now_unix_s: float,
        now_s: float,
    ) -> Plan:
        bounds, told, facts = chosen.bounds, received.told, received.facts
        trace_id, parent_id = trace_of(told) if TRACE in told else (None, None)
        plan = Plan(
            request_id,
            head,
            facts,
            received.key,
            chosen.chain,
            chosen.reason,
            received.task,
            received.task_source,
            received.application,
            received.groups,
            chosen.policy_hash,
            chosen.arm,
            chosen.propensity,
            unit_hash,
            received.session_id,
            trace_id,
            parent_id,
            chosen.escalate_to,
            self._copies.target(received, chosen, request_id) if self._settings.shadows or chosen.copy_to else None,
            bounds.upstreams is not None or bounds.policy_models is not None,
            reservation,
            now_unix_s,
            now_s,
            chosen.answer_checks,
            chosen.is_buffered,
            trial=chosen.trial,
            checker=chosen.checker,
        )
        self._budget.request(now_s)
        self._open_count += 1
        if self._availability.is_troubled:
            self._hold(plan, chosen.chain[0], now_s)
            if chosen.checker is not None:
                self._hold(plan, chosen.checker, now_s)
        return plan

    def _hold(self, plan: Plan, target: Target, now_s: float) -> None:
        """A request goes to a target; it may be the probe of its upstream."""
        breaker = self._availability.take(target, now_s)
        if breaker is not None:
            trail_of(plan).probes[target.upstream.name] = breaker

    def key_refusal(self, head: Head) -> Refusal | None:
        """Why the key of a request's head is not taken, to be asked before its body is read; `admit` asks again."""
        key = self._reception.key(self._reception.told(head), self._now())
        if not isinstance(key, Refusal):
            return None
        self._counters.refused(key.code)
        return key

    # What comes of it.

    def next_target(self, plan: Plan, failed: Attempt) -> Next | Awaitable[Next]:
        """Who is tried after a failure, beside a slow attempt, or after an answer that failed its checks."""
        try:
            return self._next_target(plan, failed)
        except Exception:  # as in `admit`
            self._counters.count("events_total", 1, "admission_error")
            return None

    def _next_target(self, plan: Plan, failed: Attempt) -> Next | Awaitable[Next]:
        now_s, trail = self._monotonic(), trail_of(plan)
        if plan.facts.operation == "outcomes":
            return None
        if failed.failure is not None:
            self._tell(plan, failed, now_s)
        before = self._next.exhausted_count
        found = self._next.after(plan, trail, failed, now_s)
        if self._next.exhausted_count > before:
            self._counters.count("retry_budget_exhausted_total")
        if found is None:
            return None
        more = self._more_for(plan, found[0], failed)
        if more is None or isinstance(more, Reservation):
            return self._handed_out(plan, found, more, now_s)
        if isinstance(more, Refusal):
            self._not_paid(plan, failed)
            return None
        return self._next_later(more, plan, failed, found, now_s)

    async def _next_later(
        self,
        reserving: Awaitable[Reservation | Refusal],
        plan: Plan,
        failed: Attempt,
        found: tuple[Target, float],
        now_s: float,
    ) -> Next:
        try:
            more = await reserving
        except Exception:  # as in `_admit_later`
            return None
        if isinstance(more, Refusal):
            self._not_paid(plan, failed)
            return None
        if trail_of(plan).is_over:  # the client left meanwhile
            self._limits.settle(more, 0.0, 0)
            return None
        return self._handed_out(plan, found, more, now_s)

    def _not_paid(self, plan: Plan, failed: Attempt) -> None:
        """The key cannot pay for who is next; the answer says so where it goes out unmended."""
        if failed.failure == "rejected":
            plan.reason = f"{plan.reason}; not escalated: budget"

    def _handed_out(self, plan: Plan, found: tuple[Target, float], more: Reservation | None, now_s: float) -> Next:
        trail = trail_of(plan)
        if more is not None:
            trail.more.append(more)
        trail.handed_out.append(found[0])
        self._hold(plan, found[0], now_s + found[1])
        return found

    def _more_for(
        self, plan: Plan, target: Target, failed: Attempt
    ) -> Reservation | Refusal | Awaitable[Reservation | Refusal] | None:
        """What has to be set aside before a target may take over; None where there is enough."""
        key, reserved, trail = plan.key, plan.reservation, trail_of(plan)
        if key is None or reserved is None or key.budget_usd is None:
            return None
        reserved_usd = reserved.usd + sum(each.usd for each in trail.more)
        missing_usd = usd_with(plan.facts, target, trail.paid_for(plan, failed)) - reserved_usd
        if missing_usd <= 1e-12:
            return None
        return self._limits.reserve(key, missing_usd, 0, self._now())

    def _tell(self, plan: Plan, attempt: Attempt, now_s: float) -> None:
        """Breakers hear of each attempt once."""
        trail = trail_of(plan)
        if any(each is attempt for each in trail.told):
            return
        if self.lanes.ended:
            self.record_lanes()
        trail.told.append(attempt)
        if self._availability.tell(attempt, now_s):
            trail.probes.pop(attempt.target.upstream.name, None)
        self._show_breaker(attempt.target.upstream.name, now_s)

    def _show_breaker(self, upstream: str, now_s: float) -> None:
        state = self._availability.state(upstream, now_s)
        self._counters.gauge("breaker_state", _STATE_NUMBERS[state], upstream)

    def finish(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        """The request is over: breakers, costs, limits, counters and the record hear of it."""
        try:
            self._finish(plan, attempts, delivered)
        except Exception:  # as in `admit`
            self._counters.count("events_total", 1, "admission_error")

    # Requests on lanes.

    def _left_lane(self, plan: Plan) -> None:
        """A request that began on a lane goes on in the ordinary way, as if `admit` had made its plan."""
        self._budget.request(plan.received_monotonic_s)
        self._open_count += 1

    def record_lanes(self) -> None:
        """Record what was answered on lanes since the last time."""
        ended = self.lanes.ended
        if not ended:
            return
        waiting = ended.copy()
        ended.clear()
        self._budget.request(self._monotonic(), len(waiting))
        assert isinstance(self._limits, SharedLimits)
        LaneRecords(self._availability, self._limits, self._sink, self._counters).record(waiting)

    def _finish(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        usd, tokens_count, is_shadow = 0.0, 0, bool(attempts)
        is_ours = plan.facts.operation == "outcomes"
        for attempt in attempts:
            tokens = attempt.tokens
            if tokens is not None and attempt.cost_usd is None:
                attempt.cost_usd = cost_usd(attempt.target.price, tokens)
            if attempt.kind != "shadow":
                is_shadow = False
                if tokens is not None:
                    usd += attempt.cost_usd or 0.0
                    tokens_count += tokens.input_tokens + tokens.output_tokens
            if not is_ours:
                self._hear(plan, attempt)
        if not is_shadow:
            self._open_count -= 1
            self._settle(plan, usd, tokens_count)
        if is_ours:
            return
        kept = self._settings.prompts
        for line in call_lines(plan, attempts):
            self._sink.put(line if kept == "none" else with_prompt(line, plan.facts, kept))
        self._counters.finished(plan, attempts, delivered)

    def _hear(self, plan: Plan, attempt: Attempt) -> None:
        """Let breakers hear of an attempt; nothing is to be told of a good one where all is well."""
        if attempt.failure is None and not attempt.is_aborted and self._availability.is_well(attempt.target):
            return
        self._tell(plan, attempt, self._monotonic())

    def _settle(self, plan: Plan, usd: float, tokens_count: int) -> None:
        if plan.notes is not None:
            for breaker in plan.notes.probes.values():
                breaker.give_back()
            plan.notes.probes.clear()
            plan.notes.is_over = True
            for more in plan.notes.more:
                self._limits.settle(more, 0.0, 0)
        if plan.reservation is not None:
            self._limits.settle(plan.reservation, usd, tokens_count)


def _take_nothing(*_: object) -> None:
    """Of limits that are kept elsewhere."""
