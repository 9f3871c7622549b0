"""Reception: who asks, for what work, known by what, and where it may go: all that is known before a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from breakeven.errors import BreakevenError, ConfigError
from breakeven.gateway.admission.chains import FREE, Bounds
from breakeven.gateway.admission.conditions import Asked
from breakeven.gateway.admission.credentials import KeyRing, secret_of
from breakeven.gateway.admission.groups import hashes
from breakeven.gateway.admission.request_head import (
    API_KEY,
    APPLICATION,
    AUTHORIZATION,
    KNOWN,
    SESSION,
    TASK,
    TEMPLATE,
    TRACE,
    WORD_MAX_COUNT,
    Told,
    told_of,
    word,
)
from breakeven.gateway.admission.residency import Residency
from breakeven.gateway.admission.tasks import Tasks
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.metering.call_line import ENDPOINTS
from breakeven.gateway.plan import Head, Key, Operation, Refusal, RequestFacts
from breakeven.gateway.wire.buffered_stream import asked_whole
from breakeven.gateway.wire.request_facts import read_request
from breakeven.routing.task_naming import load_task_naming
from breakeven.usage.redact import HASH_HEX_LENGTH, hash_of

_NOTHING: Final[tuple[bytes, ...]] = ()
_USUAL: Final = frozenset({AUTHORIZATION, TASK, TRACE})
_USERS: Final = frozenset({"user", "metadata", "safety_identifier"})
_DECIDING: Final = frozenset(
    {"model", "models", "messages", "input", "prompt", "system", "instructions", "tools", "functions", "stream"}
    | {
        "response_format",
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "n",
        "best_of",
        "user",
        "metadata",
    }
    | {"stream_options", "previous_response_id", "conversation", "suffix", "text"}
)
"""Names at the top of a body that something is decided by, or that hold what is searched."""
_HEADER_UNIT: Final = "header:"
_NO_OUTCOMES: Final = Refusal(
    403, "outcomes_not_allowed", "This key may not give outcomes. Use the key of whoever judges the answers."
)


@dataclass(slots=True)
class Received:
    """A request, as far as it is known before a model is chosen."""

    told: Told
    facts: RequestFacts
    key: Key | None
    task: str | None
    task_source: str | None
    application: str | None
    session_id: str | None
    groups: dict[str, str]
    bounds: Bounds
    is_limited: bool = False
    """Whether anything of its key is counted."""


def whole(received: Received) -> Received | Refusal:
    """The same for an upstream that is asked for a whole answer, though the client wants a stream."""
    facts = asked_whole(received.facts)
    return facts if isinstance(facts, Refusal) else replace(received, facts=facts)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is the same of all requests of one key for one operation."""

    bounds: Bounds
    """Without residency and policy."""
    groups: Mapping[str, str]
    is_limited: bool
    """Whether any amount must be counted for the key."""


