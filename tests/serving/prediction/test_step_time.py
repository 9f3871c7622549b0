"""The physics against sums by hand: bytes over bandwidth, arithmetic over peak, what fits, what more of it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.serving.prediction.columns import columns
from breakeven.serving.prediction.deployment import Point
from breakeven.serving.prediction.fitted_model import shipped_model
from breakeven.serving.prediction.parameters import PARAMETERS, Values
from breakeven.serving.prediction.step_time import arithmetic_s, cache_s, memory, times, touched_fraction, weights_s
from deployments import deployment, point

V = shipped_model().values


def ideal() -> Values:
    """Hardware without overheads that reaches every peak."""
    found = {}
    for each in PARAMETERS:
        is_overhead = each.unit == "second"
        found[each.name] = 1e-12 if is_overhead else 1.0
    found["expert_imbalance_ratio"] = found["attention_imbalance_ratio"] = 1e-9
    found["prefill_halving_tokens"] = found["expert_halving_count"] = 1e-9
    return found


def test_a_lone_token_reads_all_weights_once() -> None:
    """8.03 B parameters less the input embedding at 2 bytes over 3,350 GB/s; the cache of 1,536 tokens beside it."""
    c = columns([point(load=(1024, 1024, 1))])
    found = times(c, ideal())
    assert found.weights_s[0] == pytest.approx((8.03e9 - 128256 * 4096) * 2 / 3350e9, rel=1e-3)
    assert found.cache_s[0] == pytest.approx(1536 * 131072 / 3350e9, rel=1e-9)


def test_a_long_prompt_is_arithmetic_and_attention() -> None:
    """2 FLOP per parameter and token, and 4 x heads x width x layers per pair of tokens."""
    c = columns([point(load=(4096, 100, 1))])
    found = times(c, ideal()).prompt_s[0]
    matrices = 2 * (8.03e9 - 128256 * 4096) * 4096 / 989e12
    attention = 4 * 32 * 128 * 32 * 4096 * 2048 / 989e12
    assert found == pytest.approx(matrices + attention, rel=1e-6)


def test_touched_experts_against_a_draw_of_experts() -> None:
    """1 - (1 - k/E)^T against tokens that each pick k of E at random."""
    c = columns([point("Qwen3-30B-A3B", load=(100, 100, 1))])
    rng = np.random.default_rng(3)
    for tokens in (1, 4, 16, 64):
        seen = [len(set(np.concatenate([rng.permutation(128)[:8] for _ in range(tokens)]))) / 128 for _ in range(300)]
        assert touched_fraction(c, np.array([float(tokens)]))[0] == pytest.approx(np.mean(seen), abs=0.01)


@pytest.mark.parametrize(
    ("model", "gpu", "gpus", "precision", "fits"),
    [
        ("Llama-3.3-70B", "H100-SXM-80", 2, "bf16", True),  # 141 GB of weights on 171 GB: by what nvidia-smi shows
        ("Llama-3.3-70B", "H100-SXM-80", 1, "bf16", False),
        ("Llama-3.1-405B", "H100-SXM-80", 8, "fp8", True),
        ("Llama-3.1-405B", "H100-SXM-80", 8, "bf16", False),
        ("DeepSeek-V3", "H200-SXM-141", 8, "fp8", True),
        ("DeepSeek-V3", "H100-SXM-80", 8, "fp8", False),
        ("gpt-oss-120b", "H100-SXM-80", 1, "fp4", True),
        ("gpt-oss-20b", "L4", 1, "fp4", True),
        ("Llama-3.1-8B", "RTX-4090", 1, "bf16", True),
        ("Gemma-3-27B", "L40S", 2, "bf16", True),
    ],
)
def test_what_fits(model: str, gpu: str, gpus: int, precision: str, fits: bool) -> None:
    held = memory(columns([point(model, gpu, gpus, precision, (1000, 200, None))]), V)
    assert (held.sequences_count[0] >= 1) == fits
    assert (held.room_bytes_per_gpu[0] > 0) == fits


def test_a_latent_cache_is_kept_by_every_rank_and_spread_by_data_parallel_attention() -> None:
    by_tensor = memory(columns([point("DeepSeek-V3", "H200", 8, "fp8", (4000, 1000, None))]), V)
    spread = point("DeepSeek-V3", "H200", 8, "fp8", (4000, 1000, None), attention_parallel_count=8)
    by_data = memory(columns([spread]), V)
    assert by_data.weights_bytes_per_gpu[0] > by_tensor.weights_bytes_per_gpu[0]  # attention is held eight times
    assert by_data.sequences_count[0] > 4 * by_tensor.sequences_count[0]


def test_a_sliding_window_caps_the_cache() -> None:
    """Gemma-3-27B: 52 of 62 layers keep 1,024 tokens; 8,192 tokens weigh as 10/62 x 8,192 + 52/62 x 1,024."""
    c = columns([point("Gemma-3-27B", "H100", 2, "bf16", (8191, 2, None))])
    expected = 507904 * (10 / 62 * 8192 + 52 / 62 * 1024)
    assert memory(c, V).sequence_bytes[0] == pytest.approx(expected, rel=1e-9)


def test_grouped_heads_do_not_split_beyond_their_number() -> None:
    """Qwen3-235B has four KV heads: eight ranks hold each of them twice."""
    four, eight = (memory(columns([point("Qwen3-235B-A22B", "B200", n, "fp8", (2000, 500, None))]), V) for n in (4, 8))
    room = eight.room_bytes_per_gpu[0] / four.room_bytes_per_gpu[0]
    assert eight.sequences_count[0] / four.sequences_count[0] == pytest.approx(room, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    model=st.sampled_from(["Llama-3.1-8B", "Qwen3-30B-A3B", "Gemma-3-27B", "gpt-oss-20b", "Mixtral-8x7B"]),
    gpu=st.sampled_from(["H100-SXM-80", "A100-SXM-80", "MI300X", "B200-SXM-180", "L40S"]),
    lengths=st.tuples(st.integers(1, 20_000), st.integers(1, 5_000)),
    load=st.floats(1, 200),
)
def test_more_load_never_lowers_throughput_nor_shortens_a_step(
    model: str, gpu: str, lengths: tuple[int, int], load: float
) -> None:
    base = point(model, gpu, 4, load=(*lengths, load))
    c = columns([base, replace(base, concurrency_count=load * 1.5)])
    if memory(c, V).sequences_count[0] < 1:
        return
    found = times(c, V)
    assert np.isfinite(found.output_tok_per_s).all()
    assert found.output_tok_per_s[1] >= found.output_tok_per_s[0] * (1 - 1e-9)
    assert found.step_s[1] >= found.step_s[0] * (1 - 1e-9)


@settings(max_examples=40, deadline=None)
@given(tokens=st.floats(1, 1e5), more=st.floats(1.01, 20))
def test_time_grows_with_tokens(tokens: float, more: float) -> None:
    c = columns([point("Qwen3-30B-A3B", "H100", 2)] * 2)
    both = np.array([tokens, tokens * more])
    for of in (weights_s, arithmetic_s):
        shorter, longer = of(c, V, both)
        assert longer >= shorter
    shorter, longer = cache_s(c, V, np.array([4.0, 4.0]), both)
    assert longer > shorter


def test_one_call_for_many_points_is_many_calls_for_one() -> None:
    points = [point(), point("DeepSeek-V3", "H200", 8, "fp8"), point("gpt-oss-20b", "L4", load=(500, 100, None))]
    together = times(columns(points), V).output_tok_per_s
    assert together.tolist() == [float(times(columns([each]), V).output_tok_per_s[0]) for each in points]


def test_replicas_multiply_throughput_and_share_the_load() -> None:
    alone = deployment("Llama-3.1-8B", "H100")
    one, four = Point(alone, 1000, 100, 8), Point(alone, 1000, 100, 32, replicas_count=4)
    single, fleet = times(columns([one, four]), V).output_tok_per_s
    assert fleet == pytest.approx(4 * single)
