"""How good are the verdict on a log, the forecast of its next weeks and their interval? On planted and public series.

    python benchmarks/stability.py [SERIES]

Prints, over SERIES made-up series of each kind (default 100): how often level shifts are found that are not there, and
that are; whether the interval of next quarter's total covers the truth, beside a plain bootstrap of whole weeks; errors
against last week repeated; what the verdict says; how many days an interval takes to narrow, beside what was said. Then
the public traces, by rolling origin: the days after each origin are forecast from those before. Nothing here is timed.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from breakeven.workload.bootstrap import Total, total_ahead
from breakeven.workload.daily_series import DailySeries, log_amounts, week_of
from breakeven.workload.day_models import SEASONAL_NAIVE
from breakeven.workload.level_shifts import find_levels
from breakeven.workload.profile import DayUse
from breakeven.workload.rolling_origin import Trial, try_models
from breakeven.workload.stability import stability
from breakeven.workload.stability_rules import INTERVAL, TOTAL_ERROR_MAX_FRACTION

Floats = NDArray[np.float64]
FIRST = date(2026, 6, 1)
WEEK = np.array([1.0, 1.05, 1.1, 1.05, 1.0, 0.4, 0.3])
TRACES = Path("../shared/data/traces")
QUARTER_DAYS = 91
LARGE = 1e6


def scatter(days: int, memory: float, rng: np.random.Generator, spread: float) -> Floats:
    """Autoregressive scatter of the logarithm."""
    chance = rng.standard_normal(days + 100) * spread * np.sqrt(1 - memory**2)
    found = np.zeros(days + 100)
    for day in range(1, days + 100):
        found[day] = memory * found[day - 1] + chance[day]
    return found[100:]


def weekly(days: int, rng: np.random.Generator, level: Floats | float = 0.0) -> Floats:
    """A week with quiet weekends."""
    return WEEK[np.arange(days) % 7] * np.exp(level + scatter(days, 0.3, rng, 0.2))


def shifted(days: int, rng: np.random.Generator) -> Floats:
    """A level that rises by 49 % on some day of the past."""
    start = int(rng.integers(14, days - QUARTER_DAYS - 14)) if days > QUARTER_DAYS + 30 else days // 2
    return weekly(days, rng, np.where(np.arange(days) >= start, np.log(1.49), 0.0))


def with_gaps(days: int, rng: np.random.Generator) -> Floats:
    """One day in twenty-five without a call."""
    return np.where(rng.random(days) < 0.04, 0.0, weekly(days, rng))


def with_spikes(days: int, rng: np.random.Generator) -> Floats:
    """One day in thirty with six times the calls."""
    return np.where(rng.random(days) < 0.03, 6.0, 1.0) * weekly(days, rng)


KINDS: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "independent days (sigma 0.3)": lambda days, rng: np.exp(scatter(days, 0.0, rng, 0.3)),
    "AR(1) 0.5": lambda days, rng: np.exp(scatter(days, 0.5, rng, 0.3)),
    "AR(1) 0.8": lambda days, rng: np.exp(scatter(days, 0.8, rng, 0.3)),
    "week": weekly,
    "week, growing 1 % a week": lambda days, rng: weekly(days, rng, np.arange(days) * 0.01 / 7),
    "week, growing 2 % a week": lambda days, rng: weekly(days, rng, np.arange(days) * 0.02 / 7),
    "week, growing 10 % a week": lambda days, rng: weekly(days, rng, np.arange(days) * 0.1 / 7),
    "week, one shift of +49 %": shifted,
    "week, 4 % of days empty": with_gaps,
    "week, 3 % of days six times": with_spikes,
    "week, level a random walk": lambda days, rng: weekly(days, rng, np.cumsum(0.04 * rng.standard_normal(days))),
}


def series_of(amounts: Floats) -> DailySeries:
    """Made-up amounts as a series."""
    return DailySeries(FIRST, amounts * LARGE)


def days_of(amounts: Floats) -> SimpleNamespace:
    """The same as a log of whole days."""
    rows = (
        DayUse(FIRST + timedelta(days=index), 10, round(each * LARGE), 0, 0, each, 0, complete=True)
        for index, each in enumerate(amounts)
    )
    return SimpleNamespace(days=tuple(rows))


def levels(amounts: Floats) -> tuple[int, bool]:
    """Shifts and whether a slope was found."""
    series = series_of(amounts)
    logs = log_amounts(series.amounts)
    found = find_levels(logs - week_of(logs, series.weekdays).effects[series.weekdays])
    return len(found.shifts), found.sloped


def print_shifts(count: int) -> None:
    """False alarms, and the power for +49 % in the middle."""
    print(
        f"\nLevel shifts, {count} series each: share with a shift found (or growth) where there is none, and for +49 %"
    )
    print(f"{'days':>5} {'memory':>7}  {'false shift':>11} {'false growth':>12}  {'shift found':>11} {'or growth':>10}")
    for days in (60, 90, 180):
        for memory in (0.0, 0.3, 0.5, 0.7, 0.9):
            rng = np.random.default_rng(days * 10 + int(memory * 10))
            step = np.where(np.arange(days) >= days // 2, 1.49, 1.0)
            quiet = [np.exp(scatter(days, memory, rng, 0.3)) for _ in range(count)]
            none, some = [levels(each) for each in quiet], [levels(each * step) for each in quiet]
            figures = (
                np.mean([shifts > 0 for shifts, _ in none]),
                np.mean([sloped for _, sloped in none]),
                np.mean([shifts > 0 for shifts, _ in some]),
                np.mean([shifts > 0 or sloped for shifts, sloped in some]),
            )
            print(
                f"{days:5d} {memory:7.1f}  {figures[0]:11.0%} {figures[1]:12.0%}  {figures[2]:11.0%} {figures[3]:10.0%}"
            )


def plain_interval(past: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """80 % of sums of 13 weeks drawn from all weeks: the bootstrap without levels, drift and memory."""
    weeks = past[len(past) % 7 :].reshape(-1, 7).sum(axis=1)
    sums = weeks[rng.integers(0, len(weeks), (1000, 13))].sum(axis=1)
    return float(np.quantile(sums, 0.1)), float(np.quantile(sums, 0.9))


def from_origin(amounts: Floats, origin: int, days: int = QUARTER_DAYS) -> tuple[Total, Trial, float]:
    """What is forecast of the `days` after `origin` from those before, with which model, and what they came to."""
    series = DailySeries(FIRST, amounts[:origin])
    trial = try_models(series)
    total = total_ahead(series, trial.chosen, days // 7)
    return total, trial, float(amounts[origin : origin + days].sum())


def print_planted(count: int) -> None:
    """Coverage of next quarter's interval, errors and verdicts."""
    print(f"\nNext quarter's total from the days before, {count} series each; WAPE of 4-week totals by rolling origin")
    print(
        f"{'':30} {'days':>4}  {'cover':>5} {'plain':>5}  {'half width':>10} {'bias':>6} ",
        f"{'WAPE':>5} {'naive':>6}  verdict",
    )
    for name, made in KINDS.items():
        for days in (45, 90, 180):
            rng = np.random.default_rng(days + 7)
            rows, said = [], Counter[str]()
            for _ in range(count):
                amounts = made(days + QUARTER_DAYS, rng) * LARGE
                total, trial, seen = from_origin(amounts, days)
                low, high = plain_interval(amounts[:days], rng)
                chosen, naive = trial.error(trial.chosen), trial.error(SEASONAL_NAIVE)
                assert chosen is not None and naive is not None
                rows.append(
                    (
                        total.low <= seen <= total.high,
                        low <= seen <= high,
                        total.half_width_ratio,
                        total.typical / seen - 1,
                        chosen.total_wape_fraction,
                        naive.total_wape_fraction,
                    )
                )
                said[stability(days_of(amounts[:days] / LARGE), FIRST + timedelta(days=days)).answer] += 1
            mean = np.mean(np.array(rows, np.float64), axis=0)
            bias = float(np.median([row[3] for row in rows]))
            print(
                f"{name:30} {days:4d}  {mean[0]:5.0%} {mean[1]:5.0%}  {mean[2]:10.0%} {bias:+6.0%}  {mean[4]:5.1%} "
                f"{mean[5]:6.1%}  {', '.join(f'{each} {part / count:.0%}' for each, part in said.most_common())}",
                flush=True,
            )


