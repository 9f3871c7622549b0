"""Exact months: recomputed by hand from the options themselves, hardware bought and sold, delays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.decision.compare import STATUS_QUO, typical
from breakeven.decision.horizon.exact import CashFlow, Setting, cash_flows, hardware_cash, setting_of
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.options.option import Evaluation, Option, Situation
from costing import QUOTE, demand, pinned, situation

STILL = {
    "volume_growth_fraction_per_month": 0.0,
    "list_price_decline_fraction_per_year": 0.0,
    "model_switching_fraction": 0.0,
    "open_model_switching_fraction": 0.0,
    "gpu_rent_long_run_ratio": 1.0,
    "gpu_rent_volatility_ratio": 0.0,
    "migration_ramp_months": 0.0,
}
"""A world in which nothing moves."""
NAMES = (
    "frontier_api", "brokered", "rented_on_demand", "rented_one_year", "owned_gpus", "hybrid", "routed", "sunk_gpus",
    "provisioned",
)  # fmt: skip


def flows(asked: Situation, start_month: int = 0) -> tuple[Setting, dict[str, CashFlow], dict[str, Option]]:
    options = select_options(NAMES)
    found = setting_of(replace(asked, scenario={**pinned(QUOTE), **asked.scenario}), typical, {})
    return found, cash_flows(found, options, start_month=start_month), options


@pytest.fixture(scope="module")
def still() -> tuple[Setting, dict[str, CashFlow], dict[str, Option]]:
    return flows(situation(demand(3_000), scenario=pinned(STILL)))


def test_a_still_world_repeats_the_month_of_the_comparison(
    still: tuple[Setting, dict[str, CashFlow], dict[str, Option]],
) -> None:
    """Every month is the comparison's, without the spread move; what hardware costs over its life is its annuity."""
    setting, found, options = still
    asked = setting.situation
    base = options[STATUS_QUO].cost(asked, Evaluation(typical)).success.value
    for name, option in options.items():
        cost = option.cost(asked, Evaluation(typical))
        move = sum(float(each.usd_per_month.value[0]) for each in cost.breakdown.counted if "migration" in each.name)
        expected = (float(cost.total.value[0]) - move) * float(base[0] / cost.success.value[0])
        assert found[name].bill_usd_per_month[:, 0] == pytest.approx(np.full(36, expected)), name
        assert float(found[name].upfront_usd[0]) >= move * 36 * (1 - 1e-12)


def test_owned_hardware_is_worth_its_annuity_when_kept_for_its_life() -> None:
    """Cash at the start less the resale at the end, discounted, is the annuity over the same months (example 4)."""
    asked = situation(demand(3_000), scenario=pinned({**STILL, "gpu_lifetime_months": 36.0}))
    setting, found, _ = flows(asked)
    owned = found["owned_gpus"]
    discount = setting.facts.discount()
    months = np.arange(1, 37)
    by_bill = float(np.sum(owned.bill_usd_per_month[:, 0] * discount**months))
    once = float(owned.present_cost_usd(discount)[0])
    move = float(owned.upfront_usd[0]) - hardware_at_start(setting)
    assert once == pytest.approx(by_bill + move, rel=1e-9)


def hardware_at_start(setting: Setting) -> float:
    options = select_options(("frontier_api", "owned_gpus"))
    owned = options["owned_gpus"].cost(setting.situation, Evaluation(typical))
    base = options["frontier_api"].cost(setting.situation, Evaluation(typical))
    assert owned.capital is not None
    return float(owned.capital.capex_usd.value[0] * base.success.value[0] / owned.success.value[0])


def test_worked_example_4_as_cash() -> None:
    """30,000 USD, 36 months, 10 %: 961.9560 a month; with 30 % resale 745.1364."""
    flow = np.concatenate([[30_000.0], np.zeros(36)])
    ratio = 1.1 ** (-1 / 12)
    annuity = float(np.sum(flow * ratio ** np.arange(37))) / float(np.sum(ratio ** np.arange(1, 37)))
    assert annuity == pytest.approx(961.9560, abs=5e-5)
    flow[-1] = -9_000.0
    annuity = float(np.sum(flow * ratio ** np.arange(37))) / float(np.sum(ratio ** np.arange(1, 37)))
    assert annuity == pytest.approx(745.1364, abs=5e-5)


