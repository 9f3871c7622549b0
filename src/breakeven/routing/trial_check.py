"""Trial check: what the trial of a policy file must satisfy before any gateway deals traffic by it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final, get_args

from breakeven.errors import PolicyError, nearest
from breakeven.routing.trial import Trial, TrialMode, TrialPart
from breakeven.routing.validators import validators_of

SHADOWS_MAX_COUNT: Final = 1_024
_PILOT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_UNIT: Final = re.compile(r"request|key|session|user|header:[A-Za-z0-9-]{1,64}")


def check_trial(trial: Trial, allowed_by_task: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse a trial that contradicts itself, or what the policy allows; PolicyError says where.

    Whether a model is served at all only the gateway knows: it refuses a policy whose trial names another one.
    """
    if not _PILOT.fullmatch(trial.pilot):
        raise PolicyError(
            f"trial.pilot: saw {trial.pilot[:60]!r}; wanted up to 128 letters, digits, '.', '_' or '-' (it names a "
            "folder), as `faq-4f0c12ab34cd`."
        )
    if not _UNIT.fullmatch(trial.unit):
        raise PolicyError(f"trial.unit: saw {trial.unit[:60]!r}; wanted request, key, session, user or header:NAME.")
    _fraction(trial.audit_fraction, "trial.audit_fraction")
    if not 1 <= trial.shadows_in_flight_max_count <= SHADOWS_MAX_COUNT:
        raise PolicyError(
            f"trial.shadows_in_flight_max_count: saw {trial.shadows_in_flight_max_count}; wanted 1 to "
            f"{SHADOWS_MAX_COUNT:,}."
        )
    if not trial.parts:
        raise PolicyError("trial.parts: saw none; wanted one or more. A policy without `trial` ends the pilot.")
    for at, part in enumerate(trial.parts):
        _check_part(part, f"trial.parts[{at}]", allowed_by_task)
    _check_tasks(trial)


def _check_part(part: TrialPart, where: str, allowed_by_task: Mapping[str, tuple[str, ...]]) -> None:
    if part.mode not in get_args(TrialMode):
        raise PolicyError(f"{where}.mode: saw {str(part.mode)[:60]!r}; wanted shadow or canary.")
    _fraction(part.share_fraction, f"{where}.share_fraction")
    if not part.candidate_model:
        raise PolicyError(f"{where}.candidate_model: saw no name; wanted the model on trial.")
    if part.baseline_model == "":
        raise PolicyError(f"{where}.baseline_model: saw an empty name; wanted a model, or null: the policy's choice.")
    if part.candidate_model == part.baseline_model:
        raise PolicyError(f"{where}: {part.candidate_model!r} is candidate and baseline; wanted two models.")
    allowed = allowed_by_task.get(part.task)
    for name in (part.candidate_model, part.baseline_model):
        if allowed is not None and name is not None and name not in allowed:
            raise PolicyError(
                f"{where}: {name!r} may not take requests of the task {part.task!r}; allowed_by_task lets "
                f"{', '.join(allowed)}."
            )


def _check_tasks(trial: Trial) -> None:
    """Each task once, and checks only of tasks that are in the trial."""
    tasks = [part.task for part in trial.parts]
    for task in tasks:
        if tasks.count(task) > 1:
            raise PolicyError(f"trial.parts: the task {task!r} has two parts; wanted one.")
    for task, declaration in trial.checks_by_task.items():
        if task and task not in tasks and "" not in tasks:
            raise PolicyError(f"trial.checks_by_task: no part has the task {task!r}; {nearest(task, tasks)}.")
        try:
            validators_of(declaration)
        except PolicyError as error:
            raise PolicyError(f"trial.checks_by_task.{task or repr(task)}: {error}") from error


def _fraction(value: float, where: str) -> None:
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise PolicyError(f"{where}: saw {value}, wanted a fraction from 0 to 1.")
