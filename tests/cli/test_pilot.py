"""pilot: from a design to a verdict on the command line, with exit codes, JSON and errors that say what to do."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.pilot.gateway_state import BASELINE, CANDIDATE, GatewayState, pairs

from breakeven.cli.main import group
from breakeven.errors import BreakevenError, PilotError
from breakeven.pilot.looking import looks
from breakeven.pilot.running import Pilot
from breakeven.routing.policy_file import load

MODELS = ("--baseline", BASELINE, "--candidate", CANDIDATE)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def run(*words: str, code: int = 0, given: str | None = None) -> Result:
    result = CliRunner().invoke(group, ["pilot", *words], input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def outcomes(ratio: float, count: int = 1500) -> list[str]:
    """Two files, one for each model."""
    told = pairs(np.random.default_rng(5), count, 0.9, ratio)
    for at, (name, model) in enumerate((("big", BASELINE), ("small", CANDIDATE))):
        rows = ["request_id,task,model,success,cost_usd,source"]
        rows += [f"r{i},faq,{model},{each[at]:g},{(0.01, 0.001)[at]},gold" for i, each in enumerate(told)]
        Path(f"{name}.csv").write_text("\n".join(rows) + "\n")
    return ["--outcomes", "big.csv", "--outcomes", "small.csv"]


def test_offline_from_two_files_to_a_yes() -> None:
    run("init", "evals", *MODELS, "--task", "faq", *outcomes(1.0), "--requests-per-hour", "500")
    result = run("verdict", "evals")
    assert "yes" in result.stdout.casefold()
    document = json.loads(run("verdict", "--json").stdout)  # the only pilot there
    assert document["verdict"]["answer"] == "yes"
    assert document["verdict"]["accepted_tasks"] == ["faq"]
    assert document["footer"]["design_hash"] == json.loads(Path("pilots/evals/pilot.json").read_text())["hash"]


def test_what_comes_next_can_be_done() -> None:
    """Without a gateway's policy a pilot cannot start, and is not told to; the command that is told designs it anew."""
    models = dict.fromkeys((BASELINE, CANDIDATE, "tiny"))
    Path("gateway.yaml").write_text(json.dumps({"policy": "policy", "models": models}))
    told = run("init", "live", *MODELS, "--task", "two words", "--task", "faq=tiny").stdout
    again = " ".join(told.partition("Next: ")[2].partition("Wrote ")[0].split())
    assert again == " ".join(run("status", "live").stdout.partition("Next: ")[2].split())
    words = shlex.split(again)
    assert words[:4] == ["breakeven", "pilot", "init", "live"]
    assert words[-2:] == ["--gateway", "gateway.yaml"]
    assert "Next: breakeven pilot start live" in run(*words[2:]).stdout
    tasks = json.loads(Path("pilots/live/pilot.json").read_text())["tasks"]
    assert [(each["task"], each["candidate_model"]) for each in tasks] == [("two words", CANDIDATE), ("faq", "tiny")]


def test_offline_with_a_bad_model_is_a_no_and_with_few_rows_not_yet() -> None:
    run("init", "bad", *MODELS, "--task", "faq", *outcomes(0.7))
    assert "no" in run("verdict", "bad", code=1).stdout.casefold()
    run("init", "few", *MODELS, "--task", "faq", *outcomes(1.0, 30))
    assert "not yet" in run("verdict", "few", code=3).stdout.casefold()


def test_failures_that_nobody_wrote_down_are_no_proof() -> None:
    told = outcomes(0.8)
    rows = Path("small.csv").read_text().splitlines()
    Path("small.csv").write_text("\n".join([rows[0], *(each for each in rows[1:] if ",1,0.001" in each)]) + "\n")
    run("init", "absent", *MODELS, "--task", "faq", *told)
    result = run("verdict", "absent", "--json", code=3)
    codes = {each["code"] for each in json.loads(result.stdout)["problems"]}
    assert {"rows_missing", "missing_outcomes"} <= codes


def problems(result: Result) -> set[str]:
    return {each["code"] for each in json.loads(result.stdout)["problems"]}


