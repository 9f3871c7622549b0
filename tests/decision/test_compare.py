"""The comparison: odds, break-evens and levers agree with one another and with a recomputation by hand."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.decision.compare import STATUS_QUO, compare, typical
from breakeven.decision.comparison import Comparison
from breakeven.decision.recommendation import recommend
from breakeven.errors import UnknownPrice
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options, select_options
from breakeven.options.option import Evaluation, Option
from costing import demand, pinned, situation

DRAWS_LOG2 = 9


@pytest.fixture(scope="module")
def small() -> Comparison:
    return compare(situation(demand(300)), discover_options(), DrawSet(draws_log2=DRAWS_LOG2))


@pytest.fixture(scope="module")
def big() -> Comparison:
    """40 billion tokens a month: far right of the break-even."""
    return compare(situation(demand(40_000)), discover_options(), DrawSet(draws_log2=DRAWS_LOG2))


def open_to_everybody(found: Comparison) -> dict[str, Option]:
    """The options that were costed and that anybody may take."""
    names = [each.name for each in found.options if not each.cost.only_if]
    return {name: option for name, option in discover_options().items() if name in names}


def test_odds_add_up_to_one(small: Comparison) -> None:
    everybody = [each for each in small.options if not each.cost.only_if]
    assert len(everybody) < len(small.options)
    assert sum(each.cheapest_fraction for each in everybody) == pytest.approx(1)
    assert sum(each.cheapest_with_losses_fraction for each in everybody) == pytest.approx(1)


def test_odds_are_counted_on_shared_draws(small: Comparison) -> None:
    draws = DrawSet(draws_log2=DRAWS_LOG2)
    costs = {
        name: option.cost(situation(demand(300)), Evaluation(draws.of)).cost_per_success.value
        for name, option in open_to_everybody(small).items()
    }
    for each in small.options:
        others = np.min([value for name, value in costs.items() if name != each.name], axis=0)
        if each.cost.only_if:
            continue
        assert each.cheapest_fraction == pytest.approx(np.mean(costs[each.name] < others))


def test_options_are_sorted_by_median_cost_per_success(small: Comparison) -> None:
    medians = [each.usd_per_success.p50 for each in small.options]
    assert medians == sorted(medians)


def test_the_lowest_expected_cost_per_success_is_recommended(small: Comparison) -> None:
    advice = recommend(small)
    assert advice.option.usd_per_success.mean == min(each.usd_per_success.mean for each in small.options)
    assert ("median" in advice.disagreements) == (small.options[0].name != advice.option.name)


def test_the_status_quo_has_no_extra_cost(small: Comparison) -> None:
    extra = small.option(STATUS_QUO).extra_usd_per_month
    assert (extra.p10, extra.p50, extra.p90, extra.mean) == (0, 0, 0, 0)


def test_the_envelope_is_the_cheapest_option_at_random_volumes(small: Comparison) -> None:
    """Brute force: cost every option again at each volume and compare, for equal successful outcomes."""
    rng = np.random.default_rng(5)
    volumes = np.sort(np.exp(rng.uniform(np.log(11), np.log(99_000), 300)))
    costs = {
        name: option.cost(situation(demand(300)), Evaluation(typical, volumes))
        for name, option in open_to_everybody(small).items()
    }
    base = costs[STATUS_QUO].success.value
    names = list(costs)
    equal = np.stack([np.broadcast_to(c.total.value * base / c.success.value, volumes.shape) for c in costs.values()])
    for volume, column in zip(volumes, equal.T, strict=True):
        stretch = next(s for s in small.envelope.stretches if s.from_mtok < volume <= s.to_mtok)
        assert column[names.index(stretch.option)] == pytest.approx(column.min(), rel=1e-9)


def test_bands_bracket_the_median_and_carry_the_odds(small: Comparison) -> None:
    odds = np.sum([band.cheapest_fraction for band in small.bands], axis=0)
    assert odds == pytest.approx(np.ones_like(odds))
    for band in small.bands:
        assert np.all(band.p10_usd_per_month <= band.p50_usd_per_month)
        assert np.all(band.p50_usd_per_month <= band.p90_usd_per_month)
        assert small.typical_volume_mtok in band.volumes_mtok


def test_self_hosting_wins_against_the_api_at_large_volume(big: Comparison) -> None:
    """In the median: correcting failed answers by hand may cost more than the tokens saved, if they fail often."""
    assert big.option("rented_spot").extra_usd_per_month.p50 < 0
    pair = next(each for each in big.pairs if each.option == "rented_on_demand")
    assert pair.report.b_always_above_mtok is not None
    assert pair.report.b_always_above_mtok < 40_000


def test_a_lever_is_the_gap_recomputed_with_one_fact_moved(small: Comparison) -> None:
    best = recommend(small)
    assert best.rival is not None
    lever = next(each for each in small.levers if each.name == "engineer_usd_per_year")
    options = discover_options()

    def gap(salary: float) -> float:
        here = situation(demand(300), pinned({"engineer_usd_per_year": salary}))
        costs = {
            name: options[name].cost(here, Evaluation(typical))
            for name in (best.rival.name, best.option.name, STATUS_QUO)
        }
        base = costs[STATUS_QUO].success.value
        rival, mine = (
            costs[n].total.value * base / costs[n].success.value for n in (best.rival.name, best.option.name)
        )
        return float((rival - mine).flat[0])

    assert lever.gap_at_low_usd_per_month == pytest.approx(gap(210_000), rel=1e-9)
    assert lever.gap_at_high_usd_per_month == pytest.approx(gap(420_000), rel=1e-9)


def test_levers_come_largest_swing_first(small: Comparison) -> None:
    swings = [each.swing_usd_per_month for each in small.levers]
    assert swings == sorted(swings, reverse=True)


def test_an_option_without_a_price_is_listed_not_counted() -> None:
    catalog = situation(demand(1)).catalog
    on_spot = {offer.gpu for offer in catalog.gpu_offers.values() if offer.term == "spot"}
    gpu = min(set(catalog.gpus) - on_spot)
    here = situation(demand(300), gpu=gpu)
    result = compare(here, discover_options(), DrawSet(draws_log2=6))
    reasons = {each.name: each.reason for each in result.unavailable}
    assert f"no offer to rent '{gpu}' on terms 'spot'" in reasons["rented_spot"]
    assert "needs your quote" in reasons["provisioned"]
    assert {"frontier_api", "brokered"} <= {each.name for each in result.options}
    assert not reasons.keys() & {each.name for each in result.options}


def test_without_a_before_there_is_no_comparison() -> None:
    with pytest.raises(UnknownPrice, match="cannot be costed"):
        compare(situation(demand(300)), {"brokered": discover_options()["brokered"]}, DrawSet(draws_log2=6))


def test_staying_is_recommended_when_the_api_alone_is_cheap() -> None:
    """300 Mtok a month, today's API or a fleet: two replicas and half an engineer cannot win."""
    options = select_options((STATUS_QUO, "rented_on_demand", "rented_spot", "hybrid"))
    advice = recommend(compare(situation(demand(300)), options, DrawSet(draws_log2=DRAWS_LOG2)))
    assert advice.stays
    assert advice.confidence == "clear"
    assert advice.saves_usd_per_month is not None
    assert advice.saves_usd_per_month.p10 > 0


def test_the_same_seed_gives_the_same_comparison() -> None:
    one, two = (compare(situation(demand(300)), discover_options(), DrawSet(3, 8)) for _ in range(2))
    assert [each.usd_per_month for each in one.options] == [each.usd_per_month for each in two.options]
    assert one.envelope == two.envelope
