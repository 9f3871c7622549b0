"""Months: the cells of a workbook come to the same cash as the horizon's own arrays, for every option and month."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.decision.compare import typical
from breakeven.decision.horizon.exact import cash_flows, setting_of
from breakeven.facts.assumption import Assumption
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, Situation
from breakeven.reports.spreadsheet.values import workbook_values
from breakeven.reports.workbook_build import workbook_part
from costing import QUOTE, demand, demand_by_task, pinned, situation

TASKS = [
    {"task": "classification", "volume_mtok_per_month": 4_000.0, "output_fraction": 0.05},
    {"task": "chat", "volume_mtok_per_month": 2_000.0, "output_fraction": 0.4},
]
PRICES = {
    "input_usd_per_mtok": 1.25,
    "cache_read_usd_per_mtok": 0.125,
    "cache_write_usd_per_mtok": 1.25,
    "output_usd_per_mtok": 10.0,
}
GROWING = {
    **QUOTE,
    "volume_growth_fraction_per_month": 0.12,
    "gpu_lifetime_months": 14.5,
    "migration_ramp_months": 7.0,
    "model_switching_fraction": 0.6,
    "gpu_rent_long_run_ratio": 1.4,
    "gpus_already_owned_count": 4_000.0,
}
SITUATIONS = {
    "small": situation(demand(3_000.0, cache_read_fraction=0.1), pinned(QUOTE)),
    "growing, short-lived hardware, new people": situation(demand(90_000.0), pinned(GROWING), team="new_hires"),
    "chance of rents": situation(
        demand(50_000.0),
        pinned({**QUOTE, "gpu_rent_shock_1_ratio": 1.2, "gpu_rent_shock_3_ratio": -0.7, "horizon_months": 30.0}),
    ),
    "by task, free capital, nothing moves": situation(
        demand_by_task(TASKS, PRICES),
        pinned(
            {
                **QUOTE,
                "cost_of_capital_fraction_per_year": 0.0,
                "volume_growth_fraction_per_month": 0.0,
                "open_model_switching_fraction": 0.0,
            }
        ),
    ),
    "shrinking, two years, trained, carbon priced": situation(
        demand(20_000.0, output_fraction=0.5),
        pinned(
            {
                **QUOTE,
                "horizon_months": 24.0,
                "volume_growth_fraction_per_month": -0.05,
                "fine_tune_campaigns_events_per_year": 4.0,
                "carbon_price_usd_per_tonne": 80.0,
                "success_fraction": 0.9,
            }
        ),
    ),
}


SHOWN = {
    "growing, short-lived hardware, new people": {"log_growth_fraction_per_month": 0.25},
    "shrinking, two years, trained, carbon priced": {"log_growth_fraction_per_month": -0.2},
    "by task, free capital, nothing moves": {"log_growth_fraction_per_month": 0.0},
}
"""Growth that a log of four months shows; the others' logs show none."""


def shown(name: str) -> dict[str, Assumption]:
    """What the log shows of itself."""
    lengths = {"log_lead_months": 2.5, "log_length_months": 4.0}
    return pinned({**SHOWN[name], **lengths}) if name in SHOWN else {}


@pytest.mark.parametrize("name", SITUATIONS)
def test_cash_of_every_option_and_month(name: str) -> None:
    of = SITUATIONS[name]
    part = workbook_part(of, discover_options(), shown(name))
    values = workbook_values(part)
    setting = setting_of(of, typical, shown(name))
    flows = cash_flows(setting, {each: discover_options()[each] for each in part.options})
    assert len(part.options) >= 18
    for option, flow in flows.items():
        roles = part.options[option]
        cash = np.ravel(flow.usd_per_month)
        assert values.months[roles["cash"]] == pytest.approx(cash, rel=1e-12), option
        assert values.today[roles["upfront_usd"]] == pytest.approx(float(flow.upfront_usd.flat[0]), rel=1e-12)
        present = float(flow.present_cost_usd(setting.facts.discount()).flat[0])
        assert values.today[roles["present_cost_usd"]] == pytest.approx(present, rel=1e-12), option


@pytest.mark.parametrize("name", SITUATIONS)
def test_lines_and_totals_of_today(name: str) -> None:
    of = SITUATIONS[name]
    part = workbook_part(of, discover_options())
    values = workbook_values(part)
    for option, roles in part.options.items():
        cost = discover_options()[option].cost(of, Evaluation(typical))
        wanted = {line.name: line.usd_per_month for line in cost.breakdown.lines}
        wanted |= {"total_usd_per_month": cost.total, "cost_usd_per_success": cost.cost_per_success}
        for role, node in wanted.items():
            assert values.today[roles[role]] == pytest.approx(float(node.value.flat[0]), rel=1e-12), (option, role)


def test_every_option_that_can_be_costed_is_there() -> None:
    of: Situation = SITUATIONS["small"]
    part = workbook_part(of, discover_options())
    assert set(part.options) == set(discover_options()) - {"brokered_deepinfra", "brokered_siliconflow"}
    monthly = {key for key, cell in part.cells.items() if cell.monthly}
    assert len(monthly) > 300
    assert all(cell.live or not cell.monthly for cell in part.cells.values())


@pytest.mark.parametrize("growth", [0.25, -0.2, 0.0, None])
def test_month_1_is_the_mean_of_the_log_times_its_level(growth: float | None) -> None:
    """The level is made of what the log shows, in cells that may be changed; 1 where it shows nothing."""
    facts = {"log_growth_fraction_per_month": growth or 0.0, "log_lead_months": 2.5, "log_length_months": 4.0}
    seen = {} if growth is None else pinned(facts)
    part = workbook_part(SITUATIONS["small"], {name: discover_options()[name] for name in ("frontier_api",)}, seen)
    values = workbook_values(part)
    half = 2.0 * np.log1p(growth or 0.0)
    level = np.exp(2.5 / 2.0 * half) * (half / np.sinh(half) if half else 1.0)
    assert values.months[part.paths["volume"]][0] == pytest.approx(level, rel=1e-12)
    assert values.months["frontier_api/volume_mtok_per_month"][0] == pytest.approx(3_000.0 * level, rel=1e-12)
    assert set(seen) <= set(part.inputs)
    moved = workbook_values(part, {"log_growth_fraction_per_month": 0.5}).months[part.paths["volume"]][0]
    assert (moved > 1.2 * level) == bool(seen)
