"""What does the load generator itself cost, and what can it drive? Against a mock server in a process of its own.

    python benchmarks/bench_overhead.py [ROUNDS]

Prints the median of each figure over some rounds of `breakeven bench --self-test`, and the smallest and largest. The
mock server shares the machine: on few cores, what was driven is a lower bound.
"""

from __future__ import annotations

import argparse
import os
from statistics import median

from breakeven.bench.self_test import SelfTest, self_test

FIGURES = {
    "processor time of a request with one token, ms": lambda found: found.request_cpu_ms,
    "processor time of a further event, us": lambda found: 1e3 * found.event_cpu_ms,
    "time to first token of an idle server that answers at once, P50, ms": lambda found: found.first_token_ms.p50_ms,
    "the same, P99, ms": lambda found: found.first_token_ms.p99_ms,
    "lag of an event, P50, ms": lambda found: found.event_lag_ms.p50_ms,
    "lag of an event, P99, ms": lambda found: found.event_lag_ms.p99_ms,
    "at so many events per second": lambda found: found.lag_tok_per_s,
    "driven: requests per second of one token": lambda found: found.driven_req_per_s,
    "driven: events per second": lambda found: found.driven_tok_per_s,
    "events per second that one core could take (1 / processor time)": lambda found: 1e3 / found.event_cpu_ms,
}


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    rounds = parser.parse_args().rounds
    found: list[SelfTest] = [self_test(lambda _: None) for _ in range(rounds)]
    print(f"{rounds} rounds, {found[0].requests_count} requests each, {os.cpu_count()} cores")
    width = max(map(len, FIGURES))
    print(f"{'':{width}}  {'median':>10}  {'least':>10}  {'most':>10}")
    for name, figure in FIGURES.items():
        values = [figure(each) for each in found]
        print(f"{name:{width}}  {median(values):>10,.2f}  {min(values):>10,.2f}  {max(values):>10,.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
