"""How often a canary accepts a bad candidate, and what a good one costs: any-time tests side by side, by simulation.

Parts: *unpaired* (false acceptance with a look after every request, sizes against one look at the end), *covariates*,
*drift* (the baseline gets better while the share rises), *sticky* (users with a taste of their own), *late* (failures
are told after hours), *missing* (failures are told less often), *audit* (a judge lenient to the candidate), *guards*,
*watch* (after the rollout).

    python benchmarks/pilot_canary.py --runs 1000            # the figures of docs/explanation/pilot-statistics.md
    python benchmarks/pilot_canary.py --runs 100 --part sticky
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import norm

from breakeven.outcomes.restarting_bets import ln_wealth_path
from breakeven.outcomes.success_watch import SuccessWatch
from breakeven.pilot.bets import best_stake_ratio, planned_inferior_bets
from breakeven.pilot.guardrails import baseline_bounds
from breakeven.pilot.increments import Increments, ln_e_path, ln_e_value, planned_stakes
from breakeven.pilot.observations import Codes, Flags, Floats
from breakeven.pilot.pair_chances import pair_chances
from breakeven.pilot.prediction_powered import Audit, audited_dealt, audited_pairs, widening_ratio
from breakeven.pilot.quantiles import more_than_stakes
from breakeven.pilot.task_evidence import unit_widening
from breakeven.pilot.two_sample import Dealt, two_sample_increments, two_sample_stake_ratio, two_sample_stakes

MARGIN, ALPHA = 0.95, 0.05
GOAL = math.log(1 / ALPHA)
SEED = 20261126


@dataclass(frozen=True)
class Stops:
    """Outcomes after which runs stopped; the cap where they did not."""

    after: Floats
    accepted: Floats

    def words(self, fixed: float | None = None) -> str:
        share = self.accepted.mean()
        error = math.sqrt(max(share * (1 - share), 1e-4) / len(self.accepted))
        mean, p80 = self.after.mean(), np.quantile(self.after, 0.8)
        found = f"accepted {share:.3f} +- {error:.3f}, mean {mean:.0f}, p80 {p80:.0f}"
        if fixed:
            found += f", of one look {mean / fixed:.2f} and {p80 / fixed:.2f}"
        return found


def stops(runs: int, one: Callable[[np.random.Generator], tuple[float, bool]], salt: int) -> Stops:
    rng = np.random.default_rng([SEED, salt])
    found = [one(rng) for _ in range(runs)]
    return Stops(np.array([each[0] for each in found]), np.array([float(each[1]) for each in found]))


def first(path: Floats, goal: float = GOAL) -> tuple[float, bool]:
    reached = path >= goal
    return (float(reached.argmax()) + 1, True) if reached.any() else (float(len(path)), False)


def lot(
    rng: np.random.Generator, share: Floats, one: Floats | float, other: Floats | float, stratum: Codes | None = None
) -> Dealt:
    """Requests dealt at random, with these chances of success by arm."""
    rows = len(share)
    arm = (rng.uniform(size=rows) < share).astype(float)
    success = (rng.uniform(size=rows) < np.where(arm > 0, other, one)).astype(float)
    known = np.zeros(rows, dtype=np.intp) if stratum is None else stratum
    return Dealt(arm, share, success, np.arange(rows), known, np.zeros(rows), np.ones(rows))


def part_of(rows: Dealt, which: Flags | slice) -> Dealt:
    return Dealt(*(getattr(rows, name)[which] for name in Dealt.__slots__))


def canary_path(rows: Dealt, success: float, plan: float = 1.0) -> Floats:
    return ln_e_path(two_sample_increments(rows, success, plan), MARGIN, two_sample_stakes(success, plan, MARGIN))


def fixed_total(success: float, ratio: float) -> float:
    """Requests of both arms that a test at the end needs for 80 %, one-sided, half of them in either arm."""
    other = success * ratio
    noise = other * (1 - other) + MARGIN**2 * success * (1 - success)
    return 2 * (norm.ppf(1 - ALPHA) + norm.ppf(0.8)) ** 2 * noise / (success * (ratio - MARGIN)) ** 2


def naive_z(rows: Dealt) -> Floats:
    """The z statistic after each request, as people look at it."""
    arm, y = rows.is_candidate, rows.success
    n1, n0 = np.cumsum(arm), np.cumsum(1 - arm)
    with np.errstate(all="ignore"):
        p1, p0 = np.cumsum(arm * y) / n1, np.cumsum((1 - arm) * y) / n0
        z = (p1 - MARGIN * p0) / np.sqrt(p1 * (1 - p1) / n1 + MARGIN**2 * p0 * (1 - p0) / n0)
    return np.where(np.minimum(n1, n0) >= 30, np.nan_to_num(z, nan=0.0, posinf=0.0, neginf=0.0), 0.0)


RAMP = np.repeat([0.01, 0.05, 0.2, 0.5], [500, 500, 1_000, 3_000])
EVEN = np.full(5_000, 0.5)


def canary_run(
    rng: np.random.Generator, share: Floats, one: Floats | float, ratio: float, success: float, plan: float = 1.0
) -> tuple[float, bool]:
    return first(canary_path(lot(rng, share, one, one * ratio), success, plan))


def naive_run(rng: np.random.Generator, share: Floats, one: Floats | float, ratio: float) -> tuple[float, bool]:
    return first(naive_z(lot(rng, share, one, one * ratio)), float(norm.ppf(1 - ALPHA)))


def unpaired(runs: int) -> None:
    print("unpaired: at the margin, a look after every request up to 5,000")
    for success in (0.5, 0.9, 0.99):
        for name, share in (("half", EVEN), ("ramp", RAMP)):
            ours = stops(runs, partial(canary_run, share=share, one=success, ratio=MARGIN, success=success), 1)
            z = stops(runs, partial(naive_run, share=share, one=success, ratio=MARGIN), 1)
            print(f"  success {success:4.2f} {name}: {ours.words()}   naive z {z.accepted.mean():.3f}")
    print("unpaired: good candidates, half and half; mean and p80 over the size of one look at the end (80 %)")
    for success, ratio, plan in ((0.9, 1, 1), (0.9, 0.98, 0.98), (0.5, 1, 1), (0.9, 0.98, 1), (0.9, 1, 0.98)):
        fixed = fixed_total(success, ratio)
        share = np.full(int(fixed * 6), 0.5)
        run = partial(canary_run, share=share, one=success, ratio=ratio, success=success, plan=plan)
        found = stops(max(runs // 4, 20), run, 2)
        print(
            f"  success {success:4.2f} true {ratio:4.2f} planned {plan:4.2f}, one look {fixed:.0f}:", found.words(fixed)
        )


def covariates(runs: int) -> None:
    print("covariates: 40 % hard requests (0.55), others 0.99; true ratio 1")
    for name, is_known in (("not used", False), ("used", True)):
        print(f"  {name:8s}: {stops(max(runs // 4, 20), partial(_with_hard, is_known=is_known), 3).words()}")


def _with_hard(rng: np.random.Generator, is_known: bool) -> tuple[float, bool]:
    hard = rng.uniform(size=12_000) < 0.4
    chance = np.where(hard, 0.55, 0.99)
    return first(canary_path(lot(rng, np.full(12_000, 0.5), chance, chance, (hard * is_known).astype(np.intp)), 0.8))


def drift(runs: int) -> None:
    print("drift: the baseline rises from 0.3 to 0.95 while the share rises")
    level = np.repeat([0.3, 0.5, 0.7, 0.95], [500, 500, 1_000, 3_000])
    for ratio in (MARGIN, 0.85):
        ours = stops(runs, partial(canary_run, share=RAMP, one=level, ratio=ratio, success=0.9), 4)
        z = stops(runs, partial(naive_run, share=RAMP, one=level, ratio=ratio), 4)
        print(f"  true {ratio:4.2f}: {ours.words()}   raw rates, naive z {z.accepted.mean():.3f}")


def sticky(runs: int) -> None:
    runs = max(runs // 4, 20)
    print("sticky: users dealt by their hash, at the margin; a look every 250 requests up to 5,000")
    for users, spread, share in (
        (100, 3.0, EVEN),
        (400, 3.0, EVEN),
        (400, 10.0, EVEN),
        (2_000, 3.0, EVEN),
        (100, 3.0, STEPS),
        (400, 3.0, STEPS),
    ):
        told = partial(_sticky, users=users, spread=spread, share=share)
        naive = stops(runs, partial(told, ratio=MARGIN, by_unit=False), 5)
        ours = stops(runs, partial(told, ratio=MARGIN, by_unit=True), 5)
        good = stops(max(runs // 4, 20), partial(told, ratio=1.0, by_unit=True), 6)
        name = f"{users:5d} users, correlation {1 / (1 + spread):.2f}, {'half' if share is EVEN else 'ramp'}"
        print(f"  {name}: by request {naive.accepted.mean():.3f}, by unit {ours.words()}; a good one {good.words()}")


STEPS = np.repeat([0.05, 0.2, 0.5], [1_000, 1_000, 3_000])


def _sticky(
    rng: np.random.Generator, users: int, spread: float, share: Floats, ratio: float, by_unit: bool
) -> tuple[float, bool]:
    busy = rng.lognormal(0, 1, users)
    user = rng.choice(users, 5_000, p=busy / busy.sum())
    arm = (rng.uniform(size=users)[user] < share).astype(float)
    own = rng.beta(0.9 * spread, 0.1 * spread, users)[user]
    other = rng.beta(0.9 * ratio * spread, (1 - 0.9 * ratio) * spread, users)[user]
    success = (rng.uniform(size=5_000) < np.where(arm > 0, other, own)).astype(float)
    unit = user.astype(np.intp) if by_unit else np.arange(5_000)
    rows = Dealt(arm, share, success, unit, np.zeros(5_000, dtype=np.intp), np.zeros(5_000), np.ones(5_000))
    if not by_unit:
        return first(canary_path(rows, 0.9)[249::250])
    for count in range(250, 5_001, 250):
        made = two_sample_increments(part_of(rows, slice(count)), 0.9)
        wider = unit_widening(made.unit)
        stakes = planned_stakes(two_sample_stake_ratio(0.9, 1.0, MARGIN) / wider, 1 / wider)
        if ln_e_value(made, MARGIN, stakes) >= GOAL:
            return float(count), True
    return 5_000.0, False


def late(runs: int) -> None:
    print("late: 60 % of the candidate's failures are told six hours late; true ratio 0.90, a look every hour of ten")
    for name, waits in (("as they come", False), ("in their order", True)):
        print(f"  {name:14s}: accepted {stops(runs, partial(_late, waits=waits), 7).accepted.mean():.3f}")


def _late(rng: np.random.Generator, waits: bool) -> tuple[float, bool]:
    rows = lot(rng, np.full(4_000, 0.5), 0.9, 0.81)
    hour = np.arange(4_000) / 400
    is_late = (rows.is_candidate > 0) & (rows.success == 0) & (rng.uniform(size=4_000) < 0.6)
    for now in range(1, 11):
        told = (hour <= now) & ~(is_late & (hour > now - 6))
        if waits:
            open_ = (hour <= now) & ~told
            told &= hour < (hour[open_].min() if open_.any() else np.inf)
        path = canary_path(part_of(rows, told), 0.9)
        if len(path) and path[-1] >= GOAL:
            return float(now), True
    return 10.0, False


def missing(runs: int) -> None:
    print("missing: 60 % of the candidate's failures are never told; 4,000 requests, true ratio 0.85")
    for name, worst in (("left out", False), ("as the worst", True)):
        print(f"  {name:12s}: accepted {stops(runs, partial(_missing, worst=worst), 8).accepted.mean():.3f}")


def _missing(rng: np.random.Generator, worst: bool) -> tuple[float, bool]:
    rows = lot(rng, np.full(4_000, 0.5), 0.9, 0.9 * 0.85)
    gone = (rows.is_candidate > 0) & (rows.success == 0) & (rng.uniform(size=4_000) < 0.6)
    return first(canary_path(rows if worst else part_of(rows, ~gone), 0.9))


@dataclass(frozen=True)
class Judge:
    """How often it calls a success one, a baseline's failure a success, a candidate's failure a success."""

    right: float
    harsh: float
    lenient: float


def paired(rng: np.random.Generator, count: int, ratio: float) -> Floats:
    """Outcomes of pairs, baseline and candidate; 0.9, correlation 0.3."""
    chance = pair_chances(0.9, ratio, 0.3).array
    cell = rng.choice(4, count, p=chance)
    return np.column_stack([np.isin(cell, (0, 2)), np.isin(cell, (2, 3))]).astype(float)


def said(rng: np.random.Generator, labels: Floats, judge: Judge) -> Floats:
    wrong = np.array([judge.harsh, judge.lenient])
    return (rng.uniform(size=labels.shape) < np.where(labels > 0, judge.right, wrong)).astype(float)


def of_pairs(values: Floats) -> Increments:
    zero, one = np.zeros((len(values), 1)), np.ones((len(values), 1))
    return Increments(values[:, 1], values[:, 0], zero, one, zero, one, one[:, 0])


BEST = best_stake_ratio(pair_chances(0.9, 1.0, 0.3), MARGIN)


def audit(runs: int) -> None:
    print("audit: pairs, 0.9, correlation 0.3, a fifth audited; a look after every pair up to 5,000 (false) or 10,000")
    people = stops(runs, partial(_people, ratio=1.0, judge=None), 9)
    print(f"  people label all: median labels {np.median(people.after):.0f}, mean {people.after.mean():.0f}")
    for judge in (Judge(0.97, 0.03, 0.4), Judge(0.96, 0.04, 0.6), Judge(0.97, 0.03, 0.3)):
        alone = stops(max(runs // 10, 20), partial(_people, ratio=MARGIN, judge=judge), 10)
        run = partial(_audited, judge=judge)
        false = [
            stops(runs, partial(run, count=5_000, ratio=ratio), 11).accepted.mean() for ratio in (MARGIN, 0.93, 0.9)
        ]
        good = stops(runs, partial(run, count=10_000, ratio=1.0), 12)
        print(f"  {judge}: alone, at 0.95, accepted {alone.accepted.mean():.3f}")
        print(f"    audited: accepted {false[0]:.4f} at 0.95, {false[1]:.4f} at 0.93, {false[2]:.4f} at 0.90")
        for name, ours, theirs in (
            ("median", np.median(good.after), np.median(people.after)),
            ("mean", good.after.mean(), people.after.mean()),
        ):
            print(f"    a good one: {good.accepted.mean():.3f}, {name} labels {ours:.0f} ({ours / theirs - 1:+.0%})")
    for ratio, rows in ((MARGIN, 10_000), (1.0, 20_000)):
        run = partial(_audited_canary, count=rows, ratio=ratio, judge=Judge(0.97, 0.03, 0.4))
        print(f"  canary, a fifth audited, true {ratio:4.2f}: {stops(max(runs // 4, 20), run, 13).words()}")


def _people(rng: np.random.Generator, ratio: float, judge: Judge | None) -> tuple[float, bool]:
    """Every pair labelled, by people or by a judge who is believed."""
    labels = paired(rng, 5_000, ratio)
    return first(ln_e_path(of_pairs(said(rng, labels, judge) if judge else labels), MARGIN, planned_stakes(BEST)))


def _audited(rng: np.random.Generator, count: int, ratio: float, judge: Judge) -> tuple[float, bool]:
    """Labels until accepted."""
    labels = paired(rng, count, ratio)
    drawn = rng.uniform(size=count) < 0.2
    made = audited_pairs(
        labels, said(rng, labels, judge), Audit(drawn, np.full(count, 0.2)), np.arange(count), 0.9, 1.0
    )
    wider = widening_ratio(0.2)
    after, accepted = first(ln_e_path(made, MARGIN, planned_stakes(BEST / wider, 1 / wider)))
    return float(drawn[: int(after)].sum()), accepted


def _audited_canary(rng: np.random.Generator, count: int, ratio: float, judge: Judge) -> tuple[float, bool]:
    rows = lot(rng, np.full(count, 0.5), 0.9, 0.9 * ratio)
    wrong = np.where(rows.is_candidate > 0, judge.lenient, judge.harsh)
    judged = (rng.uniform(size=count) < np.where(rows.success > 0, judge.right, wrong)).astype(float)
    drawn = rng.uniform(size=count) < 0.2
    told = audited_dealt(rows, judged, Audit(drawn, np.full(count, 0.2)), 0.9, 1.0)
    wider = widening_ratio(0.2)
    stakes = planned_stakes(two_sample_stake_ratio(0.9, 1.0, MARGIN) / wider, 1 / wider)
    return first(ln_e_path(two_sample_increments(told, 0.9), MARGIN, stakes))


def guards(runs: int) -> None:
    print("guards: at alpha 0.01, 0.9, correlation 0.3, up to 3,000 pairs")
    for ratio in (0.80, 0.85, 0.90, MARGIN, 1.0):
        found = stops(runs if ratio < MARGIN else 2 * runs, partial(_guarded, ratio=ratio), 14)
        median, p95 = np.median(found.after), np.quantile(found.after, 0.95)
        print(f"  true {ratio:4.2f}: stopped {found.accepted.mean():.4f}, median {median:.0f} pairs, p95 {p95:.0f}")
    for rate in (0.05, 0.10, 0.30):
        found = stops(2 * runs if rate == 0.05 else runs, partial(_errors, rate=rate), 15)
        median = np.median(found.after)
        print(f"  errors {rate:4.2f} (limit 0.05): stopped {found.accepted.mean():.4f}, median {median:.0f} calls")
    down = stops(min(runs, 200), partial(_errors, rate=0.01, down_after=1_000), 16)
    print(f"  an upstream down after 1,000 good calls: stopped after {np.median(down.after) - 1_000:.0f} failed ones")


def _guarded(rng: np.random.Generator, ratio: float) -> tuple[float, bool]:
    bets = planned_inferior_bets(MARGIN, 0.9, 0.3)
    gains = paired(rng, 3_000, ratio) @ np.array([MARGIN, -1.0])
    return first(ln_wealth_path(gains, np.abs(bets.at(MARGIN)), bets.weights_fraction), math.log(100))


def _errors(rng: np.random.Generator, rate: float, down_after: int = 3_000) -> tuple[float, bool]:
    is_error = (rng.uniform(size=3_000) < rate) | (np.arange(3_000) >= down_after)
    return first(ln_wealth_path(is_error - 0.05, more_than_stakes()), math.log(100))


def latency(runs: int) -> None:
    print("latency: 95th percentiles, at most 1.5 times the baseline's at alpha 0.01; 3,000 calls, half and half")
    for slower in (1.5, 2.0, 3.0):
        found = stops(runs, partial(_latency, slower=slower), 19)
        median = np.median(found.after)
        print(f"  true {slower:.1f} times: stopped {found.accepted.mean():.4f}, median {median:.0f} of its answers")


def _latency(rng: np.random.Generator, slower: float) -> tuple[float, bool]:
    is_candidate = rng.uniform(size=3_000) < 0.5
    seconds = rng.lognormal(0, 0.7, 3_000) * np.where(is_candidate, slower, 1.0)
    allowed = 1.5 * baseline_bounds(seconds, is_candidate, 0.005)
    return first(ln_wealth_path((seconds[is_candidate] > allowed) - 0.05, more_than_stakes()), math.log(200))


def watch(runs: int) -> None:
    print("watch after the rollout: floor 0.85, alarm at 0.01")
    quiet = [_watched(np.random.default_rng([SEED, 17, i]), [(0.85, 5_000)]) for i in range(runs)]
    print(f"  at the floor for 5,000 audited calls: alarms {sum(each is not None for each in quiet) / runs:.4f}")
    for fallen in (0.80, 0.70):
        parts = [(0.92, 5_000), (fallen, 5_000)]
        rang = [_watched(np.random.default_rng([SEED, 18, i]), parts) for i in range(min(runs, 200))]
        after = [each - 5_000 if each else 5_000 for each in rang]
        print(f"  0.92 for 5,000 calls, then {fallen:4.2f}: alarm after {np.median(after):.0f} calls (median)")


def _watched(rng: np.random.Generator, parts: list[tuple[float, int]]) -> int | None:
    seen = SuccessWatch(0.85)
    for rate, count in parts:
        seen.see_all((rng.uniform(size=count) < rate).astype(float))
    return seen.alarm_at_count


PARTS = (unpaired, covariates, drift, sticky, late, missing, audit, guards, latency, watch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--part", choices=[each.__name__ for each in PARTS])
    given = parser.parse_args()
    for part in PARTS:
        if given.part in (None, part.__name__):
            started = time.perf_counter()
            part(given.runs)
            print(f"  ({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
