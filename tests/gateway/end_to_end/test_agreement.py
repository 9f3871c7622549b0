"""Cascades that compare two models: both are asked at once, and the gateway decides as it was decided when learning."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, time
from typing import Any

import anthropic
import numpy as np
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven.gateway.config.settings import GatewaySettings, Retries
from breakeven.gateway.limits.shared_limits import SharedLimits
from breakeven.gateway.upstream import TokenPrice
from breakeven.learning.cascades import applied
from breakeven.outcomes.outcome import OutcomeTable
from breakeven.routing.answers import COMPARISONS
from breakeven.routing.policy_document import CascadePlan, GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save
from breakeven.routing.validators import validators_of
from gateway.parts.answers import compact, plain
from gateway.parts.raw_client import RawAnswer, raw_client, request
from gateway.parts.running import RunningGateway, run, running_gateway, until
from gateway.parts.scripted_upstream import Asked, ScriptedUpstream, Step, scripted_upstream
from gateway.parts.settings_for_tests import SECRET, SHORT, key, models_at, settings_for, upstream_at

MODELS = ("small", "other", "big")
AGREE = CascadePlan(("small", "big"), agreement_model="other")
SPELT_OUT = {"*long": "9 " * 105_000, "*huge": "9 " * 600_000}
"""Answers that are too long to be checked, and even to be held."""
TOOLS: list[Any] = [{"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def told(small: Any, other: Any, big: Any = "big says", **more: Any) -> dict[str, Any]:
    """A request that says what each model is to answer: a text, a status, "hold", or [seconds, text]."""
    said = json.dumps({"small": small, "other": other, "big": big})
    return {"model": "auto", "messages": [{"role": "user", "content": said}], **more}


def script(asked: Asked) -> Iterable[Step]:
    """Each model answers as the request says; ten tokens in, as many out as there are words."""
    says = json.loads(asked.document["messages"][-1]["content"])[asked.model]
    if isinstance(says, list):
        yield float(says[0])
        says = says[1]
    if says in ("hold", "reset"):
        yield says
        return
    if isinstance(says, int):
        yield plain({"error": {"message": "no"}}, f"{says} No")
        return
    message: dict[str, Any] = {"role": "assistant", "content": says}
    if isinstance(says, str):
        message["content"] = SPELT_OUT.get(says, says)
    if isinstance(says, dict):
        message |= {"content": says["text"], "tool_calls": TOOLS}
    used = {"prompt_tokens": 10, "completion_tokens": len(str(says).split()), "total_tokens": 0}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    yield plain(compact({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": used}))


@dataclass
class Stage:
    """An upstream with three models, and a gateway before it."""

    upstream: ScriptedUpstream
    gateway: RunningGateway

    async def ask(self, document: dict[str, Any], **headers: str) -> RawAnswer:
        """One request, and all of it recorded."""
        answer = await asyncio.wait_for(self.gateway.ask(document, headers=headers), 8.0)
        await self.gateway.settled()
        return answer

    def asked(self) -> list[str]:
        """Who was asked, sorted: two of them at the same time."""
        return sorted(each.model for each in self.upstream.asked)

    def counted(self, name: str) -> dict[str, int]:
        """A counter by its label."""
        counts = json.loads(self.gateway.counters.snapshot())["counts"]
        return {label: int(n) for each, label, n in counts if each == name}


def on_stage(
    folder: Path, body: Callable[[Stage], Coroutine[Any, Any, None]], plan: CascadePlan = AGREE, **more: Any
) -> None:
    """Runs a test against a gateway that serves the cascade."""
    groups = more.pop("groups", ())
    document = PolicyDocument("cascade", tuple(map(PricedModel, MODELS)), "big", cascade=plan, groups=groups)
    policy = save(document, folder / "policy")

    async def test() -> None:
        async with scripted_upstream(script) as upstream:
            made: GatewaySettings = settings_for(
                folder / "state", [at := upstream_at(upstream.port)], models_at(at, *MODELS), **more
            )
            async with running_gateway(made, policy) as gateway:
                await body(Stage(upstream, gateway))
                await gateway.settled()
                assert not upstream.oddities
                assert len(gateway.calls) == len(upstream.asked)

    run(test())


def text_of(answer: RawAnswer) -> str:
    """What the client got."""
    assert answer.status == 200 and answer.is_whole, answer.body
    return str(answer.document["choices"][0]["message"]["content"])


def test_two_that_agree_are_asked_at_once_and_the_first_ones_answer_is_kept(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        begun_s = monotonic()
        answer = await stage.ask(told([0.3, "Yes  indeed"], [0.3, "yes indeed"]))
        assert monotonic() - begun_s < 0.55, "one after the other would take twice as long"
        assert text_of(answer) == "Yes  indeed"
        assert stage.asked() == ["other", "small"]
        assert answer.header("x-breakeven-model") == "small"
        assert answer.header("x-breakeven-reason") == "cascade: small > big; other agrees"
        assert answer.header("x-breakeven-attempts") == "2"
        assert answer.document["usage"]["completion_tokens"] == 2
        kept, checked = sorted(stage.gateway.calls, key=lambda each: each["model_key"], reverse=True)
        assert kept["record_id"] == answer.header("x-breakeven-request-id")
        assert checked["record_id"] == f"{kept['record_id']}-2" and checked["parent_id"] == kept["record_id"]
        assert {kept["status"], checked["status"]} == {"ok"} and "retry_of" not in checked
        assert kept["cost_usd"] > 0 and checked["cost_usd"] > 0
        assert stage.counted("agreement_checks_total") == {"agrees": 1}

    on_stage(tmp_path, body)


@pytest.mark.parametrize(
    ("other", "words", "result"),
    [
        ("no", "answers otherwise", "differs"),
        ("", "answers otherwise", "differs"),
        (500, "did not answer", "no_answer"),
        (400, "did not answer", "no_answer"),
        ("reset", "did not answer", "no_answer"),
        ("hold", "did not answer", "no_answer"),
        ({"text": "yes"}, "did not answer", "no_answer"),
    ],
)
def test_without_agreement_the_next_model_answers(tmp_path: Path, other: Any, words: str, result: str) -> None:
    async def body(stage: Stage) -> None:
        answer = await stage.ask(told("yes", other))
        assert text_of(answer) == "big says"
        assert stage.asked() == ["big", "other", "small"]
        assert answer.header("x-breakeven-reason") == f"escalation, after cascade: small > big; other {words}"
        assert answer.header("x-breakeven-attempts") == "3"
        by_model = {each["model_key"]: each for each in stage.gateway.calls}
        request_id = answer.header("x-breakeven-request-id")
        assert by_model["big"]["record_id"] == request_id
        assert by_model["big"]["retry_of"] == by_model["small"]["record_id"] == f"{request_id}-1"
        assert by_model["small"]["error_type"] == "rejected"
        assert stage.counted("agreement_checks_total") == {result: 1}

    on_stage(tmp_path, body)


def test_an_answer_that_fails_otherwise_waits_for_nobody(tmp_path: Path) -> None:
    plan = replace(AGREE, checks_by_task={"": {"labels": ["yes", "no"]}})

    async def body(stage: Stage) -> None:
        begun_s = monotonic()
        answer = await stage.ask(told("perhaps", [5.0, "perhaps"], "no"))
        assert text_of(answer) == "no" and monotonic() - begun_s < 1.0
        assert answer.header("x-breakeven-reason") == "escalation, after cascade: small > big"
        assert {each["model_key"]: each.get("error_type") for each in stage.gateway.calls} == {
            "small": "rejected",
            "other": "superseded",
            "big": None,
        }
        assert stage.counted("agreement_checks_total") == {"not_needed": 1}

    on_stage(tmp_path, body, plan, timeouts=replace(SHORT, first_byte_s=9.0))


def test_answers_with_tool_calls_are_not_compared_by_their_words(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        answer = await stage.ask(told({"text": "I will look"}, {"text": "I will look"}))
        assert text_of(answer) == "big says"
        assert stage.counted("agreement_checks_total") == {"not_needed": 1}

    on_stage(tmp_path, body)


def test_of_three_models_the_second_is_compared_too_and_the_last_with_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        models = ("small", "middle", "big", "other")
        plan = CascadePlan(("small", "middle", "big"), agreement_model="other", agreement="number")
        policy = save(PolicyDocument("cascade", tuple(map(PricedModel, models)), "big", cascade=plan), tmp_path / "p")
        async with scripted_upstream(script) as upstream:
            at = upstream_at(upstream.port)
            made = settings_for(tmp_path / "state", [at], models_at(at, *models))
            async with running_gateway(made, policy) as gateway:
                for middle, expected in ((7, "so 7"), (8, "big: none")):
                    upstream.asked.clear()
                    said = {"small": "so 6", "middle": f"so {middle}", "big": "big: none", "other": "7.0"}
                    content = [{"role": "user", "content": json.dumps(said)}]
                    answer = await gateway.ask({"model": "auto", "messages": content})
                    assert text_of(answer) == expected
                    assert upstream.counts()["other"] == 1, "once for all"
                await gateway.settled()
                assert [each.get("error_type") for each in gateway.calls_of("big")] == [None], (
                    "nothing is wrong with it"
                )

    run(test())


def test_streams_are_compared_whole_where_they_are_checked_whole(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        url = stage.gateway.url
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=SECRET, max_retries=0) as client:
            for other, expected in (("yes", "yes"), ("no", "big says")):
                asked: Any = told("yes", other)
                stream = await client.chat.completions.create(**asked, stream=True)
                said = [each.choices[0].delta.content or "" async for each in stream]
                assert "".join(said) == expected
        async with anthropic.AsyncAnthropic(base_url=url, api_key=SECRET, max_retries=0) as other_client:
            asked = told("yes", "Yes", max_tokens=50)
            async with other_client.messages.stream(**asked) as events:
                assert "".join([each async for each in events.text_stream]) == "yes"
        assert all("stream" not in each.document for each in stage.upstream.asked)

    on_stage(tmp_path, body, cascade_streams="buffered")


def test_streams_that_are_not_checked_go_to_the_last_model_alone(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        answer = await stage.gateway.ask(told("yes", "yes", 400, stream=True))
        assert answer.status == 400 and stage.asked() == ["big"]

    on_stage(tmp_path, body)


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "mcp", "server_label": "crm"}]},
        {"previous_response_id": "r1"},
    ],
)
def test_what_must_not_happen_twice_is_asked_once(tmp_path: Path, more: dict[str, Any]) -> None:
    async def body(stage: Stage) -> None:
        assert text_of(await stage.ask(told("yes", "yes"))) == "yes"
        answer = await stage.ask(told("yes", "yes", **more))
        assert text_of(answer) == "big says" and stage.asked() == ["big", "other", "small"]
        assert "asked once" in (answer.header("x-breakeven-reason") or "")
        assert text_of(await stage.ask(told("yes", "yes"))) == "yes"

    on_stage(tmp_path, body)


def test_what_the_first_model_cannot_take_the_last_one_may(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        assert text_of(await stage.ask(told(400, "yes"))) == "big says"
        assert stage.asked() == ["big", "other", "small"]
        assert (await stage.ask(told(400, "yes", 400))).status == 400

    on_stage(tmp_path, body)


def test_a_client_that_leaves_ends_both(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        for small in ("hold", "yes"):
            stage.upstream.asked.clear()
            stage.gateway.sink.lines.clear()
            async with raw_client(stage.gateway.url) as client:
                head = {"Authorization": f"Bearer {SECRET}"}
                await client.send(request("/v1/chat/completions", told(small, "hold"), headers=head))
                await until(lambda: len(stage.upstream.asked) == 2)
                await asyncio.sleep(0.1)
                client.abort()
                await stage.gateway.settled()
            assert await until(lambda: not any(each.playing for each in stage.upstream.open_connections)) < 2.0
            assert {each["model_key"]: each["error_type"] for each in stage.gateway.calls} == {
                "small": "client_gone",
                "other": "client_gone",
            }
            assert stage.asked() == ["other", "small"], "nobody is asked for a client that left"

    on_stage(tmp_path, body, timeouts=replace(SHORT, first_byte_s=9.0))


def test_when_the_time_is_up_the_answer_that_waits_is_given_out_with_what_is_known(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        answer = await stage.ask(told("yes", "hold"))
        assert text_of(answer) == "yes"
        assert answer.header("x-breakeven-reason") == "cascade: small > big; other did not answer"
        (call,) = stage.gateway.calls_of("other")
        assert call["error_type"] == "total_timeout"

    on_stage(tmp_path, body, timeouts=replace(SHORT, first_byte_s=9.0, total_s=0.8))


def test_a_budget_counts_both(tmp_path: Path) -> None:
    """1,000 tokens of an answer cost 0.008 USD, 1,250 of them 0.010."""
    paying = key(budget_usd=0.0199)

    async def body(stage: Stage) -> None:
        assert text_of(await stage.ask(told("yes", "yes", max_tokens=1_000))) == "yes"
        costs_usd = [each["cost_usd"] for each in stage.gateway.calls]
        assert costs_usd == [pytest.approx((10 * 2.0 + 8.0) / 1e6)] * 2
        limits = SharedLimits(tmp_path / "state" / "limits.bin", (paying,), 1)
        assert limits.spend(paying, time()).spent_usd == pytest.approx(sum(costs_usd))
        limits.close()
        refused = await stage.ask(told("yes", "yes", max_tokens=1_250))
        assert refused.code == "budget_exceeded", "one of them alone could be paid"
        assert stage.asked() == ["other", "small"]

    on_stage(tmp_path, body, keys=(paying,))


def test_who_cannot_pay_the_next_model_gets_the_answer_that_nobody_confirmed(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        answer = await stage.ask(told("yes", "no", max_tokens=1_000))
        assert text_of(answer) == "yes"
        reason = answer.header("x-breakeven-reason")
        assert reason == "cascade: small > big; other answers otherwise; not escalated: budget"

    async def test() -> None:
        policy = save(PolicyDocument("cascade", tuple(map(PricedModel, MODELS)), "big", cascade=AGREE), tmp_path / "p")
        async with scripted_upstream(script) as upstream:
            at = upstream_at(upstream.port)
            models = models_at(at, "small", "other") | models_at(at, "big", price=TokenPrice(100.0, 400.0))
            made = settings_for(tmp_path / "state", [at], models, keys=(key(budget_usd=0.02),))
            async with running_gateway(made, policy) as gateway:
                await body(Stage(upstream, gateway))

    run(test())


def test_a_fallback_of_the_first_model_is_compared_and_never_with_itself(tmp_path: Path) -> None:
    async def body(stage: Stage) -> None:
        answer = await stage.ask(told(500, "yes"))
        assert text_of(answer) == "big says"
        assert stage.asked() == ["big", "other", "other", "small"]

    retries = Retries(attempts_max_count=3, budget_fraction=1.0, backoff_base_s=0.001, backoff_max_s=0.01)
    on_stage(tmp_path, body, fallbacks={"small": ("other",)}, retries=retries)


@pytest.mark.parametrize("closed", [("small", "big"), ("other", "big"), ("small", "other")])
def test_whoever_may_not_take_a_request_is_not_asked_to_compare(tmp_path: Path, closed: tuple[str, ...]) -> None:
    """A key, or a group of the policy, allows two of the three models."""

    async def body(stage: Stage) -> None:
        answer = await stage.ask(told("yes", "yes"))
        assert answer.status == 200
        assert set(stage.asked()) <= set(closed)
        if "other" not in closed:
            assert stage.asked() == ["big"], "without a second model the last one answers"

    on_stage(tmp_path / "key", body, keys=(key(allowed_models=closed),))
    groups = (GroupChoice((), "big" if "big" in closed else "small", allowed_models=closed),)
    on_stage(tmp_path / "group", body, groups=groups)


SAID = st.one_of(
    st.sampled_from(
        ["yes", "Yes", "no", "", " ", "12", "so 12.0", "1,200", "(B) because", "B.", '{"a": 1}', '{"a":1.0}', "A\nB"]
    ),
    st.text(alphabet='ab1 .,{}":\n', max_size=12),
    st.sampled_from(["*long", "*huge"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(st.tuples(SAID, SAID), min_size=1, max_size=8),
    comparison=st.sampled_from(COMPARISONS),
    check=st.sampled_from([{}, {"": {"non_empty": True}}, {"": {"regex": "[0-9b]"}}, {"": {"json": True}}]),
)
def test_the_gateway_decides_as_it_was_decided_when_learning(
    tmp_path: Path, pairs: list[tuple[str, str]], comparison: str, check: dict[str, Any]
) -> None:
    plan = replace(AGREE, agreement=comparison, checks_by_task=check)
    small, other = zip(*[[SPELT_OUT.get(each, each) for each in pair] for pair in pairs], strict=True)
    nothing = np.full((len(pairs), 3), np.nan)
    table = OutcomeTable(
        models=MODELS,
        request_ids=tuple(str(at) for at in range(len(pairs))),
        prompts=("",) * len(pairs),
        groups={},
        success=nothing,
        cost_usd=nothing,
        responses={"small": small, "other": other, "big": ("big says",) * len(pairs)},
    )
    checks = {task: validators_of(declared) for task, declared in check.items()}
    learnt = applied(plan, table, checks).choices(0.5).tolist()

    async def body(stage: Stage) -> None:
        answers = await asyncio.gather(*(stage.gateway.ask(told(mine, theirs)) for mine, theirs in pairs))
        assert [MODELS.index(each.header("x-breakeven-model") or "") for each in answers] == learnt

    on_stage(tmp_path, body, plan, timeouts=replace(SHORT, first_byte_s=9.0))
