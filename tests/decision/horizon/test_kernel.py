"""The fast form against the exact months, future by future, and what the kernel counts against plain numpy."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import costing
from breakeven.decision.compare import STATUS_QUO, typical
from breakeven.decision.horizon.block_paths import small_exp
from breakeven.decision.horizon.exact import CashFlow, Setting, cash_flows, setting_of
from breakeven.decision.horizon.run import Run, prepare, present_only, run, run_prepared
from breakeven.decision.horizon.terms import Terms, terms_of
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options, select_options
from breakeven.options.option import Evaluation
from costing import demand, pinned, situation, situation_of

STRAIGHT = ("frontier_api", "cheaper_tier", "batch_api", "brokered", "deepseek_api", "cascade", "routed")
"""Options without a fleet: the fast form is exact."""
BY_TOKENS = ("provisioned",)
"""Units that carry tokens, and nothing else that bends: exact as well."""
FLEETS = ("rented_on_demand", "rented_spot", "rented_one_year", "managed_together", "hybrid")
BOUGHT = ("owned_gpus", "sunk_gpus")
HARD = ("small_gpu", "managed_huggingface_scale_to_zero")
"""Options whose cost bends in more places than the fast form has knots."""
DRAWS_LOG2 = 8


@pytest.fixture(scope="module", params=[300, 20_000], ids=["300 Mtok", "20,000 Mtok"])
def both(request: pytest.FixtureRequest) -> tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run]:
    here = situation(demand(request.param), pinned(costing.QUOTE))
    setting = setting_of(here, DrawSet(1, DRAWS_LOG2).of, {})
    options = select_options((*STRAIGHT, *BY_TOKENS, *FLEETS, *BOUGHT, *HARD))
    options = {STATUS_QUO: options[STATUS_QUO], **options}
    terms = terms_of(setting, options)
    return setting, cash_flows(setting, options), terms, run(setting, terms, kept_count=1 << DRAWS_LOG2)


def error(both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run], name: str) -> np.ndarray:
    setting, exact, _, fast = both
    return fast.present(name) / exact[name].present_cost_usd(setting.facts.discount()) - 1


@pytest.mark.parametrize("name", [*STRAIGHT, *BY_TOKENS])
def test_options_whose_months_are_straight_are_exact(
    both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run], name: str
) -> None:
    assert np.abs(error(both, name)).max() < 1e-12
    fast, exact = both[3], both[1][name]
    row = fast.names.index(name)
    assert fast.bills_usd_per_month[row] == pytest.approx(exact.bill_usd_per_month, rel=1e-12)
    assert fast.upfront_usd[row] == pytest.approx(exact.upfront_usd, rel=1e-12)


@pytest.mark.parametrize("name", FLEETS)
def test_fleets_are_exact_in_nearly_every_future(
    both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run], name: str
) -> None:
    found = np.abs(error(both, name))
    assert np.median(found) < 2e-3
    assert np.quantile(found, 0.95) < 0.02


@pytest.mark.parametrize("name", BOUGHT)
def test_hardware_that_is_bought(both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run], name: str) -> None:
    """Whole servers have steps that not every one is a knot of."""
    found = error(both, name)
    assert abs(np.mean(found)) < 0.02
    assert np.median(np.abs(found)) < 0.02
    fast, exact = both[3], both[1][name]
    row = fast.names.index(name)
    assert np.median(np.abs(fast.upfront_usd[row] / exact.upfront_usd - 1)) < 0.02


@pytest.mark.parametrize("name", HARD)
def test_options_with_many_bends_are_near_on_the_whole(
    both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run], name: str
) -> None:
    setting, exact, _, fast = both
    mean = float(np.mean(exact[name].present_cost_usd(setting.facts.discount())))
    assert float(np.mean(fast.present(name))) == pytest.approx(mean, rel=0.03)


@pytest.mark.parametrize("name", sorted(set(discover_options()) - {STATUS_QUO}))
def test_every_option_that_there_is_has_a_fast_form(name: str) -> None:
    """Whatever facts it needs; exact where nothing but tokens counts."""
    setting = setting_of(situation_of(name, demand(3_000)), DrawSet(1, DRAWS_LOG2).of, {})
    options = select_options((STATUS_QUO, name))
    exact = cash_flows(setting, options)[name].present_cost_usd(setting.facts.discount())
    fast = run(setting, terms_of(setting, options)).present(name)
    stairs = options[name].cost(setting.situation, Evaluation(setting.draw)).staircase
    if stairs is None or stairs.of_tokens:
        assert fast == pytest.approx(exact, rel=1e-12)
    assert float(np.mean(fast)) == pytest.approx(float(np.mean(exact)), rel=0.03)
    assert np.median(np.abs(fast / exact - 1)) < 0.03


@pytest.mark.parametrize("volume_mtok", [300, 20_000])
def test_fewest_units_of_which_nobody_is_sure(volume_mtok: float) -> None:
    """A range of the fewest units: each future keeps to its own."""
    range_of = {"low": 1.0, "typical": 2.0, "high": 6.0}
    overrides = {**costing.QUOTE, "replicas_min_count": range_of, "provisioned_units_min_count": range_of}
    here = situation(demand(volume_mtok))
    here = replace(here, scenario=Scenario.model_validate({"overrides": overrides}).facts(here.catalog))
    setting = setting_of(here, DrawSet(1, DRAWS_LOG2).of, {})
    options = select_options((STATUS_QUO, *BY_TOKENS, *FLEETS))
    exact, fast = cash_flows(setting, options), run(setting, terms_of(setting, options))
    discount = setting.facts.discount()
    found = {name: np.abs(fast.present(name) / exact[name].present_cost_usd(discount) - 1) for name in options}
    assert all(found[name].max() < 1e-12 for name in BY_TOKENS)
    for name in FLEETS:
        assert np.median(found[name]) < 2e-3 and np.quantile(found[name], 0.95) < 0.02, name


def test_present_cost_is_the_sum_of_the_cash_it_kept(
    both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run],
) -> None:
    setting, _, _, fast = both
    discount = setting.facts.discount() ** np.arange(1, 37)[:, None]
    for row, name in enumerate(fast.names):
        total = fast.upfront_usd[row] + np.sum(fast.cash_usd_per_month[row] * discount, axis=0)
        assert fast.present(name) == pytest.approx(total, rel=1e-9), name


def test_means_and_odds_are_those_of_the_bills(
    both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run],
) -> None:
    fast = both[3]
    assert fast.mean_usd_per_month == pytest.approx(fast.bills_usd_per_month.mean(axis=2), rel=1e-9)
    lowest = np.argmin(fast.bills_usd_per_month, axis=0)
    for row in range(len(fast.names)):
        assert fast.cheapest_fraction[row] == pytest.approx(np.mean(lowest == row, axis=1), abs=2 / (1 << DRAWS_LOG2))
    assert fast.cheapest_fraction.sum(axis=0) == pytest.approx(np.ones(36))


def test_odds_among_some_rivals_only(both: tuple[Setting, dict[str, CashFlow], tuple[Terms, ...], Run]) -> None:
    setting, _, terms, _ = both
    found = run(setting, terms, rivals=("brokered", "hybrid"))
    shown = {name for row, name in enumerate(found.names) if found.cheapest_fraction[row].any()}
    assert shown <= {"brokered", "hybrid"}


def test_a_delay_of_the_fast_form_is_the_exact_one() -> None:
    setting = setting_of(situation(demand(3_000)), DrawSet(2, 6).of, {})
    options = select_options(("frontier_api", "brokered", "rented_on_demand", "sunk_gpus"))
    exact = cash_flows(setting, options, start_month=6)
    fast = run(setting, terms_of(setting, options), start_month=6, kept_count=64)
    discount = setting.facts.discount()
    for name in options:
        found = np.abs(fast.present(name) / exact[name].present_cost_usd(discount) - 1)
        assert np.median(found) < 2e-3, name


def test_a_still_world_costs_what_its_first_month_costs() -> None:
    still = {
        "volume_growth_fraction_per_month": 0.0,
        "list_price_decline_fraction_per_year": 0.0,
        "model_switching_fraction": 0.0,
        "open_model_switching_fraction": 0.0,
        "gpu_rent_long_run_ratio": 1.0,
        "gpu_rent_volatility_ratio": 0.0,
        "migration_ramp_months": 0.0,
    }
    setting = setting_of(situation(demand(300), scenario=pinned(still)), typical, {})
    options = select_options(("frontier_api", "brokered", "rented_on_demand"))
    found = run(setting, terms_of(setting, options), kept_count=1)
    for row in range(3):
        bills = found.bills_usd_per_month[row, :, 0]
        assert bills == pytest.approx(np.full(36, bills[0]))


@pytest.mark.parametrize("x", [-0.9, -0.3, -1e-9, 0.0, 1e-6, 0.2, 0.69, 1.0])
def test_small_exp(x: float) -> None:
    assert small_exp(x) == pytest.approx(np.exp(x), rel=2e-9)


def test_blocks_do_not_matter() -> None:
    """More draws than a block, and a last block that is not full: the same as each draw alone."""
    draws = DrawSet(5, 9)
    options = select_options(("frontier_api", "brokered", "rented_on_demand"))
    setting = setting_of(situation(demand(3_000)), draws.of, {})
    whole = run(setting, terms_of(setting, options))
    part = setting_of(situation(demand(3_000)), lambda fact: draws.of(fact)[:300], {})
    some = run(part, terms_of(part, options))
    assert np.median(np.abs(some.present_cost_usd / whole.present_cost_usd[:, :300] - 1)) < 1e-9


@pytest.mark.parametrize("start_month", [0, 3])
def test_the_sums_are_the_months(start_month: int) -> None:
    """Present costs by shared sums, and by every month's bill: the same to rounding, hardware and terms included."""
    setting = setting_of(situation(demand(3_000), pinned(costing.QUOTE)), DrawSet(4, 9).of, {})
    options = select_options((*STRAIGHT, *BY_TOKENS, *FLEETS, *BOUGHT, *HARD))
    prepared = prepare(setting, terms_of(setting, {STATUS_QUO: options[STATUS_QUO], **options}))
    months = run_prepared(prepared, start_month=start_month).present_cost_usd
    assert present_only(prepared, start_month=start_month) == pytest.approx(months, rel=1e-12)


