"""How fast is usage, from JSON lines to hourly profile and cost per task, and how much memory does it take?

    python benchmarks/usage.py [ROWS] [ROUNDS] [PROFILED_ROWS] [--only-import]

Three tables, each with its baselines in the same run (absolute seconds depend on the machine, the ratios do not much):

Where other work goes on, compare `cpu s` rather than `wall s`.

1. import of ROWS JSON lines against DuckDB's own `read_json` to Parquet, which checks nothing, keeps no rejects, finds
   no duplicates and hashes no user; mark: at least 0.7 of its speed. Both compress alike; DuckDB writes the columns of
   the log, we write those of a Call. A second log, three times as long, tells what an import costs at all from what it
   costs a million rows.
2. hourly profile and cost per task over 20 x ROWS made-up calls, against SQL written by hand for DuckDB, against pandas
   and Polars, and Spark in one process; mark: at most 1.3 times the hand-written SQL.
3. peak memory of `profile_workload` over PROFILED_ROWS made-up calls, without and with the daily tables kept; mark:
   under 2 GiB for 50 million.

The stores of 2 and 3 are written as Parquet directly (`synthetic_store.py`): their calls were never in a log. Each
program is a process of its own, in turns; the best round counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from synthetic_store import write_store

CLOCK = """
import sys, time, pandas
from pathlib import Path
def told(start=[]):
    if start:
        print(time.perf_counter() - start[0], time.process_time() - start[1])
    start[:] = time.perf_counter(), time.process_time()
"""
"""Imports pandas before the clock starts: where it is there, the first Arrow array loads it, for either side."""
BASELINE = (
    CLOCK
    + """
import duckdb
con = duckdb.connect()
con.execute("SET enable_progress_bar = false")
told()
con.execute(f"COPY (SELECT * FROM read_json('{sys.argv[1]}')) TO '{sys.argv[2]}.parquet' (FORMAT parquet)")
told()
"""
)
OURS = (
    CLOCK
    + """
from breakeven.clock import now
from breakeven.usage.store import CallStore
with CallStore(Path(sys.argv[2])) as store:
    told()
    report = store.ingest(Path(sys.argv[1]), now=now())
    told()
    assert report.calls == report.rows_in == int(sys.argv[3])
"""
)
AGAIN = (
    CLOCK
    + """
from breakeven.clock import now
from breakeven.usage.store import CallStore
with CallStore(Path(sys.argv[2])) as store:
    store.ingest(Path(sys.argv[1]), now=now())
    told()
    report = store.ingest(Path(sys.argv[1]), now=now())
    told()
    assert report.duplicates == int(sys.argv[3])
"""
)
PROGRAMS = {"DuckDB read_json to Parquet": BASELINE, "breakeven import": OURS, "breakeven import, again": AGAIN}

BY_HAND = """
import duckdb, sys, time
con = duckdb.connect()
con.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'")
con.execute(f"CREATE VIEW calls AS SELECT * FROM read_parquet('{sys.argv[1]}/day=*/*.parquet')")
con.execute("CREATE TABLE prices AS SELECT * FROM (VALUES ('gpt-5', 1.25, 0.125, 10.0), "
            "('gpt-5-mini', 0.25, 0.025, 2.0), ('claude-sonnet-4-5', 3.0, 0.3, 15.0), "
            "('gemini-2.5-pro', 1.25, 0.31, 10.0)) p(model, i, c, o)")
start = time.perf_counter()
con.execute("SELECT {hour}, count(*), sum(input_tokens), sum(cache_read_tokens), "
            "sum(output_tokens), sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) "
            "FROM calls GROUP BY 1").fetch_arrow_table()
con.execute("SELECT task, request_model, count(*), sum(input_tokens), sum(output_tokens), "
            "sum((input_tokens - cache_read_tokens) * i + cache_read_tokens * c + output_tokens * o) / 1e6 "
            "FROM calls JOIN prices ON model = request_model GROUP BY 1, 2").fetch_arrow_table()
