"""Volume bands: each band's answer against costing every option again at that one volume."""

from __future__ import annotations

import numpy as np
import pytest

from answered import DRAWS_LOG2, World, bordered, world
from breakeven.decision.answers.volume_bands import GUIDE, VolumeBand, volume_bands
from breakeven.facts.draws import DrawSet
from breakeven.options.option import Evaluation


def bands_of(here: World) -> tuple[VolumeBand, ...]:
    return volume_bands(here.comparison, here.situation, here.options, here.draws)


@pytest.fixture(scope="module")
def small() -> tuple[VolumeBand, ...]:
    return bands_of(world(300))


def test_the_bands_cover_ten_million_to_a_hundred_billion_without_a_gap(small: tuple[VolumeBand, ...]) -> None:
    assert small[0].guide.from_mtok == 10 and small[-1].guide.to_mtok == 100_000
    assert [each.guide.to_mtok for each in small[:-1]] == [each.guide.from_mtok for each in small[1:]]


def costs_at(here: World, mtok: float) -> dict[str, np.ndarray]:
    """Every open option at one volume, for as many successful outcomes, future by future."""
    draws = DrawSet(draws_log2=DRAWS_LOG2)
    evaluation = Evaluation(draws.of, np.array([mtok]))
    base = here.options["frontier_api"].cost(here.situation, evaluation)
    found = {}
    for each in here.comparison.options:
        if not each.cost.only_if and each.same_as is None:
            cost = here.options[each.name].cost(here.situation, evaluation)
            value = cost.total.value * base.success.value / cost.success.value
            found[each.name] = np.broadcast_to(value, (draws.draws_count,))
    return found


@pytest.mark.parametrize("index", range(len(GUIDE)))
def test_each_band_is_what_costing_at_its_middle_says(small: tuple[VolumeBand, ...], index: int) -> None:
    band = small[index]
    costs = costs_at(world(300), band.guide.middle_mtok)
    means = {name: float(np.mean(value)) for name, value in costs.items()}
    ranked = sorted(means, key=means.__getitem__)
    assert band.best.name == ranked[0]
    assert band.runner_up is not None and band.runner_up.name == ranked[1]
    assert band.best.usd_per_month.mean == pytest.approx(means[ranked[0]])
    floor = np.min(np.stack(list(costs.values())), axis=0)
    assert band.regret_usd_per_month == pytest.approx(float(np.mean(costs[ranked[0]] - floor)))
    assert band.probability_fraction == pytest.approx(float(np.mean(costs[ranked[0]] <= floor)))


@pytest.mark.parametrize("index", range(len(GUIDE)))
def test_the_ends_are_looked_at_too(small: tuple[VolumeBand, ...], index: int) -> None:
    band = small[index]
    for mtok, name in ((band.guide.from_mtok, band.best_at_low), (band.guide.to_mtok, band.best_at_high)):
        means = {each: float(np.mean(value)) for each, value in costs_at(world(300), mtok).items()}
        assert name == min(means, key=means.__getitem__)


def test_the_band_of_the_log_is_marked() -> None:
    here = [each.guide.from_mtok for each in bands_of(world(2_000)) if each.is_here]
    assert here == [500]


def test_agreement_is_by_the_guides_kind_and_nothing_is_claimed_where_it_is_silent(
    small: tuple[VolumeBand, ...],
) -> None:
    by_start = {each.guide.from_mtok: each for each in small}
    assert by_start[5_000].agrees is None and by_start[5_000].guides_best is None
    for band in small:
        if band.guide.says:
            assert band.guides_best is not None
            assert band.agrees == (band.guides_best.name == band.best.name)
            assert band.guides_best.usd_per_month.mean >= band.best.usd_per_month.mean


def test_the_driver_is_the_largest_line(small: tuple[VolumeBand, ...]) -> None:
    band = small[-1]
    cost = (
        world(300)
        .options[band.best.name]
        .cost(world(300).situation, Evaluation(DrawSet(draws_log2=DRAWS_LOG2).of, np.array([band.guide.middle_mtok])))
    )
    means = {line.title: float(np.mean(line.usd_per_month.value)) for line in cost.breakdown.counted}
    largest = max(means, key=means.__getitem__)
    assert band.best.drivers[0].title == largest
    assert band.best.drivers[0].cost_fraction == pytest.approx(means[largest] / sum(means.values()))


def test_an_excluded_option_is_nobodys_answer() -> None:
    names = {each.best.name for each in bands_of(bordered("own_vpc"))}
    assert names <= {"rented_one_year", "rented_spot", "rented_on_demand", "owned_gpus", "small_gpu"}
