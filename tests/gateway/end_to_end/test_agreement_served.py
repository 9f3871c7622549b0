"""From outcomes to answers: a cascade learnt by the command and served by real processes keeps what was promised."""

from __future__ import annotations

import json
import random
import signal
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from breakeven.routing.policy_file import load
from gateway.parts.answers import compact, plain
from gateway.parts.scripted_upstream import Asked, Step, upstream_thread
from gateway.parts.served import config, served, written_calls
from one_process import run_here

REQUESTS_COUNT = 800
RIGHT = {"small": 0.8, "other": 0.8, "big": 0.97}
"""How often each model names the right number; two that are wrong seldom name the same."""
USD = {"small": 0.001, "other": 0.001, "big": 0.03}


def made(seed: int) -> list[dict[str, Any]]:
    """Rows of a file of outcomes, with the answers."""
    chance = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(REQUESTS_COUNT):
        truth, prompt = chance.randrange(1000), f"question {number}: {chance.random():.5f}?"
        for model, part in RIGHT.items():
            is_right = chance.random() < part
            said = truth if is_right else truth + 1 + chance.randrange(50)
            answer = f"{model} thinks, and thinks again. The answer is {said}"
            told = {"request_id": f"r{number}", "model": model, "prompt": prompt, "task": "sums", "response": answer}
            rows.append(told | {"success": int(is_right), "cost_usd": USD[model]})
    return rows


def test_what_was_promised_is_served(tmp_path: Path) -> None:
    learnt_from, served_to = tmp_path / "seen.jsonl", tmp_path / "new.jsonl"
    rows = made(2)
    learnt_from.write_text("\n".join(map(json.dumps, made(1))))
    served_to.write_text("\n".join(map(json.dumps, rows)))
    said = run_here(["learn", "--outcomes", learnt_from, "--out", "policy"], cwd=tmp_path)
    assert said.returncode == 0 and "checked by agreement with" in said.stdout, said.stdout + said.stderr
    said = run_here(["evaluate", "--policy", "policy", "--outcomes", served_to, "--json"], cwd=tmp_path)
    promised = json.loads(said.stdout)
    plan = load(tmp_path / "policy").document.cascade
    assert plan is not None and plan.agreement_model is not None and plan.agreement == "number"
    first, second, last = plan.order[0], plan.agreement_model, plan.order[-1]

    answers = {(row["prompt"], row["model"]): row["response"] for row in rows}
    right = {(row["prompt"], row["model"]): row["success"] for row in rows}

    def script(asked: Asked) -> Iterable[Step]:
        says = answers[asked.document["messages"][0]["content"], asked.model]
        choice = {"index": 0, "message": {"role": "assistant", "content": says}, "finish_reason": "stop"}
        used = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        yield plain(compact({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": used}))

    with upstream_thread(script) as upstream:
        priced = {
            name: {"upstream": "main", "model": name, "price": {"usd_per_request": usd}} for name, usd in USD.items()
        }
        with served(tmp_path, config("state", upstream.url, priced, policy="policy")) as gateway:

            def ask(prompt: str) -> int:
                asked = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
                status, body = gateway.ask(asked)
                assert status == 200
                got = json.loads(body)["choices"][0]["message"]["content"]
                (model,) = [name for name in (first, last) if answers[prompt, name] == got]
                return int(right[prompt, model])

            prompts = list(dict.fromkeys(row["prompt"] for row in rows))
            with ThreadPoolExecutor(8) as pool:
                successes = list(pool.map(ask, prompts))
            assert "policy_caution" in gateway.log and "compared with itself" not in gateway.log
            gateway.signal(signal.SIGTERM)
            gateway.process.wait(30)
            calls = written_calls(gateway.state)
    counts = Counter(each["model_key"] for each in calls)
    assert counts[first] == counts[second] == REQUESTS_COUNT and 0 < counts[last] < REQUESTS_COUNT / 2
    assert len({each["record_id"] for each in calls}) == len(calls)
    assert counts[last] / REQUESTS_COUNT == pytest.approx(promised["strong_share"]["value"])
    assert sum(successes) / REQUESTS_COUNT == pytest.approx(promised["success"]["value"])
    paid_usd = sum(each["cost_usd"] for each in calls)
    assert paid_usd / REQUESTS_COUNT == pytest.approx(promised["usd_per_request"]["value"])
