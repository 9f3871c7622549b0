"""How long does a whole comparison of a million calls take, and how much memory?

    python benchmarks/compare_million_calls.py [ROWS]

Generates a JSONL log, then runs `breakeven import` and `breakeven compare` as processes of their own. The baseline in
the same run is DuckDB reading the same file into Parquet and adding up tokens by day and model with hand-written SQL.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

BASELINE = """
import duckdb, sys
con = duckdb.connect()
con.execute(f"COPY (SELECT * FROM read_json('{sys.argv[1]}')) TO '{sys.argv[2]}' (FORMAT parquet)")
con.execute(f"SELECT date_trunc('day', timestamp), model, count(*), sum(prompt_tokens), sum(completion_tokens) "
            f"FROM '{sys.argv[2]}' GROUP BY ALL").fetchall()
"""


def write_log(path: Path, rows: int) -> None:
    """Thirty days of calls of three models."""
    rng = np.random.default_rng(0)
    start = datetime(2026, 9, 1, tzinfo=UTC)
    seconds = np.sort(rng.uniform(0, 30 * 86_400, rows))
    inputs, outputs = rng.integers(100, 8000, rows), rng.integers(10, 800, rows)
    models = np.array(["gpt-5", "gpt-5-mini", "gpt-4o-mini"])[rng.integers(0, 3, rows)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            row = {
                "id": f"call-{number}",
                "timestamp": (start + timedelta(seconds=float(seconds[number]))).isoformat(),
                "provider": "openai",
                "model": str(models[number]),
                "prompt_tokens": int(inputs[number]),
                "completion_tokens": int(outputs[number]),
            }
            file.write(json.dumps(row) + "\n")


def measured(*command: str, cwd: Path) -> tuple[float, float]:
    """Wall seconds and peak resident MiB of a process."""
    before = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command[:4])}")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    python, verb = sys.executable, (sys.executable, "-m", "breakeven.cli.main")
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        write_log(cwd / "log.jsonl", rows)
        base_s, base_mib = measured(python, "-c", BASELINE, "log.jsonl", "base.parquet", cwd=cwd)
        table = [("DuckDB: JSONL to Parquet, sums by day and model", base_s, base_mib)]
        for name, arguments in (
            ("breakeven import", ("import", "log.jsonl")),
            ("breakeven profile (from the store)", ("profile", "--json")),
            ("breakeven compare (from the store)", ("compare", "--json")),
            ("breakeven compare --usage (import and compare)", ("compare", "--usage", "log.jsonl", "--json")),
        ):
            table.append((name, *measured(*verb, *arguments, cwd=cwd)))
        size_mib = (cwd / "log.jsonl").stat().st_size / 2**20
        print(f"{rows:,} calls, {size_mib:,.0f} MiB of JSONL, {os.cpu_count()} cores")
        print(f"{'what':50}{'wall s':>9}{'peak MiB':>10}{'x baseline':>12}")
        for name, wall_s, peak_mib in table:
            print(f"{name:50}{wall_s:9.2f}{peak_mib:10,.0f}{wall_s / base_s:12.1f}")


if __name__ == "__main__":
    main()
