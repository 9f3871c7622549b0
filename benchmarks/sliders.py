"""How long does an answer take when a slider is moved, and how long the plain way, which computes everything anew?

    python benchmarks/sliders.py [--moves 30] [--draws-log2 14] [--plain 3] [--usage LOG ...] [--volume MTOK]

For each slider: the first move, p50 and p95 of the others (wall clock), the processor time of a move, the plain way's
time in the same run (median), and how many times quicker. Without --usage the log is the one that `breakeven demo`
makes. Two more rows: volume and GPU price moved together, and the cost curves of a moved state. Every answer is also
held against the plain way's figures, to the bit. The session is made ready as the dashboard does it. A move of the
horizon grows with its months (the paths and the kernel go through each): of the default moves the first has 17 months
and the median 44, so that the first is the quicker.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np

from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.scenario import Scenario
from breakeven.decision.standings import standings_of
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.reports.answer import Question
from breakeven.reports.sliders import Slider
from breakeven.reports.whatif_session import Changes, WhatIfSession
from breakeven.usage.store import CallStore
from breakeven.usage.synthetic import write_synthetic_log
from breakeven.web.verdict.slider_session import stop_looking_through_it

TODAY: Final = date(2026, 11, 24)
WANTED_MS: Final = 150.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=30)
    parser.add_argument("--draws-log2", type=int, default=14)
    parser.add_argument("--plain", type=int, default=3, help="how often the plain way is timed for each slider")
    parser.add_argument("--usage", type=Path, action="append", help="log file; may be repeated")
    parser.add_argument("--calls", type=int, default=20_000, help="calls of the made-up log")
    parser.add_argument("--volume", type=float, help="millions of tokens a month, in the place of the log's")
    parser.add_argument("--only", action="append", help="sliders to move; all when absent")
    asked = parser.parse_args()
    scenario = Scenario(as_of=TODAY, draws_log2=asked.draws_log2, volume_mtok_per_month=asked.volume)
    with tempfile.TemporaryDirectory() as folder, CallStore(Path(folder) / "store") as store:
        for log in asked.usage or [_made_up(Path(folder), asked.calls)]:
            store.ingest(log, now=datetime(2026, 11, 23, tzinfo=UTC), reject_path=Path(folder) / "rejects.jsonl")
        begun = time.perf_counter()
        session = WhatIfSession.open(Question(store, "log", scenario, TODAY))
        session.practise()
        stop_looking_through_it()
        print(f"{store.calls_count:,} calls, {1 << asked.draws_log2:,} draws, opened in {_since(begun) / 1e3:.1f} s")
        _table(session, asked.moves, asked.plain, asked.only)


def _table(session: WhatIfSession, moves_count: int, plain_count: int, only: Sequence[str] | None) -> None:
    print(f"{'slider':34}{'first':>8}{'p50':>8}{'p95':>8}{'cpu':>8}{'plain':>9}{'times':>7}   milliseconds")
    rows: dict[str, list[Changes]] = {
        each.name: [((each.name, repr(_between(each, way))),) for way in _ways(moves_count + 1)]
        for each in session.sliders()
        if not each.disabled and (not only or each.name in only)
    }
    if {"volume", "gpu_rents"} <= rows.keys():
        rows["volume and gpu_rents"] = [a + b for a, b in zip(rows["volume"], rows["gpu_rents"], strict=True)]
    for name, asked in rows.items():
        first, *others = [_timed(session, each) for each in asked]
        plain = [_plainly(session, each) for each in asked[-plain_count:]]
        wall, cpu = [each[0] for each in others], [each[1] for each in others]
        told = (first[0], float(np.median(wall)), float(np.quantile(wall, 0.95)), float(np.median(cpu)))
        print(f"{name:34}" + "".join(f"{each:8.0f}" for each in told), end="")
        print(f"{np.median(plain):9.0f}{np.median(plain) / told[1]:7.1f}" + ("" if told[2] <= WANTED_MS else "   over"))
    moved = next(iter(rows.values()))[0]
    session.state(moved)
    begun = time.perf_counter()
    session.curves(moved)
    print(f"{'cost curves of a moved state':34}{_since(begun):8.0f}")


def _ways(count: int) -> list[float]:
    """Places along a slider, back and forth, none twice."""
    ways = np.linspace(0.02, 0.98, count)
    return [float(each) for each in np.random.default_rng(0).permutation(ways)]


def _between(slider: Slider, way_fraction: float) -> float:
    """A value so far along the way from left to right, on its scale; whole where it counts months."""
    if slider.scale == "log":
        return float(slider.low * (slider.high / slider.low) ** way_fraction)
    value = slider.low + way_fraction * (slider.high - slider.low)
    return float(round(value)) if slider.unit == "month" else float(value)


def _timed(session: WhatIfSession, changes: Changes) -> tuple[float, float]:
    begun, cpu = time.perf_counter(), time.process_time()
    session.answer(changes)
    return _since(begun), (time.process_time() - cpu) * 1e3


def _plainly(session: WhatIfSession, changes: Changes) -> float:
    """Time of the same figures with nothing remembered, which must be the same to the bit."""
    state = session.state(changes)
    scenario, situation = state.scenario, state.situation
    begun = time.perf_counter()
    draws = DrawSet(scenario.seed, scenario.draws_log2, scenario.copula(situation.catalog))
    options = select_options(scenario.options)
    standings = standings_of(situation, options, draws.of, draws.draws_count, draws.seed)
    usable = {each.name: options[each.name] for each in standings.options}
    present = present_costs_usd(situation, usable, draws.of, session.estimates)
    took = _since(begun)
    for each in standings.options:
        mine = state.comparison.option(each.name)
        assert mine.equal_success_usd_per_month == each.equal_success_usd_per_month, each.name
        assert np.array_equal(state.outlook.costs[each.name], present[each.name]), each.name
    return took


def _made_up(folder: Path, calls_count: int) -> Path:
    log = folder / "calls.jsonl"
    write_synthetic_log(log, seed=1, calls_count=calls_count)
    return log


def _since(begun_s: float) -> float:
    return (time.perf_counter() - begun_s) * 1e3


if __name__ == "__main__":
    main()
