"""`kill -9` of a process that writes Calls, at random moments under load: what must be there is there, once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from breakeven.gateway.metering.segments import close_left_segments, closed_segments
from breakeven.gateway.metering.write_ahead import write_ahead_folder
from gateway.metering.pouring import NOTE

POURING = Path(__file__).with_name("pouring.py")
AT_ONCE_COUNT = 5


def _pour_and_kill(folders: list[Path], durability: str, after_s: list[float]) -> list[float]:
    """Start one process for each folder, kill each after its time; when (Unix time) each was killed."""
    running = [subprocess.Popen([sys.executable, str(POURING), str(each), "k", durability]) for each in folders]
    for each in folders:
        while not (each / "notes-k").exists() or not (each / "notes-k").stat().st_size:
            time.sleep(0.002)
    started_s, killed_s = time.monotonic(), [0.0] * len(folders)
    for i in sorted(range(len(folders)), key=lambda i: after_s[i]):
        time.sleep(max(started_s + after_s[i] - time.monotonic(), 0.0))
        killed_s[i] = time.time()
        running[i].kill()
    for process in running:
        process.wait()
    return killed_s


def _notes(state: Path) -> list[tuple[float, int]]:
    data = (state / "notes-k").read_bytes()
    return [NOTE.unpack_from(data, at) for at in range(0, len(data) - NOTE.size + 1, NOTE.size)]


def _kept(state: Path) -> Counter[str]:
    folder = write_ahead_folder(state)
    close_left_segments(folder)
    lines = [line for each in closed_segments(folder) for line in each.read_bytes().split(b"\n")]
    assert lines.count(b"") == len(closed_segments(folder)), "every segment ends with a whole line"
    return Counter(json.loads(line)["record_id"] for line in lines if line)


@pytest.mark.parametrize(("durability", "from_s", "due_after_s"), [("batch", 1.05, 1.0), ("request", 0.0, 0.0)])
def test_ten_kills_lose_no_call_that_must_be_kept(
    tmp_path: Path, durability: str, from_s: float, due_after_s: float
) -> None:
    """Batch: what was put more than a second before. Request: what was acknowledged."""
    chance = random.Random(11)
    promised = []
    for i in range(2):
        folders = [tmp_path / f"{i}-{j}" for j in range(AT_ONCE_COUNT)]
        for each in folders:
            each.mkdir()
        after_s = [from_s + chance.uniform(0.0, 0.4) for _ in folders]
        for folder, killed_s in zip(folders, _pour_and_kill(folders, durability, after_s), strict=True):
            kept = _kept(folder)
            due = [last for noted_s, last in _notes(folder) if noted_s <= killed_s - due_after_s]
            promised.append(max(due) + 1)
            assert max(kept.values()) == 1, "none twice"
            assert all(kept[f"k-{n}"] == 1 for n in range(promised[-1]))
    assert len(promised) == 10 and min(promised) >= 25 and sum(promised) > 1_000
