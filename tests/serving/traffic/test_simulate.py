"""Simulation: against a plain one, closed forms, and what must hold whatever the requests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ServingError
from breakeven.serving.traffic.queueing import mdc_wait_s
from breakeven.serving.traffic.replica_timing import ReplicaTiming
from breakeven.serving.traffic.simulate import FleetEvent, FleetRun, Traffic, closed_loop, simulate_fleet
from fleet_logs import H100
from plain_simulation import Request, play

SMALL = replace(
    H100,
    step_tokens=np.array([1.0, 8.0, 40.0]),
    step_s=np.array([1.0, 1.1, 2.3]),
    sequence_s=0.013,
    cache_read_s_per_token=0.0017,
    attention_s_per_pair=0.0003,
    first_token_s=0.05,
    cache_capacity_tokens=160,
    sequences_max_count=5,
    step_max_tokens=48,
)


def flat(step_s: float, sequences: int, *, tokens: int = 1 << 20, slope: float = 0.0) -> ReplicaTiming:
    """An iteration costs `step_s` plus `slope` for each new token, whatever the batch."""
    ends = np.array([1.0, float(tokens)])
    return ReplicaTiming(ends, step_s + slope * ends, 0.0, 0.0, 0.0, 0.0, 1e15, sequences, tokens)


def poisson(rng: np.random.Generator, count: int, req_per_s: float) -> np.ndarray:
    return np.cumsum(rng.exponential(1 / req_per_s, count))


def random_traffic(rng: np.random.Generator, count: int, longest: int, gap_s: float) -> Traffic:
    tokens_in = rng.integers(1, longest, count)
    return Traffic.of(
        np.cumsum(rng.exponential(gap_s, count)),
        tokens_in,
        rng.integers(1, longest // 2, count),
        rng.integers(0, tokens_in + 1) * rng.integers(0, 2, count),
    )


def plain(timing: ReplicaTiming, traffic: Traffic, replicas: int, **how: object) -> list[Request]:
    columns = (traffic.arrival_s, traffic.input_tokens, traffic.output_tokens, traffic.cached_tokens)
    requests = [Request(float(a), int(i), int(o), int(c)) for a, i, o, c in zip(*columns, strict=True)]
    play(timing, requests, replicas, **how)  # type: ignore[arg-type]
    return requests


def same(run: FleetRun, requests: list[Request]) -> None:
    np.testing.assert_allclose(run.end_s, [each.end for each in requests], rtol=1e-9)
    np.testing.assert_allclose(run.ttft_s, [each.first - each.arrival for each in requests], rtol=1e-7)
    assert run.redone_count.tolist() == [each.redone for each in requests]


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_the_plain_simulation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    replicas = int(rng.integers(1, 4))
    traffic = random_traffic(rng, 60, int(rng.choice([20, 60, 100])), float(rng.choice([1.0, 8.0, 30.0])))
    turns = bool(seed % 2)
    run = simulate_fleet(SMALL, traffic, replicas, dispatch="round_robin" if turns else "shortest_queue")
    same(run, plain(SMALL, traffic, replicas, round_robin=turns))


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_the_plain_simulation_when_replicas_come_and_go(seed: int) -> None:
    rng = np.random.default_rng(seed)
    traffic = random_traffic(rng, 60, 60, 6.0)
    last = float(traffic.arrival_s[-1])
    events = [(float(rng.uniform(0, last)), int(rng.integers(0, 3)), str(rng.choice(["up", "drain", "kill"])))]
    events += [(float(rng.uniform(0, last)), int(rng.integers(0, 3)), "kill") for _ in range(4)]
    events += [(last + 1.0 + each, each, "up") for each in range(3)]
    run = simulate_fleet(SMALL, traffic, 3, events=[FleetEvent(*each) for each in events], absent=(2,))  # type: ignore[arg-type]
    same(run, plain(SMALL, traffic, 3, events=tuple(events), absent=(2,)))
    assert run.served_count == 60


def test_the_plain_comparison_covers_preemption_and_chunks() -> None:
    rng = np.random.default_rng(3)
    traffic = random_traffic(rng, 60, 100, 1.0)
    run = simulate_fleet(SMALL, traffic, 1)
    assert run.preempted_count.sum() > 5
    assert traffic.input_tokens.max() > SMALL.step_max_tokens


@pytest.mark.parametrize("seed", range(12))
def test_closed_loop_agrees_with_the_plain_simulation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clients, count = int(rng.integers(1, 8)), 40
    tokens_in, tokens_out = int(rng.integers(10, 60)), int(rng.integers(1, 50))
    ratio = float(rng.choice([1.0, 0.5]))
    found = closed_loop([SMALL], clients, tokens_in, tokens_out, shortest_ratio=ratio, requests_count=count, seed=seed)
    uniforms = np.random.default_rng(seed).random((count, 2))
    lengths = []
    for column, high in enumerate((tokens_in, tokens_out)):
        low = int(np.ceil(high * ratio))
        lengths.append([high - int(u * (high - low + 1)) for u in uniforms[:, column]])
    requests = [Request(0.0, i, o) for i, o in zip(*lengths, strict=True)]
    play(SMALL, requests, 1, clients=clients)
    ttft = [each.first - each.arrival for each in requests]
    assert found.ttft_mean_s[0] == pytest.approx(np.mean(ttft))
    assert found.ttft_median_s[0] == pytest.approx(np.median(ttft))
    assert found.ttft_later_s[0] == pytest.approx(np.mean(ttft[clients:]))
    last = max(each.end for each in requests)
    assert found.output_tok_per_s[0] == pytest.approx(sum(lengths[1]) / last)
    if tokens_out > 1 and ratio == 1.0:
        tpot = [(each.end - each.first) / (each.tokens_out - 1) for each in requests]
        assert found.tpot_mean_s[0] == pytest.approx(np.mean(tpot))


# against closed forms


def waits(run: FleetRun, traffic: Traffic, step_s: float) -> np.ndarray:
    """Wait before the first iteration: the time to first token without the iteration that gives it."""
    return np.asarray(run.ttft_s - step_s)


def mean_and_error(values: np.ndarray, batches: int = 40) -> tuple[float, float]:
    """Mean and its standard error from batch means: waits one after the other are alike."""
    means = np.array([each.mean() for each in np.array_split(values[values.size // 20 :], batches)])
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(batches))


def test_one_sequence_at_a_time_of_fixed_length_is_m_d_1() -> None:
    rng, step_s, tokens_out = np.random.default_rng(11), 0.001, 100
    traffic = Traffic.of(poisson(rng, 300_000, 8.0), 1, tokens_out)
    run = simulate_fleet(flat(step_s, 1), traffic, 1)
    mean, error = mean_and_error(waits(run, traffic, step_s))
    assert error < 0.004
    assert mean == pytest.approx(float(mdc_wait_s(1, 8.0, step_s * tokens_out)), abs=4 * error)
    np.testing.assert_allclose(run.tpot_s, step_s, rtol=1e-6)


def test_fixed_lengths_and_a_step_that_ignores_the_batch_are_m_d_c() -> None:
    """A start waits for the iteration that runs to end: half a step on average where others decode, as nearly always
    here. That half step is the only difference."""
    rng, step_s, tokens_out, servers = np.random.default_rng(12), 0.001, 500, 8
    rate = 0.9 * servers / (step_s * tokens_out)
    traffic = Traffic.of(poisson(rng, 400_000, rate), 1, tokens_out)
    run = simulate_fleet(flat(step_s, servers), traffic, 1)
    mean, error = mean_and_error(waits(run, traffic, step_s))
    exact = float(mdc_wait_s(servers, rate, step_s * tokens_out))
    assert error < 0.03 * exact
    assert exact - 4 * error < mean < exact + 4 * error + step_s


def test_exponential_lengths_and_a_step_that_ignores_the_batch_are_m_m_c() -> None:
    """Ten sequences at 8 erlang: Erlang C, 0.2045900753982 service times. Lengths are geometric (mean 1,000 tokens)."""
    rng, step_s, servers = np.random.default_rng(13), 0.001, 10
    traffic = Traffic.of(poisson(rng, 400_000, 8.0), 1, rng.geometric(1e-3, 400_000))
    run = simulate_fleet(flat(step_s, servers), traffic, 1)
    mean, error = mean_and_error(waits(run, traffic, step_s))
    assert error < 0.01
    assert 0.2045900753982 - 4 * error < mean < 0.2045900753982 + 4 * error + step_s
    queued = np.maximum(waits(run, traffic, step_s) - step_s, 0) > 1e-9
    share, share_error = mean_and_error(queued.astype(float))
    assert share == pytest.approx(0.4091801507964, abs=4 * share_error + 2e-3)


@pytest.mark.parametrize("use", [0.5, 0.8])
def test_a_step_proportional_to_the_batch_is_processor_sharing(use: float) -> None:
    """M/G/1 processor sharing: mean time in system is work / (1 - use), whatever the spread of the lengths."""
    rng, per_token_s = np.random.default_rng(14), 0.001
    lengths = np.where(rng.random(300_000) < 0.9, 50, 550)
    traffic = Traffic.of(poisson(rng, 300_000, use / (100 * per_token_s)), 1, lengths)
    run = simulate_fleet(flat(0.0, 100_000, slope=per_token_s), traffic, 1)
    for length in (50, 550):
        alike = lengths == length
        mean, error = mean_and_error((run.end_s - traffic.arrival_s)[alike])
        exact = length * per_token_s / (1 - use)
        assert error < 0.03 * exact
        assert mean == pytest.approx(exact, abs=4 * error + 0.01 * exact)


# what must hold


@st.composite
def any_traffic(draw: st.DrawFn) -> Traffic:
    count = draw(st.integers(1, 40))
    rows = [
        draw(st.tuples(st.floats(0, 200), st.integers(1, 120), st.integers(1, 60), st.integers(0, 120)))
        for _ in range(count)
    ]
    return Traffic.of(*(np.array(column) for column in zip(*rows, strict=True)))


@given(any_traffic(), st.integers(1, 4), st.sampled_from(["shortest_queue", "round_robin"]))
@settings(max_examples=150, deadline=None)
def test_every_request_is_served_once_and_tokens_add_up(traffic: Traffic, replicas: int, dispatch: str) -> None:
    run = simulate_fleet(SMALL, traffic, replicas, dispatch=dispatch)  # type: ignore[arg-type]
    fits = traffic.input_tokens + traffic.output_tokens <= SMALL.cache_capacity_tokens
    assert run.served_count + run.refused_count == traffic.requests_count
    assert np.array_equal(np.isfinite(run.end_s), fits)
    computed = int((traffic.input_tokens - traffic.cached_tokens)[fits].sum())
    assert int(run.output_tokens.sum()) == int(traffic.output_tokens[fits].sum())
    if run.preempted_count.sum() == 0:
        assert int(run.prompt_tokens.sum()) == computed
    else:
        assert int(run.prompt_tokens.sum()) > computed
    assert (run.ttft_s[fits] >= SMALL.first_token_s).all()
    assert (run.end_s[fits] >= traffic.arrival_s[fits] + run.ttft_s[fits] - 1e-9).all()
    if fits.any():
        span = run.end_s[fits].max() - traffic.arrival_s.min()
        assert (run.busy_s <= span + 1e-9).all()


@given(any_traffic(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_spot_losses_serve_every_request_once_more_work_or_not(traffic: Traffic, random: object) -> None:
    draw = random.uniform  # type: ignore[attr-defined]
    kills = [FleetEvent(draw(0, 400), each % 3, "kill") for each in range(4)]
    back = [FleetEvent(each.at_s + 20.0, each.replica, "up") for each in kills]
    run = simulate_fleet(SMALL, traffic, 3, events=[*kills, *back])
    fits = traffic.input_tokens + traffic.output_tokens <= SMALL.cache_capacity_tokens
    assert run.served_count == int(fits.sum())
    assert int(run.output_tokens.sum()) >= int(traffic.output_tokens[fits].sum())


def test_the_same_traffic_gives_the_same_run() -> None:
    traffic = random_traffic(np.random.default_rng(5), 500, 60, 2.0)
    first, second = (simulate_fleet(SMALL, traffic, 3) for _ in range(2))
    np.testing.assert_array_equal(first.end_s, second.end_s)
    one, two = (closed_loop([H100], 16, 512, 128, shortest_ratio=0.5, seed=3) for _ in range(2))
    assert one.ttft_mean_s[0] == two.ttft_mean_s[0]
    assert closed_loop([H100], 16, 512, 128, shortest_ratio=0.5, seed=4).ttft_mean_s[0] != one.ttft_mean_s[0]


def test_more_replicas_more_load_and_a_cached_prefix_move_latency_the_right_way() -> None:
    rng = np.random.default_rng(6)
    gaps, tokens_in, tokens_out = (
        rng.exponential(1.0, 20_000),
        rng.integers(200, 3000, 20_000),
        rng.integers(20, 400, 20_000),
    )

    def at(req_per_s: float, replicas: int, cached: float = 0.0) -> FleetRun:
        traffic = Traffic.of(np.cumsum(gaps) / req_per_s, tokens_in, tokens_out, (tokens_in * cached).astype(int))
        return simulate_fleet(H100, traffic, replicas)

    usual = at(24.0, 2)
    for slower in (at(34.0, 2), at(24.0, 1)):
        assert slower.ttft_s.mean() > usual.ttft_s.mean()
        assert np.nanmean(slower.tpot_s) > np.nanmean(usual.tpot_s)
        assert slower.attained_fraction(0.2, 0.02) < usual.attained_fraction(0.2, 0.02)
    for faster in (at(24.0, 4), at(12.0, 2), at(24.0, 2, cached=0.5)):
        assert faster.ttft_s.mean() < usual.ttft_s.mean()
        assert np.nanmean(faster.tpot_s) < np.nanmean(usual.tpot_s)


def test_the_shortest_queue_beats_turns() -> None:
    traffic = random_traffic(np.random.default_rng(8), 5000, 60, 3.5)
    shortest, turns = (simulate_fleet(SMALL, traffic, 4, dispatch=each) for each in ("shortest_queue", "round_robin"))  # type: ignore[arg-type]
    assert shortest.ttft_s.mean() < turns.ttft_s.mean()


def test_given_replicas_are_kept() -> None:
    traffic = random_traffic(np.random.default_rng(9), 100, 40, 3.0)
    wanted = np.arange(100) % 7 % 3
    run = simulate_fleet(SMALL, traffic, 3, dispatch="given", given=wanted)
    assert run.replica.tolist() == wanted.tolist()


def test_nobody_there_means_waiting_for_the_first_that_comes() -> None:
    traffic = Traffic.of([1.0, 2.0], [10, 10], [5, 5])
    run = simulate_fleet(SMALL, traffic, 1, events=[FleetEvent(60.0, 0, "up")], absent=(0,))
    assert run.served_count == 2
    assert (traffic.arrival_s + run.ttft_s > 60.0).all()
    never = simulate_fleet(SMALL, traffic, 1, absent=(0,))
    assert (never.served_count, never.attained_fraction(None, None)) == (0, 0.0)


def test_a_drained_replica_ends_what_it_has() -> None:
    traffic = Traffic.of([0.0, 5.0], [10, 10], [50, 50])
    run = simulate_fleet(SMALL, traffic, 2, events=[FleetEvent(1.0, 0, "drain")])
    assert run.replica.tolist() == [0, 1]
    assert run.emptied_s[0] == run.end_s[0] > 1.0
    assert np.isinf(run.emptied_s[1])


def test_a_request_longer_than_the_cache_is_refused_not_lost() -> None:
    run = simulate_fleet(SMALL, Traffic.of([0.0, 1.0], [10, 150], [5, 11]), 1)
    assert (run.served_count, run.refused_count) == (1, 1)
    assert run.attained_fraction(None, None) == 0.5
    assert np.isnan(run.end_s[1])
    assert np.isnan(closed_loop([SMALL], 2, 150, 11).output_tok_per_s[0])


def test_one_client_is_the_sum_of_its_iterations() -> None:
    tokens_in, tokens_out = 1000, 200
    prompt = H100.iteration_s(0, 0.0, tokens_in, tokens_in * (tokens_in - 1) / 2)
    decode = sum(H100.iteration_s(1, tokens_in + 1 + each) for each in range(tokens_out - 1))
    found = closed_loop([H100], 1, tokens_in, tokens_out)
    assert found.ttft_mean_s[0] == pytest.approx(H100.first_token_s + prompt)
    assert found.tpot_mean_s[0] == pytest.approx(decode / (tokens_out - 1))
    assert found.steady_output_tok_per_s[0] == pytest.approx(tokens_out / (H100.first_token_s + prompt + decode))


def test_points_with_curves_of_different_lengths() -> None:
    straight = replace(H100, step_tokens=np.array([1.0, 9.0]), step_s=np.array([0.01, 0.018]))
    bent = replace(H100, step_tokens=np.array([1.0, 5.0, 9.0, 20.0]), step_s=np.array([0.01, 0.014, 0.018, 0.029]))
    found = closed_loop([straight, bent], 8, 300, 100)
    assert found.output_tok_per_s[0] == pytest.approx(found.output_tok_per_s[1], rel=1e-12)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (([0.0], [0], [1]), "0 input tokens"),
        (([0.0], [1], [0]), "0 output tokens"),
        (([np.nan], [1], [1]), "no number"),
        (([0.0], [1], [1], [1, 2]), "2 cached-token figures for 1 requests"),
    ],
)
def test_bad_requests(columns: tuple[list[float], ...], said: str) -> None:
    with pytest.raises(ServingError, match=said):
        Traffic.of(*columns)


def test_bad_settings() -> None:
    traffic = Traffic.of([0.0], [1], [1])
    with pytest.raises(ServingError, match="0 replicas"):
        simulate_fleet(H100, traffic, 0)
    with pytest.raises(ServingError, match="no requests"):
        simulate_fleet(H100, Traffic.of([], [], []), 1)
    with pytest.raises(ServingError, match="takes no time"):
        simulate_fleet(replace(H100, step_s=np.zeros(3)), traffic, 1)
    with pytest.raises(ServingError, match="serves nobody"):
        simulate_fleet(replace(H100, sequences_max_count=0), traffic, 1)
    with pytest.raises(ServingError, match="rising order"):
        simulate_fleet(replace(H100, step_tokens=np.array([1.0, 9.0, 9.0])), traffic, 1)
    with pytest.raises(ServingError, match="cache of nan"):
        simulate_fleet(replace(H100, cache_capacity_tokens=float("nan")), traffic, 1)
    with pytest.raises(ServingError, match="replica 2 of 2"):
        simulate_fleet(H100, traffic, 2, events=[FleetEvent(0.0, 2, "drain")])
    with pytest.raises(ServingError, match="replica -1 of 2"):
        simulate_fleet(H100, traffic, 2, absent=(-1,))
    with pytest.raises(ServingError, match="replica 7 of 2"):
        simulate_fleet(H100, traffic, 2, dispatch="given", given=[7])
    with pytest.raises(ServingError, match="no time"):
        simulate_fleet(H100, traffic, 2, events=[FleetEvent(float("nan"), 1, "kill")])
    with pytest.raises(ServingError, match="0 requests"):
        closed_loop([H100], 1, 10, 10, requests_count=0)
    with pytest.raises(ServingError, match="0 clients"):
        closed_loop([H100], 0, 10, 10)
    with pytest.raises(ServingError, match="0 output tokens"):
        closed_loop([H100], 1, 10, 0)
    with pytest.raises(ServingError, match="no points"):
        closed_loop([], 1, 10, 10)
    with pytest.raises(ServingError, match="shortest"):
        closed_loop([H100], 1, 10, 10, shortest_ratio=0.0)
