"""More than one process, and processes that die: the store stays readable and loses nothing it had."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from breakeven.usage.store.call_store import CallStore
from usage_black_box.logs import counts, ingest, jsonl, rows, write

ROWS_COUNT = 150_000
SCRIPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from breakeven.errors import UsageError
from breakeven.usage.store.call_store import CallStore
with CallStore(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    try:
        report = store.ingest([Path(each) for each in sys.argv[2:]], now=datetime(2026, 11, 20, tzinfo=UTC))
    except UsageError as error:
        sys.exit(f"refused: {error}")
    print(report.rows_in, report.calls, report.duplicates, report.rejects_count, flush=True)
status = Path("/proc/self/status").read_text()  # ru_maxrss would count what the test's own process held at the fork
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def start(store: Path, *logs: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(store), *map(str, logs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def many_lines(count: int, first: int = 0) -> str:
    """Log lines with ids, four days long."""
    return "".join(
        f'{{"start_time":"2026-11-{1 + n % 4:02d}T{n // 3600 % 24:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z","id":"r{n}",'
        f'"model":"gpt-4o","provider":"openai","input_tokens":{n % 5000},"output_tokens":{n % 700}}}\n'
        for n in range(first, first + count)
    )


@pytest.fixture(scope="module")
def big_log(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("big") / "big.jsonl", many_lines(ROWS_COUNT))


@pytest.mark.parametrize("wait_s", [0.1, 0.7])
def test_a_killed_import_leaves_the_store_as_it_was(tmp_path, big_log, wait_s):
    with CallStore(tmp_path / "store") as store:
        ingest(store, write(tmp_path / "small.jsonl", jsonl(*rows(100))))
        before = store.digest()
    process = start(tmp_path / "store", big_log)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(wait_s)
    process.kill()
    process.communicate()
    with CallStore(tmp_path / "store") as store:
        assert store.calls_count in (100, 100 + ROWS_COUNT)
        assert store.calls().count().to_pyarrow().as_py() == store.calls_count
        if store.calls_count == 100:
            assert store.digest() == before
        assert ingest(store, big_log).rows_in == ROWS_COUNT
        assert store.calls_count == 100 + ROWS_COUNT
        listed = {each["path"] for each in json.loads((store.path / "manifest.json").read_text())["stored"]}
        assert {str(path.relative_to(store.path)) for path in store.path.rglob("*.parquet")} == listed


def test_two_imports_at_once_lose_nothing(tmp_path, big_log):
    other = write(tmp_path / "other.jsonl", many_lines(20_000, first=ROWS_COUNT - 10_000))
    both = [start(tmp_path / "store", big_log), start(tmp_path / "store", other)]
    ends = [(process.communicate(timeout=60), process.returncode) for process in both]
    assert 0 in {code for _, code in ends}
    for (_, complaint), code in ends:
        assert "Traceback" not in complaint, complaint
        assert code == 0 or "another import" in complaint
    with CallStore(tmp_path / "store") as store:
        ingest(store, big_log)
        ingest(store, other)
        assert store.calls_count == ROWS_COUNT + 10_000


def test_reading_while_another_process_imports(tmp_path, big_log):
    with CallStore(tmp_path / "store") as store:
        ingest(store, write(tmp_path / "small.jsonl", jsonl(*rows(100))))
        process = start(tmp_path / "store", big_log)
        seen = set()
        while process.poll() is None:
            seen.add(store.calls().count().to_pyarrow().as_py())
        process.communicate()
        assert seen <= {100, 100 + ROWS_COUNT}


def test_a_table_of_calls_outlives_an_import_that_rewrites_its_files(tmp_path):
    """An expression taken before an import still has an answer after it, or says clearly that the store changed."""
    from breakeven.errors import BreakevenError

    with CallStore(tmp_path / "store") as store:
        ingest(store, write(tmp_path / "a.jsonl", many_lines(100)))
        table = store.calls()
        changed = many_lines(100).replace('"output_tokens":', '"output_tokens":1')
        ingest(store, write(tmp_path / "b.jsonl", changed))
        with suppress(BreakevenError):
            assert table.count().to_pyarrow().as_py() == 100


def test_a_million_rows_stay_below_a_gibibyte_and_a_half(tmp_path):
    block = many_lines(100_000)
    log = tmp_path / "million.jsonl"
    with log.open("w") as file:
        for number in range(10):
            file.write(block.replace('"id":"r', f'"id":"{number}r'))
    process = start(tmp_path / "store", log)
    try:
        out, complaint = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.skip("this machine is too slow for a million rows in 30 s")
    assert process.returncode == 0, complaint
    _, found, peak_kib = out.split("\n")[:3]
    assert found == "1000000 1000000 0 0"
    assert int(peak_kib) < 1.5 * 2**20


def test_a_damaged_manifest_says_so(tmp_path):
    from breakeven.errors import UsageError

    with CallStore(tmp_path / "store") as store:
        ingest(store, write(tmp_path / "a.jsonl", jsonl(*rows(3))))
        for content in ("", "{", "[]", '{"version": 99}', '{"version": "x", "imported": [], "stored": []}', "null"):
            (store.path / "manifest.json").write_text(content)
            with pytest.raises(UsageError, match="manifest"):
                store.digest()


def test_a_lost_parquet_file_says_so(tmp_path):
    from breakeven.errors import UsageError

    with CallStore(tmp_path / "store") as store:
        assert counts(ingest(store, write(tmp_path / "a.jsonl", jsonl(*rows(3)))))[1] == 3
        next(store.path.glob("day=*/*.parquet")).unlink()
        with pytest.raises(UsageError, match="gone"):
            store.calls()
        with pytest.raises(UsageError, match="gone"):
            store.digest()
