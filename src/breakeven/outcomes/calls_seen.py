"""Calls seen: the outcomes that a store of Calls holds, one request per Call, each at the price of its day.

A Call that failed with an error did not succeed. With retries looked at, a Call that nobody judged succeeded unless it
was asked again. Calls that name the one they repeat are tries of one request. The model was chosen by whatever ran
then, so models differ in what they were asked too: only where a propensity is logged can that be taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.errors import OutcomeError
from breakeven.outcomes.cells import source_name
from breakeven.outcomes.chained_calls import first_tries, tries_of
from breakeven.outcomes.outcome import GROUP_COLUMNS, SOURCES, Floats, OutcomeTable
from breakeven.outcomes.reading import ReadOutcomes
from breakeven.outcomes.repeats import source_of
from breakeven.outcomes.retries_seen import ASKED_AGAIN, with_retries

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis import Table

CALLS_MAX_COUNT: Final = 200_000
"""More judged calls than this are sampled."""
_KEPT: Final = (
    "record_id",
    "retry_of",
    "start_time",
    "status",
    "outcome",
    "outcome_source",
    "duration_s",
    "propensity",
    *GROUP_COLUMNS,
)


@dataclass(frozen=True, slots=True)
class CallChoice:
    """Which Calls become outcomes, and how."""

    retry_minutes_count: float | None = None
    """None: calls that nobody judged are left out."""
    calls_max_count: int = CALLS_MAX_COUNT
    seed: int = 0
    judged_ids: frozenset[str] = frozenset()
    """Calls that labels of another file are said of; they stay, though nobody judged them yet."""


def table_from_calls(
    calls: Table,
    catalog: Catalog,
    contract: Sequence[ContractPrice] = (),
    choice: CallChoice | None = None,
    label: str = "the store",
) -> ReadOutcomes:
    """The outcomes of single requests; raises OutcomeError where no call has one."""
    asked = choice or CallChoice()
    judged, notes = _judged(calls, asked)
    rows = _priced(judged, catalog, contract).to_pyarrow()
    if rows.num_rows == 0:
        raise OutcomeError(
            f"{label}: no call has an outcome; log one per call, join feedback, or take silence for consent "
            "(--retry-minutes 10)"
        )
    return _read(rows, (*notes, *_remarks(rows)), label, asked.judged_ids)


def _judged(calls: Table, asked: CallChoice) -> tuple[Table, list[str]]:
    """Calls with an outcome, a sample where there are too many."""
    from breakeven.audit.sample import sampled

    single = calls.filter((calls.grain == "request") & calls.status.isin(["ok", "error"]))
    known = single.outcome.notnull() | (single.status == "error")
    if asked.retry_minutes_count is not None:
        single = with_retries(single, asked.retry_minutes_count)
        known = single.outcome.notnull() | (single.status == "error") | single[ASKED_AGAIN].notnull()
    if asked.judged_ids:
        import ibis
        import pyarrow as pa

        ids = ibis.memtable(pa.table({"judged_id": sorted(asked.judged_ids)}))
        known |= single.record_id.isin(ids.judged_id)
    kept = single.filter(known)
    count = int(kept.count().to_pyarrow().as_py())
    if count <= asked.calls_max_count:
        return kept, []
    note = f"Of {count:,} judged calls about {asked.calls_max_count:,} are looked at, chosen by lot."
    return sampled(kept, count, asked.seed, asked.calls_max_count), [note]


def _priced(calls: Table, catalog: Catalog, contract: Sequence[ContractPrice]) -> Table:
    """The columns of a table of outcomes, with `model` and `usd`; the log's own cost where no price is known."""
    import ibis

    from breakeven.audit.assignment import model_label
    from breakeven.catalog.token_prices import price_table
    from breakeven.workload.spend import price_keys, priced

    span = calls.aggregate(first=calls.start_time.min(), last=calls.start_time.max()).to_pyarrow().to_pylist()[0]
    prices = (
        [] if span["first"] is None else price_table(price_keys(calls), span["first"], span["last"], contract, catalog)
    )
    with_spend = priced(calls, prices)
    usd = ibis.coalesce(with_spend.spend_usd / ibis.coalesce(with_spend.weight, 1.0), with_spend.cost_usd)
    again = with_spend[ASKED_AGAIN] if ASKED_AGAIN in calls.columns else ibis.null("boolean")
    shown = with_spend.mutate(model=model_label(with_spend), usd=usd, again=again)
    return shown.select(*_KEPT, "model", "usd", "again").order_by("record_id")


