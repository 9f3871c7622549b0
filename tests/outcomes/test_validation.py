"""Validation: checks declared per task turn answers into outcomes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import OutcomeError
from breakeven.outcomes.answer_command import AnswerCommand
from breakeven.outcomes.outcome import SOURCES
from breakeven.outcomes.reading import ReadOutcomes, read_outcomes
from breakeven.outcomes.validation import read_declaration, validated

ROWS = [
    {"request_id": "1", "task": "label", "model": "a", "response": "Bug.", "finish_reason": "stop"},
    {"request_id": "1", "task": "label", "model": "b", "response": "I think it is a bug"},
    {"request_id": "2", "task": "extract", "model": "a", "response": '{"total": 3}', "finish_reason": "stop"},
    {"request_id": "2", "task": "extract", "model": "b", "response": {"total": 4}, "finish_reason": "length"},
    {"request_id": "3", "task": "chat", "model": "a", "response": "hello"},
    {"request_id": "3", "task": "chat", "model": "b", "response": ""},
]
CHECKS = """
tasks:
  label: {labels: [bug, billing]}
  extract: {json_schema: {type: object, required: [total]}, not_truncated: true}
default: {non_empty: true}
"""


def _read(folder: Path, rows: list[dict[str, object]]) -> ReadOutcomes:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return read_outcomes(path)


def _declared(folder: Path, text: str) -> Path:
    path = folder / "checks.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_task_has_its_own_checks(tmp_path: Path) -> None:
    found = validated(_read(tmp_path, ROWS), read_declaration(_declared(tmp_path, CHECKS)))
    assert found.outcomes.table.success.tolist() == [[1, 0], [1, 0], [1, 0]]
    assert found.outcomes.table.source == "validator"
    assert (found.checked_count, found.failed_count, found.overruled_count) == (6, 3, 0)
    assert any("cut off (length)" in why for why in found.reasons)


def test_a_task_without_checks_stays_unjudged(tmp_path: Path) -> None:
    declared = read_declaration(_declared(tmp_path, "tasks: {label: {labels: [bug]}, gone: {non_empty: true}}"))
    found = validated(_read(tmp_path, ROWS), declared)
    assert np.isnan(found.outcomes.table.success[1:]).all()
    assert found.unused_tasks == ("gone",)


def test_a_failed_check_overrules_a_judge_and_not_a_person(tmp_path: Path) -> None:
    rows = [
        {"request_id": "1", "task": "label", "model": m, "response": text, "success": said, "source": source}
        for m, text, said, source in (
            ("judged kindly", "no label", 1, "judge"),
            ("judged", "bug", 0, "judge"),
            ("passed by both", "bug", 1, "judge"),
            ("careful label", "no label", 1, "gold"),
        )
    ]
    found = validated(_read(tmp_path, rows), read_declaration(_declared(tmp_path, CHECKS)))
    assert found.outcomes.table.success.tolist() == [[0, 0, 1, 1]]
    sources = [SOURCES[code] for code in found.outcomes.source_codes[0]]
    assert sources == ["validator", "judge", "judge", "gold"]
    assert found.overruled_count == 1


def test_tool_calls_are_checked_against_the_tools_on_offer(tmp_path: Path) -> None:
    calls: list[object] = [
        [{"function": {"name": "find", "arguments": '{"city": "Rome"}'}}],
        {"name": "find", "arguments": {"city": 3}},
        [{"name": "lose", "arguments": {}}],
        "",
        "not JSON",
    ]
    rows = [
        {"request_id": str(i), "task": "t", "model": "a", "response": "ok", "tool_calls": each}
        for i, each in enumerate(calls)
    ]
    tool = "{name: find, parameters: {type: object, properties: {city: {type: string}}}}"
    declared = read_declaration(_declared(tmp_path, f"tasks: {{t: {{tools: [{tool}], tool_required: true}}}}"))
    found = validated(_read(tmp_path, rows), declared)
    assert found.outcomes.table.success.ravel().tolist() == [1, 0, 0, 0, 0]


def test_without_answers_there_is_nothing_to_check(tmp_path: Path) -> None:
    read = _read(tmp_path, [{"request_id": "1", "model": "a", "success": 1}])
    with pytest.raises(OutcomeError, match="column `response`"):
        validated(read, read_declaration(_declared(tmp_path, CHECKS)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "wanted `tasks:`"),
        ("- 1", "wanted `tasks:`"),
        ("label: {labels: [a]}", "wanted `tasks:`"),
        ("tasks: {label: {lables: [a]}}", "task label.*did you mean 'labels'"),
        ("tasks: {label: []}", "wanted checks"),
        ("tasks: [1]", "must map"),
        ("tasks: {a: {non_empty: true}, a: {json: true}}", "a"),
        ("tasks: {a: {timeout_s: 3}}", "without a command"),
        ("tasks: {a: {command: [true]}}", "only with --allow-commands"),
        ("tasks: {a: {json_schema: {type: object}, regex: '(a+)+$('}}", "task a"),
        ("tasks: {a: !!python/object/apply:os.system [ls]}", "not data"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OutcomeError, match=message):
        read_declaration(_declared(tmp_path, text))


CHECK_PROGRAM = """
import json, os, sys
about = json.loads(os.environ["BREAKEVEN_REQUEST"])
assert "OPENAI_API_KEY" not in os.environ
sys.exit(0 if sys.stdin.read() == about["task"] else 3)
"""


def _command(folder: Path, program: str, timeout_s: float = 20.0) -> AnswerCommand:
    (folder / "check.py").write_text(program, encoding="utf-8")
    return AnswerCommand.of([sys.executable, "check.py"], timeout_s, folder, "task code")


def test_a_command_judges_by_its_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-the-command")
    (tmp_path / "check.py").write_text(CHECK_PROGRAM, encoding="utf-8")
    text = f"tasks: {{code: {{non_empty: true, command: [{sys.executable}, check.py], timeout_s: 20}}}}"
    declared = read_declaration(_declared(tmp_path, text), allow_commands=True)
    rows = [
        {"request_id": str(i), "task": "code", "model": "a", "response": text}
        for i, text in enumerate(("code", "rubbish", " "))
    ]
    found = validated(_read(tmp_path, rows), declared)
    assert declared.has_commands
    assert found.outcomes.table.success.tolist() == [[1], [0], [0]]
    assert found.reasons == {"code: the command says no (exit code 3)": 1, "code: empty answer": 1}


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, subprocess, sys, time\n"
        f"child = subprocess.Popen(['/bin/sleep', '60'])\n"
        f"pathlib.Path({str(tmp_path)!r}, 'child').write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    command = _command(tmp_path, program, timeout_s=3.0)
    begun = time.monotonic()
    assert command.problem("x", {}) == "the command took longer than 3 s"
    assert time.monotonic() - begun < 30
    if (tmp_path / "child").exists():
        child = int((tmp_path / "child").read_text())
        for _ in range(100):
            if not _runs(child):
                break
            time.sleep(0.1)
        assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_command_leaves_no_folder_behind(tmp_path: Path) -> None:
    command = _command(tmp_path, f"open({str(tmp_path / 'place')!r}, 'w').write(__import__('os').getcwd())")
    assert command.problem("x", {}) == ""
    assert not Path((tmp_path / "place").read_text()).exists()


@pytest.mark.parametrize(
    ("command", "timeout_s", "message"),
    [
        ("python3 check.py", None, "list of words"),
        ([], None, "list of words"),
        (["no-such-program-anywhere"], None, "no program"),
        (["sh"], 0, "timeout_s is 0"),
        (["sh"], True, "timeout_s is True"),
        (["sh"], 1e9, "at most 600"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    tmp_path: Path, command: object, timeout_s: object, message: str
) -> None:
    with pytest.raises(OutcomeError, match=message):
        AnswerCommand.of(command, timeout_s, tmp_path, "task code")


def test_an_answer_that_is_not_kept_is_not_checked(tmp_path: Path) -> None:
    rows = [{"request_id": str(i), "task": "t", "model": "a", "success": 1} for i in range(4)]
    rows[0]["response"] = "nonsense"
    rows[1]["response"] = ""
    rows[2]["response"] = None
    path = tmp_path / "o.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    checks = tmp_path / "v.yaml"
    checks.write_text("tasks: {t: {labels: [bug]}}", encoding="utf-8")
    found = validated(read_outcomes(path), read_declaration(checks))
    assert (found.checked_count, found.failed_count, found.unkept_count) == (2, 2, 2)
    np.testing.assert_array_equal(found.outcomes.table.success[:, 0], [0, 0, 1, 1])


@pytest.mark.parametrize(
    "schema",
    [
        '{"$ref": "http://127.0.0.1:1/x"}',
        '{"$ref": "#"}',
        '{"properties": {"a": {"$ref": "#/$defs/gone"}}}',
        '{"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}}',
    ],
)
def test_a_schema_that_cannot_be_applied_is_refused(tmp_path: Path, schema: str) -> None:
    checks = tmp_path / "v.yaml"
    checks.write_text(f"tasks: {{t: {{json_schema: {schema}}}}}", encoding="utf-8")
    with pytest.raises(OutcomeError, match="cannot be applied"):
        read_declaration(checks)


def test_a_schema_that_speaks_of_itself_is_taken(tmp_path: Path) -> None:
    checks = tmp_path / "v.yaml"
    tree = '{type: object, properties: {child: {"$ref": "#"}}, default: {"$ref": "no reference"}}'
    checks.write_text(f"tasks: {{t: {{json_schema: {tree}}}}}", encoding="utf-8")
    assert read_declaration(checks).of("t") is not None
