"""Parts for the tests of admission: servers that nobody calls, a clock that is set by hand, and requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from breakeven.gateway.admission.engine import Engine
from breakeven.gateway.attempt import Attempt, Failure, TokenCounts
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.plan import Head, Key, Plan, Refusal, Reservation
from breakeven.gateway.upstream import Target, TokenPrice, Upstream

SECRET = "bk-0123456789"
NEAR = Upstream("near", "10.0.0.1", 8000, False, b"/v1", "openai")
FAR = Upstream("far", "far.example", 443, True, b"/v1", "openai")
CLAUDE = Upstream("claude", "claude.example", 443, True, b"/v1", "anthropic", quirks="anthropic")
CHEAP, DEAR = TokenPrice(0.1, 0.4), TokenPrice(2.0, 8.0)
SMALL = Target("small", NEAR, "small-8b", CHEAP)
BIG = Target("big", FAR, "big-1", DEAR)
BIG_NEAR = Target("big", NEAR, "big-local", DEAR)
OPUS = Target("opus", CLAUDE, "opus-1", DEAR)


@dataclass
class Clock:
    """Unix and monotonic time at once."""

    at_s: float = 1_000_000.0

    def __call__(self) -> float:
        """Now."""
        return self.at_s


@dataclass
class Kept:
    """Sink, limits and counters that only write down."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    left_usd: dict[str, float] = field(default_factory=dict)
    """Key -> what is left of its budget."""
    reserved: list[Reservation] = field(default_factory=list)
    settled: list[tuple[Reservation, float, int]] = field(default_factory=list)
    refused_codes: list[str] = field(default_factory=list)
    counted: dict[str, float] = field(default_factory=dict)
    gauges: dict[tuple[str, str], float] = field(default_factory=dict)
    ended: list[tuple[Plan, bool]] = field(default_factory=list)

    def put(self, line: bytes) -> None:
        """One Call."""
        self.lines.append(json.loads(line))

    def written(self) -> Awaitable[None]:
        """Never asked here."""
        raise NotImplementedError

    def reserve(self, key: Key, usd: float, tokens_count: int, now_unix_s: float) -> Reservation | Refusal:
        """Exact arithmetic on one number a key."""
        left = self.left_usd.setdefault(key.id, key.budget_usd if key.budget_usd is not None else float("inf"))
        if usd > left:
            return Refusal(429, "budget_exceeded", f"{now_unix_s}")
        self.left_usd[key.id] = left - usd
        self.reserved.append(Reservation(key.id, usd, tokens_count))
        return self.reserved[-1]

    def settle(self, reservation: Reservation, usd: float, tokens_count: int) -> None:
        """The true cost."""
        self.left_usd[reservation.key_id] += reservation.usd - usd
        self.settled.append((reservation, usd, tokens_count))

    def finished(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        """A request is over."""
        self.ended.append((plan, delivered))

    def delivered(self, target: Target, task: str | None, operation: str, answers: list[Any]) -> None:
        """Nothing goes by lanes without a relay."""
        raise NotImplementedError

    def refused(self, code: str) -> None:
        """An answer of our own."""
        self.refused_codes.append(code)

    def count(self, name: str, n: float = 1, label: str = "") -> None:
        """Something happened."""
        self.counted[name + label] = self.counted.get(name + label, 0) + n

    def gauge(self, name: str, value: float, label: str = "") -> None:
        """How much there is."""
        self.gauges[name, label] = value


@dataclass
class Room:
    """An engine and all that it speaks to."""

    engine: Engine
    kept: Kept
    clock: Clock


def key(name: str = "team", secret: str = SECRET, **more: Any) -> Key:
    """A key."""
    return Key(name, hashlib.sha256(secret.encode()).digest(), **more)


def settings(**more: Any) -> GatewaySettings:
    """Two models at three places."""
    plain = GatewaySettings(
        "127.0.0.1", 0, "127.0.0.1", 0, 1, Path("state"),
        {"near": NEAR, "far": FAR, "claude": CLAUDE},
        {"small": (SMALL,), "big": (BIG, BIG_NEAR), "opus": (OPUS,)},
        default_model="big", keys=(key(),),
    )  # fmt: skip
    return replace(plain, **more)


def room(of: GatewaySettings | None = None, policy: Any = None, limits: Any = None) -> Room:
    """An engine whose clock and chance are in hand."""
    clock, kept = Clock(), Kept()
    engine = Engine(of or settings(), policy, limits or kept, kept, kept, now=clock, monotonic=clock, jitter=lambda: 1)
    return Room(engine, kept, clock)


def head(path: str = "/v1/chat/completions", secret: str | None = SECRET, **headers: str) -> Head:
    """The head of a request; `x_breakeven_task="faq"` is a header."""
    told = [] if secret is None else [(b"authorization", f"Bearer {secret}".encode())]
    told += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Head(b"POST", path.encode(), b"", told)


def body(text: str = "Where is my parcel?", model: str = "big", **more: Any) -> bytes:
    """A chat request."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **more}).encode()


def plan(of: Room, told: Head | None = None, said: bytes | None = None) -> Plan:
    """What the engine plans; it must not refuse."""
    decided = of.engine.admit(told or head(), body() if said is None else said)
    assert isinstance(decided, Plan), decided
    return decided


def refusal(of: Room, told: Head | None = None, said: bytes | None = None) -> Refusal:
    """Why the engine refuses; it must."""
    decided = of.engine.admit(told or head(), body() if said is None else said)
    assert isinstance(decided, Refusal), decided
    return decided


def attempt(
    target: Target,
    number: int = 1,
    failure: Failure | None = None,
    status: int | None = 200,
    tokens: tuple[int, int] | None = (10, 5),
    **more: Any,
) -> Attempt:
    """How an attempt went."""
    counts = None if tokens is None else TokenCounts(*tokens)
    kind = more.pop("kind", "first" if number == 1 else "fallback")
    return Attempt(target, number, kind, 1.0, 1.0, failure=failure, http_status=status, tokens=counts,
                   was_sent=failure != "connect", **more)  # fmt: skip


def failed(
    target: Target, number: int = 1, failure: Failure = "status", status: int | None = 503, **more: Any
) -> Attempt:
    """An attempt that failed before its first byte."""
    return attempt(target, number, failure, status, None, **more)
