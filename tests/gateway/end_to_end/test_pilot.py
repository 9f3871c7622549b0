"""A pilot from end to end: two real llama.cpp servers, the real gateway and command, 2,000 calls of a client each.

Which answer succeeds where is planted (`parts/planted.py`), so every outcome in the store is compared with the truth.
"""

from __future__ import annotations

import html
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import load, save
from gateway.parts.llama import LlamaProcess, generated_tokens, llama_process
from gateway.parts.planted import BIG_TOKENS, CHECKS, SMALL_TOKENS, Made, PlantedClient, succeeds
from gateway.parts.served import Served, config, served, written_calls
from one_process import run_here

CALLS = 2_000
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def big(tiny_model: Path) -> Iterator[LlamaProcess]:
    """The baseline's server."""
    pytest.importorskip("xllamacpp", reason="no llama.cpp server here: xllamacpp is not installed")
    with llama_process(tiny_model, BIG_TOKENS) as server:
        yield server


@pytest.fixture(scope="module")
def small(tiny_model: Path) -> Iterator[LlamaProcess]:
    """The candidate's: it ends fewer answers."""
    pytest.importorskip("xllamacpp", reason="no llama.cpp server here: xllamacpp is not installed")
    with llama_process(tiny_model, SMALL_TOKENS) as server:
        yield server