class Reception:
    """Receives requests under one configuration."""

    __slots__ = (
        "_keys",
        "_models_by_key",
        "_residency",
        "_settings",
        "_standings",
        "_tasks",
        "_unit_header",
        "_wanted",
    )

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        naming = None
        try:
            if settings.tasks_file is not None:
                naming = load_task_naming(settings.tasks_file)
            self._tasks = Tasks(settings.tasks, naming)
            self._residency = Residency(settings.residency)
        except BreakevenError as error:
            raise ConfigError(str(error)) from error
        keys = settings.keys
        self._keys = KeyRing(keys)
        self._models_by_key = {each.key_hash: frozenset(each.allowed_models) for each in keys if each.allowed_models}
        self._standings: dict[tuple[bytes | None, Operation], Standing] = {}
        unit = settings.arms.unit if settings.arms is not None else ""
        is_header = unit.startswith(_HEADER_UNIT)
        self._unit_header = unit.removeprefix(_HEADER_UNIT).lower().encode() if is_header else None
        conditions = (*(each.when for each in settings.residency), *(each.when for each in settings.tasks))
        named = {each.header[0] for each in conditions if each.header is not None}
        self._wanted = KNOWN | named | ({self._unit_header} if self._unit_header else set())

    def key(self, told: Told, now_unix_s: float) -> Key | Refusal | None:
        """Whose request it is; None where no key is asked."""
        if self._settings.is_open:
            return None
        return self._keys.find(told.get(AUTHORIZATION, _NOTHING), told.get(API_KEY, _NOTHING), now_unix_s)

    def told(self, head: Head) -> Told:
        """The headers that decide something."""
        return told_of(head.headers, self._wanted)

    def key_models(self, key: Key | None) -> frozenset[str] | None:
        """The only models of a key; None: any."""
        return None if key is None or not key.allowed_models else self._models_by_key[key.key_hash]

    def receive(self, head: Head, body: bytes, now_unix_s: float) -> Received | Refusal:
        """What is known of a request; a refusal where nobody is known to ask, or nothing is known to be asked."""
        told = told_of(head.headers, self._wanted)
        key = self.key(told, now_unix_s)
        if type(key) is Refusal:
            return key
        facts = read_request(head.path, body)
        if type(facts) is Refusal:
            return facts
        assert isinstance(facts, RequestFacts) and not isinstance(key, Refusal)
        operation = facts.operation
        names = "".join(facts.document)
        if not (names.islower() and names.isascii()) and (twin := _capital_twin(facts.document)) is not None:
            return twin
        if operation == "outcomes":
            if key is not None and not key.may_give_outcomes:
                return _NO_OUTCOMES
            return Received(told, facts, key, None, None, None, None, {}, Bounds(operation))
        same = (None if key is None else key.key_hash, operation)
        standing = self._standings.get(same) or self._new_standing(key, operation)
        groups = dict(standing.groups)
        asked = Asked(head.path, told, facts.document, body, key)
        system, schema = hashes(facts.document, body)
        if system is not None:
            asked.system_hash = groups["system_hash"] = system
        if schema is not None:
            asked.schema_hash = groups["schema_hash"] = schema
        task, source = self._tasks.of(asked)
        if task is not None:
            asked.task = groups["task"] = task
        if key is None or not told.keys() <= _USUAL:
            self._add_groups(groups, told, key)
        bounds = standing.bounds
        if self._residency.has_rules and (upstreams := self._residency.allowed(asked)) is not None:
            bounds = bounds._replace(upstreams=upstreams)
        session = word(told, SESSION) if SESSION in told else None
        return Received(
            told, facts, key, task, source, groups.get("application"), session, groups, bounds, standing.is_limited
        )

    def _new_standing(self, key: Key | None, operation: Operation) -> Standing:
        groups = {"endpoint": ENDPOINTS[operation]}
        is_priced = False
        if key is not None:
            groups["api_key_hash"] = key.key_hash.hex()[:HASH_HEX_LENGTH]
            if key.application is not None:
                groups["application"] = key.application
            is_priced = key.budget_usd is not None and operation not in FREE
        bounds = Bounds(operation, None, None, self.key_models(key), is_priced)
        made = self._standings[None if key is None else key.key_hash, operation] = Standing(
            bounds, groups, key is not None and key.is_limited
        )
        return made

    def _add_groups(self, groups: dict[str, str], told: Told, key: Key | None) -> None:
        if key is None and (AUTHORIZATION in told or API_KEY in told):
            secret = secret_of(told.get(AUTHORIZATION, _NOTHING), told.get(API_KEY, _NOTHING))
            if not isinstance(secret, Refusal):
                groups["api_key_hash"] = sha256(secret).hexdigest()[:HASH_HEX_LENGTH]
        if APPLICATION in told and "application" not in groups and (named := word(told, APPLICATION)) is not None:
            groups["application"] = named
        if TEMPLATE in told and (named := word(told, TEMPLATE)) is not None:
            groups["template_id"] = named

    def unit(self, received: Received, request_id: str) -> tuple[str | None, str | None]:
        """What arms are drawn by, and the hash that is kept of who it is (the unit, else the user of the body)."""
        arms = self._settings.arms
        if arms is None:
            document = received.facts.document
            return None, None if document.keys().isdisjoint(_USERS) else hash_or_none(user_of(received.facts))
        kind = arms.unit
        value: str | None
        if kind == "request":
            return request_id, hash_or_none(user_of(received.facts))
        if kind == "key":
            value = None if received.key is None else received.key.id
        elif kind == "session":
            value = received.session_id
        elif self._unit_header is not None:
            value = word(received.told, self._unit_header)
        else:
            value = user_of(received.facts)
        return value, hash_or_none(value)


def _capital_twin(document: Mapping[str, Any]) -> Refusal | None:
    """A refusal where a name of ours is written in other letters: some servers read it all the same, and we do not."""
    for name in document:
        small = name.casefold()  # also of the long s and the sign for Kelvin
        if name != small and small in _DECIDING:
            said = f"The body has a name `{small}` in other letters, which some servers read. Write it in small ones."
            return Refusal(400, "ambiguous_name", said)
    return None


def hash_or_none(value: str | None) -> str | None:
    """The hash that is kept of who a request is of."""
    return None if value is None else hash_of(value)


def user_of(facts: RequestFacts) -> str | None:
    """The user that a body names."""
    document: Any = facts.document
    value = None
    if "user" in document:
        value = document["user"]
    elif "metadata" in document and isinstance(document["metadata"], dict):
        value = document["metadata"].get("user_id")
    if value is None and "safety_identifier" in document:
        value = document["safety_identifier"]
    return value if isinstance(value, str) and 0 < len(value) <= WORD_MAX_COUNT else None
