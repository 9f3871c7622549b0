"""How fast is the simulation, and how far is the fluid model from it?

    python benchmarks/simulate.py

Prints simulated requests per second on one core beside the same code uncompiled and a plain-Python simulation that
does one iteration at a time; points of a closed loop per second; the simulation against closed forms; the errors of
the fluid model at 50, 80 and 95 % load; and what the public Azure and Mooncake traces see on the fleet they need.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from breakeven.serving.traffic.fleet_bins import LatencyTarget  # noqa: E402
from breakeven.serving.traffic.fleet_plan import plan_fleet  # noqa: E402
from breakeven.serving.traffic.fleet_schedule import FleetPolicy  # noqa: E402
from breakeven.serving.traffic.fluid import Lengths, max_rate_req_per_s, saturated_req_per_s, steady  # noqa: E402
from breakeven.serving.traffic.queueing import mdc_wait_s, mmc_wait_s  # noqa: E402
from breakeven.serving.traffic.replica_timing import ReplicaTiming  # noqa: E402
from breakeven.serving.traffic.simulate import Traffic, closed_loop, simulate_fleet  # noqa: E402
from breakeven.workload.arrivals import Prefixes  # noqa: E402
from fleet_logs import H100, log  # noqa: E402
from plain_simulation import Request, play  # noqa: E402

TRACES = ROOT.parent / "shared" / "data" / "traces"
MIXES = {"chat 1,000/250": (1000, 250), "long 6,000/300": (6000, 300), "talk 300/500": (300, 500)}


def traffic_of(tokens_in: float, tokens_out: float, req_per_s: float, count: int, seed: int = 1) -> Traffic:
    """Poisson arrivals, gamma-distributed lengths of squared coefficient of variation 1/2."""
    rng = np.random.default_rng(seed)
    lengths = [np.maximum(rng.gamma(2, mean / 2, count), 1) for mean in (tokens_in, tokens_out)]
    return Traffic.of(np.cumsum(rng.exponential(1 / req_per_s, count)), *lengths)


def speed() -> None:
    print("Simulated requests per second on one core (chat, 80 % load)")
    rate = 0.8 * float(saturated_req_per_s(H100, Lengths.of(1000, 250, input_cv2_ratio=0.5, output_cv2_ratio=0.5)))
    for name, replicas, count in (("1 replica", 1, 400_000), ("10 replicas", 10, 400_000)):
        traffic = traffic_of(1000, 250, rate * replicas, count)
        simulate_fleet(H100, traffic, replicas)  # compiled and warm
        begun = time.perf_counter()
        run = simulate_fleet(H100, traffic, replicas)
        took = time.perf_counter() - begun
        iterations = int(run.iterations_count.sum())
        print(f"  compiled, {name:12}{count / took:14,.0f} req/s{iterations / took:16,.0f} iterations/s")
        assert run.served_count == count
    few = traffic_of(1000, 250, rate, 3000)
    columns = (few.arrival_s, few.input_tokens, few.output_tokens)
    requests = [Request(float(a), int(i), int(o)) for a, i, o in zip(*columns, strict=True)]
    begun = time.perf_counter()
    play(H100, requests, 1)
    plain = 3000 / (time.perf_counter() - begun)
    print(f"  plain Python, one iteration at a time{plain:10,.0f} req/s")
    code = (
        "import sys,time;sys.path.insert(0,sys.argv[1]);import simulate as s\n"
        "t=s.traffic_of(1000,250,float(sys.argv[2]),2000);b=time.perf_counter();s.simulate_fleet(s.H100,t,1)\n"
        "print(2000/(time.perf_counter()-b))"
    )
    uncompiled = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "benchmarks"), str(rate)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    print(f"  the same code, not compiled{float(uncompiled.stdout):20,.0f} req/s")


def closed_points() -> None:
    rng = np.random.default_rng(2)
    clients = rng.choice([1, 2, 4, 8, 16, 32, 64, 128, 256], 2000)
    closed_loop([H100], 1, 10, 10)
    for name, ratio in (("fixed lengths", 1.0), ("lengths from 0.8 x to x", 0.8)):
        begun = time.perf_counter()
        closed_loop([H100] * 2000, clients, 1024, 1024, shortest_ratio=ratio)
        took = time.perf_counter() - begun
        print(f"  2,000 closed-loop points, ten requests per client, {name}: {took:.2f} s")


def oracles() -> None:
    print("Against closed forms (mean wait in service times, simulation +- standard error, exact)")
    rng, step_s = np.random.default_rng(13), 0.001
    ends = np.array([1.0, float(1 << 20)])
    for name, servers, use, lengths, exact in (
        ("M/M/10 at 8 erlang", 10, 0.8, rng.geometric(1e-3, 1_000_000), mmc_wait_s(10, 8.0, 1.0)),
        ("M/D/8 at 90 %", 8, 0.9, np.full(1_000_000, 1000), mdc_wait_s(8, 7.2, 1.0)),
        ("M/D/1 at 80 %", 1, 0.8, np.full(1_000_000, 1000), mdc_wait_s(1, 0.8, 1.0)),
    ):
        flat = ReplicaTiming(ends, np.full(2, step_s), 0.0, 0.0, 0.0, 0.0, 1e15, servers, 1 << 20)
        arrival = np.cumsum(rng.exponential(1 / (use * servers), 1_000_000))
        waits = simulate_fleet(flat, Traffic.of(arrival, 1, lengths), 1).ttft_s - step_s
        means = np.array([each.mean() for each in np.array_split(waits[50_000:], 40)])
        print(f"  {name:22}{means.mean():10.4f} +- {means.std(ddof=1) / 40**0.5:.4f}{float(exact):10.4f}")


def fluid_errors() -> None:
    print("Fluid against simulation (fluid / simulation - 1)")
    print(f"  {'':18}{'load':>6}{'TTFT':>9}{'TTFT p95':>10}{'TPOT':>9}{'TPOT p95':>10}   TPOT ms, fluid and simulation")
    for name, (tokens_in, tokens_out) in MIXES.items():
        lengths = Lengths.of(tokens_in, tokens_out, input_cv2_ratio=0.5, output_cv2_ratio=0.5)
        most = float(saturated_req_per_s(H100, lengths))
        for load in (0.5, 0.8, 0.95):
            run = simulate_fleet(H100, traffic_of(tokens_in, tokens_out, load * most, 200_000), 1)
            found = steady(H100, load * most, lengths)
            pairs = (
                (found.ttft_mean_s, run.ttft_s.mean()),
                (found.ttft_quantile_s, np.quantile(run.ttft_s, 0.95)),
                (found.tpot_mean_s, np.nanmean(run.tpot_s)),
                (found.tpot_quantile_s, np.nanquantile(run.tpot_s, 0.95)),
            )
            errors = [float(mine / true - 1) for mine, true in pairs]
            ms = f"{float(pairs[2][0]) * 1e3:.1f} / {float(pairs[2][1]) * 1e3:.1f}"
            cells = f"{errors[0]:+9.1%}{errors[1]:+10.1%}{errors[2]:+9.1%}{errors[3]:+10.1%}"
            print(f"  {name:18}{load:6.0%}{cells}   {ms}")
    print("Largest rate at which 95 % of the requests meet the targets")
    for name, ttft_s, tpot_s in (
        ("chat 1,000/250", 0.5, 0.02),
        ("long 6,000/300", 1.5, 0.05),
        ("talk 300/500", 0.2, 0.01),
    ):
        tokens_in, tokens_out = MIXES[name]
        lengths = Lengths.of(tokens_in, tokens_out, input_cv2_ratio=0.5, output_cv2_ratio=0.5)
        mine = float(max_rate_req_per_s(H100, lengths, ttft_s=ttft_s, tpot_s=tpot_s))
        true = rate_by_simulation(tokens_in, tokens_out, ttft_s, tpot_s, mine)
        print(f"  {name:18}{mine:8.2f} req/s, simulated {true:.2f}: {mine / true - 1:+.1%}")
    spread = Lengths.of(np.linspace(200, 6000, 10_000), 300.0, input_cv2_ratio=1.0, output_cv2_ratio=1.0)
    begun = time.perf_counter()
    max_rate_req_per_s(H100, spread, ttft_s=0.5, tpot_s=0.03)
    print(f"  10,000 points of the largest rate: {time.perf_counter() - begun:.2f} s")


def rate_by_simulation(tokens_in: float, tokens_out: float, ttft_s: float, tpot_s: float, guess: float) -> float:
    low, high = 0.3 * guess, 2.0 * guess
    for _ in range(12):
        middle = 0.5 * (low + high)
        run = simulate_fleet(H100, traffic_of(tokens_in, tokens_out, middle, 100_000), 1)
        low, high = (middle, high) if run.attained_fraction(ttft_s, tpot_s) >= 0.95 else (low, middle)
    return low


def traces() -> None:
    print("Public traces, request by request (timing like an 8B model on an H100)")
    rows = list(csv.DictReader((TRACES / "azure_llm_2023_code.csv").read_text(encoding="utf-8").splitlines()))
    at = [datetime.fromisoformat(row["TIMESTAMP"][:26]).replace(tzinfo=UTC).timestamp() for row in rows]
    lengths = [[int(row[name]) for row in rows] for name in ("ContextTokens", "GeneratedTokens")]
    azure = log(np.array(at) - at[0], *lengths, until_s=at[-1] - at[0] + 1)
    text = (TRACES / "mooncake_conversation.jsonl").read_text(encoding="utf-8")
    named = [json.loads(line) for line in text.splitlines()]
    blocks = np.array([each for row in named for each in row["hash_ids"]], np.int64)
    start = np.array([row["timestamp"] / 1e3 for row in named])
    mooncake = log(
        start,
        [row["input_length"] for row in named],
        [max(row["output_length"], 1) for row in named],
        until_s=float(start[-1] + 1),
        prefixes=Prefixes(blocks, np.cumsum([len(row["hash_ids"]) for row in named]).astype(np.int64)),
    )
    for name, arrivals, ttft_s in (("Azure code", azure, 1.0), ("Mooncake conversation", mooncake, 3.0)):
        target = LatencyTarget(ttft_s, 0.05)
        for way, policy in (
            ("always on", FleetPolicy(target)),
            ("always on, N+1", FleetPolicy(target, spare_count=1)),
            ("autoscaled", FleetPolicy(target, is_autoscaled=True)),
            ("autoscaled, N+1", FleetPolicy(target, is_autoscaled=True, spare_count=1)),
        ):
            plan = plan_fleet(H100, arrivals, policy)
            print(
                f"  {name}, TTFT {ttft_s:g} s, TPOT 50 ms, {way:16} replicas {plan.replicas_most_count}, paid "
                f"{plan.paid_hours:.2f} h, idle {plan.idle_fraction:.0%}, met {plan.attained_fraction:.2%}, prefix "
                f"{plan.reused_fraction:.1%}"
            )


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    speed()
    closed_points()
    oracles()
    fluid_errors()
    if TRACES.exists():
        traces()


if __name__ == "__main__":
    main()
