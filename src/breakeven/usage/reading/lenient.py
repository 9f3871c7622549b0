"""Lenient: a log whose lines need not all be UTF-8; what is not is read as the Windows code page a spreadsheet wrote.

Only for formats whose own text is ASCII but for a label, so that a wrong guess cannot change a number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from breakeven.usage.reading.log_file import DamagedFileError, LogFile


def lenient(log: LogFile) -> LogFile:
    """`log` with every line readable."""
    return _LenientLog(**{each.name: getattr(log, each.name) for each in dataclasses.fields(log)})


class _LenientLog(LogFile):
    __slots__ = ()

    def blocks(self) -> Iterator[bytes]:
        """The content as UTF-8, a few lines at a time."""
        rest = b""
        try:
            for block in LogFile.blocks(self):
                *lines, rest = (rest + block).split(b"\n")
                if lines:
                    yield b"\n".join(as_utf8(line) for line in lines) + b"\n"
        except DamagedFileError:
            yield as_utf8(rest)
            raise
        yield as_utf8(rest)


def as_utf8(line: bytes) -> bytes:
    """A line, read as Windows-1252 when it is not UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace").encode()
    return line
