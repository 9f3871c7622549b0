"""Process usage: memory, CPU time and open files of a process, as Linux tells them; nothing where it does not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_CPU_FIELDS: Final = slice(11, 13)
"""utime and stime, after the name of the program."""


def process_usage(pid: int) -> dict[str, float]:
    """Values by name of `metric_table.py`."""
    folder = _PROC / str(pid)
    found: dict[str, float] = {}
    try:
        resident = int((folder / "statm").read_bytes().split()[1])
        found["relay_resident_memory_bytes"] = float(resident * os.sysconf("SC_PAGE_SIZE"))
        after_name = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        ticks = sum(int(each) for each in after_name[_CPU_FIELDS])
        found["relay_cpu_seconds_total"] = ticks / os.sysconf("SC_CLK_TCK")
        found["relay_open_files"] = float(sum(1 for _ in (folder / "fd").iterdir()))
    except (OSError, ValueError, IndexError):
        return found
    return found
