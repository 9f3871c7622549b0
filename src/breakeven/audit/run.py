"""Audit run: from Calls to tasks, their suitability, and the share of the work that a small model can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from breakeven.audit.assignment import TASK, with_tasks
from breakeven.audit.commodity import already_small_fraction, moving_of, token_use, uses_to_move
from breakeven.audit.grouping import REST, Grouping
from breakeven.audit.judging import AuditBasis, TaskBasis, judge, notes_of
from breakeven.audit.labels import Label, counts
from breakeven.audit.measures import CALL_NEEDED, Measured, ModelUse, measure, prepared
from breakeven.audit.mining import Embedder, Mined, mine_tasks
from breakeven.audit.naming import distinguishing_terms, names_of
from breakeven.audit.outcomes_seen import outcome_evidence
from breakeven.audit.sample import in_sample
from breakeven.audit.small_model import SmallModelPrice, choose_small_model, is_small
from breakeven.audit.task import Audit, AuditedTask, KindGuess, ModelShare, Suitability
from breakeven.audit.taxonomy import TaskFeatures, kind_of
from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import price_table
from breakeven.errors import UnknownPrice, UsageError
from breakeven.units import HOURS_PER_MONTH
from breakeven.workload.profile import observation_of
from breakeven.workload.spend import price_keys, priced

if TYPE_CHECKING:
    from ibis import Table

OUTCOME_WEIGHT: Final = "unrandomised_outcome_weight_fraction"
NO_TASK_OPERATIONS: Final = (
    "embeddings",
    "embedding",
    "aembedding",
    "moderation",
    "moderations",
    "rerank",
    "image_generation",
    "transcription",
    "audio_transcription",
    "speech",
    "audio_speech",
)
"""Operations that are no work for a small language model."""
_GENERIC_ENDPOINTS: Final = ("chat/completions", "v1/messages", "v1/responses", "v1/completions")
FEW_PROMPTS_FRACTION: Final = 0.5
MATTERS_FRACTION: Final = 0.01
"""A task with less of the calls does not decide which model is taken."""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What may be asked of an audit."""

    contract: tuple[ContractPrice, ...] = ()
    small_model: str | None = None
    """Name of the open model that calls would be routed to; None: the cheapest small one."""
    hours_per_month: float = HOURS_PER_MONTH
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit, and what labels given later are judged with."""

    audit: Audit
    basis: AuditBasis
    task_of: dict[str, str]
    """Label's record id -> task, of the labels that are of these calls."""


