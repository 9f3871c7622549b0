"""Compaction: closed segments of the write-ahead log become Parquet files of Calls, each Call once.

`compact_once` takes what is closed and works in steps, any of which may be the last before a power cut or `kill -9`:

1. a plan, which names the segments, is written;
2. each day's file is written under another name, synced, and renamed; its name comes from the plan's;
3. the plan is marked as done;
4. the segments are deleted, then the plan.

A plan that is found is carried out again from step 2 (the same segments give the same files under the same names), a
plan that is marked as done from step 4. So no Call is lost or doubled, wherever it stopped.

Lines that are no Calls go to `STATE/rejects/`, as they are.
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
import pyarrow.parquet as pq

from breakeven.gateway.metering.calls_table import PROMPT_SCHEMA, SCHEMA, calls_table, read_lines
from breakeven.gateway.metering.segments import close_left_segments, closed_segments, sync_folder
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

    state_folder: Path
    name: str
    step: Step
    writers: dict[Path, Any] = field(default_factory=dict)

    def write(self, folder: str, day: str, rows: list[dict[str, Any]], schema: Any) -> None:
        """Add rows to a day's file."""
        target = self.state_folder / folder / f"day={day}" / f"{self.name}.parquet"
        writer = self.writers.get(target)
        if writer is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            writer = self.writers[target] = pq.ParquetWriter(_spare(target), schema, compression="zstd")
        writer.write_table(calls_table(rows, schema))

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
            plan = _write_plan(state_folder, segments, step)
            total = _plus(total, _carry_out(state_folder, plan, step))
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


def _write_plan(state_folder: Path, segments: list[Path], step: Step) -> Path:
    names = sorted(str(each) for each in segments)
    name = f"gateway-{blake2b(chr(0).join(names).encode(), digest_size=12).hexdigest()}"
    plan = state_folder / _PLANS_FOLDER / f"{name}{_PLAN}"
    spare = _spare(plan)
    step("plan")
    spare.write_bytes(orjson.dumps({"segments": names}))
    _sync_file(spare)
    spare.replace(plan)
    sync_folder(plan.parent)
    return plan


def _carry_out(state_folder: Path, plan: Path, step: Step) -> Compacted:
    segments = [Path(each) for each in orjson.loads(plan.read_bytes())["segments"]]
    found = Compacted()
    if plan.suffix == _PLAN:
        step("write")
        found = _write_files(state_folder, plan.stem, segments, step)
        step("done")
        done = plan.with_suffix(_DONE)
        plan.replace(done)
        sync_folder(plan.parent)
        plan = done
    for each in segments:
        step("delete")
        each.unlink(missing_ok=True)
    for folder in {each.parent for each in segments}:
        if folder.is_dir():
            sync_folder(folder)
    step("end")
    plan.unlink()
    return found


def _write_files(state_folder: Path, name: str, segments: list[Path], step: Step) -> Compacted:
    files = _Files(state_folder, name, step)
    seen: set[str] = set()
    rejects: list[bytes] = []
    calls_count = 0
    try:
        for lines in _chunks(each for each in segments if each.exists()):
            read = read_lines(lines, seen)
            rejects += read.rejects
            for day, rows in sorted(read.days.items()):
                calls_count += len(rows.calls)
                files.write(CALLS_FOLDER, day, rows.calls, SCHEMA)
                if rows.prompts:
                    files.write(PROMPTS_FOLDER, day, rows.prompts, PROMPT_SCHEMA)
        if rejects:
            _write_rejects(state_folder / REJECTS_FOLDER / f"{name}.jsonl", rejects)
        files.finish()
    except BaseException:
        files.give_up()
        raise
    return Compacted(len(segments), calls_count, len(rejects))


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
