"""The whole chain on a real server: bench llama.cpp on this machine, calibrate on half of the concurrencies, predict
the rest.

    python benchmarks/bench_llama.py [ROUNDS]

The model has 3 million random parameters and runs on the processor, so nothing in the catalogue describes it: the
prediction is a rule of thumb (bytes over 10 GB/s, arithmetic at 50 GFLOP/s) that is believed to within a factor of
three. The concurrencies are measured in rounds, so that a machine that is busier for a while does not bias one of them;
what is predicted is the median over the rounds. Needs xllamacpp and gguf (the extra `dev`).
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
from pathlib import Path
from secrets import token_hex
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bench import llama_server
from bench.rule_of_thumb import WIDE, RuleOfThumb
from breakeven.bench.document import BenchDocument, to_json
from breakeven.bench.endpoint import endpoint_at
from breakeven.bench.load import ClosedLoop, Lengths
from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.measurement import Order, measure
from breakeven.bench.results_file import read_points
from breakeven.clock import now
from breakeven.reports.calibration_document import calibrate
from breakeven.serving.calibrate import DeploymentKey

USERS = (1, 2, 3, 4, 6, 8)
REQUESTS_PER_USER = 3
PREDICT = RuleOfThumb(params_count=3.0e6)
KEY = DeploymentKey("tiny-random", "processor", 1, "fp32", "llama.cpp")


def measured(rounds: int) -> BenchDocument:
    """Bench a llama.cpp server in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        model = Path(folder) / "tiny.gguf"
        llama_server.write_model(model)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        with llama_server.llama_process(model, port) as url:
            levels = [ClosedLoop(users, REQUESTS_PER_USER * users) for _ in range(rounds) for users in USERS]
            order = Order(
                endpoint_at(url, llama_server.MODEL, "chat"), lambda _: levels, Lengths(60, 64), nonce=token_hex(16)
            )
            return measure(order, now(), lambda step: print(f"  {step}", file=sys.stderr))


def errors(points: list[MeasuredPoint], known: tuple[int, ...]) -> None:
    """Print each concurrency that was left out: predicted, measured, corrected."""
    found = calibrate([each for each in points if each.concurrency_count in known], PREDICT, KEY, now().date(), WIDE)
    left_out = [users for users in USERS if users not in known]
    for correction in found.corrections:
        before, after, inside = [], [], 0
        for users in left_out:
            same = [each for each in points if each.concurrency_count == users]
            truth = median(getattr(each, correction.figure) for each in same)
            said = getattr(PREDICT(same[0].input_tokens, same[0].output_tokens, users), correction.figure)
            factor = correction.interval(users)
            before.append(abs(said / truth - 1))
            after.append(abs(said * factor.typical / truth - 1))
            inside += sum(factor.low <= getattr(each, correction.figure) / said <= factor.high for each in same)
            print(
                f"  {correction.figure:17} concurrency {users}: predicted {said:8.1f}, measured {truth:8.1f}, "
                f"corrected {said * factor.typical:8.1f} ({said * factor.low:.1f} to {said * factor.high:.1f})"
            )
        single = len(left_out) * len(points) // len(USERS)
        print(
            f"  {correction.figure:17} median error {median(before):.1%} -> {median(after):.1%}; "
            f"{inside} of {single} single measurements inside the 80 % intervals"
        )


def main() -> int:
    """Measure, calibrate on every other concurrency, predict the rest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="?", type=int, default=7)
    document = measured(parser.parse_args().rounds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        path.write_text(to_json(document), encoding="utf-8")
        points = list(read_points(path))
    sent = sum(each.succeeded_count + each.failed_count for each in document.levels)
    print(f"{sent} requests, {sum(each.failed_count for each in document.levels)} failed; {'; '.join(document.notes)}")
    for known in (USERS[::2], USERS[1::2]):
        print(f"calibrated on concurrency {', '.join(map(str, known))}")
        errors(points, known)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