@dataclass
class Piloted:
    """A gateway under a pilot, and its client."""

    folder: Path
    settings: dict[str, Any]
    client: PlantedClient
    gateway: Served
    stack: ExitStack
    running: subprocess.Popen[bytes] | None = None

    @property
    def policy(self) -> Any:
        """The policy that the gateway reads."""
        return load(self.folder / "policy").document

    @property
    def share(self) -> float:
        """Of units that the candidate has now."""
        trial = self.policy.trial
        return 0.0 if trial is None else max(part.share_fraction for part in trial.parts)

    def breakeven(self, *words: str, code: int = 0) -> str:
        """What the command prints."""
        said = run_here(["pilot", *words], cwd=self.folder)
        assert said.returncode == code, f"{words}: {said.returncode}\n{said.stdout[-3000:]}\n{said.stderr[-3000:]}"
        return said.stdout

    def watch(self) -> None:
        """`breakeven pilot run` in a process of its own."""
        command = [sys.executable, "-m", "breakeven.cli.main", "pilot", "run", "p", "--every-s", "0.2", "--json"]
        with (self.folder / "run.txt").open("ab") as log:
            self.running = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)

    def watch_no_more(self) -> None:
        """`kill -9` of the pilot."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()

    def kill_both(self) -> None:
        """`kill -9` of the gateway with all its children, and of the pilot."""
        time.sleep(1.1)  # what was answered more than a second ago is on the disk
        self.watch_no_more()
        self.stack.close()  # kills what still runs
        self.gateway = self.stack.enter_context(served(self.folder, self.settings))
        self.watch()

    def wait_for(self, holds: Any) -> None:
        """Until it holds."""
        give_up_s = time.monotonic() + WITHIN_S
        while not holds():
            assert time.monotonic() < give_up_s, (self.folder / "run.txt").read_text()[-3000:]
            time.sleep(0.05)

    def served_policy_is_there(self) -> bool:
        """Whether the relays serve the version that the folder holds."""
        status, body = self.gateway.admin("/admin/policy")
        return status == 200 and load(self.folder / "policy").hash in json.loads(body)["served_by_relays"]

    def ended(self) -> list[dict[str, Any]]:
        """Ends the gateway as an operator does; every Call that it made."""
        self.gateway.signal(signal.SIGTERM)
        self.gateway.process.wait(30)
        return written_calls(self.gateway.state)


@contextmanager
def piloted(folder: Path, big: LlamaProcess, small: LlamaProcess, middling: float, *options: str) -> Iterator[Piloted]:
    """A pilot that has started, its gateway serving it."""
    save(PolicyDocument("single", (PricedModel("big"),), "big"), folder / "policy")
    (folder / "checks.yaml").write_text(json.dumps(CHECKS))
    settings = _settings(big.url, small.url)
    with ExitStack() as stack:
        gateway = stack.enter_context(served(folder, settings))
        found = Piloted(folder, settings, PlantedClient(gateway.url, middling), gateway, stack)
        try:
            found.breakeven(
                *("init", "p", "--baseline", "big", "--candidate", "small", "--policy", "policy"),
                *(
                    "--state",
                    "state",
                    "--checks",
                    "checks.yaml",
                    "--audit",
                    "0",
                    "--requests-per-hour",
                    "1000",
                    "--correlation",
                    "0.9",
                ),
                *options,
            )
            found.breakeven("start", "p")
            found.wait_for(found.served_policy_is_there)
            found.watch()
            yield found
        finally:
            found.watch_no_more()


def _settings(big_url: str, small_url: str) -> dict[str, Any]:
    upstreams = {
        name: {"base_url": f"{url}/v1", "vendor": "openai", "api_key_env": "MAIN_KEY"}
        for name, url in (("strong", big_url), ("cheap", small_url))
    }
    models = {
        "big": {"upstream": "strong", "model": "tiny-random", "price": _price(10)},
        "small": {"upstream": "cheap", "model": "tiny-random", "price": _price(1)},
    }
    more: dict[str, Any] = {
        "policy": "policy",
        "upstreams": upstreams,
        "retries": {"attempts_max_count": 4, "backoff_base_s": 0.01, "budget_fraction": 0.5},
        "timeouts": {"first_byte_s": 25, "idle_s": 25, "drain_s": 10},  # no slow machine fails a call
    }
    return config("state", big_url, models, **more)


def _price(usd_per_mtok: float) -> dict[str, float]:
    return {"input_usd_per_mtok": usd_per_mtok, "output_usd_per_mtok": 3 * usd_per_mtok}


@dataclass(frozen=True)
class Recorded:
    """The Calls of a gateway, by what they are."""

    answers: dict[str, dict[str, Any]]
    """Request -> the Call that answered it."""
    copies: dict[str, dict[str, Any]]
    tries: list[dict[str, Any]]
    """Attempts before an answer that failed."""


def recorded(calls: list[dict[str, Any]], made: list[Made]) -> Recorded:
    """Each call of the client is one Call, with the outcome that was planted; nothing is there twice."""
    assert Counter(each.status for each in made) == {200: len(made)}
    assert len({each["record_id"] for each in calls}) == len(calls)
    answers = {each["record_id"]: each for each in calls if "-" not in each["record_id"]}
    sent = sorted((each for each in calls if each.get("arm") == "shadow"), key=lambda each: len(each["record_id"]))
    copies = {each["parent_id"]: each for each in sent}  # the last one, where the first one failed
    tries = [each for each in calls if "-" in each["record_id"] and each.get("arm") != "shadow"]
    assert len(calls) == len(answers) + len(sent) + len(tries)
    assert {each.request_id for each in made} == set(answers) and len(made) == len(answers)
    assert {each["status"] for each in answers.values()} == {"ok"}
    assert {each["status"] for each in tries} <= {"error"}
    for each in made:
        call = answers[each.request_id]
        assert (each.status, each.model) == (200, call["model_key"])
        assert each.is_whole == succeeds(each.kind, each.model)
        if call.get("arm") is not None:
            assert (call["outcome"], call["outcome_source"]) == (float(each.is_whole), "validator")
        if (copy := copies.get(each.request_id)) is not None and copy["status"] == "ok":
            assert copy["outcome"] == float(succeeds(each.kind, "small"))
    return Recorded(answers, copies, tries)


def check_report(of: Piloted, answer: str) -> None:
    """The page and the JSON are written, and say the same."""
    of.breakeven("report", "p", "--out", "report.html", "--out", "report.json")
    said = json.loads((of.folder / "report.json").read_text())["verdict"]
    assert said["answer"] == answer
    assert said["sentence"] in html.unescape((of.folder / "report.html").read_text())


def verdict_of(of: Piloted, code: int) -> dict[str, Any]:
    """What `breakeven pilot verdict` says."""
    found: dict[str, Any] = json.loads(of.breakeven("verdict", "p", "--json", code=code))["verdict"]
    return found


def settled_verdict(of: Piloted) -> dict[str, Any]:
    """The yes, once the last copies are in it."""
    said = verdict_of(of, 0)
    while _timeless(again := verdict_of(of, 0)) != _timeless(said):
        said = again
    return said


def test_a_good_small_model_is_proven_though_gateway_and_pilot_are_killed(
    tmp_path: Path, big: LlamaProcess, small: LlamaProcess
) -> None:
    before = {each.url: generated_tokens(each.url) for each in (big, small)}
    with piloted(tmp_path, big, small, 0.01, "--mode", "shadow") as of:
        of.client.call(CALLS // 2)
        of.wait_for(lambda: json.loads(of.breakeven("status", "p", "--json"))["verdict"]["answer"] == "yes")
        said = settled_verdict(of)
        of.kill_both()
        assert _timeless(verdict_of(of, 0)) == _timeless(said)
        of.client.call(CALLS // 2 - 100)
        assert verdict_of(of, 0)["answer"] == "yes"
        check_report(of, "yes")
        of.watch_no_more()
        of.breakeven("stop", "p", "--promote")
        of.wait_for(of.served_policy_is_there)
        assert {each.model for each in of.client.made} == {"big"}
        assert {each.model for each in of.client.call(100)} == {"small"}
        calls = of.ended()
    found = recorded(calls, of.client.made)
    assert len(found.answers) == CALLS
    assert sum(each["status"] == "ok" for each in found.copies.values()) > CALLS / 2  # others were too many at once
    for server, name in ((big, "big"), (small, "small")):
        counted = sum(each["output_tokens"] for each in calls if each["model_key"] == name)
        assert counted == generated_tokens(server.url) - before[server.url]


def _timeless(verdict: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in verdict.items() if name != "as_of"}


def test_a_bad_small_model_is_stopped_and_the_gateway_goes_back_by_itself(
    tmp_path: Path, big: LlamaProcess, small: LlamaProcess
) -> None:
    ramp = ("--ramp", "0.2,0.5", "--step-requests", "40", "--unit", "user")
    with piloted(tmp_path, big, small, 0.3, "--mode", "canary", *ramp) as of:
        of.client.call_until(lambda: of.share == 0.0, CALLS - 300)
        of.wait_for(lambda: of.share == 0.0)
        of.wait_for(of.served_policy_is_there)
        met = len(of.client.made)
        of.client.call(CALLS - met)
        assert {each.model for each in of.client.made[met:]} == {"big"}
        assert {each.model for each in of.client.made[:met]} == {"big", "small"}
        assert verdict_of(of, 1)["answer"] == "no"
        check_report(of, "no")
        calls = of.ended()
    found = recorded(calls, of.client.made)
    arms = Counter((each.get("arm"), each["model_key"]) for each in found.answers.values())
    assert set(arms) - {("candidate", "big")} == {("baseline", "big"), ("candidate", "small"), (None, "big")}
    assert not found.copies


def test_an_upstream_that_dies_half_way_ends_the_pilot_and_no_client_sees_it(
    tmp_path: Path, tiny_model: Path, big: LlamaProcess
) -> None:
    ramp = ("--ramp", "0.5", "--unit", "user")
    with (
        llama_process(tiny_model, BIG_TOKENS) as doomed,
        piloted(tmp_path, big, doomed, 0.0, "--mode", "canary", *ramp) as of,
    ):
        of.client.call(CALLS // 2)
        assert of.share == 0.5 and {each.model for each in of.client.made} == {"big", "small"}
        doomed.process.kill()
        doomed.process.wait()
        of.client.call_until(lambda: of.share == 0.0, CALLS - 300)
        of.wait_for(lambda: of.share == 0.0)
        of.wait_for(of.served_policy_is_there)
        of.client.call(CALLS - len(of.client.made))
        assert verdict_of(of, 1)["answer"] == "no"
        check_report(of, "no")
        calls = of.ended()
    found = recorded(calls, of.client.made)
    arms = Counter((each.get("arm"), each["model_key"]) for each in found.answers.values())
    assert arms["candidate", "big"] > 0  # of whom the candidate did not answer, and keep its arm
    late = found.answers[of.client.made[-1].request_id]
    assert (late.get("arm"), late["model_key"]) == (None, "big")
