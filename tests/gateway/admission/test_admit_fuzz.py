"""Fuzz: whatever comes, the engine answers with a plan or a refusal, and its counts come out even."""

from __future__ import annotations

import json
import random
from typing import Any

from breakeven.gateway.config.settings import Arms, Condition, ResidencyRule, Shadow, TaskRule
from breakeven.gateway.plan import Head, Plan, Refusal
from gateway.admission.admission_parts import SECRET, Room, attempt, failed, key, room, settings

PATHS = [b"/v1/chat/completions", b"/v1/completions", b"/v1/embeddings", b"/v1/responses", b"/v1/messages",
         b"/v1/messages/count_tokens", b"/v1/outcomes", b"/nowhere", b"", b"/v1/models/\xff"]  # fmt: skip
NAMES = ["messages", "input", "prompt", "system", "tools", "response_format", "text", "max_tokens", "n", "stream",
         "user", "metadata", "instructions", "role", "content", "functions", "generationConfig", "stream_options",
         "best_of", "safety_identifier", "output_config", "contents"]  # fmt: skip
PLAIN: list[Any] = [None, True, 0, -1, 10**18, 1.5, "", "auto", "x" * 300, "data:a", '{"a": "\\u0041"}', "é\u2028",
                    "078-05-1120", {"role": "system", "content": "S"}, {"type": "image_url"}]  # fmt: skip
FAILURES: list[Any] = [None, "connect", "status", "reset", "rejected", "client_gone", "bad_answer", "total_timeout"]


def _value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind < 6:
        return chance.choice(PLAIN)
    if kind < 8:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice([*NAMES, "type", "name"]): _value(chance, depth + 1) for _ in range(chance.randrange(4))}


def _request(chance: random.Random) -> tuple[Head, bytes]:
    headers = [(b"authorization", b"Bearer " + SECRET.encode())] if chance.random() < 0.9 else []
    names = [b"x-breakeven-task", b"x-breakeven-model", b"traceparent", b"x-api-key", b"x-breakeven-session", b"x-unit"]
    for _ in range(chance.randrange(4)):
        value = chance.choice(
            [b"", b"faq", b"small", b"\xff\xfe", b"a" * 400, b"\r\nx: y", SECRET.encode(), b"00-0-0-0"]
        )
        headers.append((chance.choice(names), value))
    document: Any = {chance.choice(NAMES): _value(chance) for _ in range(chance.randrange(5))}
    document["model"] = chance.choice(["small", "big", "opus", "auto", "gpt", 3, None, ""])
    said = json.dumps(document).encode()
    if chance.random() < 0.1:
        said = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
    elif chance.random() < 0.1:
        said = said[: chance.randrange(len(said))]
    return Head(b"POST", chance.choice(PATHS), b"", headers), said


def _ended(of: Room, decided: Plan, chance: random.Random) -> None:
    attempts, at = [], decided.targets[0]
    for number in range(1, chance.randrange(1, 5)):
        failure = chance.choice(FAILURES)
        went = attempt(at, number) if failure is None else failed(at, number, failure)
        attempts.append(went)
        found = of.engine.next_target(decided, went)
        of.engine.response_headers(decided, went)
        if found is None:
            break
        at = found[0]  # type: ignore[index]
    of.engine.finish(decided, attempts, chance.random() < 0.8)


def test_three_thousand_requests_of_any_shape() -> None:
    of = room(
        settings(
            keys=(key(budget_usd=1e9, may_override=True),),
            residency=(ResidencyRule(Condition(pattern=r"\d{3}-\d{2}"), ("near",)),),
            tasks=(TaskRule(Condition(schema_hash="0" * 16), "a"), TaskRule(Condition(pattern="auto"), "b")),
            arms=Arms("e", "header:x-unit", {"a": 0.5, "b": 0.5}, {"b": "small"}),
            shadows=(Shadow("small", 0.5),),
            fallbacks={"big": ("small", "opus")},
        )
    )
    chance = random.Random(8)
    codes: set[str] = set()
    plans_count = 0
    for _ in range(3_000):
        of.clock.at_s += chance.random()
        decided = of.engine.admit(*_request(chance))
        if isinstance(decided, Plan):
            plans_count += 1
            _ended(of, decided, chance)
        else:
            assert isinstance(decided, Refusal)
            codes.add(decided.code)
    assert "internal_error" not in codes
    assert of.kept.counted.get("events_totaladmission_error", 0) == 0
    assert plans_count > 200 and len(codes) >= 8
    assert of.engine.open_requests() == 0
    spent = sum(line["cost_usd"] or 0.0 for line in of.kept.lines if "cost_usd" in line)
    assert abs(of.kept.left_usd["team"] - (1e9 - spent)) < 1e-3
