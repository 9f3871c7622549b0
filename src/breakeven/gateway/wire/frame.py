"""Frame: what is the same in every chunk of a stream but its few letters, learnt from one chunk that was parsed.

A chunk that begins and ends like the last one, and has no quotation mark in between, is that chunk with another text:
it needs no parsing, and what went to the client then goes to it now, around the new text. Some vendors pad chunks with
a second text of no meaning (`obfuscation`); a frame has room for it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import orjson

_QUOTE: Final = b'"'
_PADDING: Final = b'"obfuscation":"'

Around = tuple[bytes, int, bytes, int]


class Frame(NamedTuple):
    """The bytes around a text: of the event that came, and of what was given for it."""

    head: bytes
    tail: bytes
    head_count: int
    tail_count: int
    middle: bytes
    """Between the text and the padding; empty where there is none (then `tail` follows the text)."""
    is_same: bool
    """What came is what is given."""
    given_head: bytes
    given_middle: bytes
    given_tail: bytes

    @property
    def around(self) -> Around | None:
        """Where nothing is changed and nothing else varies: the bytes around the text, with their counts."""
        if self.middle or not self.is_same:
            return None
        return self.head, self.head_count, self.tail, self.tail_count

    def filled(self, data: bytes) -> tuple[bytes, int] | None:
        """What is given for a piece that fits, and the bytes of its text; None where it does not fit."""
        if not (data.startswith(self.head) and data.endswith(self.tail)):
            return None
        start = self.head_count
        stop = data.find(_QUOTE, start)
        last = len(data) - self.tail_count
        if not self.middle:
            if stop != last:
                return None
            if self.is_same:
                return data, stop - start
            return self.given_head + data[start:stop] + self.given_tail, stop - start
        padding = stop + len(self.middle)
        if not data.startswith(self.middle, stop) or data.find(_QUOTE, padding) != last:
            return None
        if self.is_same:
            return data, stop - start
        given = (self.given_head, data[start:stop], self.given_middle, data[padding:last], self.given_tail)
        return b"".join(given), stop - start


def learnt(event: bytes, key: bytes, text: str, given: bytes, given_key: bytes = b"") -> Frame | None:
    """The frame of an event that was parsed and holds nothing but this text; None where it cannot be told for sure.

    >>> frame = learnt(b'data: {"t":"a"}\\n\\n', b'"t":"', "a", b'data: {"u":"a"}\\n\\n', b'"u":"')
    >>> frame.filled(b'data: {"t":" word"}\\n\\n')
    (b'data: {"u":" word"}\\n\\n', 5)
    """
    written = orjson.dumps(text)[1:-1]
    came = _cut(event, key, written)
    if came is None or not event.endswith(b"\n\n") or event.find(b"\n\n") != len(event) - 2 or b"\r" in event:
        return None
    gone = came if given is event else _cut(given, given_key or key, written)
    head, middle, tail = came
    if gone is None or bool(middle) != bool(gone[1]):
        return None
    return Frame(head, tail, len(head), len(tail), middle, given is event, *gone)


def _cut(event: bytes, key: bytes, written: bytes) -> tuple[bytes, bytes, bytes] | None:
    """What stands before the text, between it and the padding, and after that."""
    if event.count(key) != 1:
        return None
    start = event.index(key) + len(key)
    if not event.startswith(written + _QUOTE, start):
        return None
    head, rest = event[:start], event[start + len(written) :]
    if rest.count(_PADDING) != 1:
        return (head, b"", rest)
    at = rest.index(_PADDING) + len(_PADDING)
    return (head, rest[:at], rest[rest.index(_QUOTE, at) :])