def test_the_last_bit_does_not_hang_on_who_may_write() -> None:
    """Kept arrays are read-only and fresh ones are not; an answer is the same."""
    setting = setting_of(situation(demand(3_000), pinned(costing.QUOTE)), DrawSet(4, 12).of, {})
    options = select_options((*STRAIGHT, *BY_TOKENS, *FLEETS, *BOUGHT, *HARD))
    prepared = prepare(setting, terms_of(setting, {STATUS_QUO: options[STATUS_QUO], **options}))
    loadings = prepared.loadings.copy()
    loadings.flags.writeable = not prepared.loadings.flags.writeable
    other = replace(prepared, loadings=loadings)
    assert np.array_equal(present_only(prepared), present_only(other))
    assert np.array_equal(run_prepared(prepared).present_cost_usd, run_prepared(other).present_cost_usd)


_HASHES = """
import hashlib
from breakeven.decision.horizon.exact import setting_of
from breakeven.decision.horizon.run import prepare, present_only, run_prepared
from breakeven.decision.horizon.terms import terms_of
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from costing import demand, situation

setting = setting_of(situation(demand(3_000)), DrawSet(4, 12).of, {})
prepared = prepare(setting, terms_of(setting, select_options(("frontier_api", "rented_spot", "owned_gpus"))))
for found in (present_only(prepared), run_prepared(prepared).present_cost_usd):
    print(hashlib.sha256(found.tobytes()).hexdigest())
"""


