"""Gateway admission: microseconds to decide on a request and to end it, every guard on; CPU time, one core, no network.

Run: .venv/bin/python benchmarks/gateway_admission.py [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import json
import pstats
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from breakeven.gateway.admission.engine import Engine
from breakeven.gateway.attempt import Attempt, TokenCounts
from breakeven.gateway.config.settings import Condition, GatewaySettings, ResidencyRule
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.plan import Head, Key, Plan
from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.upstream import Target, TokenPrice, Upstream
from breakeven.routing.policy_document import GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save

ROUNDS_COUNT = 200
REQUESTS_COUNT = 100
SECRET = b"bk-benchmark-0123456789abcdef"


class Dropped:
    """A sink that keeps nothing."""

    def put(self, line: bytes) -> None:
        """One Call."""

    def written(self) -> Awaitable[None]:
        """Never asked."""
        raise NotImplementedError


def policy() -> PolicyDocument:
    """A task map of three groups."""
    return PolicyDocument(
        kind="task_map",
        models=(PricedModel("small", 0.1, 0.4), PricedModel("big", 2.0, 8.0)),
        default_model="big",
        groups=(GroupChoice((), "big"), GroupChoice(("faq",), "small"), GroupChoice(("proof",), "big")),
        value_usd_per_success=0.05,
    )


def settings(state: Path, *, is_guarded: bool) -> GatewaySettings:
    """Two upstreams, two models, a key with a budget and rates; with a residency rule by task where guarded."""
    near = Upstream("near", "10.0.0.1", 8000, False, b"/v1", "openai")
    far = Upstream("far", "api.example", 443, True, b"/v1", "openai")
    price = TokenPrice(2.0, 8.0, 0.5)
    digest = hashlib.sha256(SECRET).digest()
    key = Key("bench", digest, "app", budget_usd=1e9, requests_per_minute=1e9, tokens_per_minute=1e12)
    rule = ResidencyRule(Condition(task="medical"), ("near",))
    return GatewaySettings(
        "127.0.0.1", 0, "127.0.0.1", 0, 1, state, {"near": near, "far": far},
        {"small": (Target("small", near, "small-8b", price),), "big": (Target("big", far, "big-1", price),)},
        fallbacks={"small": ("big",)}, keys=(key,), residency=(rule,) if is_guarded else (),
    )  # fmt: skip


def request(characters_count: int) -> tuple[Head, bytes]:
    """A chat request with a system prompt, as an SDK sends it."""
    document = {
        "model": "big",
        "messages": [
            {"role": "system", "content": "You answer questions about parcels. Be brief."},
            {"role": "user", "content": "Where is my parcel? " * (characters_count // 20)},
        ],
        "temperature": 0.2,
        "max_tokens": 200,
    }
    headers = [
        (b"host", b"localhost:4000"),
        (b"accept", b"application/json"),
        (b"content-type", b"application/json"),
        (b"user-agent", b"OpenAI/Python 3.54.0"),
        (b"authorization", b"Bearer " + SECRET),
        (b"x-breakeven-task", b"faq"),
        (b"content-length", b"1024"),
    ]
    return Head(b"POST", b"/v1/chat/completions", b"", headers), json.dumps(document).encode()


def measured(engine: Engine, head: Head, body: bytes) -> tuple[float, float, float]:
    """Least microseconds, over the rounds, of admit, finish, and response headers."""
    admits, finishes, headers = [], [], []
    for _ in range(ROUNDS_COUNT):
        start_s = time.process_time()
        plans = [engine.admit(head, body) for _ in range(REQUESTS_COUNT)]
        admits.append(time.process_time() - start_s)
        ends = []
        for plan in plans:
            assert isinstance(plan, Plan), plan
            attempt = Attempt(plan.targets[0], 1, "first", 1.7e9, 10.0, 10.1, 10.2, 200, tokens=TokenCounts(300, 40))
            attempt.was_sent = True
            ends.append((plan, [attempt]))
        start_s = time.process_time()
        for plan, attempts in ends:
            engine.response_headers(plan, attempts[0])
        headers.append(time.process_time() - start_s)
        start_s = time.process_time()
        for plan, attempts in ends:
            engine.finish(plan, attempts, True)
        finishes.append(time.process_time() - start_s)
    admit_s, finish_s, header_s = (min(each) / REQUESTS_COUNT for each in (admits, finishes, headers))
    return admit_s * 1e6, finish_s * 1e6, header_s * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", action="store_true")
    is_profiled = parser.parse_args().profile
    reference_us, (_, plain) = 1e9, request(300)
    for _ in range(ROUNDS_COUNT):
        start_s = time.process_time()
        for _ in range(REQUESTS_COUNT):
            json.loads(plain)
        reference_us = min(reference_us, (time.process_time() - start_s) / REQUESTS_COUNT * 1e6)
    print(f"reference: the standard library's json.loads of {len(plain)} bytes {reference_us:.2f} us")
    print("policy task_map, key with budget and rates, limits in a shared file, metering line, counters")
    print(f"{'request':34}{'admit us':>10}{'finish us':>11}{'headers us':>12}")
    with tempfile.TemporaryDirectory() as folder:
        loaded = save(policy(), Path(folder) / "policy")
        for characters_count, is_guarded in ((300, False), (300, True), (1_000, True), (10_000, True)):
            of = settings(Path(folder), is_guarded=is_guarded)
            limits = SharedLimits(Path(folder) / "limits.bin", of.keys, 0, is_shared=False)
            engine = Engine(of, loaded, limits, Dropped(), Counters())
            head, body = request(characters_count)
            if is_profiled:
                profile = cProfile.Profile()
                profile.runcall(measured, engine, head, body)
                pstats.Stats(profile).sort_stats("tottime").print_stats(40)
                return
            admit_us, finish_us, header_us = measured(engine, head, body)
            name = f"{len(body):,} bytes{', residency by task' if is_guarded else ''}"
            print(f"{name:34}{admit_us:10.2f}{finish_us:11.2f}{header_us:12.2f}")


if __name__ == "__main__":
    main()
