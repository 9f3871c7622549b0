"""Lane book: the lanes of one process, how they are found and made, and what ended on them and waits to be recorded."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from breakeven.gateway.admission.availability import Availability
from breakeven.gateway.admission.groups import hashes
from breakeven.gateway.admission.lane import SHAPES_MAX_COUNT, Gate, Read, Reserved, said_simply, shape_of
from breakeven.gateway.admission.lane_making import LaneMaker, plan_of
from breakeven.gateway.admission.lane_records import Ended
from breakeven.gateway.limits.shared_limits import Terms
from breakeven.gateway.plan import Head, Plan, RequestFacts, Reservation
from breakeven.gateway.wire.estimates import MESSAGE_TOKENS, input_tokens_of
from breakeven.gateway.wire.request_facts import TOKENS_MAX_COUNT, is_usage_asked

GATES_MAX_COUNT: Final = 1_024
LEARNT_PER_S_MAX_COUNT: Final = 200
"""Heads that never come again cost no more than this."""
_ID_BYTES: Final = 16
_IDS_AT_ONCE_COUNT: Final = 256

Take = Callable[[Terms, float, int, float], int | None]


class LaneBook:
    """Gates and lanes; nothing is found in it where the configuration asks for more than a lane can say."""

    __slots__ = (
        "_gates",
        "availability",
        "ended",
        "ids",
        "learnt_count",
        "left",
        "maker",
        "now",
        "record",
        "take",
        "will_record",
    )

    def __init__(
        self,
        availability: Availability,
        take: Take,
        now: Callable[[], float],
        left: Callable[[Plan], None],
        record: Callable[[], None],
    ) -> None:
        self._gates: dict[bytes, Gate | None] = {}
        self.maker: LaneMaker | None = None
        """None: nothing can be found here."""
        self.availability = availability
        self.now = now
        """Unix time."""
        self.take = take
        """Sets an estimate aside: `SharedLimits.take`."""
        self.record = record
        """Has recorded what `ended` holds."""
        self.left = left
        """Hears of requests that leave their lane."""
        self.learnt_count = 0
        """In this second."""
        self.ended: list[Ended] = []
        """What waits to be recorded."""
        self.will_record = False
        """Whether the loop will come back to that."""
        self.ids: list[str] = []
        """Random ids for requests to come."""

    def take_maker(self, maker: LaneMaker | None) -> None:
        """Settings, keys or the policy have changed: everything is made anew; without a maker nothing is."""
        self.maker = maker
        self.renew()

    def renew(self) -> None:
        """Everything is made anew."""
        for gate in self._gates.values():
            if gate is not None:
                gate.is_open = False
        self._gates.clear()

    def gate(self, raw: bytes, head: Head) -> Gate | None:
        """The gate of a head; `raw` is the head as it came, without its length."""
        if raw in self._gates:
            return self._gates[raw]
        maker = self.maker
        if maker is None or self.learnt_count >= LEARNT_PER_S_MAX_COUNT:
            return None
        self.learnt_count += 1
        if len(self._gates) >= GATES_MAX_COUNT:
            self.renew()
        made = self._gates[raw] = maker.gate(head)
        return made

    def read(self, gate: Gate, document: dict[str, Any], body: bytes) -> Read | None:
        """A request in the words of its lane; None where it must take the ordinary way."""
        names = tuple(document)
        shape = gate.shapes.get(names) or shape_of(gate, names)
        if not shape.fits:
            return None
        model, messages = document["model"], document["messages"]
        if type(model) is not str or type(messages) is not list or not messages:
            return None
        limit: int | None = None
        if shape.limit_name is not None:
            limit = document[shape.limit_name]
            if type(limit) is not int or not 0 <= limit <= TOKENS_MAX_COUNT:
                return None
        said = None if shape.is_shaped else said_simply(messages)
        schema = None
        if said is not None:
            bytes_count, system = said
            input_count = (bytes_count + 3) // 4 + MESSAGE_TOKENS * len(messages)
        else:
            system, schema = hashes(document, body)
            input_count = input_tokens_of(document)
        kind: object = model
        if not shape.is_plain:
            is_stream = shape.has_stream and document["stream"] is True
            is_asked = shape.has_options and is_usage_asked(document)
            kind = (model, is_stream, is_asked, system if gate.by_system else None, schema)
        lane = shape.lanes.get(kind)
        if lane is None:
            if kind in shape.lanes or self.learnt_count >= LEARNT_PER_S_MAX_COUNT:
                return None
            self.learnt_count += 1
            if len(shape.lanes) >= SHAPES_MAX_COUNT:
                shape.lanes.clear()
            assert self.maker is not None
            lane = shape.lanes[kind] = self.maker.lane(gate, shape, body)
            if lane is None:
                return None
        if gate.by_words:
            assert self.maker is not None
            lane = self.maker.by_words(lane, shape, document, body, system)
            if lane is None:
                return None
        return lane, input_count, limit, system

    def ordinary(
        self,
        request_id: str,
        document: dict[str, Any],
        body: bytes,
        read: Read,
        reserved: Reserved,
        at_s: tuple[float, float],
    ) -> Plan:
        """The plan of a request that leaves its lane, as if it had been admitted in the ordinary way."""
        lane, _, limit, system_hash = read
        of = lane.plan.facts
        facts = RequestFacts(
            of.operation, document, body, of.model, of.is_stream, of.is_usage_asked, limit, of.answers_count
        )
        plan = plan_of(lane, request_id, facts, system_hash, at_s)
        key = lane.gate.key
        if lane.gate.terms is not None and key is not None:
            period, usd, tokens_count = reserved
            plan.reservation = Reservation(key.id, usd, tokens_count, period)
        self.left(plan)
        return plan

    def new_ids(self) -> list[str]:
        """Random ids, many at a time; nobody can guess the id of somebody else's request."""
        drawn = os.urandom(_ID_BYTES * _IDS_AT_ONCE_COUNT).hex()
        width = 2 * _ID_BYTES
        self.ids.extend([drawn[at : at + width] for at in range(0, len(drawn), width)])
        return self.ids
