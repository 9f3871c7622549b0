"""Planted secrets and prompts: looked for in everything that a gateway writes, says and shows. None may be anywhere."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from gateway.parts.fault_scripts import SECRET as SAID_BY_UPSTREAM
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.raw_client import chat
from gateway.parts.scripted_upstream import upstream_thread
from gateway.parts.served import ADMIN_SECRET, config, post, served
from gateway.parts.settings_for_tests import SECRET, UPSTREAM_SECRET

PROMPT = "prompt-canary-1414213562373095"
SYSTEM = "system-canary-1732050807568877"
FIELD = "field-canary-2236067977499789"
WRONG_KEY = "sk-wrong-canary-2645751311064590"
TOOL = "tool-canary-3316624790355399"
ANSWERED = "東京"
HIDDEN = [SECRET, UPSTREAM_SECRET, ADMIN_SECRET, SAID_BY_UPSTREAM, WRONG_KEY, PROMPT, SYSTEM, FIELD, TOOL, ANSWERED]
MODELS = {
    name: name
    for name in ("good", "status:400", "status:401", "status:500", "invalid_json", "reset_mid_answer", "error_event")
}


def test_no_secret_and_no_prompt_is_written_or_shown(tmp_path: Path) -> None:
    with upstream_thread(Repertoire()) as upstream:
        with served(tmp_path, config("state", upstream.url, MODELS, prompts="none"), "--processes", "1") as gateway:
            said: list[bytes] = []
            for model in (*MODELS, "nobody", PROMPT):
                for is_stream in (False, True):
                    document = chat(model, PROMPT, stream=is_stream, user=FIELD, metadata={"a": FIELD})
                    document["messages"].insert(0, {"role": "system", "content": SYSTEM})
                    document["tools"] = [{"type": "function", "function": {"name": TOOL, "parameters": {}}}]
                    status, body = gateway.ask(document)
                    if status != 200:  # an answer is the client's; an error is everybody's log
                        said.append(body)
            said.append(post(gateway.url, chat("good", PROMPT), "/v1/chat/completions", WRONG_KEY)[1])
            said.append(post(gateway.url, chat("good"), f"/v1/{PROMPT}", SECRET)[1])
            said.append(gateway.ask({"model": [PROMPT], "messages": [{"role": PROMPT}], "stream": PROMPT})[1])
            status, created = gateway.admin("/admin/keys", "POST", {"id": "made"})
            made = json.loads(created).get("secret") or json.loads(created).get("key")
            assert status in {200, 201} and made, created
            assert gateway.ask(chat("good", PROMPT))[0] == 200
            time.sleep(1.5)  # metrics are written once a second
            shown = [
                gateway.admin(path)[1]
                for path in (
                    "/metrics",
                    "/admin/keys",
                    "/admin/settings",
                    "/admin/upstreams",
                    "/admin/policy",
                    "/healthz",
                )
            ]
            shown.append(post(gateway.admin_url, None, "/admin/keys", WRONG_KEY, method="GET")[1])
            gateway.signal(signal.SIGTERM)
            assert gateway.process.wait(30) == 0
        written = {each: each.read_bytes() for each in gateway.state.rglob("*") if each.is_file()}
        written[Path("stderr")] = gateway.log.encode()
        written[Path("events")] = json.dumps(gateway.events).encode()
        written |= {Path(f"said {n}"): each for n, each in enumerate(said)}
        written |= {Path(f"shown {n}"): each for n, each in enumerate(shown)}
        found = [
            (canary, str(place))
            for place, data in written.items()
            for canary in (*HIDDEN, str(made))
            if canary.encode() in data
        ]
        # the client's own model name comes back to it in an error of its own, as every API does
        assert not [each for each in found if not (each[0] == PROMPT and each[1].startswith("said"))]
        assert len(written) > 8 and any(each.suffix in {".parquet", ".jsonl"} for each in written)
