"""Compaction: closed segments of the write-ahead log become Parquet files of Calls, each Call once.

`compact_once` takes what is closed and works in steps, any of which may be the last before a power cut or `kill -9`:

1. a plan, which names the segments, is written;
2. each day's file is written under another name, synced, and renamed; its name comes from the plan's;
3. the plan is marked as done;
4. the segments are deleted, then the plan.

A plan that is found is carried out again from step 2 (the same segments give the same files under the same names), a
plan that is marked as done from step 4. So no Call is lost or doubled, wherever it stopped.

Where a day has many small files they are joined to one, by a plan of the same kind; a reader who looks between its
steps 2 and 4 may see their Calls twice, never not at all. Lines that are no Calls go to `STATE/rejects/`, as they are.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from breakeven.gateway.atomic_file import sync_folder
from breakeven.gateway.metering.calls_table import PROMPT_SCHEMA, calls_table, read_lines
from breakeven.gateway.metering.segments import close_left_segments, closed_segments
from breakeven.gateway.metering.write_ahead import spill_folder, write_ahead_folder

CALLS_FOLDER: Final = "calls"
PROMPTS_FOLDER: Final = "prompts"
REJECTS_FOLDER: Final = "rejects"
_PLANS_FOLDER: Final = "compaction"
_DONE: Final = ".done"
_PLAN: Final = ".json"
AT_ONCE_MAX_BYTES: Final = 256 * 2**20
"""Segments of one plan; the next ones wait for the next."""
_LINES_AT_ONCE: Final = 20_000
JOINED_AT_COUNT: Final = 64
"""So many small files of a day are joined."""
SMALL_BYTES: Final = 8 * 2**20

Step = Callable[[str], None]
"""Told before each step; tests end there."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What one run did."""

    segments_count: int = 0
    calls_count: int = 0
    rejects_count: int = 0


@dataclass(slots=True)
class _Files:
    """The Parquet files of one plan, open under other names."""

    name: str
    step: Step
    writers: dict[Path, Any] = field(default_factory=dict)

    def write(self, folder: Path, table: Any) -> None:
        """Add rows to the file of a day's folder."""
        target = folder / f"{self.name}.parquet"
        writer = self.writers.get(target)
        if writer is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            writer = self.writers[target] = pq.ParquetWriter(_spare(target), table.schema, compression="zstd")
        writer.write_table(table)

    def finish(self) -> None:
        """Sync all, then give each its name."""
        for target, writer in self.writers.items():
            writer.close()
            self.step("sync")
            _sync_file(_spare(target))
            self.step("rename")
            _spare(target).replace(target)
            sync_folder(target.parent)
            sync_folder(target.parent.parent)

    def give_up(self) -> None:
        """Take away what is half written."""
        for target, writer in self.writers.items():
            with suppress(OSError):
                writer.close()
            _spare(target).unlink(missing_ok=True)


def compact_once(state_folder: Path, step: Step = lambda _name: None, spill: Path | None = None) -> Compacted:
    """Turn every closed segment into Parquet. Raises OSError as the disk does; nothing is lost then."""
    folders = (write_ahead_folder(state_folder), spill or spill_folder(write_ahead_folder(state_folder)))
    total = Compacted()
    with _alone(state_folder):
        for each in folders:
            close_left_segments(each)
        for plan in _plans(state_folder):
            total = _plus(total, _carry_out(state_folder, plan, step))
        while segments := _next_segments(folders):
            plan = _write_plan(state_folder, "segments", segments, step)
            total = _plus(total, _carry_out(state_folder, plan, step))
        while small := _small_files(state_folder):
            _carry_out(state_folder, _write_plan(state_folder, "files", small, step), step)
    return total


@contextmanager
def _alone(state_folder: Path) -> Iterator[None]:
    """One compaction of a state folder at a time; waits for another."""
    folder = state_folder / _PLANS_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _plans(state_folder: Path) -> list[Path]:
    """Plans that were not carried out to their end, oldest name first."""
    folder = state_folder / _PLANS_FOLDER
    return sorted((each for each in folder.iterdir() if each.suffix in (_PLAN, _DONE)), key=lambda each: each.name)


