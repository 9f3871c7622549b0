"""Each fault of an upstream: what the client sees, that exactly one Call is recorded, and that others take over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.faults.page import PAGE, written
from gateway.faults.table import TABLE, Outcome
from gateway.parts.fault_scripts import FAULTS, SECRET, Repertoire
from gateway.parts.raw_client import RawAnswer, chat
from gateway.parts.running import RunningGateway, run, running_gateway
from gateway.parts.scripted_upstream import ScriptedUpstream, closed_port, scripted_upstream
from gateway.parts.settings_for_tests import SHORT, THREE_TRIES, models_at, settings_for, upstream_at

LONG = pytest.mark.parametrize("fault", TABLE)


def test_every_fault_has_a_row() -> None:
    played = {name for name in TABLE if name != "refuse" and not name.startswith("status:")}
    assert played == set(FAULTS)


def test_the_page_has_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert written(text) == text, "print it again: python tests/gateway/faults/page.py"


def test_what_an_upstream_worked_on_is_never_sent_again_unrecorded(tmp_path: Path) -> None:
    """A pooled connection that breaks long after the request went out was not closed while idle."""

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            settings = settings_for(
                tmp_path,
                [main],
                models_at(main, "good", "works_then_resets"),
                timeouts=replace(SHORT, first_byte_s=5.0),
            )
            async with running_gateway(settings) as gateway:
                assert (await gateway.ask(chat("good"))).status == 200  # the pool has a connection
                assert (await gateway.ask(chat("works_then_resets"))).status == 502
                await gateway.settled()
                assert len(upstream.asked) == len(gateway.calls) == 2

    run(test())


def test_a_connection_that_was_closed_while_idle_costs_nobody_anything(tmp_path: Path) -> None:
    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            async with running_gateway(settings_for(tmp_path, [main], models_at(main, "good"))) as gateway:
                for _ in range(20):
                    for connection in list(upstream.open_connections):
                        connection.transport.abort()  # type: ignore[union-attr]
                    assert (await gateway.ask(chat("good"))).status == 200
                assert len(upstream.asked) == len(gateway.calls) == 20

    run(test())


@LONG
def test_a_plain_request_meets_a_fault_alone(fault: str, tmp_path: Path) -> None:
    run(_alone(fault, False, TABLE[fault].plain, tmp_path))


@LONG
def test_a_stream_meets_a_fault_alone(fault: str, tmp_path: Path) -> None:
    run(_alone(fault, True, TABLE[fault].stream, tmp_path))


@LONG
def test_another_model_takes_over_before_the_first_byte(fault: str, tmp_path: Path) -> None:
    run(_with_another(fault, tmp_path))


async def _alone(fault: str, is_stream: bool, expected: Outcome, folder: Path) -> None:
    async with scripted_upstream(Repertoire()) as upstream:
        main = upstream_at(closed_port() if fault == "refuse" else upstream.port)
        settings = settings_for(folder, [main], models_at(main, fault, "good"))
        async with running_gateway(settings) as gateway:
            answer = await gateway.ask(chat(fault, stream=is_stream))
            await gateway.settled()
            _looks_like(answer, expected, fault)
            assert SECRET.encode() not in answer.body and b"10.1.2.3" not in answer.body
            assert not [name for name, _ in answer.headers if name in {"x-internal-host", "set-cookie", "location"}]
            calls = gateway.calls_of(fault)
            assert [each["status"] for each in calls] == ([expected.call] if expected.call else [])
            assert len(upstream.asked_for(fault)) == len(calls), "the upstream was asked as often as was recorded"
            if expected.call == "ok":
                _is_billed_as_said(gateway, upstream, fault)
            if fault != "refuse":  # what is left of it troubles nobody else
                assert (await gateway.ask(chat("good"))).status == 200


def _looks_like(answer: RawAnswer, expected: Outcome, fault: str) -> None:
    assert answer.status == expected.status, answer.body[:300]
    assert answer.is_whole is not expected.is_cut
    assert answer.header("x-breakeven-request-id")
    if expected.is_cut:
        assert b"[DONE]" not in answer.body
        assert expected.code.encode() in answer.events[-1] and b'"error"' in answer.events[-1]
    elif expected.status != 200:
        assert answer.document["error"]["message"]
        if expected.code is not None:
            assert answer.code == expected.code
        if fault == "status:429":
            assert answer.header("retry-after") == "2"


def _is_billed_as_said(gateway: RunningGateway, upstream: ScriptedUpstream, fault: str) -> None:
    (asked,), (call,) = upstream.asked_for(fault), gateway.calls_of(fault)
    assert not call.get("usage_estimated")
    assert (call["input_tokens"], call["output_tokens"]) == (asked.input_tokens, asked.output_tokens)


async def _with_another(fault: str, folder: Path) -> None:
    row = TABLE[fault]
    async with scripted_upstream(Repertoire()) as upstream:
        main, other = (
            upstream_at(closed_port() if fault == "refuse" else upstream.port),
            upstream_at(upstream.port, "b"),
        )
        models = models_at(main, fault) | models_at(other, "good")
        settings = settings_for(folder, [main, other], models, fallbacks={fault: ("good",)}, retries=THREE_TRIES)
        async with running_gateway(settings) as gateway:
            answer = await gateway.ask(chat(fault))
            await gateway.settled()
            good = gateway.calls_of("good")
            assert len(upstream.asked_for("good")) == len(good) == int(row.takes_over)
            assert len(upstream.asked_for(fault)) == len(gateway.calls_of(fault))
            if row.takes_over:
                assert answer.status == 200 and answer.header("x-breakeven-model") == "good"
                assert answer.document["model"] == "good-2026"
                assert good[0]["status"] == "ok"
            else:
                assert answer.status == row.plain.status
            ids = [each["record_id"] for each in gateway.calls]
            assert len(ids) == len(set(ids))
