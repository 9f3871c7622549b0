"""The rate table against the fluid model's own search, point by point."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from breakeven.catalog.load import load_catalog
from breakeven.serving.prediction.capacity import replica_timing
from breakeven.serving.prediction.deployment import Deployment
from breakeven.serving.traffic.fluid import Lengths, max_rate_req_per_s, saturated_req_per_s, steady
from breakeven.serving.traffic.rate_table import RateTable
from breakeven.serving.traffic.replica_timing import ReplicaTiming

CATALOG = load_catalog(date(2026, 11, 23))
CACHED_MAX = 0.7
REPLICAS = [
    ("gpt-oss-120b", "H100-SXM-80", 1, "fp4", (1500, 300, 1.0, 1.0)),
    ("Llama-3.3-70B", "H100-SXM-80", 2, "bf16", (1500, 300, 0.5, 2.0)),
    ("Qwen3-8B", "L4", 1, "fp8", (800, 300, 1.0, 0.5)),
    ("Qwen3-8B", "H100-SXM-80", 1, "bf16", (4000, 1, 0.0, 0.0)),
]


def timing_of(model: str, gpu: str, gpus: int, precision: str, inputs: float, outputs: float) -> ReplicaTiming:
    return replica_timing(Deployment(CATALOG.models[model], CATALOG.gpus[gpu], gpus, precision), inputs, outputs)


def of(sizes: tuple[float, ...], cached: object = 0.0) -> Lengths:
    inputs, outputs, input_cv2, output_cv2 = sizes
    return Lengths.of(
        inputs,
        outputs,
        input_cv2_ratio=input_cv2,
        output_cv2_ratio=output_cv2,
        cached_fraction=cached,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("model", "gpu", "gpus", "precision", "sizes"), REPLICAS)
def test_it_is_within_half_a_percent_of_the_search(
    model: str, gpu: str, gpus: int, precision: str, sizes: tuple[float, ...]
) -> None:
    """Far from where a target cannot be met at all the rate is right by itself; near it, next to what is sustained."""
    rng = np.random.default_rng(0)
    slow, cached = np.exp(rng.normal(0, 0.2, 300)), rng.uniform(0, CACHED_MAX, 300)
    timing = timing_of(model, gpu, gpus, precision, *sizes[:2])
    table = RateTable.of(timing, of(sizes), CACHED_MAX)
    most = max_rate_req_per_s(timing, of(sizes, cached), time_ratio=slow)
    assert table.max_rate_req_per_s(time_ratio=slow, cached_fraction=cached) == pytest.approx(most, rel=0.002)
    for ttft_s, tpot_s in ((2.0, 0.05), (rng.uniform(0.3, 4, 300), rng.uniform(0.01, 0.1, 300))):
        wanted = max_rate_req_per_s(timing, of(sizes, cached), ttft_s=ttft_s, tpot_s=tpot_s, time_ratio=slow)
        found = table.max_rate_req_per_s(ttft_s=ttft_s, tpot_s=tpot_s, time_ratio=slow, cached_fraction=cached)
        assert np.all(np.abs(found - wanted) <= np.maximum(0.005 * wanted, 0.003 * most))
        assert np.median(np.abs(found - wanted)[wanted > 0] / wanted[wanted > 0]) < 0.002


def test_without_cached_input_there_is_one_node() -> None:
    timing = timing_of("Qwen3-8B", "L4", 1, "fp8", 800, 300)
    table = RateTable.of(timing, of((800, 300, 1.0, 1.0)), 0.0)
    assert table.cached_fractions.tolist() == [0.0]
    assert float(table.max_rate_req_per_s()) == pytest.approx(
        float(saturated_req_per_s(timing, of((800, 300, 1.0, 1.0))))
    )


def test_a_target_below_that_of_a_lone_request_is_never_met() -> None:
    sizes = (1500.0, 300.0, 1.0, 1.0)
    timing = timing_of("Qwen3-8B", "L4", 1, "fp8", *sizes[:2])
    table = RateTable.of(timing, of(sizes), 0.0)
    lone_ttft_s, lone_tpot_s = table.lone_latencies_s()
    alone = steady(timing, 0.0, of(sizes))
    assert (lone_ttft_s, lone_tpot_s) == pytest.approx((float(alone.ttft_quantile_s), float(alone.tpot_quantile_s)))
    for ttft, tpot in ((0.99 * lone_ttft_s, 9.0), (99.0, 0.99 * lone_tpot_s)):
        assert float(table.max_rate_req_per_s(ttft_s=ttft, tpot_s=tpot)) == 0
        assert float(table.max_rate_req_per_s(ttft_s=ttft, tpot_s=tpot, time_ratio=0.9)) > 0
    assert float(table.max_rate_req_per_s(ttft_s=1.01 * lone_ttft_s, tpot_s=1.01 * lone_tpot_s)) > 0


def test_requests_one_after_the_other_take_their_own_time() -> None:
    sizes = (1500.0, 300.0, 0.0, 0.0)
    timing = timing_of("Qwen3-8B", "H100-SXM-80", 1, "bf16", *sizes[:2])
    table = RateTable.of(timing, of(sizes), 0.0)
    alone = steady(timing, 0.0, of(sizes))
    wanted = 1 / (float(alone.ttft_mean_s) + 299 * float(alone.tpot_mean_s))
    assert float(table.rate_alone_req_per_s()) == pytest.approx(wanted)
    assert float(table.rate_alone_req_per_s(time_ratio=2.0)) == pytest.approx(wanted / 2)
