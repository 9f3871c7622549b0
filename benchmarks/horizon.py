"""Speed of the horizon: all options x months x draws, against numpy on the same terms in the same run.

    python benchmarks/horizon.py

Twelve options of the catalogue, 36 months, one core. Draws come in chunks of 16,384, so that memory stays bounded; the
times are scaled to a million draws. The numpy baselines compute the same bills from the same terms (checked), whole
arrays at a time or in rows that fit the cache. Reading the options' terms is timed apart: it is done once per chunk.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from breakeven.decision.horizon.exact import Setting, cash_flows, committed, setting_of
from breakeven.decision.horizon.run import prepare, present_only, run, run_prepared
from breakeven.decision.horizon.terms import Terms, terms_of
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from costing import demand, situation

NAMES = (
    "frontier_api",
    "cheaper_tier",
    "batch_api",
    "brokered",
    "deepseek_api",
    "hybrid",
    "managed_together",
    "rented_on_demand",
    "rented_spot",
    "rented_one_year",
    "owned_gpus",
    "small_gpu",
)
DRAWS_LOG2 = 14
ROWS_COUNT = 2048
MILLION = 1_000_000
ROUNDS_COUNT = 30
VOLUME_MTOK = 5_000
Floats = NDArray[np.float64]


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    draws = DrawSet(0, DRAWS_LOG2)
    options = select_options(NAMES)
    setting = setting_of(situation(demand(VOLUME_MTOK)), draws.of, {})
    reading_s = process_time()
    terms = terms_of(setting, options)
    reading_s = process_time() - reading_s
    prepared = prepare(setting, terms)
    by_numpy = numpy_bills(setting, terms, slice(None))
    difference = float(np.max(np.abs(by_numpy / without_capital(setting, terms) - 1)))
    chunks = [slice(start, start + ROWS_COUNT) for start in range(0, draws.draws_count, ROWS_COUNT)]
    timed: list[tuple[str, float]] = [
        ("numpy, whole arrays", best(lambda: numpy_bills(setting, terms, slice(None)), 2)),
        (f"numpy, rows of {ROWS_COUNT:,}", best(lambda: [numpy_bills(setting, terms, each) for each in chunks], 2)),
        ("kernel, every month's bill and odds", best(lambda: run_prepared(prepared), ROUNDS_COUNT)),
        ("kernel, present costs by shared sums", best(lambda: present_only(prepared), ROUNDS_COUNT)),
        ("copy of the terms (floor)", best(lambda: copied(terms), ROUNDS_COUNT)),
    ]
    base = timed[0][1]
    print(
        f"{len(NAMES)} options x {setting.facts.months_count} months, {draws.draws_count:,} draws at a time, one core\n"
    )
    print(f"{'variant':<40}{'s per 1e6 draws':>16}{'ns per cell':>13}{'against numpy':>15}")
    for name, seconds in timed:
        scaled = seconds / draws.draws_count * MILLION
        cell_ns = seconds / draws.draws_count / len(NAMES) / setting.facts.months_count * 1e9
        print(f"{name:<40}{scaled:>16.3f}{cell_ns:>13.2f}{base / seconds:>14.1f}x")
    print(f"\nreading the terms of all options: {reading_s:.2f} s per {draws.draws_count:,} draws")
    print(f"largest difference between numpy and the kernel: {difference:.1e}")
    apart = np.max(np.abs(present_only(prepared) / run_prepared(prepared).present_cost_usd - 1))
    print(f"largest difference between the sums and the months: {apart:.1e}")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    errors()


def errors() -> None:
    """The fast form against the exact months, option by option."""
    draws = DrawSet(1, 10)
    options = select_options(NAMES)
    setting = setting_of(situation(demand(VOLUME_MTOK)), draws.of, {})
    exact_s = process_time()
    exact = cash_flows(setting, options)
    exact_s = process_time() - exact_s
    found = run(setting, terms_of(setting, options))
    discount = setting.facts.discount()
    print(
        f"\nFast form against exact months, {draws.draws_count:,} draws ({exact_s / draws.draws_count * MILLION:,.0f} s"
    )
    print("per 1e6 draws the exact way), present cost\n")
    print(f"{'option':<24}{'mean':>10}{'median of |error|':>20}{'95 %':>10}")
    for name in NAMES:
        truth = exact[name].present_cost_usd(discount)
        error = np.abs(found.present(name) / truth - 1)
        mean = abs(float(np.mean(found.present(name)) / np.mean(truth)) - 1)
        print(f"{name:<24}{mean:>10.1e}{np.median(error):>20.1e}{np.quantile(error, 0.95):>10.1e}")


def numpy_bills(setting: Setting, terms: Sequence[Terms], rows: slice) -> Floats:
    """Present value of the bills of every option, shape ``(options, draws)``, one month after the other."""
    paths, facts = setting.paths, setting.facts
    discount = np.broadcast_to(facts.discount(), setting.volume_mtok.shape)[rows]
    volume_now = setting.volume_mtok[rows]
    total = np.zeros((len(terms), volume_now.size))
    worth = np.ones(volume_now.size)
    best = np.empty(volume_now.size)
    for month in range(facts.months_count):
        worth = worth * discount
        volume, moved = volume_now * paths.volume[month, rows], paths.moved[month, rows]
        today = np.zeros(volume.size)
        best[:] = np.inf
        for index, each in enumerate(terms):
            token = each.per_mtok[:, rows]
            ratio = (
                token[0] + token[1] * paths.api_list_price[month, rows] + token[2] * paths.open_token_price[month, rows]
            )
            bill = ratio * volume * (moved if each.moves else 1.0)
            if each.steps:
                load = volume * moved * paths.open_model_work[month, rows]
                units = np.maximum(np.ceil(load / each.step_mtok[rows]), each.fewest_count[rows])
                rent = committed(paths.gpu_rent, each.commitment_months)[month, rows]
                over = np.maximum(units - each.knots[:, None], 0.0)
                bill = (
                    bill
                    + each.today[0, rows]
                    + each.today[1, rows] * units
                    + np.sum(each.today[2:, rows] * over, axis=0)
                )
                bill = bill + (each.rent[0, rows] + each.rent[1, rows] * units) * rent
            else:
                bill = bill + each.today[0, rows]
            if each.moves:
                bill = bill + (1 - moved) * today
            else:
                today = bill
            total[index] += bill * worth
            np.minimum(best, bill, out=best)
    return total


def without_capital(setting: Setting, terms: Sequence[Terms]) -> Floats:
    """What numpy computes too: present cost less what is paid once, with hardware as its annuity."""
    plain = [each if not np.any(each.capex_usd) else _rented(each) for each in terms]
    return run(setting, plain).present_cost_usd - np.stack([each.once_usd for each in terms])


def _rented(each: Terms) -> Terms:
    from dataclasses import replace

    return replace(each, capex_usd=np.zeros_like(each.capex_usd))


def copied(terms: Sequence[Terms]) -> list[Floats]:
    """The terms, once through memory."""
    return [np.array(array) for each in terms for array in (each.per_mtok, each.today, each.rent, each.step_mtok)]


def best(work: Callable[[], object], rounds_count: int) -> float:
    """CPU seconds of the quickest of some rounds."""
    found = []
    for _ in range(rounds_count):
        start = process_time()
        work()
        found.append(process_time() - start)
    return min(found)


if __name__ == "__main__":
    main()