def test_the_last_bit_does_not_hang_on_who_compiled(tmp_path: Path) -> None:
    """The first process on a machine compiles the kernels, the next one finds them compiled."""
    tests = Path(costing.__file__).parent
    place = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(tests)}
    command = [sys.executable, "-c", _HASHES]
    first, next_one = (subprocess.run(command, env=place, check=True, capture_output=True).stdout for _ in range(2))
    assert first == next_one and len(first.split()) == 2
    assert list(tmp_path.rglob("*.nbi")), "the second one compiled as well"


def test_a_term_begins_with_the_move() -> None:
    """A one-year rent begun after six months pays what the market asked then."""
    moves = {"gpu_rent_long_run_ratio": 0.25, "gpu_rent_half_life_months": 6.0, "migration_ramp_months": 0.0}
    setting = setting_of(situation(demand(3_000), scenario=pinned(moves)), typical, {})
    options = select_options(("frontier_api", "rented_one_year"))
    exact = cash_flows(setting, options, start_month=6)["rented_one_year"]
    found = run(setting, terms_of(setting, options), start_month=6, kept_count=1)
    assert found.bills_usd_per_month[1, 6:, 0] == pytest.approx(exact.bill_usd_per_month[6:, 0], rel=1e-9)
    now = cash_flows(setting, options)["rented_one_year"]
    assert exact.bill_usd_per_month[7, 0] < now.bill_usd_per_month[7, 0]