def _read(rows: pa.Table, notes: tuple[str, ...], label: str, judged_ids: frozenset[str]) -> ReadOutcomes:
    told: dict[str, list[Any]] = {name: rows.column(name).to_pylist() for name in rows.column_names}
    success, codes = _successes(told)
    names = [each or "(no model named)" for each in told["model"]]
    models = tuple(sorted(set(names)))
    column = np.array([models.index(each) for each in names], dtype=np.intp)
    first = first_tries(told["record_id"], told["retry_of"], column, told["start_time"])
    judged = np.array([each in judged_ids for each in told["record_id"]])
    first = np.where(judged, np.arange(len(first)), first)  # a label is of that very call
    own = first == np.arange(len(first))
    kept = np.flatnonzero(own).tolist()
    groups = {each: tuple(told[each][at] or "" for at in kept) for each in GROUP_COLUMNS if any(told[each])}
    placed = _Placer(column[own], len(models))
    source_codes = placed.of(codes[own], -1).astype(np.int8)
    table = OutcomeTable(
        request_ids=tuple(told["record_id"][at] for at in kept),
        models=models,
        success=placed.of(success[own]),
        cost_usd=placed.of(_numbers(told["usd"])[own]),
        prompts=("",) * len(kept),
        groups=groups,
        latency_s=placed.of(_numbers(told["duration_s"])[own]),
        propensity_fraction=placed.of(_numbers(told["propensity"])[own]),
        source=source_of(source_codes),
        label=label,
    )
    return ReadOutcomes(
        table,
        (),
        (*notes, *_repeated(len(first) - len(kept))),
        len(names),
        placed.of(np.ones(len(kept)), 0).astype(np.int64),
        source_codes,
        every_try=tries_of(first, own, column, told["start_time"], success, len(models)),
    )


def _repeated(count: int) -> list[str]:
    if not count:
        return []
    them = f"{count:,} call repeats" if count == 1 else f"{count:,} calls repeat"
    return [
        f"{them} an earlier one to the same model (`retry_of`): the first try stands for the request, all of them "
        "say how alike tries are."
    ]


@dataclass(frozen=True, slots=True)
class _Placer:
    """Puts a value per call into the column of the call's model."""

    column: Any
    models_count: int

    def of(self, values: Floats, value: float = np.nan) -> Floats:
        """`values` by call, and `value` where a call went to another model."""
        found = np.full((len(self.column), self.models_count), value)
        found[np.arange(len(self.column)), self.column] = values
        return found


def _successes(told: dict[str, list[Any]]) -> tuple[Floats, Floats]:
    """Success and the code of its source, by call: what was logged, else an error, else whether it was asked again."""
    found, codes = [], []
    for outcome, source, status, again in zip(
        told["outcome"], told["outcome_source"], told["status"], told["again"], strict=True
    ):
        if outcome is not None:
            found.append(float(outcome))
            codes.append(SOURCES.index(source_name(source) or "log"))
        elif status == "error":
            found.append(0.0)
            codes.append(SOURCES.index("log"))
        elif again is None:  # somebody's label is still to come
            found.append(np.nan)
            codes.append(-1)
        else:
            found.append(float(not again))
            codes.append(SOURCES.index("retry"))
    return np.array(found), np.array(codes, dtype=np.float64)


def _numbers(values: list[Any]) -> Floats:
    return np.array([np.nan if each is None else float(each) for each in values], dtype=np.float64)


def _remarks(rows: pa.Table) -> list[str]:
    by_lot = rows.num_rows - rows.column("propensity").null_count
    if by_lot == rows.num_rows:
        return []
    return [
        f"The model of {rows.num_rows - by_lot:,} of {rows.num_rows:,} calls was not chosen by lot: models may have "
        "been asked easier or harder things, so compare them within a task at most."
    ]