def edit(name: str, old: str, new: str) -> None:
    path = Path("pilots") / name / "pilot.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_first_verdict_of_files_promises_the_design() -> None:
    told = outcomes(0.88)
    run("init", "evals", *MODELS, "--task", "faq", *told)
    run("verdict", "evals", code=1)
    edit("evals", '"margin_ratio": 0.95', '"margin_ratio": 0.7')
    result = run("verdict", "evals", "--json", code=3)
    assert "design_changed" in problems(result)
    with pytest.raises(PilotError, match="another name"):
        run("init", "evals", *MODELS, "--task", "faq", *told, "--again")
    (Path("pilots/evals") / "promised.json").unlink()  # the journal knows, too
    assert "design_changed" in problems(run("verdict", "evals", "--json", code=3))


def test_files_that_cannot_be_read_promise_nothing() -> None:
    told = outcomes(1.0, 300)
    run("init", "evals", *MODELS, "--task", "faq", *told)
    Path("small.csv").rename("elsewhere.csv")
    with pytest.raises(PilotError, match=r"small\.csv"):
        run("verdict", "evals")
    Path("elsewhere.csv").rename("small.csv")
    edit("evals", '"margin_ratio": 0.95', '"margin_ratio": 0.9')
    result = run("verdict", "evals", "--json")
    assert problems(result) == {"design_edited"}
    assert json.loads(result.stdout)["design"]["margin_ratio"] == 0.9


def test_expectations_come_from_earlier_outcomes_and_never_from_those_that_decide() -> None:
    run("init", "live", *MODELS, "--task", "faq", "--policy", "policy", *outcomes(1.0))
    (plan,) = json.loads(Path("pilots/live/pilot.json").read_text())["tasks"]
    assert plan["expected_from"].startswith("outcomes big.csv, small.csv")
    assert plan["correlation_fraction"] != 0.3
    run("init", "evals", *MODELS, "--task", "faq", *outcomes(1.0))
    (plan,) = json.loads(Path("pilots/evals/pilot.json").read_text())["tasks"]
    assert plan["expected_from"] == "costs: outcomes big.csv, small.csv; success: guess"
    assert plan["baseline_usd_per_request"] == pytest.approx(0.01)
    assert plan["correlation_fraction"] == 0.3


def live(*more: str, mode: str = "shadow") -> GatewayState:
    run("init", "faq", *MODELS, "--task", "faq", "--mode", mode, "--policy", "policy", "--state", "state", *more)
    return GatewayState(Path("state"))


def shadows(state: GatewayState, ratio: float, count: int = 800) -> None:
    state.policy_hash = load("policy").hash
    at_s = datetime.now(UTC).timestamp()
    for base, candidate in pairs(np.random.default_rng(9), count, 0.9, ratio):
        at_s += 0.001
        state.shadow(f"{state.calls_count:032x}", at_s, base, candidate)
    state.written()


def test_a_live_pilot_from_start_to_promotion() -> None:
    state = live()
    assert "Started" in run("start", "faq").stdout
    trial = load("policy").document.trial
    assert trial is not None
    assert trial.parts[0].candidate_model == CANDIDATE
    shadows(state, 1.0)
    assert json.loads(run("status", "faq", "--json").stdout)["verdict"]["answer"] == "yes"
    assert run("status", "faq").stdout
    lines = [json.loads(each) for each in run("run", "faq", "--once", "--json").stdout.splitlines()]
    assert [each["event"] for each in lines] == ["verdict"]
    assert "Promoted" in run("stop", "faq", "--promote").stdout
    assert load("policy").document.trial is None
    assert load("policy").route(task="faq").model == CANDIDATE


def test_run_stops_a_bad_candidate_by_itself_and_ends_with_no() -> None:
    state = live()
    run("start", "faq")
    shadows(state, 0.6)
    lines = [json.loads(each) for each in run("run", "faq", "--every-s", "0.05", "--json", code=1).stdout.splitlines()]
    events = [each["event"] for each in lines]
    assert events[0] == "verdict"
    assert {"stopped_task", "stopped"} & set(events)
    assert load("policy").document.trial is None
    assert load("policy").route(task="faq").model == BASELINE