ROLLING_ORIGINS_DAYS = tuple(range(28, 183, 14))


def print_rolling(count: int) -> None:
    """Coverage of next quarter's interval from every origin of each series, from four weeks to half a year."""
    print(f"\nNext quarter's 80 % interval by rolling origin, {count} series each: held, by the days before the origin")
    print(f"{'':30} {'all':>4} ", " ".join(f"{each:4d}" for each in ROLLING_ORIGINS_DAYS))
    every = []
    for name, made in KINDS.items():
        rng = np.random.default_rng(len(name) + 3)
        held = np.zeros((count, len(ROLLING_ORIGINS_DAYS)))
        for row in held:
            amounts = made(ROLLING_ORIGINS_DAYS[-1] + QUARTER_DAYS, rng) * LARGE
            for index, origin in enumerate(ROLLING_ORIGINS_DAYS):
                total, _, seen = from_origin(amounts, origin)
                row[index] = total.low <= seen <= total.high
        every.append(held)
        print(f"{name:30} {held.mean():4.0%} ", " ".join(f"{each:4.0%}" for each in held.mean(axis=0)), flush=True)
    together = np.concatenate(every)
    print(f"{'all kinds':30} {together.mean():4.0%} ", " ".join(f"{each:4.0%}" for each in together.mean(axis=0)))


WAITING: dict[str, tuple[float, float]] = {
    "week, sigma 0.3, memory 0.3": (0.3, 0.3),
    "week, sigma 0.3, memory 0.5": (0.3, 0.5),
    "week, sigma 0.45, memory 0.3": (0.45, 0.3),
    "week, sigma 0.25, memory 0.8": (0.25, 0.8),
}
WAIT_SAID_FROM_DAYS = 60
WAIT_TRIED_DAYS = 400


