"""What holds for every option: Sources for each Fact, costs that rise with volume, and the serving model behind."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.catalog.load import load_catalog
from breakeven.decision.compare import typical
from breakeven.errors import CatalogError, UnknownName, UnknownPrice
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Layer
from breakeven.options.discover import discover_options, options_said, select_options
from breakeven.options.option import Evaluation
from costing import AS_OF, demand, pinned, situation, situation_of

OPTIONS = discover_options()
NAMES = sorted(OPTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_each_leaf_has_a_source_or_was_worked_out_in_words(name: str) -> None:
    cost = OPTIONS[name].cost(situation_of(name, demand(2100)), Evaluation(typical))
    for line in cost.breakdown.lines:
        for leaf in line.usd_per_month.leaves().values():
            assert leaf.source is not None or leaf.summary, f"{line.name}: {leaf.name} comes from nowhere"
            if leaf.layer is not Layer.DERIVED:
                assert leaf.source is not None
                assert leaf.source.title
                assert leaf.source.link


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(low=st.floats(1, 50_000), ratio=st.floats(1.0, 50.0))
def test_costs_rise_with_volume(name: str, low: float, ratio: float) -> None:
    volumes = np.array([low, low * ratio])
    totals = OPTIONS[name].cost(situation_of(name, demand(2100)), Evaluation(typical, volumes)).total.value
    assert totals[1] >= totals[0] * (1 - 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_curve_through_the_observed_volume_is_the_costed_option(name: str) -> None:
    here = situation_of(name, demand(2100))
    alone = OPTIONS[name].cost(here, Evaluation(typical)).total.value
    on_curve = OPTIONS[name].cost(here, Evaluation(typical, np.array([2100.0]))).total.value
    assert on_curve == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("name", ["rented_on_demand", "rented_spot", "hybrid"])
def test_the_cost_is_a_line_between_the_steps_it_names(name: str) -> None:
    here = situation_of(name, demand(2100))
    stair = OPTIONS[name].cost(here, Evaluation(typical)).staircase
    assert stair is not None
    edges = stair.steps_mtok(stair.step_mtok * 6.5)
    assert edges.size >= 3
    for left, right in pairwise(edges):
        inside = np.linspace(left, right, 7)[1:-1]
        totals = OPTIONS[name].cost(here, Evaluation(typical, inside)).total.value
        assert np.allclose(np.diff(totals, 2), 0, atol=1e-6 * totals.max())
    low, high = (OPTIONS[name].cost(here, Evaluation(typical, edges[:1] * f)).total.value for f in (1 - 1e-9, 1 + 1e-9))
    assert high[0] > low[0] + 1000  # one more replica


def test_the_same_name_is_the_same_draws_in_every_option() -> None:
    draws = DrawSet(draws_log2=8)
    salaries = []
    for name in ("frontier_api", "brokered", "rented_on_demand"):
        cost = OPTIONS[name].cost(situation_of(name, demand(2100)), Evaluation(draws.of))
        labour = next(line for line in cost.breakdown.lines if line.name == "engineering_labour")
        salaries.append(labour.usd_per_month.leaves()["engineer_usd_per_year"].value)
    assert np.array_equal(salaries[0], salaries[1])
    assert np.array_equal(salaries[0], salaries[2])


def test_a_model_that_does_not_fit_says_so_with_numbers() -> None:
    here = situation(demand(2100), open_model="Llama-3.1-405B", precision="bf16", gpus_per_replica_count=8)
    with pytest.raises(CatalogError, match=r"does not fit: 812 GB of weights .* on 8 GPU\(s\) of 86 GB"):
        OPTIONS["rented_on_demand"].cost(here, Evaluation(typical))


def test_seventy_billion_at_16_bit_needs_two_h100() -> None:
    """141 GB of weights do fit on two H100 by what nvidia-smi shows, with KV cache to spare."""
    here = situation(demand(2100), open_model="Llama-3.3-70B", precision="bf16")
    cost = OPTIONS["rented_on_demand"].cost(here, Evaluation(typical))
    gpus = next(fact for fact in cost.facts if fact.name == "gpus_count")
    replicas = next(fact for fact in cost.facts if fact.name == "replicas_count")
    assert float(gpus.value.flat[0] / replicas.value.flat[0]) == 2


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match="did you mean 'gpt-oss-120b'"):
        OPTIONS["rented_on_demand"].cost(situation(demand(1), open_model="gpt-oss-12b"), Evaluation(typical))
    with pytest.raises(UnknownName, match="did you mean 'H100-SXM-80'"):
        OPTIONS["rented_spot"].cost(situation(demand(1), gpu="H100-SXM"), Evaluation(typical))
    with pytest.raises(UnknownName, match="did you mean 'brokered'"):
        select_options(("brokerd",))


def test_short_names_and_groups_stand_for_options() -> None:
    assert options_said(("api", "brokered", "spot", "owned")) == (
        "frontier_api",
        "brokered",
        "rented_spot",
        "owned_gpus",
    )
    assert options_said(("rented", "rented_spot")) == ("rented_on_demand", "rented_spot", "rented_one_year")
    assert all(each.startswith("managed_") for each in options_said(("managed",)))
    assert options_said(()) == ()
    with pytest.raises(UnknownName, match="did you mean 'spot'"):
        options_said(("spto",))


def test_a_gpu_without_an_offer_is_unpriced_not_free() -> None:
    catalog = load_catalog(AS_OF)
    on_spot = {offer.gpu for offer in catalog.gpu_offers.values() if offer.term == "spot"}
    gpu = min(set(catalog.gpus) - on_spot)
    with pytest.raises(UnknownPrice, match=f"no offer to rent '{gpu}'"):
        OPTIONS["rented_spot"].cost(situation(demand(1), gpu=gpu), Evaluation(typical))


def test_a_measured_capacity_wins_over_the_serving_model() -> None:
    facts = pinned({"replica_capacity_req_per_s": 0.25})
    cost = OPTIONS["rented_on_demand"].cost(situation(demand(2100), facts), Evaluation(typical))
    node = next(fact for fact in cost.facts if fact.name == "replica_capacity_req_per_s")
    assert (node.layer, float(node.value.flat[0])) == (Layer.SCENARIO, 0.25)


def test_hybrid_at_share_zero_and_one_bounds() -> None:
    """At share 1 the hybrid pays the fleet of the whole volume plus the API's standing costs."""
    here = {
        share: situation(demand(2100), pinned({"hybrid_commodity_share_fraction": share, "success_fraction": 0.9}))
        for share in (0.999999, 0.5)
    }
    alone = situation(demand(2100), pinned({"success_fraction": 0.9}))
    whole = OPTIONS["rented_on_demand"].cost(alone, Evaluation(typical))
    hybrid = OPTIONS["hybrid"].cost(here[0.999999], Evaluation(typical))
    by_name = {line.name: float(line.usd_per_month.value.flat[0]) for line in hybrid.breakdown.lines}
    for line in whole.breakdown.lines:
        assert by_name[f"fleet_{line.name}"] == pytest.approx(float(line.usd_per_month.value.flat[0]), rel=1e-4)
    assert by_name["api_tokens"] == pytest.approx(0, abs=0.1)