def test_a_month_in_between_by_hand() -> None:
    """Month 5 of the broker: its lines at the month's volume and price, and the rest still at the API."""
    overrides = {
        **STILL,
        "volume_growth_fraction_per_month": 0.05,
        "list_price_decline_fraction_per_year": 0.2,
        "migration_ramp_months": 7.0,
    }
    setting, found, options = flows(situation(demand(300), scenario=pinned(overrides)))
    month, moved = 4, 5 / 8
    volume = setting.volume_mtok * setting.paths.volume[month]
    price = 0.8 ** (month / 12)

    def bill(name: str, at: np.ndarray) -> tuple[float, float]:
        cost = options[name].cost(setting.situation, Evaluation(typical, at))
        total = sum(
            float(np.ravel(each.usd_per_month.value)[0]) * (price if each.name == "tokens" else 1.0)
            for each in cost.breakdown.counted
            if each.name != "migration"
        )
        return total, float(np.ravel(cost.success.value)[0])

    today, base = bill("frontier_api", volume)
    broker, success = bill("brokered", volume * moved)
    expected = broker * base / success + (1 - moved) * today
    assert found["brokered"].usd_per_month[month, 0] == pytest.approx(expected, rel=1e-12)


def test_a_one_year_term_keeps_its_rent_for_a_year() -> None:
    overrides = {**STILL, "gpu_rent_long_run_ratio": 0.25, "gpu_rent_half_life_months": 6.0}
    _, found, _ = flows(situation(demand(3_000), scenario=pinned(overrides)))
    one_year = found["rented_one_year"].usd_per_month[:, 0]
    assert one_year[:12] == pytest.approx(np.full(12, one_year[0]))
    assert one_year[12] < one_year[11] * 0.95
    on_demand = found["rented_on_demand"].usd_per_month[:, 0]
    assert np.all(np.diff(on_demand) < 0)


def test_newer_models_shrink_a_fleet_and_not_the_bill_per_token() -> None:
    overrides = {**STILL, "open_model_switching_fraction": 0.9, "open_model_work_share_fraction": 1.0}
    asked = situation(demand(100_000), scenario=pinned(overrides))
    _, found, _ = flows(asked)
    fleet = found["rented_on_demand"].usd_per_month[:, 0]
    assert fleet[-1] < fleet[0] * 0.6
    assert found["frontier_api"].usd_per_month[-1, 0] == pytest.approx(found["frontier_api"].usd_per_month[0, 0])


def test_a_delayed_move_costs_as_today_until_then() -> None:
    asked = situation(demand(3_000), scenario=pinned(STILL))
    _, now, _ = flows(asked)
    _, later, _ = flows(asked, start_month=6)
    for name in ("brokered", "rented_on_demand", "owned_gpus"):
        today = now[STATUS_QUO].usd_per_month[:, 0]
        assert later[name].bill_usd_per_month[:6, 0] == pytest.approx(today[:6])
        assert later[name].bill_usd_per_month[6:, 0] == pytest.approx(now[name].bill_usd_per_month[:30, 0])
        assert float(later[name].upfront_usd[0]) == 0
        paid = later[name].usd_per_month[5, 0] - today[5]
        assert paid == pytest.approx(float(now[name].upfront_usd[0]))


def test_hardware_is_bought_when_the_fleet_grows_again_at_its_end_and_sold_at_the_horizon() -> None:
    asked = situation(demand(3_000), scenario=pinned({"gpu_lifetime_months": 4.0}))
    setting = setting_of(asked, typical, {})
    cost = select_options(("owned_gpus",))["owned_gpus"].cost(asked, Evaluation(typical))
    capex = np.array([[100.0], [100.0], [150.0], [150.0], [150.0], [150.0]])
    bought, sold = hardware_cash(setting, cost, capex)
    year3, year5 = (float(each[0]) for each in setting.residual_facts)

    def worth(months: float) -> float:
        return min(year3 * (year5 / year3) ** ((months - 36) / 24), 1.0) / min(year3 * (year5 / year3) ** -1.5, 1.0)

    assert bought[:, 0] == pytest.approx([100, 0, 50, 0, 100 - 100 * worth(4), 0])
    assert float(sold[0]) == pytest.approx(50 * worth(4) + 100 * worth(2))


def test_draws_and_typical_values_meet() -> None:
    """With every fact pinned by a draw function that ignores the range, shapes do not matter."""
    asked = situation(demand(300))
    options = select_options(("frontier_api", "brokered", "rented_spot"))
    one = cash_flows(setting_of(asked, typical, {}), options)
    many = cash_flows(setting_of(asked, lambda fact: np.full(3, fact.typical), {}), options)
    for name in options:
        assert many[name].usd_per_month == pytest.approx(np.repeat(one[name].usd_per_month, 3, axis=1))


def test_the_same_seed_gives_the_same_cash() -> None:
    asked = situation(demand(300))
    options = select_options(("frontier_api", "rented_spot"))
    first = cash_flows(setting_of(asked, DrawSet(3, 6).of, {}), options)
    again = cash_flows(setting_of(asked, DrawSet(3, 6).of, {}), options)
    assert np.array_equal(first["rented_spot"].usd_per_month, again["rented_spot"].usd_per_month)
