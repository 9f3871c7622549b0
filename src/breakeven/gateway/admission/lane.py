"""Lane: what is known at once of a request that is like one before: who asks, where it goes, what it may cost.

A Gate knows the head of such requests (all but their length), a Shape the names at the top of their bodies, and a Lane
what was decided for the model that they ask for. Each of them was made by the ordinary way of admission from a request
that came, and holds until settings, keys or the policy change; whatever is not surely alike takes the ordinary way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from breakeven.gateway.admission.chains import Bounds
from breakeven.gateway.admission.choosing import Asking
from breakeven.gateway.admission.groups import is_shaping, known_system_hash
from breakeven.gateway.limits.shared_limits import Terms
from breakeven.gateway.plan import Head, Key, Plan
from breakeven.gateway.upstream import Target

_OTHERWISE: Final = frozenset(
    {"user", "metadata", "safety_identifier", "n", "best_of", "functions", "function_call", "models"}
    | {"input", "prompt", "system", "instructions", "role", "systemInstruction", "system_instruction"}
    | {"system_instructions", "contents", "previous_response_id", "conversation", "suffix"}
)
"""A body with one of these names takes the ordinary way: something depends on what stands there."""
_LIMITS: Final = ("max_completion_tokens", "max_tokens")
_ROLES: Final = ("user", "assistant", "tool")
SHAPES_MAX_COUNT: Final = 64
"""Of one gate; and as many lanes of one shape."""


@dataclass(slots=True, eq=False)
class Lane:
    """Requests of one gate and shape that ask for one model."""

    gate: Gate
    plan: Plan
    """Of the request that it was made from, without what is its own: id, body, times, reservation."""
    bounds: Bounds
    """Where such requests may go, but for what the policy says."""
    target: Target
    has_tools: bool
    is_same_model: bool
    """The upstream calls the model as the client does."""
    adds_usage: bool
    """Usage is asked for in the client's place."""
    dearest_usd_per_mtok: float
    """Of input, written to a cache or not; 0 where it is not known."""
    input_usd_per_mtok: float | None
    """None where a price is missing."""
    output_usd_per_mtok: float
    usd_per_request: float | None
    road: Any = None
    """The relay's own: the pool, the head that goes out, the head of the last answer."""
    asking: Asking | None = None
    """Where a policy reads words, and it alone decides: what it is asked."""
    by_choice: dict[tuple[int | str, str], Lane | None] = field(default_factory=dict)
    """Where a policy reads words: the lanes of what it chose, by the model (or the chain of targets) and the reason;
    None: such requests take the ordinary way."""
    words: dict[tuple[object, ...], bytes] = field(default_factory=dict)
    """What Call lines have in common."""


@dataclass(slots=True, eq=False)
class Shape:
    """The names at the top of a body, in their order."""

    names: tuple[str, ...]
    fits: bool
    """False: such bodies take the ordinary way."""
    limit_name: str | None = None
    """The name under which the longest answer is told."""
    is_plain: bool = False
    """The model alone says which lane it is."""
    is_shaped: bool = False
    """Tools or a wanted form of the answer are in it."""
    has_stream: bool = False
    has_options: bool = False
    lanes: dict[object, Lane | None] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Gate:
    """A head that came before, all but its length."""

    head: Head
    key: Key | None
    terms: Terms | None
    """The key's limits; None: it has none."""
    expires_unix_s: float
    by_system: bool
    """Something is decided by the system prompt."""
    by_words: bool = False
    """The policy reads the words of each request."""
    is_open: bool = True
    """False: settings, keys or the policy have changed since."""
    shapes: dict[tuple[str, ...], Shape] = field(default_factory=dict)


def shape_of(gate: Gate, names: tuple[str, ...]) -> Shape:
    """What the names of a body say, kept for the next one that has them."""
    if len(gate.shapes) >= SHAPES_MAX_COUNT:
        gate.shapes.clear()
    known = frozenset(names)
    limits = [name for name in _LIMITS if name in known]
    are_small = all(name.isascii() and name.islower() for name in names)
    if not {"model", "messages"} <= known or not known.isdisjoint(_OTHERWISE) or len(limits) > 1 or not are_small:
        made = Shape(names, False)
    else:
        has_stream, has_options, is_shaped = "stream" in known, "stream_options" in known, is_shaping(known)
        is_plain = not (has_stream or has_options or is_shaped or gate.by_system)
        made = Shape(names, True, limits[0] if limits else None, is_plain, is_shaped, has_stream, has_options)
    gate.shapes[names] = made
    return made


def said_simply(messages: list[Any]) -> tuple[int, str | None] | None:
    """Bytes of plain messages, and the hash of the one that is the system's; None where they are not so plain.

    >>> said_simply([{"role": "user", "content": "Hi"}]), said_simply([{"role": "user", "content": ["Hi"]}])
    ((2, None), None)
    """
    system: str | None = None
    bytes_count = 0
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return None
        content = message.get("content")
        if type(content) is not str or not content.isascii():
            return None
        bytes_count += len(content)
        if message.get("role") not in _ROLES:
            if message.get("role") != "system" or system is not None or not content:
                return None
            system = content
    return bytes_count, None if system is None else known_system_hash(system)


Read = tuple[Lane, int, int | None, str | None]
"""A request's lane, its estimated input, the longest answer that it allows, the hash of its system prompt."""
Reserved = tuple[int, float, int]
"""Of a key's limits: the budget's period, USD, tokens; all 0 where it has none."""