def _next_segments(folders: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    bytes_count = 0
    for each in (path for folder in folders for path in closed_segments(folder)):
        bytes_count += each.stat().st_size
        if found and bytes_count > AT_ONCE_MAX_BYTES:
            break
        found.append(each.absolute())
    return found


def _small_files(state_folder: Path) -> list[Path]:
    """Files of one day that are to be joined; none: every day has few."""
    for each in (*state_folder.glob(f"{CALLS_FOLDER}/day=*"), *state_folder.glob(f"{PROMPTS_FOLDER}/day=*")):
        found = sorted(file.absolute() for file in each.glob("gateway-*.parquet") if file.stat().st_size < SMALL_BYTES)
        if len(found) >= JOINED_AT_COUNT:
            return found
    return []


def _write_plan(state_folder: Path, kind: str, sources: list[Path], step: Step) -> Path:
    """`kind` is `segments` or `files`: what the sources are."""
    names = sorted(str(each) for each in sources)
    name = f"gateway-{blake2b(chr(0).join(names).encode(), digest_size=12).hexdigest()}"
    plan = state_folder / _PLANS_FOLDER / f"{name}{_PLAN}"
    spare = _spare(plan)
    step("plan")
    spare.write_bytes(orjson.dumps({kind: names}))
    _sync_file(spare)
    spare.replace(plan)
    sync_folder(plan.parent)
    return plan


def _carry_out(state_folder: Path, plan: Path, step: Step) -> Compacted:
    said = orjson.loads(plan.read_bytes())
    sources = [Path(each) for names in said.values() for each in names]
    found = Compacted()
    if plan.suffix == _PLAN:
        step("write")
        if "files" in said:
            _join(plan.stem, sources, step)
        else:
            found = _write_files(state_folder, plan.stem, sources, step)
        step("done")
        done = plan.with_suffix(_DONE)
        plan.replace(done)
        sync_folder(plan.parent)
        plan = done
    for each in sources:
        step("delete")
        each.unlink(missing_ok=True)
    for folder in {each.parent for each in sources}:
        if folder.is_dir():
            sync_folder(folder)
    step("end")
    plan.unlink()
    return found


def _write_files(state_folder: Path, name: str, segments: list[Path], step: Step) -> Compacted:
    files = _Files(name, step)
    seen: set[str] = set()
    rejects: list[bytes] = []
    calls_count = 0
    try:
        for lines in _chunks(each for each in segments if each.exists()):
            read = read_lines(lines, seen)
            rejects += read.rejects
            for day, rows in sorted(read.days.items()):
                calls_count += len(rows.calls)
                files.write(state_folder / CALLS_FOLDER / f"day={day}", calls_table(rows.calls))
                if rows.prompts:
                    kept = calls_table(rows.prompts, PROMPT_SCHEMA)
                    files.write(state_folder / PROMPTS_FOLDER / f"day={day}", kept)
        if rejects:
            _write_rejects(state_folder / REJECTS_FOLDER / f"{name}.jsonl", rejects)
        files.finish()
    except BaseException:
        files.give_up()
        raise
    return Compacted(len(segments), calls_count, len(rejects))


def _join(name: str, sources: list[Path], step: Step) -> None:
    """One file in place of many of the same day."""
    files = _Files(name, step)
    waiting: list[Any] = []
    try:
        for each in sources:
            if each.exists():
                waiting.append(pq.ParquetFile(each).read())
            if sum(table.num_rows for table in waiting) >= _LINES_AT_ONCE:
                files.write(each.parent, pa.concat_tables(waiting))
                waiting = []
        if waiting:
            files.write(sources[0].parent, pa.concat_tables(waiting))
        files.finish()
    except BaseException:
        files.give_up()
        raise


def _chunks(segments: Iterable[Path]) -> Iterator[list[bytes]]:
    """Whole lines of the segments, some thousands at a time. A tail without a newline is no line."""
    found: list[bytes] = []
    for each in segments:
        with each.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    found.append(line)
                if len(found) >= _LINES_AT_ONCE:
                    yield found
                    found = []
    if found:
        yield found


def _write_rejects(target: Path, lines: list[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    spare = _spare(target)
    spare.write_bytes(b"".join(lines))
    _sync_file(spare)
    spare.replace(target)
    sync_folder(target.parent)


def _spare(target: Path) -> Path:
    """Where a file is written before it gets its name; readers of Parquet pass it by."""
    return target.with_name(f".{target.name}.part")


def _sync_file(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _plus(left: Compacted, right: Compacted) -> Compacted:
    return Compacted(
        left.segments_count + right.segments_count,
        left.calls_count + right.calls_count,
        left.rejects_count + right.rejects_count,
    )
