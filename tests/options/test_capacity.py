"""Capacity of a replica: the fitted model within latency targets, with its measured error, as every fleet reads it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.decision.compare import typical
from breakeven.decision.scenario import RangeOverride, Scenario
from breakeven.errors import CatalogError, ScenarioError
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.assembly.deployment import deployment, ollama_deployment
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost, Situation
from breakeven.serving.calibrate import DeploymentKey, fit_correction
from breakeven.serving.prediction.capacity import capacity_error, replica_timing
from breakeven.serving.traffic.fluid import Lengths, max_rate_req_per_s, saturated_req_per_s
from breakeven.workload.lengths import LengthSpread
from costing import AS_OF, PRICES, demand, demand_by_task, pinned, situation

OPTIONS = discover_options()
CATALOG = load_catalog(AS_OF)
CAPACITY, RATIO = "replica_capacity_req_per_s", "capacity_measured_over_model_ratio"


def cost(here: Situation, name: str = "rented_on_demand", draws: DrawSet | None = None) -> OptionCost:
    return OPTIONS[name].cost(here, Evaluation(draws.of if draws else typical))


def fact(found: OptionCost, name: str) -> Node:
    return next(each for each in found.facts if each.name == name)


def inputs_of(node: Node) -> dict[str, Node]:
    return {each.name: each for each in node.inputs}


def test_it_is_the_fluid_models_rate_for_the_fitted_timing() -> None:
    """The whole chain again: 1,600 tokens in, 400 out, three quarters of the cached half kept, 2 s and 50 ms."""
    node = fact(cost(situation(demand(2100, cache_read_fraction=0.4))), CAPACITY)
    replica = deployment(CATALOG, "gpt-oss-120b", "H100-SXM-80").on(1)
    lengths = Lengths.of(1600, 400, input_cv2_ratio=1, output_cv2_ratio=1, cached_fraction=0.5 * 0.75)
    wanted = max_rate_req_per_s(replica_timing(replica, 1600, 400), lengths, ttft_s=2.0, tpot_s=0.05)
    assert float(node.value.flat[0]) == pytest.approx(float(wanted), rel=0.005)
    assert set(inputs_of(node)) == {
        "input_tokens_per_request",
        "output_tokens_per_request",
        "input_cv2_ratio",
        "output_cv2_ratio",
        "cached_fraction",
        "gpus_per_replica_count",
        "ttft_target_ms",
        "tpot_target_ms",
        RATIO,
    }
    assert node.source is not None
    assert "fitted to public measurements" in node.source.title


@pytest.mark.parametrize("gpu", ["H100-SXM-80", "B200-SXM-180", "L40S"])
def test_its_error_enters_the_draws_as_wide_as_held_out_rows_were_off(gpu: str) -> None:
    found = cost(situation(demand(2100), gpu=gpu, open_model="Qwen3-8B"), draws=DrawSet(draws_log2=13))
    node = fact(found, RATIO)
    regime, interval = capacity_error(deployment(CATALOG, "Qwen3-8B", gpu).on(1))
    p10, p50, p90 = np.quantile(node.value, (0.1, 0.5, 0.9))
    assert (p10, p50, p90) == pytest.approx((1 / interval, 1, interval), rel=0.01)
    assert node.assumption is not None
    assert node.assumption.dimension == 51
    assert node.assumption.note.startswith(f"{regime}: median error")
    assert "held-out rows" in node.assumption.note
    low, high = np.quantile(fact(found, CAPACITY).value, (0.1, 0.9))
    assert high / low > interval  # slower iterations are tighter targets too


def test_a_scenario_may_set_the_error() -> None:
    doubled = cost(situation(demand(2100), pinned({RATIO: 2.0})))
    plain = cost(situation(demand(2100)))
    assert float(fact(doubled, CAPACITY).value.flat[0]) > 2 * float(fact(plain, CAPACITY).value.flat[0])
    wider = RangeOverride(low=0.5, typical=1.0, high=2.0)
    assert Scenario(overrides={RATIO: wider}).facts(CATALOG)[RATIO].high == 2.0


def test_tighter_targets_leave_less() -> None:
    found = [
        float(fact(cost(situation(demand(2100), pinned({"tpot_target_ms": each}))), CAPACITY).value.flat[0])
        for each in (10, 25, 50, 200)
    ]
    assert found == sorted(found)
    assert found[0] < 0.6 * found[-1]


def test_targets_may_be_ranges() -> None:
    given = {"tpot_target_ms": RangeOverride(low=20, typical=40, high=80)}
    facts = Scenario(overrides=given).facts(CATALOG)
    draws = DrawSet(draws_log2=9)
    found = fact(cost(situation(demand(2100), facts), draws=draws), CAPACITY)
    certain = fact(cost(situation(demand(2100)), draws=draws), CAPACITY)
    targets = inputs_of(found)["tpot_target_ms"].value
    at = np.argsort(targets)
    part = found.value / certain.value  # the same draws of everything else
    assert np.corrcoef(np.log(targets), np.log(part))[0, 1] > 0.9
    assert part[at[:50]].mean() < 0.8 < 1 < part[at[-50:]].mean()


def test_more_gpus_where_fewer_are_too_slow() -> None:
    """Two H100 hold 70 B at 16 bit, and read the prompts of the slowest twentieth in more than 450 ms."""
    of = demand(2100, 1800, output_fraction=1 / 6)
    sizes = [
        float(
            inputs_of(fact(cost(situation(of, pinned({"ttft_target_ms": each}), **SEVENTY)), CAPACITY))[
                "gpus_per_replica_count"
            ].value
        )
        for each in (2000, 450)
    ]
    assert sizes == [2, 4]


SEVENTY = {"open_model": "Llama-3.3-70B", "precision": "bf16"}


def test_a_target_that_nothing_meets_is_refused_with_numbers() -> None:
    here = situation(demand(2100), pinned({"tpot_target_ms": 1.0}), **SEVENTY)
    with pytest.raises(CatalogError, match=r"too slow: on 8 GPU\(s\) .* within [\d,]+ ms .* wanted 2,000 and 1.0 ms"):
        cost(here)


def test_a_measured_capacity_asks_for_no_target() -> None:
    facts = pinned({"tpot_target_ms": 1.0, CAPACITY: 0.5})
    assert float(fact(cost(situation(demand(2100), facts, **SEVENTY)), CAPACITY).value.flat[0]) == 0.5


def test_futures_in_which_a_lone_request_is_late_are_dear_and_said() -> None:
    """The target stands just above what a lone request takes: in nearly half of the futures it takes longer."""
    replica = deployment(CATALOG, "Llama-3.3-70B", "H100-SXM-80", "bf16").on(2)
    sizes = {"input_cv2_ratio": 0.0, "output_cv2_ratio": 0.0, "prefix_cache_kept_fraction": 0.0}
    timing = replica_timing(replica, 1600, 400)
    lone_ms = next(
        each
        for each in np.linspace(20, 60, 801)
        if max_rate_req_per_s(timing, Lengths.of(1600, 400), tpot_s=each / 1e3)
    )
    here = situation(demand(2100), pinned({**sizes, "tpot_target_ms": lone_ms}), gpus_per_replica_count=2, **SEVENTY)
    node = fact(cost(here, draws=DrawSet(draws_log2=9)), CAPACITY)
    assert np.isfinite(node.value).all()
    assert (node.value > 0).all()
    assert "of the futures even a lone request misses one" in node.summary
    assert "futures" not in fact(cost(situation(demand(2100)), draws=DrawSet(draws_log2=9)), CAPACITY).summary


def test_ollama_is_limited_by_the_requests_it_answers_at_once() -> None:
    facts = {"ollama_parallel_count": 3.0, "ollama_over_vllm_capacity_ratio": 0.5}
    node = fact(cost(situation(demand(2100), pinned(facts)), "small_gpu"), CAPACITY)
    replica = ollama_deployment(CATALOG, "Qwen3-8B", "L4").on(1)
    timing = replace(replica_timing(replica, 1600, 400), sequences_max_count=3)
    wanted = saturated_req_per_s(timing, Lengths.of(1600, 400, input_cv2_ratio=1, output_cv2_ratio=1))
    assert float(node.value.flat[0]) == pytest.approx(float(wanted) / 2, rel=0.002)
    assert {"ollama_parallel_count", "ollama_over_vllm_capacity_ratio"} <= set(inputs_of(node))
    more = fact(cost(situation(demand(2100), pinned({**facts, "ollama_parallel_count": 8.0})), "small_gpu"), CAPACITY)
    assert more.value > node.value


def test_any_model_can_be_quantised_for_ollama() -> None:
    here = situation(demand(2100), small_model="Mixtral-8x7B", small_gpu="L40S")
    assert cost(here, "small_gpu").buys == "Mixtral-8x7B Q4_K_M on L40S, Ollama, on-demand"


def test_lengths_of_the_log_win_over_the_guess_and_lose_to_the_scenario() -> None:
    of = demand(2100)
    spread = LengthSpread(100.0, 1600.0, 400.0, 3.0, 0.2)
    log = replace(of, models=tuple(replace(each, lengths=spread) for each in of.models))
    plain, seen, said = (
        inputs_of(fact(cost(here), CAPACITY))["input_cv2_ratio"]
        for here in (situation(of), situation(log), situation(log, pinned({"input_cv2_ratio": 0.5})))
    )
    assert [float(each.value.flat[0]) for each in (plain, seen, said)] == [1.0, 3.0, 0.5]
    assert seen.source == of.source
    with pytest.raises(ScenarioError, match=r"input_cv2_ratio.*one number"):
        Scenario(overrides={"input_cv2_ratio": RangeOverride(low=0.5, typical=1, high=2)}).facts(CATALOG)


def test_bursts_of_the_log_win_over_the_guess_and_lose_to_the_scenario() -> None:
    of = replace(demand(2_000_000), burst_headroom_ratio=2.6)
    fleets = [
        float(fact(cost(here), "replicas_count").value.flat[0])
        for here in (situation(demand(2_000_000)), situation(of), situation(of, pinned({"burst_headroom_ratio": 1.3})))
    ]
    assert fleets[0] == fleets[2]
    assert fleets[1] == pytest.approx(2 * fleets[0], rel=0.1)


def test_the_moved_tasks_have_lengths_of_their_own() -> None:
    of = demand_by_task(
        [
            {"task": "faq", "volume_mtok_per_month": 1500, "tokens_per_request": 1000},
            {"task": "drafting", "volume_mtok_per_month": 500, "tokens_per_request": 5000},
        ],
        PRICES,
    )
    (model,) = of.models
    faq, drafting = LengthSpread(15.0, 800.0, 200.0, 0.1, 0.2), LengthSpread(1.0, 4000.0, 1000.0, 0.3, 0.4)
    tasks = tuple(replace(each, lengths=mine) for each, mine in zip(model.by_task, (faq, drafting), strict=True))
    whole = LengthSpread.of_sums(16.0, (16_000.0, 26_640_000.0), (4_000.0, 2_120_000.0))
    log = replace(of, models=(replace(model, by_task=tasks, lengths=whole),))
    node = fact(cost(situation(log), "hybrid"), CAPACITY)
    assert float(inputs_of(node)["output_cv2_ratio"].value) == pytest.approx(0.2)


def test_measurements_of_ones_own_replace_the_error_of_the_model() -> None:
    key = DeploymentKey("gpt-oss-120b", "H100-SXM-80", 1, "fp4", "vllm")
    concurrency = (1.0, 4.0, 16.0, 64.0, 128.0, 256.0)
    predicted = (100.0, 300.0, 900.0, 2000.0, 2500.0, 3000.0)
    slow = tuple(0.6 * each for each in predicted)
    own = fit_correction(
        concurrency, slow, predicted, key=key, measured_on=date(2026, 11, 20), source_title="our endpoint"
    )
    here = situation(demand(2100))
    mine = replace(here, choices=replace(here.choices, measured=(own,)))
    plain, found = (cost(each, draws=DrawSet(draws_log2=10)) for each in (here, mine))
    node = fact(found, CAPACITY)
    assert node.summary.endswith("; measured on your endpoint (6 points, 2026-11-20)")
    assert node.source is not None
    assert (node.source.title, node.source.grade.value) == ("our endpoint", "measured")
    assert np.median(node.value) < 0.75 * np.median(fact(plain, CAPACITY).value)
    assert np.ptp(np.log(fact(found, RATIO).value)) < np.ptp(np.log(fact(plain, RATIO).value))
    assert "measured on your endpoint (6 points" in found.buys
    assert "measured" not in plain.buys
    elsewhere = replace(mine, choices=replace(mine.choices, gpu="H200-SXM-141"))
    assert "measured on your endpoint" not in fact(cost(elsewhere), CAPACITY).summary
