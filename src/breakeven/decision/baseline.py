"""Baseline: what the log's calls would cost at today's prices: the 'before' that every Option is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from breakeven.catalog.load import Catalog
from breakeven.catalog.token_prices import PriceKey, TokenPriceRow, price_table, usage_usd
from breakeven.decision.scenario import Scenario
from breakeven.decision.scenario_entries import ContractPriceEntry
from breakeven.decision.told_demand import as_told
from breakeven.errors import UnknownPrice, UsageError
from breakeven.facts.source import Grade, Source
from breakeven.options.assembly.demand import Demand, ModelDemand, TaskDemand, TokenMix
from breakeven.options.assembly.offers import price_facts
from breakeven.workload.profile import ModelUse, Workload, model_uses, names_tasks, task_uses
from breakeven.workload.spend import is_free, price_keys, priced, with_keys

if TYPE_CHECKING:
    from ibis import Table

TASKS_KNOWN_MIN_FRACTION: Final = 0.5
"""Share of the calls that must name a task; with fewer, what the named ones do says too little about the others."""


def demand_of(calls: Table, workload: Workload, catalog: Catalog, scenario: Scenario, label: str) -> Demand:
    """`demand_of_log`, at the volume and the price of today's models that the scenario gives, if any."""
    return as_told(demand_of_log(calls, workload, catalog, scenario, label), catalog, scenario)


def demand_of_log(calls: Table, workload: Workload, catalog: Catalog, scenario: Scenario, label: str) -> Demand:
    """The monthly work behind `calls`, each model priced on the catalogue's date.

    Raises UnknownPrice when no call has a price and none can be assumed.
    """
    if not workload.tokens:
        raise UsageError(
            f"the {workload.requests_count:,} calls of the log carry no tokens; which field holds them? (--map)"
        )
    # what the caller's own cache answers reaches no model, today's or another
    calls = calls.filter(~is_free(calls))
    rows = _rows_of_the_day(price_keys(calls), catalog, scenario)
    left_out = _without_output_price(rows)
    rows = [row for row in rows if _label(row) not in left_out]
    # only what has a price today is compared: filter first, so that tokens and spend speak of the same calls
    table = priced(calls, rows)
    counted = table.filter(table.spend_usd.notnull() & (table.price_model != ""))
    in_batch = {use.label: use.tokens for use in model_uses(counted.filter(counted.price_batch))}
    uses = [use for use in model_uses(counted) if use.tokens]
    models = [_model_demand(use, rows, catalog, in_batch.get(use.label, 0) / use.tokens) for use in uses]
    unnamed = []
    if any(not use.model for use in workload.models):
        unnamed = [use for use in model_uses(table.filter(table.price_model == "")) if use.tokens]
    models += [_assumed(use, catalog, scenario) for use in unnamed]
    if names_tasks(calls):
        models = _with_tasks(models, [*uses, *unnamed], table)
    if not models and not price_keys(calls):
        raise UsageError(
            "the calls of the log that carry tokens were all answered from the caller's own cache (status cache_hit): "
            "no model did any work that an option could take over"
        )
    if not models:
        refuse_embeddings_alone(calls, catalog, scenario)
        unpriced = {use.label for use in workload.models} - set(left_out)
        names = ", ".join(sorted(unpriced)[:5])
        raise UnknownPrice(
            f"none of the models in the log has a known price on {catalog.as_of}: {names}. "
            f"Give yours under contract_prices in the scenario (`breakeven init` writes one)."
        )
    observation = workload.observation
    return Demand(
        tuple(sorted(models, key=lambda each: -each.mix.tokens)),
        observation.observed_hours,
        observation.volume_ratio_name,
        workload.hourly_peak_to_mean_ratio,
        Source(f"usage log {label}", label, observation.last_time.date(), Grade.MEASURED),
        left_out,
        workload.burst_headroom_ratio,
    )


def refuse_embeddings_alone(calls: Table, catalog: Catalog, scenario: Scenario) -> None:
    """Raise UsageError where every call asked for an embedding: no model of an option makes them."""
    models = price_keys(calls)
    left_out = _without_output_price(_rows_of_the_day(models, catalog, scenario))
    if not left_out or not {_label(each) for each in models} <= set(left_out) or _names_no_model(calls):
        return
    raise UsageError(f"only embeddings in this log ({', '.join(left_out[:5])}): no option here serves those")


def _names_no_model(calls: Table) -> bool:
    """Whether a call names no model; it may have asked for anything."""
    keyed = with_keys(calls)
    return bool(keyed.filter(keyed.price_model == "").count().to_pyarrow().as_py())