print(time.perf_counter() - start)
"""
SQL_BY_HAND = BY_HAND.replace("{hour}", "date_trunc('hour', start_time)")
SQL_TUNED = BY_HAND.replace("{hour}", "epoch_us(start_time) // 3600000000")
CELLS = """
import sys, time
from pathlib import Path
from breakeven.usage.store import CallStore
from breakeven.workload.hourly import Classes, cells, merged
from breakeven.workload.spend import PRICE_KEYS
import ibis
with CallStore(Path(sys.argv[1]), engine=sys.argv[2]) as store:
    store.calls().limit(1).to_pyarrow()  # the session of the engine is there
    start = time.perf_counter()
    found = ibis.memtable(cells(store.calls(), Classes((200_000,))).to_pyarrow())
    merged(found, drop=["task", *PRICE_KEYS, "size_class"]).to_pyarrow()
    merged(found, drop=["hour", "offset", "status", "has_output"]).to_pyarrow()
    print(time.perf_counter() - start)
"""
KEPT = """
import sys, time
from pathlib import Path
from breakeven.usage.store import CallStore
from breakeven.workload.hourly import Classes, cells, merged
from breakeven.workload.spend import PRICE_KEYS
classes = Classes((200_000,))
with CallStore(Path(sys.argv[1])) as store:
    store.kept_from_rows = 0
    store.daily("cells", classes.key, lambda calls: cells(calls, classes))
    start = time.perf_counter()
    found = store.daily("cells", classes.key, lambda calls: cells(calls, classes))
    merged(found, drop=["task", *PRICE_KEYS, "size_class"]).to_pyarrow()
    merged(found, drop=["hour", "offset", "status", "has_output"]).to_pyarrow()
    print(time.perf_counter() - start)
"""
COLUMNS = "['start_time','task','request_model','status','input_tokens','cache_read_tokens','output_tokens']"
PRICES = (
    "{'gpt-5': (1.25, .125, 10.), 'gpt-5-mini': (.25, .025, 2.), "
    "'claude-sonnet-4-5': (3., .3, 15.), 'gemini-2.5-pro': (1.25, .31, 10.)}"
)
PANDAS = f"""
import sys, time, glob
import pandas as pd
prices = pd.DataFrame.from_dict({PRICES}, orient="index", columns=["i", "c", "o"])
start = time.perf_counter()
parts = [pd.read_parquet(each, columns={COLUMNS}) for each in sorted(glob.glob(sys.argv[1] + "/day=*/*.parquet"))]
calls = pd.concat(parts, ignore_index=True)
calls["error"] = calls.status == "error"
calls.groupby(calls.start_time.dt.floor("h"))[["input_tokens", "cache_read_tokens", "output_tokens", "error"]].sum()
priced = calls.merge(prices, left_on="request_model", right_index=True)
priced["usd"] = ((priced.input_tokens - priced.cache_read_tokens) * priced.i + priced.cache_read_tokens * priced.c
                 + priced.output_tokens * priced.o) / 1e6
priced.groupby(["task", "request_model"])[["input_tokens", "output_tokens", "usd"]].sum()
print(time.perf_counter() - start)
"""
POLARS = f"""
import sys, time
import polars as pl
found = {PRICES}
prices = pl.LazyFrame({{"request_model": list(found), "i": [p[0] for p in found.values()],
                       "c": [p[1] for p in found.values()], "o": [p[2] for p in found.values()]}})
start = time.perf_counter()
calls = pl.scan_parquet(sys.argv[1] + "/day=*/*.parquet", hive_partitioning=False).select({COLUMNS})
hours = calls.group_by(pl.col("start_time").dt.truncate("1h")).agg(
    pl.len(), pl.col("input_tokens", "cache_read_tokens", "output_tokens").sum(), (pl.col("status") == "error").sum())
usd = ((pl.col("input_tokens") - pl.col("cache_read_tokens")) * pl.col("i") + pl.col("cache_read_tokens") * pl.col("c")
       + pl.col("output_tokens") * pl.col("o")).sum() / 1e6
tasks = calls.join(prices, on="request_model").group_by("task", "request_model").agg(
    pl.len(), pl.col("input_tokens", "output_tokens").sum(), usd.alias("usd"))
