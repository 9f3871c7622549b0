"""LogFile: one file of a log as a stream of UTF-8 bytes, whatever its compression and encoding.

Recognised by content, never by name: gzip (several members, cut short), zstd, UTF-8 with or without a byte order
mark, UTF-16 of both orders, lone carriage returns as line ends. Memory is bounded by the block size.
"""

from __future__ import annotations

import codecs
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

import numpy as np
from numpy.typing import NDArray

from breakeven.errors import UsageError

BLOCK_BYTES: Final = 4 << 20
_TAIL_BYTES: Final = 16 << 10
HEAD_BYTES: Final = 256 << 10
_GZIP, _ZSTD, _PARQUET, _ZIP, _BZIP2 = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04", b"BZh"
_GZIP_WINDOW: Final = 31
_STEP_BYTES: Final = 256
BOMB_RATIO: Final = 250
"""Logs compress 5 to 40 times; what grows more than this, beyond `BOMB_BYTES_MIN`, was made to fill a machine."""
BOMB_BYTES_MIN: Final = 16 << 20

Piece = bytes | NDArray[np.uint8]
Compression = Literal["none", "gzip", "zstd"]
Encoding = Literal["utf-8", "utf-16-le", "utf-16-be"]


class DamagedFileError(Exception):
    """The file cannot be read past this point; what came before is good. Becomes a reject."""

    def __init__(self, reason: str, detail: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = str(detail)


@dataclass(frozen=True, slots=True)
class LogFile:
    """How to read one file."""

    path: Path
    name: str
    """What reports call it: the path below what the user named."""
    bytes_count: int
    is_parquet: bool
    compression: Compression
    encoding: Encoding
    has_lone_returns: bool
    head: bytes
    """The first decompressed bytes, as UTF-8."""

    @property
    def base_name(self) -> str:
        """File name without a compression suffix, so that compressing a log does not change its rows' ids."""
        name = self.path.name
        return name.rpartition(".")[0] if name.endswith((".gz", ".zst")) else name

    ahead: Iterable[NDArray[np.uint8]] | None = None
    """Gives the bytes of a file that `is_read_as_it_lies`, where somebody reads them already."""

    @property
    def is_read_as_it_lies(self) -> bool:
        """True when the blocks, one after the other, are the bytes of the file."""
        is_text = not self.is_parquet and self.encoding == "utf-8" and not self.has_lone_returns
        return is_text and self.compression == "none"

    def blocks(self) -> Iterator[bytes]:
        """The content as UTF-8 in blocks; raises `DamagedFileError` after the last good one."""
        return _as_utf8(_decompressed(self.path, self.compression), self.encoding, self.has_lone_returns)

    def pieces(self) -> Iterator[Piece]:
        """The same, as arrays where they come so, which is only said to those who can do with either."""
        if self.ahead is None:
            return iter(self.blocks())
        return _without_mark(self.ahead)

    def sha256(self) -> str:
        """Hash of the file's bytes as they lie on disk."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def open_log(path: Path, name: str) -> LogFile:
    """Look at the first bytes of `path`; raise UsageError for what no log is stored in."""
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES)
    _refuse_archives(path, start)
    is_parquet = start.startswith(_PARQUET)
    compression: Compression = "gzip" if start.startswith(_GZIP) else "zstd" if start.startswith(_ZSTD) else "none"
    if is_parquet:
        return LogFile(path, name, path.stat().st_size, True, "none", "utf-8", False, b"")
    plain = start if compression == "none" else _first_bytes(path, compression)
    encoding = _encoding_of(plain)
    if encoding != "utf-8":
        plain = plain[: len(plain) // 2 * 2].decode(encoding, "replace").encode()
    lone = b"\r" in plain and b"\n" not in plain
    head = plain.removeprefix(codecs.BOM_UTF8)
    head = head.replace(b"\r", b"\n") if lone else head
    return LogFile(path, name, path.stat().st_size, False, compression, encoding, lone, head)


def _refuse_archives(path: Path, start: bytes) -> None:
    kinds = {_ZIP: "a zip archive (or a spreadsheet)", _BZIP2: "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7z"}
    for magic, kind in kinds.items():
        if start.startswith(magic):
            raise UsageError(f"{path}: this is {kind}; wanted text, gzip, zstd or Parquet. Unpack it first.")


def _first_bytes(path: Path, compression: Compression) -> bytes:
    head = b""
    try:
        for block in _decompressed(path, compression):
            head += block
            if len(head) >= HEAD_BYTES:
                break
    except DamagedFileError as error:
        if not head:
            raise UsageError(f"{path}: {error.reason}") from None
    return head[:HEAD_BYTES]


def _encoding_of(start: bytes) -> Encoding:
    """By byte order mark; without one, by where the zero bytes of ASCII text in UTF-16 lie."""
    if start.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if start.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = start[:512]
    if len(sample) >= 4 and sample[1::2].count(0) > len(sample) // 3:
        return "utf-16-le"
    if len(sample) >= 4 and sample[0::2].count(0) > len(sample) // 3:
        return "utf-16-be"
    return "utf-8"


def _decompressed(path: Path, compression: Compression) -> Iterator[bytes]:
    with path.open("rb") as file:
        if compression == "gzip":
            yield from _gunzip(file)
        elif compression == "zstd":
            yield from _unzstd(file)
        else:
            while block := file.read(size_of_lines(file, BLOCK_BYTES)):
                yield block


def size_of_lines(file: IO[bytes], bytes_max: int) -> int:
    """How much to read so that the block ends with a line, where that is easy: then nobody needs to put it together."""
    start, before_tail = file.tell(), max(bytes_max - _TAIL_BYTES, 0)
    file.seek(start + before_tail)
    size = file.read(bytes_max - before_tail).rfind(b"\n") + 1
    file.seek(start)
    return before_tail + size if size else bytes_max


def _refuse_bomb(unpacked_bytes: int, packed_bytes: int) -> None:
    """Stop where what was unpacked so far is absurdly much for what was read so far."""
    if unpacked_bytes > max(BOMB_BYTES_MIN, BOMB_RATIO * packed_bytes):
        ratio = f"{packed_bytes:,} bytes became more than {BOMB_RATIO} times as many; if it is a log, unpack it first"
        raise DamagedFileError("refused: a decompression bomb", ratio)


def _gunzip(file: IO[bytes]) -> Iterator[bytes]:
    """All members of a gzip file, a block at a time; what can be read of a cut or damaged one."""
    member, is_inside, pending = zlib.decompressobj(_GZIP_WINDOW), False, b""
    unpacked_bytes = 0
    while pending := pending or file.read(BLOCK_BYTES // 4):
        is_inside, before = True, member.copy()
        try:
            block = member.decompress(pending, BLOCK_BYTES)
        except zlib.error as error:
            yield from _up_to_the_damage(before, pending)
            raise DamagedFileError("the gzip data is damaged from here on", error) from None
        pending = member.unconsumed_tail
        if member.eof:
            pending = member.unused_data.lstrip(b"\0")
            member, is_inside = zlib.decompressobj(_GZIP_WINDOW), False
        unpacked_bytes += len(block)
        _refuse_bomb(unpacked_bytes, file.tell() - len(pending))
        if block:
            yield block
    if is_inside:
        yield member.flush()
        if not member.eof:
            raise DamagedFileError("the gzip data ends early; the rest of the file is missing")


def _up_to_the_damage(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What `data` gives in small steps before it cannot be read."""
    for start in range(0, len(data), _STEP_BYTES):
        try:
            yield member.decompress(data[start : start + _STEP_BYTES])
        except zlib.error:
            return


def _unzstd(file: IO[bytes]) -> Iterator[bytes]:
    import pyarrow as pa

    stream = pa.CompressedInputStream(pa.PythonFile(file, "rb"), "zstd")
    unpacked_bytes = 0
    while True:
        try:
            block = stream.read(BLOCK_BYTES)
        except OSError as error:
            raise DamagedFileError("the zstd data is damaged from here on", error) from None
        if not block:
            return
        unpacked_bytes += len(block)
        _refuse_bomb(unpacked_bytes, file.tell())
        yield block


def _as_utf8(raw: Iterator[bytes], encoding: Encoding, has_lone_returns: bool) -> Iterator[bytes]:
    """Re-encode, drop the byte order mark, turn lone carriage returns into line feeds."""
    if encoding != "utf-8":
        raw = _transcoded(raw, encoding)
    is_first = True
    for block in raw:
        text = block.removeprefix(codecs.BOM_UTF8) if is_first else block
        is_first = is_first and not block
        yield text.replace(b"\r", b"\n") if has_lone_returns else text


def _without_mark(pieces: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Drop the byte order mark."""
    is_first = True
    for piece in pieces:
        has_mark = is_first and piece[: len(codecs.BOM_UTF8)].tobytes() == codecs.BOM_UTF8
        yield piece[len(codecs.BOM_UTF8) :] if has_mark else piece
        is_first = False


def _transcoded(raw: Iterator[bytes], encoding: Encoding) -> Iterator[bytes]:
    """UTF-16 to UTF-8. Broken surrogates pass through, so that the line they stand on is rejected later."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        for block in raw:
            yield decoder.decode(block).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"the {encoding} text is damaged from here on", error.reason) from None
