"""A trial under `breakeven serve`: begun, ramped and ended by the policy folder alone, with streams under way."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import load, save
from breakeven.routing.trial import Trial, TrialPart
from gateway.end_to_end.test_serve import Stream
from gateway.parts.answers import STREAM_HEAD, chat_events, chunk
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import chat
from gateway.parts.scripted_upstream import Asked, Script, Step, upstream_thread
from gateway.parts.served import Served, config, served, written_calls

WITHIN_S = 20.0


def write_policy(folder: Path, share: float | None) -> str:
    """Another version: that share to the candidate, or no trial; its hash."""
    trial = None
    if share is not None:
        part = TrialPart("", "held", "canary", share)
        trial = Trial("p-1", (part,), checks_by_task={"": {"regex": "tea"}}, audit_fraction=1.0)
    return save(PolicyDocument("single", (PricedModel("good"),), "good", trial=trial), folder).hash


def wait_until_served(gateway: Served, policy_hash: str) -> None:
    """Until both relays say that they serve a version (they tell their numbers once a second)."""
    give_up_s = time.monotonic() + WITHIN_S
    while time.monotonic() < give_up_s:
        page = json.loads(gateway.admin("/admin/policy")[1])
        if page["served_by_relays"] == {policy_hash: 2}:
            return
        time.sleep(0.05)
    raise AssertionError(page)


def held_until(may_end: threading.Event) -> Script:
    """A stream that says a word now and then, and ends when it may."""

    def script(asked: Asked) -> Iterator[Step]:
        events = chat_events(asked, 12)
        yield STREAM_HEAD
        for each in events[:4]:
            yield chunk(each)
        while not may_end.is_set():
            yield 0.05
        for each in events[4:]:
            yield chunk(each)
        yield b"0\r\n\r\n"

    return script


def test_a_trial_begins_ramps_and_ends_and_no_stream_is_dropped(tmp_path: Path) -> None:
    may_end = threading.Event()
    with upstream_thread(Repertoire({"held": held_until(may_end)})) as upstream:
        models: dict[str, Any] = {"good": "good", "held": "held"}
        write_policy(tmp_path / "policy", 1e-9)
        settings = config("state", upstream.url, models, policy="policy", processes=2, prompts="full")
        settings["timeouts"] |= {"idle_s": 60}
        with served(tmp_path, settings) as gateway:
            assert {gateway.ask(chat("auto"))[0] for _ in range(5)} == {200}
            wait_until_served(gateway, write_policy(tmp_path / "policy", 1.0))
            before = Stream(gateway, "auto")
            wait_until_served(gateway, write_policy(tmp_path / "policy", None))
            after = Stream(gateway, "auto")
            assert after.ended().endswith(b"data: [DONE]\n\n")
            assert before.is_alive() and b"[DONE]" not in before.body
            may_end.set()
            whole = before.ended()
            assert whole.endswith(b"data: [DONE]\n\n") and whole.count(b'"content"') == 13
            refused = save_unservable(tmp_path / "policy")
            give_up_s = time.monotonic() + WITHIN_S
            while "policy_refused" not in gateway.log and time.monotonic() < give_up_s:
                time.sleep(0.05)
            gateway.signal(signal.SIGTERM)
            gateway.process.wait(30)
            calls = written_calls(gateway.state)
        assert f"the trial of the policy {refused[:12]} names 'nobody'" in gateway.log
        told = [(each.get("arm"), each["model_key"], each.get("outcome")) for each in calls]
        assert sorted(told, key=str) == sorted(
            [("baseline", "good", 1.0)] * 5 + [("candidate", "held", 1.0), (None, "good", None)], key=str
        )
        files = sorted((gateway.state / "audit" / "p-1").glob("relay-*.jsonl"))
        kept = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        assert len(kept) == 6 and {each["prompt"] for each in kept} == {"user: hello there"}
        assert {each["request_id"] for each in kept} == {each["record_id"] for each in calls if each.get("arm")}


def save_unservable(folder: Path) -> str:
    """A version whose trial names a model that nobody serves here: it is never in force."""
    part = TrialPart("", "nobody", "canary", 1.0)
    document = load(folder).document
    return save(PolicyDocument(document.kind, document.models, "good", trial=Trial("p-2", (part,))), folder).hash
