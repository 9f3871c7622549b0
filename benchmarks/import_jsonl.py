"""How fast is the import, beside DuckDB reading the same file into Parquet?

    python benchmarks/import_jsonl.py [ROWS] [REPEATS]

The baseline is one statement, ``COPY (SELECT * FROM read_json(...)) TO parquet``: no checks, no rejects, no duplicates,
no days. Both run as processes of their own and alternate; the table shows the best of each.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from compare_million_calls import measured, write_log

BASELINE = """
import duckdb, sys
duckdb.sql(f"COPY (SELECT * FROM read_json('{sys.argv[1]}')) TO '{sys.argv[2]}' (FORMAT parquet)")
"""


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    best: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        cwd = Path(folder)
        write_log(cwd / "log.jsonl", rows)
        for _ in range(repeats):
            shutil.rmtree(cwd / ".breakeven", ignore_errors=True)
            runs = {
                "DuckDB read_json to Parquet": (sys.executable, "-c", BASELINE, "log.jsonl", "base.parquet"),
                "breakeven import": (sys.executable, "-m", "breakeven.cli.main", "import", "log.jsonl"),
            }
            for name, command in runs.items():
                best[name] = min(best.get(name, (float("inf"), 0.0)), measured(*command, cwd=cwd))
        size_mib = (cwd / "log.jsonl").stat().st_size / 2**20
    base_s = best["DuckDB read_json to Parquet"][0]
    print(f"{rows:,} rows, {size_mib:,.0f} MiB, best of {repeats}, process start included")
    print(f"{'what':32}{'wall s':>9}{'rows/s':>12}{'peak MiB':>10}{'x of DuckDB rate':>18}")
    for name, (wall_s, peak_mib) in best.items():
        print(f"{name:32}{wall_s:9.2f}{rows / wall_s:12,.0f}{peak_mib:10,.0f}{base_s / wall_s:18.2f}")


if __name__ == "__main__":
    main()