def audited(
    calls: Table,
    *,
    catalog: Catalog,
    vocabulary: Mapping[int, str] | None = None,
    labels: Sequence[Label] = (),
    settings: AuditSettings | None = None,
    say: Callable[[str], None] = lambda _: None,
    embed: Embedder | None = None,
) -> Audited:
    """Group `calls` into tasks and judge each; raises UsageError when there are none."""
    asked = settings or AuditSettings()
    kept = with_work(calls).select(*dict.fromkeys((*CALL_NEEDED, "end_time")))
    counted = _counted(calls, kept)
    if not counted.rows_count:
        raise UsageError("there are no calls to a language model; run `breakeven import YOUR-LOG` first")
    mined = mine_tasks(kept, asked.seed, say, embed)
    say("measuring the tasks")
    tasks = with_tasks(kept, mined.grouping)
    rows = price_table(price_keys(kept), counted.first, counted.last, asked.contract, catalog)
    chosen = in_sample(tasks.record_id, counted.rows_count, asked.seed)
    with_chosen = priced(tasks.mutate(is_chosen=chosen), rows)
    names_of_interest = [each.record_id for each in labels]
    with prepared(with_chosen, with_chosen.is_chosen, names_of_interest).cache() as table:
        measured = measure(table)
        outcomes = outcome_evidence(table, catalog, catalog.assumptions[OUTCOME_WEIGHT].typical, asked.seed)
        task_of = _tasks_of_labels(table)
    say("judging the tasks")
    terms = distinguishing_terms(measured, vocabulary or {})
    names = names_of(measured, mined, terms)
    kinds = [_kind(each, mined, vocabulary or {}) for each in measured]
    notes_before = tuple(_notes(counted, mined, measured, vocabulary or {}))
    notes: list[str] = []
    price = _small_model(measured, catalog, asked.small_model, notes)
    ratio = _months_ratio(kept, asked.hours_per_month, notes)
    basis = AuditBasis(
        tuple(
            TaskBasis(each.task, kind, each.calls_count, each.spend_usd, outcomes.get(each.task))
            for each, kind in zip(measured, kinds, strict=True)
        ),
        already_small_fraction(measured, catalog),
        moving_of(measured, catalog, price, ratio),
        asked.seed,
        notes_before,
        tuple(notes),
    )
    judged = counts(labels, task_of)
    found = judge(basis, judged, catalog.assumptions)
    all_calls = sum(each.calls_count for each in measured)
    all_spend = sum(each.spend_usd or 0.0 for each in measured)
    tasks_found = tuple(
        replace(
            _audited(each, names[each.task], kind, mined, one, terms[each.task], (all_calls, all_spend), catalog),
            saves_usd_per_month=saves,
        )
        for each, kind, one, saves in zip(measured, kinds, found.suitable, found.saves_usd_per_month, strict=True)
    )
    made = Audit(
        tasks_found,
        found.commodity,
        replace(mined.grouping, names=names),
        round(all_calls),
        sum(each.tokens for each in tasks_found),
        all_spend,
        sum(each.unpriced_tokens for each in tasks_found),
        _prompts_fraction(measured),
        mined.sampled_count,
        counted.left_out_count,
        asked.seed,
        notes_of(basis, judged, len(labels)),
    )
    return Audited(made, basis, task_of)


def with_work(calls: Table) -> Table:
    """The calls that are work for a language model."""
    return calls.filter(~calls.operation.isin(NO_TASK_OPERATIONS) | calls.operation.isnull())


def tasks_of(calls: Table, grouping: Grouping, record_ids: Sequence[str]) -> dict[str, str]:
    """Record id -> task, of those that are among `calls`."""
    if not record_ids:
        return {}
    mine = with_work(calls).filter(calls.record_id.isin(list(record_ids)))
    rows = with_tasks(mine, grouping).select("record_id", TASK).to_pyarrow().to_pylist()
    return {row["record_id"]: row[TASK] for row in rows}


@dataclass(frozen=True, slots=True)
class _Counted:
    rows_count: int
    left_out_count: int
    first: Any
    last: Any


def _counted(calls: Table, kept: Table) -> _Counted:
    row = (
        kept.aggregate(rows=kept.count(), first=kept.start_time.min(), last=kept.start_time.max())
        .to_pyarrow()
        .to_pylist()[0]
    )
    everything = int(calls.count().to_pyarrow().as_py())
    return _Counted(row["rows"], everything - row["rows"], row["first"], row["last"])


def _kind(measured: Measured, mined: Mined, vocabulary: Mapping[int, str]) -> KindGuess:
    group = mined.groups.get(mined.group_of.get(measured.task, REST))
    names = [
        value
        for name, value in (group.values if group else {}).items()
        if name in ("task", "template_id", "application", "endpoint")
        and not any(generic in value for generic in _GENERIC_ENDPOINTS)
    ]
    terms = {vocabulary[term]: share for term, share in measured.terms.items() if term in vocabulary}
    has_schema = measured.schema_fraction >= FEW_PROMPTS_FRACTION
    return kind_of(
        TaskFeatures(" ".join(names), terms, measured.lengths, measured.difficulty, has_schema, measured.operation)
    )


def _tasks_of_labels(table: Table) -> dict[str, str]:
    chosen = table.filter(table.labelled_id.notnull()).select("labelled_id", TASK)
    return {row["labelled_id"]: row[TASK] for row in chosen.to_pyarrow().to_pylist()}


