"""Event pieces: a server-sent stream cut at the ends of its events, whatever pieces it arrived in; no byte is lost.

An event ends with an empty line; lines end with LF, CRLF or CR. Texts hold any character (U+2028, U+0085): only these
bytes end a line.
"""

from __future__ import annotations

import re
from typing import Final

EVENT_MAX_BYTES: Final = 16 * 2**20
"""A longer event is a broken stream."""
_JOINED_MAX_BYTES: Final = 16_384
"""A longer part of an event is not copied again for each piece."""
_END: Final = re.compile(rb"(?>\r\n|\n|\r){2}")
_LINE: Final = re.compile(rb"\r\n|\n|\r")


class EventPieces:
    """Collects pieces and gives out whole events, each with the empty line that ends it."""

    __slots__ = ("_searched", "held")

    def __init__(self) -> None:
        self.held = bytearray()
        """The part of an event that came so far; readers look at it, nobody else fills it."""
        self._searched = 0

    @property
    def is_too_large(self) -> bool:
        """Whether an event passes all measure."""
        return len(self.held) > EVENT_MAX_BYTES

    def whole(self, data: bytes) -> list[bytes]:
        """The events that are whole now.

        >>> pieces = EventPieces()
        >>> pieces.whole(b"data: 1\\n\\nda"), pieces.whole(b"ta: 2\\r\\n\\r\\n"), pieces.rest()
        ([b'data: 1\\n\\n'], [b'data: 2\\r\\n\\r\\n'], b'')
        """
        held = self.held
        if len(held) < _JOINED_MAX_BYTES:
            joined = bytes(held) + data if held else data
            if b"\r" not in joined:
                held.clear()
                self._searched = 0
                return self._cut(joined)
        held += data
        found: list[bytes] = []
        start = 0
        at = max(0, self._searched - 3)
        while (match := _END.search(held, at)) is not None:
            start, begun = match.end(), start
            found.append(bytes(held[begun:start]))
            at = start
        if start:
            del held[:start]
        self._searched = len(held)
        return found

    def _cut(self, data: bytes) -> list[bytes]:
        """The same where nothing is held and no line ends with CR."""
        found: list[bytes] = []
        start = 0
        while (stop := data.find(b"\n\n", start)) >= 0:
            found.append(data[start : stop + 2])
            start = stop + 2
        if start < len(data):
            self.held += data[start:]
            self._searched = len(self.held)
        return found

    def rest(self) -> bytes:
        """What is held of an event that did not end."""
        rest = bytes(self.held)
        self.held.clear()
        self._searched = 0
        return rest


def event_data(event: bytes) -> bytes:
    """The data of an event, its lines joined by LF; empty for comments.

    >>> event_data(b"event: x\\ndata: {\\ndata: }\\n\\n")
    b'{\\n}'
    """
    if event.startswith(b"data: {") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return event[6:-2]
    return b"\n".join(_values(event, b"data"))


def event_name(event: bytes) -> bytes:
    """The name of an event, empty where it has none."""
    names = _values(event, b"event")
    return names[-1] if names else b""


def _values(event: bytes, field: bytes) -> list[bytes]:
    if event.startswith(b"\xef\xbb\xbf"):
        event = event[3:]
    found = []
    for line in _LINE.split(event):
        if line.startswith(field):
            value = line[len(field) :]
            if value.startswith(b":"):
                found.append(value[2:] if value.startswith(b": ") else value[1:])
            elif not value:
                found.append(b"")
    return found
