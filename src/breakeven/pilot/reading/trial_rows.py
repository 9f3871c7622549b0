"""Trial rows: the Calls of a trial as one row for each request and arm, with the cost of all Calls of it.

A request's Calls are `ID` (whose answer the client got), `ID-1`, `ID-2`, ... (tries, fallbacks and escalations around
it) and copies that nobody saw (arm `shadow`, whose parent is `ID`). A request of the candidate's that another model
had to answer, since the candidate failed, is the candidate's failure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from breakeven.pilot.design import Design
from breakeven.pilot.observations import BASELINE, CANDIDATE, Codes, Flags, Floats
from breakeven.routing.trial import BASELINE_ARM, CANDIDATE_ARM, SHADOW_ARM

ARM_NAMES: Final = (BASELINE_ARM, CANDIDATE_ARM, SHADOW_ARM)
_NUMBERED: Final = r"^(?P<request>.+)-\d+$"
MODEL_COLUMNS: Final = ("model_key", "response_model", "request_model")
"""What a Call names its model by, the surest first."""


@dataclass(frozen=True, slots=True)
class TrialRows:
    """Requests by arm; shape of every array: (rows,), in no order."""

    request_ids: npt.NDArray[Any]
    """Objects: texts."""
    request: Codes
    """Rank of the id: equal numbers are one request."""
    arm: Codes
    task: Codes
    """Index into the design's tasks."""
    unit: Codes
    """Equal numbers are one unit that was dealt to an arm."""
    model: npt.NDArray[Any]
    """Objects: who answered."""
    start_unix_s: Floats
    latency_s: Floats
    cost_usd: Floats
    tokens_in: Floats
    tokens_out: Floats
    retries_count: Floats
    propensity_fraction: Floats
    is_error: Flags
    outcome: Floats
    """What the log itself says; NaN where nothing."""
    outcome_source: npt.NDArray[Any]
    """Objects: as the log says it, "" where nothing."""

    @property
    def rows_count(self) -> int:
        """How many there are."""
        return len(self.arm)

    def at(self, places: npt.NDArray[np.intp]) -> TrialRows:
        """Some rows, in that order."""
        return TrialRows(**{name: getattr(self, name)[places] for name in self.__dataclass_fields__})


def trial_rows(calls: pa.Table, design: Design) -> TrialRows:
    """The rows of the Calls that belong to the trial (`calls` holds no others), of tasks that the design names."""
    columns = _Columns(calls, design)
    key = columns.request * 2 + columns.arm
    groups, inverse = np.unique(key, return_inverse=True)
    count = len(groups)
    answering = columns.answering(inverse, count)
    start = np.full(count, np.inf)
    end = np.full(count, -np.inf)
    np.minimum.at(start, inverse, columns.start_s)
    np.maximum.at(end, inverse, columns.start_s + np.nan_to_num(columns.duration_s))
    has_time = ~np.isnan(columns.duration_s[answering]) & (columns.duration_s[answering] >= 0)
    arm = columns.arm[answering]
    return TrialRows(
        request_ids=columns.request_names[columns.request[answering]],
        request=columns.request[answering],
        arm=arm,
        task=columns.task[answering],
        unit=columns.units[answering],
        model=columns.models[answering],
        start_unix_s=start,
        latency_s=np.where(has_time, end - start, np.nan),
        cost_usd=_sums(columns.cost_usd, inverse, count),
        tokens_in=_sums(columns.tokens_in, inverse, count),
        tokens_out=_sums(columns.tokens_out, inverse, count),
        retries_count=np.bincount(inverse, minlength=count).astype(np.float64) - 1,
        propensity_fraction=np.where(columns.is_shadow[answering], 1.0, columns.propensity[answering]),
        is_error=columns.failed(inverse, count, arm),
        outcome=columns.outcome[answering],
        outcome_source=columns.outcome_sources[answering],
    )


