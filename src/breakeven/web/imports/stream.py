"""Upload stream: the files of a form as they come over the wire, written straight to disk, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from breakeven.errors import UploadError
from breakeven.web.safe_names import safe_file_name

if TYPE_CHECKING:
    from starlette.requests import Request

FILES_COUNT: Final = 200
FIELDS_COUNT: Final = 40
FIELD_BYTES: Final = 16 * 2**10


@dataclass(frozen=True, slots=True)
class Received:
    """What came: the files in their order, and the other fields of the form."""

    files: tuple[Path, ...]
    fields: dict[str, str]
    bytes_count: int


async def receive(request: Request, folder: Path) -> Received:
    """Write the files of a multipart request into `folder`, which is made; it is gone again unless all came whole.

    Raises UploadError saying what is wrong.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UploadError("no files came: wanted a form with files (multipart/form-data)")
    folder.mkdir(parents=True, mode=0o700)
    parser = _ToDisk(request.headers, request.stream(), folder)
    try:
        form = await parser.parse()
        if not parser.is_whole:
            raise UploadError("the upload was cut off; nothing was imported")
        fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        files = tuple(path for path in parser.paths if path.exists())
        if not files:
            raise UploadError("no file was chosen; nothing was imported")
        return Received(files, fields, sum(each.stat().st_size for each in files))
    except MultiPartException as error:
        _discard(parser, folder)
        raise UploadError(f"{_in_own_words(error.message)}; nothing was imported") from None
    except OSError as error:
        _discard(parser, folder)
        raise UploadError(f"the upload cannot be kept: {error.strerror}; nothing was imported") from None
    except BaseException:
        _discard(parser, folder)
        raise
    finally:
        parser.close()


def _in_own_words(told: str) -> str:
    """What the parser objects to, as the dashboard's own limits and with what to do."""
    if told.startswith("Too many files"):
        return (
            f"more than {FILES_COUNT} files came, and {FILES_COUNT} are taken at once: send fewer, or run "
            "`breakeven import FOLDER`, which has no limit"
        )
    if told.startswith("Too many fields"):
        return f"the form has more than {FIELDS_COUNT} fields beside its files"
    if "exceeded maximum size" in told:
        return f"a field of the form is longer than {FIELD_BYTES // 2**10} KiB"
    return "what came is no whole form with files: choose them again"


def _discard(parser: _ToDisk, folder: Path) -> None:
    parser.close()
    shutil.rmtree(folder, ignore_errors=True)


class _ToDisk(MultiPartParser):
    """Puts each file where it stays, and not into memory or the system's folder of temporary files."""

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], folder: Path) -> None:
        super().__init__(headers, stream, max_files=FILES_COUNT, max_fields=FIELDS_COUNT, max_part_size=FIELD_BYTES)
        self._folder = folder
        self._opened: list[IO[bytes]] = []
        self.paths: list[Path] = []
        self.is_whole = False

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part: Any = self._current_part
        if part.file is None:
            return
        part.file.file.close()  # the parser's own, in memory
        said = part.file.filename or ""
        path = self._free(safe_file_name(said, "upload")) if said else Path("/dev/null")
        opened = path.open("wb")
        self._opened.append(opened)
        if said:
            self.paths.append(path)
        part.file = UploadFile(file=opened, size=0, filename=said, headers=part.file.headers)

    def on_end(self) -> None:
        """The closing boundary came."""
        self.is_whole = True

    def close(self) -> None:
        """Close all files."""
        for each in self._opened:
            each.close()

    def _free(self, name: str) -> Path:
        """A name that no other file of this upload has."""
        stem, dot, suffix = name.partition(".")
        taken = {each.name.lower() for each in self.paths}
        number, found = 1, name
        while found.lower() in taken:
            number += 1
            found = f"{stem}-{number}{dot}{suffix}"
        return self._folder / found