def _small_model(
    measured: Sequence[Measured], catalog: Catalog, name: str | None, notes: list[str]
) -> SmallModelPrice | None:
    uses = [use for _, use in uses_to_move(measured, catalog)]
    if not uses:
        notes.append("nothing that is priced could move to a small model: no saving is said")
        return None
    try:
        return choose_small_model(catalog, token_use(uses), name, _longest_tokens(measured))
    except UnknownPrice as error:
        if name is not None:
            raise
        notes.append(f"no saving is said: {error}")
        return None


def _longest_tokens(measured: Sequence[Measured]) -> int:
    """What the model's context must hold: 95 % of the calls of every task that matters."""
    calls = sum(each.calls_count for each in measured)
    lengths = [each.lengths for each in measured if each.calls_count >= MATTERS_FRACTION * calls]
    return max(((each.input_p95_tokens or 0) + (each.output_p95_tokens or 0) for each in lengths), default=0)


def _months_ratio(calls: Table, hours_per_month: float, notes: list[str]) -> float | None:
    try:
        return hours_per_month / observation_of(calls).observed_hours
    except UsageError as error:
        notes.append(f"no saving per month is said: {error}")
        return None


def _notes(counted: _Counted, mined: Mined, measured: Sequence[Measured], vocabulary: Mapping[int, str]) -> list[str]:
    found = []
    prompts = _prompts_fraction(measured)
    named = sum(each.calls_count for each in measured if mined.grouped_by.get(each.task) == "log")
    share = named / max(sum(each.calls_count for each in measured), 1e-300)
    if prompts < FEW_PROMPTS_FRACTION and share < FEW_PROMPTS_FRACTION:
        found.append(
            f"{f'only {100 * prompts:.0f} %' if prompts else 'none'} of the calls have features of their prompts: "
            "most tasks are told apart by metadata, model and length alone, their kinds are mostly unknown, "
            "the intervals as wide as that; "
            "import logs with prompts (hashed features stay, texts are dropped) or log a task name"
        )
    elif prompts and not vocabulary:
        found.append("no vocabulary in the store: tasks have numbers for names, and words do not tell their kinds")
    if counted.left_out_count:
        found.append(f"{counted.left_out_count:,} calls are embeddings, moderation, speech or images: left out")
    return found


def _prompts_fraction(measured: Sequence[Measured]) -> float:
    calls = sum(each.calls_count for each in measured)
    return sum(each.calls_count * each.prompts_fraction for each in measured) / calls if calls else 0.0


def _audited(
    measured: Measured,
    name: str,
    kind: KindGuess,
    mined: Mined,
    suitability: Suitability,
    terms: tuple[str, ...],
    totals: tuple[float, float],
    catalog: Catalog,
) -> AuditedTask:
    all_calls, all_spend = totals
    spend = measured.spend_usd
    return AuditedTask(
        id=measured.task,
        name=name,
        kind=kind,
        grouped_by=mined.grouped_by.get(measured.task, "rest"),
        calls_count=round(measured.calls_count),
        input_tokens=round(measured.total("input_tokens")),
        cache_read_tokens=round(measured.total("cache_read_tokens")),
        output_tokens=round(measured.total("output_tokens")),
        spend_usd=spend,
        unpriced_tokens=round(measured.total("unpriced_tokens")),
        calls_fraction=measured.calls_count / max(all_calls, 1e-300),
        spend_fraction=(spend or 0.0) / all_spend if all_spend else 0.0,
        lengths=measured.lengths,
        models=tuple(_model_share(use, measured.calls_count, catalog) for use in measured.uses),
        difficulty=measured.difficulty,
        suitability=suitability,
        terms=terms,
    )


def _model_share(use: ModelUse, calls_count: float, catalog: Catalog) -> ModelShare:
    label = "/".join(part for part in (use.provider, use.model) if part)
    return ModelShare(
        label or "no model named",
        round(use.calls_count),
        use.calls_count / max(calls_count, 1e-300),
        use.spend_usd,
        is_small=is_small(label, catalog),
    )