def wait_days(amounts: Floats) -> int | None:
    """Days until the interval is narrow enough, tried every 8; None: not in 400."""
    for more in range(8, WAIT_TRIED_DAYS + 1, 8):
        series = DailySeries(FIRST, amounts[: WAIT_SAID_FROM_DAYS + more])
        if total_ahead(series, try_models(series).chosen).half_width_ratio <= TOTAL_ERROR_MAX_FRACTION:
            return more
    return None


def print_waits(count: int) -> None:
    """Days that the rule on the interval says are missing, beside those that it took."""
    print(f"\nDays until next quarter is known within 25 %, said on day {WAIT_SAID_FROM_DAYS}; {count} logs each")
    print(f"{'':30} {'too wide':>8} {'told':>5} {'never':>6}  {'median said / took':>18} {'off by':>6} {'too late':>8}")
    every: list[float] = []
    for name, (spread, memory) in WAITING.items():
        rng, ratios, wide, told, never = np.random.default_rng(len(name)), [], 0, 0, 0
        for _ in range(count):
            days = WAIT_SAID_FROM_DAYS + WAIT_TRIED_DAYS
            amounts = WEEK[np.arange(days) % 7] * np.exp(scatter(days, memory, rng, spread)) * LARGE
            found = stability(days_of(amounts[:WAIT_SAID_FROM_DAYS] / LARGE), FIRST + timedelta(WAIT_SAID_FROM_DAYS))
            check = next(each for each in found.checks if each.name == INTERVAL)
            wide += not check.passed
            if check.more_days_count:
                told, took = told + 1, wait_days(amounts)
                never += took is None
                ratios += [check.more_days_count / took] if took else []
        every += ratios
        print_wait(name, f"{wide:8d} {told:5d} {never:6d}", ratios)
    print_wait("together", " " * 21, every)
    low, high = 1 / np.quantile(every, (0.9, 0.1))
    print(f"  eight in ten took {low:.2f} to {high:.2f} times the days that were said")


def print_wait(name: str, counts: str, ratios: list[float]) -> None:
    """One row: days said over days that it took."""
    off = np.exp(np.median(np.abs(np.log(ratios))))
    print(f"{name:30} {counts}  {np.median(ratios):18.2f} {off:6.2f} {np.mean(np.array(ratios) > 1):8.0%}", flush=True)


def burstgpt() -> Floats:
    """61 days of tokens."""
    with (TRACES / "burstgpt_daily.csv").open(encoding="utf-8") as file:
        return np.array([float(row["tok"]) for row in csv.DictReader(file)])


def servegen() -> Floats:
    """14 days of tokens, from ten-minute windows."""
    with (TRACES / "servegen_m_mid_10min.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = np.zeros(1 + max(int(row["t_s"]) for row in rows) // 86_400)
    for row in rows:
        tokens = float(row["mean_input_tokens"]) + float(row["mean_output_tokens"])
        found[int(row["t_s"]) // 86_400] += 600 * float(row["requests_per_s"]) * tokens
    return found


def print_trace(name: str, amounts: Floats, first: int, weeks: int) -> None:
    """Every origin of a trace: the total of the weeks after it, forecast from the days before."""
    print(f"\n{name}: {len(amounts)} days, {weeks} week(s) ahead from every day from day {first} on")
    inside, chosen_off, naive_off, seen_all, used = 0, 0.0, 0.0, 0.0, Counter[str]()
    origins = range(first, len(amounts) - 7 * weeks + 1)
    for origin in origins:
        total, trial, seen = from_origin(amounts, origin, 7 * weeks)
        inside += total.low <= seen <= total.high
        chosen_off += abs(total.typical - seen)
        naive_off += abs(float(amounts[origin - 7 : origin].sum()) * weeks - seen)
        seen_all += seen
        used[trial.chosen] += 1
    print(
        f"  interval held in {inside} of {len(origins)} (neighbouring origins share days); WAPE of the total "
        f"{chosen_off / seen_all:.0%}, last week repeated {naive_off / seen_all:.0%}; {dict(used)}"
    )


def main() -> int:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", nargs="?", type=int, default=100)
    count = parser.parse_args().series
    if TRACES.exists():
        print_trace("BurstGPT", burstgpt(), 28, 4)
        print_trace("BurstGPT", burstgpt(), 28, 2)
        print_trace("ServeGen m-mid", servegen(), 7, 1)
        for name, amounts in (("BurstGPT", burstgpt()), ("ServeGen m-mid", servegen())):
            found = stability(days_of(amounts / LARGE), FIRST + timedelta(days=len(amounts)))
            print(f"\n{name}: {found.sentence}")
            for each in found.checks:
                print(f"  {'holds' if each.passed else 'fails'}: {each.finding}")
    print_planted(count)
    print_rolling(max(count * 2 // 5, 1))
    print_waits(max(count * 2 // 5, 1))
    print_shifts(count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
