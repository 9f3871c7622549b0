"""The how-to pages' code, run as it stands: in Python, and in the real LiteLLM against a server on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.routing.policies_at_hand import document, task_map

from breakeven.routing.policy_document import CascadePlan, GroupChoice, PolicyDocument, PricedModel
from breakeven.routing.policy_file import save

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to"
LITELLM = ROOT / ".venv-litellm" / "bin" / "python"

CHECK = """
import asyncio, inspect, json
MODEL_LIST = [
    {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": URL, "api_key": "none"}}
    for name in ("small", "big")
]
%s
from breakeven_route import BreakevenHook, hook
from litellm.integrations.custom_logger import CustomLogger

async def main():
    found = {}
    for task in ("faq", "proof", "unheard of"):
        answer = await ask("Where is my parcel?", task)
        found[task] = answer.choices[0].message.content
    named = await router.acompletion(model="small", messages=[{"role": "user", "content": "hi"}])
    found["named"] = named.choices[0].message.content
    data = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "metadata": {"task": "faq"}}
    rewritten = await hook.async_pre_call_hook(None, None, data, "acompletion")
    found["hook"] = rewritten["model"]
    untouched = await hook.async_pre_call_hook(None, None, {"model": "big"}, "acompletion")
    found["untouched"] = untouched["model"]
    data = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], "metadata": {"task": "nowhere"}}
    for name, asking in (("refused", ask("hi", "nowhere")), ("hook", hook.async_pre_call_hook(None, None, data, ""))):
        try:
            await asking
        except Exception as error:
            found[name + " because"] = "refused: no open model may take it" in str(error)
    ours = list(inspect.signature(BreakevenHook.async_pre_call_hook).parameters)
    found["same signature"] = ours == list(inspect.signature(CustomLogger.async_pre_call_hook).parameters)
    print("FOUND " + json.dumps(found))

asyncio.run(main())
"""


def code_blocks(page: str) -> list[str]:
    """The Python blocks of a page, in order."""
    return re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text(encoding="utf-8"), re.DOTALL)


def with_a_task_for_nobody(plain: PolicyDocument) -> PolicyDocument:
    """The same with a task whose group and residency have no model in common, so that it is refused."""
    group = GroupChoice(("nowhere",), "small", allowed_models=("small",))
    return replace(plain, groups=(*plain.groups, group), allowed_by_task={"nowhere": ("big",)})


class FakeOpenAi(BaseHTTPRequestHandler):
    """Answers every chat request with the name of the model that was asked for."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "assistant", "content": f"from {body['model']}"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        reply = {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"]}
        content = json.dumps({**reply, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeOpenAi) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/v1"
        found.shutdown()
        thread.join()


def test_the_python_page_routes_and_escalates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(with_a_task_for_nobody(document("cascade")), tmp_path / "policy")
    monkeypatch.chdir(tmp_path)
    (code,) = code_blocks("route-in-python.md")
    names: dict[str, object] = {}
    exec(code, names)
    asked: list[str] = []

    def call(model: str, prompt: str) -> str:
        asked.append(model)
        return {"small": "perhaps", "big": "yes"}[model]

    answer = names["answer"]
    assert callable(answer)
    assert answer("Is it blue?", "faq", call) == "yes"
    assert asked == ["small", "big"]  # "perhaps" is no label of the task
    asked.clear()
    assert answer("Is it blue?", "chat", call) == "perhaps"
    assert asked == ["small"]
    with pytest.raises(PermissionError, match="no open model may take it"):
        answer("Is it blue?", "nowhere", call)
    assert asked == ["small"]  # and nobody else


@pytest.mark.parametrize(("other", "said"), [("Perhaps", "perhaps"), ("no", "yes")])
def test_the_python_page_compares_two_models_where_the_cascade_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str, said: str
) -> None:
    plan = CascadePlan(("small", "big"), agreement_model="other")
    save(
        PolicyDocument("cascade", tuple(map(PricedModel, ("small", "big", "other"))), "big", cascade=plan),
        tmp_path / "policy",
    )
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(code_blocks("route-in-python.md")[0], names)
    answer = names["answer"]
    assert callable(answer)
    assert answer("Is it blue?", "", lambda model, _: {"small": "perhaps", "big": "yes", "other": other}[model]) == said


def test_the_litellm_page_routes_in_the_real_router(tmp_path: Path, server: str) -> None:
    if not LITELLM.exists() or not list(LITELLM.parents[1].glob("lib/python*/site-packages/litellm/router.py")):
        pytest.skip("LiteLLM's environment is not there: `make .venv/.litellm` builds it, with a network")
    save(with_a_task_for_nobody(task_map()), tmp_path / "policy")
    route, router = code_blocks("route-in-litellm.md")
    (tmp_path / "breakeven_route.py").write_text(route, encoding="utf-8")
    script = f"URL = {server!r}\n" + CHECK % router
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [LITELLM, "-c", script],
        cwd=tmp_path,
        env={**os.environ, **quiet, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, done.stderr[-2000:]
    assert json.loads(lines[0].removeprefix("FOUND ")) == {
        "faq": "from small",
        "proof": "from big",
        "unheard of": "from big",
        "named": "from small",
        "hook": "small",
        "untouched": "big",
        "refused because": True,
        "hook because": True,
        "same signature": True,
    }