def _with_tasks(models: Sequence[ModelDemand], uses: Sequence[ModelUse], table: Table) -> list[ModelDemand]:
    """`models`, each of the use at its place in `uses`, with what they do for each task of the log.

    As they are when fewer than `TASKS_KNOWN_MIN_FRACTION` of their calls name a task.
    """
    by_model: dict[tuple[str, str], list[TaskDemand]] = {}
    named_count = 0
    kept = table.filter(table.spend_usd.notnull() | (table.price_model == ""))
    known = {(use.provider, use.model) for use in uses}
    for each in task_uses(kept):
        key = (each.use.provider, each.use.model)
        if key in known:
            named_count += each.use.requests_count
            task = TaskDemand(
                each.task, _mix(each.use), each.use.requests_count, each.use.spend_usd or 0.0, each.use.lengths
            )
            by_model.setdefault(key, []).append(task)
    calls_count = sum(model.requests_count for model in models)
    if not named_count or named_count < TASKS_KNOWN_MIN_FRACTION * calls_count:
        return list(models)
    return [
        replace(model, by_task=tuple(by_model.get((use.provider, use.model), ())))
        for model, use in zip(models, uses, strict=True)
    ]


def unused_contracts(calls: Table, catalog: Catalog, scenario: Scenario) -> list[str]:
    """Contract lines that change the price of no call on the catalogue's date: a misspelt name, or another time.

    One that has ended, or has not begun, says so, with the line of the scenario file.
    """
    if not scenario.contract_prices:
        return []
    provider, _, model = scenario.frontier_model.rpartition("/")
    keys = [*price_keys(calls), PriceKey(provider or None, model)]
    rows = _rows_of_the_day(keys, catalog, scenario)
    idle = []
    for index, line in enumerate(scenario.contract_prices):
        others = (*scenario.contract_prices[:index], *scenario.contract_prices[index + 1 :])
        without = scenario.model_copy(update={"contract_prices": others})
        if _rows_of_the_day(keys, catalog, without) == rows:
            idle.append(f"{line.provider}/{line.model}{_remark(line, catalog)}")
    return idle


def _remark(line: ContractPriceEntry, catalog: Catalog) -> str:
    """When the contract held, if not on the catalogue's date, and where it is written."""
    remarks = [line.place] if line.place else []
    if line.until is not None and line.until <= catalog.as_of:
        remarks.append(f"ended on {line.until}")
    if line.since is not None and line.since > catalog.as_of:
        remarks.append(f"begins on {line.since}")
    return f" ({': '.join(remarks)})" if remarks else ""


def _without_output_price(rows: Sequence[TokenPriceRow]) -> tuple[str, ...]:
    """Models that are priced for input alone: embeddings, which no model of an option could take over."""
    found = [_label(row) for row in rows if row.status == "priced" and row.output_usd_per_mtok is None]
    return tuple(dict.fromkeys(found))


def _label(row: TokenPriceRow | PriceKey) -> str:
    return "/".join(part for part in (row.provider, row.model) if part)


def _rows_of_the_day(keys: Sequence[PriceKey], catalog: Catalog, scenario: Scenario) -> list[TokenPriceRow]:
    """The prices in force at noon UTC of the catalogue's date, valid for calls of any time."""
    noon = datetime.combine(catalog.as_of, time(12), tzinfo=UTC)
    rows = price_table(keys, noon, noon, scenario.contract(), catalog)
    return [replace(row, since=None, until=None) for row in rows]


def _model_demand(use: ModelUse, rows: Sequence[TokenPriceRow], catalog: Catalog, batch_fraction: float) -> ModelDemand:
    mine = [row for row in rows if (row.provider or "") == use.provider and row.model == use.model]
    usable = [row for row in mine if row.status == "priced"]
    assert use.spend_usd is not None
    single = len(usable) == 1 and not use.cache_write_tokens and not use.audio_tokens
    return ModelDemand(
        use.label,
        _mix(use),
        use.requests_count,
        use.spend_usd,
        price_facts(usable[0], catalog) if single else (),
        usable[0].source,
        batch_fraction=batch_fraction,
        lengths=use.lengths,
    )


def _assumed(use: ModelUse, catalog: Catalog, scenario: Scenario) -> ModelDemand:
    """Calls that name no model, at the price of the scenario's frontier model."""
    provider, _, model = scenario.frontier_model.rpartition("/")
    rows = _rows_of_the_day([PriceKey(provider or None, model)], catalog, scenario)
    if not rows or rows[0].status != "priced":
        reason = rows[0].reason if rows else "not in any price list"
        raise UnknownPrice(
            f"no price for the assumed frontier_model '{scenario.frontier_model}' on {catalog.as_of}: {reason}"
        )
    row = rows[0]
    spend = usage_usd(row, use.input_tokens, use.output_tokens, use.cache_read_tokens, use.cache_write_tokens)
    return ModelDemand(
        scenario.frontier_model,
        _mix(use),
        use.requests_count,
        spend or 0.0,
        price_facts(row, catalog),
        row.source,
        assumed=True,
        lengths=use.lengths,
    )


def _mix(use: ModelUse) -> TokenMix:
    plain = use.input_tokens - use.cache_read_tokens - use.cache_write_tokens
    return TokenMix(plain, use.cache_read_tokens, use.cache_write_tokens, use.output_tokens)
