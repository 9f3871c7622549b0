"""Pouring: a process that puts Calls into a write-ahead log as fast as it is told, until it is killed.

It notes in a file of its own, with plain writes, which Calls it has put (and, with `request`, which were acknowledged),
so that what must be on the disk after a kill is known.
"""

from __future__ import annotations

import asyncio
import os
import struct
import sys
import time
from pathlib import Path

from breakeven.gateway.metering.write_ahead import WriteAhead, write_ahead_folder

NOTE = struct.Struct("<dq")


async def pour(state: Path, name: str, durability: str) -> None:
    """Put lines until killed."""
    sink = WriteAhead(write_ahead_folder(state), 0, durability, spill=state / "spill")  # type: ignore[arg-type]
    sink.start(asyncio.get_running_loop())
    notes = os.open(state / f"notes-{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    i = 0
    while True:
        for _ in range(25):
            line = b'{"record_id":"%b-%d","start_time":"2026-11-26T12:00:00Z","x":"%b"}\n' % (
                name.encode(),
                i,
                b"y" * 400,
            )
            sink.put(line)
            i += 1
        if durability == "request":
            await sink.written()
            os.write(notes, NOTE.pack(time.time(), i - 1))
        else:
            os.write(notes, NOTE.pack(time.time(), i - 1))
            await asyncio.sleep(0.005)


if __name__ == "__main__":
    asyncio.run(pour(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
