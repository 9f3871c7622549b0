"""Simulation: against a plain one, closed forms, and what must hold whatever the requests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_simulation import Request, play

from breakeven.errors import ServingError
from breakeven.serving.replica_timing import ReplicaTiming
from breakeven.serving.simulate import FleetEvent, FleetRun, Traffic, closed_loop, simulate_fleet

H100 = ReplicaTiming(
    step_tokens=np.array([1.0, 200.0, 8192.0]),
    step_s=np.array([0.006, 0.006, 0.006 + 30e-6 * 7992]),
    sequence_s=7.5e-6,
    cache_read_s_per_token=2e-8,
    attention_s_per_pair=1e-10,
    first_token_s=0.01,
    cache_capacity_tokens=400_000,
    sequences_max_count=256,
    step_max_tokens=8192,
)
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