def test_run_sees_what_comes_while_it_watches() -> None:
    state = live()
    run("start", "faq")
    shadows(state, 1.0, 20)
    timer = threading.Timer(0.3, shadows, (state, 1.0))
    timer.start()
    result = run("run", "faq", "--until-decided", "--every-s", "0.05", "--promote", "--json")
    timer.join()
    events = [json.loads(each)["event"] for each in result.stdout.splitlines()]
    assert events[-1] == "promoted"
    assert load("policy").route(task="faq").model == CANDIDATE


def test_stop_by_hand_takes_the_trial_out() -> None:
    live()
    run("start", "faq")
    entry = json.loads(run("stop", "faq", "--json").stdout)
    assert entry["event"] == "stopped"
    assert load("policy").document.trial is None
    with pytest.raises(PilotError, match="does not run"):
        run("stop", "faq")


def test_a_swapped_policy_is_put_right_by_restore() -> None:
    live()
    run("start", "faq")
    (Path("policy") / "policy.json").unlink()
    assert any(each["code"] == "policy_swapped" for each in json.loads(run("status", "--json").stdout)["problems"])
    run("restore", "faq")
    assert load("policy").document.trial is not None


def test_reports_are_written_by_their_names() -> None:
    run("init", "evals", *MODELS, "--task", "faq", *outcomes(1.0))
    run("report", "evals", "--out", "evals.html", "--out", "evals.json", "--out", "evals.md")
    assert Path("evals.html").read_text().startswith("<!")
    assert json.loads(Path("evals.json").read_text())["kind"] == "pilot"
    assert "evals" in Path("evals.md").read_text()
    with pytest.raises(BreakevenError, match="wanted a name that ends in"):
        run("report", "evals", "--out", "evals.doc")


def test_labels_are_taken_in_the_terminal_and_from_a_file() -> None:
    state = live()
    name = "faq-" + json.loads(Path("pilots/faq/pilot.json").read_text())["hash"][:12]
    said = [
        {"request_id": f"r{i}", "arm": "baseline", "model": "m", "task": "faq", "prompt": "p", "answer": "a\x1b[2J"}
        for i in range(4)
    ]
    state.audited(name, said)
    result = run("label", "faq", "--labeller", "ann", given="y\nx\nn\ns\nq\n")
    assert "\x1b[2J" not in result.output
    assert "2 of 4 answers of the audit are labelled, 2 wait" in result.output
    run("label", "faq", "--export", "todo.csv", "--labeller", "ann")
    rows = Path("todo.csv").read_text().splitlines()
    assert len(rows) == 3
    Path("done.csv").write_text("\n".join([rows[0], *(each + "1" for each in rows[1:])]) + "\n")
    assert "2 labels kept" in run("label", "faq", "--from", "done.csv", "--labeller", "ann").output
    assert "2 known before" in run("label", "faq", "--from", "done.csv", "--labeller", "ann").output
    queue = json.loads(run("label", "faq", "--json").stdout)
    assert (queue["labelled_count"], queue["waiting_count"]) == (4, 0)
    assert len(Path("pilots/faq/labels/labels.jsonl").read_text().splitlines()) == 4


GATEWAY = """
state: my-state
policy: my-policy
upstreams: {one: {base_url: "http://127.0.0.1:1/v1", api_key_env: NOT_SET_ANYWHERE}}
models: {openai/gpt-5: {upstream: one}, qwen3-8b: {upstream: one}}
"""


