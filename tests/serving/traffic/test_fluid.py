"""Fluid: against Erlang where that is exact, against the simulation where it is not, and what must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ServingError
from breakeven.serving.traffic.fluid import Lengths, _quantile, max_rate_req_per_s, saturated_req_per_s, steady
from breakeven.serving.traffic.queueing import mmc_wait_s
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.serving.traffic.simulate import FleetRun, Traffic, simulate_fleet
from fleet_logs import H100

CHAT = Lengths.of(1000, 250, input_cv2_ratio=0.5, output_cv2_ratio=0.5)
LONG = Lengths.of(6000, 300, input_cv2_ratio=0.5, output_cv2_ratio=0.5)
TALKATIVE = Lengths.of(300, 500, input_cv2_ratio=0.5, output_cv2_ratio=0.5)
CLASSIFY = Lengths.of(2000, 1, input_cv2_ratio=0.5)


def simulated(lengths: Lengths, req_per_s: float, seed: int, count: int = 40_000) -> tuple[FleetRun, float]:
    """A run at that rate with gamma-distributed lengths, and how long requests came."""
    rng = np.random.default_rng(seed)

    def draw(mean: float, cv2: float) -> np.ndarray:
        return np.maximum(rng.gamma(1 / cv2, mean * cv2, count) if cv2 else np.full(count, mean), 1)

    traffic = Traffic.of(
        np.cumsum(rng.exponential(1 / req_per_s, count)),
        draw(float(lengths.input_tokens), float(lengths.input_cv2_ratio)),
        draw(float(lengths.output_tokens), float(lengths.output_cv2_ratio)),
    )
    return simulate_fleet(H100, traffic, 1), float(traffic.arrival_s[-1])


@pytest.mark.parametrize("use", [0.3, 0.8, 0.95])
def test_a_step_that_ignores_the_batch_is_erlang_c(use: float) -> None:
    servers, step_s, tokens_out = 10, 0.001, 1001
    flat = ReplicaTiming(np.array([1.0, 2.0]), np.full(2, step_s), 0.0, 0.0, 0.0, 0.0, 1e9, servers, 2048)
    rate = use * servers / (1000 * step_s)
    found = steady(flat, rate, Lengths.of(1, tokens_out, output_cv2_ratio=1.0))
    wait = float(mmc_wait_s(servers, rate, 1000 * step_s))
    assert float(found.ttft_mean_s) == pytest.approx(wait + step_s, abs=1e-3 * wait + 0.6 * step_s)
    assert float(found.tpot_mean_s) == pytest.approx(step_s)
    assert float(found.batch_count) == pytest.approx(use * servers)
    assert float(saturated_req_per_s(flat, Lengths.of(1, tokens_out))) == pytest.approx(servers / (1000 * step_s))


@pytest.mark.parametrize("lengths", [CHAT, LONG, TALKATIVE, CLASSIFY], ids=["chat", "long", "talkative", "classify"])
@pytest.mark.parametrize(
    ("load", "mean_within", "quantile_within"), [(0.3, 0.04, 0.17), (0.5, 0.06, 0.19), (0.8, 0.10, 0.28)]
)
def test_near_the_simulation(lengths: Lengths, load: float, mean_within: float, quantile_within: float) -> None:
    """The bounds are what the approximation is worth (see the page on fleets), not Monte Carlo error."""
    rate = load * float(saturated_req_per_s(H100, lengths))
    run, span_s = simulated(lengths, rate, seed=21)
    found = steady(H100, rate, lengths)
    assert float(found.ttft_mean_s) == pytest.approx(run.ttft_s.mean(), rel=mean_within)
    assert float(found.ttft_quantile_s) == pytest.approx(np.quantile(run.ttft_s, 0.95), rel=quantile_within)
    if float(lengths.output_tokens) > 1:
        assert float(found.tpot_mean_s) == pytest.approx(np.nanmean(run.tpot_s), rel=mean_within)
        assert float(found.tpot_quantile_s) == pytest.approx(np.nanquantile(run.tpot_s, 0.95), rel=quantile_within)
    assert float(found.busy_fraction) == pytest.approx(run.busy_s[0] / span_s, abs=0.02)


@pytest.mark.parametrize("lengths", [CHAT, LONG, TALKATIVE, CLASSIFY], ids=["chat", "long", "talkative", "classify"])
def test_beyond_the_sustainable_rate_the_queue_grows_and_below_it_does_not(lengths: Lengths) -> None:
    most = float(saturated_req_per_s(H100, lengths))
    for ratio, keeps_up in ((0.9, True), (1.15, False)):
        run, span_s = simulated(lengths, ratio * most, seed=22, count=20_000)
        late = float(run.end_s.max() - span_s) / span_s
        assert (late < 0.02) is keeps_up
        assert bool(steady(H100, ratio * most, lengths).sustainable) is keeps_up


@pytest.mark.parametrize(
    ("lengths", "ttft_s", "tpot_s"), [(CHAT, 0.5, 0.02), (CHAT, 0.15, None), (LONG, 1.0, 0.04), (CLASSIFY, 0.4, None)]
)
def test_the_largest_rate_at_a_target_is_near_that_of_the_simulation(
    lengths: Lengths, ttft_s: float, tpot_s: float | None
) -> None:
    """95 % of the simulated requests meet both targets somewhere between 10 % below and 10 % above the rate found."""
    rate = float(max_rate_req_per_s(H100, lengths, ttft_s=ttft_s, tpot_s=tpot_s))
    shares = [simulated(lengths, ratio * rate, seed=23)[0].attained_fraction(ttft_s, tpot_s) for ratio in (0.9, 1.1)]
    assert shares[0] > 0.95 > shares[1]


@given(
    st.floats(50, 20_000),
    st.floats(1, 2_000),
    st.floats(0, 2),
    st.floats(0, 2),
    st.floats(0, 0.9),
    st.floats(0.05, 0.98),
)
@settings(deadline=None, max_examples=40)
def test_more_load_is_never_faster(
    inputs: float, outputs: float, spread_in: float, spread_out: float, cached: float, load: float
) -> None:
    lengths = Lengths.of(
        inputs, outputs, input_cv2_ratio=spread_in, output_cv2_ratio=spread_out, cached_fraction=cached
    )
    most = saturated_req_per_s(H100, lengths)
    assert most > 0
    less, more = (steady(H100, share * load * most, lengths) for share in (0.8, 1.0))
    for name in ("ttft_mean_s", "tpot_mean_s", "tpot_quantile_s", "busy_fraction", "batch_count"):
        low, high = float(getattr(less, name)), float(getattr(more, name))
        assert np.isfinite(high) and 0 <= low <= high * 1.001, name
    assert float(more.busy_fraction) <= 1


@pytest.mark.xfail(strict=True, reason="the quantile passes from one formula to another and dips by up to a third")
def test_more_load_does_not_shorten_the_slow_first_tokens() -> None:
    """Short prompts, half of them cached, near the largest rate: a known defect of the fluid quantile."""
    lengths = Lengths.of(200.0, 160.0, input_cv2_ratio=2.0, output_cv2_ratio=2.0, cached_fraction=0.5)
    most = saturated_req_per_s(H100, lengths)
    less, more = (steady(H100, share * most, lengths) for share in (0.7, 0.875))
    assert float(less.ttft_quantile_s) <= float(more.ttft_quantile_s)


@given(st.floats(0.05, 5), st.floats(0.008, 0.2), st.floats(1.0, 3.0))
@settings(deadline=None, max_examples=40)
def test_a_stricter_target_or_slower_iterations_allow_no_more(ttft_s: float, tpot_s: float, slower: float) -> None:
    usual = float(max_rate_req_per_s(H100, CHAT, ttft_s=ttft_s, tpot_s=tpot_s))
    assert float(max_rate_req_per_s(H100, CHAT, ttft_s=ttft_s / slower, tpot_s=tpot_s)) <= usual
    assert float(max_rate_req_per_s(H100, CHAT, ttft_s=ttft_s, tpot_s=tpot_s / slower)) <= usual
    drawn = float(max_rate_req_per_s(H100, CHAT, ttft_s=ttft_s, tpot_s=tpot_s, time_ratio=slower))
    assert drawn <= usual
    stretched = replace(
        H100,
        step_s=H100.step_s * slower,
        sequence_s=H100.sequence_s * slower,
        cache_read_s_per_token=H100.cache_read_s_per_token * slower,
        attention_s_per_pair=H100.attention_s_per_pair * slower,
    )
    exact = float(max_rate_req_per_s(stretched, CHAT, ttft_s=ttft_s, tpot_s=tpot_s))
    assert drawn == pytest.approx(exact, rel=1e-3, abs=2e-3)
    if usual > 0.05:
        at = steady(H100, usual * 0.999, CHAT)
        assert at.ttft_quantile_s <= ttft_s and at.tpot_quantile_s <= tpot_s


def test_points_are_independent_and_broadcast() -> None:
    inputs, targets = np.array([[200.0], [4000.0]]), np.array([0.3, 1.0, 3.0])
    together = max_rate_req_per_s(H100, Lengths.of(inputs, 200.0), ttft_s=targets)
    assert together.shape == (2, 3)
    for row, tokens in enumerate((200.0, 4000.0)):
        for column, target in enumerate(targets):
            alone = max_rate_req_per_s(H100, Lengths.of(tokens, 200.0), ttft_s=target)
            assert together[row, column] == pytest.approx(float(alone), rel=1e-9)


def test_a_target_that_no_load_meets_is_zero_and_none_is_what_can_be_sustained() -> None:
    assert float(max_rate_req_per_s(H100, CHAT, tpot_s=0.005)) == 0.0
    assert float(max_rate_req_per_s(H100, CHAT)) == float(saturated_req_per_s(H100, CHAT))
    too_long = Lengths.of(500_000, 10)
    assert float(saturated_req_per_s(H100, too_long)) == 0.0
    assert not steady(H100, 0.1, too_long).sustainable


def test_lengths_of_a_log() -> None:
    seen = Lengths.seen([100, 300], [10, 30], [50, 50])
    assert (float(seen.input_tokens), float(seen.output_tokens)) == (200.0, 20.0)
    assert (float(seen.input_cv2_ratio), float(seen.cached_fraction)) == (0.25, 0.25)


def test_bad_lengths() -> None:
    with pytest.raises(ServingError, match="0 output tokens"):
        Lengths.of(10, 0)
    with pytest.raises(ServingError, match="above 0"):
        max_rate_req_per_s(H100, CHAT, time_ratio=0.0)


def test_a_variance_that_rounding_made_negative_is_none() -> None:
    assert _quantile(np.array([2.5]), np.array([-1.8e-15]), 2.3) == [2.5]
