"""The timing that traffic is played against is the step time of the model, and the simulation gives its throughput."""

from __future__ import annotations

import numpy as np
import pytest

from breakeven.serving.prediction.capacity import replica_timing
from breakeven.serving.prediction.columns import columns
from breakeven.serving.prediction.fitted_model import shipped_model
from breakeven.serving.prediction.step_time import times
from breakeven.serving.prediction.timings import replica_timings
from breakeven.serving.traffic.simulate import closed_loop
from deployments import deployment, point

V = shipped_model().values
POINTS = [
    point(load=(500, 1500, 32)),
    point("gpt-oss-120b", "H200", 1, load=(500, 1500, 32)),
    point("Llama-3.3-70B", "H100", 4, "fp8", load=(500, 1500, 8)),
    point("DeepSeek-V3", "H200", 8, "fp8", load=(500, 1500, 64)),
]


def test_an_iteration_takes_a_decode_step() -> None:
    c = columns(POINTS)
    found = times(c, V)
    for i, timing in enumerate(replica_timings(c, V)):
        batch = float(c.concurrency_count[i])
        held = batch * float(c.input_tokens[i] + c.output_tokens[i] / 2)
        assert timing.iteration_s(batch, held) == pytest.approx(float(found.step_s[i]), rel=0.02)


def test_slower_times_scale_everything() -> None:
    c = columns(POINTS)
    for plain, slow in zip(replica_timings(c, V), replica_timings(c, V, slower_ratio=2.0), strict=True):
        assert slow.iteration_s(8, 1000, 500, 1e5) == pytest.approx(2 * plain.iteration_s(8, 1000, 500, 1e5))


def test_the_simulation_gives_the_models_throughput_where_decoding_dominates() -> None:
    """Two roads to one figure: the closed form, and playing every iteration."""
    c = columns(POINTS)
    clients = c.concurrency_count.astype(int)
    loop = closed_loop(replica_timings(c, V), clients, c.input_tokens.astype(int), c.output_tokens.astype(int))
    assert np.allclose(loop.steady_output_tok_per_s, times(c, V).output_tok_per_s, rtol=0.06)


def test_what_fits_is_the_memory_of_the_timing() -> None:
    timing = replica_timing(deployment("Llama-3.3-70B", "H100", 2, "bf16"), 8000, 400)
    assert 20_000 < timing.cache_capacity_tokens < 80_000