pl.collect_all([hours, tasks], engine="streaming")
print(time.perf_counter() - start)
"""
PROFILE = """
import sys, time
from datetime import date
from pathlib import Path
from breakeven.catalog.load import load_catalog
from breakeven.usage.store import CallStore
from breakeven.workload.profile import profile_workload
catalog = load_catalog(date(2026, 11, 23))
with CallStore(Path(sys.argv[1])) as store:
    store.kept_from_rows = 0 if sys.argv[2] == "kept" else 10**12
    start = time.perf_counter()
    workload = profile_workload(store.calls(), catalog=catalog, kept=store)
    print(time.perf_counter() - start)
    assert workload.requests_count == int(sys.argv[3])
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: seconds it measured itself, those of all its cores (from start to end, or as it says), its peak
    resident memory."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def write_log(path: Path, rows: int, *, has_prompts: bool) -> None:
    """Thirty days of calls in the order of time."""
    words = [f"word{number * 7919 % 10_007}" for number in range(5000)]
    rng = np.random.default_rng(0)
    start = datetime(2026, 9, 1, tzinfo=UTC)
    seconds = np.sort(rng.uniform(0, 30 * 86_400, rows))
    inputs, outputs = rng.integers(100, 9000, rows), rng.integers(1, 900, rows)
    which, latency = rng.integers(0, 3, rows), rng.uniform(100, 9000, rows).round(2)
    users = rng.integers(0, 5000, rows)
    models = ("gpt-5", "gpt-5-mini", "claude-sonnet-4-5")
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            usage = {
                "prompt_tokens": int(inputs[number]),
                "completion_tokens": int(outputs[number]),
                "prompt_tokens_details": {"cached_tokens": int(inputs[number]) // 3},
            }
            row = {
                "id": f"chatcmpl-{number:012x}{int(inputs[number]) * 7919:012x}",
                "timestamp": (start + timedelta(seconds=float(seconds[number]))).isoformat(),
                "provider": "openai",
                "model": models[which[number]],
                "usage": usage,
                "latency_ms": float(latency[number]),
                "user": f"u{users[number]}",
                "task": "abcd"[number % 4],
                "status": 200,
            }
            if has_prompts:
                first = number * 31 % 4500
                row["messages"] = [{"role": "user", "content": " ".join(words[first : first + 250])}]
                row["response"] = " ".join(words[first + 250 : first + 350])
            file.write(json.dumps(row) + "\n")


def run(code: str, *arguments: str) -> Run:
    """Run `code` in a fresh interpreter."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    written = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("a run failed")
    wall_s, *cpu_s = map(float, written.split())
    return Run(wall_s, cpu_s[0] if cpu_s else usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def imports_compared(folder: Path, rows: int, rounds: int, *, has_prompts: bool) -> None:
    """Write a log, run every program on it in turns, print the table."""
    log = folder / f"log-{has_prompts}.jsonl"
    write_log(log, rows, has_prompts=has_prompts)
    size_mib = log.stat().st_size / 2**20
    runs: dict[str, list[Run]] = {name: [] for name in PROGRAMS}
    run(OURS, str(log), str(folder / f"{has_prompts}-first"), str(rows))  # compiles what is not compiled yet
    for number in range(rounds):
        for place, (name, code) in enumerate(PROGRAMS.items()):
            runs[name].append(run(code, str(log), str(folder / f"{has_prompts}-{number}-{place}"), str(rows)))
    base = runs["DuckDB read_json to Parquet"]
    base_s, base_cpu_s = min(each.wall_s for each in base), min(each.cpu_s for each in base)
    kind = "with prompts" if has_prompts else "without prompts"
    print(f"{rows:,} rows {kind}, {size_mib:,.0f} MiB of JSON lines, {os.cpu_count()} cores, best of {rounds}")
    print(f"{'what':34}{'wall s':>9}{'cpu s':>8}{'rows/s':>12}{'peak MiB':>10}{'x DuckDB rate':>15}{'by cpu':>8}")
    for name, found in runs.items():
        wall_s, cpu_s, peak_mib = (min(getattr(each, key) for each in found) for key in ("wall_s", "cpu_s", "peak_mib"))
        rates = f"{base_s / wall_s:15.2f}{base_cpu_s / cpu_s:8.2f}"
        print(f"{name:34}{wall_s:9.2f}{cpu_s:8.2f}{rows / wall_s:12,.0f}{peak_mib:10,.0f}{rates}", flush=True)
    print(f"written by DuckDB: {_written([folder / f'{has_prompts}-0-0.parquet'])}")
    print(f"written by us:     {_written([*(folder / f'{has_prompts}-0-1').glob('day=*/*.parquet')])}")
    if not has_prompts:
        log.unlink()
        _parts_told(folder, rows, rounds, {name: min(each.cpu_s for each in found) for name, found in runs.items()})


def _parts_told(folder: Path, rows: int, rounds: int, short_s: dict[str, float]) -> None:
    """Print what of the processor time is there whatever the number of rows, from a log that is three times as long."""
    log = folder / "long.jsonl"
    write_log(log, 3 * rows, has_prompts=False)
    base_s = 0.0
    for place, name in enumerate(list(PROGRAMS)[:2]):
        targets = [str(folder / f"long-{place}-{number}") for number in range(rounds)]
        long_s = min(run(PROGRAMS[name], str(log), target, str(3 * rows)).cpu_s for target in targets)
        per_million_s = (long_s - short_s[name]) / 2 / rows * 1e6
        constant_s = short_s[name] - per_million_s * rows / 1e6
        ratio = "" if place == 0 else f"; {3 * rows:,} rows: {base_s / long_s:.2f} of DuckDB's rate by cpu"
        base_s = long_s if place == 0 else base_s
        print(f"{name:34}{constant_s:.2f} cpu s, and {per_million_s:.2f} for a million rows{ratio}")
    log.unlink()


def _written(files: list[Path]) -> str:
    """How many columns Parquet files have, how they are compressed and how large they are."""
    first = pq.read_metadata(files[0])
    how = first.row_group(0).column(0).compression
    size_mib = sum(each.stat().st_size for each in files) / 2**20
    return f"{first.num_columns} columns, {how}, {size_mib:,.1f} MiB in {len(files)} file(s)"


def analyses_compared(folder: Path, rows: int, rounds: int) -> None:
    """Hourly profile and cost per task, by us and by others."""
    write_store(folder, rows)
    programs: dict[str, tuple[str, ...]] = {
        "SQL by hand, date_trunc": (SQL_BY_HAND,),
        "SQL by hand, arithmetic on epochs": (SQL_TUNED,),
        "breakeven, all calls anew": (CELLS, "duckdb"),
        "breakeven, days kept": (KEPT,),
        "Polars, streaming": (POLARS,),
        "pandas": (PANDAS,),
    }
    if shutil.which("java"):
        programs["breakeven, Spark local"] = (CELLS, "spark")
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for number in range(rounds):
        for name, (code, *arguments) in programs.items():
            if number == 0 or name not in ("pandas", "breakeven, Spark local"):
                runs[name].append(run(code, str(folder), *arguments))
    base_s = min(each.wall_s for each in runs["SQL by hand, date_trunc"])
    print(f"\nhourly profile and cost per task of {rows:,} made-up calls, best of {rounds} (pandas, Spark: once)")
    print(f"{'what':36}{'wall s':>9}{'cpu s':>8}{'peak MiB':>10}{'x SQL by hand':>15}")
    for name, found in runs.items():
        wall_s, cpu_s, peak_mib = (min(getattr(each, key) for each in found) for key in ("wall_s", "cpu_s", "peak_mib"))
        print(f"{name:36}{wall_s:9.2f}{cpu_s:8.1f}{peak_mib:10,.0f}{wall_s / base_s:15.2f}", flush=True)
    print("(peak of Spark: the Python process alone, its Java process has 2 GiB more)")


def memory_of_profile(folder: Path, rows: int) -> None:
    """Peak memory of a whole profile."""
    write_store(folder, rows)
    print(f"\nprofile of {rows:,} made-up calls, written as Parquet directly")
    print(f"{'what':36}{'wall s':>9}{'cpu s':>8}{'peak MiB':>10}")
    for name, how in (("all calls anew", "anew"), ("days summed up and kept", "kept"), ("from kept days", "kept")):
        found = run(PROFILE, str(folder), how, str(rows))
        print(f"{name:36}{found.wall_s:9.2f}{found.cpu_s:8.1f}{found.peak_mib:10,.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000, help="lines of the log (1,000,000)")
    parser.add_argument("rounds", nargs="?", type=int, default=3, help="of each program (3)")
    parser.add_argument("profiled_rows", nargs="?", type=int, default=50_000_000, help="calls (50,000,000)")
    parser.add_argument("--only-import", action="store_true", help="print the first table and end")
    arguments = parser.parse_args()
    rows, rounds = arguments.rows, arguments.rounds
    with tempfile.TemporaryDirectory() as folder:
        imports_compared(Path(folder), rows, rounds, has_prompts=False)
        if arguments.only_import:
            return
        print()
        imports_compared(Path(folder), rows // 5, rounds, has_prompts=True)
    with tempfile.TemporaryDirectory() as folder:
        analyses_compared(Path(folder), 20 * rows, rounds)
    with tempfile.TemporaryDirectory() as folder:
        memory_of_profile(Path(folder), arguments.profiled_rows)


if __name__ == "__main__":
    main()
