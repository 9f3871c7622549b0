"""Offline: a pilot from files of outcomes of both models on the same requests, paired by the request's id."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from breakeven.errors import OutcomeError, PilotError, nearest
from breakeven.outcomes.outcome import SOURCES, OutcomeTable
from breakeven.outcomes.reading import ReadOutcomes, read_outcomes
from breakeven.pilot.design import Design, TaskPlan
from breakeven.pilot.design_file import DesignFile
from breakeven.pilot.journal import unix_s
from breakeven.pilot.observations import (
    BASELINE,
    CANDIDATE,
    TRUE_SOURCES,
    Evidence,
    Flags,
    Observations,
    Problem,
)
from breakeven.pilot.reading import problems as say
from breakeven.pilot.reading.read import REJECTS_NAME, Read, digest_of
from breakeven.pilot.reading.sources import LOG, unknown_sources
from breakeven.routing.trial_drawing import is_audited

_ROW_S: Final = 1e-6
"""Files hold no times: rows stand at the time of the design, in the order of the file."""
_NOT_SAID: Final = ""
"""Who judged is not said: the file says so, and a file of outcomes is taken at its word."""


def read_offline(found: DesignFile, files: tuple[Path, ...], folder: Path) -> Read:
    """The evidence in files of outcomes."""
    if not files:
        raise PilotError(
            "an offline pilot reads files of outcomes; name them: `breakeven pilot init NAME --outcomes FILE`"
        )
    try:
        read = read_outcomes(list(files))
        unknown_count, first_unknown = unknown_sources(files)
    except OutcomeError as error:
        raise PilotError(str(error)) from None
    design = found.design
    _need_models(read.table, design, files)
    seen, absent = _observations(read, design, found.trial_name, trusts_log=not unknown_count)
    problems = (
        *say.design_problem(found.changes),
        *say.reject_problems(read.rejects, str(folder / REJECTS_NAME)),
        *say.source_problem(unknown_count, first_unknown),
        *_absent_problem(absent),
        *_contradicting(read),
        *say.observation_problems(seen, design),
    )
    evidence = Evidence(seen, problems, {read.table.label: digest_of(seen)})
    return Read(evidence, read.rejects)


def _need_models(table: OutcomeTable, design: Design, files: tuple[Path, ...]) -> None:
    for plan in design.tasks:
        for model in (plan.baseline_model, plan.candidate_model):
            if model not in table.models:
                known = nearest(model, list(table.models))
                raise PilotError(f"{', '.join(map(str, files))}: no outcome of the model {model!r}; {known}")


def _observations(
    read: ReadOutcomes, design: Design, trial_name: str, *, trusts_log: bool
) -> tuple[Observations, tuple[int, int]]:
    """Rows of the arms that each request has, and how many requests lack the baseline's and the candidate's.

    What is not there counts as a missing outcome (`task_evidence.py`), as an empty success does: a run that writes
    nothing where a model failed would else look as if it never failed. The reader of files takes sources that nobody
    knows for the log; where a file has any, that word is not trusted (`trusts_log`).
    """
    table = read.table
    task = _tasks(table, design)
    at = {arm: _columns(table, design, task, arm) for arm in (BASELINE, CANDIDATE)}
    rows = np.arange(table.requests_count)
    tried = {arm: (task >= 0) & (read.tries_count[rows, at[arm]] > 0) for arm in at}
    both = np.column_stack((tried[BASELINE], tried[CANDIDATE]))
    is_alone: Flags = both.sum(axis=1) == 1
    absent = (int((is_alone & ~both[:, BASELINE]).sum()), int((is_alone & ~both[:, CANDIDATE]).sum()))
    place, arm = np.nonzero(both)
    column = np.where(arm == BASELINE, at[BASELINE][place], at[CANDIDATE][place])
    said, codes = table.success[place, column], read.source_codes[place, column]
    names = np.array([*SOURCES, _NOT_SAID], dtype=object)[codes]
    is_true = np.isin(names, (*TRUE_SOURCES, _NOT_SAID)) & (trusts_log | (names != LOG))
    ids = tuple(table.request_ids[int(i)] for i in place)
    drawn = np.array([is_audited(trial_name, each, design.audit_fraction) for each in ids], dtype=np.bool_)
    latency = np.full(len(place), np.nan) if table.latency_s is None else table.latency_s[place, column]
    seen = Observations(
        request_ids=ids,
        arm=arm.astype(np.intp),
        task=task[place],
        unit=place.astype(np.intp),
        start_unix_s=np.asarray(unix_s(design.created) + place * _ROW_S, dtype=np.float64),
        success=np.where(is_true, said, np.nan),
        judged=np.where(is_true, np.nan, said),
        is_audited=drawn,
        audit_fraction=np.full(len(place), design.audit_fraction),
        cost_usd=table.cost_usd[place, column],
        latency_s=latency,
        is_error=np.zeros(len(place), dtype=np.bool_),
        propensity_fraction=np.ones(len(place)),
        tasks=tuple(each.task for each in design.tasks),
        tokens_in=np.full(len(place), np.nan),
        tokens_out=np.full(len(place), np.nan),
        retries_count=np.zeros(len(place)),
    )
    return seen, absent


def _tasks(table: OutcomeTable, design: Design) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    places = {each.task: i for i, each in enumerate(design.tasks)}
    rest = places.get("", -1)
    return np.array([places.get(each, rest) for each in table.tasks], dtype=np.intp)


def _columns(
    table: OutcomeTable, design: Design, task: np.ndarray[tuple[int], np.dtype[np.intp]], arm: int
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The column of the table that stands for an arm, by request."""

    def model(plan: TaskPlan) -> str:
        return plan.baseline_model if arm == BASELINE else plan.candidate_model

    by_task = np.array([table.models.index(model(each)) for each in design.tasks], dtype=np.intp)
    found: np.ndarray[tuple[int], np.dtype[np.intp]] = by_task[np.maximum(task, 0)]
    return found


def _absent_problem(absent: tuple[int, int]) -> tuple[Problem, ...]:
    if not sum(absent):
        return ()
    parts = [
        f"{say.counted(each, 'request has', 'requests have')} no row of the {name}"
        for each, name in zip(absent, ("baseline", "candidate"), strict=True)
        if each
    ]
    words = (
        f"{' and '.join(parts)}; what is not there counts as a missing outcome. Where a model was asked only a part "
        "of the requests, drawn before anybody saw an answer, leave the other requests out of the files."
    )
    return (Problem("rows_missing", words, sum(absent)),)


def _contradicting(read: ReadOutcomes) -> tuple[Problem, ...]:
    if not read.contradicting_count:
        return ()
    answers = say.counted(read.contradicting_count, "answer was", "answers were")
    words = f"{answers} judged several times, differently; the mean counts."
    limits = "Whoever judges these answers is not sure: the success of both arms is only as good as that."
    return (Problem("contradicting_feedback", words, read.contradicting_count, limits),)
