"""How fast is an import of JSON lines, measured against DuckDB turning the same file into Parquet?

    python benchmarks/import_jsonl.py [ROWS] [ROUNDS]

Two logs: one as a gateway writes it (id, time, nested OpenAI `usage`, latency, user, task; 315 bytes a row), and one
with a fifth of the rows that carry prompt and answer (3 kB a row), which import drops and the baseline keeps. The
baseline is `COPY (SELECT * FROM read_json(...)) TO ... (FORMAT parquet)`: it checks nothing, keeps no rejects, finds no
duplicates, hashes no user and writes one file. Both run as processes of their own, in turns; the best round counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

BASELINE = """
import duckdb, sys, time
con = duckdb.connect()
con.execute("SET enable_progress_bar = false")
start = time.perf_counter()
con.execute(f"COPY (SELECT * FROM read_json('{sys.argv[1]}')) TO '{sys.argv[2]}.parquet' (FORMAT parquet)")
print(time.perf_counter() - start)
"""
OURS = """
import sys, time
from pathlib import Path
from breakeven.clock import now
from breakeven.usage.store import CallStore
with CallStore(Path(sys.argv[2])) as store:
    start = time.perf_counter()
    report = store.ingest(Path(sys.argv[1]), now=now())
    print(time.perf_counter() - start)
    assert report.calls == report.rows_in == int(sys.argv[3])
"""
AGAIN = """
import sys, time
from pathlib import Path
from breakeven.clock import now
from breakeven.usage.store import CallStore
with CallStore(Path(sys.argv[2])) as store:
    store.ingest(Path(sys.argv[1]), now=now())
    start = time.perf_counter()
    report = store.ingest(Path(sys.argv[1]), now=now())
    print(time.perf_counter() - start)
    assert report.duplicates == int(sys.argv[3])
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: seconds it measured itself, and its peak resident memory."""

    wall_s: float
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
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    wall_s = float(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("a run failed")
    return Run(wall_s, usage.ru_maxrss / 1024)


PROGRAMS = {"DuckDB read_json to Parquet": BASELINE, "breakeven import": OURS, "breakeven import, again": AGAIN}


def compared(folder: Path, rows: int, rounds: int, *, has_prompts: bool) -> None:
    """Write a log, run every program on it in turns, print the table."""
    log = folder / f"log-{has_prompts}.jsonl"
    write_log(log, rows, has_prompts=has_prompts)
    size_mib = log.stat().st_size / 2**20
    runs: dict[str, list[Run]] = {name: [] for name in PROGRAMS}
    for number in range(rounds):
        for place, (name, code) in enumerate(PROGRAMS.items()):
            runs[name].append(run(code, str(log), str(folder / f"{has_prompts}-{number}-{place}"), str(rows)))
    base_s = min(each.wall_s for each in runs["DuckDB read_json to Parquet"])
    kind = "with prompts" if has_prompts else "without prompts"
    print(f"{rows:,} rows {kind}, {size_mib:,.0f} MiB of JSON lines, {os.cpu_count()} cores, best of {rounds}")
    print(f"{'what':32}{'wall s':>9}{'rows/s':>12}{'MiB/s':>8}{'peak MiB':>10}{'x DuckDB rate':>15}")
    for name, found in runs.items():
        wall_s, peak_mib = min(each.wall_s for each in found), min(each.peak_mib for each in found)
        rate = f"{base_s / wall_s:15.2f}"
        print(f"{name:32}{wall_s:9.2f}{rows / wall_s:12,.0f}{size_mib / wall_s:8.0f}{peak_mib:10,.0f}{rate}")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as folder:
        compared(Path(folder), rows, rounds, has_prompts=False)
        print()
        compared(Path(folder), rows // 5, rounds, has_prompts=True)


if __name__ == "__main__":
    main()