class _Columns:
    """The columns of the Calls as arrays."""

    def __init__(self, calls: pa.Table, design: Design) -> None:
        arms = calls.column("arm")
        task = _tasks(calls, design)
        kept = np.flatnonzero(_flags(pc.is_in(arms, value_set=pa.array(ARM_NAMES))) & (task >= 0))
        calls, arms = calls.take(pa.array(kept)), arms.take(pa.array(kept))
        self.task = task[kept]
        self.is_shadow = _flags(pc.equal(arms, SHADOW_ARM))
        self.arm = np.where(_flags(pc.equal(arms, BASELINE_ARM)), BASELINE, CANDIDATE).astype(np.intp)
        requests = _request_ids(calls, self.is_shadow)
        self.is_named = _flags(pc.equal(requests, calls.column("record_id").combine_chunks()))
        self.request, self.request_names = _ranked(requests)
        self.units = self.request if design.unit == "request" else _units(calls, requests)
        self.models = _first_said(calls, MODEL_COLUMNS)
        self.start_s = calls.column("start_time").cast(pa.int64()).to_numpy().astype(np.float64) / 1e6
        self.duration_s = _floats(calls, "duration_s")
        self.tokens_in, self.tokens_out = _counted(calls, "input_tokens"), _counted(calls, "output_tokens")
        self.propensity, self.outcome = _floats(calls, "propensity"), _floats(calls, "outcome")
        self.outcome_sources = _texts(calls, "outcome_source")
        status = pc.fill_null(calls.column("status"), "ok")
        self.is_ok = _flags(pc.is_in(status, value_set=pa.array(["ok", "cache_hit"])))
        self.is_cancelled = _flags(pc.equal(status, "cancelled"))
        cost = _floats(calls, "cost_usd")
        nothing_used = ~self.is_ok & (self.tokens_in + self.tokens_out == 0)
        self.cost_usd = np.where(np.isnan(cost) & nothing_used, 0.0, cost)
        self.is_by_candidate = _is_by(calls, self.task, [each.candidate_model for each in design.tasks])
        if not self.is_by_candidate.any():  # the log has other names: then whoever is not the baseline is the candidate
            self.is_by_candidate = ~_is_by(calls, self.task, [each.baseline_model for each in design.tasks])

    def answering(self, inverse: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.intp]:
        """The Call of each row that was its answer: the one with the request's id, else the last good one, or any."""
        order = np.lexsort((self.start_s, self.is_named * 2 + self.is_ok, inverse))
        last = np.searchsorted(inverse[order], np.arange(count), side="right") - 1
        return order[last]

    def failed(self, inverse: npt.NDArray[np.intp], count: int, arm: Codes) -> Flags:
        """Rows that nobody answered; of the candidate's, also those that only another model answered.

        Who went away before the answer was there did not see a failure. An answer of the candidate that a check turned
        down, so that another model was asked, is no failure: that is how it would be used, and its cost counts.
        """
        has_good, by_candidate, cancelled = (np.zeros(count, dtype=np.bool_) for _ in range(3))
        np.logical_or.at(has_good, inverse, self.is_ok)
        np.logical_or.at(by_candidate, inverse, self.is_ok & self.is_by_candidate)
        np.logical_or.at(cancelled, inverse, self.is_cancelled)
        found: Flags = (~has_good & ~cancelled) | ((arm == CANDIDATE) & has_good & ~by_candidate)
        return found


def _is_by(calls: pa.Table, task: Codes, models: Sequence[str]) -> Flags:
    """Whether each Call went to the model of its task; what the client asked for counts where nothing else is said."""
    named = pc.coalesce(*(calls.column(each) for each in MODEL_COLUMNS))
    found = np.zeros(calls.num_rows, dtype=np.bool_)
    for place, model in enumerate(models):
        for column in (named, calls.column("response_model")):
            found |= (task == place) & _flags(pc.fill_null(pc.equal(column, model), False))
    return found


def _tasks(calls: pa.Table, design: Design) -> Codes:
    """Index into the design's tasks, -1 for none of them."""
    places = {each.task: i for i, each in enumerate(design.tasks)}
    coded = pc.fill_null(calls.column("task"), "").combine_chunks().dictionary_encode()
    of_name = np.array([places.get(each, places.get("", -1)) for each in coded.dictionary.to_pylist()] or [-1])
    found: Codes = of_name.astype(np.intp)[coded.indices.to_numpy(zero_copy_only=False)]
    return found


def _request_ids(calls: pa.Table, is_shadow: Flags) -> Any:
    """The id of the request that each Call belongs to."""
    ids = calls.column("record_id").combine_chunks()
    prefix = pc.struct_field(pc.extract_regex(ids, _NUMBERED), "request")
    is_part = pc.is_in(prefix, value_set=ids)
    own = pc.if_else(pc.fill_null(is_part, False), prefix, ids)
    parents = calls.column("parent_id").combine_chunks()
    is_copy = pc.and_(pa.array(is_shadow), pc.is_valid(parents))
    return pc.if_else(is_copy, parents, own)


def _units(calls: pa.Table, requests: Any) -> Codes:
    """A unit that nobody named is its request."""
    return _ranked(pc.coalesce(calls.column("unit_hash").combine_chunks(), requests))[0]


def _ranked(texts: Any) -> tuple[Codes, npt.NDArray[Any]]:
    """Each text's rank among the different ones, and these in order."""
    coded = texts.dictionary_encode()
    order = pc.sort_indices(coded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.intp)
    return rank[codes], _objects(coded.dictionary)[order]


def _first_said(calls: pa.Table, names: Sequence[str]) -> npt.NDArray[Any]:
    return _objects(pc.fill_null(pc.coalesce(*(calls.column(each) for each in names)), ""))


def _texts(calls: pa.Table, name: str) -> npt.NDArray[Any]:
    return _objects(pc.fill_null(calls.column(name), ""))


def _flags(column: Any) -> Flags:
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy(), dtype=np.bool_
    )


def _objects(column: Any) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    return found


def _floats(calls: pa.Table, name: str) -> Floats:
    return np.asarray(pc.fill_null(calls.column(name), float("nan")).to_numpy(), dtype=np.float64)


def _counted(calls: pa.Table, name: str) -> Floats:
    return np.asarray(pc.fill_null(calls.column(name), 0).to_numpy(), dtype=np.float64)


def _sums(values: Floats, inverse: npt.NDArray[np.intp], count: int) -> Floats:
    """Sum by row; NaN where one of them is."""
    return np.bincount(inverse, weights=values, minlength=count).astype(np.float64)


def models_by_arm(design: Design) -> Mapping[tuple[int, int], str]:
    """Task and arm -> the model that it stands for."""
    found: dict[tuple[int, int], str] = {}
    for i, each in enumerate(design.tasks):
        found[i, BASELINE], found[i, CANDIDATE] = each.baseline_model, each.candidate_model
    return found
