"""Validation: answers judged by checks that a team declares per task in a YAML file, without asking any model.

    tasks:
      extract: {json_schema: {type: object, required: [total]}, not_truncated: true}
      label: {labels: [billing, bug, other]}
      code: {command: [python3, tests/check.py], timeout_s: 20}
    default: {non_empty: true}

An answer that fails a check fails, whatever a log or a judge says. One that passes succeeds where nobody else judged
it: a check sees form, so say so where form is not success. Feedback and gold labels are left as they are. An answer
that is not kept (no text, no tool call, and no word of how it ended) is not checked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from breakeven.errors import CatalogError, OutcomeError, PolicyError
from breakeven.outcomes.answer_command import AnswerCommand
from breakeven.outcomes.outcome import SOURCES, Floats
from breakeven.outcomes.reading import ReadOutcomes
from breakeven.outcomes.repeats import source_of
from breakeven.routing.validators import Validator, check_answer, validators_of

DEFAULT: Final = "default"
_COMMAND_KEYS: Final = frozenset({"command", "timeout_s"})
_UNTOUCHED: Final = ("gold", "feedback")
REASONS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class TaskChecks:
    """What the answers to one task must pass."""

    validators: tuple[Validator, ...]
    command: AnswerCommand | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """The checks of a file."""

    tasks: Mapping[str, TaskChecks]
    default: TaskChecks | None
    label: str = ""

    def of(self, task: str) -> TaskChecks | None:
        """The checks of a task; None where nothing is declared for it."""
        return self.tasks.get(task, self.default)

    @property
    def has_commands(self) -> bool:
        """Whether any task runs a command."""
        every = [*self.tasks.values(), *([self.default] if self.default else [])]
        return any(each.command is not None for each in every)


@dataclass(frozen=True, slots=True)
class Validated:
    """What the checks said."""

    outcomes: ReadOutcomes
    checked_count: int
    failed_count: int
    overruled_count: int
    """Answers that somebody called a success and that fail a check."""
    reasons: Mapping[str, int]
    """Why answers failed -> how many, most first."""
    unused_tasks: tuple[str, ...]
    """Declared, and no request has them."""
    unkept_count: int = 0
    """Answers with checks declared that are not kept: whoever judged them before has the word."""


def read_declaration(path: Path, *, allow_commands: bool = False) -> Declaration:
    """The checks in a YAML file; OutcomeError says what is wrong and where."""
    from breakeven.strict_yaml import read as read_yaml

    try:
        text = path.read_text(encoding="utf-8")
        content = read_yaml(text, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise OutcomeError(f"{path}: cannot be read as a file of validators ({error})") from None
    except CatalogError as error:
        raise OutcomeError(str(error)) from None
    if not isinstance(content, dict) or not content or not set(content) <= {"tasks", DEFAULT}:
        raise OutcomeError(
            f"{path}: wanted `tasks:` with checks by task, and perhaps `default:` with those of the rest"
        )
    tasks = content.get("tasks") or {}
    if not isinstance(tasks, dict):
        raise OutcomeError(f"{path}: `tasks` must map the name of each task to its checks")
    made = {str(task): _checks(checks, f"{path}, task {task}", path, allow_commands) for task, checks in tasks.items()}
    default = content.get(DEFAULT)
    of_rest = _checks(default, f"{path}, default", path, allow_commands) if default else None
    return Declaration(made, of_rest, path.name)


def validated(read: ReadOutcomes, declaration: Declaration) -> Validated:
    """The outcomes with what the checks say of every answer that is kept."""
    if not read.table.responses:
        raise OutcomeError("validators check answers, and the file keeps none; add a column `response`")
    verdicts, reasons, unkept_count = _verdicts(read, declaration)
    untouched = np.isin(read.source_codes, [SOURCES.index(each) for each in _UNTOUCHED])
    verdicts = np.where(untouched, np.nan, verdicts)
    before = read.table.success
    checked = ~np.isnan(verdicts)
    success = np.where(checked, np.fmin(before, verdicts), before)
    by_check = checked & (np.isnan(before) | (verdicts == 0))
    codes = np.where(by_check, SOURCES.index("validator"), read.source_codes).astype(np.int8)
    table = replace(read.table, success=success, source=source_of(codes))
    present = set(read.table.tasks)
    return Validated(
        replace(read, table=table, source_codes=codes, every_try=read.every_try.without(by_check)),
        int(checked.sum()),
        int(np.sum(checked & (verdicts == 0))),
        int(np.sum(checked & (verdicts == 0) & (np.nan_to_num(before) >= 0.5))),
        dict(reasons.most_common(REASONS_MAX)),
        tuple(each for each in declaration.tasks if each not in present),
        unkept_count,
    )


def _checks(content: Any, place: str, path: Path, allow_commands: bool) -> TaskChecks:
    if not isinstance(content, dict) or not content:
        raise OutcomeError(f"{place}: wanted checks, such as {{labels: [yes, no]}} or {{json_schema: {{...}}}}")
    try:
        validators = validators_of({name: value for name, value in content.items() if name not in _COMMAND_KEYS})
    except PolicyError as error:
        raise OutcomeError(f"{place}: {error}") from None
    if not _COMMAND_KEYS & content.keys():
        return TaskChecks(validators)
    if "command" not in content:
        raise OutcomeError(f"{place}: timeout_s stands without a command")
    if not allow_commands:
        raise OutcomeError(f"{place}: runs a command; commands run only with --allow-commands. Read the file first.")
    command = AnswerCommand.of(content["command"], content.get("timeout_s"), path.resolve().parent, place)
    return TaskChecks(validators, command)


def _verdicts(read: ReadOutcomes, declaration: Declaration) -> tuple[Floats, Counter[str], int]:
    """1 passes, 0 fails, NaN: no answer is kept or nothing is declared; why; answers not kept."""
    table = read.table
    found = np.full(table.success.shape, np.nan)
    reasons: Counter[str] = Counter()
    unkept_count = 0
    for column, model in enumerate(table.models):
        answers, endings = table.responses.get(model), read.endings.get(model)
        calls, kept = read.tool_calls.get(model), read.kept.get(model)
        for row, task in enumerate(table.tasks):
            checks = declaration.of(task)
            if checks is None or read.tries_count[row, column] == 0:
                continue
            answer, ending, called, known = (texts[row] if texts else "" for texts in (answers, endings, calls, kept))
            if not (answer or ending or called or known):
                unkept_count += 1
                continue
            why = _why_not(
                checks,
                answer,
                ending,
                called,
                {"request_id": table.request_ids[row], "task": task, "model": model, "prompt": table.prompts[row]},
            )
            found[row, column] = float(not why)
            if why:
                reasons[f"{task or DEFAULT}: {why}"] += 1
    return found, reasons, unkept_count


def _why_not(checks: TaskChecks, answer: str, ending: str, calls: str, about: Mapping[str, str]) -> str:
    verdict = check_answer(
        checks.validators, answer, finish_reason=ending or None, tool_calls=_tool_calls(calls) if calls else None
    )
    if not verdict.ok:
        return verdict.why or "fails a check"
    return checks.command.problem(answer, about) if checks.command is not None else ""


def _tool_calls(text: str) -> Sequence[Mapping[str, Any]] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else None
