"""A relay with the plainest admission there is, so that a test says by itself what is decided."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from breakeven.gateway.attempt import Attempt
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.plan import Head, Plan, Refusal
from breakeven.gateway.relay.server import Relay, start
from breakeven.gateway.upstream import Target
from breakeven.gateway.wire.request_facts import read_request
from gateway.parts.settings_for_tests import models_at, settings_for, upstream_at


@dataclass
class Finished:
    """What admission heard at the end of a request."""

    plan: Plan
    attempts: list[Attempt]
    delivered: bool


@dataclass
class PlainAdmission:
    """Takes every request: the model's targets in turn, `delay_s` between them."""

    settings: GatewaySettings
    delay_s: float = 0.0
    change: Callable[[Plan], None] = lambda plan: None
    finished: list[Finished] = field(default_factory=list)
    asked_next: list[tuple[str | None, str]] = field(default_factory=list)
    numbers: Any = field(default_factory=count)

    def key_refusal(self, head: Head) -> Refusal | None:
        return Refusal(401, "invalid_api_key", "No.") if head.header(b"authorization") == b"Bearer wrong" else None

    def admit(self, head: Head, body: bytes) -> Plan | Refusal:
        facts = read_request(head.path, body)
        if isinstance(facts, Refusal):
            return facts
        targets = self.settings.models.get(facts.model)
        if targets is None:
            return Refusal(404, "unknown_model", "No such model.")
        plan = Plan(f"req-{next(self.numbers)}", head, facts, None, targets, "test")
        self.change(plan)
        return plan

    def next_target(self, plan: Plan, failed: Attempt) -> tuple[Target, float] | None:
        self.asked_next.append((failed.failure, failed.target.model))
        if failed.failure == "rejected":
            at = [each.name for each in plan.escalate_to].index(failed.target.name) + 1 if failed.number > 1 else 0
            return (plan.escalate_to[at], 0.0) if at < len(plan.escalate_to) else None
        models = [each.model for each in plan.targets]
        at = models.index(failed.target.model) + 1 if failed.target.model in models else len(models)
        return (plan.targets[at], self.delay_s) if at < len(plan.targets) else None

    def finish(self, plan: Plan, attempts: list[Attempt], delivered: bool) -> None:
        self.finished.append(Finished(plan, list(attempts), delivered))

    def response_headers(self, plan: Plan, attempt: Attempt) -> bytes:
        return b"x-breakeven-request-id: %b\r\nx-breakeven-model: %b\r\n" % (
            plan.request_id.encode(),
            attempt.target.name.encode(),
        )

    def models(self, head: Head) -> bytes | Refusal:
        return b'{"object":"list","data":[]}'


@dataclass
class Served:
    """A relay under test."""

    url: str
    relay: Relay
    admission: PlainAdmission

    @property
    def only(self) -> Finished:
        """The one request that is over."""
        assert len(self.admission.finished) == 1, self.admission.finished
        return self.admission.finished[0]


@asynccontextmanager
async def served(
    folder: Path,
    port: int,
    *names: str,
    fallbacks: dict[str, tuple[str, ...]] | None = None,
    admission: dict[str, Any] | None = None,
    sink: Any = None,
    **more: Any,
) -> AsyncIterator[Served]:
    """A relay in front of one scripted upstream; `fallbacks`: model -> those tried after it."""
    upstream = more.pop("upstream", None) or upstream_at(port)
    models = models_at(upstream, *names)
    every = {**models}
    for name, others in (fallbacks or {}).items():
        every[name] = tuple(models[each][0] for each in (name, *others))
    settings = settings_for(folder, [upstream], every, **more)
    plain = PlainAdmission(settings, **(admission or {}))
    relay = await start(settings, plain, sink)
    scheme = "https" if settings.tls_certificate else "http"
    try:
        yield Served(f"{scheme}://127.0.0.1:{relay.port}", relay, plain)
    finally:
        await relay.close()
