"""Answers of a trial: judged once they are out, in every API, plain and streamed, of both arms and of copies."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.gateway.metering.audit_keeping import audit_folder
from breakeven.gateway.relay import trial_answers
from breakeven.gateway.relay.heard_answer import HeardAnswer
from breakeven.gateway.relay.trial_answers import JUDGED
from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import load, save
from breakeven.routing.trial import Trial, TrialMode, TrialPart
from breakeven.routing.trial_drawing import is_audited
from breakeven.routing.validators import ANSWER_MAX_COUNT, NonEmpty, Verdict
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import chat, raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway, until
from gateway.parts.scripted_upstream import ScriptedUpstream, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, SHORT, THREE_TRIES, models_at, settings_for, upstream_at

SAYS_TEA = {"": {"regex": "tea"}}
"""What six words or more say, and five do not."""
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hello"}]},
    "/v1/completions": {"prompt": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 50},
}


@asynccontextmanager
async def on_trial(
    folder: Path,
    baseline: str = "good:12",
    candidate: str = "good:3",
    mode: TrialMode = "shadow",
    share: float = 1.0,
    checks: Any = SAYS_TEA,
    audit: float = 0.0,
    **more: Any,
) -> AsyncIterator[tuple[RunningGateway, ScriptedUpstream]]:
    """A gateway whose policy puts a candidate to the test; models are scripts."""
    trial = Trial("p-1", (TrialPart("", candidate, mode, share),), checks_by_task=checks, audit_fraction=audit)
    document = PolicyDocument("single", (PricedModel(baseline),), baseline, trial=trial)
    policy = save(document, folder / "policy")
    async with scripted_upstream(Repertoire()) as upstream:
        main = upstream_at(upstream.port)
        settings = settings_for(folder / "state", [main], models_at(main, baseline, candidate), **more)
        async with running_gateway(settings, policy) as gateway:
            yield gateway, upstream


def by_arm(gateway: RunningGateway) -> dict[str, tuple[float | None, str | None]]:
    """Arm -> outcome and its source, of one request."""
    return {each["arm"]: (each.get("outcome"), each.get("outcome_source")) for each in gateway.calls}


def judged(gateway: RunningGateway) -> dict[str, float]:
    """How answers were counted."""
    counts = json.loads(gateway.counters.snapshot())["counts"]
    return {label: count for name, label, count in counts if name == JUDGED}


@pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", list(BODIES))
def test_answers_of_every_api_are_judged(path: str, is_stream: bool, tmp_path: Path) -> None:
    async def test() -> None:
        async with on_trial(tmp_path) as (gateway, _):
            answer = await gateway.ask(BODIES[path] | {"model": "auto", "stream": is_stream}, path)
            assert answer.status == 200
            await gateway.settled()
            assert by_arm(gateway) == {"baseline": (1.0, "validator"), "shadow": (0.0, "validator")}
            assert judged(gateway) == {"passed": 1, "not_passed": 1}
            copy = next(each for each in gateway.calls if each["arm"] == "shadow")
            mine = next(each for each in gateway.calls if each["arm"] == "baseline")
            assert (copy["parent_id"], copy["record_id"]) == (mine["record_id"], f"{mine['record_id']}-99")
            assert mine["propensity"] == 1.0 and "propensity" not in copy
            assert mine["policy_hash"] == copy["policy_hash"]

    run(test())


@pytest.mark.parametrize("is_stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("fits", [True, False])
def test_tool_calls_are_judged_and_run_by_nobody(fits: bool, path: str, is_stream: bool, tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer" if fits else "string"}},
        "required": ["city", "days"],
    }
    checks = {"": {"tools": [{"name": "weather", "parameters": schema}], "tool_required": True}}
    tool: dict[str, Any] = {"name": "weather", "input_schema": schema}
    if path.endswith("completions"):
        tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}

    async def test() -> None:
        async with on_trial(tmp_path, "tools:2", "tools:1", checks=checks) as (gateway, upstream):
            answer = await gateway.ask(BODIES[path] | {"model": "auto", "stream": is_stream, "tools": [tool]}, path)
            assert answer.status == 200 and b"weather" in answer.body
            await gateway.settled()
            expected = (float(fits), "validator")
            assert by_arm(gateway) == {"baseline": expected, "shadow": expected}
            assert upstream.counts() == {"tools:2": 1, "tools:1": 1}

    run(test())


def test_a_canary_is_judged_in_both_arms_and_the_client_gets_every_byte(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_trial(tmp_path, mode="canary", share=0.5) as (gateway, upstream):
            body = BODIES["/v1/chat/completions"] | {"model": "auto", "stream": True}
            answers = [await gateway.ask(body) for _ in range(40)]
            await gateway.settled()
            told = {(each["arm"], each["model_key"], each["outcome"]) for each in gateway.calls}
            assert told == {("baseline", "good:12", 1.0), ("candidate", "good:3", 0.0)}
            assert len(gateway.calls) == 40 == sum(upstream.counts().values())
            said = {answer.header("x-breakeven-model"): answer.body.count(b'"content"') for answer in answers}
            assert said["good:12"] == 13 and said["good:3"] == 4

    run(test())


@pytest.mark.parametrize("candidate", ["reset_mid_answer", "status:500", "stall_mid_answer", "end_without_mark"])
def test_an_answer_that_is_not_whole_is_judged_by_nobody(candidate: str, tmp_path: Path) -> None:
    async def test() -> None:
        body = BODIES["/v1/chat/completions"] | {"model": "auto", "stream": True}
        async with on_trial(tmp_path, candidate=candidate) as (gateway, _):
            assert (await gateway.ask(body)).status == 200
            await gateway.settled()
            assert by_arm(gateway) == {"baseline": (1.0, "validator"), "shadow": (None, None)}
        async with on_trial(tmp_path, candidate=candidate, mode="canary") as (gateway, _):
            await gateway.ask(body)
            await gateway.settled()
            assert all(each["arm"] == "candidate" and "outcome" not in each for each in gateway.calls)

    run(test())


def test_a_copy_that_fails_by_chance_is_sent_again(tmp_path: Path) -> None:
    async def test() -> None:
        body = BODIES["/v1/chat/completions"] | {"model": "auto"}
        async with on_trial(tmp_path, candidate="flaky_status:503", retries=THREE_TRIES) as (gateway, upstream):
            await gateway.ask(body)
            await gateway.settled()
            copies = [each for each in gateway.calls if each["arm"] == "shadow"]
            assert [(each["status"], each.get("outcome")) for each in copies] == [("error", None), ("ok", 1.0)]
            parent = copies[0]["parent_id"]
            assert [each["record_id"] for each in copies] == [f"{parent}-99", f"{parent}-100"]
            assert {each["parent_id"] for each in copies} == {parent}
            assert upstream.counts()["flaky_status:503"] == 2
        async with on_trial(tmp_path, candidate="status:500", retries=THREE_TRIES) as (gateway, upstream):
            await gateway.ask(body)
            await gateway.settled()
            assert upstream.counts()["status:500"] == 2
            assert by_arm(gateway) == {"baseline": (1.0, "validator"), "shadow": (None, None)}

    run(test())


def test_a_client_that_leaves_gives_no_outcome(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_trial(tmp_path, baseline="endless", candidate="good:3") as (gateway, _):
            body = BODIES["/v1/chat/completions"] | {"model": "auto", "stream": True}
            async with raw_client(gateway.url) as client:
                key = {"Authorization": f"Bearer {SECRET}"}
                await client.send(request("/v1/chat/completions", body, key))
                await client.head()
                client.abort()
            await gateway.settled()
            told = {each["arm"]: (each["status"], each.get("outcome")) for each in gateway.calls}
            assert told == {"baseline": ("cancelled", None), "shadow": ("ok", 0.0)}

    run(test())


def test_a_slow_check_is_waited_for_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, **__: Any) -> Verdict:
        time.sleep(0.8)
        return Verdict(True)

    monkeypatch.setattr(trial_answers, "check_answer", slow)
    monkeypatch.setattr(trial_answers, "SHORT_CHARACTERS_COUNT", -1)

    async def test() -> None:
        async with on_trial(tmp_path, mode="canary") as (gateway, _):
            begun_s = time.monotonic()
            for _ in range(3):
                answer = await gateway.ask(BODIES["/v1/chat/completions"] | {"model": "auto"})
                assert answer.status == 200
            answered_s = time.monotonic() - begun_s
            assert not gateway.calls  # recorded once they are judged, or once that takes too long
            await gateway.settled()
            assert answered_s < 0.45
            assert [each.get("outcome") for each in gateway.calls] == [None] * 3
            assert judged(gateway) == {"unjudged": 3}

    run(test())


def test_longer_answers_are_judged_in_a_thread(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_trial(tmp_path, "good:900", "good:3", checks={"": {"regex": "tea $|tea$"}}) as (gateway, _):
            answer = await gateway.ask(BODIES["/v1/chat/completions"] | {"model": "auto"})
            assert len(answer.body) > 1_000
            await gateway.settled()
            assert by_arm(gateway) == {"baseline": (1.0, "validator"), "shadow": (0.0, "validator")}

    run(test())


def test_a_check_that_breaks_gives_no_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Verdict:
        raise RuntimeError("a bug")

    monkeypatch.setattr(NonEmpty, "check", broken)

    async def test() -> None:
        async with on_trial(tmp_path, checks={"": {"non_empty": True}}) as (gateway, _):
            assert (await gateway.ask(BODIES["/v1/chat/completions"] | {"model": "auto"})).status == 200
            await gateway.settled()
            assert by_arm(gateway) == {"baseline": (None, None), "shadow": (None, None)}
            assert judged(gateway) == {"failed": 2}

    run(test())


def test_with_durability_request_the_outcome_is_on_the_disk_before_the_answer(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_trial(tmp_path, mode="canary", durability="request") as (gateway, _):
            for is_stream in (False, True):
                await gateway.ask(BODIES["/v1/chat/completions"] | {"model": "auto", "stream": is_stream})
            assert [each["outcome"] for each in gateway.calls] == [0.0, 0.0]

    run(test())


def test_answers_that_pass_all_measure_are_counted_and_not_judged(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_trial(tmp_path, candidate="huge:3") as (gateway, _):
            assert (await gateway.ask(BODIES["/v1/chat/completions"] | {"model": "auto"})).status == 200
            await gateway.settled()
            assert by_arm(gateway)["shadow"] == (None, None)
            assert judged(gateway) == {"passed": 1, "unjudged": 1}

    run(test())


def test_the_text_that_is_kept_of_a_stream_is_bounded() -> None:
    class Reader:
        finish_reason = "stop"

    said: Any = HeardAnswer("chat", Reader(), True)  # type: ignore[arg-type]
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % (b"x" * 10_000)
    for _ in range(ANSWER_MAX_COUNT // 10_000):
        said.feed(piece)
    assert not said.is_too_long and len(said.answer().text) == ANSWER_MAX_COUNT
    for _ in range(50):
        said.feed(piece)
    assert said.is_too_long and len(said.answer().text) == ANSWER_MAX_COUNT
    for odd in (
        b"data: [1]\n\n",
        b"data: {\n\n",
        b": hi\n\n",
        b'data: {"choices":[null,7,{"delta":3}]}\n\n',
        b"\xff\n\n",
    ):
        for operation in ("chat", "completions", "messages", "responses"):
            HeardAnswer(operation, Reader(), True).feed(odd)  # type: ignore[arg-type]


def test_copies_are_bounded_by_the_trial(tmp_path: Path) -> None:
    async def test() -> None:
        more = {"timeouts": replace(SHORT, first_byte_s=9.0)}
        async with on_trial(tmp_path, "good:3", "endless", **more) as (gateway, upstream):
            body = BODIES["/v1/chat/completions"] | {"model": "auto"}
            answers = await asyncio.gather(*(gateway.ask(body) for _ in range(20)))
            assert [each.status for each in answers] == [200] * 20
            await until(lambda: gateway.relay.open_requests_count == 8)
            assert upstream.counts()["endless"] == 8

    run(test())


def test_a_stream_goes_on_when_the_policy_changes(tmp_path: Path) -> None:
    async def test() -> None:
        async with on_trial(tmp_path, "good:12", "slow:6", mode="canary") as (gateway, _):
            body = BODIES["/v1/chat/completions"] | {"model": "auto", "stream": True}
            asking = asyncio.create_task(gateway.ask(body))
            await until(lambda: gateway.relay.open_requests_count == 1)
            without = save(PolicyDocument("single", (PricedModel("good:12"),), "good:12"), tmp_path / "policy")
            gateway.engine.swap_policy(without)
            assert (await gateway.ask(body)).header("x-breakeven-model") == "good:12"
            answer = await asking
            assert answer.is_whole and answer.events[-1] == b"[DONE]"
            await gateway.settled()
            told = {each["model_key"]: (each.get("arm"), each.get("outcome")) for each in gateway.calls}
            assert told == {"good:12": (None, None), "slow:6": ("candidate", 1.0)}

    run(test())


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_audited_answers_are_kept_whoever_was_drawn(mode: TrialMode, tmp_path: Path) -> None:
    async def test() -> None:
        more: dict[str, Any] = {"mode": mode, "audit": 0.4, "checks": {}, "prompts": "full"}
        async with on_trial(tmp_path, **more) as (gateway, _):
            body = BODIES["/v1/chat/completions"] | {"model": "auto"}
            for number in range(30):
                await gateway.ask(body | {"stream": number % 2 == 0})
            await gateway.settled()
        drawn = {each["record_id"] for each in gateway.calls if is_audited("p-1", each["record_id"], 0.4)}
        drawn -= {each["record_id"] for each in gateway.calls if each["arm"] == "shadow"}
        file = audit_folder(tmp_path / "state", "p-1") / "relay-0.jsonl"
        kept = [json.loads(line) for line in file.read_text().splitlines()]
        arms = {"baseline", "shadow"} if mode == "shadow" else {"candidate"}
        assert {(each["request_id"], each["arm"]) for each in kept} == {(each, arm) for each in drawn for arm in arms}
        assert len(kept) == len(drawn) * len(arms) > 0
        words = {
            "good:12": "".join(["Straße ", "naïve ", "東京 ", "🦊 ", "plain ", "tea "] * 2),
            "good:3": "Straße naïve 東京 ",
        }
        assert {each["model"]: each["answer"] for each in kept}.items() <= words.items()
        assert {each["prompt"] for each in kept} == {"user: hello"}
        assert all("outcome" not in each for each in gateway.calls)

    run(test())


def test_nothing_is_heard_where_nobody_wants_to_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("somebody listened")

    monkeypatch.setattr(HeardAnswer, "feed", never)

    async def test() -> None:
        async with on_trial(tmp_path, checks={}) as (gateway, _):
            answer = await gateway.ask(BODIES["/v1/chat/completions"] | {"model": "auto", "stream": True})
            assert answer.events[-1] == b"[DONE]"
            await gateway.settled()
            assert by_arm(gateway) == {"baseline": (None, None), "shadow": (None, None)}
            assert not (tmp_path / "state" / "audit").exists()

    run(test())


@pytest.mark.parametrize("prompts", ["none", "redacted"])
def test_no_word_is_kept_where_prompts_are_not(prompts: str, tmp_path: Path) -> None:
    async def test() -> None:
        more: dict[str, Any] = {"candidate": "echo", "audit": 1.0, "prompts": prompts}
        async with on_trial(tmp_path, **more) as (gateway, _):
            asked = {"model": "auto", "messages": [{"role": "user", "content": "canary-27 writes to ann@example.com"}]}
            for is_stream in (False, True):
                await gateway.ask(asked | {"stream": is_stream})
            await gateway.settled()
        files = [each for each in (tmp_path / "state" / "audit").rglob("*") if each.is_file()]
        kept = b"".join(each.read_bytes() for each in files) + b"".join(gateway.sink.lines)
        assert kept.count(b'"arm":"shadow"') == 4  # two Calls, two audited answers
        assert b"ann@example.com" not in kept
        assert (b"canary-27" in kept, b"tea" in kept) == (prompts != "none",) * 2

    run(test())


def test_requests_that_look_alike_are_dealt_one_by_one(tmp_path: Path) -> None:
    """On one connection, before, under and after a trial: none is answered like the one before it without a look."""

    async def test() -> None:
        async with on_trial(tmp_path, mode="canary", share=0.5) as (gateway, _):
            with_trial = load(tmp_path / "policy")
            without = save(PolicyDocument("single", (PricedModel("good:12"),), "good:12"), tmp_path / "without")
            sent = request("/v1/chat/completions", chat("auto"), {"Authorization": f"Bearer {SECRET}"})
            async with raw_client(gateway.url) as client:
                for policy in (without, with_trial, without):
                    gateway.engine.swap_policy(policy)
                    for _ in range(20):
                        await client.send(sent)
                        assert (await client.answer()).status == 200
            await gateway.settled()
            arms = [each.get("arm") for each in gateway.calls]
            assert set(arms[:20]) == set(arms[40:]) == {None}
            assert set(arms[20:40]) == {"baseline", "candidate"}
            assert [each.get("outcome") is None for each in gateway.calls] == [each is None for each in arms]

    run(test())
