"""Workbook build: the typical run of every option becomes the cells from which a spreadsheet is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from breakeven.decision.compare import STATUS_QUO, typical
from breakeven.decision.horizon.paths import path_facts
from breakeven.decision.workbook.cells import Cell, CellTable
from breakeven.decision.workbook.months import Months, Roles
from breakeven.decision.workbook.new_cells import LAYER
from breakeven.errors import BreakevenError
from breakeven.facts.assumption import Assumption
from breakeven.facts.trace import Binder
from breakeven.options.option import Evaluation, Option, OptionCost, Situation
from breakeven.reports.amounts import fact_title
from breakeven.reports.workbook_part import CellPart, WorkbookPart

TITLES = {
    "token_usd_per_mtok": "Price of a million tokens of this mix",
    "input_usd_per_mtok": "Price of a million input tokens",
    "output_usd_per_mtok": "Price of a million output tokens",
    "cache_read_usd_per_mtok": "Price of a million tokens read from the cache",
    "cache_write_usd_per_mtok": "Price of a million tokens written to the cache",
    "engineer_usd_per_hour": "Engineer, per hour",
    "engineer_usd_per_year": "Engineer, per year",
    "elapsed_months": "Months since today",
    "volume_ratio": "Volume of the month over the mean of the log",
    "volume_level_ratio": "Volume of month 1 over the mean of the log",
    "log_growth_fraction_per_month": "Growth that the log shows",
    "log_lead_months": "From the middle of the log's present level to the middle of month 1",
    "log_length_months": "Length of the log's present level",
    "log_present_ratio": "Mean of the log's present level over the mean of the log",
    "moved_fraction": "Share of the traffic that has moved",
    "discount_month_ratio": "Worth today of a dollar in a month",
    "year3": "Resale value after three years",
    "future_capacity_req_per_s": "Capacity of a replica",
    "move_usd": "The move",
    "whole_life_months": "Life of the hardware",
    "bought_age_months": "Age when bought",
    "sold_age_months": "Age at the end of its life",
    "final_age_months": "Age after the last month",
    "paid_at_age_fraction": "Resale value at the age when bought, over the price of new",
    "resale_fraction": "Resale value at that age, over the price of new",
    "kept_value_ratio": "Resale value over what was paid",
    "hardware_gone_usd": "Purchases whose life has ended",
    "hardware_in_use_usd": "Purchases in use",
    "hardware_bought_usd": "Purchases",
    "hardware_left_usd": "What the month's purchases bring after the last month",
    "agreed_months": "Months since today when the rent was agreed",
    "agreed_gpu_rent_ratio": "GPU rent as agreed",
}
"""Words for names that say too little on their own."""
RESIDUALS = ("gpu_residual_year3_fraction", "gpu_residual_year5_fraction")


def workbook_part(
    situation: Situation,
    options: Mapping[str, Option],
    estimates: Mapping[str, Assumption] | None = None,
    closed: Collection[str] = (),
) -> WorkbookPart:
    """The typical calculation of all `options` that can be costed, today and over the horizon.

    `estimates`: facts that the log shows, such as its growth. `closed`: options that are not to be chosen, beside those
    that are not everybody's. An option whose arithmetic cannot be written down month by month is left out; so is what
    none of the options reads, such as the price of open models where no broker was asked for.
    """
    binder = Binder(typical, situation.catalog.assumptions, estimates or {}, situation.scenario)
    table = CellTable()
    facts = path_facts(binder)
    months = Months(table, facts, (binder.node(RESIDUALS[0]), binder.node(RESIDUALS[1])))
    months.add_paths()
    roles: dict[str, Roles] = {}
    costs = _costs(situation, options)
    for name, cost in costs.items():
        found = _today(table, cost)
        if len(table.volumes.get(name, ())) != 1 or _has_moving_model(table, found, name):
            continue
        add = months.add_status_quo if name == STATUS_QUO else months.add_option
        roles[name] = found | add(cost, found)
    readers = _readers(table, roles)
    used = {key: each for key, each in table.cells.items() if readers[key]}
    return WorkbookPart(
        cells={key: _part(each, readers[key]) for key, each in used.items()},
        inputs=tuple(key for key in table.inputs() if key in used),
        fixed=tuple(sorted(key for key in table.fixed if key in used)),
        options=roles,
        months_count=facts.months_count,
        paths={name: key for name, key in months.paths.items() if key in used},
        closed=tuple(name for name in roles if name in closed or costs[name].only_if),
        status_quo=STATUS_QUO,
    )


def _costs(situation: Situation, options: Mapping[str, Option]) -> dict[str, OptionCost]:
    """Every option that can be costed, the status quo first: the others pay its bill for what has not moved."""
    evaluation = Evaluation(typical, work_ratio=np.ones(1))
    found: dict[str, OptionCost] = {}
    for name in sorted(options, key=lambda each: each != STATUS_QUO):
        try:
            found[name] = options[name].cost(situation, evaluation)
        except BreakevenError:
            continue
    return found


def _today(table: CellTable, cost: OptionCost) -> Roles:
    """The cells of today's calculation: its lines, totals and what is worth showing."""
    name = cost.name
    found = {line.name: table.add(line.usd_per_month, name) for line in cost.breakdown.lines}
    found["total_usd_per_month"] = table.add(cost.total, name)
    found["success_fraction"] = table.add(cost.success, name)
    found["cost_usd_per_success"] = table.add(cost.cost_per_success, name)
    return found | {f"fact:{each.name}": table.add(each, name) for each in cost.facts}


def _readers(table: CellTable, roles: Mapping[str, Roles]) -> dict[str, tuple[str, ...]]:
    """Cell -> the options whose own calculation reads it."""
    found: dict[str, tuple[str, ...]] = dict.fromkeys(table.cells, ())
    for name, of_option in roles.items():
        for key in table.below(of_option.values(), name):
            found[key] = (*found[key], name)
    return found


def _has_moving_model(table: CellTable, roles: Roles, name: str) -> bool:
    """Whether something that follows the volume is computed in a way that cannot be written down."""
    return any(table.cells[key].is_modelled and table.cells[key].moves for key in table.below(roles.values(), name))


def _part(cell: Cell, readers: tuple[str, ...]) -> CellPart:
    fact, source = cell.assumption, cell.source
    given = not cell.expression and not cell.month_expression
    return CellPart(
        name=cell.name,
        title=TITLES.get(cell.name) or fact_title(cell.name),
        unit=cell.unit,
        value=cell.value,
        expression=cell.expression,
        month_expression=cell.month_expression,
        month_values=cell.month_values,
        inputs=dict(cell.inputs),
        live=not cell.is_modelled,
        monthly=cell.moves,
        summary=cell.summary,
        step_of=cell.step_of,
        option=cell.owner or (readers[0] if len(readers) == 1 and not cell.source and cell.layer != LAYER else ""),
        used_by=readers if given or not cell.owner else (),
        layer=cell.layer,
        low=fact.low if fact else None,
        high=fact.high if fact else None,
        source=source.title if source else "",
        read=source.read.isoformat() if source else "",
        grade=source.grade.value if source else "",
        note=fact.note if fact else "",
    )