def test_the_places_come_from_gateway_yaml() -> None:
    Path("deep").mkdir()
    Path("deep/gateway.yaml").write_text(GATEWAY)
    run("init", "faq", *MODELS, "--gateway", "deep/gateway.yaml")
    plain = json.loads(Path("pilots/faq/pilot.json").read_text())
    assert (plain["policy_folder"], plain["sources"]) == ("deep/my-policy", ["deep/my-state"])
    with pytest.raises(BreakevenError, match="did you mean 'qwen3-8b'"):
        run("init", "two", "--baseline", BASELINE, "--candidate", "qwen3-8", "--gateway", "deep/gateway.yaml")
    Path("deep/gateway.yaml").write_text("upstreams: {}\n")
    with pytest.raises(BreakevenError, match="policy: FOLDER"):
        run("init", "two", *MODELS, "--gateway", "deep/gateway.yaml")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("init", "../x", *MODELS), "letters"),
        (("init", "x", "--baseline", "a", "--candidate", "a"), "another one"),
        (("init", "x", *MODELS, "--margin", "1.5"), "margin_ratio"),
        (("init", "x", *MODELS, "--margin", "nan"), "margin_ratio"),
        (("init", "x", *MODELS, "--alpha", "0"), "alpha_fraction"),
        (("init", "x", *MODELS, "--max-error-rate", "inf"), "error_rate"),
        (("init", "x", *MODELS, "--success", "1", "--ratio", "1.5"), "a product of 1"),
        (("init", "x", *MODELS, "--mode", "offline"), "--outcomes"),
        (("status", "nobody"), "pilot init"),
        (("verdict",), "which pilot"),
    ],
)
def test_errors_say_what_to_do(words: tuple[str, ...], match: str) -> None:
    with pytest.raises(PilotError, match=match):
        run(*words)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_whoever_reads_only_the_beginning_is_told_no_answer(more: tuple[str, ...]) -> None:
    run("init", "evals", *MODELS, "--task", "faq", *outcomes(1.0))
    reading, writing = os.pipe()
    os.close(reading)
    program = "import sys; from breakeven.cli.main import main; sys.exit(main())"
    words = [sys.executable, "-c", program, "pilot", "verdict", "evals", *more]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 141, done.stderr.decode()


def test_a_report_that_cannot_be_written_leaves_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    run("init", "evals", *MODELS, "--task", "faq", *outcomes(1.0))
    Path("evals.md").write_text("before")
    monkeypatch.setattr("os.replace", _no_space)
    with pytest.raises(BreakevenError, match="cannot be written"):
        run("report", "evals", "--out", "evals.md")
    assert Path("evals.md").read_text() == "before"


def _no_space(*_paths: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_design_is_not_written_over_and_a_started_one_never() -> None:
    live()
    with pytest.raises(PilotError, match="--again"):
        live()
    live("--again")
    run("start", "faq")
    with pytest.raises(PilotError, match="another name"):
        live("--again")


def test_every_command_has_an_example_and_json() -> None:
    for name in ("init", "start", "run", "status", "label", "verdict", "report", "stop", "restore"):
        text = run(name, "--help").stdout
        assert "Example: breakeven pilot" in text
        assert "--json" in text


def test_checks_are_part_of_the_design_and_of_the_trial() -> None:
    Path("checks.yaml").write_text("tasks:\n  faq: {labels: [good, bad]}\n")
    live("--checks", "checks.yaml")
    run("start", "faq")
    trial = load("policy").document.trial
    assert trial is not None
    assert trial.checks_by_task == {"faq": {"labels": ["good", "bad"]}}


def test_json_of_init_is_the_design() -> None:
    said: dict[str, Any] = json.loads(run("init", "x", *MODELS, "--json").stdout)
    assert said["design"]["hash"] == said["hash"]
    assert said["design"]["tasks"][0]["expected_from"] == "guess"


def test_a_watch_looks_again_when_a_file_changes_and_not_before() -> None:
    state = live()
    run("start", "faq")
    shadows(state, 1.0, 20)
    seen = looks(Pilot(Path("pilots/faq")), 0.02)
    assert next(seen).evidence.observations.rows_count == 40
    timer = threading.Timer(0.3, shadows, (state, 1.0, 30))
    began_s = time.monotonic()
    timer.start()
    assert next(seen).evidence.observations.rows_count == 100
    assert time.monotonic() - began_s > 0.25
    timer.join()
