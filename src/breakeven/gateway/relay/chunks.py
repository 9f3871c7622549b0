"""Chunks: a body whose length is told piece by piece (`Transfer-Encoding: chunked`), read strictly."""

from __future__ import annotations

from typing import Final

from breakeven.gateway.relay.heads import BadMessage

_HEX: Final = b"0123456789abcdefABCDEF"
_SIZE_LINE_MAX_BYTES: Final = 272
_TRAILERS_MAX_BYTES: Final = 8_192
_SIZE_MAX_DIGITS: Final = 12
_EXTENSION: Final = bytes([9, *range(0x20, 0x7F)])


class ChunkReader:
    """Takes a chunked body apart, whatever the pieces it comes in.

    >>> reader = ChunkReader()
    >>> reader.feed(b"3\\r\\nabc\\r\\n0\\r"), reader.is_done
    (b'abc', False)
    >>> reader.feed(b"\\n\\r\\nNEXT"), reader.is_done, reader.rest
    (b'', True, b'NEXT')
    """

    __slots__ = ("_buffer", "_left_bytes_count", "_trailers_bytes_count", "is_between", "is_done", "rest")

    def __init__(self) -> None:
        self._buffer = b""
        self._left_bytes_count = 0
        """Of the chunk under way, its CRLF included; 0: a size line comes next."""
        self._trailers_bytes_count = -1
        """-1: the last chunk has not come."""
        self.is_between = True
        """Nothing is under way: the next byte begins a chunk."""
        self.is_done = False
        self.rest = b""
        """What came after the body."""

    def feed(self, data: bytes) -> bytes:
        """The content among these bytes."""
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and not self.is_done:
            if self._left_bytes_count:
                at = self._content(data, at, pieces)
            elif self._trailers_bytes_count >= 0:
                at = self._trailer(data, at)
            else:
                at = self._size_line(data, at)
            if at < 0:
                break
        self.is_between = not self._left_bytes_count and not self._buffer and self._trailers_bytes_count < 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _content(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Takes what there is of a chunk; where the next one begins, or -1."""
        content_left = self._left_bytes_count - 2
        if content_left > 0:
            piece = data[at : at + content_left]
            pieces.append(piece)
            at += len(piece)
            self._left_bytes_count -= len(piece)
            if at == len(data):
                return -1
        have = data[at : at + self._left_bytes_count]
        if have != b"\r\n"[2 - self._left_bytes_count :][: len(have)]:
            raise BadMessage("a chunk does not end where its size says")
        self._left_bytes_count -= len(have)
        return at + len(have)

    def _size_line(self, data: bytes, at: int) -> int:
        """Reads a size; where its content begins, or -1."""
        end = data.find(b"\r\n", at, at + _SIZE_LINE_MAX_BYTES)
        if end < 0:
            return self._keep(data, at, _SIZE_LINE_MAX_BYTES)
        line = data[at:end]
        size = _SIZES.get(line)
        if size is None:
            size = chunk_bytes_count(line)
        if size == 0:
            self._trailers_bytes_count = 0
        else:
            self._left_bytes_count = size + 2
        return end + 2

    def _trailer(self, data: bytes, at: int) -> int:
        """Skips a trailer; the empty one ends the body."""
        end = data.find(b"\r\n", at)
        if end < 0:
            return self._keep(data, at, _TRAILERS_MAX_BYTES)
        if end == at:
            self.is_done = True
            self.rest = data[at + 2 :]
            return at + 2
        line = data[at:end]
        self._trailers_bytes_count += len(line)
        if self._trailers_bytes_count > _TRAILERS_MAX_BYTES or b"\n" in line or b"\r" in line or b"\0" in line:
            raise BadMessage("trailers after the last chunk are too long or broken")
        return end + 2

    def _keep(self, data: bytes, at: int, limit_bytes: int) -> int:
        """Waits for the rest of a line, up to its limit."""
        line = data[at:]
        if len(line) >= limit_bytes or b"\n" in line or b"\r" in line[:-1]:
            raise BadMessage("a line between chunks is too long or broken")
        self._buffer = line
        return -1


def chunk_bytes_count(line: bytes) -> int:
    """The size that a line before a chunk tells; what stands behind `;` is skipped.

    >>> chunk_bytes_count(b"1F;name=value")
    31
    """
    digits, semicolon, extension = line.partition(b";")
    if semicolon:
        digits = digits.rstrip(b" \t")
        if extension.translate(None, _EXTENSION):
            raise BadMessage("control characters beside the size of a chunk")
    if not digits or digits.translate(None, _HEX) or len(digits) > _SIZE_MAX_DIGITS:
        raise BadMessage("the size of a chunk is not a hexadecimal number")
    return int(digits, 16)


def whole_chunk(data: bytes) -> bytes | None:
    """The content where these bytes are exactly one chunk (the usual piece of a stream), else None.

    >>> whole_chunk(b"2\\r\\nhi\\r\\n")
    b'hi'
    """
    line = _SIZE_LINES.get(len(data))
    if line is not None and data.startswith(line) and data.endswith(b"\r\n"):
        return data[len(line) : -2]
    return None


_SIZE_LINES: Final = {len(b"%x" % size) + size + 4: b"%x\r\n" % size for size in range(1, 8192)}
"""Bytes of a piece that is one chunk -> how it must begin: so nothing needs to be parsed."""
_SIZES: Final = {b"%x" % size: size for size in range(2048)}
"""The usual lines before chunks, and what they say."""
